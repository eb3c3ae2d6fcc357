//! Which Arrow types are written, and as what.

use arrow_schema::{DataType, Fields, IntervalUnit};
use wire_protocol::msgpack::MAX_DEPTH;
use wire_protocol::particle::particle_type;

use crate::columns::type_name;

/// The longest bin name in bytes of UTF-8.
const MAX_BIN_NAME: usize = 15;

/// Most operations of a row.
const MAX_BINS: usize = 0xffff;

/// A schema that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedSchema {
    /// The column of the keys does not exist.
    #[error("data has no column {key:?} for the primary keys; it has {found}")]
    NoKey {
        /// The name that was given.
        key: Box<str>,
        /// The names of the columns.
        found: Box<str>,
    },
    /// The column of the keys has a type that no key has.
    #[error(
        "column {key:?} is {kind}, and a primary key is an integer, text or binary; convert the column to one"
    )]
    KeyType {
        /// The column's name.
        key: Box<str>,
        /// Its type.
        kind: Box<str>,
    },
    /// A column that is to be written does not exist.
    #[error("bins has {bin:?}, but data has no such column; it has {found}")]
    NoColumn {
        /// The name that was given.
        bin: Box<str>,
        /// The names of the columns.
        found: Box<str>,
    },
    /// Two columns have one name.
    #[error("data has two columns {name:?}; give each column a name of its own")]
    DuplicateName {
        /// The name.
        name: Box<str>,
    },
    /// Two fields of a struct have one name.
    #[error("column {column:?} has a struct with two fields {name:?}; give each field a name of its own")]
    DuplicateField {
        /// The column's name.
        column: Box<str>,
        /// The name of the fields.
        name: Box<str>,
    },
    /// A column without a name.
    #[error("data has a column with an empty name, and a bin needs a name; leave it out with bins=")]
    EmptyName,
    /// A name that is longer than the name of a bin can be.
    #[error(
        "column {name:?} has a name of {length} bytes of UTF-8; a bin name has at most {MAX_BIN_NAME}: rename the \
         column, or leave it out with bins="
    )]
    NameTooLong {
        /// The column's name.
        name: Box<str>,
        /// Its length in bytes.
        length: usize,
    },
    /// The unnamed index of a pandas DataFrame, which becomes a column with a name that is too long.
    #[error(
        "column {name:?} is the index of a pandas DataFrame, and its name is too long for a bin; call \
         reset_index(drop=True) on the frame, give the index a name, or leave the column out with bins="
    )]
    PandasIndex {
        /// The column's name.
        name: Box<str>,
    },
    /// More columns than a row can have operations.
    #[error("data has {count} columns to write; a record is written with at most {MAX_BINS} bins at a time")]
    TooManyColumns {
        /// The number of columns.
        count: usize,
    },
    /// There is no column to write.
    #[error("there is no column to write; name at least one in bins")]
    NoBins,
    /// A type that no bin can hold.
    #[error("column {column:?}{inside} is {kind}, which no bin can hold; {instead}")]
    Unsupported {
        /// The column's name.
        column: Box<str>,
        /// Where in the column the type is: empty, or a text such as `, field "a"`.
        inside: Box<str>,
        /// The type.
        kind: Box<str>,
        /// What to do.
        instead: &'static str,
    },
    /// A map whose keys are of a type that no map in a bin can have.
    #[error(
        "column {column:?}{inside} is a map with keys of {kind}; the server accepts integers, text and binary as map \
         keys: convert them, or write a list of structs"
    )]
    MapKeys {
        /// The column's name.
        column: Box<str>,
        /// Where in the column the map is.
        inside: Box<str>,
        /// The type of the keys.
        kind: Box<str>,
    },
    /// Lists, structs and maps that nest too deeply.
    #[error("column {column:?} nests lists, structs and maps deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// The column's name.
        column: Box<str>,
    },
}

impl RefusedSchema {
    /// Whether the type of a column is refused. Otherwise it is a name, or an argument that names columns.
    #[must_use]
    pub fn is_type_error(&self) -> bool {
        matches!(self, Self::KeyType { .. } | Self::Unsupported { .. } | Self::MapKeys { .. })
    }

    /// Whether the name of the column of keys is refused.
    #[must_use]
    pub fn is_no_key(&self) -> bool {
        matches!(self, Self::NoKey { .. })
    }
}

/// What the values of a column are, as bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// All values are null.
    Null,
    Bool,
    Int,
    Float,
    Text,
    Blob,
    List,
    Map,
}

impl Kind {
    pub(super) fn particle_type(self, bools_as_integers: bool) -> u8 {
        match self {
            Self::Null => particle_type::NIL,
            Self::Bool if bools_as_integers => particle_type::INTEGER,
            Self::Bool => particle_type::BOOL,
            Self::Int => particle_type::INTEGER,
            Self::Float => particle_type::FLOAT,
            Self::Text => particle_type::STRING,
            Self::Blob => particle_type::BLOB,
            Self::List => particle_type::LIST,
            Self::Map => particle_type::MAP,
        }
    }

