//! The order in which a server sends the bins of records, learned from the records before.

use wire_protocol::message::Ops;

/// Places that are remembered. Further bins of a record are looked up by name.
const REMEMBERED: usize = 1024;

/// How many places ahead a bin is searched before it is looked up by name: what a record costs that lacks a few bins.
const AHEAD: usize = 3;

/// The longest name that is recognized at once. Bins of servers have shorter ones.
const MOST_NAME: usize = 16;

/// Size of an operation's header.
const HEADER: usize = 8;

/// The bins of the records before, in their order. The next bin of a record is expected to be the next one.
#[derive(Debug, Default)]
pub(crate) struct BinOrder(Vec<ExpectedBin>);

/// A bin of a record, read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextBin<'a> {
    /// Its number, if it has one.
    pub(crate) number: Option<u16>,
    pub(crate) name: &'a [u8],
    pub(crate) kind: u8,
    pub(crate) value: &'a [u8],
}

#[derive(Debug)]
struct ExpectedBin {
    name: Box<[u8]>,
    number: Option<u16>,
    /// How its operation is recognized without looking at each part; `None` for names that are too long.
    operation: Option<ExpectedOperation>,
}

/// What the next operation has in common with one before: all but its size and value.
#[derive(Clone, Copy, Debug)]
struct ExpectedOperation {
    /// Code, particle type, flags and length of the name, as the header has them.
    header: u32,
    kind: u8,
    name_length: usize,
    /// The first eight bytes of the name, if it is longer.
    head: u64,
    /// The last eight bytes of the name, or all of a shorter one.
    tail: u64,
    tail_mask: u64,
}

impl BinOrder {
    /// Takes the first operation off `ops`; `None` at their end. `at` is its place, and is advanced to that of the next
    /// one. `look_up` returns the number of a bin that is not where it was before.
    #[inline]
    pub(crate) fn next<'a>(
        &mut self,
        at: &mut usize,
        ops: &mut &'a [u8],
        look_up: impl FnOnce(&[u8]) -> Option<u16>,
    ) -> Option<NextBin<'a>> {
        if let Some(expected) = self.0.get(*at)
            && let Some(operation) = &expected.operation
            && let Some((name, value, rest)) = operation.take(ops)
        {
            *ops = rest;
            *at += 1;
            return Some(NextBin { number: expected.number, name, kind: operation.kind, value });
        }
        self.search(at, ops, look_up)
    }

    fn search<'a>(
        &mut self,
        at: &mut usize,
        ops: &mut &'a [u8],
        look_up: impl FnOnce(&[u8]) -> Option<u16>,
    ) -> Option<NextBin<'a>> {
        let op = Ops::over(ops).next()?;
        let length = HEADER + op.name.len() + op.value.len();
        let (bytes, rest) = ops.split_at_checked(length)?;
        *ops = rest;
        let ahead = *at..self.0.len().min(at.saturating_add(AHEAD + 1));
        let found =
            ahead.into_iter().find(|&place| self.0.get(place).is_some_and(|bin| *bin.name == *op.name));
        let place = found.unwrap_or(*at);
        *at = place + 1;
        let operation = ExpectedOperation::like(bytes, op.name.len());
        let number = match self.0.get_mut(place) {
            Some(bin) if found.is_some() => {
                bin.operation = operation;
                bin.number
            }
            bin => {
                let number = look_up(op.name);
                let expected = ExpectedBin { name: op.name.into(), number, operation };
                match bin {
                    Some(bin) => *bin = expected,
                    None if place < REMEMBERED => self.0.push(expected),
                    None => {}
                }
                number
            }
        };
        Some(NextBin { number, name: op.name, kind: op.particle_type, value: op.value })
    }
}

impl ExpectedOperation {
    /// Expects operations like this one, whose name has so many bytes.
    fn like(op: &[u8], name_length: usize) -> Option<Self> {
        if name_length > MOST_NAME {
            return None;
        }
        let [_, _, _, _, header @ ..] = *op.first_chunk::<HEADER>()?;
        let head = if name_length > 8 { word(op, HEADER)? } else { 0 };
        // Of a short name, the eight bytes that end with it begin in the header.
        let tail_mask = match name_length {
            0 => 0,
            length => u64::MAX << (8 * (8 - length.min(8))),
        };
        Some(Self {
            header: u32::from_be_bytes(header),
            kind: header[1],
            name_length,
            head,
            tail: tail_word(op, name_length)? & tail_mask,
            tail_mask,
        })
    }

