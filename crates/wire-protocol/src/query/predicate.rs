//! Predicates: which entries of a secondary index a query reads.

use crate::error::WireError;
use crate::message::{Message, field_type, write_field, write_field_parts};
use crate::particle::particle_type;

/// The longest name of an index in bytes.
const MAX_INDEX_NAME: usize = 63;
/// The longest bin name that a predicate can have.
const MAX_BIN_NAME: usize = 15;
/// The longest text or blob that servers compare.
const MAX_VALUE: usize = 2047;
/// The longest GeoJSON text that servers read.
const MAX_GEOJSON: usize = 1024 * 1024 - 1;

/// Which values of a bin an index has entries for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IndexedValues {
    /// The bin's value.
    #[default]
    Whole,
    /// The elements of a list.
    List,
    /// The keys of a map.
    MapKeys,
    /// The values of a map.
    MapValues,
}

impl IndexedValues {
    /// All of them, by their numbers in requests.
    pub const ALL: [Self; 4] = [Self::Whole, Self::List, Self::MapKeys, Self::MapValues];
}

/// The index that a predicate is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PredicateIndex {
    /// The index on a bin, or on what a context leads to.
    Bin {
        /// The bin's name.
        bin: Box<[u8]>,
        /// An encoded context; empty for the bin itself.
        context: Box<[u8]>,
    },
    /// The index of this name.
    Name(Box<[u8]>),
    /// The index on this encoded expression.
    Expression(Box<[u8]>),
}

/// The values that a predicate accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueRange {
    /// The integers from the first to the last, both included.
    Integers(i64, i64),
    /// A text.
    Text(Box<[u8]>),
    /// A blob.
    Blob(Box<[u8]>),
    /// GeoJSON text: the points in a region, or the regions around a point.
    GeoJson(Box<[u8]>),
}

/// Which entries of a secondary index a query reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predicate {
    /// The index.
    pub index: PredicateIndex,
    /// Which values the index has entries for.
    pub values: IndexedValues,
    /// The values to find.
    pub range: ValueRange,
}

impl Predicate {
    /// Whether a record may have several entries that the predicate accepts. Servers return such a record repeatedly,
    /// unless its entries are close to each other. (The entries of a region have no point in common.)
    #[must_use]
    pub fn may_repeat_records(&self) -> bool {
        let accepts_several = match self.range {
            ValueRange::Integers(first, last) => first != last,
            ValueRange::Text(_) | ValueRange::Blob(_) => false,
            ValueRange::GeoJson(_) => true,
        };
        accepts_several && self.values != IndexedValues::Whole
    }

    /// The position of an index value in the order in which servers return records: ascending, as signed integers or,
    /// for geographic indexes, as unsigned ones.
    #[must_use]
    pub fn order_of(&self, index_value: i64) -> u64 {
        if self.is_geo() { index_value as u64 } else { (index_value as u64) ^ (1 << 63) }
    }

    fn is_geo(&self) -> bool {
        matches!(self.range, ValueRange::GeoJson(_))
    }

    /// The number of fields that [`Predicate::write`] writes.
    pub(super) fn n_fields(&self) -> u16 {
        let has_target = match &self.index {
            PredicateIndex::Bin { context, .. } => !context.is_empty(),
            PredicateIndex::Name(_) | PredicateIndex::Expression(_) => true,
        };
        1 + u16::from(self.values != IndexedValues::Whole) + u16::from(has_target)
    }

    /// Fails if servers refuse the predicate.
    ///
    /// # Errors
    /// Names and values that are too long or empty; a range whose end is before its begin.
    pub fn check(&self) -> Result<(), WireError> {
        let too_large = |what, size, limit| Err(WireError::TooLarge { what, size, limit });
        match &self.index {
            PredicateIndex::Bin { bin, .. } if bin.is_empty() => {
                return Err(WireError::malformed("predicate", "it has no bin"));
            }
            PredicateIndex::Bin { bin, .. } if bin.len() > MAX_BIN_NAME => {
                return too_large("the bin name of a predicate", bin.len(), MAX_BIN_NAME);
            }
            PredicateIndex::Name(name) if name.is_empty() => {
                return Err(WireError::malformed("predicate", "the name of its index is empty"));
            }
            PredicateIndex::Name(name) if name.len() > MAX_INDEX_NAME => {
                return too_large("the name of an index", name.len(), MAX_INDEX_NAME);
            }
            PredicateIndex::Expression(bytes) if bytes.is_empty() => {
                return Err(WireError::malformed("predicate", "its expression is empty"));
            }
            _ => {}
        }
        match &self.range {
            ValueRange::Integers(first, last) if first > last => {
                Err(WireError::malformed("predicate", "the end of its range is before the begin"))
            }
            ValueRange::Text(value) | ValueRange::Blob(value) if value.len() > MAX_VALUE => {
                too_large("the value of a predicate", value.len(), MAX_VALUE)
            }
            ValueRange::GeoJson(text) if text.is_empty() => {
                Err(WireError::malformed("predicate", "its GeoJSON is empty"))
            }
            ValueRange::GeoJson(text) if text.len() > MAX_GEOJSON => {
                too_large("the GeoJSON of a predicate", text.len(), MAX_GEOJSON)
            }
            _ => Ok(()),
        }
    }

