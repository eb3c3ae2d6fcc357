//! Values inside maps and lists: walks the value of a bin in place and passes what is looked for to cells.
//!
//! Start with [`walk`]. A [`Tree`] says which places in the value fields come from. A map is read pair by pair: a
//! [`KeyOrder`](key_order::KeyOrder) recognizes each key by its encoded bytes, from the order of keys in previous maps,
//! or looks it up. Values that nothing comes from are skipped. The whole value is read, so that what is malformed, or a
//! key that comes twice, is found wherever it is.
//!
//! This module knows neither rows nor the types of fields: see [`Cells`].

mod key_order;

use wire_protocol::WireError;
use wire_protocol::msgpack::{MAX_DEPTH, Reader, Token};
use wire_protocol::particle::Particle;

use crate::convert::type_name;
use crate::error::Reason;
use crate::plan::{Node, Plan, Target, Tree};

use self::key_order::KeyOrder;

/// The cells of a row that values go to.
pub(crate) trait Cells {
    /// Takes runs of numbers.
    type Numbers<'c>: Numbers
    where
        Self: 'c;

    /// What takes the numbers of a run.
    fn numbers(&mut self) -> Self::Numbers<'_>;

    /// Fills a leaf from the next value of `reader`, which is behind it afterwards. Lists and maps in it nest at most
    /// `depth` levels deep.
    ///
    /// # Errors
    /// A malformed value.
    fn fill_next(&mut self, leaf: usize, reader: &mut Reader<'_>, depth: usize) -> Result<(), WireError>;

    /// Fails a field that has neither been filled nor failed before. `found` is the type of the value.
    fn fail(&mut self, target: Target, found: &'static str, reason: Reason);

    /// Fails a field whatever has become of its leaves before.
    fn fail_anyway(&mut self, target: Target, found: &'static str, reason: Reason);
}

/// Cells that take numbers one after the other.
pub(crate) trait Numbers {
    /// Fills a leaf from the first value of `bytes` if that is a number that fits it as it is or rounded: then returns
    /// the bytes after it. Otherwise [`Cells::fill_next`] must follow.
    fn put<'a>(&mut self, leaf: usize, bytes: &'a [u8]) -> Option<&'a [u8]>;
}

/// What the walks of a lease remember.
#[derive(Debug, Default)]
pub(crate) struct Walks {
    /// The order of keys at each node of the plan's trees; empty until the first walk.
    orders: Vec<KeyOrder>,
    /// Which keys of the open maps have come, for maps in which many are looked for.
    seen: Vec<u64>,
}

/// Passes the values inside a bin to `cells`. The leaves that the bin's value itself fills are left to the caller.
pub(crate) fn walk(
    plan: &Plan,
    tree: &Tree,
    walks: &mut Walks,
    particle: Result<Particle<'_>, WireError>,
    cells: &mut impl Cells,
) {
    if walks.orders.is_empty() {
        walks.orders.resize_with(plan.tree_nodes(), KeyOrder::default);
    }
    walks.seen.clear();
    let Some(root) = tree.node(Tree::ROOT) else { return };
    if root.children.is_empty() {
        return;
    }
    let (bytes, is_map) = match particle {
        Ok(Particle::Nil) => return,
        Ok(Particle::Map(bytes)) => (bytes, true),
        Ok(Particle::List(bytes)) => (bytes, false),
        Ok(particle) => return fail_scalar(root, particle.type_name(), cells),
        Err(error) => return fail_value(tree, "unknown", &error, cells),
    };
    let mut walk = Walk { tree, walks, cells };
    if let Err(error) = walk.root(root, bytes, is_map) {
        let found = if is_map { "map" } else { "list" };
        fail_value(tree, found, &error, cells);
    }
}

/// Fails all fields that come from a malformed value.
#[cold]
fn fail_value(tree: &Tree, found: &'static str, error: &WireError, cells: &mut impl Cells) {
    for target in tree.targets(Tree::ROOT) {
        cells.fail_anyway(target, found, Reason::Malformed(error.clone()));
    }
}

/// Fails the fields for which a value, which is neither a map nor a list, would have to be one.
#[cold]
fn fail_scalar(node: &Node, found: &'static str, cells: &mut impl Cells) {
    fail_steps(node, found, false, cells);
}

/// Fails the fields for which a list would have to be a map.
#[cold]
fn fail_list(node: &Node, cells: &mut impl Cells) {
    fail_steps(node, "list", true, cells);
}

fn fail_steps(node: &Node, found: &'static str, takes_int: bool, cells: &mut impl Cells) {
    for &target in &node.structs {
        cells.fail(target, found, Reason::NoMap);
    }
    for passing in node.passing.iter().filter(|passing| !(takes_int && passing.is_int())) {
        let (number, step) = (passing.number, passing.step.to_string().into());
        cells.fail(passing.target, found, Reason::NoWay { number, step, found });
    }
}

const TOO_DEEP: WireError =
    WireError::Malformed { what: "msgpack value", why: "its lists and maps nest too deeply" };

/// A walk through the value of a bin.
struct Walk<'w, C> {
    tree: &'w Tree,
    walks: &'w mut Walks,
    cells: &'w mut C,
}

impl<C: Cells> Walk<'_, C> {
    fn root(&mut self, node: &Node, bytes: &[u8], is_map: bool) -> Result<(), WireError> {
        let mut reader = Reader::new(bytes);
        match reader.clone().token()? {
            Token::Map { .. } if is_map => {}
            Token::List { .. } if !is_map => {}
            _ => return Err(WireError::Malformed { what: "bin", why: "its value is not of its type" }),
        }
        self.inside(Tree::ROOT, node, &mut reader, MAX_DEPTH)?;
        if reader.is_at_end() {
            Ok(())
        } else {
            Err(WireError::Malformed { what: "msgpack value", why: "bytes follow it" })
        }
    }

