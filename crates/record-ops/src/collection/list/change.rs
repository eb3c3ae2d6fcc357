//! Commands that set, increment and sort elements, and set the order of a list.

use wire_protocol::collection::{list_command as c, list_flags};
use wire_protocol::msgpack::{Reader, Token};

use crate::collection::edit::{Base, Edit, Scope};
use crate::collection::list::add::{EXISTS, append, insert, no_fail, param};
use crate::collection::list::{List, create_flags};
use crate::collection::number::Delta;
use crate::collection::request::Args;
use crate::collection::select::sorted;
use crate::error::OpError;
use crate::value::{LIST_ORDERED, PERSIST_INDEX, compare};

const NOT_ORDERED: OpError = OpError::not_applicable("an ordered list does not take the operation");
const NO_INDEX: OpError = OpError::not_applicable("the list has no place for this index");

/// Applies a command that adds or changes elements.
pub(super) fn apply(code: u8, mut args: Args<'_>, base: Base<'_>, scope: &Scope) -> Result<Edit, OpError> {
    let mut create = 0;
    let mut index = 0;
    let argument;
    match code {
        c::APPEND | c::APPEND_ITEMS => {
            args.expect(1, 3)?;
            argument = Some(args.storage()?);
            create = args.unsigned_or(0)?;
        }
        c::INCREMENT => {
            args.expect(1, 4)?;
            index = args.index()?;
            argument = args.payload_or_none()?;
            create = args.unsigned_or(0)?;
        }
        _ => {
            args.expect(2, 3)?;
            index = args.index()?;
            argument = Some(args.storage()?);
        }
    }
    let flags = args.unsigned_or(0)?;
    let parsed;
    let list = match base {
        Base::Existing(bytes) => {
            parsed = List::parse(bytes)?;
            &parsed
        }
        Base::NoBin | Base::Created => {
            parsed = List::empty(create_flags(create, scope));
            &parsed
        }
    };
    let edit = match code {
        c::INCREMENT => increment(list, index, argument, flags)?,
        c::SET => {
            let value = param(argument.unwrap_or_default(), scope)?;
            set(list, index, &value, flags)?
        }
        _ => {
            let is_list = matches!(code, c::APPEND_ITEMS | c::INSERT_ITEMS);
            // The list of the values is not stored itself.
            let scope = Scope { depth: scope.depth + usize::from(is_list), ..*scope };
            let value = param(argument.unwrap_or_default(), &scope)?;
            if is_list && !is_list_value(&value) {
                return Err(OpError::parameter("the operation takes a list of values"));
            }
            if matches!(code, c::APPEND | c::APPEND_ITEMS) {
                append(list, &value, is_list, flags, base)?
            } else if list.is_ordered() {
                return Err(NOT_ORDERED);
            } else {
                insert(list, index, &value, is_list, flags, base)?
            }
        }
    };
    finish(edit, list, base)
}

fn is_list_value(value: &[u8]) -> bool {
    matches!(Reader::new(value).token(), Ok(Token::List { .. }))
}

/// A bin that did not exist becomes an empty list even if the operation does nothing.
fn finish(edit: Edit, list: &List<'_>, base: Base<'_>) -> Result<Edit, OpError> {
    use crate::collection::edit::Effect;
    Ok(match (&edit.effect, base) {
        (Effect::Keep, Base::NoBin) => Edit { effect: Effect::Write(List::encode(list.flags, &[])?), ..edit },
        _ => edit,
    })
}

/// An index from either end, at which an element can be set.
fn place(index: i64, len: usize, limit: i64) -> Result<usize, OpError> {
    let total = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = if index < 0 { index.saturating_add(total) } else { index };
    if index > limit { Err(NO_INDEX) } else { usize::try_from(from_start).map_err(|_| NO_INDEX) }
}

/// Sets an element of an unordered list.
fn set(list: &List<'_>, index: i64, value: &[u8], flags: u64) -> Result<Edit, OpError> {
    if list.is_ordered() {
        return Err(NOT_ORDERED);
    }
    let len = list.len();
    if index >= i64::try_from(len).unwrap_or(i64::MAX) {
        let edit = insert(list, index, value, false, flags, Base::NoBin)?;
        return Ok(Edit { result: None, ..edit });
    }
    let at = place(index, len, i64::MAX)?;
    if flags & list_flags::ADD_UNIQUE as u64 != 0 {
        let is_elsewhere = |(other, item): (usize, &&[u8])| other != at && compare(item, value).is_eq();
        if list.items.iter().enumerate().any(is_elsewhere) {
            return if no_fail(flags) { Ok(Edit::keep(None)) } else { Err(EXISTS) };
        }
    }
    let mut items = list.items.clone();
    items[at] = value;
    Ok(Edit::write(List::encode(list.flags, &items)?, None))
}

