//! The operations on lists and maps, by the numbers of the official client's constants.

use wire_protocol::collection::list_command as l;
use wire_protocol::collection::map_command as m;
use wire_protocol::operation::Family;

use super::table::Kind::{
    Created, FlagOfCreate, Flags, Int, Inverted, List, ListFlags, ListOrder, ListPolicy, ListReturn, Map,
    MapOrder, MapPolicy, MapReturn, Number, OptionalInt, OptionalText, RangeBegin, RangeEnd, SetPolicy,
    Value,
};
use super::table::{E, Key as K, R, Spec, W};

const fn s(number: i64, name: &'static str, command: u8, modifies: bool, entries: &'static [E]) -> Spec {
    Spec::new(Family::Collection, number, name, command, modifies, entries)
}

#[rustfmt::skip]
pub(super) static LISTS: &[Spec] = &[
    s(1001, "list_append", l::APPEND, W, &[E(K::Val, "value", Value), E(K::ListPolicy, "policy", ListPolicy)]),
    s(1002, "list_append_items", l::APPEND_ITEMS, W, &[
        E(K::Val, "values", List), E(K::ListPolicy, "policy", ListPolicy),
    ]),
    s(1003, "list_insert", l::INSERT, W, &[
        E(K::Index, "index", Int), E(K::Val, "value", Value), E(K::ListPolicy, "policy", ListFlags),
    ]),
    s(1004, "list_insert_items", l::INSERT_ITEMS, W, &[
        E(K::Index, "index", Int), E(K::Val, "values", List), E(K::ListPolicy, "policy", ListFlags),
    ]),
    s(1005, "list_pop", l::POP, W, &[E(K::Index, "index", Int)]),
    s(1006, "list_pop_range", l::POP_RANGE, W, &[E(K::Index, "index", Int), E(K::Val, "count", Int)]),
    s(1007, "list_remove", l::REMOVE, W, &[E(K::Index, "index", Int)]),
    s(1008, "list_remove_range", l::REMOVE_RANGE, W, &[E(K::Index, "index", Int), E(K::Val, "count", Int)]),
    s(1009, "list_clear", l::CLEAR, W, &[]),
    s(1010, "list_set", l::SET, W, &[
        E(K::Index, "index", Int), E(K::Val, "value", Value), E(K::ListPolicy, "policy", ListFlags),
    ]),
    s(1011, "list_get", l::GET, R, &[E(K::Index, "index", Int)]),
    s(1012, "list_get_range", l::GET_RANGE, R, &[E(K::Index, "index", Int), E(K::Val, "count", Int)]),
    s(1013, "list_trim", l::TRIM, W, &[E(K::Index, "index", Int), E(K::Val, "count", Int)]),
    s(1014, "list_size", l::SIZE, R, &[]),
    s(1015, "list_increment", l::INCREMENT, W, &[
        E(K::Index, "index", Int), E(K::Val, "value", Number), E(K::ListPolicy, "policy", ListPolicy),
    ]),
    s(1016, "list_get_by_index", l::GET_BY_INDEX, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Index, "index", Int),
    ]),
    s(1017, "list_get_by_index_range", l::GET_BY_INDEX_RANGE, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Index, "index", Int), E(K::Inverted, "inverted", Inverted),
        E(K::Count, "count", OptionalInt),
    ]),
    s(1018, "list_get_by_rank", l::GET_BY_RANK, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Rank, "rank", Int),
    ]),
    s(1019, "list_get_by_rank_range", l::GET_BY_RANK_RANGE, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Rank, "rank", Int), E(K::Inverted, "inverted", Inverted),
        E(K::Count, "count", OptionalInt),
    ]),
    s(1020, "list_get_by_value", l::GET_BY_VALUE, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Val, "value", Value), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1021, "list_get_by_value_list", l::GET_BY_VALUE_LIST, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::ValueList, "value_list", List),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1022, "list_get_by_value_range", l::GET_BY_VALUE_RANGE, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Inverted, "inverted", Inverted),
        E(K::ValueBegin, "value_begin", RangeBegin), E(K::ValueEnd, "value_end", RangeEnd),
    ]),
    s(1023, "list_remove_by_index", l::REMOVE_BY_INDEX, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Index, "index", Int),
    ]),
    s(1024, "list_remove_by_index_range", l::REMOVE_BY_INDEX_RANGE, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Index, "index", Int), E(K::Inverted, "inverted", Inverted),
        E(K::Count, "count", OptionalInt),
    ]),
    s(1025, "list_remove_by_rank", l::REMOVE_BY_RANK, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Rank, "rank", Int),
    ]),
    s(1026, "list_remove_by_rank_range", l::REMOVE_BY_RANK_RANGE, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Rank, "rank", Int), E(K::Inverted, "inverted", Inverted),
        E(K::Count, "count", OptionalInt),
    ]),
    s(1027, "list_remove_by_value", l::REMOVE_BY_VALUE, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Val, "value", Value), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1028, "list_remove_by_value_list", l::REMOVE_BY_VALUE_LIST, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::ValueList, "value_list", List),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1029, "list_remove_by_value_range", l::REMOVE_BY_VALUE_RANGE, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Inverted, "inverted", Inverted),
        E(K::ValueBegin, "value_begin", RangeBegin), E(K::ValueEnd, "value_end", RangeEnd),
    ]),
    s(1030, "list_set_order", l::SET_ORDER, W, &[E(K::ListOrder, "list_order", ListOrder)]),
    s(1031, "list_sort", l::SORT, W, &[E(K::SortFlags, "sort_flags", Flags(3))]),
    s(1032, "list_remove_by_value_rank_range_relative", l::REMOVE_BY_VALUE_REL_RANK_RANGE, W, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Val, "value", Value), E(K::Rank, "offset", Int),
        E(K::Inverted, "inverted", Inverted), E(K::Count, "count", OptionalInt),
    ]),
    s(1033, "list_get_by_value_rank_range_relative", l::GET_BY_VALUE_REL_RANK_RANGE, R, &[
        E(K::ReturnType, "return_type", ListReturn), E(K::Val, "value", Value), E(K::Rank, "offset", Int),
        E(K::Inverted, "inverted", Inverted), E(K::Count, "count", OptionalInt),
    ]),
    s(1041, "list_create", l::SET_ORDER, W, &[
        E(K::ListOrder, "list_order", Created), E(K::Pad, "pad", FlagOfCreate),
        E(K::PersistIndex, "persist_index", FlagOfCreate),
    ]),
    s(1042, "list_join", l::JOIN, R, &[E(K::Separator, "separator", OptionalText)]),
];

