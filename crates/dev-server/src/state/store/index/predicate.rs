//! What queries look for in an index.

use record_ops::geo::{CellRange, Shape};

use crate::state::store::index::definition::ValueType;
use crate::state::store::index::values::{Key, Value};

/// What a query looks for.
#[derive(Clone, Debug)]
pub(crate) enum Predicate {
    /// Integers from the first to the last.
    Range(i64, i64),
    /// A text.
    Text(Box<[u8]>),
    Blob(Box<[u8]>),
    /// Points in this region, or regions that contain this point; and the cells of those that may be.
    Geo(Box<Shape>, Vec<CellRange>),
}

/// Keys from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) first: Key,
    pub(crate) last: Key,
}

impl KeyRange {
    fn one(key: Key) -> Self {
        Self { first: key, last: key }
    }
}

impl Predicate {
    /// A predicate about GeoJSON. `None`: the text is not valid.
    pub(crate) fn geo(text: &[u8]) -> Option<Self> {
        let shape = Shape::parse(text)?;
        let candidates = shape.candidates();
        Some(Self::Geo(Box::new(shape), candidates))
    }

    pub(crate) fn kind(&self) -> ValueType {
        match self {
            Self::Range(..) => ValueType::Numeric,
            Self::Text(_) => ValueType::String,
            Self::Blob(_) => ValueType::Blob,
            Self::Geo(..) => ValueType::Geo,
        }
    }

    /// The keys of values that may match, in ascending order.
    pub(crate) fn ranges(&self) -> Vec<KeyRange> {
        match self {
            Self::Range(first, last) => {
                vec![KeyRange { first: Key::of_number(*first), last: Key::of_number(*last) }]
            }
            Self::Text(bytes) | Self::Blob(bytes) => vec![KeyRange::one(Key::of_bytes(bytes))],
            Self::Geo(_, cells) => cells
                .iter()
                .map(|cells| KeyRange { first: Key::of_cell(cells.first), last: Key::of_cell(cells.last) })
                .collect(),
        }
    }

    /// Whether several entries of one record may be in the ranges.
    pub(crate) fn is_range(&self) -> bool {
        match self {
            Self::Range(first, last) => first != last,
            Self::Text(_) | Self::Blob(_) => false,
            Self::Geo(..) => true,
        }
    }

    pub(crate) fn matches(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Range(first, last), Value::Number(number)) => (*first..=*last).contains(&number),
            (Self::Text(wanted) | Self::Blob(wanted), Value::Bytes(bytes)) => **wanted == *bytes,
            (Self::Geo(shape, _), Value::Geo { text, .. }) => {
                Shape::parse(text).is_some_and(|other| shape.matches(&other))
            }
            _ => false,
        }
    }
}
