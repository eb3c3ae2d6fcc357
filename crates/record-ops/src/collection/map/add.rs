//! Commands that add and change elements.

use wire_protocol::collection::{map_command as c, map_flags};

use crate::bin::Bin;
use crate::collection::edit::{Base, Edit, Effect, Scope};
use crate::collection::map::{Map, create_flags};
use crate::collection::number::Delta;
use crate::collection::param;
use crate::collection::request::Args;
use crate::collection::result::signed;
use crate::error::OpError;
use crate::value::{PERSIST_INDEX, is_key};

const EXISTS: OpError = OpError::element_exists("the map has the key already");
const MISSING: OpError = OpError::element_not_found("the map does not have the key");
const INVALID: OpError = OpError::parameter("the operation takes a map of the new elements");

/// What may happen to elements that exist, and to those that do not.
#[derive(Clone, Copy)]
struct Rules {
    overwrites: bool,
    creates: bool,
    no_fail: bool,
    is_partial: bool,
}

impl Rules {
    fn new(code: u8, flags: u64) -> Self {
        let has = |flag: i64| flags & flag.cast_unsigned() != 0;
        Self {
            overwrites: !matches!(code, c::ADD | c::ADD_ITEMS) && !has(map_flags::CREATE_ONLY),
            creates: !matches!(code, c::REPLACE | c::REPLACE_ITEMS) && !has(map_flags::UPDATE_ONLY),
            no_fail: has(map_flags::NO_FAIL),
            is_partial: has(map_flags::PARTIAL),
        }
    }

    /// Why an element cannot be written, if it cannot.
    fn check(self, exists: bool) -> Result<(), OpError> {
        match exists {
            true if !self.overwrites => Err(EXISTS),
            false if !self.creates => Err(MISSING),
            _ => Ok(()),
        }
    }
}

pub(super) fn apply(code: u8, mut args: Args<'_>, base: Base<'_>, scope: &Scope) -> Result<Edit, OpError> {
    let is_items = matches!(code, c::ADD_ITEMS | c::PUT_ITEMS | c::REPLACE_ITEMS);
    let (mut create, mut flags) = (0, 0);
    let (first, second) = match code {
        c::INCREMENT | c::DECREMENT => {
            args.expect(1, 3)?;
            let arguments = (args.payload()?, args.payload_or_none()?);
            create = args.unsigned_or(0)?;
            arguments
        }
        c::ADD | c::PUT | c::REPLACE => {
            args.expect(2, [2, 3, 4][usize::from(code != c::REPLACE) + usize::from(code == c::PUT)])?;
            (args.storage()?, Some(args.storage()?))
        }
        _ => {
            args.expect(
                1,
                [1, 2, 3][usize::from(code != c::REPLACE_ITEMS) + usize::from(code == c::PUT_ITEMS)],
            )?;
            (args.storage()?, None)
        }
    };
    if matches!(code, c::ADD..=c::PUT_ITEMS) {
        create = args.unsigned_or(0)?;
        flags = args.unsigned_or(0)?;
    }
    // Only a map that becomes empty keeps the flag of a persisted index that is inside others.
    let dropped = if matches!(base, Base::Created) && !is_items { !PERSIST_INDEX } else { !0 };
    let map = match base {
        Base::Existing(bytes) => Map::parse(bytes)?,
        Base::NoBin | Base::Created => Map::empty(create_flags(create, scope) & dropped),
    };
    let rules = Rules::new(code, flags);
    let edit = match code {
        c::INCREMENT | c::DECREMENT => {
            let mut delta = Delta::parse(second);
            if code == c::DECREMENT {
                delta = delta.map(Delta::negative);
            }
            increment(&map, first, delta?, scope)?
        }
        _ if is_items => add_items(&map, first, rules, base, scope)?,
        _ => add(&map, first, second.unwrap_or_default(), rules, scope)?,
    };
    Ok(match (&edit.effect, base) {
        // A bin that did not exist becomes an empty map even if the operation does nothing.
        (Effect::Keep, Base::NoBin) => Edit { effect: Effect::Write(Map::encode(map.flags, &[])?), ..edit },
        _ => edit,
    })
}

fn length(len: usize) -> Option<Bin> {
    Some(Bin::int(signed(len)))
}

/// Sets one element.
fn add(map: &Map<'_>, key: &[u8], value: &[u8], rules: Rules, scope: &Scope) -> Result<Edit, OpError> {
    if !is_key(key) {
        return Err(OpError::parameter("the key of a map is an integer, a string or bytes"));
    }
    let (key, value) = (param(key, scope)?, param(value, scope)?);
    let found = map.find(&key);
    if let Err(error) = rules.check(found.is_ok()) {
        return if rules.no_fail { Ok(Edit::keep(length(map.len()))) } else { Err(error) };
    }
    let mut pairs = Vec::with_capacity(map.len() + 1);
    let (before, after) = match found {
        Ok(at) => (at, at + 1),
        Err(at) => (at, at),
    };
    pairs.extend_from_slice(&map.pairs[..before]);
    pairs.push((&*key, &*value));
    pairs.extend_from_slice(&map.pairs[after..]);
    Ok(Edit::write(Map::encode(map.flags, &pairs)?, length(pairs.len())))
}

fn increment(map: &Map<'_>, key: &[u8], delta: Delta, scope: &Scope) -> Result<Edit, OpError> {
    let found = map.find(key).ok().and_then(|at| map.pairs.get(at));
    let (value, result) = delta.add(found.map(|(_, value)| *value))?;
    let rules = Rules { overwrites: true, creates: true, no_fail: false, is_partial: false };
    let edit = add(map, key, &value, rules, scope)?;
    Ok(Edit { result: Some(result), ..edit })
}

/// Sets the elements of a map.
fn add_items(
    map: &Map<'_>,
    items: &[u8],
    rules: Rules,
    base: Base<'_>,
    scope: &Scope,
) -> Result<Edit, OpError> {
    // The map of the elements is not stored itself.
    let items = param(items, &Scope { depth: scope.depth + 1, ..*scope })?;
    let added = Map::parse(&items).map_err(|_| INVALID)?.pairs;
    let unchanged = || Edit::keep(length(map.len()));
    if added.is_empty() {
        return Ok(match base {
            Base::Created => Edit::write(Map::encode(map.flags, &[])?, length(0)),
            _ => unchanged(),
        });
    }
    // With the flags for partial updates, the server adds to an empty map whatever the flags say about creation.
    let is_first = map.len() == 0 && rules.no_fail && rules.is_partial;
    let mut pairs = Vec::with_capacity(map.len() + added.len());
    let mut start = 0;
    for (key, value) in added {
        let found = map.find(key);
        let end = found.unwrap_or_else(|at| at).max(start);
        pairs.extend_from_slice(&map.pairs[start..end]);
        start = end;
        if let Err(error) = rules.check(found.is_ok())
            && !is_first
        {
            match (rules.no_fail, rules.is_partial) {
                (false, _) => return Err(error),
                (true, false) => return Ok(unchanged()),
                (true, true) => continue,
            }
        }
        pairs.push((key, value));
        if found.is_ok() {
            start = end + 1;
        }
    }
    pairs.extend_from_slice(&map.pairs[start..]);
    let flags = if matches!(base, Base::Created) { map.flags & !PERSIST_INDEX } else { map.flags };
    Ok(Edit::write(Map::encode(flags, &pairs)?, length(pairs.len())))
}
