//! Types of fields.

use dtype_schema::Kind;

use crate::error::Reason;

/// The type of a field, resolved once so that filling the field is a single jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldType {
    I1,
    I2,
    I4,
    I8,
    U1,
    U2,
    U4,
    U8,
    F2,
    F4,
    F8,
    Bool,
    /// `M8`, `m8`.
    Time,
    /// `S`.
    Bytes,
    /// `V`.
    Void,
    /// A sub-array.
    Array,
}

impl FieldType {
    /// The type of an element.
    pub(super) fn of_element(kind: Kind, itemsize: usize) -> Self {
        // Elements have no other widths; the wildcard stands for the widest.
        match (kind, itemsize) {
            (Kind::Int, 1) => Self::I1,
            (Kind::Int, 2) => Self::I2,
            (Kind::Int, 4) => Self::I4,
            (Kind::Int, _) => Self::I8,
            (Kind::Uint, 1) => Self::U1,
            (Kind::Uint, 2) => Self::U2,
            (Kind::Uint, 4) => Self::U4,
            (Kind::Uint, _) => Self::U8,
            (Kind::Float, 2) => Self::F2,
            (Kind::Float, 4) => Self::F4,
            (Kind::Float, _) => Self::F8,
            (Kind::Bool, _) => Self::Bool,
            (Kind::Datetime | Kind::Timedelta, _) => Self::Time,
            (Kind::Bytes, _) => Self::Bytes,
            (Kind::Void, _) => Self::Void,
        }
    }

    /// The types of values that the field takes, as messages name them.
    pub(super) fn takes(self) -> &'static str {
        match self {
            Self::Bool => "bools and integers",
            Self::Time => "integers",
            Self::Bytes => "strings, blobs and GeoJSON",
            Self::Void => "blobs, strings and HLL",
            Self::Array => "blobs and lists",
            _ => "integers, floats and bools",
        }
    }

    #[cold]
    pub(super) fn refusal(self) -> Reason {
        Reason::TypeNotTaken { takes: self.takes() }
    }
}
