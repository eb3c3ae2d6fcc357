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
    #[error("{} is outside the field's range", short(*.value))]
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
    #[error("{} would change to fit", short(*.value))]
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
    /// A value that is not a map, for a field that is a struct.
    #[error("the field is a struct, which takes maps")]
    NoMap,
    /// A step of the field's path goes into a value that has no such key or index: one that is not a map or list, or a
    /// list if the key is not an integer.
    #[error("step {number} of its path, {step}, goes into {}: {}", of_type(.found), reach(.found))]
    NoWay {
        /// The number of the step, counted from 1.
        number: usize,
        /// The step as Python writes it.
        step: Box<str>,
        /// The type of the value.
        found: &'static str,
    },
    /// A map that has the key of the field, or one on its path, more than once.
    #[error("a map has the key {key} more than once")]
    RepeatedKey {
        /// The key as Python writes it.
        key: Box<str>,
    },
    /// Bytes that are not a value of the type.
    #[error(transparent)]
    Malformed(#[from] WireError),
}

/// A float without the hundreds of digits of a large one.
fn short(value: f64) -> String {
    if value.abs() < 1e16 { value.to_string() } else { format!("{value:e}") }
}

/// A type of values with its article.
fn of_type(found: &str) -> String {
    match found {
        "integer" | "unknown" => format!("an {found} value"),
        "nil" => "nil".into(),
        _ => format!("a {found}"),
    }
}

/// What a step into a value of the type can be.
fn reach(found: &str) -> &'static str {
    match found {
        "list" => "lists have indexes, which are ints",
        _ => "only maps have keys, and only maps and lists take ints",
    }
}