    /// Name and value, and the bytes behind, if `ops` begins with such an operation.
    #[inline]
    fn take<'a>(&self, ops: &'a [u8]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
        let header = u64::from_be_bytes(*ops.first_chunk()?);
        if header as u32 != self.header {
            return None;
        }
        let (op, rest) = ops.split_at_checked(4 + (header >> 32) as usize)?;
        let (name, value) = op.get(HEADER..)?.split_at_checked(self.name_length)?;
        let is_same = tail_word(op, self.name_length)? & self.tail_mask == self.tail
            && (self.name_length <= 8 || word(op, HEADER)? == self.head);
        is_same.then_some((name, value, rest))
    }
}

/// The eight bytes at a place.
#[inline]
fn word(op: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*op.get(at..)?.first_chunk()?))
}

/// The eight bytes that end with the name.
#[inline]
fn tail_word(op: &[u8], name_length: usize) -> Option<u64> {
    word(op, name_length)
}

#[cfg(test)]
mod tests {
    use wire_protocol::message::{op, write_op};

    use super::*;

    fn operation(name: &[u8], kind: u8, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_op(&mut out, op::READ, kind, name, value);
        out
    }

    /// The names of a record's bins as `order` reads them, and how many of them were looked up.
    fn read(order: &mut BinOrder, names: &[&str]) -> (Vec<String>, usize) {
        let ops: Vec<u8> = names.iter().flat_map(|name| operation(name.as_bytes(), 3, b"value")).collect();
        let (mut rest, mut at, mut found, mut looked_up) = (ops.as_slice(), 0, Vec::new(), 0);
        let mut look_up = |name: &[u8]| {
            looked_up += 1;
            Some(u16::from(name[0]))
        };
        while let Some(bin) = order.next(&mut at, &mut rest, &mut look_up) {
            assert_eq!((bin.number, bin.kind, bin.value), (Some(u16::from(bin.name[0])), 3, &b"value"[..]));
            found.push(String::from_utf8_lossy(bin.name).into_owned());
        }
        assert!(rest.is_empty());
        (found, looked_up)
    }

    #[test]
    fn an_operation_is_expected_to_the_last_byte() {
        for length in 0..=20 {
            let name = &b"abcdefghijklmnopqrst"[..length];
            let given = operation(name, 3, b"a value of another length");
            let mut order = BinOrder::default();
            for value in [&b"some text"[..], b""] {
                let first = operation(name, 3, value);
                let bin = order.next(&mut 0, &mut first.as_slice(), |_| Some(7)).unwrap();
                assert_eq!((bin.number, bin.name, bin.kind, bin.value), (Some(7), name, 3, value));
            }
            assert_eq!(order.0[0].operation.is_some(), length <= MOST_NAME);
            let Some(expected) = order.0[0].operation else { continue };
            let (found, value, rest) = expected.take(&given).unwrap();
            assert_eq!((found, value, rest), (name, &b"a value of another length"[..], &b""[..]));
            // Any byte of type, flags or name makes it another operation.
            for at in 4..HEADER + length {
                let mut other = given.clone();
                other[at] ^= 0x20;
                assert!(expected.take(&other).is_none(), "byte {at} of a name of {length}");
            }
            for end in 0..given.len() {
                assert!(expected.take(&given[..end]).is_none());
            }
            let mut short = given.clone();
            short[3] = 3 + length as u8;
            assert!(expected.take(&short).is_none(), "a size without room for the name");
        }
    }

    #[test]
    fn the_order_is_learned() {
        let mut order = BinOrder::default();
        let names = ["a", "bb", "ccc", "a name of 15 by", "eeeee"];
        assert_eq!(read(&mut order, &names), (names.map(String::from).to_vec(), 5));
        assert_eq!(read(&mut order, &names).1, 0);
        // Records that lack bins.
        assert_eq!(read(&mut order, &["a", "eeeee"]), (vec!["a".into(), "eeeee".into()], 0));
        assert_eq!(read(&mut order, &["ccc"]).1, 0);
        assert_eq!(read(&mut order, &names).1, 0);
        // And others.
        assert_eq!(read(&mut order, &["x", "bb"]).1, 1);
        assert_eq!(read(&mut order, &["x", "bb"]).1, 0);
    }
}
