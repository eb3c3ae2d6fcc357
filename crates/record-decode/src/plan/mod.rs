//! Plans: a schema compiled for one call, with the bin that fills each field and how.
//!
//! Start with [`Plan`]. A field comes from the bin of its name, or from where its [`Path`] says. A bin that fills one
//! field with its own value is a leaf; for others, a [`Tree`] says which values inside it fill which fields.
//! A [`Projection`] has the server pick the values. [`BinOrder`] finds the field of a bin fast, from the order of bins in previous records. Uses the conversion of
//! values; how trees are walked is in `nested`.

mod bin_name;
mod bin_order;
mod path;
mod projection;
mod tree;

use std::ops::Range;

use dtype_schema::{Field, MAX_BIN_NAME, Schema};
use wire_protocol::msgpack::MAX_DEPTH;

use crate::convert::{Casting, FieldDecoder};

use self::bin_name::BinName;
pub(crate) use self::bin_order::{BinOrder, KEPT_NAMES};
pub use self::path::{Path, PathError, Step};
pub use self::projection::{Container, Projection, find_containers};
use self::tree::{Names, TreeBuilder};
pub(crate) use self::tree::{Node, Target, Tree};

/// A schema compiled for one call, shared by the tasks that fill its rows.
///
/// Fields are numbered by leaf, as [`Schema::leaves`] lists them. Without structs, leaves are the fields.
#[derive(Debug)]
pub struct Plan {
    schema: Schema,
    casting: Casting,
    /// One per leaf.
    decoders: Box<[FieldDecoder]>,
    /// Whether fields without a value are not zero.
    has_empty: bool,
    /// The leaves of each field.
    fields: Box<[Range<usize>]>,
    /// Where each field comes from, unless that is the bin of its name.
    paths: Box<[Option<Path>]>,
    /// The leaves that bins may fill, in the dtype's order.
    wanted: Box<[usize]>,
    /// The names of fields at all levels.
    names: Names,
    /// The bins to ask for, in the order of the fields, and what they fill: a leaf; or, above the number of leaves, a
    /// tree.
    bins: Box<[(Box<str>, usize)]>,
    trees: Box<[Tree]>,
    /// The number of nodes of all trees.
    tree_nodes: usize,
    /// What bins fill by name, sorted.
    by_name: Box<[(BinName, usize)]>,
}

impl Plan {
    /// Compiles `schema`: each field comes from the bin of its name. If `bins` is given, fields that are not in it are
    /// never filled: they are zero and not present. Names in it that are not fields are ignored. Fields whose names are
    /// too long for bins are never filled either; [`Schema::check_bin_names`] finds them.
    #[must_use]
    pub fn new(schema: Schema, casting: Casting, bins: Option<&[&str]>) -> Self {
        let paths = vec![None; schema.fields().len()];
        Self::compile(schema, casting, bins, paths)
    }

    /// Compiles `schema` like [`Plan::new`], except that the fields with these names come from where their paths say.
    /// `bins` compares with the bins of the paths.
    ///
    /// # Errors
    /// A path for a field that does not exist, or a second one for a field; a bin name that is too long, in a path or
    /// of a field without one; a path with more steps than values nest.
    pub fn with_paths(
        schema: Schema,
        casting: Casting,
        bins: Option<&[&str]>,
        paths: Vec<(&str, Path)>,
    ) -> Result<Self, PathError> {
        let mut of_fields = vec![None; schema.fields().len()];
        for (name, path) in paths {
            let field = || Box::from(name);
            let Some(place) = schema.position(name).and_then(|at| of_fields.get_mut(at)) else {
                return Err(PathError::UnknownField { field: field() });
            };
            if place.is_some() {
                return Err(PathError::Repeated { field: field() });
            }
            if path.bin.len() > MAX_BIN_NAME {
                let length = path.bin.len();
                return Err(PathError::BinNameTooLong { field: field(), bin: path.bin, length });
            }
            if path.steps.len() > MAX_DEPTH {
                return Err(PathError::TooLong { field: field(), steps: path.steps.len(), most: MAX_DEPTH });
            }
            *place = Some(path);
        }
        let has_path = |name: &str| {
            schema.position(name).is_some_and(|at| of_fields.get(at).is_some_and(Option::is_some))
        };
        schema.check_bin_names(|name| !has_path(name))?;
        Ok(Self::compile(schema, casting, bins, of_fields))
    }

