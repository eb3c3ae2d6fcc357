//! The order in which a server sends bins, learned from previous records.

use dtype_schema::MAX_BIN_NAME;
use wire_protocol::message::Op;
use wire_protocol::particle::particle_type;

use crate::convert::Slot;

use super::Plan;
use super::bin_name::BinName;

/// The number of positions that are remembered. Further bins of a record are looked up by name.
const REMEMBERED: usize = 1024;

/// How many positions ahead a bin is searched before it is looked up by name. A record that lacks a few bins of the
/// usual order costs a comparison for each of them.
const AHEAD: usize = 3;

/// How many names of bins that fill no field are kept.
pub(crate) const KEPT_NAMES: usize = 64;

/// The bins of previous records, in their order. The next bin of a record is expected to be the next in the order, and
/// comparing the names confirms it.
#[derive(Debug)]
pub(crate) struct BinOrder {
    bins: Vec<ExpectedBin>,
    /// Names of bins that fill no field, up to [`KEPT_NAMES`].
    unmatched: Vec<Box<[u8]>>,
}

/// A bin at its position in the order.
#[derive(Debug)]
struct ExpectedBin {
    name: BinName,
    /// The field that the bin fills, if any.
    field: Option<usize>,
    /// How the bin is recognized at once, if it was a number and fills a field.
    number: Option<ExpectedNumber>,
}

/// A bin that was an integer or a float in a previous record and fills a field. All of its operation except the eight
/// bytes of the value is known in advance and compared with three loads.
#[derive(Clone, Copy, Debug)]
struct ExpectedNumber {
    /// The first eight bytes of the operation: size, code, particle type, flags and name length.
    header: u64,
    /// The first eight bytes of the name, or [`Self::tail`] if the name is shorter.
    head: u64,
    /// The eight bytes before the value: the end of the name, preceded by the end of the header if the name is short.
    tail: u64,
    name_length: u8,
    target: NumberTarget,
}

/// Where an expected number goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberTarget {
    pub(crate) field: usize,
    pub(crate) slot: Slot,
    /// Whether the value is a float; otherwise it is an integer.
    pub(crate) is_float: bool,
    /// Whether the bits of the value are copied without conversion.
    pub(crate) is_copied: bool,
}

/// Size of an operation's header.
const HEADER: usize = 8;
/// Size of an integer or a float.
const VALUE: usize = 8;

impl BinOrder {
    /// The order in which a server sends the plan's bins if asked for them.
    pub(crate) fn new(plan: &Plan) -> Self {
        let expected = |(name, field)| ExpectedBin { name, field: Some(field), number: None };
        Self { bins: plan.expected_order().into_iter().map(expected).collect(), unmatched: Vec::new() }
    }

    /// The names of bins that came and fill no field.
    pub(crate) fn take_unmatched(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.unmatched)
    }

    #[cold]
    fn keep_unmatched(&mut self, name: &[u8]) {
        if self.unmatched.len() < KEPT_NAMES && !self.unmatched.iter().any(|kept| **kept == *name) {
            self.unmatched.push(name.into());
        }
    }

    /// Takes the first operation off `ops` if it is the number that is expected at position `at`. Returns its target
    /// and its eight bytes.
    #[inline]
    pub(crate) fn take_number(&self, at: usize, ops: &mut &[u8]) -> Option<(&NumberTarget, [u8; VALUE])> {
        let number = self.bins.get(at)?.number.as_ref()?;
        let (value, rest) = number.take(ops)?;
        *ops = rest;
        Some((&number.target, value))
    }

    /// The field that the bin of an operation fills, if any. `at` is the position of the operation in the order, and is
    /// advanced to that of the next one.
    pub(crate) fn field_of(&mut self, plan: &Plan, op: &Op<'_>, at: &mut usize) -> Option<usize> {
        let name = BinName::new(op.name)?;
        let last = self.bins.len().min(at.saturating_add(AHEAD + 1));
        let found = (*at..last).find(|&position| self.bins.get(position).is_some_and(|bin| bin.name == name));
        let position = found.unwrap_or(*at);
        *at = position + 1;
        if found.is_none() {
            let expected = ExpectedBin { name, field: plan.field_of(name), number: None };
            if expected.field.is_none() {
                self.keep_unmatched(op.name);
            }
            match self.bins.get_mut(position) {
                Some(bin) => *bin = expected,
                None if position < REMEMBERED => self.bins.push(expected),
                None => return expected.field,
            }
        }
        let bin = self.bins.get_mut(position)?;
        if let Some(field) = bin.field {
            bin.number = ExpectedNumber::expect(plan, field, op);
        }
        bin.field
    }
}

impl ExpectedNumber {
    /// Expects an operation like this one, which fills `field`. `None` if its value is not a number.
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
        let slot = plan.decoders().get(field)?.slot();
        Some(Self {
            header: word(0)?,
            head: word(length.min(HEADER))?,
            tail: word(length)?,
            name_length,
            target: NumberTarget { field, slot, is_float, is_copied: slot.copies(is_float) },
        })
    }

    /// The value and the bytes after it, if `ops` begins with the expected operation.
    #[inline]
    fn take<'a>(&self, ops: &'a [u8]) -> Option<([u8; VALUE], &'a [u8])> {
        let name_length = usize::from(self.name_length);
        let (op, rest) = ops.split_at_checked(HEADER + name_length + VALUE)?;
        let header = u64::from_le_bytes(*op.first_chunk()?);
        let head = u64::from_le_bytes(*op.get(name_length.min(HEADER)..)?.first_chunk()?);
        let tail = u64::from_le_bytes(*op.get(name_length..)?.first_chunk()?);
        let value = *op.last_chunk()?;
        let same = header == self.header && head == self.head && tail == self.tail;
        same.then_some((value, rest))
    }
}

