//! `bytes`: bytes with a size and a buffer that may be larger; positions count from 1.
//!
//! As on the server, wrong numbers of arguments are no error: functions that write return `false` then, those that read
//! nothing. `#` counts no bytes, for the same reason: use `bytes.size`.

use mlua::{Lua, MultiValue, Value};

use crate::lua::args::{Args, Fail};
use crate::lua::list::text_of;
use crate::lua::objects::Shared;
use crate::lua::{RawFunction, Results, nothing, one, value};
use crate::value::{Bytes, Val};

macro_rules! integers {
    ($($prefix:literal => $function:ident),*; $($more:expr),* $(,)?) => {
        &[
            $(
                (concat!($prefix, "_int16"), concat!($prefix, "_int16"), $function::<2, true>),
                (concat!($prefix, "_int16_be"), concat!($prefix, "_int16_be"), $function::<2, true>),
                (concat!($prefix, "_int16_le"), concat!($prefix, "_int16_le"), $function::<2, false>),
                (concat!($prefix, "_int32"), concat!($prefix, "_int32"), $function::<4, true>),
                (concat!($prefix, "_int32_be"), concat!($prefix, "_int32_be"), $function::<4, true>),
                (concat!($prefix, "_int32_le"), concat!($prefix, "_int32_le"), $function::<4, false>),
                (concat!($prefix, "_int64"), concat!($prefix, "_int64"), $function::<8, true>),
                (concat!($prefix, "_int64_be"), concat!($prefix, "_int64_be"), $function::<8, true>),
                (concat!($prefix, "_int64_le"), concat!($prefix, "_int64_le"), $function::<8, false>),
            )*
            $($more),*
        ]
    };
}

pub(super) const FUNCTIONS: &[(&str, &str, RawFunction)] = integers! {
    "get" => get_int, "set" => set_int, "append" => append_int;
    ("make", "bytes", make),
    ("size", "size", size),
    ("set_size", "set_size", set_size),
    ("get_type", "get_type", get_type),
    ("set_type", "set_type", set_type),
    ("get_string", "get_string", get_string),
    ("get_bytes", "get_bytes", get_bytes),
    ("get_byte", "get_byte", get_byte),
    ("get_var_int", "get_var_int", get_var_int),
    ("set_string", "set_string", set_string),
    ("set_bytes", "set_bytes", set_bytes),
    ("set_byte", "set_byte", set_byte),
    ("set_var_int", "set_var_int", set_var_int),
    ("append_string", "append_string", append_string),
    ("append_bytes", "append_bytes", append_bytes),
    ("append_byte", "append_byte", append_byte),
    ("append_var_int", "append_var_int", append_var_int),
};

pub(super) const METAMETHODS: &[(&str, &str, RawFunction)] = &[
    ("__index", "index", get_byte),
    ("__newindex", "newindex", set_byte),
    ("__len", "len", size),
    ("__tostring", "tostring", to_string),
];

/// Most bytes of an integer in groups of seven bits.
const VAR_INT: usize = 5;

fn make(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() > 2 {
        return nothing();
    }
    let capacity = args.int(2, 0)? as u32 as usize;
    shared.make_room(lua, capacity.saturating_add(100))?;
    value(lua, Val::Bytes(shared.heap.empty_bytes(capacity)))
}

fn size(lua: &Lua, _: &Shared, args: &Args) -> Results {
    if args.count() == 1 { one(lua, args.bytes(1)?.size()) } else { one(lua, 0) }
}

fn to_string(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let bytes = args.bytes(1)?;
    if bytes.size() == 0 { one(lua, "Bytes()") } else { text_of(lua, shared, &Val::Bytes(bytes)) }
}

/// Whether the buffer is large enough already.
fn set_size(lua: &Lua, _: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return one(lua, false);
    }
    let (bytes, size) = (args.bytes(1)?, args.int(2, 0)?);
    one(lua, u32::try_from(size).is_ok_and(|size| bytes.with(|data| size as usize <= data.buffer().len())))
}

fn get_type(lua: &Lua, _: &Shared, args: &Args) -> Results {
    if args.count() < 1 { nothing() } else { one(lua, args.bytes(1)?.with(|data| data.kind)) }
}

fn set_type(lua: &Lua, _: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return one(lua, false);
    }
    let (bytes, kind) = (args.bytes(1)?, args.int(2, 0)?);
    let kind = u8::try_from(kind).ok().filter(|&kind| kind != 0);
    if let Some(kind) = kind {
        bytes.set_kind(kind);
    }
    one(lua, kind.is_some())
}

