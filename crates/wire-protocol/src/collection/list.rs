//! Operations on lists.

use super::list_command as c;
use super::policy::list_persist;
use super::{ListPolicy, ReturnType};
use crate::operation::{Argument, Call, Create, Family, Returns, create_list, exp_type};
use crate::value::ListOrder;

fn modify(command: u8) -> Call {
    Call::new(Family::Collection, command, true, Returns::Collection(exp_type::LIST))
}

fn read(command: u8, returns: Returns) -> Call {
    Call::new(Family::Collection, command, false, returns)
}

fn with_policy(call: Call, policy: Option<ListPolicy>) -> Call {
    let arguments = policy.map(|policy| [i64::from(policy.order.bits()), policy.flags]);
    call.args(arguments.into_iter().flatten())
}

/// Without the order: these operations create no list.
fn with_flags(call: Call, policy: Option<ListPolicy>) -> Call {
    call.args(policy.map(|policy| policy.flags))
}

/// Sets the order of a list.
pub fn set_order(order: ListOrder) -> Call {
    modify(c::SET_ORDER).arg(i64::from(order.bits()))
}

/// Creates an empty list, if there is none.
///
/// With a context, its last step is created: with `pad`, an index beyond the end of the list around it fills the
/// positions before it with nil. Without one, the bin; `persist_index` then keeps an index of its elements.
pub fn create(order: ListOrder, pad: bool, persist_index: bool) -> Call {
    let step_bits = create_list(order, pad);
    let mut call = modify(c::SET_ORDER);
    call.creates = Some(Create { order: order.bits(), bin_flags: list_persist(persist_index), step_bits });
    call
}

/// Appends a value.
pub fn append(value: impl Into<Argument>, policy: Option<ListPolicy>) -> Call {
    with_policy(modify(c::APPEND).arg(value), policy)
}

/// Appends the values of a list.
pub fn append_items(values: impl Into<Argument>, policy: Option<ListPolicy>) -> Call {
    with_policy(modify(c::APPEND_ITEMS).arg(values), policy)
}

/// Inserts a value at an index. An ordered list refuses it.
pub fn insert(index: impl Into<Argument>, value: impl Into<Argument>, policy: Option<ListPolicy>) -> Call {
    with_flags(modify(c::INSERT).arg(index).arg(value), policy)
}

/// Inserts the values of a list at an index. An ordered list refuses it.
pub fn insert_items(
    index: impl Into<Argument>,
    values: impl Into<Argument>,
    policy: Option<ListPolicy>,
) -> Call {
    with_flags(modify(c::INSERT_ITEMS).arg(index).arg(values), policy)
}

/// Adds to the number at an index.
pub fn increment(index: impl Into<Argument>, value: impl Into<Argument>, policy: Option<ListPolicy>) -> Call {
    with_policy(modify(c::INCREMENT).arg(index).arg(value), policy)
}

/// Replaces the element at an index. An ordered list refuses it.
pub fn set(index: impl Into<Argument>, value: impl Into<Argument>, policy: Option<ListPolicy>) -> Call {
    with_flags(modify(c::SET).arg(index).arg(value), policy)
}

/// Removes all elements.
pub fn clear() -> Call {
    modify(c::CLEAR)
}

/// Sorts the list. `flags` has bits of [`list_flags`](super::list_flags), such as `SORT_DESCENDING`.
pub fn sort(flags: i64) -> Call {
    modify(c::SORT).arg(flags)
}

/// Removes the element at an index and returns it.
pub fn pop(index: impl Into<Argument>) -> Call {
    modify(c::POP).arg(index)
}

/// Removes `count` elements from an index on and returns them.
pub fn pop_range(index: impl Into<Argument>, count: impl Into<Argument>) -> Call {
    modify(c::POP_RANGE).arg(index).arg(count)
}

/// Removes the elements from an index to the end and returns them.
pub fn pop_range_from(index: impl Into<Argument>) -> Call {
    modify(c::POP_RANGE).arg(index)
}

/// Removes the element at an index and returns how many were removed.
pub fn remove(index: impl Into<Argument>) -> Call {
    modify(c::REMOVE).arg(index)
}

/// Removes `count` elements from an index on and returns how many were removed.
pub fn remove_range(index: impl Into<Argument>, count: impl Into<Argument>) -> Call {
    modify(c::REMOVE_RANGE).arg(index).arg(count)
}

/// Removes the elements from an index to the end and returns how many were removed.
pub fn remove_range_from(index: impl Into<Argument>) -> Call {
    modify(c::REMOVE_RANGE).arg(index)
}

/// Keeps `count` elements from an index on, and returns how many others were removed.
pub fn trim(index: impl Into<Argument>, count: impl Into<Argument>) -> Call {
    modify(c::TRIM).arg(index).arg(count)
}

/// The number of elements.
pub fn size() -> Call {
    read(c::SIZE, Returns::Type(exp_type::INT))
}

/// The element at an index.
pub fn get(index: impl Into<Argument>) -> Call {
    read(c::GET, Returns::Element).arg(index)
}

/// `count` elements from an index on.
pub fn get_range(index: impl Into<Argument>, count: impl Into<Argument>) -> Call {
    read(c::GET_RANGE, Returns::Type(exp_type::LIST)).arg(index).arg(count)
}

