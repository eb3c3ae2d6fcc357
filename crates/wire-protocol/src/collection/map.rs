//! Operations on maps.

use super::map_command as c;
use super::{MapPolicy, ReturnType};
use crate::operation::{Argument, Call, Create, Family, Returns, create_map, exp_type};
use crate::value::MapOrder;

fn modify(command: u8) -> Call {
    Call::new(Family::Collection, command, true, Returns::Collection(exp_type::MAP))
}

fn read(command: u8, returns: Returns) -> Call {
    Call::new(Family::Collection, command, false, returns)
}

/// The flags are sent only if there are any.
fn with_policy(call: Call, policy: MapPolicy) -> Call {
    let flags = Some(policy.flags).filter(|flags| *flags != 0);
    call.arg(policy.attributes()).args(flags)
}

/// Sets the order of a map. The flags of the policy do not count.
pub fn set_policy(policy: MapPolicy) -> Call {
    modify(c::SET_ORDER).arg(policy.attributes())
}

/// Creates an empty map, if there is none.
///
/// With a context, its last step is created. Without one, the bin; `persist_index` then keeps an index of its pairs.
pub fn create(order: MapOrder, persist_index: bool) -> Call {
    let bin_flags = MapPolicy { persist_index, ..MapPolicy::default() }.attributes();
    let mut call = modify(c::SET_ORDER);
    call.creates = Some(Create { order: order.bits(), bin_flags, step_bits: create_map(order) });
    call
}

/// Puts a pair.
pub fn put(key: impl Into<Argument>, value: impl Into<Argument>, policy: MapPolicy) -> Call {
    with_policy(modify(c::PUT).arg(key).arg(value), policy)
}

/// Puts the pairs of a map.
pub fn put_items(pairs: impl Into<Argument>, policy: MapPolicy) -> Call {
    with_policy(modify(c::PUT_ITEMS).arg(pairs), policy)
}

/// Adds to the number of a key, which is created if it is missing. The flags of the policy do not count.
pub fn increment(key: impl Into<Argument>, value: impl Into<Argument>, policy: MapPolicy) -> Call {
    modify(c::INCREMENT).arg(key).arg(value).arg(policy.attributes())
}

/// Subtracts from the number of a key, which is created if it is missing. The flags of the policy do not count.
pub fn decrement(key: impl Into<Argument>, value: impl Into<Argument>, policy: MapPolicy) -> Call {
    modify(c::DECREMENT).arg(key).arg(value).arg(policy.attributes())
}

/// Removes all pairs.
pub fn clear() -> Call {
    modify(c::CLEAR)
}

/// The number of pairs.
pub fn size() -> Call {
    read(c::SIZE, Returns::Type(exp_type::INT))
}

/// Returns the pair with a key.
pub fn get_by_key(key: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_KEY, return_type.returns(true)).arg(return_type.bits()).arg(key)
}

/// Removes the pair with a key, and returns what `return_type` says.
pub fn remove_by_key(key: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_KEY).arg(return_type.bits()).arg(key)
}

/// Returns the pairs with any of a list of keys.
pub fn get_by_key_list(keys: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_KEY_LIST, return_type.returns(false)).arg(return_type.bits()).arg(keys)
}

/// Removes the pairs with any of a list of keys, and returns what `return_type` says.
pub fn remove_by_key_list(keys: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_KEY_LIST).arg(return_type.bits()).arg(keys)
}

/// Returns the pairs with keys from `begin` to before `end`; nil and infinity for no bound.
pub fn get_by_key_range(
    begin: impl Into<Argument>,
    end: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_KEY_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(begin).arg(end)
}

/// Removes the pairs with keys from `begin` to before `end`; nil and infinity for no bound, and returns what `return_type` says.
pub fn remove_by_key_range(
    begin: impl Into<Argument>,
    end: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_KEY_RANGE).arg(return_type.bits()).arg(begin).arg(end)
}

/// Returns the pairs with keys from `begin` on.
pub fn get_by_key_range_from(begin: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_KEY_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(begin)
}

/// Removes the pairs with keys from `begin` on, and returns what `return_type` says.
pub fn remove_by_key_range_from(begin: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_KEY_RANGE).arg(return_type.bits()).arg(begin)
}

/// Returns `count` pairs from an index relative to a key on: 0 is the first key that is not less than it.
pub fn get_by_key_rel_index_range(
    key: impl Into<Argument>,
    index: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_KEY_REL_INDEX_RANGE, return_type.returns(false))
        .arg(return_type.bits())
        .arg(key)
        .arg(index)
        .arg(count)
}

/// Removes `count` pairs from an index relative to a key on: 0 is the first key that is not less than it, and returns what `return_type` says.
pub fn remove_by_key_rel_index_range(
    key: impl Into<Argument>,
    index: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_KEY_REL_INDEX_RANGE).arg(return_type.bits()).arg(key).arg(index).arg(count)
}

/// Returns the pairs from an index relative to a key to the end.
pub fn get_by_key_rel_index_range_from(
    key: impl Into<Argument>,
    index: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_KEY_REL_INDEX_RANGE, return_type.returns(false))
        .arg(return_type.bits())
        .arg(key)
        .arg(index)
}

