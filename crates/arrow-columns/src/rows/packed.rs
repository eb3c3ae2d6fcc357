//! Rows whose turn has not come, packed: the bins of each row without their names.
//!
//! An entry is the number of the bin (two bytes), its particle type, and its value: eight bytes of an integer or float,
//! four bytes of length and the value for other types.

use std::collections::HashMap;
use std::sync::Arc;

use wire_protocol::message::{Op, Ops};
use wire_protocol::particle::particle_type;

use crate::schema::ColumnPlan;

/// Bins that may have numbers. Servers allow half as many in a record.
pub(crate) const MOST_BINS: usize = 60_000;

/// The type of an integer or float that is not 8 bytes long. No server sends these.
const BAD_INTEGER: u8 = 0xf1;
const BAD_FLOAT: u8 = 0xf2;

/// Which bins have which numbers.
#[derive(Debug)]
pub(crate) enum Bins {
    /// Those of a plan; others are left out.
    Planned(Arc<ColumnPlan>),
    /// All that come, in the order in which they were seen.
    Seen { names: Vec<Box<[u8]>>, numbers: HashMap<Box<[u8]>, u16>, has_too_many: bool },
}

impl Bins {
    pub(crate) fn seen() -> Self {
        Self::Seen { names: Vec::new(), numbers: HashMap::new(), has_too_many: false }
    }

    fn number(&mut self, name: &[u8]) -> Option<u16> {
        match self {
            Self::Planned(plan) => plan.source(name).map(|source| source as u16),
            Self::Seen { names, numbers, has_too_many } => {
                if let Some(&number) = numbers.get(name) {
                    return Some(number);
                }
                if names.len() == MOST_BINS {
                    *has_too_many = true;
                    return None;
                }
                let number = names.len() as u16;
                names.push(name.into());
                numbers.insert(name.into(), number);
                Some(number)
            }
        }
    }
}

/// The bins of the record before, in its order: those of the next record mostly come in the same.
#[derive(Debug, Default)]
pub(crate) struct BinOrder(Vec<(Box<[u8]>, Option<u16>)>);

impl BinOrder {
    /// The number of the bin that comes at place `at` of its record, as `look_up` says when it is not the one that came
    /// there before.
    #[inline]
    pub(crate) fn number(
        &mut self,
        at: usize,
        name: &[u8],
        look_up: impl FnOnce(&[u8]) -> Option<u16>,
    ) -> Option<u16> {
        match self.0.get(at) {
            Some((known, number)) if **known == *name => *number,
            _ => {
                let number = look_up(name);
                match self.0.get_mut(at) {
                    Some(known) => *known = (name.into(), number),
                    None if at < MOST_BINS => self.0.push((name.into(), number)),
                    None => {}
                }
                number
            }
        }
    }
}

/// Where a row is in its [`PackedRows`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSpan {
    start: usize,
    pub(crate) len: usize,
}

/// Packed rows.
#[derive(Debug, Default)]
pub(crate) struct PackedRows {
    bytes: Vec<u8>,
}

impl PackedRows {
    /// Appends the operations of an answer as a row, and returns where it is. `ignored` is told of bins without a
    /// number; those that `takes` returns true for are not packed.
    #[inline]
    pub(crate) fn push(
        &mut self,
        ops: &[u8],
        (bins, order): (&mut Bins, &mut BinOrder),
        mut ignored: impl FnMut(&[u8]),
        mut takes: impl FnMut(u16, &Op<'_>) -> bool,
    ) -> RowSpan {
        let start = self.bytes.len();
        for (at, op) in Ops::over(ops).enumerate() {
            let Some(number) = order.number(at, op.name, |name| bins.number(name)) else {
                ignored(op.name);
                continue;
            };
            if takes(number, &op) {
                continue;
            }
            let [low, high] = number.to_le_bytes();
            let kind = op.particle_type;
            let is_number = matches!(kind, particle_type::INTEGER | particle_type::FLOAT);
            if is_number && let Ok(value) = <[u8; 8]>::try_from(op.value) {
                let [a, b, c, d, e, f, g, h] = value;
                self.bytes.extend_from_slice(&[low, high, kind, a, b, c, d, e, f, g, h]);
                continue;
            }
            let kind = match kind {
                particle_type::INTEGER => BAD_INTEGER,
                particle_type::FLOAT => BAD_FLOAT,
                kind => kind,
            };
            // A frame is far below 4 GiB.
            let [a, b, c, d] = (op.value.len() as u32).to_le_bytes();
            self.bytes.extend_from_slice(&[low, high, kind, a, b, c, d]);
            self.bytes.extend_from_slice(op.value);
        }
        RowSpan { start, len: self.bytes.len() - start }
    }

    /// The entries of a row.
    pub(crate) fn row(&self, span: RowSpan) -> Entries<'_> {
        Entries { rest: self.bytes.get(span.start..span.start + span.len).unwrap_or_default() }
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }
}

/// An entry of a packed row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) number: u16,
    pub(crate) kind: u8,
    pub(crate) value: &'a [u8],
}

pub(crate) struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let (head, rest) = self.rest.split_first_chunk::<2>()?;
        let number = u16::from_le_bytes(*head);
        let (&kind, rest) = rest.split_first()?;
        if matches!(kind, particle_type::INTEGER | particle_type::FLOAT) {
            let (value, rest) = rest.split_at_checked(8)?;
            self.rest = rest;
            return Some(Entry { number, kind, value });
        }
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        self.rest = rest;
        let kind = match kind {
            BAD_INTEGER => particle_type::INTEGER,
            BAD_FLOAT => particle_type::FLOAT,
            kind => kind,
        };
        Some(Entry { number, kind, value })
    }
}