fn increment(list: &List<'_>, index: i64, delta: Option<&[u8]>, flags: u64) -> Result<Edit, OpError> {
    let len = list.len();
    let at = place(index, len, i64::from(i32::MAX))?;
    let (value, result) = Delta::parse(delta)?.add(list.items.get(at).copied())?;
    let edit = if list.is_ordered() {
        replace_ordered(list, at, &value, flags)?
    } else {
        set(list, i64::try_from(at).unwrap_or(i64::MAX), &value, flags)?
    };
    Ok(Edit { result: Some(result), ..edit })
}

/// Replaces an element of an ordered list, or adds one.
fn replace_ordered(list: &List<'_>, at: usize, value: &[u8], flags: u64) -> Result<Edit, OpError> {
    if at > list.len() {
        return Err(OpError::not_applicable("an ordered list has no gaps"));
    }
    let start = list.lower_bound(value);
    let exists = list.items.get(start).is_some_and(|item| compare(item, value).is_eq());
    if exists && flags & list_flags::ADD_UNIQUE as u64 != 0 {
        return if start == at || no_fail(flags) { Ok(Edit::keep(None)) } else { Err(EXISTS) };
    }
    let mut items = list.items.clone();
    if at < items.len() {
        items.remove(at);
    }
    items.insert(if start > at { start - 1 } else { start }, value);
    Ok(Edit::write(List::encode(list.flags, &items)?, None))
}

/// Sets the order of a list.
pub(super) fn set_order(mut args: Args<'_>, base: Base<'_>, scope: &Scope) -> Result<Edit, OpError> {
    args.expect(1, 1)?;
    let wanted = args.unsigned_or(0)? as u8;
    let list = match base {
        Base::Existing(bytes) => List::parse(bytes)?,
        Base::NoBin | Base::Created => List::empty(0),
    };
    if wanted & !(LIST_ORDERED | PERSIST_INDEX).cast_unsigned() != 0 {
        return Err(OpError::not_applicable("no order of lists has this number"));
    }
    let mut flags = wanted.cast_signed();
    if scope.drops_index {
        flags &= !PERSIST_INDEX;
    }
    if flags == list.flags && matches!(base, Base::Existing(_)) {
        return Ok(Edit::keep(None));
    }
    let mut items = list.items.clone();
    if flags & LIST_ORDERED != 0 && !list.is_ordered() {
        items = sorted(list.len(), |a, b| list.compare(a, b)).into_iter().map(|at| list.items[at]).collect();
    }
    Ok(Edit::write(List::encode(flags, &items)?, None))
}

/// Sorts a list.
pub(super) fn sort(mut args: Args<'_>, base: Base<'_>, scope: &Scope) -> Result<Edit, OpError> {
    if !scope.has_bin {
        return Err(OpError::bin_type("there is no list to sort"));
    }
    args.expect(0, 1)?;
    let flags = args.unsigned_or(0)?.cast_signed();
    let list = match base {
        Base::Existing(bytes) => List::parse(bytes)?,
        _ => return Ok(Edit::nothing()),
    };
    if list.len() <= 1 {
        return Ok(Edit::keep(None));
    }
    let is_descending = flags & list_flags::SORT_DESCENDING != 0 && !list.is_ordered();
    let order = if list.is_ordered() {
        list.order()
    } else {
        sorted(list.len(), |a, b| if is_descending { list.compare(b, a) } else { list.compare(a, b) })
    };
    let mut items: Vec<&[u8]> = order.into_iter().map(|at| list.items[at]).collect();
    if flags & list_flags::SORT_DROP_DUPLICATES != 0 {
        // The server looks for duplicates in ascending lists only.
        if items.windows(2).any(|two| compare(two[0], two[1]).is_gt()) {
            return Err(OpError::parameter("a descending sort cannot drop duplicates"));
        }
        items.dedup_by(|after, before| compare(before, after).is_eq());
    }
    Ok(Edit::write(List::encode(list.flags, &items)?, None))
}
