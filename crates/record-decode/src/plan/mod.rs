//! Plans: a schema compiled for one call, with the bin that fills each field and how.
//!
//! Start with [`Plan`]. [`BinOrder`] finds the field of a bin fast, from the order of bins in previous records. Uses
//! the conversion of values; paths into maps and lists belong here.

mod bin_name;
mod bin_order;

use dtype_schema::Schema;

use crate::convert::{Casting, FieldDecoder};

use self::bin_name::BinName;
pub(crate) use self::bin_order::{BinOrder, KEPT_NAMES};

/// A schema compiled for one call, shared by the tasks that fill its rows.
#[derive(Debug)]
pub struct Plan {
    schema: Schema,
    casting: Casting,
    decoders: Box<[FieldDecoder]>,
    /// The fields that bins may fill, in the dtype's order.
    wanted: Box<[usize]>,
    /// The same by name, sorted.
    by_name: Box<[(BinName, usize)]>,
}

impl Plan {
    /// Compiles `schema`. If `bins` is given, fields that are not in it are never filled: they are zero and not
    /// present. Names in it that are not fields are ignored.
    #[must_use]
    pub fn new(schema: Schema, casting: Casting, bins: Option<&[&str]>) -> Self {
        let decoders = schema.fields().iter().map(FieldDecoder::new).collect();
        let is_wanted = |name: &str| bins.is_none_or(|bins| bins.contains(&name));
        let names = || schema.fields().iter().map(dtype_schema::Field::name).enumerate();
        let wanted: Box<[usize]> =
            names().filter(|&(_, name)| is_wanted(name)).map(|(field, _)| field).collect();
        let mut by_name: Vec<(BinName, usize)> = names()
            .filter(|&(_, name)| is_wanted(name))
            .filter_map(|(field, name)| Some((BinName::new(name.as_bytes())?, field)))
            .collect();
        by_name.sort_unstable();
        Self { casting, decoders, wanted, by_name: by_name.into(), schema }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What happens to values that do not fit their fields.
    #[must_use]
    pub fn casting(&self) -> Casting {
        self.casting
    }

    /// The bins to ask the server for, in the dtype's order.
    pub fn bin_names(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().filter_map(|&field| self.schema.fields().get(field)).map(dtype_schema::Field::name)
    }

    /// The size of one row's presence bits: see [`Summary::presence`](crate::Summary::presence).
    #[must_use]
    pub fn presence_bytes(&self) -> usize {
        self.decoders.len().div_ceil(8)
    }

    /// The fields that bins may fill, in the dtype's order.
    pub(crate) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    pub(crate) fn decoders(&self) -> &[FieldDecoder] {
        &self.decoders
    }

    /// The order in which a server sends the bins of [`Plan::bin_names`].
    pub(crate) fn expected_order(&self) -> Vec<(BinName, usize)> {
        let mut order = self.by_name.to_vec();
        order.sort_unstable_by_key(|&(_, field)| field);
        order
    }

    /// The field that the bin with this name fills.
    pub(crate) fn field_of(&self, name: BinName) -> Option<usize> {
        let at = self.by_name.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        self.by_name.get(at).map(|&(_, field)| field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtype_schema::{Element, Field};

    fn schema(names: &[&str]) -> Schema {
        let field = |(i, name): (usize, &&str)| {
            Field::new(name, i * 8, Element::from_numpy(name, 'f', 8, '=').unwrap(), &[]).unwrap()
        };
        Schema::new(names.iter().enumerate().map(field).collect(), names.len() * 8).unwrap()
    }

    #[test]
    fn a_list_of_bins_narrows() {
        let names = ["zulu", "a", "fifteen_bytes_x", "b"];
        let plan = Plan::new(schema(&names), Casting::Unsafe, None);
        assert_eq!(plan.bin_names().collect::<Vec<_>>(), names);
        assert_eq!(plan.casting(), Casting::Unsafe);
        assert_eq!(plan.schema(), &schema(&names));
        for (field, name) in names.iter().enumerate() {
            assert_eq!(plan.field_of(BinName::new(name.as_bytes()).unwrap()), Some(field));
        }
        assert_eq!(plan.field_of(BinName::new(b"c").unwrap()), None);

        let some = Plan::new(schema(&names), Casting::SameValue, Some(&["b", "other", "zulu", "b"]));
        assert_eq!(some.bin_names().collect::<Vec<_>>(), ["zulu", "b"]);
        assert_eq!(some.field_of(BinName::new(b"a").unwrap()), None);
        assert_eq!(some.field_of(BinName::new(b"b").unwrap()), Some(3));

        let none = Plan::new(schema(&names), Casting::Unsafe, Some(&[]));
        assert_eq!(none.bin_names().count(), 0);
    }

    #[test]
    fn plans_are_shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Plan>();
    }
}
