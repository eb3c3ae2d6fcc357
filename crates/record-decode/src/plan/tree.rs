//! Trees: which values inside a bin fill which fields.

use std::collections::BTreeMap;
use std::ops::Range;

use dtype_schema::Field;
use wire_protocol::msgpack::Token;

use super::path::Step;

/// A field at any level, with its leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The index of the field's name in the plan's names: for a leaf, the index of the leaf.
    pub(crate) name: usize,
    /// The first leaf.
    pub(crate) first: usize,
    /// The number of leaves.
    pub(crate) count: usize,
}

impl Target {
    pub(crate) fn leaf(leaf: usize) -> Self {
        Self { name: leaf, first: leaf, count: 1 }
    }

    pub(crate) fn leaves(self) -> Range<usize> {
        self.first..self.first + self.count
    }
}

/// The names of fields at all levels: first those of leaves, then those of structs.
#[derive(Debug)]
pub(crate) struct Names(Vec<Box<str>>);

impl Names {
    pub(crate) fn new(leaves: impl Iterator<Item = Box<str>>) -> Self {
        Self(leaves.collect())
    }

    fn add(&mut self, name: &str) -> usize {
        self.0.push(name.into());
        self.0.len() - 1
    }

    pub(crate) fn get(&self, at: usize) -> &str {
        self.0.get(at).map_or("?", |name| name)
    }
}

/// A key that is looked for in maps; an integer also in lists, as an index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Int(i64),
    Str(Box<[u8]>),
    Blob(Box<[u8]>),
}

/// A borrowed [`Key`], in the same order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum KeyRef<'a> {
    Int(i64),
    Str(&'a [u8]),
    Blob(&'a [u8]),
}

impl Key {
    fn borrow(&self) -> KeyRef<'_> {
        match self {
            Self::Int(number) => KeyRef::Int(*number),
            Self::Str(text) => KeyRef::Str(text),
            Self::Blob(bytes) => KeyRef::Blob(bytes),
        }
    }

    /// The key as Python writes it.
    #[cold]
    fn described(&self) -> Box<str> {
        let step = match self {
            Self::Int(number) => Step::Int(*number),
            Self::Str(text) => Step::Str(String::from_utf8_lossy(text).into()),
            Self::Blob(bytes) => Step::Blob(bytes.clone()),
        };
        step.to_string().into()
    }
}

impl From<&Step> for Key {
    fn from(step: &Step) -> Self {
        match step {
            Step::Str(text) => Self::Str(text.as_bytes().into()),
            Step::Blob(bytes) => Self::Blob(bytes.clone()),
            Step::Int(number) => Self::Int(*number),
        }
    }
}

/// A field whose path goes further than a node.
#[derive(Clone, Debug)]
pub(crate) struct Passing {
    pub(crate) target: Target,
    /// The number of the step that goes on from here, counted from 1.
    pub(crate) number: usize,
    pub(crate) step: Step,
}

impl Passing {
    /// Whether the step may be an index of a list.
    pub(crate) fn is_int(&self) -> bool {
        matches!(self.step, Step::Int(_))
    }
}

/// A place in the value of a bin, and what its value is for.
#[derive(Debug)]
pub(crate) struct Node {
    /// The leaves that the value fills.
    pub(crate) leaves: Box<[usize]>,
    /// The structs whose fields are keys of the value.
    pub(crate) structs: Box<[Target]>,
    /// The fields whose paths go on from here.
    pub(crate) passing: Box<[Passing]>,
    /// The nodes of the keys that are looked for here, ordered by key: integers first.
    pub(crate) children: Range<usize>,
    /// Those of them whose keys are integers.
    pub(crate) ints: Range<usize>,
    /// The only leaf, if the value is for nothing else.
    pub(crate) only_leaf: Option<usize>,
}

/// All places in the value of a bin that fields come from. The first node is the value itself.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Box<[Node]>,
    /// The key of each node in the map or list of its parent.
    keys: Box<[Key]>,
    /// The number of nodes in the plan's trees before this one.
    pub(crate) base: usize,
}