    fn compile(schema: Schema, casting: Casting, bins: Option<&[&str]>, paths: Vec<Option<Path>>) -> Self {
        let leaves = schema.leaves();
        let mut names = Names::new(leaves.iter().map(|leaf| leaf.name().into()));
        let fields = leaves_of_fields(schema.fields());
        let mut wanted = Vec::new();
        // The bins in the order of their first fields, with their fields.
        let mut sources: Vec<(&str, TreeBuilder)> = Vec::new();
        for ((field, leaves), path) in schema.fields().iter().zip(&fields).zip(&paths) {
            let (bin, steps) = match path {
                Some(path) => (&*path.bin, &*path.steps),
                None => (field.name(), Default::default()),
            };
            if bin.len() > MAX_BIN_NAME || bins.is_some_and(|bins| !bins.contains(&bin)) {
                continue;
            }
            wanted.extend(leaves.clone());
            // Fields of one bin mostly follow each other.
            let at = sources.iter().rposition(|&(name, _)| name == bin).unwrap_or_else(|| {
                sources.push((bin, TreeBuilder::new()));
                sources.len() - 1
            });
            if let Some((_, builder)) = sources.get_mut(at) {
                builder.add(field, leaves.start, steps, &mut names);
            }
        }
        let (mut trees, mut tree_nodes) = (Vec::new(), 0);
        let mut asked = Vec::with_capacity(sources.len());
        for (bin, builder) in sources {
            let fills = builder.only_leaf().unwrap_or_else(|| {
                let tree = builder.finish(tree_nodes);
                tree_nodes += tree.len();
                trees.push(tree);
                leaves.len() + trees.len() - 1
            });
            asked.push((Box::from(bin), fills));
        }
        let mut by_name: Vec<_> = asked
            .iter()
            .filter_map(|(bin, fills): &(Box<str>, usize)| Some((BinName::new(bin.as_bytes())?, *fills)))
            .collect();
        by_name.sort_unstable();
        Self {
            casting,
            decoders: leaves.iter().map(FieldDecoder::new).collect(),
            has_empty: false,
            fields: fields.into(),
            paths: paths.into(),
            wanted: wanted.into(),
            names,
            bins: asked.into(),
            trees: trees.into(),
            tree_nodes,
            by_name: by_name.into(),
            schema,
        }
    }

    /// The same plan, with these bytes instead of zeros in fields that have no value. Fields of another size stay zero.
    #[must_use]
    pub fn with_empty(mut self, bytes: &[u8]) -> Self {
        self.has_empty = bytes.iter().any(|&byte| byte != 0);
        if self.has_empty {
            self.decoders.iter_mut().for_each(|decoder| decoder.set_empty(bytes));
        }
        self
    }

    /// Whether fields without a value are not zero.
    pub(crate) fn has_empty(&self) -> bool {
        self.has_empty
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

    /// The bins to ask the server for, in the order of the fields that they fill.
    pub fn bin_names(&self) -> impl Iterator<Item = &str> {
        self.bins.iter().map(|(bin, _)| &**bin)
    }

    /// The fields that have a path, by name, in the dtype's order.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &Path)> {
        let fields = self.schema.fields().iter().zip(&self.paths);
        fields.filter_map(|(field, path)| Some((field.name(), path.as_ref()?)))
    }

    /// The names of fields without fields of their own, by their structs and dots, in the dtype's order.
    pub fn leaf_names(&self) -> impl Iterator<Item = &str> {
        (0..self.decoders.len()).map(|leaf| self.name(leaf))
    }

    /// The size of one row's presence bits: see [`Summary::presence`](crate::Summary::presence).
    #[must_use]
    pub fn presence_bytes(&self) -> usize {
        self.decoders.len().div_ceil(8)
    }

    /// The leaves that bins may fill, in the dtype's order.
    pub(crate) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// The leaves of each field, in the dtype's order.
    pub(crate) fn fields(&self) -> &[Range<usize>] {
        &self.fields
    }

    /// The name of a field at any level, by [`Target::name`].
    pub(crate) fn name(&self, at: usize) -> &str {
        self.names.get(at)
    }

    /// How leaves are filled.
    pub(crate) fn decoders(&self) -> &[FieldDecoder] {
        &self.decoders
    }

    /// What a bin fills that is not a leaf: the number of leaves, and more, stands for a tree.
    pub(crate) fn tree(&self, fills: usize) -> Option<&Tree> {
        self.trees.get(fills.checked_sub(self.decoders.len())?)
    }

    /// The number of nodes of all trees.
    pub(crate) fn tree_nodes(&self) -> usize {
        self.tree_nodes
    }

    /// The number of things that bins fill: leaves and trees.
    pub(crate) fn places(&self) -> usize {
        self.decoders.len() + self.trees.len()
    }

    /// The order in which a server sends the bins of [`Plan::bin_names`], and what they fill.
    pub(crate) fn expected_order(&self) -> Vec<(BinName, usize)> {
        let named = |(bin, fills): &(Box<str>, usize)| Some((BinName::new(bin.as_bytes())?, *fills));
        self.bins.iter().filter_map(named).collect()
    }

    /// What the bin with this name fills: a leaf, or above the number of leaves, a tree.
    pub(crate) fn field_of(&self, name: BinName) -> Option<usize> {
        let at = self.by_name.binary_search_by_key(&name, |&(name, _)| name).ok()?;
        self.by_name.get(at).map(|&(_, field)| field)
    }
}

/// The leaves of each field.
fn leaves_of_fields(fields: &[Field]) -> Vec<Range<usize>> {
    fn count(field: &Field) -> usize {
        field.fields().map_or(1, |fields| fields.iter().map(count).sum())
    }
    let mut start = 0;
    let leaves = |field: &Field| {
        let first = start;
        start += count(field);
        first..start
    };
    fields.iter().map(leaves).collect()
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
