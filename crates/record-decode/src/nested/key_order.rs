//! The order of keys in maps, learned from previous maps at the same place.

use wire_protocol::WireError;
use wire_protocol::msgpack::{Reader, Token};

use crate::plan::{Node, Tree};

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
    found: Found,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    /// The node of the key, if it is looked for.
    pub(super) child: Option<usize>,
    /// The leaf that the node's value fills, if it is for nothing else.
    pub(super) leaf: Option<usize>,
}

impl ExpectedKey {
    fn new(bytes: &[u8], found: Found) -> Self {
        let bits = 8 * bytes.len().min(HEAD) as u32;
        let mask = u128::MAX.checked_shr(u128::BITS - bits).unwrap_or(0);
        let tail = bytes.get(HEAD..).unwrap_or_default().into();
        Self { head: head(bytes), mask, length: bytes.len(), tail, found }
    }

    /// A key that is not recognized.
    fn unknown() -> Self {
        Self { head: 1, mask: 0, length: 0, tail: Box::default(), found: Found::default() }
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
    /// Takes a key off the reader, if it is the one that is expected at position `at`.
    #[inline]
    pub(super) fn expected(&self, reader: &mut Reader<'_>, at: usize) -> Option<Found> {
        let key = self.keys.get(at)?;
        *reader = Reader::new(key.take(reader.rest())?);
        Some(key.found)
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
    ) -> Result<Found, WireError> {
        let bytes = reader.rest();
        for (position, key) in self.keys.iter().enumerate().skip(*at + 1).take(AHEAD) {
            if let Some(rest) = key.take(bytes) {
                *at = position + 1;
                *reader = Reader::new(rest);
                return Ok(key.found);
            }
        }
        let token = reader.token()?;
        let child = tree.find(node, token);
        if let Token::List { .. } | Token::Map { .. } = token {
            *reader = Reader::new(bytes);
            reader.skip_within(depth)?;
        }
        let encoded = bytes.get(..bytes.len() - reader.remaining()).unwrap_or_default();
        let leaf = child.and_then(|child| tree.node(child)?.only_leaf);
        let found = Found { child, leaf };
        self.learn(*at, encoded, found);
        *at += 1;
        Ok(found)
    }

    fn learn(&mut self, at: usize, encoded: &[u8], found: Found) {
        if self.learned == LEARNED || at >= REMEMBERED {
            return;
        }
        self.learned += 1;
        let key =
            if encoded.len() <= LONGEST { ExpectedKey::new(encoded, found) } else { ExpectedKey::unknown() };
        if at == self.keys.len() {
            self.keys.push(key);
        } else if let Some(known) = self.keys.get_mut(at) {
            *known = key;
        }
    }
}