impl Tree {
    pub(crate) const ROOT: usize = 0;

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, id: usize) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// The integer key of a node; `None` if its key is of another type.
    pub(crate) fn int_key(&self, id: usize) -> Option<i64> {
        match self.keys.get(id) {
            Some(Key::Int(number)) => Some(*number),
            _ => None,
        }
    }

    /// The key of a node as Python writes it.
    pub(crate) fn described_key(&self, id: usize) -> Box<str> {
        self.keys.get(id).map(Key::described).unwrap_or_default()
    }

    /// The child of `node` for the key that a map has.
    pub(crate) fn find(&self, node: &Node, key: Token<'_>) -> Option<usize> {
        let key = match key {
            Token::Int(number) => KeyRef::Int(number),
            Token::Str(text) => KeyRef::Str(text),
            Token::Blob(bytes) => KeyRef::Blob(bytes),
            _ => return None,
        };
        let keys = self.keys.get(node.children.clone())?;
        let at = keys.binary_search_by(|wanted| wanted.borrow().cmp(&key)).ok()?;
        Some(node.children.start + at)
    }

    /// All targets that hang on a node: those that it or a node below it fills.
    pub(crate) fn targets(&self, id: usize) -> impl Iterator<Item = Target> {
        self.node(id).into_iter().flat_map(|node| {
            let leaves = node.leaves.iter().copied().map(Target::leaf);
            let passing = node.passing.iter().map(|passing| passing.target);
            leaves.chain(node.structs.iter().copied()).chain(passing)
        })
    }
}

/// Collects the fields that come from one bin.
#[derive(Debug, Default)]
pub(crate) struct TreeBuilder {
    nodes: Vec<Unfinished>,
}

#[derive(Debug, Default)]
struct Unfinished {
    leaves: Vec<usize>,
    structs: Vec<Target>,
    passing: Vec<Passing>,
    children: BTreeMap<Key, usize>,
}

impl TreeBuilder {
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Unfinished::default()] }
    }

    /// Adds the top-level `field`, whose first leaf is `first`, at the end of these steps.
    pub(crate) fn add(&mut self, field: &Field, first: usize, steps: &[Step], names: &mut Names) {
        let mut id = Tree::ROOT;
        let mut passed = Vec::new();
        for (number, step) in (1..).zip(steps) {
            passed.push((id, number, step.clone()));
            id = self.child(id, step.into());
        }
        let mut leaf = first;
        let target = self.end(id, field, field.name(), &mut leaf, names);
        for (id, number, step) in passed {
            if let Some(node) = self.nodes.get_mut(id) {
                node.passing.push(Passing { target, number, step });
            }
        }
    }

    /// Lets the value of a node fill `field`. `leaf` is the first leaf of the field, and is advanced past its last.
    /// Recurses once for each level of structs, of which a schema has few.
    fn end(&mut self, id: usize, field: &Field, name: &str, leaf: &mut usize, names: &mut Names) -> Target {
        let first = *leaf;
        let Some(fields) = field.fields() else {
            *leaf += 1;
            if let Some(node) = self.nodes.get_mut(id) {
                node.leaves.push(first);
            }
            return Target::leaf(first);
        };
        let at = names.add(name);
        for field in fields {
            let child = self.child(id, Key::Str(field.name().as_bytes().into()));
            self.end(child, field, &format!("{name}.{}", field.name()), leaf, names);
        }
        let target = Target { name: at, first, count: *leaf - first };
        if let Some(node) = self.nodes.get_mut(id) {
            node.structs.push(target);
        }
        target
    }

    fn child(&mut self, id: usize, key: Key) -> usize {
        let new = self.nodes.len();
        let Some(node) = self.nodes.get_mut(id) else { return id };
        let child = *node.children.entry(key).or_insert(new);
        if child == new {
            self.nodes.push(Unfinished::default());
        }
        child
    }

    /// The leaf that the value itself fills, if there is nothing else to fill.
    pub(crate) fn only_leaf(&self) -> Option<usize> {
        match self.nodes.as_slice() {
            [Unfinished { leaves, structs, .. }] if structs.is_empty() => match leaves.as_slice() {
                [leaf] => Some(*leaf),
                _ => None,
            },
            _ => None,
        }
    }

    /// The tree. `base` is the number of nodes in the plan's trees before this one.
    pub(crate) fn finish(mut self, base: usize) -> Tree {
        // Level by level, so that the children of a node are next to each other.
        let mut order = vec![(Key::Int(0), Tree::ROOT)];
        let mut nodes = Vec::with_capacity(self.nodes.len());
        let mut at = 0;
        while let Some(&(_, id)) = order.get(at) {
            at += 1;
            let Unfinished { leaves, structs, passing, children } =
                self.nodes.get_mut(id).map(std::mem::take).unwrap_or_default();
            let start = order.len();
            order.extend(children);
            let ints = order.iter().skip(start).filter(|(key, _)| matches!(key, Key::Int(_))).count();
            let only_leaf = match leaves.as_slice() {
                [leaf] if structs.is_empty() && passing.is_empty() => Some(*leaf),
                _ => None,
            };
            nodes.push(Node {
                leaves: leaves.into(),
                structs: structs.into(),
                passing: passing.into(),
                children: start..order.len(),
                ints: start..start + ints,
                only_leaf,
            });
        }
        Tree { nodes: nodes.into(), keys: order.into_iter().map(|(key, _)| key).collect(), base }
    }
}

