//! The order of keys in maps, learned from previous maps at the same place.

use wire_protocol::WireError;
use wire_protocol::msgpack::{Reader, Token};

use crate::plan::{Node, Tree};

use super::Numbers;

/// The number of positions that are remembered. Further keys of a map are looked up.
const REMEMBERED: usize = 1024;

/// The longest key that is remembered, in encoded bytes.
const LONGEST: usize = 128;

/// How many positions ahead a key is searched before it is looked up, as for bins.
const AHEAD: usize = 3;

/// How many keys are learned at most, new ones in place of others included: maps whose keys are never alike, such as
/// ids, are not learned forever.
const LEARNED: u32 = 4096;

/// The keys of previous maps, in their order. The next key of a map is expected to be the next in the order, and
/// comparing the encoded bytes confirms it.
#[derive(Debug, Default)]
pub(super) struct KeyOrder {
    keys: Vec<ExpectedKey>,
    learned: u32,
}

/// The number of bytes that are compared at once.
const HEAD: usize = 16;

/// A key at its position in the order. No other value begins with the bytes of a value, so equal bytes are the key.
#[derive(Debug)]
struct ExpectedKey {
    /// The first bytes, in little endian.
    head: u128,
    /// The bits of `head` that belong to the key.
    mask: u128,
    length: usize,
    /// The bytes after the head.
    tail: Box<[u8]>,
    /// The node of the key, if it is looked for.
    child: Option<usize>,
    /// The bit of the key's node among those of a map, if there are few and its value fills one leaf; else 0.
    bit: u64,
    /// That leaf.
    leaf: usize,
}

impl ExpectedKey {
    fn new(bytes: &[u8], child: Option<usize>, (bit, leaf): (u64, usize)) -> Self {
        let bits = 8 * bytes.len().min(HEAD) as u32;
        let mask = u128::MAX.checked_shr(u128::BITS - bits).unwrap_or(0);
        let tail = bytes.get(HEAD..).unwrap_or_default().into();
        Self { head: head(bytes), mask, length: bytes.len(), tail, child, bit, leaf }
    }

    /// A key that is not recognized.
    fn unknown() -> Self {
        Self { head: 1, mask: 0, length: 0, tail: Box::default(), child: None, bit: 0, leaf: 0 }
    }

    /// The bytes after the key, if `bytes` begins with it.
    #[inline]
    fn take<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let head = match bytes.first_chunk() {
            Some(head) => u128::from_le_bytes(*head),
            None => head(bytes),
        };
        if head & self.mask != self.head {
            return None;
        }
        if self.length > HEAD && bytes.get(HEAD..self.length) != Some(&self.tail) {
            return None;
        }
        // `None` if zeros of the key were compared with what is missing.
        bytes.get(self.length..)
    }
}

/// The first bytes as a number; bytes that are missing are zero.
#[inline(never)]
fn head(bytes: &[u8]) -> u128 {
    let mut head = [0; HEAD];
    let length = bytes.len().min(HEAD);
    head[..length].copy_from_slice(&bytes[..length]);
    u128::from_le_bytes(head)
}

impl KeyOrder {
    /// Takes a key off the reader, if it is the one that is expected at position `at`. Returns its node, if it is looked
    /// for.
    #[inline]
    pub(super) fn expected(&self, reader: &mut Reader<'_>, at: usize) -> Option<Option<usize>> {
        let key = self.keys.get(at)?;
        *reader = Reader::new(key.take(reader.rest())?);
        Some(key.child)
    }

    /// Whether the key at position `at` may be that of a number.
    #[inline]
    pub(super) fn expects_number(&self, at: usize) -> bool {
        self.keys.get(at).is_some_and(|key| key.bit != 0)
    }

    /// Takes pairs off the reader, at most `most`, while their keys are expected and lead to leaves alone, and `numbers`
    /// take their values. Returns how many. `at` is the position of the first key, and is advanced. `seen` has the bits
    /// of keys that have come.
    ///
    /// Not inlined: this loop takes most values, and has the registers for itself.
    #[inline(never)]
    pub(super) fn take_numbers(
        &self,
        reader: &mut Reader<'_>,
        most: usize,
        at: &mut usize,
        seen: &mut u64,
        mut numbers: impl Numbers,
    ) -> usize {
        let (mut rest, mut bits, mut taken) = (reader.rest(), *seen, 0);
        for key in self.keys.get(*at..).unwrap_or_default().iter().take(most) {
            if key.bit == 0 || bits & key.bit != 0 {
                break;
            }
            let Some(after) = key.take(rest).and_then(|value| numbers.put(key.leaf, value)) else { break };
            bits |= key.bit;
            rest = after;
            taken += 1;
        }
        *reader = Reader::new(rest);
        *seen = bits;
        *at += taken;
        taken
    }

    /// Takes another key than the expected one off the reader. `at` is the position of the key in the order, and is
    /// advanced to that of the next one. `depth` is how many levels a key may have.
    #[inline(never)]
    pub(super) fn look_up(
        &mut self,
        tree: &Tree,
        node: &Node,
        reader: &mut Reader<'_>,
        depth: usize,
        at: &mut usize,
    ) -> Result<Option<usize>, WireError> {
        let bytes = reader.rest();
        for (position, key) in self.keys.iter().enumerate().skip(*at + 1).take(AHEAD) {
            if let Some(rest) = key.take(bytes) {
                *at = position + 1;
                *reader = Reader::new(rest);
                return Ok(key.child);
            }
        }
        let token = reader.token()?;
        let child = tree.find(node, token);
        if let Token::List { .. } | Token::Map { .. } = token {
            *reader = Reader::new(bytes);
            reader.skip_within(depth)?;
        }
        let encoded = bytes.get(..bytes.len() - reader.remaining()).unwrap_or_default();
        self.learn(*at, encoded, child, number_of(tree, node, child));
        *at += 1;
        Ok(child)
    }

    fn learn(&mut self, at: usize, encoded: &[u8], child: Option<usize>, number: (u64, usize)) {
        if self.learned == LEARNED || at >= REMEMBERED {
            return;
        }
        self.learned += 1;
        let key = if encoded.len() <= LONGEST {
            ExpectedKey::new(encoded, child, number)
        } else {
            ExpectedKey::unknown()
        };
        if at == self.keys.len() {
            self.keys.push(key);
        } else if let Some(known) = self.keys.get_mut(at) {
            *known = key;
        }
    }
}

/// The bit of a child among those of its node, and the leaf that its value fills; no bit if it is for something else, or
/// if there are many children.
fn number_of(tree: &Tree, node: &Node, child: Option<usize>) -> (u64, usize) {
    let few = node.children.len() <= u64::BITS as usize;
    let leaf = child.filter(|_| few).and_then(|child| tree.node(child)?.only_leaf);
    match (child, leaf) {
        (Some(child), Some(leaf)) => (1 << (child - node.children.start), leaf),
        _ => (0, 0),
    }
}
