//! What an operation returns of the elements that it selects.

use std::ops::Range;

use wire_protocol::collection::return_type as t;
use wire_protocol::msgpack::{self, KEY_ORDERED, PRESERVE_ORDER, Reader, Token};
use wire_protocol::particle::particle_type;

use crate::bin::Bin;
use crate::collection::select::{Found, TOO_BIG};
use crate::error::OpError;
use crate::value::{MAX_VALUE, Value};

/// The first index (from the front or the back) of a run and its length, as a list. No client asks for them.
pub(super) const INDEX_RANGE: i64 = 9;
pub(super) const REVERSE_INDEX_RANGE: i64 = 10;
pub(super) const RANK_RANGE: i64 = 11;
pub(super) const REVERSE_RANK_RANGE: i64 = 12;

/// The result of an operation, if it has one.
pub(super) type Outcome = Result<Option<Bin>, OpError>;

/// The return type of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) kind: i64,
    /// Whether the elements that are not selected are meant.
    pub(super) is_inverted: bool,
    /// Whether several elements can be selected, so that the result is a list.
    pub(super) is_multi: bool,
}

const UNSUPPORTED: OpError = OpError::not_applicable("the operation does not have this return type");

impl Want {
    pub(super) fn new(flags: u64, is_multi: bool) -> Self {
        Self { kind: (flags & 0xffff) as i64, is_inverted: flags & t::INVERTED as u64 != 0, is_multi }
    }

    pub(super) fn plain(kind: i64, is_multi: bool) -> Self {
        Self { kind, is_inverted: false, is_multi }
    }

    /// The same, of what is selected.
    pub(super) fn upright(self) -> Self {
        Self { is_inverted: false, ..self }
    }

    /// Refuses an inverted selection of a single element.
    pub(super) fn check_inverted(self) -> Result<(), OpError> {
        if self.is_inverted && !self.is_multi {
            return Err(OpError::not_applicable("an operation on one element cannot be inverted"));
        }
        Ok(())
    }

    pub(super) fn is_map(self) -> bool {
        matches!(self.kind, t::KEY_VALUE | t::UNORDERED_MAP | t::ORDERED_MAP)
    }

    pub(super) fn is_elements(self) -> bool {
        matches!(self.kind, t::KEY | t::VALUE) || self.is_map()
    }

    pub(super) fn is_index(self) -> bool {
        matches!(self.kind, t::INDEX | t::REVERSE_INDEX)
    }

    pub(super) fn is_rank(self) -> bool {
        matches!(self.kind, t::RANK | t::REVERSE_RANK)
    }

    pub(super) fn is_index_range(self) -> bool {
        matches!(self.kind, INDEX_RANGE | REVERSE_INDEX_RANGE)
    }

    pub(super) fn is_rank_range(self) -> bool {
        matches!(self.kind, RANK_RANGE | REVERSE_RANK_RANGE)
    }

    pub(super) fn is_reverse(self) -> bool {
        matches!(self.kind, t::REVERSE_INDEX | t::REVERSE_RANK | REVERSE_INDEX_RANGE | REVERSE_RANK_RANGE)
    }

    /// Refuses the return type.
    pub(super) fn unsupported<T>(self) -> Result<T, OpError> {
        Err(UNSUPPORTED)
    }

    /// The result if no element is selected.
    pub(super) fn nothing(self, index: i64) -> Outcome {
        Ok(match self.kind {
            t::NONE => None,
            INDEX_RANGE | REVERSE_INDEX_RANGE | RANK_RANGE | REVERSE_RANK_RANGE => {
                Some(integers([index, 0])?)
            }
            t::INDEX | t::REVERSE_INDEX | t::RANK | t::REVERSE_RANK => {
                Some(if self.is_multi { integers([])? } else { Bin::int(-1) })
            }
            t::COUNT => Some(Bin::int(0)),
            t::EXISTS => Some(Bin::bool(false)),
            t::KEY | t::VALUE => {
                if self.is_multi {
                    Some(integers([])?)
                } else {
                    None
                }
            }
            t::KEY_VALUE | t::UNORDERED_MAP | t::ORDERED_MAP => Some(self.pairs(&[])?),
            _ => return self.unsupported(),
        })
    }

