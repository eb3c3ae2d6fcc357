//! The operations on bits and on HyperLogLog sketches, by the numbers of the official client's constants.

use wire_protocol::bitwise::bit_command as b;
use wire_protocol::hll::hll_command as h;
use wire_protocol::operation::Family;

use super::table::Kind::{
    Action, BitCount, BitPolicy, Bool, Bytes, Flags, HllPolicy, Ignored, Int, InvertSize, List, OptionalSize,
    SignOfAction, Signed, Size,
};
use super::table::{E, Key as K, R, Spec, W};

const fn bits(number: i64, name: &'static str, command: u8, modifies: bool, entries: &'static [E]) -> Spec {
    Spec::new(Family::Bits, number, name, command, modifies, entries)
}

const fn sketch(number: i64, name: &'static str, command: u8, modifies: bool, entries: &'static [E]) -> Spec {
    Spec::new(Family::Hll, number, name, command, modifies, entries)
}

#[rustfmt::skip]
pub(super) static BITS: &[Spec] = &[
    bits(2000, "bit_resize", b::RESIZE, W, &[
        E(K::ByteSize, "byte_size", Size), E(K::Policy, "policy", BitPolicy),
        E(K::ResizeFlags, "resize_flags", Flags(7)),
    ]),
    bits(2001, "bit_insert", b::INSERT, W, &[
        E(K::ByteOffset, "byte_offset", Int), E(K::ValueByteSize, "value_byte_size", Ignored),
        E(K::Value, "value", Bytes), E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2002, "bit_remove", b::REMOVE, W, &[
        E(K::ByteOffset, "byte_offset", Int), E(K::ByteSize, "byte_size", Size), E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2003, "bit_set", b::SET, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size),
        E(K::ValueByteSize, "value_byte_size", Ignored), E(K::Value, "value", Bytes),
        E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2004, "bit_or", b::OR, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size),
        E(K::ValueByteSize, "value_byte_size", Ignored), E(K::Value, "value", Bytes),
        E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2005, "bit_xor", b::XOR, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size),
        E(K::ValueByteSize, "value_byte_size", Ignored), E(K::Value, "value", Bytes),
        E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2006, "bit_and", b::AND, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size),
        E(K::ValueByteSize, "value_byte_size", Ignored), E(K::Value, "value", Bytes),
        E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2007, "bit_not", b::NOT, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2008, "bit_lshift", b::LSHIFT, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Value, "shift", Int),
        E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2009, "bit_rshift", b::RSHIFT, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Value, "shift", Int),
        E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2010, "bit_add", b::ADD, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Value, "value", Int),
        E(K::Policy, "policy", BitPolicy), E(K::Sign, "sign", SignOfAction), E(K::Action, "action", Action),
    ]),
    bits(2011, "bit_subtract", b::SUBTRACT, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Value, "value", Int),
        E(K::Policy, "policy", BitPolicy), E(K::Sign, "sign", SignOfAction), E(K::Action, "action", Action),
    ]),
    bits(2012, "bit_get_int", b::GET_INT, R, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Sign, "sign", Signed),
    ]),
    bits(2013, "bit_set_int", b::SET_INT, W, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Value, "value", Int),
        E(K::Policy, "policy", BitPolicy),
    ]),
    bits(2014, "bit_get", b::GET, R, &[E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size)]),
    bits(2015, "bit_count", b::COUNT, R, &[E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size)]),
    bits(2016, "bit_lscan", b::LSCAN, R, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Value, "value", Bool),
    ]),
    bits(2017, "bit_rscan", b::RSCAN, R, &[
        E(K::BitOffset, "bit_offset", Int), E(K::BitSize, "bit_size", Size), E(K::Value, "value", Bool),
    ]),
    bits(2018, "bit_b64_encode", b::B64_ENCODE, R, &[
        E(K::ByteOffset, "byte_offset", Int), E(K::ByteSize, "byte_size", OptionalSize),
        E(K::InvertSize, "invert_size", InvertSize),
    ]),
];

#[rustfmt::skip]
pub(super) static SKETCHES: &[Spec] = &[
    sketch(2100, "hll_add", h::ADD, W, &[
        E(K::ValueList, "values", List), E(K::IndexBitCount, "index_bit_count", BitCount),
        E(K::MhBitCount, "mh_bit_count", BitCount), E(K::HllPolicy, "policy", HllPolicy),
    ]),
    sketch(2101, "hll_describe", h::DESCRIBE, R, &[]),
    sketch(2102, "hll_fold", h::FOLD, W, &[E(K::IndexBitCount, "index_bit_count", BitCount)]),
    sketch(2103, "hll_get_count", h::COUNT, R, &[]),
    sketch(2104, "hll_get_intersect_count", h::INTERSECT_COUNT, R, &[E(K::ValueList, "hll_list", List)]),
    sketch(2105, "hll_get_similarity", h::SIMILARITY, R, &[E(K::ValueList, "hll_list", List)]),
    sketch(2106, "hll_get_union", h::GET_UNION, R, &[E(K::ValueList, "hll_list", List)]),
    sketch(2107, "hll_get_union_count", h::UNION_COUNT, R, &[E(K::ValueList, "hll_list", List)]),
    sketch(2108, "hll_init", h::INIT, W, &[
        E(K::IndexBitCount, "index_bit_count", BitCount), E(K::MhBitCount, "mh_bit_count", BitCount),
        E(K::HllPolicy, "policy", HllPolicy),
    ]),
    sketch(2109, "hll_refresh_count", h::REFRESH_COUNT, W, &[]),
    sketch(2110, "hll_set_union", h::SET_UNION, W, &[
        E(K::ValueList, "hll_list", List), E(K::HllPolicy, "policy", HllPolicy),
    ]),
];
