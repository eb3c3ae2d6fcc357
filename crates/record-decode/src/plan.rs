//! A schema compiled for one call: which bin fills which field, and how.

use dtype_schema::Schema;

use crate::cell::Cell;
use crate::name::Name;
use crate::number::Fit;

/// What happens to a value that its field cannot hold as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Casting {
    /// Integers wrap, floats round, fractions go, bytes are cut; all but the rounding of floats is counted.
    Unsafe,
    /// Any change of the value, rounding included, is a failure.
    SameValue,
}

impl Casting {
    /// The worst that passes without a count or a failure.
    pub(crate) fn silent(self) -> Fit {
        match self {
            Self::Unsafe => Fit::Rounded,
            Self::SameValue => Fit::Exact,
        }
    }
}

/// A schema compiled for one call. Cheap to share between the tasks that fill its rows.
#[derive(Debug)]
pub struct Plan {
    schema: Schema,
    casting: Casting,
    cells: Box<[Cell]>,
    /// The fields that bins may fill, in the dtype's order.
    wanted: Box<[usize]>,
    /// The same by name, sorted.
    by_name: Box<[(Name, usize)]>,
}

impl Plan {
    /// Compiles `schema`. `bins` narrows it: a field that is not in the list is never filled (it is zero
    /// and not present); names in the list that are no fields do nothing.
    #[must_use]
    pub fn new(schema: Schema, casting: Casting, bins: Option<&[&str]>) -> Self {
        let cells = schema.fields().iter().map(Cell::new).collect();
        let is_wanted = |name: &str| bins.is_none_or(|bins| bins.contains(&name));
        let names = || schema.fields().iter().map(dtype_schema::Field::name).enumerate();
        let wanted: Box<[usize]> =
            names().filter(|&(_, name)| is_wanted(name)).map(|(field, _)| field).collect();
        let mut by_name: Vec<(Name, usize)> = names()
            .filter(|&(_, name)| is_wanted(name))
            .filter_map(|(field, name)| Some((Name::new(name.as_bytes())?, field)))
            .collect();
        by_name.sort_unstable();
        Self { casting, cells, wanted, by_name: by_name.into(), schema }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What happens to values that do not fit.
    #[must_use]
    pub fn casting(&self) -> Casting {
        self.casting
    }

    /// The bins to ask the server for, in the dtype's order.
    pub fn bin_names(&self) -> impl Iterator<Item = &str> {
        self.wanted.iter().filter_map(|&field| self.schema.fields().get(field)).map(dtype_schema::Field::name)
    }

    /// Bytes of one row's presence bits, see [`Summary::presence`](crate::Summary::presence).
    #[must_use]
    pub fn presence_bytes(&self) -> usize {
        self.cells.len().div_ceil(8)
    }

    /// The fields that bins may fill, in the dtype's order.
    pub(crate) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    pub(crate) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The order in which a server that was asked for [`Plan::bin_names`] answers.
    pub(crate) fn expected_order(&self) -> Vec<(Name, usize)> {
        let mut order = self.by_name.to_vec();
        order.sort_unstable_by_key(|&(_, field)| field);
        order
    }

    /// The field that the bin of that name fills.
    pub(crate) fn field_of(&self, name: Name) -> Option<usize> {
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
            assert_eq!(plan.field_of(Name::new(name.as_bytes()).unwrap()), Some(field));
        }
        assert_eq!(plan.field_of(Name::new(b"c").unwrap()), None);

        let some = Plan::new(schema(&names), Casting::SameValue, Some(&["b", "other", "zulu", "b"]));
        assert_eq!(some.bin_names().collect::<Vec<_>>(), ["zulu", "b"]);
        assert_eq!(some.field_of(Name::new(b"a").unwrap()), None);
        assert_eq!(some.field_of(Name::new(b"b").unwrap()), Some(3));

        let none = Plan::new(schema(&names), Casting::Unsafe, Some(&[]));
        assert_eq!(none.bin_names().count(), 0);
    }

    #[test]
    fn plans_are_shared_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Plan>();
    }
}
