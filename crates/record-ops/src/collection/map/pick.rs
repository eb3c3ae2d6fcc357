//! Selects elements of a map. The selection is the same for reading and for removing.

use std::ops::Range;

use wire_protocol::collection::return_type as t;

use crate::bin::Bin;
use crate::collection::map::{By, Map, Pair, Selector};
use crate::collection::request::{has_nonstorage, items};
use crate::collection::result::{Outcome, Want, signed};
use crate::collection::select::{Found, Taken, mask_of, match_items, range, relative, set_positions, sorted};
use crate::error::OpError;
use crate::value::compare;

/// What is selected, and the result.
pub(super) type Picked = Result<(Taken, Option<Bin>), OpError>;

const NO_INDEX: OpError = OpError::not_applicable("the map has no element at this index");
const NO_RANK: OpError = OpError::not_applicable("the map has no element of this rank");

/// The values that an operation looks for.
#[derive(Clone, Copy)]
enum Values<'a> {
    Equal(&'a [u8]),
    From(&'a [u8], Option<&'a [u8]>),
}

impl Values<'_> {
    fn contains(&self, value: &[u8]) -> bool {
        match self {
            Self::Equal(wanted) => compare(value, wanted).is_eq(),
            Self::From(start, end) => {
                compare(value, start).is_ge() && end.is_none_or(|end| compare(value, end).is_lt())
            }
        }
    }

    fn start(&self) -> &[u8] {
        match self {
            Self::Equal(start) | Self::From(start, _) => start,
        }
    }
}

impl<'a> Map<'a> {
    pub(super) fn pick(&self, selector: &Selector<'_>) -> Picked {
        let want = selector.want;
        match selector.by {
            By::Key(key) => self.by_key(want, key),
            By::Keys(start, end) => self.by_keys(want, start, end),
            By::KeyList(keys) => self.by_key_list(want, keys, selector.reads),
            By::Index(index, count) => self.by_index(want, index, count),
            By::Rank(rank, count) => self.by_rank(want, rank, count),
            By::Value(value) => self.pick_values(want, Values::Equal(value)),
            By::Values(start, end) => self.pick_values(want, Values::From(start, end)),
            By::ValueList(values) => self.by_value_list(want, values),
            By::RelativeIndex(key, index, count) => {
                let (index, count) = relative(index, count, self.lower_bound(key));
                self.by_index(want, index, count)
            }
            By::RelativeRank(value, rank, count) => {
                let (rank, count) = relative(rank, count, self.lower_values(value));
                self.by_rank(want, rank, count)
            }
        }
    }

    /// Number of values that are less than this one.
    fn lower_values(&self, value: &[u8]) -> usize {
        self.pairs.iter().filter(|(_, other)| compare(other, value).is_lt()).count()
    }

    /// The ranks of these positions.
    fn ranks(&self, positions: &[usize]) -> Vec<usize> {
        if let [at] = *positions {
            let is_lower = |&other: &usize| self.compare_values(other, at).is_lt();
            return vec![(0..self.len()).filter(is_lower).count()];
        }
        let mut ranks = vec![0; self.len()];
        for (rank, at) in self.by_value().into_iter().enumerate() {
            ranks[at] = rank;
        }
        positions.iter().map(|&at| ranks[at]).collect()
    }

    /// Keys, values or pairs, in this order.
    fn elements(&self, want: Want, positions: &[usize]) -> Outcome {
        if want.is_map() {
            let pairs: Vec<Pair<'a>> = positions.iter().map(|&at| self.pairs[at]).collect();
            return want.pairs(&pairs).map(Some);
        }
        let part = |&at: &usize| if want.kind == t::KEY { self.pairs[at].0 } else { self.pairs[at].1 };
        let values: Vec<&[u8]> = positions.iter().map(part).collect();
        want.values(&values)
    }

    fn no_key(want: Want, index: i64) -> Outcome {
        if want.is_rank_range() { want.unsupported() } else { want.nothing(index) }
    }

    fn no_value(want: Want, rank: i64) -> Outcome {
        if want.is_index_range() { want.unsupported() } else { want.nothing(rank) }
    }

