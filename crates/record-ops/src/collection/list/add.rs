//! Commands that add elements.

use std::borrow::Cow;

use wire_protocol::collection::list_flags;

use crate::bin::Bin;
use crate::collection::edit::{Base, Edit, Scope};
use crate::collection::list::{List, TOO_LARGE};
use crate::collection::result::signed;
use crate::collection::select::sorted;
use crate::error::OpError;
use crate::value::{MAX_VALUE, Rules, compare, normalize};

pub(super) const EXISTS: OpError = OpError::element_exists("the list has the value already");
const DUPLICATE: OpError = OpError::not_applicable("the values are not unique");
const NO_INDEX: OpError = OpError::not_applicable("the list has no place for this index");
const INVALID: OpError = OpError::parameter("the value of the operation is invalid");

/// What an index beyond the end of a list leaves in between.
const NIL: &[u8] = &[0xc0];

fn has(flags: u64, flag: i64) -> bool {
    flags & flag.cast_unsigned() != 0
}

pub(super) fn no_fail(flags: u64) -> bool {
    has(flags, list_flags::NO_FAIL)
}

fn is_partial(flags: u64) -> bool {
    no_fail(flags) && has(flags, list_flags::PARTIAL)
}

/// A value to store, in normal form.
pub(in crate::collection) fn param<'a>(value: &'a [u8], scope: &Scope) -> Result<Cow<'a, [u8]>, OpError> {
    normalize(value, Rules { depth: scope.depth, ..Rules::default() }).ok_or(INVALID)
}

/// The values that an operation adds.
fn values(value: &[u8], is_list: bool) -> Result<Vec<&[u8]>, OpError> {
    if !is_list {
        return Ok(vec![value]);
    }
    List::parse(value).map(|list| list.items).map_err(|_| INVALID)
}

/// Keeps the list as it is and returns its length.
fn unchanged(list: &List<'_>) -> Edit {
    Edit::keep(Some(Bin::int(signed(list.len()))))
}

/// Adding no values at all creates a list that does not exist.
fn none_added(list: &List<'_>, base: Base<'_>) -> Result<Edit, OpError> {
    match base {
        Base::Created => Ok(Edit::write(List::encode(list.flags, &[])?, Some(Bin::int(0)))),
        _ => Ok(unchanged(list)),
    }
}

fn written(list: &List<'_>, items: &[&[u8]]) -> Result<Edit, OpError> {
    Ok(Edit::write(List::encode(list.flags, items)?, Some(Bin::int(signed(items.len())))))
}

pub(super) fn append(
    list: &List<'_>,
    value: &[u8],
    is_list: bool,
    flags: u64,
    base: Base<'_>,
) -> Result<Edit, OpError> {
    if !list.is_ordered() {
        return insert(list, signed(list.len()), value, is_list, flags, base);
    }
    let values = values(value, is_list)?;
    if values.is_empty() {
        return none_added(list, base);
    }
    let order = sorted(values.len(), |a, b| compare(values[a], values[b]));
    let mut added: Vec<&[u8]> = order.into_iter().map(|at| values[at]).collect();
    if has(flags, list_flags::ADD_UNIQUE) {
        let count = added.len();
        added.dedup_by(|after, before| compare(before, after).is_eq());
        if added.len() < count {
            if !no_fail(flags) {
                return Err(DUPLICATE);
            }
            if !is_partial(flags) {
                return Ok(unchanged(list));
            }
        }
        let count = added.len();
        added.retain(|value| {
            let at = list.lower_bound(value);
            list.items.get(at).is_none_or(|item| compare(item, value).is_ne())
        });
        if added.len() < count && !(is_list && is_partial(flags)) {
            return if no_fail(flags) { Ok(unchanged(list)) } else { Err(EXISTS) };
        }
    }
    let mut items = Vec::with_capacity(list.len() + added.len());
    let mut start = 0;
    for value in added {
        let end = list.upper_bound(value).max(start);
        items.extend_from_slice(&list.items[start..end]);
        items.push(value);
        start = end;
    }
    items.extend_from_slice(&list.items[start..]);
    written(list, &items)
}

/// Inserts into an unordered list.
pub(super) fn insert(
    list: &List<'_>,
    index: i64,
    value: &[u8],
    is_list: bool,
    flags: u64,
    base: Base<'_>,
) -> Result<Edit, OpError> {
    let mut added = values(value, is_list)?;
    if added.is_empty() {
        return none_added(list, base);
    }
    let len = list.len();
    let from_start = if index < 0 { index.saturating_add(signed(len)) } else { index };
    let at = match usize::try_from(from_start) {
        Ok(at) if index <= i64::from(i32::MAX) => at,
        _ => return Err(NO_INDEX),
    };
    if at > len && has(flags, list_flags::INSERT_BOUNDED) {
        return if no_fail(flags) { Ok(unchanged(list)) } else { Err(NO_INDEX) };
    }
    if has(flags, list_flags::ADD_UNIQUE) {
        match unique(list, &added, is_list, flags)? {
            Some(kept) => added = kept,
            None => return Ok(unchanged(list)),
        }
    }
    // An index far beyond the end.
    if at > MAX_VALUE {
        return Err(TOO_LARGE);
    }
    let mut items = Vec::with_capacity(len.max(at) + added.len());
    items.extend_from_slice(&list.items[..at.min(len)]);
    items.resize(at, NIL);
    items.extend_from_slice(&added);
    items.extend_from_slice(list.items.get(at..).unwrap_or_default());
    written(list, &items)
}

/// The values that are neither in the list nor before in the values. `None`: the operation does nothing.
fn unique<'v>(
    list: &List<'_>,
    added: &[&'v [u8]],
    is_list: bool,
    flags: u64,
) -> Result<Option<Vec<&'v [u8]>>, OpError> {
    // Sorting the list pays for several values only.
    let list_order = (added.len() > 1).then(|| list.order());
    let is_in_list = |value: &[u8]| match &list_order {
        Some(order) => order.binary_search_by(|&at| compare(list.items[at], value)).is_ok(),
        None => list.items.iter().any(|item| compare(item, value).is_eq()),
    };
    // For each value, whether an equal one is before it.
    let order = sorted(added.len(), |a, b| compare(added[a], added[b]));
    let mut is_repeated = vec![false; added.len()];
    for two in order.windows(2) {
        is_repeated[two[1]] = compare(added[two[0]], added[two[1]]).is_eq();
    }
    let mut kept = Vec::with_capacity(added.len());
    for (at, &value) in added.iter().enumerate() {
        if is_in_list(value) {
            if !(is_list && is_partial(flags)) {
                return if no_fail(flags) { Ok(None) } else { Err(EXISTS) };
            }
        } else if is_repeated[at] {
            if !no_fail(flags) {
                return Err(DUPLICATE);
            }
            if !is_partial(flags) {
                return Ok(None);
            }
        } else {
            kept.push(value);
        }
    }
    Ok((!kept.is_empty()).then_some(kept))
}
