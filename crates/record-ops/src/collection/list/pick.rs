//! Selects elements of a list. The selection is the same for reading and for removing.

use std::ops::Range;

use wire_protocol::collection::return_type as t;

use crate::bin::Bin;
use crate::collection::list::{By, List, Selector};
use crate::collection::request::items;
use crate::collection::result::{Outcome, Want, signed};
use crate::collection::select::{
    Found, TOO_BIG, Taken, by_rank, mask_of, match_items, range, relative, set_positions,
};
use crate::error::OpError;
use crate::value::{MAX_VALUE, compare};

/// What is selected, and the result.
pub(super) type Picked = Result<(Taken, Option<Bin>), OpError>;

/// The values that an operation looks for.
#[derive(Clone, Copy)]
enum Values<'a> {
    Equal(&'a [u8]),
    From(&'a [u8], Option<&'a [u8]>),
}

impl<'a> List<'a> {
    pub(super) fn pick(&self, selector: &Selector<'_>) -> Picked {
        let want = selector.want;
        match selector.by {
            By::Index(index, count) => self.by_index(want, index, count),
            By::Rank(rank, count) => self.by_rank(want, rank, count),
            By::Value(value) => self.by_value(want, Values::Equal(value)),
            By::Interval(start, end) => self.by_value(want, Values::From(start, end)),
            By::Values(values) => self.by_values(want, values, selector.reads),
            By::Relative(value, rank, count) => {
                let base = self.items.iter().filter(|item| compare(item, value).is_lt()).count();
                let (rank, count) = relative(rank, count, base);
                if self.is_ordered() {
                    self.by_index(want, rank, count)
                } else {
                    self.by_rank(want, rank, count)
                }
            }
        }
    }

    /// The rank of each position: the number of lower elements.
    fn ranks(&self, positions: impl Iterator<Item = usize>) -> Vec<usize> {
        if self.is_ordered() {
            return positions.collect();
        }
        let order = self.order();
        positions
            .map(|at| order.partition_point(|&other| compare(self.items[other], self.items[at]).is_lt()))
            .collect()
    }

    fn values_at(&self, want: Want, positions: &[usize]) -> Outcome {
        let values: Vec<&[u8]> = positions.iter().map(|&at| self.items[at]).collect();
        want.values(&values)
    }

    fn nothing(want: Want, index: usize) -> Outcome {
        if want.kind == t::KEY || want.is_map() { want.unsupported() } else { want.nothing(signed(index)) }
    }

    pub(super) fn by_index(&self, mut want: Want, index: i64, count: u64) -> Picked {
        let len = self.len();
        let mut run = range(index, count, len, want.is_multi)
            .ok_or(OpError::not_applicable("the list has no element at this index"))?;
        if want.is_inverted {
            want.check_inverted()?;
            if want.is_index_range() || want.is_rank_range() {
                return want.unsupported();
            }
            want = want.upright();
            run = if run.is_empty() {
                0..len
            } else if run.start == 0 {
                run.end..len
            } else if run.end >= len {
                0..run.start
            } else {
                return self.all_but(want, run);
            };
        }
        if run.is_empty() {
            return Ok((Taken::Nothing, Self::nothing(want, run.start)?));
        }
        let result = match want.kind {
            t::NONE | t::COUNT | t::EXISTS | t::INDEX | t::REVERSE_INDEX => want.run(run.clone(), len)?,
            t::RANK | t::REVERSE_RANK if run.len() == len || self.is_ordered() => {
                want.run(run.clone(), len)?
            }
            t::RANK | t::REVERSE_RANK => Some(want.positions(&self.ranks(run.clone()), len)?),
            t::VALUE => want.values(&self.items[run.clone()])?,
            _ if want.is_index_range() || want.is_rank_range() && self.is_ordered() => {
                Some(want.run_pair(run.clone(), len)?)
            }
            _ => return want.unsupported(),
        };
        Ok((Taken::Range(run), result))
    }

    /// All elements but a run that has elements before and behind it.
    fn all_but(&self, want: Want, run: Range<usize>) -> Picked {
        let len = self.len();
        let outside = [0..run.start, run.end..len];
        let result = match want.kind {
            t::NONE => None,
            t::COUNT => Some(Bin::int(signed(len - run.len()))),
            t::EXISTS => Some(Bin::bool(true)),
            t::INDEX | t::REVERSE_INDEX => Some(want.numbers(&outside, len)?),
            t::RANK | t::REVERSE_RANK if self.is_ordered() => Some(want.numbers(&outside, len)?),
            t::RANK | t::REVERSE_RANK => {
                Some(want.positions(&self.ranks(outside.into_iter().flatten()), len)?)
            }
            t::VALUE => want.values(&[&self.items[..run.start], &self.items[run.end..]].concat())?,
            _ => return want.unsupported(),
        };
        Ok((Taken::AllBut(run), result))
    }

