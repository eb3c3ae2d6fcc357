//! Operations on lists.
//!
//! [`read`] and [`modify`] apply a command; `pick` selects elements, for reading them and for removing them; `add` and
//! `change` have the commands that add and change elements.

mod add;
mod change;
mod pick;

use std::cmp::Ordering;

use wire_protocol::collection::{list_command as c, return_type as t};
use wire_protocol::msgpack::{self, Reader, Token};

use crate::collection::edit::{Base, Edit, Effect, Scope};
use crate::collection::request::Args;
use crate::collection::result::{Outcome, Want, signed};
use crate::collection::select::{ALL, Taken, sorted};
use crate::error::OpError;
pub(in crate::collection) use add::param;

use crate::value::{LIST_ORDERED, MAX_VALUE, PERSIST_INDEX, compare};

pub(super) const INVALID: OpError = OpError::parameter("the bin is not a valid list");

/// A command on the first element with a value, which no client of today sends.
const GET_FIRST_BY_VALUE: u8 = 20;
const REMOVE_FIRST_BY_VALUE: u8 = 33;

/// A list, as it is stored.
#[derive(Clone, Debug)]
pub(super) struct List<'a> {
    /// The ext kind of its order: [`LIST_ORDERED`], [`PERSIST_INDEX`].
    pub(super) flags: i8,
    pub(super) items: Vec<&'a [u8]>,
}

impl<'a> List<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, OpError> {
        let mut reader = Reader::new(bytes);
        let Ok(Token::List { mut len }) = reader.token() else { return Err(INVALID) };
        let mut flags = 0;
        if len > 0 && reader.is_at_ext() {
            if let Ok(Token::Ext { kind, .. }) = reader.token() {
                flags = kind;
            }
            len -= 1;
        }
        // The reader has checked that there are as many bytes.
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            let start = reader.rest();
            reader.skip_value().map_err(|_| INVALID)?;
            items.push(&start[..start.len() - reader.remaining()]);
        }
        Ok(Self { flags, items })
    }

    pub(super) fn empty(flags: i8) -> Self {
        Self { flags, items: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.flags & LIST_ORDERED != 0
    }

    /// Whether a value is less than, equal to or greater than an element.
    pub(super) fn compare(&self, a: usize, b: usize) -> Ordering {
        compare(self.items[a], self.items[b])
    }

    /// The positions in the order of the values.
    pub(super) fn order(&self) -> Vec<usize> {
        if self.is_ordered() {
            (0..self.len()).collect()
        } else {
            sorted(self.len(), |a, b| self.compare(a, b))
        }
    }

    /// Number of elements of a sorted list that are less than the value.
    pub(super) fn lower_bound(&self, value: &[u8]) -> usize {
        self.items.partition_point(|item| compare(item, value).is_lt())
    }

    /// Number of elements of a sorted list that are not greater than the value.
    pub(super) fn upper_bound(&self, value: &[u8]) -> usize {
        self.items.partition_point(|item| compare(item, value).is_le())
    }

    /// Encodes these elements as a list with flags.
    pub(super) fn encode(flags: i8, items: &[&[u8]]) -> Result<Vec<u8>, OpError> {
        let size: usize = items.iter().map(|item| item.len()).sum();
        if size > MAX_VALUE {
            return Err(TOO_LARGE);
        }
        let mut out = Vec::with_capacity(size + 8);
        msgpack::write_list_header(&mut out, items.len() + usize::from(flags != 0));
        if flags != 0 {
            msgpack::write_ext(&mut out, flags, &[]);
        }
        items.iter().for_each(|item| out.extend_from_slice(item));
        Ok(out)
    }

    /// The list without the elements that were taken.
    fn without(&self, taken: &Taken) -> Result<Effect, OpError> {
        if taken.is_empty(self.len()) {
            return Ok(Effect::Keep);
        }
        let kept = |(at, item): (usize, &&'a [u8])| (!taken.contains(at)).then_some(*item);
        let items: Vec<_> = self.items.iter().enumerate().filter_map(kept).collect();
        Self::encode(self.flags, &items).map(Effect::Write)
    }
}

pub(super) const TOO_LARGE: OpError = OpError::too_big("the list or map is larger than a record may be");

/// The flags of a new list, from the argument of an operation.
pub(super) fn create_flags(argument: u64, scope: &Scope) -> i8 {
    let known = u64::from((LIST_ORDERED | PERSIST_INDEX).cast_unsigned());
    let flags =
        if scope.drops_index { argument & !u64::from(PERSIST_INDEX.cast_unsigned()) } else { argument };
    if (flags & 0xff) & !known == 0 { (flags & 0xff) as u8 as i8 } else { 0 }
}

/// Applies a command that reads.
pub(super) fn read(code: u32, mut args: Args<'_>, bytes: &[u8]) -> Outcome {
    let list = List::parse(bytes).map_err(|_| OpError::bin_type("the bin is not a valid list"))?;
    let code = u8::try_from(code).unwrap_or(u8::MAX);
    match code {
        c::SIZE => Ok(Some(crate::bin::Bin::int(signed(list.len())))),
        c::GET => {
            args.expect(1, 1)?;
            list.by_index(Want::plain(t::VALUE, false), args.index()?, 1).map(|(_, result)| result)
        }
        c::GET_RANGE => {
            args.expect(1, 2)?;
            let (index, count) = (args.index()?, args.unsigned_or(ALL)?);
            list.by_index(Want::plain(t::VALUE, true), index, count).map(|(_, result)| result)
        }
        _ => match Selector::parse(code, args)? {
            Some(selector) if selector.reads => list.pick(&selector).map(|(_, result)| result),
            _ => Err(UNKNOWN),
        },
    }
}

const UNKNOWN: OpError = OpError::parameter("no operation on lists has this number");

/// Applies a command that modifies.
pub(super) fn modify(code: u32, args: Args<'_>, base: Base<'_>, scope: &Scope) -> Result<Edit, OpError> {
    let code = u8::try_from(code).unwrap_or(u8::MAX);
    match code {
        c::APPEND | c::APPEND_ITEMS | c::INSERT | c::INSERT_ITEMS | c::SET | c::INCREMENT => {
            return change::apply(code, args, base, scope);
        }
        c::SET_ORDER => return change::set_order(args, base, scope),
        c::SORT => return change::sort(args, base, scope),
        _ => {}
    }
    let mut args = args;
    // Nothing can be removed from a list that does not exist; not even the arguments are read then.
    let is_known = matches!(code, c::POP | c::POP_RANGE | c::REMOVE | c::REMOVE_RANGE | c::TRIM | c::CLEAR)
        || matches!(code, c::REMOVE_BY_INDEX..=c::REMOVE_BY_VALUE_REL_RANK_RANGE);
    let Base::Existing(bytes) = base else {
        return if is_known { Ok(Edit::nothing()) } else { Err(UNKNOWN) };
    };
    if !is_known {
        return Err(UNKNOWN);
    }
    let list = List::parse(bytes)?;
    let (taken, result) = match code {
        c::CLEAR => {
            return Ok(Edit::write(List::encode(list.flags & LIST_ORDERED, &[])?, None));
        }
        c::POP | c::REMOVE => {
            args.expect(1, 1)?;
            let kind = if code == c::POP { t::VALUE } else { t::COUNT };
            list.by_index(Want::plain(kind, false), args.index()?, 1)?
        }
        c::POP_RANGE | c::REMOVE_RANGE => {
            args.expect(1, 2)?;
            let kind = if code == c::POP_RANGE { t::VALUE } else { t::COUNT };
            let (index, count) = (args.index()?, args.unsigned_or(ALL)?);
            list.by_index(Want::plain(kind, true), index, count)?
        }
        c::TRIM => {
            args.expect(2, 2)?;
            let (index, count) = (args.index()?, args.unsigned_or(ALL)?);
            list.by_index(Want { kind: t::COUNT, is_inverted: true, is_multi: true }, index, count)?
        }
        _ => match Selector::parse(code, args)? {
            Some(selector) if !selector.reads => list.pick(&selector)?,
            _ => return Err(UNKNOWN),
        },
    };
    let effect = list.without(&taken)?;
    Ok(Edit { effect, result })
}

/// What a command that reads or removes elements selects.
#[derive(Clone, Debug)]
pub(super) struct Selector<'a> {
    want: Want,
    by: By<'a>,
    /// Whether the command reads; otherwise it removes.
    reads: bool,
}

