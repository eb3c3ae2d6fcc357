//! Reasons of conversion errors.

use wire_protocol::WireError;

/// Why a value could not be converted to its field, with the details. Its text completes a sentence such as "bin 'a'
/// (float) for field 'a' of i1: ...".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The field does not take values of this type.
    #[error("the field takes {takes}")]
    TypeNotTaken {
        /// The types that the field takes.
        takes: &'static str,
    },
    /// A float outside the range of an integer field.
    #[error("{value} is outside the field's range")]
    OutOfRange {
        /// The float.
        value: f64,
    },
    /// NaN or infinity for an integer field.
    #[error("{value} is not an integer")]
    NotFinite {
        /// The float.
        value: f64,
    },
    /// An integer that the field cannot hold exactly, with [`Casting::SameValue`](crate::Casting::SameValue).
    #[error("{value} would change to fit")]
    IntegerChanges {
        /// The integer.
        value: i128,
    },
    /// A float that the field cannot hold exactly, with [`Casting::SameValue`](crate::Casting::SameValue).
    #[error("{value} would change to fit")]
    FloatChanges {
        /// The float.
        value: f64,
    },
    /// More bytes than the field has, with [`Casting::SameValue`](crate::Casting::SameValue).
    #[error("{length} bytes would be cut to {width}")]
    Cut {
        /// The size of the value.
        length: usize,
        /// The size of the field.
        width: usize,
    },
    /// A blob that is not exactly as large as the sub-array.
    #[error("the blob has {found} bytes, the sub-array {expected}")]
    BlobLength {
        /// The size of the sub-array.
        expected: usize,
        /// The size of the blob.
        found: usize,
    },
    /// A list, or a list in it, with another length than its dimension of the sub-array.
    #[error("a list of {found} elements for dimension {dimension} of the sub-array, which has {expected}")]
    ListLength {
        /// The dimension, counted from 0.
        dimension: usize,
        /// The length of the dimension.
        expected: usize,
        /// The length of the list.
        found: usize,
    },
    /// A value that is not a list, where the sub-array has another dimension.
    #[error("{found} where dimension {dimension} of the sub-array needs a list")]
    NoList {
        /// The dimension, counted from 0.
        dimension: usize,
        /// The type of the value.
        found: &'static str,
    },
    /// An element of a list that could not be converted.
    #[error("element {index} ({found}): {reason}")]
    Element {
        /// The index of the element in the flat sub-array.
        index: usize,
        /// The element's type.
        found: &'static str,
        /// Why the element could not be converted.
        reason: Box<Reason>,
    },
    /// Bytes that are not a value of the type.
    #[error(transparent)]
    Malformed(#[from] WireError),
}
