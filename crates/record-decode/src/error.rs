//! Why a value did not get into its field.

use wire_protocol::WireError;

/// Why a value did not get into its field, with the facts. Completes a sentence such as "bin 'a' (float)
/// for field 'a' of i1: ...".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The field takes no values of the type.
    #[error("the field takes {takes}")]
    TypeNotTaken {
        /// The types that it takes.
        takes: &'static str,
    },
    /// A float beyond the range of an integer field.
    #[error("{value} is outside the field's range")]
    OutOfRange {
        /// The float.
        value: f64,
    },
    /// NaN or an infinity, for an integer field.
    #[error("{value} is no integer")]
    NotFinite {
        /// The float.
        value: f64,
    },
    /// The field would hold another value than this integer, and only the same value is accepted.
    #[error("{value} would change to fit")]
    IntegerChanges {
        /// The integer.
        value: i128,
    },
    /// The field would hold another value than this float, and only the same value is accepted.
    #[error("{value} would change to fit")]
    FloatChanges {
        /// The float.
        value: f64,
    },
    /// More bytes than the field has, and only the same value is accepted.
    #[error("{length} bytes would be cut to {width}")]
    Cut {
        /// The value's bytes.
        length: usize,
        /// The field's bytes.
        width: usize,
    },
    /// A blob that is not exactly as long as the sub-array.
    #[error("the blob has {found} bytes, the sub-array {expected}")]
    BlobLength {
        /// The sub-array's bytes.
        expected: usize,
        /// The blob's bytes.
        found: usize,
    },
    /// A list, or a list inside it, that has not as many elements as its dimension of the sub-array.
    #[error("a list of {found} elements for dimension {dimension} of the sub-array, which has {expected}")]
    ListLength {
        /// The dimension, counted from 0.
        dimension: usize,
        /// The dimension's elements.
        expected: usize,
        /// The list's elements.
        found: usize,
    },
    /// Something other than a list where the sub-array has one more dimension.
    #[error("{found} where dimension {dimension} of the sub-array needs a list")]
    NoList {
        /// The dimension, counted from 0.
        dimension: usize,
        /// The type that is there.
        found: &'static str,
    },
    /// An element of a list does not get into the sub-array.
    #[error("element {index} ({found}): {reason}")]
    Element {
        /// The element's number in the flat sub-array.
        index: usize,
        /// The element's type.
        found: &'static str,
        /// Why.
        reason: Box<Reason>,
    },
    /// The value's bytes are not those of its type.
    #[error(transparent)]
    Malformed(#[from] WireError),
}
