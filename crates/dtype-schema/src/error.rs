//! Errors of dtypes that cannot be read into.

/// Why a dtype is refused, with the details. [`SchemaError::is_type_error`] tells whether Python raises `TypeError` or
/// `ValueError`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// The dtype has no named fields.
    #[error(
        "the dtype has no named fields; use a structured dtype such as np.dtype([(\"bin\", \"f8\")]), \
         one field for each bin"
    )]
    NoFields,
    /// The element is of a kind that no bin can fill.
    #[error("field '{field}' is {what}, which no bin can be read into; use {instead}")]
    UnsupportedElement {
        /// The field's name.
        field: Box<str>,
        /// What the element is.
        what: &'static str,
        /// What to use instead.
        instead: &'static str,
    },
    /// The field is a nested struct, which is not written.
    #[error(
        "field '{field}' is a nested struct, which can be read but not written; use one field for each bin, \
         or V<n> for raw bytes"
    )]
    NestedStruct {
        /// The field's name.
        field: Box<str>,
    },
    /// The field is a sub-array of structs.
    #[error(
        "field '{field}' is a sub-array of structs; a struct takes one map: use a field for each element of the list, \
         with paths"
    )]
    StructSubarray {
        /// The field's name.
        field: Box<str>,
    },
    /// The field is a struct without fields.
    #[error("field '{field}' is a struct without fields; give it a field for each key, or remove it")]
    EmptyStruct {
        /// The field's name.
        field: Box<str>,
    },
    /// The field is a struct in which structs nest too deeply.
    #[error("field '{field}' has structs in it that nest deeper than 16 levels; read inner ones with paths")]
    TooDeep {
        /// The field's name.
        field: Box<str>,
    },
    /// The field has zero width.
    #[error("field '{field}' has no width; give it one, such as {kind}16")]
    ZeroWidth {
        /// The field's name.
        field: Box<str>,
        /// The field's kind.
        kind: char,
    },
    /// The field is a sub-array without elements.
    #[error(
        "field '{field}' is a sub-array of shape {shape:?}, which has no elements; give each dimension at least 1"
    )]
    EmptySubarray {
        /// The field's name.
        field: Box<str>,
        /// The field's shape.
        shape: Box<[usize]>,
    },
    /// The field is a sub-array of bytes or times.
    #[error(
        "field '{field}' is a sub-array of {element}; sub-arrays hold integers, floats or bools, \
         use V<n> for raw bytes"
    )]
    UnsupportedSubarray {
        /// The field's name.
        field: Box<str>,
        /// The element's name.
        element: String,
    },
    /// The name is longer than bin names can be.
    #[error(
        "field name '{field}' has {length} bytes of UTF-8, but bin names have at most 15; \
         give the field the name of its bin, or say in paths where its values come from"
    )]
    NameTooLong {
        /// The field's name.
        field: Box<str>,
        /// The length of the name in bytes.
        length: usize,
    },
    /// Two fields overlap.
    #[error("fields '{first}' and '{second}' overlap; give each field bytes of its own")]
    Overlap {
        /// The field that starts first.
        first: Box<str>,
        /// The field that starts inside it.
        second: Box<str>,
    },
    /// Two fields have the same name.
    #[error("there are two fields named '{field}'; give each field a name of its own")]
    DuplicateName {
        /// The name.
        field: Box<str>,
    },
    /// The field extends beyond the struct that it is in.
    #[error("field '{field}' ends at byte {end} of '{parent}', beyond its {itemsize}")]
    OutOfStruct {
        /// The field's name.
        field: Box<str>,
        /// The offset of the first byte after the field, from the start of the struct.
        end: usize,
        /// The struct's name.
        parent: Box<str>,
        /// The size of the struct.
        itemsize: usize,
    },
    /// The field extends beyond the row.
    #[error("field '{field}' ends at byte {end}, beyond the row's {itemsize}")]
    OutOfRow {
        /// The field's name.
        field: Box<str>,
        /// The offset of the first byte after the field.
        end: usize,
        /// The size of the row.
        itemsize: usize,
    },
}

impl SchemaError {
    /// Whether Python raises `TypeError` (an unsupported kind of field) rather than `ValueError` (supported fields in
    /// an impossible combination).
    #[must_use]
    pub fn is_type_error(&self) -> bool {
        !matches!(
            self,
            Self::NameTooLong { .. }
                | Self::Overlap { .. }
                | Self::DuplicateName { .. }
                | Self::OutOfRow { .. }
                | Self::OutOfStruct { .. }
        )
    }
}