    fn by_key(&self, want: Want, key: &[u8]) -> Picked {
        if want.is_rank_range() {
            return want.unsupported();
        }
        let found = self.find(key);
        let Ok(at) = found else {
            if !self.is_ordered() {
                want.check_inverted()?;
            }
            return Ok((Taken::Nothing, Self::no_key(want, -1)?));
        };
        want.check_inverted()?;
        let run = at..at + 1;
        let result = match want.kind {
            _ if want.is_rank() => Some(want.positions(&self.ranks(&[at]), self.len())?),
            _ if want.is_elements() => self.elements(want, &[at])?,
            _ => want.run(run.clone(), self.len())?,
        };
        Ok((Taken::Range(run), result))
    }

    fn by_keys(&self, want: Want, start: &[u8], end: Option<&[u8]>) -> Picked {
        if want.is_rank_range() {
            return want.unsupported();
        }
        let first = self.lower_bound(start);
        let last = end.map_or(self.len(), |end| self.lower_bound(end)).max(first);
        if self.is_ordered() {
            return self.by_index(want, signed(first), (last - first) as u64);
        }
        let mask = mask_of(&(first..last).collect::<Vec<_>>(), self.len(), want.is_inverted);
        let result = match want.kind {
            _ if want.is_elements() => self.elements(want, &set_positions(&mask))?,
            _ if want.is_rank() => Some(want.positions(&self.ranks(&set_positions(&mask)), self.len())?),
            _ => want.run(first..last, self.len())?,
        };
        Ok((Taken::Mask(mask), result))
    }

    fn by_index(&self, mut want: Want, index: i64, count: u64) -> Picked {
        let len = self.len();
        let mut run = range(index, count, len, want.is_multi).ok_or(NO_INDEX)?;
        if want.is_rank_range() {
            return want.unsupported();
        }
        if want.is_inverted {
            want.check_inverted()?;
            if let Some(outside) = outside(&run, len) {
                want = want.upright();
                run = outside;
            } else {
                return self.all_but_indexes(want, run);
            }
        }
        if run.is_empty() {
            return Ok((Taken::Nothing, Self::no_key(want, signed(run.start))?));
        }
        if run.len() == len {
            return self.all(want);
        }
        let positions: Vec<usize> = run.clone().collect();
        let result = match want.kind {
            _ if want.is_elements() => self.elements(want, &positions)?,
            _ if want.is_rank() => Some(want.positions(&self.ranks(&positions), len)?),
            _ => want.run(run.clone(), len)?,
        };
        Ok((Taken::Range(run), result))
    }

    /// All elements but a run that has elements before and behind it.
    fn all_but_indexes(&self, want: Want, run: Range<usize>) -> Picked {
        let len = self.len();
        let mask = mask_of(&run.clone().collect::<Vec<_>>(), len, true);
        let positions = set_positions(&mask);
        let result = match want.kind {
            _ if want.is_elements() => self.elements(want, &positions)?,
            _ if want.is_rank() => Some(want.positions(&self.ranks(&positions), len)?),
            t::EXISTS if self.is_ordered() => Some(Bin::bool(true)),
            _ => want.run(run.clone(), len)?,
        };
        Ok((Taken::AllBut(run), result))
    }

    fn all(&self, want: Want) -> Picked {
        let len = self.len();
        let taken = Taken::Range(0..len);
        let result = match want.kind {
            t::NONE => None,
            t::COUNT => Some(Bin::int(signed(len))),
            t::EXISTS => Some(Bin::bool(len != 0)),
            _ if want.is_index() || want.is_rank() => Some(if want.is_multi {
                want.numbers(std::slice::from_ref(&(0..len)), len)?
            } else {
                Bin::int(0)
            }),
            _ if want.is_elements() => self.elements(want, &(0..len).collect::<Vec<_>>())?,
            _ if want.is_index_range() || want.is_rank_range() => {
                Some(crate::collection::result::integers([0, signed(len)])?)
            }
            _ => return want.unsupported(),
        };
        Ok((taken, result))
    }