/// The position that an argument names.
fn position(args: &Args, at: usize) -> Result<Option<usize>, Fail> {
    let index = u32::try_from(args.int(at, 0)?).ok();
    Ok(index.and_then(|index| index.checked_sub(1)).map(|index| index as usize))
}

/// Makes the buffer large enough. `false` if that is too large.
fn reserve(lua: &Lua, shared: &Shared, bytes: &Bytes, size: usize) -> Result<bool, Fail> {
    let Some(missing) = bytes.missing(size) else { return Ok(false) };
    shared.meter().work(missing as u64 / 8)?;
    // The buffer may be copied when it grows.
    shared.make_room(lua, if missing == 0 { 0 } else { missing.saturating_add(size) })?;
    bytes.reserve(size);
    Ok(true)
}

/// Writes at a position, and returns whether that succeeded.
fn write(lua: &Lua, shared: &Shared, bytes: &Bytes, at: Option<usize>, data: Option<&[u8]>) -> Results {
    let (Some(at), Some(data)) = (at, data) else { return one(lua, false) };
    let fits = reserve(lua, shared, bytes, at.saturating_add(data.len()))?;
    if fits {
        bytes.write(at, data);
    }
    one(lua, fits)
}

/// The last `WIDTH` bytes of an integer, if it fits into them.
fn encode<const WIDTH: usize, const BIG_ENDIAN: bool>(number: i64) -> Option<[u8; WIDTH]> {
    let unused = 64 - 8 * WIDTH as u32;
    if (number << unused) >> unused != number {
        return None;
    }
    let mut bytes = [0; WIDTH];
    if BIG_ENDIAN {
        bytes.copy_from_slice(number.to_be_bytes().last_chunk::<WIDTH>()?);
    } else {
        bytes.copy_from_slice(number.to_le_bytes().first_chunk::<WIDTH>()?);
    }
    Some(bytes)
}

fn append_int<const WIDTH: usize, const BIG_ENDIAN: bool>(
    lua: &Lua,
    shared: &Shared,
    args: &Args,
) -> Results {
    if args.count() != 2 {
        return one(lua, false);
    }
    let (bytes, number) = (args.bytes(1)?, args.int(2, 0)?);
    let data = encode::<WIDTH, BIG_ENDIAN>(number);
    write(lua, shared, &bytes, Some(bytes.size()), data.as_ref().map(|data| &data[..]))
}

fn set_int<const WIDTH: usize, const BIG_ENDIAN: bool>(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 3 {
        return one(lua, false);
    }
    let (bytes, at, number) = (args.bytes(1)?, position(args, 2)?, args.int(3, 0)?);
    let data = encode::<WIDTH, BIG_ENDIAN>(number);
    write(lua, shared, &bytes, at, data.as_ref().map(|data| &data[..]))
}

fn get_int<const WIDTH: usize, const BIG_ENDIAN: bool>(lua: &Lua, _: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return nothing();
    }
    let (bytes, at) = (args.bytes(1)?, position(args, 2)?);
    let number = bytes.with(|data| {
        let at = at?;
        let data = data.bytes().get(at..at.checked_add(WIDTH)?)?;
        let mut wide = [0; 8];
        if BIG_ENDIAN {
            wide[..WIDTH].copy_from_slice(data);
            Some(i64::from_be_bytes(wide) >> (64 - 8 * WIDTH as u32))
        } else {
            wide[8 - WIDTH..].copy_from_slice(data);
            Some(i64::from_le_bytes(wide) >> (64 - 8 * WIDTH as u32))
        }
    });
    number.map_or_else(nothing, |number| one(lua, number))
}

fn get_byte(lua: &Lua, _: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return nothing();
    }
    let (bytes, at) = (args.bytes(1)?, position(args, 2)?);
    let byte = bytes.with(|data| data.bytes().get(at?).copied());
    byte.map_or_else(nothing, |byte| one(lua, byte))
}

fn byte(args: &Args, at: usize) -> Result<Option<[u8; 1]>, Fail> {
    Ok(u8::try_from(args.int(at, 0)?).ok().map(|byte| [byte]))
}

fn set_byte(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 3 {
        return one(lua, false);
    }
    let (bytes, at, byte) = (args.bytes(1)?, position(args, 2)?, byte(args, 3)?);
    write(lua, shared, &bytes, at, byte.as_ref().map(|byte| &byte[..]))
}