#[cfg(test)]
mod tests {
    use dtype_schema::Element;

    use super::*;

    fn leaf(name: &str, offset: usize) -> Field {
        Field::new(name, offset, Element::from_numpy(name, 'i', 8, '=').unwrap(), &[]).unwrap()
    }

    #[test]
    fn paths_and_structs_share_nodes() {
        let mut names = Names::new(["s.b", "s.a", "x", "y"].into_iter().map(Box::from));
        let mut builder = TreeBuilder::new();
        let nested = Field::nested("s", 0, vec![leaf("b", 0), leaf("a", 8)], 16).unwrap();
        builder.add(&nested, 0, &[], &mut names);
        assert_eq!(builder.only_leaf(), None);
        builder.add(&leaf("x", 16), 2, &[Step::Str("a".into())], &mut names);
        builder.add(&leaf("y", 24), 3, &[Step::Int(-1), Step::Blob(b"k".as_slice().into())], &mut names);
        let tree = builder.finish(7);
        assert_eq!((tree.len(), tree.base), (5, 7));
        let root = tree.node(Tree::ROOT).unwrap();
        assert_eq!(root.structs[..], [Target { name: 4, first: 0, count: 2 }]);
        assert_eq!(names.get(4), "s");
        assert_eq!((root.children.clone(), root.ints.clone()), (1..4, 1..2));
        assert_eq!(tree.find(root, Token::Str(b"a")), Some(2));
        assert_eq!(tree.find(root, Token::Blob(b"a")), None);
        assert_eq!(tree.find(root, Token::Int(-1)), Some(1));
        assert_eq!(tree.find(root, Token::Float(-1.0)), None);
        assert_eq!(tree.node(2).unwrap().leaves[..], [1, 2]);
        assert_eq!((tree.node(2).unwrap().only_leaf, tree.node(3).unwrap().only_leaf), (None, Some(0)));
        assert_eq!(tree.targets(1).collect::<Vec<_>>(), [Target::leaf(3)]);
        assert_eq!(tree.targets(Tree::ROOT).flat_map(Target::leaves).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let keys: Vec<_> = (1..5).map(|id| tree.described_key(id).into_string()).collect();
        assert_eq!(keys, ["-1", "'a'", "'b'", "b'k'"]);
    }

    #[test]
    fn a_bin_of_one_leaf_needs_no_tree() {
        let mut names = Names::new(std::iter::empty());
        let mut builder = TreeBuilder::new();
        builder.add(&leaf("x", 0), 5, &[], &mut names);
        assert_eq!(builder.only_leaf(), Some(5));
        builder.add(&leaf("y", 0), 6, &[], &mut names);
        assert_eq!(builder.only_leaf(), None);
    }
}
