//! What the values of one place have in common.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields};
use record_decode::Number;

use super::MixedTypes;
use crate::schema::map_of;
use crate::value::{Items, Value};

/// The most keys of maps that become fields of a struct.
const MOST_KEYS: usize = 64;

/// The types that are told apart.
const TYPES: [&str; 9] =
    ["integer", "float", "bool", "string", "blob", "HLL", "list", "map", "value of an unknown type"];
const INT: usize = 0;
const FLOAT: usize = 1;
const BOOL: usize = 2;
const TEXT: usize = 3;
const BLOB: usize = 4;
const HLL: usize = 5;
const LIST: usize = 6;
const MAP: usize = 7;
const OTHER: usize = 8;

/// The values of a bin, of the elements of its lists, or of a key of its maps.
#[derive(Debug, Default)]
pub(super) struct Observed {
    /// The number of values of each type, and the row of the first one.
    types: [(u64, usize); TYPES.len()],
    /// An integer above `i64::MAX`, and a negative one.
    has_large: bool,
    has_negative: bool,
    /// An integer that no double holds exactly.
    has_inexact: bool,
    elements: Option<Box<Observed>>,
    maps: Option<Box<Maps>>,
}

/// What maps of one place have in common.
#[derive(Debug, Default)]
struct Maps {
    /// By key, in the order in which they came; `None` once there is another key, or more than [`MOST_KEYS`].
    fields: Option<Vec<(Box<str>, Observed)>>,
    by_key: HashMap<Box<str>, usize>,
    keys: Observed,
    values: Observed,
}

impl Observed {
    /// Takes note of a value. Recurses as deep as lists and maps nest, which reading them bounds.
    pub(super) fn add(&mut self, value: Value<'_>, row: usize) {
        let kind = match value {
            Value::Nil => return,
            Value::Number(number) => self.number(number),
            Value::Str(_) | Value::GeoJson(_) => TEXT,
            Value::Blob(_) => BLOB,
            Value::Hll(_) => HLL,
            Value::List(items) => {
                self.list(items, row);
                LIST
            }
            Value::Map(items) => {
                self.maps.get_or_insert_with(|| Box::new(Maps::new())).add(items, row);
                MAP
            }
            Value::Other(_) => OTHER,
        };
        if let Some((count, first)) = self.types.get_mut(kind) {
            if *count == 0 {
                *first = row;
            }
            *count += 1;
        }
    }

    fn number(&mut self, number: Number) -> usize {
        match number {
            Number::Int(value) => {
                self.has_negative |= value < 0;
                self.has_inexact |= !is_exact(value.unsigned_abs());
                INT
            }
            Number::Uint(value) => {
                self.has_large = true;
                self.has_inexact |= !is_exact(value);
                INT
            }
            Number::Float(_) => FLOAT,
            Number::Bool(_) => BOOL,
        }
    }

    fn list(&mut self, mut items: Items<'_>, row: usize) {
        let elements = self.elements.get_or_insert_with(Box::default);
        let mut left = items.len();
        while left > 0 {
            let doubles = items.doubles(left).len();
            if doubles > 0 {
                elements.doubles(doubles as u64, row);
                left -= doubles;
                continue;
            }
            // The column refuses the rest of a malformed list.
            let Ok(value) = items.next() else { return };
            elements.add(value, row);
            left -= 1;
        }
    }

    fn doubles(&mut self, more: u64, row: usize) {
        if let Some((count, first)) = self.types.get_mut(FLOAT) {
            if *count == 0 {
                *first = row;
            }
            *count += more;
        }
    }

    /// Adds what was observed elsewhere.
    fn merge(&mut self, other: Self) {
        for ((count, first), (more, row)) in self.types.iter_mut().zip(other.types) {
            *first = match (*count, more) {
                (0, _) => row,
                (_, 0) => *first,
                _ => row.min(*first),
            };
            *count += more;
        }
        self.has_large |= other.has_large;
        self.has_negative |= other.has_negative;
        self.has_inexact |= other.has_inexact;
        match (&mut self.elements, other.elements) {
            (Some(elements), Some(more)) => elements.merge(*more),
            (elements @ None, more) => *elements = more,
            _ => {}
        }
        match (&mut self.maps, other.maps) {
            (Some(maps), Some(more)) => maps.merge(*more),
            (maps @ None, more) => *maps = more,
            _ => {}
        }
    }

    fn count(&self, kind: usize) -> u64 {
        self.types.get(kind).map_or(0, |&(count, _)| count)
    }