    fn by_rank(&self, mut want: Want, rank: i64, count: u64) -> Picked {
        let len = self.len();
        let mut ranks = range(rank, count, len, want.is_multi).ok_or(NO_RANK)?;
        if want.is_index_range() {
            return want.unsupported();
        }
        if want.is_inverted {
            want.check_inverted()?;
            if let Some(outside) = outside(&ranks, len) {
                want = want.upright();
                ranks = outside;
            }
        }
        if ranks.is_empty() {
            return Ok((Taken::Nothing, Self::no_value(want, signed(ranks.start))?));
        }
        let order = self.by_value();
        let positions = &order[ranks.clone()];
        let mask = mask_of(positions, len, want.is_inverted);
        let result = match want.kind {
            t::INDEX | t::REVERSE_INDEX if want.is_inverted => {
                Some(want.positions(&set_positions(&mask), len)?)
            }
            t::INDEX | t::REVERSE_INDEX => Some(want.positions(positions, len)?),
            t::ORDERED_MAP => self.elements(want, &set_positions(&mask))?,
            _ if want.is_elements() && want.is_inverted => self.elements(want, &set_positions(&mask))?,
            _ if want.is_elements() => self.elements(want, positions)?,
            _ => want.run(ranks, len)?,
        };
        Ok((Taken::Mask(mask), result))
    }

    fn pick_values(&self, mut want: Want, values: Values<'_>) -> Picked {
        if want.is_index_range() {
            return want.unsupported();
        }
        want.check_inverted()?;
        let len = self.len();
        if len == 0 {
            return Ok((Taken::Nothing, Self::no_value(want, -1)?));
        }
        let mut inside: Vec<usize> = (0..len).filter(|&at| values.contains(self.pairs[at].1)).collect();
        let has_index = self.has_value_index();
        if has_index {
            // By rank, as the index has them.
            inside = sorted(inside.len(), |a, b| self.compare_values(inside[a], inside[b]))
                .into_iter()
                .map(|at| inside[at])
                .collect();
        } else if inside.is_empty() {
            if want.is_inverted {
                want = want.upright();
                return self.all(want);
            }
            let uses_rank = want.is_rank() || want.is_rank_range();
            let rank = if uses_rank { self.lower_values(values.start()) } else { 0 };
            return Ok((Taken::Nothing, Self::no_value(want, signed(rank))?));
        }
        if !want.is_multi {
            inside.truncate(1);
        }
        let mask = mask_of(&inside, len, want.is_inverted);
        let by_mask = want.is_inverted || !has_index || want.kind == t::ORDERED_MAP && want.is_elements();
        let positions = if by_mask { set_positions(&mask) } else { inside.clone() };
        let result = match want.kind {
            _ if want.is_elements() => self.elements(want, &positions)?,
            _ if want.is_index() => Some(want.positions(&positions, len)?),
            _ => {
                let start = self.lower_values(values.start());
                want.run(start..start + inside.len(), len)?
            }
        };
        Ok((Taken::Mask(mask), result))
    }