    fn by_value(&self, want: Want, values: Values<'_>) -> Picked {
        want.check_inverted()?;
        let len = self.len();
        if self.is_ordered() {
            let run = self.ordered_run(values, want.is_multi);
            if run.is_empty() && !want.is_multi {
                return Ok((Taken::Nothing, Self::nothing(want, 0)?));
            }
            return self.by_index(want, signed(run.start), run.len() as u64);
        }
        let mut less = 0;
        let mut positions = Vec::new();
        for (at, item) in self.items.iter().enumerate() {
            let (start, is_inside) = match values {
                Values::Equal(value) => {
                    let order = compare(item, value);
                    (order, order.is_eq())
                }
                Values::From(start, end) => {
                    let order = compare(item, start);
                    (order, order.is_ge() && end.is_none_or(|end| compare(item, end).is_lt()))
                }
            };
            less += usize::from(start.is_lt());
            if is_inside != want.is_inverted && (want.is_multi || positions.is_empty()) {
                positions.push(at);
            }
        }
        let count = if want.is_inverted { len - positions.len() } else { positions.len() };
        let result = match want.kind {
            t::NONE | t::COUNT | t::EXISTS => want.run(0..count, len)?,
            _ if want.is_rank() || want.is_rank_range() => want.run(less..less + count, len)?,
            t::INDEX | t::REVERSE_INDEX => Some(want.positions(&positions, len)?),
            t::VALUE => self.values_at(want, &positions)?,
            _ => return want.unsupported(),
        };
        Ok((Taken::Mask(mask_of(&positions, len, false)), result))
    }

    /// Where the values are in an ordered list.
    fn ordered_run(&self, values: Values<'_>, is_multi: bool) -> Range<usize> {
        match values {
            Values::Equal(value) => {
                let (start, end) = (self.lower_bound(value), self.upper_bound(value));
                start..if is_multi { end.max(start) } else { end.clamp(start, start + 1) }
            }
            Values::From(start, None) => self.lower_bound(start)..self.len(),
            Values::From(start, Some(end)) => {
                let first = self.lower_bound(start);
                if compare(start, end).is_ge() {
                    first..first
                } else {
                    first..self.lower_bound(end).max(first)
                }
            }
        }
    }

    fn by_rank(&self, want: Want, rank: i64, count: u64) -> Picked {
        want.check_inverted()?;
        if self.is_ordered() {
            return self.by_index(want, rank, count);
        }
        let len = self.len();
        let ranks = range(rank, count, len, want.is_multi)
            .ok_or(OpError::not_applicable("the list has no element of this rank"))?;
        if if want.is_inverted { ranks.len() == len } else { ranks.is_empty() } {
            return Ok((Taken::Nothing, Self::nothing(want, ranks.start)?));
        }
        if want.is_inverted && want.is_rank_range() {
            return want.unsupported();
        }
        let positions = by_rank(&ranks, len, |a, b| self.compare(a, b));
        let mask = mask_of(&positions, len, want.is_inverted);
        let result = match want.kind {
            t::NONE | t::COUNT | t::EXISTS => want.run(ranks, len)?,
            _ if want.is_rank() || want.is_rank_range() => want.run(ranks, len)?,
            t::INDEX | t::REVERSE_INDEX => Some(want.positions(&set_positions(&mask), len)?),
            t::VALUE if want.is_inverted => self.values_at(want, &set_positions(&mask))?,
            t::VALUE => self.values_at(want, &positions)?,
            _ => return want.unsupported(),
        };
        Ok((Taken::Mask(mask), result))
    }

    fn by_values(&self, want: Want, values: &[u8], reads: bool) -> Picked {
        if want.is_rank_range() || want.is_index_range() {
            return want.unsupported();
        }
        let values = items(values)?;
        let len = self.len();
        if values.is_empty() {
            if want.is_inverted {
                return self.by_index(want.upright(), 0, len as u64);
            }
            return Ok((Taken::Nothing, Self::nothing(want, 0)?));
        }
        if self.is_ordered() {
            return self.by_values_ordered(want, &values, reads);
        }
        let matches = match_items(&values, len, want.is_inverted, want.is_rank(), |at| self.items[at]);
        let positions = set_positions(&matches.mask);
        let result = match want.kind {
            t::NONE => None,
            t::INDEX | t::REVERSE_INDEX => Some(want.positions(&positions, len)?),
            t::RANK | t::REVERSE_RANK => Some(want.found_items(&matches.found, &matches.order, len)?),
            t::COUNT => Some(Bin::int(signed(positions.len()))),
            t::EXISTS => Some(Bin::bool(!positions.is_empty())),
            t::VALUE => self.values_at(want, &positions)?,
            _ => return want.unsupported(),
        };
        Ok((Taken::Mask(matches.mask), result))
    }

    fn by_values_ordered(&self, want: Want, values: &[&[u8]], reads: bool) -> Picked {
        let len = self.len();
        let found: Vec<Found> = values
            .iter()
            .map(|value| {
                let run = self.ordered_run(Values::Equal(value), true);
                Found { start: run.start, count: run.len() }
            })
            .collect();
        let mask = want.found_mask(&found, None, len)?;
        let positions = set_positions(&mask);
        let result = match want.kind {
            t::NONE => None,
            t::COUNT => Some(Bin::int(signed(positions.len()))),
            // An inverted read has looked at the mask, too.
            t::EXISTS if reads && !want.is_inverted => {
                Some(Bin::bool(found.iter().any(|found| found.count > 0)))
            }
            t::EXISTS => Some(Bin::bool(!positions.is_empty())),
            _ if (want.is_index() || want.is_rank()) && want.is_inverted => {
                Some(want.positions(&positions, len)?)
            }
            _ if want.is_index() || want.is_rank() => Some(want.found_runs(&found, None, len)?),
            t::VALUE if want.is_inverted => self.values_at(want, &positions)?,
            t::VALUE => {
                let mut size = 0;
                let mut selected = Vec::new();
                for item in found.iter().flat_map(|found| &self.items[found.start..found.start + found.count])
                {
                    size += item.len();
                    if size > MAX_VALUE {
                        return Err(TOO_BIG);
                    }
                    selected.push(*item);
                }
                want.values(&selected)?
            }
            _ => return want.unsupported(),
        };
        Ok((Taken::Mask(mask), result))
    }
}