    /// The result for a run of indexes or ranks among `len`: numbers, a count, or whether there are any.
    pub(super) fn run(self, run: Range<usize>, len: usize) -> Outcome {
        Ok(match self.kind {
            t::NONE => None,
            t::COUNT => Some(Bin::int(signed(if self.is_inverted { len - run.len() } else { run.len() }))),
            // As the server has it, even where nothing and everything is selected.
            t::EXISTS => Some(Bin::bool(run.is_empty() == self.is_inverted)),
            t::INDEX | t::REVERSE_INDEX | t::RANK | t::REVERSE_RANK => Some(if !self.is_multi {
                match run.is_empty() {
                    true => Bin::int(-1),
                    false => Bin::int(signed(self.counted_from_end(run.start, len))),
                }
            } else if self.is_inverted {
                self.numbers(&[0..run.start, run.end..len], len)?
            } else {
                self.numbers(&[run], len)?
            }),
            INDEX_RANGE | REVERSE_INDEX_RANGE | RANK_RANGE | REVERSE_RANK_RANGE => {
                if self.is_inverted {
                    return self.unsupported();
                }
                Some(self.run_pair(run, len)?)
            }
            _ => return self.unsupported(),
        })
    }

    /// The start of a run, and its length.
    pub(super) fn run_pair(self, run: Range<usize>, len: usize) -> Result<Bin, OpError> {
        let start = if self.is_reverse() { len - run.end } else { run.start };
        integers([signed(start), signed(run.len())])
    }

    fn counted_from_end(self, index: usize, len: usize) -> usize {
        if self.is_reverse() { len.saturating_sub(index + 1) } else { index }
    }

    /// The numbers in runs. Counted from the end, each run is ascending nevertheless.
    pub(super) fn numbers(self, runs: &[Range<usize>], len: usize) -> Result<Bin, OpError> {
        integers(runs.iter().flat_map(|run| {
            let start = if self.is_reverse() { len.saturating_sub(run.end) } else { run.start };
            (start..start + run.len()).map(signed)
        }))
    }

    /// The number of each position: a list, or the first of them.
    pub(super) fn positions(self, positions: &[usize], len: usize) -> Result<Bin, OpError> {
        let number = |&at: &usize| signed(self.counted_from_end(at, len));
        match positions.first() {
            _ if self.is_multi => integers(positions.iter().map(number)),
            Some(first) => Ok(Bin::int(number(first))),
            None => Ok(Bin::int(-1)),
        }
    }

    /// Values or keys: a list, or the first of them.
    pub(super) fn values(self, values: &[&[u8]]) -> Outcome {
        if !self.is_multi {
            return values.first().map_or(Ok(None), |first| element(first));
        }
        let mut out = list_header(values.len(), values.iter().map(|value| value.len()).sum())?;
        values.iter().for_each(|value| out.extend_from_slice(value));
        Ok(Some(Bin::new(particle_type::LIST, out)))
    }

