//! The sketch: registers of a HyperLogLog, with a few bits of a hash each if the sketch is for similarities.
//!
//! A register holds the largest rank of the elements that fall into it (6 bits) and, below it, the hash bits of the
//! element that set it (HyperMinHash). The bytes are a byte of flags (0), the two numbers of bits, the count that was
//! estimated last (0: none), and the registers, bit by bit.

use std::borrow::Cow;

use crate::bit_string::{low_bits, read_bits, write_bits};
use crate::hll::murmur3::murmur3;

const HEADER: usize = 11;

/// The bits of a rank.
const RANK_BITS: usize = 6;

/// The number of index bits and of hash bits of a sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) index: u8,
    pub(super) hash: u8,
}

/// Whether a sketch may have this many index bits.
pub(super) fn is_index(bits: i64) -> bool {
    matches!(bits, 4..=16)
}

/// Whether a sketch may have this many hash bits.
pub(super) fn is_hash(bits: i64) -> bool {
    matches!(bits, 0 | 4..=51)
}

impl Shape {
    /// Whether the numbers also fit together.
    pub(super) fn is_valid(self) -> bool {
        is_index(self.index.into()) && is_hash(self.hash.into()) && self.index + self.hash <= 64
    }

    pub(super) fn registers(self) -> usize {
        1 << self.index
    }

    /// The bits of a register.
    fn width(self) -> usize {
        RANK_BITS + usize::from(self.hash)
    }

    pub(super) fn size(self) -> usize {
        HEADER + (self.width() * self.registers()).div_ceil(8)
    }

    /// The shape of the union of sketches: the fewest index bits, and the hash bits if all have the same.
    pub(super) fn common(sketches: &[Sketch<'_>]) -> Self {
        let shapes = || sketches.iter().map(|sketch| sketch.shape);
        let index = shapes().map(|shape| shape.index).min().unwrap_or(4);
        let hash = shapes().map(|shape| shape.hash).reduce(|a, b| if a == b { a } else { 0 });
        Self { index, hash: hash.unwrap_or(0) }
    }
}

/// A sketch, borrowed or owned.
#[derive(Clone, Debug)]
pub(super) struct Sketch<'a> {
    pub(super) shape: Shape,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Sketch<'a> {
    pub(super) fn empty(shape: Shape) -> Self {
        let mut bytes = vec![0; shape.size()];
        (bytes[1], bytes[2]) = (shape.index, shape.hash);
        Self { shape, bytes: bytes.into() }
    }

    /// Parses a sketch. `None` if the bytes are none; whether the numbers of bits fit together is not checked.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let &[0, index, hash, ..] = bytes else {
            return None;
        };
        let is_shape = is_index(index.into()) && is_hash(hash.into());
        let shape = Shape { index, hash };
        (is_shape && bytes.len() == shape.size()).then(|| Self { shape, bytes: bytes.into() })
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes.into_owned()
    }

    /// The count that was estimated last; 0 if there is none.
    pub(super) fn cached(&self) -> u64 {
        // Little endian, as the server's machine keeps it.
        self.bytes.get(3..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    pub(super) fn set_cached(&mut self, count: u64) {
        if let Some(bytes) = self.bytes.to_mut().get_mut(3..).and_then(<[u8]>::first_chunk_mut) {
            *bytes = count.to_le_bytes();
        }
    }

    pub(super) fn register(&self, register: usize) -> u64 {
        let width = self.shape.width();
        read_bits(&self.bytes, HEADER * 8 + register * width, width)
    }

    pub(super) fn set_register(&mut self, register: usize, value: u64) {
        let width = self.shape.width();
        write_bits(self.bytes.to_mut(), HEADER * 8 + register * width, width, value);
    }

    /// The rank in a register.
    pub(super) fn rank(&self, register: usize) -> u64 {
        self.register(register) >> self.shape.hash
    }

    /// Whether it looks as if it had elements. Like the server, looks at as many bytes as there are registers only.
    pub(super) fn has_elements(&self) -> bool {
        self.bytes.iter().skip(HEADER).take(self.shape.registers()).any(|&byte| byte != 0)
    }

    pub(super) fn used_registers(&self) -> usize {
        (0..self.shape.registers()).filter(|&register| self.register(register) != 0).count()
    }

    /// The register of an element and the value that it gives it.
    fn place(&self, element: &[u8]) -> (usize, u64) {
        let Shape { index, hash } = self.shape;
        let [place, rank] = murmur3(element);
        let bits = place >> index & low_bits(hash.into());
        let rank = u64::from(rank.trailing_zeros()) + 1;
        ((place & low_bits(index.into())) as usize, rank << hash | bits)
    }

    /// Adds an element. Returns whether that changed the sketch.
    pub(super) fn add(&mut self, element: &[u8]) -> bool {
        let (register, value) = self.place(element);
        let is_new = self.register(register) < value;
        if is_new {
            self.set_register(register, value);
            self.set_cached(0);
        }
        is_new
    }

    /// Whether the element may have been added.
    pub(super) fn may_contain(&self, element: &[u8]) -> bool {
        let (register, value) = self.place(element);
        value <= self.register(register)
    }

    /// The union of sketches, in their common shape.
    pub(super) fn union(sketches: &[Sketch<'_>]) -> Sketch<'static> {
        let mut union = Sketch::empty(Shape::common(sketches));
        for sketch in sketches {
            union.merge(sketch);
        }
        union
    }

    /// Adds the elements of a sketch with at least as many index bits.
    pub(super) fn merge(&mut self, other: &Sketch<'_>) {
        let ranks_only = self.shape.hash == 0;
        for register in 0..other.shape.registers() {
            let value = if ranks_only { other.rank(register) } else { other.register(register) };
            let own = register % self.shape.registers();
            if self.register(own) < value {
                self.set_register(own, value);
            }
        }
    }

    /// Clears the registers that are not the same in another sketch with at least as many index bits.
    pub(super) fn keep_common(&mut self, other: &Sketch<'_>) {
        for register in 0..other.shape.registers() {
            let own = register % self.shape.registers();
            if self.register(own) != other.register(register) {
                self.set_register(own, 0);
            }
        }
    }
}