    /// What the values of a supported type are; `None` for a type that is not supported.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        use DataType as T;
        Some(match data_type {
            T::Null => Self::Null,
            T::Boolean => Self::Bool,
            T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => {
                Self::Int
            }
            T::Timestamp(..) | T::Date32 | T::Date64 | T::Time32(_) | T::Time64(_) | T::Duration(_) => {
                Self::Int
            }
            T::Float16 | T::Float32 | T::Float64 => Self::Float,
            T::Utf8 | T::LargeUtf8 | T::Utf8View => Self::Text,
            T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => Self::Blob,
            T::List(_) | T::LargeList(_) | T::FixedSizeList(..) | T::ListView(_) | T::LargeListView(_) => {
                Self::List
            }
            T::Struct(_) | T::Map(..) => Self::Map,
            T::Dictionary(_, values) => Self::of(values)?,
            T::RunEndEncoded(_, values) => Self::of(values.data_type())?,
            _ => return None,
        })
    }
}

/// Checks a bin's name.
pub(super) fn check_name(name: &str) -> Result<(), RefusedSchema> {
    match name.len() {
        0 => Err(RefusedSchema::EmptyName),
        1..=MAX_BIN_NAME => Ok(()),
        _ if name.starts_with("__index_level_") => Err(RefusedSchema::PandasIndex { name: name.into() }),
        length => Err(RefusedSchema::NameTooLong { name: name.into(), length }),
    }
}

/// Checks the number of columns that are written.
pub(super) fn check_count(count: usize) -> Result<(), RefusedSchema> {
    match count {
        0 => Err(RefusedSchema::NoBins),
        1..=MAX_BINS => Ok(()),
        count => Err(RefusedSchema::TooManyColumns { count }),
    }
}

/// The names of a schema's columns, for messages.
pub(super) fn names_of(fields: &Fields) -> Box<str> {
    const SHOWN: usize = 10;
    if fields.is_empty() {
        return "no columns".into();
    }
    let mut names: Vec<String> =
        fields.iter().take(SHOWN).map(|field| format!("{:?}", field.name())).collect();
    if fields.len() > SHOWN {
        names.push(format!("{} more", fields.len() - SHOWN));
    }
    names.join(", ").into()
}

/// Checks that bins can hold the values of a type. `inside` says where in the column the type is.
pub(super) fn check_type(column: &str, data_type: &DataType) -> Result<Kind, RefusedSchema> {
    check_at(column, "", data_type, 0)
}

fn check_at(column: &str, inside: &str, data_type: &DataType, depth: usize) -> Result<Kind, RefusedSchema> {
    use DataType as T;
    if depth > MAX_DEPTH {
        return Err(RefusedSchema::TooDeep { column: column.into() });
    }
    let item = |field: &DataType| check_at(column, &format!("{inside}, its elements"), field, depth + 1);
    match data_type {
        T::List(field)
        | T::LargeList(field)
        | T::FixedSizeList(field, _)
        | T::ListView(field)
        | T::LargeListView(field) => {
            item(field.data_type())?;
        }
        T::Dictionary(_, values) => return check_at(column, inside, values, depth + 1),
        T::RunEndEncoded(_, values) => return check_at(column, inside, values.data_type(), depth + 1),
        T::Struct(fields) => {
            let mut names = std::collections::HashSet::new();
            for field in fields {
                if !names.insert(field.name()) {
                    let name = field.name().as_str().into();
                    return Err(RefusedSchema::DuplicateField { column: column.into(), name });
                }
                check_at(
                    column,
                    &format!("{inside}, field {:?}", field.name()),
                    field.data_type(),
                    depth + 1,
                )?;
            }
        }
        T::Map(entries, _) => {
            let T::Struct(fields) = entries.data_type() else {
                return Err(unsupported(column, inside, data_type));
            };
            let [keys, values] = fields.iter().as_slice() else {
                return Err(unsupported(column, inside, data_type));
            };
            let kind = check_at(column, &format!("{inside}, its keys"), keys.data_type(), depth + 1)?;
            if !matches!(kind, Kind::Int | Kind::Text | Kind::Blob) {
                let kind = type_name(keys.data_type()).into();
                return Err(RefusedSchema::MapKeys { column: column.into(), inside: inside.into(), kind });
            }
            check_at(column, &format!("{inside}, its values"), values.data_type(), depth + 1)?;
        }
        _ => {}
    }
    Kind::of(data_type).ok_or_else(|| unsupported(column, inside, data_type))
}

fn unsupported(column: &str, inside: &str, data_type: &DataType) -> RefusedSchema {
    use DataType as T;
    let instead = match data_type {
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => {
            "cast it to float64, to text, or to an integer of its smallest unit"
        }
        T::Interval(IntervalUnit::DayTime | IntervalUnit::MonthDayNano) => {
            "cast it to a duration, or write its parts as columns of integers"
        }
        T::Interval(IntervalUnit::YearMonth) => "cast it to an integer of months",
        _ => "convert it, or leave it out with bins=",
    };
    RefusedSchema::Unsupported {
        column: column.into(),
        inside: inside.into(),
        kind: type_name(data_type).into(),
        instead,
    }
}
