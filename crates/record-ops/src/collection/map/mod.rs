//! Operations on maps.
//!
//! [`read`] and [`modify`] apply a command; `pick` selects elements, for reading them and for removing them; `add` has
//! the commands that add and change elements. A map is always sorted by key, whatever its order says.

mod add;
mod pick;

use std::cmp::Ordering;

use wire_protocol::collection::map_command as c;
use wire_protocol::msgpack::{self, KEY_ORDERED, KEY_VALUE_ORDERED, Reader, Token};

use crate::collection::edit::{Base, Edit, Effect, Scope};
use crate::collection::request::Args;
use crate::collection::result::{Outcome, Want, signed};
use crate::collection::select::{ALL, Taken, sorted};
use crate::error::OpError;
use crate::value::{MAX_VALUE, PERSIST_INDEX, compare};

const INVALID: OpError = OpError::parameter("the bin is not a valid map");
const UNKNOWN: OpError = OpError::parameter("no operation on maps has this number");

/// Commands on the first element with a value, which no client of today sends.
const REMOVE_FIRST_BY_VALUE: u8 = 78;
const GET_FIRST_BY_VALUE: u8 = 99;

/// The bit of an order that is set in a map with an index by value.
const VALUE_ORDERED: i8 = KEY_VALUE_ORDERED & !KEY_ORDERED;

/// The orders that a map can have.
const KNOWN: i8 = KEY_VALUE_ORDERED | PERSIST_INDEX;

type Pair<'a> = (&'a [u8], &'a [u8]);

/// A map, as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Map<'a> {
    /// The ext kind of its order.
    pub(super) flags: i8,
    pub(super) pairs: Vec<Pair<'a>>,
}