    /// The type that holds all values; `Null` if there is none, and `None` if they mix types: then `mixed` says so.
    pub(super) fn data_type(&self, place: &str, mixed: &mut Vec<MixedTypes>) -> Option<DataType> {
        let found: Vec<usize> = (0..TYPES.len()).filter(|&kind| self.count(kind) > 0).collect();
        match *found {
            [] => Some(DataType::Null),
            [INT] if !self.has_large => Some(DataType::Int64),
            [INT] if !self.has_negative => Some(DataType::UInt64),
            [FLOAT] => Some(DataType::Float64),
            [INT, FLOAT] if !self.has_inexact => Some(DataType::Float64),
            [BOOL] => Some(DataType::Boolean),
            [TEXT] => Some(DataType::Utf8),
            [BLOB] | [HLL] | [BLOB, HLL] => Some(DataType::Binary),
            [LIST] => {
                let elements = self.elements.as_deref()?;
                let item = or_text(elements.data_type(&format!("{place}[]"), mixed)?);
                Some(DataType::List(Arc::new(Field::new_list_field(item, true))))
            }
            [MAP] => self.maps.as_deref()?.data_type(place, mixed),
            _ => {
                let described = |kind: usize| {
                    let (count, first) = self.types.get(kind).copied()?;
                    Some((self.described(kind), count, first))
                };
                mixed.push(MixedTypes {
                    place: place.into(),
                    types: found.into_iter().filter_map(described).collect(),
                });
                None
            }
        }
    }

    /// A type as an error names it.
    fn described(&self, kind: usize) -> &'static str {
        match kind {
            INT if self.has_large && self.has_negative => "integer below 0 or from 2**63",
            INT if self.has_inexact => "integer, some of which no float64 holds exactly",
            kind => TYPES.get(kind).copied().unwrap_or("value"),
        }
    }
}

/// The type of values of which there is none: any would do.
fn or_text(kind: DataType) -> DataType {
    if kind == DataType::Null { DataType::Utf8 } else { kind }
}

fn is_exact(magnitude: u64) -> bool {
    magnitude >> f64::MANTISSA_DIGITS == 0
        || u64::BITS - magnitude.leading_zeros() - magnitude.trailing_zeros() <= f64::MANTISSA_DIGITS
}

impl Maps {
    fn new() -> Self {
        Self { fields: Some(Vec::new()), ..Self::default() }
    }

    fn add(&mut self, mut items: Items<'_>, row: usize) {
        for _ in 0..items.len() {
            let (Ok(key), Ok(value)) = (items.next(), items.next()) else { return };
            let text = match &key {
                Value::Str(bytes) => std::str::from_utf8(bytes).ok(),
                _ => None,
            };
            // Each value is observed in one place, so that the work does not double with each level.
            match text.and_then(|text| self.field(text)) {
                Some(field) => field.add(value, row),
                None => {
                    self.drop_fields();
                    self.values.add(value, row);
                }
            }
            self.keys.add(key, row);
        }
    }

    /// What is known of a key; `None` if there are no fields, or too many.
    fn field(&mut self, key: &str) -> Option<&mut Observed> {
        let fields = self.fields.as_mut()?;
        let at = match self.by_key.get(key) {
            Some(&at) => at,
            None if fields.len() < MOST_KEYS => {
                fields.push((key.into(), Observed::default()));
                self.by_key.insert(key.into(), fields.len() - 1);
                fields.len() - 1
            }
            None => return None,
        };
        fields.get_mut(at).map(|(_, observed)| observed)
    }

    /// From now on these are maps with any keys: what is known of each key is added up.
    fn drop_fields(&mut self) {
        self.by_key = HashMap::new();
        for (_, observed) in self.fields.take().into_iter().flatten() {
            self.values.merge(observed);
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.keys.merge(std::mem::take(&mut other.keys));
        match other.fields.take() {
            Some(fields) if self.fields.is_some() => {
                for (key, observed) in fields {
                    match self.field(&key) {
                        Some(field) => field.merge(observed),
                        None => {
                            self.drop_fields();
                            self.values.merge(observed);
                        }
                    }
                }
            }
            fields => {
                self.drop_fields();
                for (_, observed) in fields.into_iter().flatten() {
                    self.values.merge(observed);
                }
            }
        }
        self.values.merge(other.values);
    }

    fn data_type(&self, place: &str, mixed: &mut Vec<MixedTypes>) -> Option<DataType> {
        match self.fields.as_deref() {
            // Maps without a key; a struct without fields is no type that others take.
            Some([]) => Some(map_of(DataType::Utf8, DataType::Utf8)),
            Some(fields) => {
                let field = |(key, observed): &(Box<str>, Observed)| {
                    let kind = or_text(observed.data_type(&format!("{place}.{key}"), mixed)?);
                    Some(Field::new(&**key, kind, true))
                };
                let fields: Vec<Option<Field>> = fields.iter().map(field).collect();
                let fields = fields.into_iter().collect::<Option<Vec<Field>>>()?;
                Some(DataType::Struct(Fields::from(fields)))
            }
            None => {
                let key = self.keys.data_type(&format!("{place} (keys)"), mixed);
                let value = self.values.data_type(&format!("{place} (values)"), mixed);
                Some(map_of(or_text(key?), or_text(value?)))
            }
        }
    }
}