    /// Appends the fields of a predicate that was [checked](Self::check).
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        if self.values != IndexedValues::Whole {
            write_field(out, field_type::INDEX_TYPE, &[self.values as u8]);
        }
        let bin = match &self.index {
            PredicateIndex::Bin { bin, .. } => &**bin,
            _ => &[],
        };
        let integers;
        let (kind, first, last): (u8, &[u8], &[u8]) = match &self.range {
            ValueRange::Integers(first, last) => {
                integers = [first.to_be_bytes(), last.to_be_bytes()];
                (particle_type::INTEGER, &integers[0], &integers[1])
            }
            ValueRange::Text(value) => (particle_type::STRING, value, value),
            ValueRange::Blob(value) => (particle_type::BLOB, value, value),
            ValueRange::GeoJson(value) => (particle_type::GEOJSON, value, value),
        };
        let size = |part: &[u8]| (part.len() as u32).to_be_bytes();
        let (first_size, last_size) = (size(first), size(last));
        // One range; the lengths of names are checked.
        let parts = [&[1, bin.len() as u8], bin, &[kind], &first_size, first, &last_size, last];
        write_field_parts(out, field_type::INDEX_RANGE, &parts);
        match &self.index {
            PredicateIndex::Bin { context, .. } if context.is_empty() => {}
            PredicateIndex::Bin { context, .. } => write_field(out, field_type::INDEX_CONTEXT, context),
            PredicateIndex::Name(name) => write_field(out, field_type::INDEX_NAME, name),
            PredicateIndex::Expression(bytes) => write_field(out, field_type::INDEX_EXPRESSION, bytes),
        }
    }

    /// The predicate of a request; `None` for a query over the primary index.
    ///
    /// # Errors
    /// What servers refuse: a range that ends too early, several ranges, an unknown type, a bin beside the name of an
    /// index, and everything that [`Predicate::check`] refuses.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, WireError> {
        let Some(range) = message.field(field_type::INDEX_RANGE) else { return Ok(None) };
        let wrong = |why| WireError::malformed("predicate", why);
        let (&[count, name_size], rest) = range.split_first_chunk().ok_or(wrong("it ends too early"))?;
        if count != 1 {
            return Err(wrong("it has not one range"));
        }
        let (bin, rest) = rest.split_at_checked(name_size.into()).ok_or(wrong("it ends too early"))?;
        let (&kind, rest) = rest.split_first().ok_or(wrong("it ends too early"))?;
        let (first, rest) = sized(rest)?;
        let range = match kind {
            particle_type::INTEGER => {
                let number = |bytes: &[u8]| {
                    bytes.try_into().map(i64::from_be_bytes).map_err(|_| wrong("an integer has not 8 bytes"))
                };
                ValueRange::Integers(number(first)?, number(sized(rest)?.0)?)
            }
            // What follows is the same value again, which servers ignore.
            particle_type::STRING => ValueRange::Text(first.into()),
            particle_type::BLOB => ValueRange::Blob(first.into()),
            particle_type::GEOJSON => ValueRange::GeoJson(first.into()),
            _ => return Err(wrong("its value has a type that no index has")),
        };
        let name = message.field(field_type::INDEX_NAME);
        let expression = message.field(field_type::INDEX_EXPRESSION);
        let context = message.field(field_type::INDEX_CONTEXT);
        let index = match (name, expression, context) {
            (None, None, context) => {
                if context.is_some_and(<[u8]>::is_empty) {
                    return Err(wrong("its context is empty"));
                }
                PredicateIndex::Bin { bin: bin.into(), context: context.unwrap_or_default().into() }
            }
            _ if !bin.is_empty() => return Err(wrong("it has a bin and another way to its index")),
            (Some(name), None, None) => PredicateIndex::Name(name.into()),
            (None, Some(expression), None) => PredicateIndex::Expression(expression.into()),
            _ => return Err(wrong("it names its index in several ways")),
        };
        let values = match message.field(field_type::INDEX_TYPE) {
            None => IndexedValues::Whole,
            Some(&[number, ..]) => *IndexedValues::ALL
                .get(usize::from(number))
                .ok_or(wrong("the type of its index is unknown"))?,
            Some([]) => return Err(wrong("the type of its index is empty")),
        };
        let predicate = Self { index, values, range };
        predicate.check()?;
        Ok(Some(predicate))
    }
}

/// The bytes behind their size, and the rest.
fn sized(bytes: &[u8]) -> Result<(&[u8], &[u8]), WireError> {
    let wrong = WireError::malformed("predicate", "it ends too early");
    let (size, rest) = bytes.split_first_chunk().ok_or(wrong.clone())?;
    let size = usize::try_from(u32::from_be_bytes(*size)).map_err(|_| wrong.clone())?;
    rest.split_at_checked(size).ok_or(wrong)
}