#[rustfmt::skip]
pub(super) static MAPS: &[Spec] = &[
    s(1101, "map_set_policy", m::SET_ORDER, W, &[E(K::MapPolicy, "policy", SetPolicy)]),
    s(1102, "map_put", m::PUT, W, &[
        E(K::Key, "key", Value), E(K::Val, "value", Value), E(K::MapPolicy, "map_policy", MapPolicy),
    ]),
    s(1103, "map_put_items", m::PUT_ITEMS, W, &[
        E(K::Val, "item_dict", Map), E(K::MapPolicy, "map_policy", MapPolicy),
    ]),
    s(1104, "map_increment", m::INCREMENT, W, &[
        E(K::Key, "key", Value), E(K::Val, "amount", Number), E(K::MapPolicy, "map_policy", MapOrder),
    ]),
    s(1105, "map_decrement", m::DECREMENT, W, &[
        E(K::Key, "key", Value), E(K::Val, "amount", Number), E(K::MapPolicy, "map_policy", MapOrder),
    ]),
    s(1106, "map_size", m::SIZE, R, &[]),
    s(1107, "map_clear", m::CLEAR, W, &[]),
    s(1108, "map_remove_by_key", m::REMOVE_BY_KEY, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Key, "key", Value),
    ]),
    s(1109, "map_remove_by_key_list", m::REMOVE_BY_KEY_LIST, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "key_list", List),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1110, "map_remove_by_key_range", m::REMOVE_BY_KEY_RANGE, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Key, "key_range_start", Value),
        E(K::Val, "key_range_end", Value), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1111, "map_remove_by_value", m::REMOVE_BY_VALUE, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "value", Value), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1112, "map_remove_by_value_list", m::REMOVE_BY_VALUE_LIST, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "value_list", List),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1113, "map_remove_by_value_range", m::REMOVE_BY_VALUE_RANGE, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "value_start", Value), E(K::Range, "value_end", Value),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1114, "map_remove_by_index", m::REMOVE_BY_INDEX, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "index", Int),
    ]),
    s(1115, "map_remove_by_index_range", m::REMOVE_BY_INDEX_RANGE, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "index_start", Int), E(K::Val, "remove_amt", Int),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1116, "map_remove_by_rank", m::REMOVE_BY_RANK, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "rank", Int),
    ]),
    s(1117, "map_remove_by_rank_range", m::REMOVE_BY_RANK_RANGE, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "rank_start", Int), E(K::Val, "remove_amt", Int),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1118, "map_get_by_key", m::GET_BY_KEY, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Key, "key", Value),
    ]),
    s(1119, "map_get_by_key_range", m::GET_BY_KEY_RANGE, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Key, "key_range_start", Value),
        E(K::Range, "key_range_end", Value), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1120, "map_get_by_value", m::GET_BY_VALUE, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "value", Value), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1121, "map_get_by_value_range", m::GET_BY_VALUE_RANGE, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "value_start", Value), E(K::Range, "value_end", Value),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1122, "map_get_by_index", m::GET_BY_INDEX, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "index", Int),
    ]),
    s(1123, "map_get_by_index_range", m::GET_BY_INDEX_RANGE, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "index_start", Int), E(K::Val, "get_amt", Int),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1124, "map_get_by_rank", m::GET_BY_RANK, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "rank", Int),
    ]),
    s(1125, "map_get_by_rank_range", m::GET_BY_RANK_RANGE, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Index, "rank_start", Int), E(K::Val, "get_amt", Int),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1126, "map_get_by_value_list", m::GET_BY_VALUE_LIST, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "key_list", List),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1127, "map_get_by_key_list", m::GET_BY_KEY_LIST, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "key_list", List),
        E(K::Inverted, "inverted", Inverted),
    ]),
    s(1128, "map_remove_by_value_rank_range_relative", m::REMOVE_BY_VALUE_REL_RANK_RANGE, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "value", Value), E(K::Rank, "offset", Int),
        E(K::Count, "count", OptionalInt), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1129, "map_remove_by_key_index_range_relative", m::REMOVE_BY_KEY_REL_INDEX_RANGE, W, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Key, "key", Value), E(K::Index, "offset", Int),
        E(K::Count, "count", OptionalInt), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1130, "map_get_by_value_rank_range_relative", m::GET_BY_VALUE_REL_RANK_RANGE, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Val, "value", Value), E(K::Rank, "offset", Int),
        E(K::Count, "count", OptionalInt), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1131, "map_get_by_key_index_range_relative", m::GET_BY_KEY_REL_INDEX_RANGE, R, &[
        E(K::ReturnType, "return_type", MapReturn), E(K::Key, "value", Value), E(K::Index, "offset", Int),
        E(K::Count, "count", OptionalInt), E(K::Inverted, "inverted", Inverted),
    ]),
    s(1144, "map_create", m::SET_ORDER, W, &[
        E(K::MapOrder, "map_order", Created), E(K::PersistIndex, "persist_index", FlagOfCreate),
    ]),
];
