//! Operations on bits.

use super::{bit_command as c, bit_flags};
use crate::operation::{Argument, Call, Family, Returns, exp_type};

fn modify(command: u8) -> Call {
    Call::new(Family::Bits, command, true, Returns::Type(exp_type::BLOB))
}

fn read(command: u8, exp_type: i64) -> Call {
    Call::new(Family::Bits, command, false, Returns::Type(exp_type))
}

/// Changes the number of bytes. `resize_flags` has the bits of [`bit_flags`] that start with `RESIZE`.
pub fn resize(byte_size: impl Into<Argument>, flags: i64, resize_flags: i64) -> Call {
    modify(c::RESIZE).arg(byte_size).arg(flags).arg(resize_flags)
}

/// Inserts bytes at an offset.
pub fn insert(byte_offset: impl Into<Argument>, bytes: impl Into<Argument>, flags: i64) -> Call {
    modify(c::INSERT).arg(byte_offset).arg(bytes).arg(flags)
}

/// Removes bytes.
pub fn remove(byte_offset: impl Into<Argument>, byte_size: impl Into<Argument>, flags: i64) -> Call {
    modify(c::REMOVE).arg(byte_offset).arg(byte_size).arg(flags)
}

/// Replaces bits by those of `bytes`.
pub fn set(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    bytes: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::SET).arg(bit_offset).arg(bit_size).arg(bytes).arg(flags)
}

/// Sets bits to the bitwise or with those of `bytes`.
pub fn or(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    bytes: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::OR).arg(bit_offset).arg(bit_size).arg(bytes).arg(flags)
}

/// Sets bits to the bitwise exclusive or with those of `bytes`.
pub fn xor(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    bytes: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::XOR).arg(bit_offset).arg(bit_size).arg(bytes).arg(flags)
}

/// Sets bits to the bitwise and with those of `bytes`.
pub fn and(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    bytes: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::AND).arg(bit_offset).arg(bit_size).arg(bytes).arg(flags)
}

/// Negates bits.
pub fn not(bit_offset: impl Into<Argument>, bit_size: impl Into<Argument>, flags: i64) -> Call {
    modify(c::NOT).arg(bit_offset).arg(bit_size).arg(flags)
}

/// Shifts bits to the left.
pub fn lshift(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    shift: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::LSHIFT).arg(bit_offset).arg(bit_size).arg(shift).arg(flags)
}

/// Shifts bits to the right.
pub fn rshift(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    shift: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::RSHIFT).arg(bit_offset).arg(bit_size).arg(shift).arg(flags)
}

/// Adds to the integer in these bits, at most 64. `action` has the bits of [`bit_flags`] that start with `OVERFLOW`, and
/// `SIGNED`.
pub fn add(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    value: impl Into<Argument>,
    flags: i64,
    action: i64,
) -> Call {
    modify(c::ADD).arg(bit_offset).arg(bit_size).arg(value).arg(flags).arg(action)
}

/// Subtracts from the integer in these bits, at most 64. `action` is as for [`add`].
pub fn subtract(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    value: impl Into<Argument>,
    flags: i64,
    action: i64,
) -> Call {
    modify(c::SUBTRACT).arg(bit_offset).arg(bit_size).arg(value).arg(flags).arg(action)
}

/// Writes an integer into these bits, at most 64.
pub fn set_int(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    value: impl Into<Argument>,
    flags: i64,
) -> Call {
    modify(c::SET_INT).arg(bit_offset).arg(bit_size).arg(value).arg(flags)
}

/// The bits, as bytes.
pub fn get(bit_offset: impl Into<Argument>, bit_size: impl Into<Argument>) -> Call {
    read(c::GET, exp_type::BLOB).arg(bit_offset).arg(bit_size)
}

/// The number of bits that are set.
pub fn count(bit_offset: impl Into<Argument>, bit_size: impl Into<Argument>) -> Call {
    read(c::COUNT, exp_type::INT).arg(bit_offset).arg(bit_size)
}

/// The position of the first bit that is set, or, with `value` false, that is not. From the left; -1 for none.
pub fn lscan(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    value: impl Into<Argument>,
) -> Call {
    read(c::LSCAN, exp_type::INT).arg(bit_offset).arg(bit_size).arg(value)
}

/// The position of the last bit that is set, or, with `value` false, that is not. From the left; -1 for none.
pub fn rscan(
    bit_offset: impl Into<Argument>,
    bit_size: impl Into<Argument>,
    value: impl Into<Argument>,
) -> Call {
    read(c::RSCAN, exp_type::INT).arg(bit_offset).arg(bit_size).arg(value)
}

/// The integer in these bits, at most 64.
pub fn get_int(bit_offset: impl Into<Argument>, bit_size: impl Into<Argument>, is_signed: bool) -> Call {
    read(c::GET_INT, exp_type::INT).arg(bit_offset).arg(bit_size).args(is_signed.then_some(bit_flags::SIGNED))
}

/// The bytes, as text in base64; since server 8.2.
pub fn b64_encode() -> Call {
    read(c::B64_ENCODE, exp_type::STR)
}

/// A range of bytes, as text in base64; since server 8.2. With `invert_size`, `byte_size` is how many bytes at the end are
/// left out.
pub fn b64_encode_range(
    byte_offset: impl Into<Argument>,
    byte_size: impl Into<Argument>,
    invert_size: bool,
) -> Call {
    read(c::B64_ENCODE, exp_type::STR)
        .arg(byte_offset)
        .arg(byte_size)
        .args(invert_size.then_some(bit_flags::INVERT_SIZE))
}
