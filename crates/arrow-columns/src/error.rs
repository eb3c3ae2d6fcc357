//! Why a value does not fit its column, and why a schema is refused.

use record_decode::Reason;
use wire_protocol::WireError;

/// Why a value could not be converted to its column. Its text completes a sentence such as "bin 'a' (string) into
/// column 'a' (int64): ...".
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// As for the fields of rows.
    #[error(transparent)]
    Value(#[from] Reason),
    /// The column does not take values of this type.
    #[error("the column takes {takes}")]
    TypeNotTaken {
        /// The types that the column takes.
        takes: &'static str,
    },
    /// Bytes that are not UTF-8, for text.
    #[error("its bytes are not UTF-8 at position {at}; read it into a binary column")]
    NotText {
        /// The position of the first byte that is not.
        at: usize,
    },
    /// Bytes of another length than the column's.
    #[error("it has {found} bytes, and the column exactly {expected}")]
    Width {
        /// The bytes of a value of the column.
        expected: usize,
        /// The bytes of the value.
        found: usize,
    },
    /// A list of another length than the column's.
    #[error("the list has {found} elements, and the column's lists exactly {expected}")]
    ListLength {
        /// The elements of a list of the column.
        expected: usize,
        /// The elements of the list.
        found: usize,
    },
    /// An integer that is no count of the column's time type.
    #[error("{value} is outside the range of the column")]
    TimeRange {
        /// The integer.
        value: i64,
    },
    /// More different values than the indices of a dictionary can count.
    #[error(
        "the dictionary of the column has {most} values already, which its indices can count; use a wider index type"
    )]
    DictionaryFull {
        /// The number of values.
        most: usize,
    },
    /// A map with a key that is nil.
    #[error("the map has nil as a key")]
    NilKey,
    /// A bin that was in no record from which the columns were inferred.
    #[error(
        "the bin was in none of the records from which the columns were inferred; pass a schema that has it"
    )]
    NotInferred,
    /// A primary key of another type than those before.
    #[error("{why}")]
    KeyType {
        /// The types.
        why: Box<str>,
    },
    /// Lists of nil elements that would take much more memory than the answer.
    #[error("its nil elements would take more than {most} bytes in columns of this width")]
    TooManyNulls {
        /// How many bytes they may take.
        most: usize,
    },
    /// There is no memory for it.
    #[error("there is not enough memory for it")]
    NoMemory,
    /// An element of a list that does not fit.
    #[error("element {index} ({found}): {misfit}")]
    Element {
        /// The index of the element.
        index: usize,
        /// Its type.
        found: &'static str,
        /// Why it does not fit.
        misfit: Box<Misfit>,
    },
    /// A key or value of a map, or a field of a struct inside a list or map, that does not fit.
    #[error("{part} ({found}): {misfit}")]
    Inside {
        /// Which part of the value.
        part: Box<str>,
        /// Its type.
        found: &'static str,
        /// Why it does not fit.
        misfit: Box<Misfit>,
    },
}

impl Misfit {
    /// Whether there was no memory for the value or a part of it.
    #[must_use]
    pub fn is_no_memory(&self) -> bool {
        match self {
            Self::NoMemory => true,
            Self::Element { misfit, .. } | Self::Inside { misfit, .. } => misfit.is_no_memory(),
            _ => false,
        }
    }
}

impl From<WireError> for Misfit {
    fn from(error: WireError) -> Self {
        Self::Value(Reason::Malformed(error))
    }
}

/// Why a schema is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// There is no column.
    #[error("the schema has no columns; name at least one bin, or pass None to infer the columns")]
    NoColumns,
    /// Two columns, or two fields of a struct, with one name.
    #[error("the schema has the name '{name}' twice; names must differ")]
    Repeated {
        /// The name.
        name: Box<str>,
    },
    /// A type that no value of a bin fits.
    #[error("column '{name}' is of the type {kind}, which no bin fits; {advice}")]
    Unsupported {
        /// The column, with the names of structs around it.
        name: Box<str>,
        /// Its type.
        kind: Box<str>,
        /// What to use instead.
        advice: &'static str,
    },
    /// A type name that does not say a type.
    #[error(
        "column '{name}': '{text}' is no type ({why}); types are written like \"int64\", \"list<float32>\", \
        \"timestamp[ms]\", \"struct<a: int64, b: utf8>\""
    )]
    Unreadable {
        /// The column.
        name: Box<str>,
        /// The text.
        text: Box<str>,
        /// What is wrong.
        why: Box<str>,
    },
    /// A column name that no bin can have.
    #[error(
        "column '{name}' has {length} bytes of UTF-8 in its name, and names of bins at most 15; \
        give it a path with `paths`"
    )]
    BinNameTooLong {
        /// The column.
        name: Box<str>,
        /// The bytes of the name.
        length: usize,
    },
    /// Types that nest too deeply.
    #[error("column '{name}' nests more than {most} types; read the inner value with `paths`")]
    TooDeep {
        /// The column.
        name: Box<str>,
        /// How many there may be.
        most: usize,
    },
    /// Paths that do not fit the schema.
    #[error(transparent)]
    Path(#[from] record_decode::PathError),
}