    /// Takes the next value, which may have `depth` levels, for the node. Recurses once for each level that is looked
    /// into.
    fn value(&mut self, id: usize, reader: &mut Reader<'_>, depth: usize) -> Result<(), WireError> {
        let Some(node) = self.tree.node(id) else { return reader.skip_within(depth) };
        if let Some(leaf) = node.only_leaf {
            return self.cells.fill_next(leaf, reader, depth);
        }
        if let [leaves @ .., last] = &*node.leaves {
            // Several fields take the same value.
            for &leaf in leaves {
                self.cells.fill_next(leaf, &mut reader.clone(), depth)?;
            }
            if node.children.is_empty() {
                return self.cells.fill_next(*last, reader, depth);
            }
            self.cells.fill_next(*last, &mut reader.clone(), depth)?;
        }
        self.inside(id, node, reader, depth)
    }

    /// Takes what is inside the next value for the children of the node.
    fn inside(
        &mut self,
        id: usize,
        node: &Node,
        reader: &mut Reader<'_>,
        depth: usize,
    ) -> Result<(), WireError> {
        match reader.token()? {
            Token::Nil => Ok(()),
            Token::Map { len } => {
                let depth = depth.checked_sub(1).ok_or(TOO_DEEP)?;
                self.map(id, node, reader, len, depth)
            }
            Token::List { len } => {
                let depth = depth.checked_sub(1).ok_or(TOO_DEEP)?;
                if node.children.len() > node.ints.len() {
                    fail_list(node, self.cells);
                }
                self.list(node, reader, len, depth)
            }
            token => {
                fail_scalar(node, type_name(token), self.cells);
                Ok(())
            }
        }
    }

    /// Reads the `len` pairs of a map, whose keys and values may have `depth` levels.
    fn map(
        &mut self,
        id: usize,
        node: &Node,
        reader: &mut Reader<'_>,
        len: usize,
        depth: usize,
    ) -> Result<(), WireError> {
        let mut pairs = len;
        // An ordered map starts with a pair that says so.
        if pairs > 0 && skip_order(reader)? {
            reader.skip_within(depth)?;
            pairs -= 1;
        }
        let slot = self.tree.base + id;
        let mut seen = Seen::new(node.children.len(), &mut self.walks.seen);
        let mut at = 0;
        loop {
            let Some(order) = self.walks.orders.get_mut(slot) else { return Ok(()) };
            if order.expects_number(at) {
                let numbers = self.cells.numbers();
                pairs -= order.take_numbers(reader, pairs, &mut at, &mut seen.word, numbers);
            }
            if pairs == 0 {
                break;
            }
            pairs -= 1;
            let found = match order.expected(reader, at) {
                Some(found) => {
                    at += 1;
                    found
                }
                None => order.look_up(self.tree, node, reader, depth, &mut at)?,
            };
            let Some(child) = found else {
                reader.skip_within(depth)?;
                continue;
            };
            if seen.insert(child - node.children.start, &mut self.walks.seen) {
                self.value(child, reader, depth)?;
            } else {
                self.repeated(child);
                reader.skip_within(depth)?;
            }
        }
        seen.finish(&mut self.walks.seen);
        Ok(())
    }