impl<'a> Map<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, OpError> {
        let mut reader = Reader::new(bytes);
        let Ok(Token::Map { mut len }) = reader.token() else { return Err(INVALID) };
        let mut flags = 0;
        if len > 0 && reader.is_at_ext() {
            if let Ok(Token::Ext { kind, .. }) = reader.token() {
                flags = kind;
            }
            // The value of the marker, which has no meaning.
            reader.skip_value().map_err(|_| INVALID)?;
            len -= 1;
        }
        let mut next = || {
            let start = reader.rest();
            reader.skip_value().map_err(|_| INVALID)?;
            Ok(&start[..start.len() - reader.remaining()])
        };
        // The reader has checked that there are twice as many bytes.
        let mut pairs = Vec::with_capacity(len);
        for _ in 0..len {
            pairs.push((next()?, next()?));
        }
        Ok(Self { flags, pairs })
    }

    pub(super) fn empty(flags: i8) -> Self {
        Self { flags, pairs: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the server finds keys by index: any order will do.
    pub(super) fn is_ordered(&self) -> bool {
        self.flags != 0
    }

    /// Whether the server has stored an index by value, which changes the order of some results.
    fn has_value_index(&self) -> bool {
        self.flags & VALUE_ORDERED != 0 && self.flags & PERSIST_INDEX != 0 && self.len() > 1
    }

    /// The order of two elements by value, then by key.
    pub(super) fn compare_values(&self, a: usize, b: usize) -> Ordering {
        compare(self.pairs[a].1, self.pairs[b].1).then(a.cmp(&b))
    }

    /// The positions in the order of the values.
    pub(super) fn by_value(&self) -> Vec<usize> {
        sorted(self.len(), |a, b| self.compare_values(a, b))
    }

    /// Where the key is, or would be.
    pub(super) fn find(&self, key: &[u8]) -> Result<usize, usize> {
        let at = self.lower_bound(key);
        match self.pairs.get(at) {
            Some((other, _)) if compare(other, key).is_eq() => Ok(at),
            _ => Err(at),
        }
    }

    /// Number of keys that are less than this one.
    fn lower_bound(&self, key: &[u8]) -> usize {
        self.pairs.partition_point(|(other, _)| compare(other, key).is_lt())
    }

    /// Number of keys that are not greater than this one.
    fn upper_bound(&self, key: &[u8]) -> usize {
        self.pairs.partition_point(|(other, _)| compare(other, key).is_le())
    }

    /// Encodes these pairs as a map with flags.
    pub(super) fn encode(flags: i8, pairs: &[Pair<'_>]) -> Result<Vec<u8>, OpError> {
        let size: usize = pairs.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > MAX_VALUE {
            return Err(super::list::TOO_LARGE);
        }
        let mut out = Vec::with_capacity(size + 12);
        msgpack::write_map_header(&mut out, pairs.len() + usize::from(flags != 0));
        if flags != 0 {
            msgpack::write_ext(&mut out, flags, &[]);
            msgpack::write_nil(&mut out);
        }
        for (key, value) in pairs {
            out.extend_from_slice(key);
            out.extend_from_slice(value);
        }
        Ok(out)
    }

    /// The map without the elements that were taken.
    fn without(&self, taken: &Taken) -> Result<Effect, OpError> {
        if taken.is_empty(self.len()) {
            return Ok(Effect::Keep);
        }
        let kept = |(at, pair): (usize, &Pair<'a>)| (!taken.contains(at)).then_some(*pair);
        let pairs: Vec<_> = self.pairs.iter().enumerate().filter_map(kept).collect();
        Self::encode(self.flags, &pairs).map(Effect::Write)
    }
}

/// The flags of a new map, from the argument of an operation.
fn create_flags(argument: u64, scope: &Scope) -> i8 {
    let mut flags = argument as u8 as i8;
    if scope.drops_index {
        flags &= !PERSIST_INDEX;
    }
    if flags & !KNOWN == 0 { flags } else { 0 }
}

/// Applies a command that reads.
pub(super) fn read(code: u32, args: Args<'_>, bytes: &[u8]) -> Outcome {
    let map = Map::parse(bytes)?;
    let code = u8::try_from(code).unwrap_or(u8::MAX);
    if code == c::SIZE {
        return Ok(Some(crate::bin::Bin::int(signed(map.len()))));
    }
    match Selector::parse(code, args)? {
        Some(selector) if selector.reads => map.pick(&selector).map(|(_, result)| result),
        _ => Err(UNKNOWN),
    }
}

/// Applies a command that modifies.
pub(super) fn modify(code: u32, mut args: Args<'_>, base: Base<'_>, scope: &Scope) -> Result<Edit, OpError> {
    let code = u8::try_from(code).unwrap_or(u8::MAX);
    match code {
        c::SET_ORDER => {
            args.expect(1, 1)?;
            let wanted = args.unsigned_or(0)? as u8 as i8;
            if wanted & !KNOWN != 0 {
                return Err(OpError::not_applicable("no order of maps has this number"));
            }
            let flags = if scope.drops_index { wanted & !PERSIST_INDEX } else { wanted };
            let pairs = match base {
                Base::Existing(bytes) => Map::parse(bytes)?.pairs,
                Base::NoBin | Base::Created => Vec::new(),
            };
            return Ok(Edit::write(Map::encode(flags, &pairs)?, None));
        }
        c::REPLACE_ITEMS if !matches!(base, Base::Existing(_)) => {
            return Err(OpError::element_not_found("there is no map"));
        }
        c::ADD..=c::REPLACE_ITEMS | c::INCREMENT | c::DECREMENT => {
            return add::apply(code, args, base, scope);
        }
        c::CLEAR | c::REMOVE_BY_KEY..=c::REMOVE_BY_RANK => {}
        c::REMOVE_BY_KEY_LIST..=c::REMOVE_BY_VALUE_REL_RANK_RANGE => {}
        _ => return Err(UNKNOWN),
    }
    // Nothing can be removed from a map that does not exist; not even the arguments are read then.
    let Base::Existing(bytes) = base else { return Ok(Edit::nothing()) };
    let map = Map::parse(bytes)?;
    if code == c::CLEAR {
        return Ok(Edit::write(Map::encode(map.flags, &[])?, None));
    }
    match Selector::parse(code, args)? {
        Some(selector) if !selector.reads => {
            let (taken, result) = map.pick(&selector)?;
            let effect = map.without(&taken)?;
            Ok(Edit { effect, result })
        }
        _ => Err(UNKNOWN),
    }
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
    Key(&'a [u8]),
    /// From one key to below another, or to the end.
    Keys(&'a [u8], Option<&'a [u8]>),
    KeyList(&'a [u8]),
    Index(i64, u64),
    Rank(i64, u64),
    /// Elements with a value.
    Value(&'a [u8]),
    /// From one value to below another, or to the end.
    Values(&'a [u8], Option<&'a [u8]>),
    ValueList(&'a [u8]),
    /// Indexes relative to a key.
    RelativeIndex(&'a [u8], i64, u64),
    /// Ranks relative to a value.
    RelativeRank(&'a [u8], i64, u64),
}

impl<'a> Selector<'a> {
    fn parse(code: u8, mut args: Args<'a>) -> Result<Option<Self>, OpError> {
        let (least, most) = match code {
            c::GET_BY_KEY_RANGE
            | c::GET_BY_INDEX_RANGE
            | c::GET_BY_VALUE_RANGE
            | c::GET_BY_RANK_RANGE
            | c::REMOVE_BY_KEY_RANGE
            | c::REMOVE_BY_INDEX_RANGE
            | c::REMOVE_BY_VALUE_RANGE
            | c::REMOVE_BY_RANK_RANGE => (2, 3),
            c::GET_BY_KEY_REL_INDEX_RANGE
            | c::GET_BY_VALUE_REL_RANK_RANGE
            | c::REMOVE_BY_KEY_REL_INDEX_RANGE
            | c::REMOVE_BY_VALUE_REL_RANK_RANGE => (3, 4),
            c::GET_BY_KEY..=c::GET_BY_RANK
            | c::GET_BY_VALUE
            | c::GET_BY_KEY_LIST
            | c::GET_BY_VALUE_LIST
            | c::REMOVE_BY_KEY..=c::REMOVE_BY_RANK
            | c::REMOVE_BY_KEY_LIST..=c::REMOVE_BY_VALUE_LIST => (2, 2),
            _ => return Ok(None),
        };
        args.expect(least, most)?;
        let flags = args.unsigned_or(0)?;
        let (is_multi, by) = match code {
            c::GET_BY_KEY | c::REMOVE_BY_KEY => (false, By::Key(args.payload()?)),
            c::GET_BY_INDEX | c::REMOVE_BY_INDEX => (false, By::Index(args.index()?, 1)),
            c::GET_BY_RANK | c::REMOVE_BY_RANK => (false, By::Rank(args.index()?, 1)),
            GET_FIRST_BY_VALUE | REMOVE_FIRST_BY_VALUE => (false, By::Value(args.payload()?)),
            c::GET_BY_VALUE | c::REMOVE_BY_VALUE => (true, By::Value(args.payload()?)),
            c::GET_BY_KEY_LIST | c::REMOVE_BY_KEY_LIST => (true, By::KeyList(args.payload()?)),
            c::GET_BY_VALUE_LIST | c::REMOVE_BY_VALUE_LIST => (true, By::ValueList(args.payload()?)),
            c::GET_BY_KEY_RANGE | c::REMOVE_BY_KEY_RANGE => {
                (true, By::Keys(args.payload()?, args.payload_or_none()?))
            }
            c::GET_BY_VALUE_RANGE | c::REMOVE_BY_VALUE_RANGE => {
                (true, By::Values(args.payload()?, args.payload_or_none()?))
            }
            c::GET_BY_INDEX_RANGE | c::REMOVE_BY_INDEX_RANGE => {
                (true, By::Index(args.index()?, args.unsigned_or(ALL)?))
            }
            c::GET_BY_RANK_RANGE | c::REMOVE_BY_RANK_RANGE => {
                (true, By::Rank(args.index()?, args.unsigned_or(ALL)?))
            }
            c::GET_BY_KEY_REL_INDEX_RANGE | c::REMOVE_BY_KEY_REL_INDEX_RANGE => {
                (true, By::RelativeIndex(args.payload()?, args.index()?, args.unsigned_or(ALL)?))
            }
            _ => (true, By::RelativeRank(args.payload()?, args.index()?, args.unsigned_or(ALL)?)),
        };
        Ok(Some(Self { want: Want::new(flags, is_multi), by, reads: code >= c::SIZE }))
    }
}