    /// A map of pairs.
    pub(super) fn pairs(self, pairs: &[(&[u8], &[u8])]) -> Result<Bin, OpError> {
        let size: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > MAX_VALUE {
            return Err(TOO_BIG);
        }
        let kind = match self.kind {
            t::KEY_VALUE => PRESERVE_ORDER,
            t::ORDERED_MAP => KEY_ORDERED,
            _ => 0,
        };
        let mut out = Vec::with_capacity(size + 12);
        msgpack::write_map_header(&mut out, pairs.len() + usize::from(kind != 0));
        if kind != 0 {
            msgpack::write_ext(&mut out, kind, &[]);
            msgpack::write_nil(&mut out);
        }
        for (key, value) in pairs {
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
        Ok(Bin::new(particle_type::MAP, out))
    }
}

fn list_header(len: usize, size: usize) -> Result<Vec<u8>, OpError> {
    if size > MAX_VALUE {
        return Err(TOO_BIG);
    }
    let mut out = Vec::with_capacity(size + 5);
    msgpack::write_list_header(&mut out, len);
    Ok(out)
}

pub(super) fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A list of integers.
pub(super) fn integers(numbers: impl IntoIterator<Item = i64>) -> Result<Bin, OpError> {
    let mut content = Vec::new();
    let mut len = 0;
    for number in numbers {
        msgpack::write_int(&mut content, number);
        len += 1;
        if content.len() > MAX_VALUE {
            return Err(TOO_BIG);
        }
    }
    let mut out = list_header(len, content.len())?;
    out.extend_from_slice(&content);
    Ok(Bin::new(particle_type::LIST, out))
}

/// An element as a result of its own. Nil is none.
pub(super) fn element(value: &[u8]) -> Outcome {
    Ok(Some(match Reader::new(value).token() {
        Ok(Token::Nil) => return Ok(None),
        Ok(Token::List { .. }) => Bin::new(particle_type::LIST, value.to_vec()),
        Ok(Token::Map { .. }) => Bin::new(particle_type::MAP, value.to_vec()),
        Ok(Token::Int(number)) => Bin::int(number),
        Ok(Token::Str(text)) => Bin::new(particle_type::STRING, text.to_vec()),
        // Bytes of other particle types too.
        Ok(Token::Blob(bytes)) => Bin::new(particle_type::BLOB, bytes.to_vec()),
        _ => Value::parse(value)
            .map_err(|_| OpError::new(wire_protocol::ResultCode::SERVER_ERROR, "the element has no type"))?
            .to_bin(),
    }))
}

impl Want {
    /// The elements that the items of a list found. `index` has the position of each rank, if the items found ranks.
    pub(super) fn found_mask(
        self,
        found: &[Found],
        index: Option<&[usize]>,
        len: usize,
    ) -> Result<Vec<bool>, OpError> {
        let mut work = 0;
        let mut mask = vec![self.is_inverted; len];
        for found in found {
            work += found.count;
            if work > MAX_VALUE {
                return Err(TOO_BIG);
            }
            for at in found.start..found.start + found.count {
                let at = index.map_or(Some(at), |index| index.get(at).copied());
                if let Some(bit) = at.and_then(|at| mask.get_mut(at)) {
                    *bit = !self.is_inverted;
                }
            }
        }
        Ok(mask)
    }

    /// What each item found, in the order of the items.
    pub(super) fn found_runs(
        self,
        found: &[Found],
        index: Option<&[usize]>,
        len: usize,
    ) -> Result<Bin, OpError> {
        let runs = found.iter().map(|found| found.start..found.start + found.count);
        match index {
            None => {
                let runs: Vec<_> = runs.collect();
                self.numbers(&runs, len)
            }
            Some(index) => integers(
                runs.flatten()
                    .filter_map(|rank| index.get(rank))
                    .map(|&at| signed(self.counted_from_end(at, len))),
            ),
        }
    }

    /// What each item found, one by one; inverted, the gaps between what they found in their `order`.
    pub(super) fn found_items(self, found: &[Found], order: &[usize], len: usize) -> Result<Bin, OpError> {
        if !self.is_inverted {
            return integers(
                found
                    .iter()
                    .flat_map(|found| found.start..found.start + found.count)
                    .map(|at| signed(self.counted_from_end(at, len))),
            );
        }
        let mut gaps = Vec::new();
        let mut before = 0;
        for found in order.iter().filter_map(|&item| found.get(item)).filter(|found| found.count > 0) {
            gaps.push(before..found.start.max(before));
            before = found.start + found.count;
        }
        gaps.push(before..len.max(before));
        self.numbers(&gaps, len)
    }
}