    /// Fails all fields that hang on a key of a map that has come before.
    #[cold]
    fn repeated(&mut self, child: usize) {
        for target in self.tree.targets(child) {
            let key = self.tree.described_key(child);
            self.cells.fail_anyway(target, "map", Reason::RepeatedKey { key });
        }
    }

    /// Reads the `len` elements of a list, which may have `depth` levels.
    fn list(
        &mut self,
        node: &Node,
        reader: &mut Reader<'_>,
        len: usize,
        depth: usize,
    ) -> Result<(), WireError> {
        let mut len = len;
        // An ordered list starts with an element that says so.
        if len > 0 && skip_order(reader)? {
            len -= 1;
        }
        // The indexes that are looked for, in ascending order: first those from the end, then those from the start. Each
        // of the two cursors moves through the list with its elements.
        let index_of = |child: usize| self.tree.int_key(child).unwrap_or(i64::MAX);
        let middle = node.ints.clone().find(|&child| index_of(child) >= 0).unwrap_or(node.ints.end);
        let place = |child: usize| {
            let index = index_of(child);
            if index >= 0 { usize::try_from(index).ok() } else { len.checked_add_signed(index as isize) }
        };
        let mut from_end = (node.ints.start..middle).skip_while(|&child| place(child).is_none()).peekable();
        let mut from_start = (middle..node.ints.end).peekable();
        let mut index = 0;
        loop {
            let last = from_end.peek().and_then(|&child| place(child));
            let first = from_start.peek().and_then(|&child| place(child));
            let next = last.unwrap_or(len).min(first.unwrap_or(len));
            if next >= len {
                return skip_many(reader, len - index, depth);
            }
            skip_many(reader, next - index, depth)?;
            let after_end = if last == Some(next) { from_end.next() } else { None };
            let after_start = if first == Some(next) { from_start.next() } else { None };
            match (after_end, after_start) {
                (Some(one), Some(other)) => {
                    self.value(one, &mut reader.clone(), depth)?;
                    self.value(other, reader, depth)?;
                }
                (Some(child), None) | (None, Some(child)) => self.value(child, reader, depth)?,
                (None, None) => return Ok(()),
            }
            index = next + 1;
        }
    }
}

/// Skips the value with which an ordered list or map starts, if it is there.
#[inline]
fn skip_order(reader: &mut Reader<'_>) -> Result<bool, WireError> {
    let is_order = reader.is_at_ext();
    if is_order {
        reader.token()?;
    }
    Ok(is_order)
}

/// Skips values, which may have `depth` levels each.
fn skip_many(reader: &mut Reader<'_>, mut count: usize, depth: usize) -> Result<(), WireError> {
    while count > 0 {
        let run = reader.doubles(count).len();
        if run == 0 {
            reader.skip_within(depth)?;
        }
        count -= run.max(1);
    }
    Ok(())
}

/// The keys of a map that have come: bits in a word, or in words at the end of a vector if there are many.
struct Seen {
    word: u64,
    start: usize,
    is_wide: bool,
}

impl Seen {
    fn new(keys: usize, words: &mut Vec<u64>) -> Self {
        let (start, is_wide) = (words.len(), keys > u64::BITS as usize);
        if is_wide {
            words.resize(start + keys.div_ceil(u64::BITS as usize), 0);
        }
        Self { word: 0, start, is_wide }
    }

    /// Adds a key; returns whether it is new.
    #[inline]
    fn insert(&mut self, key: usize, words: &mut [u64]) -> bool {
        let word = if self.is_wide {
            match words.get_mut(self.start + key / u64::BITS as usize) {
                Some(word) => word,
                None => return false,
            }
        } else {
            &mut self.word
        };
        let bit = 1 << (key % u64::BITS as usize);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn finish(self, words: &mut Vec<u64>) {
        if self.is_wide {
            words.truncate(self.start);
        }
    }
}