#[cfg(test)]
mod tests {
    use dtype_schema::{Element, Field, Schema};
    use wire_protocol::message::{Ops, op, write_op};

    use super::*;
    use crate::Casting;

    fn plan(names: &[&str]) -> Plan {
        let element = Element::from_numpy("x", 'i', 8, '=').unwrap();
        let field = |(at, name): (usize, &&str)| Field::new(name, at * 8, element, &[]).unwrap();
        let fields = names.iter().enumerate().map(field).collect();
        Plan::new(Schema::new(fields, names.len() * 8).unwrap(), Casting::Unsafe, None)
    }

    fn operation(name: &[u8], kind: u8, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_op(&mut out, op::READ, kind, name, value);
        out
    }

    fn look_up(order: &mut BinOrder, plan: &Plan, operation: &[u8], at: &mut usize) -> Option<usize> {
        order.field_of(plan, &Ops::over(operation).next().unwrap(), at)
    }

    #[test]
    fn a_number_is_expected_to_the_last_byte() {
        for length in 0..=MAX_BIN_NAME {
            let name = &"abcdefghijklmno"[..length];
            let plan = plan(&[name]);
            let mut order = BinOrder::new(&plan);
            let given = operation(name.as_bytes(), particle_type::INTEGER, &7i64.to_be_bytes());
            assert!(order.take_number(0, &mut given.as_slice()).is_none(), "nothing is known yet");
            assert_eq!(look_up(&mut order, &plan, &given, &mut 0), Some(0));

            let two = [given.as_slice(), b"next"].concat();
            let mut rest = two.as_slice();
            let (target, value) = order.take_number(0, &mut rest).unwrap();
            assert_eq!((target.field, target.is_float, target.is_copied), (0, false, true));
            assert_eq!((value, rest), (7i64.to_be_bytes(), &b"next"[..]));
            // Any byte but the value's is another operation.
            for at in 0..HEADER + length {
                let mut other = given.clone();
                other[at] ^= 0x20;
                let mut rest = other.as_slice();
                assert!(order.take_number(0, &mut rest).is_none(), "byte {at} of a name of {length}");
                assert_eq!(rest.len(), other.len());
            }
            for end in 0..given.len() {
                assert!(order.take_number(0, &mut &given[..end]).is_none());
            }
        }
    }

    #[test]
    fn the_order_is_learned() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let plan = plan(&names);
        let value = |name: &str| operation(name.as_bytes(), particle_type::FLOAT, &1f64.to_be_bytes());
        // From the last to the first, with others between: slow once, then known.
        let answers: Vec<Vec<u8>> = ["g", "x", "e", "d", "y", "b", "a"].map(value).into();
        let mut order = BinOrder::new(&plan);
        for round in 0..4 {
            let (mut at, mut known) = (0, 0);
            let mut fields = Vec::new();
            for answer in &answers {
                if let Some((target, _)) = order.take_number(at, &mut answer.as_slice()) {
                    assert!(target.is_float && !target.is_copied);
                    fields.push(target.field);
                    at += 1;
                    known += 1;
                } else {
                    fields.extend(look_up(&mut order, &plan, answer, &mut at));
                }
            }
            assert_eq!(fields, [6, 4, 3, 1, 0]);
            // Known places are not looked up again.
            let unmatched = if round == 0 { vec![Box::from(*b"x"), Box::from(*b"y")] } else { vec![] };
            assert_eq!(order.take_unmatched(), unmatched);
            assert!(round < 3 || known >= 4, "{known} in round {round}");
        }
    }

    #[test]
    fn records_that_lack_bins_keep_the_order() {
        let names = ["a", "b", "c", "d", "e"];
        let plan = plan(&names);
        let value = |name: &&str| operation(name.as_bytes(), particle_type::INTEGER, &[0; 8]);
        let mut order = BinOrder::new(&plan);
        let mut missed = 0;
        for lacks in ["-", "b", "a", "d", "e", "-", "c"] {
            let mut at = 0;
            for (field, name) in names.iter().enumerate().filter(|&(_, &name)| name != lacks) {
                let answer = value(name);
                let found = order.take_number(at, &mut answer.as_slice()).map(|(target, _)| target.field);
                if found.is_some() {
                    at += 1;
                } else {
                    missed += 1;
                }
                let found = found.or_else(|| look_up(&mut order, &plan, &answer, &mut at));
                assert_eq!(found, Some(field));
            }
        }
        // All of the first record, then the bin after each gap.
        assert_eq!(missed, 5 + 4);
    }

    #[test]
    fn what_is_no_number_is_looked_up() {
        let plan = plan(&["a"]);
        let mut order = BinOrder::new(&plan);
        let texts = [operation(b"a", particle_type::STRING, b"12345678"), operation(b"a", 1, b"1234")];
        for text in texts {
            for _ in 0..2 {
                assert!(order.take_number(0, &mut text.as_slice()).is_none());
                assert_eq!(look_up(&mut order, &plan, &text, &mut 0), Some(0));
            }
        }
        let long = operation(&[b'a'; 16], 1, &[0; 8]);
        assert_eq!(look_up(&mut order, &plan, &long, &mut 0), None);
    }
}
