//! Operations on sketches.

use super::hll_command as c;
use crate::operation::{Argument, Call, Family, Returns, exp_type};

fn modify(command: u8) -> Call {
    Call::new(Family::Hll, command, true, Returns::Type(exp_type::HLL))
}

fn read(command: u8, exp_type: i64) -> Call {
    Call::new(Family::Hll, command, false, Returns::Type(exp_type))
}

/// Creates a sketch, or resets it. -1 for no min-hash bits.
pub fn init(index_bits: impl Into<Argument>, min_hash_bits: impl Into<Argument>, flags: i64) -> Call {
    modify(c::INIT).arg(index_bits).arg(min_hash_bits).arg(flags)
}

/// Adds a list of values. A sketch that is missing is created, with -1 for no min-hash bits; with -1 for the index bits
/// it has to exist.
pub fn add(
    values: impl Into<Argument>,
    index_bits: impl Into<Argument>,
    min_hash_bits: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::ADD).arg(values).arg(index_bits).arg(min_hash_bits).arg(flags)
}

/// Sets the sketch to its union with a list of sketches.
pub fn set_union(sketches: impl Into<Argument>, flags: i64) -> Call {
    modify(c::SET_UNION).arg(sketches).arg(flags)
}

/// Computes the number of values anew, keeps it, and returns it.
pub fn refresh_count() -> Call {
    modify(c::REFRESH_COUNT)
}

/// Reduces the number of index bits. Sketches with min-hash bits refuse it.
pub fn fold(index_bits: impl Into<Argument>) -> Call {
    modify(c::FOLD).arg(index_bits)
}

/// The estimated number of values.
pub fn get_count() -> Call {
    read(c::COUNT, exp_type::INT)
}

/// The union with a list of sketches.
pub fn get_union(sketches: impl Into<Argument>) -> Call {
    read(c::GET_UNION, exp_type::HLL).arg(sketches)
}

/// The estimated number of values of the union with a list of sketches.
pub fn get_union_count(sketches: impl Into<Argument>) -> Call {
    read(c::UNION_COUNT, exp_type::INT).arg(sketches)
}

/// The estimated number of values of the intersection with a list of sketches.
pub fn get_intersect_count(sketches: impl Into<Argument>) -> Call {
    read(c::INTERSECT_COUNT, exp_type::INT).arg(sketches)
}

/// The estimated share of values in common with a list of sketches.
pub fn get_similarity(sketches: impl Into<Argument>) -> Call {
    read(c::SIMILARITY, exp_type::FLOAT).arg(sketches)
}

/// The numbers of index bits and min-hash bits.
pub fn describe() -> Call {
    read(c::DESCRIBE, exp_type::LIST)
}

/// 1 if all of a list of values may have been added, 0 if not.
pub fn may_contain(values: impl Into<Argument>) -> Call {
    read(c::MAY_CONTAIN, exp_type::INT).arg(values)
}
