//! In which order bins come, learned from the records before.

use dtype_schema::MAX_BIN_NAME;
use wire_protocol::message::Op;
use wire_protocol::particle::particle_type;

use crate::cell::Spot;
use crate::name::Name;
use crate::plan::Plan;

/// How many positions are remembered; a record with more bins looks the others up.
const REMEMBERED: usize = 1024;

/// How many positions further on a bin is looked for before it is looked up: records that lack a few
/// bins of the usual order cost a comparison for each.
const AHEAD: usize = 3;

/// The bins of the records before, in their order. The next bin is guessed to be the next in the order,
/// and a comparison of names confirms it.
#[derive(Debug)]
pub(crate) struct Order {
    bins: Vec<Expected>,
}

/// A bin at its place in the order.
#[derive(Debug)]
struct Expected {
    name: Name,
    /// The field that the bin fills, if any.
    field: Option<usize>,
    number: Option<Number>,
}

/// A bin that was an integer or a float in a record before and fills a field: all but its eight bytes of
/// value is then known in advance and compared at once.
#[derive(Clone, Copy, Debug)]
struct Number {
    /// Size, code, particle type, flags and length of name: an operation's first eight bytes.
    header: u64,
    /// The eight bytes after the header, as far as they belong to the name.
    head: u64,
    head_mask: u64,
    /// The eight bytes before the value: the end of the name, and of the header if the name is short.
    tail: u64,
    name_length: u8,
    found: Found,
}

/// A number and where it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) field: usize,
    pub(crate) spot: Spot,
    /// Whether the value is a float, not an integer.
    pub(crate) is_float: bool,
    /// Whether its bits go into the field as they are.
    pub(crate) is_kept: bool,
}

/// Bytes of an operation's header.
const HEADER: usize = 8;
/// Bytes of an integer or a float.
const VALUE: usize = 8;

impl Order {
    /// The order in which a server answers that was asked for the plan's bins.
    pub(crate) fn new(plan: &Plan) -> Self {
        let expected = |(name, field)| Expected { name, field: Some(field), number: None };
        Self { bins: plan.expected_order().into_iter().map(expected).collect() }
    }

    /// Takes the next operation off `ops` if it is the number that is expected at position `at`; gives
    /// where it goes and its eight bytes.
    #[inline]
    pub(crate) fn take_number(&self, at: usize, ops: &mut &[u8]) -> Option<(&Found, [u8; VALUE])> {
        let number = self.bins.get(at)?.number.as_ref()?;
        let (value, rest) = number.take(ops)?;
        *ops = rest;
        Some((&number.found, value))
    }

    /// The field that an operation's bin fills, if any. `at` is the operation's position in the order; the
    /// next one's afterwards.
    pub(crate) fn field_of(&mut self, plan: &Plan, op: &Op<'_>, at: &mut usize) -> Option<usize> {
        let name = Name::new(op.name)?;
        let last = self.bins.len().min(at.saturating_add(AHEAD + 1));
        let found = (*at..last).find(|&place| self.bins.get(place).is_some_and(|bin| bin.name == name));
        let place = found.unwrap_or(*at);
        *at = place + 1;
        if found.is_none() {
            let expected = Expected { name, field: plan.field_of(name), number: None };
            match self.bins.get_mut(place) {
                Some(bin) => *bin = expected,
                None if place < REMEMBERED => self.bins.push(expected),
                None => return expected.field,
            }
        }
        let bin = self.bins.get_mut(place)?;
        if let Some(field) = bin.field {
            bin.number = Number::expect(plan, field, op);
        }
        bin.field
    }
}

impl Number {
    /// Expects an operation like this one, which fills that field; `None` if it is not a number.
    fn expect(plan: &Plan, field: usize, op: &Op<'_>) -> Option<Self> {
        let is_float = match op.particle_type {
            particle_type::INTEGER => false,
            particle_type::FLOAT => true,
            _ => return None,
        };
        if op.value.len() != VALUE {
            return None;
        }
        let length = op.name.len();
        let name_length = u8::try_from(length).ok()?;
        let mut bytes = [0; HEADER + MAX_BIN_NAME + VALUE];
        let size = 4 + u32::from(name_length) + VALUE as u32;
        bytes[..4].copy_from_slice(&size.to_be_bytes());
        bytes[4..HEADER].copy_from_slice(&[op.code, op.particle_type, 0, name_length]);
        bytes.get_mut(HEADER..HEADER + length)?.copy_from_slice(op.name);
        let word = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let head_mask = match length {
            0 => 0,
            1..8 => u64::MAX >> (64 - 8 * length),
            _ => u64::MAX,
        };
        let spot = plan.cells().get(field)?.spot();
        Some(Self {
            header: word(0)?,
            head: word(HEADER)? & head_mask,
            head_mask,
            tail: word(length)?,
            name_length,
            found: Found { field, spot, is_float, is_kept: spot.keeps(is_float) },
        })
    }

    /// The value and the bytes after it, if `ops` begins with the operation that is expected.
    #[inline]
    fn take<'a>(&self, ops: &'a [u8]) -> Option<([u8; VALUE], &'a [u8])> {
        let name_length = usize::from(self.name_length);
        let (op, rest) = ops.split_at_checked(HEADER + name_length + VALUE)?;
        let header = u64::from_le_bytes(*op.first_chunk()?);
        let head = u64::from_le_bytes(*op.get(HEADER..)?.first_chunk()?);
        let tail = u64::from_le_bytes(*op.get(name_length..)?.first_chunk()?);
        let value = *op.last_chunk()?;
        let same = header == self.header && head & self.head_mask == self.head && tail == self.tail;
        same.then_some((value, rest))
    }
}