#[derive(Clone, Debug)]
enum By<'a> {
    Index(i64, u64),
    Rank(i64, u64),
    /// Elements equal to a value.
    Value(&'a [u8]),
    /// From one value to below another, or to the end.
    Interval(&'a [u8], Option<&'a [u8]>),
    Values(&'a [u8]),
    /// Ranks relative to a value.
    Relative(&'a [u8], i64, u64),
}

impl<'a> Selector<'a> {
    fn parse(code: u8, mut args: Args<'a>) -> Result<Option<Self>, OpError> {
        let (least, most) = match code {
            c::GET_BY_INDEX_RANGE
            | c::GET_BY_RANK_RANGE
            | c::GET_BY_VALUE_RANGE
            | c::REMOVE_BY_INDEX_RANGE
            | c::REMOVE_BY_RANK_RANGE
            | c::REMOVE_BY_VALUE_RANGE => (2, 3),
            c::GET_BY_VALUE_REL_RANK_RANGE | c::REMOVE_BY_VALUE_REL_RANK_RANGE => (3, 4),
            c::GET_BY_INDEX..=c::GET_BY_VALUE_LIST | c::REMOVE_BY_INDEX..=c::REMOVE_BY_VALUE_LIST => (2, 2),
            _ => return Ok(None),
        };
        args.expect(least, most)?;
        let flags = args.unsigned_or(0)?;
        let (is_multi, by) = match code {
            c::GET_BY_INDEX | c::REMOVE_BY_INDEX => (false, By::Index(args.index()?, 1)),
            c::GET_BY_RANK | c::REMOVE_BY_RANK => (false, By::Rank(args.index()?, 1)),
            GET_FIRST_BY_VALUE | REMOVE_FIRST_BY_VALUE => (false, By::Value(args.payload()?)),
            c::GET_BY_VALUE | c::REMOVE_BY_VALUE => (true, By::Value(args.payload()?)),
            c::GET_BY_VALUE_LIST | c::REMOVE_BY_VALUE_LIST => (true, By::Values(args.payload()?)),
            c::GET_BY_INDEX_RANGE | c::REMOVE_BY_INDEX_RANGE => {
                (true, By::Index(args.index()?, args.unsigned_or(ALL)?))
            }
            c::GET_BY_RANK_RANGE | c::REMOVE_BY_RANK_RANGE => {
                (true, By::Rank(args.index()?, args.unsigned_or(ALL)?))
            }
            c::GET_BY_VALUE_RANGE | c::REMOVE_BY_VALUE_RANGE => {
                (true, By::Interval(args.payload()?, args.payload_or_none()?))
            }
            _ => (true, By::Relative(args.payload()?, args.index()?, args.unsigned_or(ALL)?)),
        };
        Ok(Some(Self { want: Want::new(flags, is_multi), by, reads: code < c::REMOVE_BY_INDEX }))
    }
}