    fn by_key_list(&self, want: Want, keys: &[u8], reads: bool) -> Picked {
        let keys = items(keys)?;
        if keys.is_empty() {
            if want.is_rank() || want.is_index_range() || want.is_rank_range() {
                return want.unsupported();
            }
            if want.is_inverted {
                return self.all(want.upright());
            }
            // The server does not mind an unknown return type here.
            return Ok((Taken::Nothing, Self::no_key(want, 0).unwrap_or_default()));
        }
        let len = self.len();
        if !self.is_ordered() {
            let matches = match_items(&keys, len, want.is_inverted, want.is_index(), |at| self.pairs[at].0);
            let positions = set_positions(&matches.mask);
            let result = match want.kind {
                t::NONE => None,
                _ if want.is_index() => Some(want.found_items(&matches.found, &matches.order, len)?),
                t::COUNT => Some(Bin::int(signed(positions.len()))),
                t::EXISTS => Some(Bin::bool(!positions.is_empty())),
                _ if want.is_elements() => self.elements(want, &positions)?,
                _ => return want.unsupported(),
            };
            return Ok((Taken::Mask(matches.mask), result));
        }
        let found: Vec<Found> = keys
            .iter()
            .map(|key| match self.find(key) {
                _ if has_nonstorage(key) => {
                    let start = self.lower_bound(key);
                    Found { start, count: self.upper_bound(key).saturating_sub(start) }
                }
                Ok(start) => Found { start, count: 1 },
                Err(start) => Found { start, count: 0 },
            })
            .collect();
        let mask = want.found_mask(&found, None, len)?;
        let positions = set_positions(&mask);
        let result = match want.kind {
            t::NONE => None,
            _ if want.is_index() && want.is_inverted => Some(want.positions(&positions, len)?),
            _ if want.is_index() => Some(want.found_runs(&found, None, len)?),
            t::COUNT => Some(Bin::int(signed(positions.len()))),
            t::EXISTS if reads && !want.is_inverted => {
                Some(Bin::bool(found.iter().any(|found| found.count > 0)))
            }
            t::EXISTS => Some(Bin::bool(!positions.is_empty())),
            _ if want.is_elements() => self.elements(want, &positions)?,
            _ => return want.unsupported(),
        };
        Ok((Taken::Mask(mask), result))
    }

    fn by_value_list(&self, want: Want, values: &[u8]) -> Picked {
        let values = items(values)?;
        if values.is_empty() {
            if want.is_index_range() || want.is_rank_range() {
                return want.unsupported();
            }
            if want.is_inverted {
                return self.all(want.upright());
            }
            return Ok((Taken::Nothing, want.nothing(0).unwrap_or_default()));
        }
        let len = self.len();
        if self.has_value_index() {
            return self.by_value_list_indexed(want, &values);
        }
        let matches = match_items(&values, len, want.is_inverted, want.is_rank(), |at| self.pairs[at].1);
        let positions = set_positions(&matches.mask);
        let result = match want.kind {
            t::NONE => None,
            _ if want.is_index() => Some(want.positions(&positions, len)?),
            _ if want.is_rank() => Some(want.found_items(&matches.found, &matches.order, len)?),
            t::COUNT => Some(Bin::int(signed(positions.len()))),
            t::EXISTS => Some(Bin::bool(!positions.is_empty())),
            _ if want.is_elements() => self.elements(want, &positions)?,
            _ => return want.unsupported(),
        };
        Ok((Taken::Mask(matches.mask), result))
    }

    fn by_value_list_indexed(&self, want: Want, values: &[&[u8]]) -> Picked {
        let len = self.len();
        let order = self.by_value();
        let bound =
            |is_below: &dyn Fn(&[u8]) -> bool| order.partition_point(|&at| is_below(self.pairs[at].1));
        let found: Vec<Found> = values
            .iter()
            .map(|value| {
                let start = bound(&|other| compare(other, value).is_lt());
                let end = bound(&|other| compare(other, value).is_le());
                Found { start, count: end.saturating_sub(start) }
            })
            .collect();
        let mask = want.found_mask(&found, Some(&order), len)?;
        let positions = set_positions(&mask);
        let result = match want.kind {
            t::NONE => None,
            _ if want.is_index() && want.is_inverted => Some(want.positions(&positions, len)?),
            _ if want.is_index() => Some(want.found_runs(&found, Some(&order), len)?),
            _ if want.is_rank() && want.is_inverted => Some(want.positions(&self.ranks(&positions), len)?),
            _ if want.is_rank() => Some(want.found_runs(&found, None, len)?),
            t::COUNT => Some(Bin::int(signed(positions.len()))),
            t::EXISTS => Some(Bin::bool(!positions.is_empty())),
            _ if want.is_elements() => self.elements(want, &positions)?,
            _ => return want.unsupported(),
        };
        Ok((Taken::Mask(mask), result))
    }
}

/// The elements outside a run, if they are a run, too.
fn outside(run: &Range<usize>, len: usize) -> Option<Range<usize>> {
    if run.is_empty() {
        Some(0..len)
    } else if run.start == 0 {
        Some(run.end..len)
    } else if run.end >= len {
        Some(0..run.start)
    } else {
        None
    }
}