fn append_byte(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return one(lua, false);
    }
    let (bytes, byte) = (args.bytes(1)?, byte(args, 2)?);
    write(lua, shared, &bytes, Some(bytes.size()), byte.as_ref().map(|byte| &byte[..]))
}

/// Writes an integer in groups of seven bits, beyond the size. Returns the number of bytes.
fn write_var_int(lua: &Lua, shared: &Shared, bytes: &Bytes, at: Option<usize>, number: i64) -> Results {
    let (Some(at), Ok(number)) = (at, i32::try_from(number)) else { return one(lua, 0) };
    if !reserve(lua, shared, bytes, at.saturating_add(VAR_INT))? {
        return one(lua, 0);
    }
    let mut rest = number.cast_unsigned();
    let mut groups = Vec::with_capacity(VAR_INT);
    while rest >= 0x80 {
        groups.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    groups.push(rest as u8);
    bytes.write_beyond(at, &groups);
    one(lua, groups.len())
}

fn set_var_int(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 3 {
        return one(lua, 0);
    }
    let (bytes, at, number) = (args.bytes(1)?, position(args, 2)?, args.int(3, 0)?);
    write_var_int(lua, shared, &bytes, at, number)
}

fn append_var_int(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return one(lua, 0);
    }
    let (bytes, number) = (args.bytes(1)?, args.int(2, 0)?);
    write_var_int(lua, shared, &bytes, Some(bytes.size()), number)
}

fn get_var_int(_: &Lua, _: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return nothing();
    }
    let (bytes, Some(at)) = (args.bytes(1)?, position(args, 2)?) else { return nothing() };
    let (number, size) = bytes.with(|data| {
        let groups = data.buffer().get(at..).unwrap_or_default();
        let size = groups.iter().take(VAR_INT).position(|group| group & 0x80 == 0).map_or(0, |last| last + 1);
        let number =
            groups[..size].iter().rev().fold(0u32, |number, group| number << 7 | u32::from(group & 0x7f));
        (number, size)
    });
    Ok(MultiValue::from_iter([Value::Integer(number.into()), Value::Integer(size as i64)]))
}

fn append_string(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 2 {
        return one(lua, false);
    }
    let (bytes, text) = (args.bytes(1)?, args.text(2)?.filter(|text| !text.is_empty()));
    write(lua, shared, &bytes, Some(bytes.size()), text.as_deref())
}

fn set_string(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 3 {
        return one(lua, false);
    }
    let (bytes, at, text) = (args.bytes(1)?, position(args, 2)?, args.text(3)?);
    write(lua, shared, &bytes, at, text.as_deref())
}

/// The first bytes of other bytes.
fn first_bytes(args: &Args, from: usize, count: usize) -> Result<Option<Vec<u8>>, Fail> {
    let (from, count) = (args.bytes(from)?, u32::try_from(args.int(count, 0)?).ok());
    Ok(count.map(|count| from.with(|data| data.bytes().iter().take(count as usize).copied().collect())))
}

fn append_bytes(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 3 {
        return one(lua, false);
    }
    let (bytes, data) = (args.bytes(1)?, first_bytes(args, 2, 3)?);
    write(lua, shared, &bytes, Some(bytes.size()), data.as_deref())
}

fn set_bytes(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 4 {
        return one(lua, false);
    }
    let (bytes, at, data) = (args.bytes(1)?, position(args, 2)?, first_bytes(args, 3, 4)?);
    write(lua, shared, &bytes, at, data.as_deref())
}

/// A part of the bytes. The server reads beyond their end; here that part is zeros.
fn part(lua: &Lua, shared: &Shared, args: &Args) -> Result<Option<Vec<u8>>, Fail> {
    if args.count() != 3 {
        return Ok(None);
    }
    let (bytes, at, len) = (args.bytes(1)?, position(args, 2)?, u32::try_from(args.int(3, 0)?).ok());
    let (Some(at), Some(len)) = (at, len) else { return Ok(None) };
    let len = len as usize;
    shared.meter().work(len as u64 / 8)?;
    shared.make_room(lua, len.saturating_mul(2))?;
    Ok(Some(bytes.with(|data| {
        let mut part: Vec<u8> = data.buffer().iter().skip(at).take(len).copied().collect();
        part.resize(len, 0);
        part
    })))
}

fn get_string(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    match part(lua, shared, args)? {
        Some(part) => one(lua, lua.create_string(part)?),
        None => nothing(),
    }
}

fn get_bytes(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    match part(lua, shared, args)? {
        Some(part) => value(lua, Val::Bytes(shared.heap.bytes(part))),
        None => nothing(),
    }
}
