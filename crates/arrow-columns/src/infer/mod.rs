//! Columns inferred from values.
//!
//! Start with [`Inference`]: it observes the values of each bin, and [`Inference::schema`] chooses the types. What the
//! values of one place have in common is an [`Observed`] (`observed`).

mod observed;

use arrow_schema::{DataType, Field, Schema};

use self::observed::Observed;
use crate::value::Value;

/// A bin, or a place inside it, whose values mix types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MixedTypes {
    /// The bin, and the way to the place: `a`, `a[]` for the elements of a list, `a.b` for a key of a map.
    pub place: Box<str>,
    /// The types: name, number of values, and the row of the first one.
    pub types: Vec<(&'static str, u64, usize)>,
}

impl MixedTypes {
    /// The place with its types. `row_name` names the row of the first value of each type.
    pub fn describe(&self, row_name: &dyn Fn(usize) -> String) -> String {
        let described = |&(name, count, row): &(&'static str, u64, usize)| {
            format!("{count} {name}, such as {}", row_name(row))
        };
        let types: Vec<String> = self.types.iter().map(described).collect();
        format!("'{}' ({})", self.place, types.join("; "))
    }
}

/// The values of bins, observed to infer their columns.
#[derive(Debug)]
pub(crate) struct Inference {
    /// By the number of the bin.
    bins: Vec<Observed>,
}

impl Inference {
    pub(crate) fn new(bins: usize) -> Self {
        Self { bins: (0..bins).map(|_| Observed::default()).collect() }
    }

    /// Takes note of a bin's value. A malformed one is left to its column, which refuses it.
    pub(crate) fn observe(&mut self, bin: usize, row: usize, kind: u8, bytes: &[u8]) {
        if let Some(observed) = self.bins.get_mut(bin)
            && let Ok(value) = Value::of_particle(kind, bytes)
        {
            observed.add(value, row);
        }
    }

    /// The columns of the bins with these names, in the order of their numbers. A bin without a value has none.
    ///
    /// # Errors
    /// Bins that mix types.
    pub(crate) fn schema(self, names: &[Box<[u8]>]) -> Result<Schema, Vec<MixedTypes>> {
        let (mut fields, mut mixed) = (Vec::new(), Vec::new());
        for (observed, name) in self.bins.iter().zip(names) {
            let name = String::from_utf8_lossy(name);
            match observed.data_type(&name, &mut mixed) {
                Some(DataType::Null) | None => {}
                Some(kind) => fields.push(Field::new(name, kind, true)),
            }
        }
        if mixed.is_empty() { Ok(Schema::new(fields)) } else { Err(mixed) }
    }
}