/// Removes the pairs from an index relative to a key to the end, and returns what `return_type` says.
pub fn remove_by_key_rel_index_range_from(
    key: impl Into<Argument>,
    index: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_KEY_REL_INDEX_RANGE).arg(return_type.bits()).arg(key).arg(index)
}

/// Returns the pairs whose value is equal to a value.
pub fn get_by_value(value: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_VALUE, return_type.returns(false)).arg(return_type.bits()).arg(value)
}

/// Removes the pairs whose value is equal to a value, and returns what `return_type` says.
pub fn remove_by_value(value: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_VALUE).arg(return_type.bits()).arg(value)
}

/// Returns the pairs whose value is equal to any of a list of values.
pub fn get_by_value_list(values: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_VALUE_LIST, return_type.returns(false)).arg(return_type.bits()).arg(values)
}

/// Removes the pairs whose value is equal to any of a list of values, and returns what `return_type` says.
pub fn remove_by_value_list(values: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_VALUE_LIST).arg(return_type.bits()).arg(values)
}

/// Returns the pairs with values from `begin` to before `end`; nil and infinity for no bound.
pub fn get_by_value_range(
    begin: impl Into<Argument>,
    end: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_VALUE_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(begin).arg(end)
}

/// Removes the pairs with values from `begin` to before `end`; nil and infinity for no bound, and returns what `return_type` says.
pub fn remove_by_value_range(
    begin: impl Into<Argument>,
    end: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_VALUE_RANGE).arg(return_type.bits()).arg(begin).arg(end)
}

/// Returns the pairs with values from `begin` on.
pub fn get_by_value_range_from(begin: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_VALUE_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(begin)
}

/// Removes the pairs with values from `begin` on, and returns what `return_type` says.
pub fn remove_by_value_range_from(begin: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_VALUE_RANGE).arg(return_type.bits()).arg(begin)
}

/// Returns `count` pairs from a rank relative to a value on: 0 is the first value that is not less than it.
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

/// Removes `count` pairs from a rank relative to a value on: 0 is the first value that is not less than it, and returns what `return_type` says.
pub fn remove_by_value_rel_rank_range(
    value: impl Into<Argument>,
    rank: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_VALUE_REL_RANK_RANGE).arg(return_type.bits()).arg(value).arg(rank).arg(count)
}

/// Returns the pairs from a rank relative to a value to the greatest.
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

/// Removes the pairs from a rank relative to a value to the greatest, and returns what `return_type` says.
pub fn remove_by_value_rel_rank_range_from(
    value: impl Into<Argument>,
    rank: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_VALUE_REL_RANK_RANGE).arg(return_type.bits()).arg(value).arg(rank)
}

/// Returns the pair at an index.
pub fn get_by_index(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_INDEX, return_type.returns(true)).arg(return_type.bits()).arg(index)
}

/// Removes the pair at an index, and returns what `return_type` says.
pub fn remove_by_index(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_INDEX).arg(return_type.bits()).arg(index)
}

/// Returns `count` pairs from an index on.
pub fn get_by_index_range(
    index: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_INDEX_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(index).arg(count)
}

/// Removes `count` pairs from an index on, and returns what `return_type` says.
pub fn remove_by_index_range(
    index: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_INDEX_RANGE).arg(return_type.bits()).arg(index).arg(count)
}

/// Returns the pairs from an index to the end.
pub fn get_by_index_range_from(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_INDEX_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(index)
}

/// Removes the pairs from an index to the end, and returns what `return_type` says.
pub fn remove_by_index_range_from(index: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_INDEX_RANGE).arg(return_type.bits()).arg(index)
}

/// Returns the pair with a rank.
pub fn get_by_rank(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_RANK, return_type.returns(true)).arg(return_type.bits()).arg(rank)
}

/// Removes the pair with a rank, and returns what `return_type` says.
pub fn remove_by_rank(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_RANK).arg(return_type.bits()).arg(rank)
}

/// Returns `count` pairs from a rank on.
pub fn get_by_rank_range(
    rank: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    read(c::GET_BY_RANK_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(rank).arg(count)
}

/// Removes `count` pairs from a rank on, and returns what `return_type` says.
pub fn remove_by_rank_range(
    rank: impl Into<Argument>,
    count: impl Into<Argument>,
    return_type: ReturnType,
) -> Call {
    modify(c::REMOVE_BY_RANK_RANGE).arg(return_type.bits()).arg(rank).arg(count)
}

/// Returns the pairs from a rank to the greatest.
pub fn get_by_rank_range_from(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    read(c::GET_BY_RANK_RANGE, return_type.returns(false)).arg(return_type.bits()).arg(rank)
}

/// Removes the pairs from a rank to the greatest, and returns what `return_type` says.
pub fn remove_by_rank_range_from(rank: impl Into<Argument>, return_type: ReturnType) -> Call {
    modify(c::REMOVE_BY_RANK_RANGE).arg(return_type.bits()).arg(rank)
}
