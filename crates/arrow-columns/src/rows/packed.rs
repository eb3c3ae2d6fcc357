//! Rows whose turn has not come, packed: the bins of each row without their names.
//!
//! An entry is the number of the bin (two bytes), its particle type, and its value: eight bytes of an integer or float,
//! four bytes of length and the value for other types.

use std::collections::HashMap;
use std::sync::Arc;

use wire_protocol::particle::particle_type;

use super::bin_order::BinOrder;
use crate::schema::ColumnPlan;

/// Bins that may have numbers. Servers allow half as many in a record.
pub(crate) const MOST_BINS: usize = 60_000;

/// The type of an integer or float that is not 8 bytes long. No server sends these.
const BAD_INTEGER: u8 = 0xf1;
const BAD_FLOAT: u8 = 0xf2;

/// The bytes of an entry before its value.
const MOST_HEADER: usize = 7;

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

    pub(crate) fn number(&mut self, name: &[u8]) -> Option<u16> {
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
    /// Where the next entry will be.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The row whose entries are those from `start` on.
    pub(crate) fn row_from(&self, start: usize) -> RowSpan {
        RowSpan { start, len: self.bytes.len() - start }
    }

    /// Appends the bins of an answer as a row, and returns where it is; `None` without memory for it.
    pub(crate) fn push_row(&mut self, ops: &[u8], bins: &mut Bins, order: &mut BinOrder) -> Option<RowSpan> {
        let (start, mut rest, mut at) = (self.len(), ops, 0);
        while let Some(bin) = order.next(&mut at, &mut rest, |name| bins.number(name)) {
            if let Some(number) = bin.number
                && !self.push(number, bin.kind, bin.value)
            {
                return None;
            }
        }
        Some(self.row_from(start))
    }

    /// Appends an entry. False without memory for it.
    #[inline]
    pub(crate) fn push(&mut self, number: u16, kind: u8, value: &[u8]) -> bool {
        let size = value.len() + MOST_HEADER;
        if self.bytes.capacity() - self.bytes.len() < size && self.bytes.try_reserve(size).is_err() {
            return false;
        }
        let [low, high] = number.to_le_bytes();
        let is_number = matches!(kind, particle_type::INTEGER | particle_type::FLOAT);
        if is_number && let Ok(value) = <[u8; 8]>::try_from(value) {
            let [a, b, c, d, e, f, g, h] = value;
            self.bytes.extend_from_slice(&[low, high, kind, a, b, c, d, e, f, g, h]);
            return true;
        }
        let kind = match kind {
            particle_type::INTEGER => BAD_INTEGER,
            particle_type::FLOAT => BAD_FLOAT,
            kind => kind,
        };
        // A frame is far below 4 GiB.
        let [a, b, c, d] = (value.len() as u32).to_le_bytes();
        self.bytes.extend_from_slice(&[low, high, kind, a, b, c, d]);
        self.bytes.extend_from_slice(value);
        true
    }

    /// The entries of a row.
    pub(crate) fn row(&self, span: RowSpan) -> Entries<'_> {
        Entries { rest: self.bytes.get(span.start..span.start + span.len).unwrap_or_default() }
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