/// The elements from an index to the end.
pub fn get_range_from(index: impl Into<Argument>) -> Call {
    read(c::GET_RANGE, Returns::Type(exp_type::LIST)).arg(index)
}

/// The elements, text, as one text; since server 8.2.
pub fn join() -> Call {
    read(c::JOIN, Returns::Type(exp_type::STR))
}

/// The elements, text, as one text with a separator between them; since server 8.2.
pub fn join_with(separator: impl Into<Argument>) -> Call {
    read(c::JOIN, Returns::Type(exp_type::STR)).arg(separator)
}

/// Returns the element at an index.
pub fn get_by_index(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_INDEX, return_type.returns(true)).arg(return_type.bits()).arg(index)
}

/// Removes the element at an index, and returns what `return_type` says.
pub fn remove_by_index(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_INDEX).arg(return_type.bits()).arg(index)
}

/// Returns `count` elements from an index on.
pub fn get_by_index_range(
    index: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_INDEX_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(index).arg(count)
}

/// Removes `count` elements from an index on, and returns what `return_type` says.
pub fn remove_by_index_range(
    index: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_INDEX_RANGE).arg(return_type.bits()).arg(index).arg(count)
}

/// Returns the elements from an index to the end.
pub fn get_by_index_range_from(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_INDEX_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(index)
}

/// Removes the elements from an index to the end, and returns what `return_type` says.
pub fn remove_by_index_range_from(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_INDEX_RANGE).arg(return_type.bits()).arg(index)
}

/// Returns the element with a rank.
pub fn get_by_rank(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_RANK, return_type.returns(true)).arg(return_type.bits()).arg(rank)
}

/// Removes the element with a rank, and returns what `return_type` says.
pub fn remove_by_rank(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_RANK).arg(return_type.bits()).arg(rank)
}

/// Returns `count` elements from a rank on.
pub fn get_by_rank_range(
    rank: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_RANK_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(rank).arg(count)
}

/// Removes `count` elements from a rank on, and returns what `return_type` says.
pub fn remove_by_rank_range(
    rank: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_RANK_RANGE).arg(return_type.bits()).arg(rank).arg(count)
}

/// Returns the elements from a rank to the greatest.
pub fn get_by_rank_range_from(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_RANK_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(rank)
}

/// Removes the elements from a rank to the greatest, and returns what `return_type` says.
pub fn remove_by_rank_range_from(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_RANK_RANGE).arg(return_type.bits()).arg(rank)
}

/// Returns the elements that are equal to a value.
pub fn get_by_value(value: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_VALUE, return_type.returns(false)).arg(return_type.bits()).arg(value)
}

/// Removes the elements that are equal to a value, and returns what `return_type` says.
pub fn remove_by_value(value: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_VALUE).arg(return_type.bits()).arg(value)
}

/// Returns the elements that are equal to any of a list of values.
pub fn get_by_value_list(values: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_VALUE_LIST, return_type.returns(false)).arg(return_type.bits()).arg(values)
}

/// Removes the elements that are equal to any of a list of values, and returns what `return_type` says.
pub fn remove_by_value_list(values: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_VALUE_LIST).arg(return_type.bits()).arg(values)
}

/// Returns the elements from `begin` to before `end`; nil and infinity for no bound.
pub fn get_by_value_range(
    begin: impl Into<Argument>,
    end: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_VALUE_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(begin).arg(end)
}

/// Removes the elements from `begin` to before `end`; nil and infinity for no bound, and returns what `return_type` says.
pub fn remove_by_value_range(
    begin: impl Into<Argument>,
    end: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_VALUE_RANGE).arg(return_type.bits()).arg(begin).arg(end)
}

/// Returns the elements from `begin` on.
pub fn get_by_value_range_from(begin: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_VALUE_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(begin)
}

/// Removes the elements from `begin` on, and returns what `return_type` says.
pub fn remove_by_value_range_from(begin: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_VALUE_RANGE).arg(return_type.bits()).arg(begin)
}

/// Returns `count` elements from a rank relative to a value on: 0 is the first that is not less than it.
pub fn get_by_value_rel_rank_range(
    value: impl Into<Argument>,
    rank: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_VALUE_REL_RANK_RANGE, return_type.returns(false))
        .arg(return_type.bits())
        .arg(value)
        .arg(rank)
        .arg(count)
}

/// Removes `count` elements from a rank relative to a value on: 0 is the first that is not less than it, and returns what `return_type` says.
pub fn remove_by_value_rel_rank_range(
    value: impl Into<Argument>,
    rank: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_VALUE_REL_RANK_RANGE).arg(return_type.bits()).arg(value).arg(rank).arg(count)
}

/// Returns the elements from a rank relative to a value to the greatest.
pub fn get_by_value_rel_rank_range_from(
    value: impl Into<Argument>,
    rank: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_VALUE_REL_RANK_RANGE, return_type.returns(false))
        .arg(return_type.bits())
        .arg(value)
        .arg(rank)
}

/// Removes the elements from a rank relative to a value to the greatest, and returns what `return_type` says.
pub fn remove_by_value_rel_rank_range_from(
    value: impl Into<Argument>,
    rank: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_VALUE_REL_RANK_RANGE).arg(return_type.bits()).arg(value).arg(rank)
}
