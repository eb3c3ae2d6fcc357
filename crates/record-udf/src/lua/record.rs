//! `record` and `aerospike`: the record that a function works on.

use mlua::{Lua, Value};
use wire_protocol::particle::particle_type;

use crate::lua::args::{Args, Fail};
use crate::lua::objects::{Shared, push, take};
use crate::lua::{RawFunction, Results, nothing, one, value};
use crate::record::RecordState;
use crate::value::Val;

pub(super) const FUNCTIONS: &[(&str, &str, RawFunction)] = &[
    ("ttl", "ttl", ttl),
    ("last_update_time", "last_update_time", last_update_time),
    ("gen", "gen", generation),
    ("size", "size", size),
    ("memory_size", "memory_size", size),
    ("device_size", "device_size", device_size),
    ("key", "key", key),
    ("setname", "setname", set_name),
    ("digest", "digest", digest),
    ("numbins", "numbins", bin_count),
    ("set_ttl", "set_ttl", set_ttl),
    ("drop_key", "drop_key", drop_key),
    ("bin_names", "bin_names", bin_names),
];

pub(super) const METAMETHODS: &[(&str, &str, RawFunction)] =
    &[("__index", "index", index), ("__newindex", "newindex", new_index)];

/// The methods of `aerospike`.
pub(super) const SERVER: &[(&str, &str, RawFunction)] = &[
    ("create", "create", create),
    ("update", "update", update),
    ("exists", "exists", exists),
    ("remove", "remove", remove),
    ("log", "log", log),
    ("get_current_time", "get_current_time", current_time),
    ("set_context", "set_context", set_context),
    ("get_config", "get_config", get_config),
];

/// Works on the record that argument `at` names.
fn with<R>(
    shared: &Shared,
    args: &Args,
    at: usize,
    work: impl FnOnce(&mut RecordState) -> R,
) -> Result<R, Fail> {
    args.record(at)?;
    let mut record = shared.record.borrow_mut();
    match record.as_mut() {
        Some(record) => Ok(work(record)),
        // Kept in a global by an earlier call.
        None => Err(Fail::Text("the record is not available here".into())),
    }
}

fn ttl(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    one(lua, with(shared, args, 1, |record| record.stored().map_or(0, |stored| stored.ttl))?)
}

fn last_update_time(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let millis = with(shared, args, 1, |record| record.stored().map_or(0, |stored| stored.last_update))?;
    one(lua, millis.cast_signed())
}

fn generation(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    one(lua, with(shared, args, 1, |record| record.stored().map_or(0, |stored| stored.generation))?)
}

fn size(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    one(lua, with(shared, args, 1, |record| record.stored().map_or(0, |stored| stored.size))?)
}

/// Records are in memory only.
fn device_size(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    one(lua, with(shared, args, 1, |_| 0)?)
}

fn key(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let key = with(shared, args, 1, |record| record.key().map(Box::<[u8]>::from))?;
    let Some((&kind, bytes)) = key.as_deref().and_then(<[u8]>::split_first) else {
        return one(lua, Value::Nil);
    };
    value(
        lua,
        match (kind, bytes.first_chunk()) {
            (particle_type::INTEGER, Some(number)) if bytes.len() == 8 => {
                Val::Int(i64::from_be_bytes(*number))
            }
            (particle_type::STRING, _) => Val::text(bytes),
            (particle_type::BLOB, _) => Val::Bytes(shared.heap.bytes(bytes.to_vec())),
            _ => Val::Nil,
        },
    )
}

fn set_name(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    match with(shared, args, 1, |record| record.set_name().map(Box::<[u8]>::from))? {
        Some(name) => one(lua, lua.create_string(name)?),
        None => one(lua, Value::Nil),
    }
}

fn digest(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let digest = with(shared, args, 1, |record| record.digest())?;
    value(lua, Val::Bytes(shared.heap.bytes(digest.to_vec())))
}

fn bin_count(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    one(lua, with(shared, args, 1, |record| record.bin_count())?)
}

fn bin_names(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let names = with(shared, args, 1, |record| {
        record.bin_names().map(|names| names.map(Box::<[u8]>::from).collect::<Vec<_>>())
    })?;
    let names = names.ok_or_else(|| Fail::Text("can't get bin names".into()))?;
    let table = lua.create_table()?;
    for name in names {
        table.raw_push(lua.create_string(name)?)?;
    }
    one(lua, table)
}

fn set_ttl(_: &Lua, shared: &Shared, args: &Args) -> Results {
    let ttl = args.int(2, 0)? as u32;
    with(shared, args, 1, |record| record.set_ttl(ttl))?;
    nothing()
}

fn drop_key(_: &Lua, shared: &Shared, args: &Args) -> Results {
    with(shared, args, 1, RecordState::drop_key)?;
    nothing()
}

fn index(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let name = args.text(2)?;
    let bin = with(shared, args, 1, |record| match name {
        Some(name) => record.get(&shared.heap, crate::value::until_nul(&name)),
        None => Val::Nil,
    })?;
    // A bin is at most as large as a record may be, so it may be there before there is room for it.
    shared.make_room(lua, 0)?;
    one(lua, push(lua, bin)?)
}

fn new_index(_: &Lua, shared: &Shared, args: &Args) -> Results {
    let Some(name) = args.text(2)? else {
        with(shared, args, 1, |_| ())?;
        return nothing();
    };
    let name = crate::value::until_nul(&name);
    let item = take(args.value(3)).ok_or_else(|| {
        Fail::Text(format!("can't set bin {} to unsupported type", String::from_utf8_lossy(name)))
    })?;
    with(shared, args, 1, |record| record.set(name, item))?;
    nothing()
}

fn create(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    shared.meter().work(100)?;
    one(lua, with(shared, args, 2, RecordState::create)?)
}

fn update(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    shared.meter().work(100)?;
    one(lua, with(shared, args, 2, RecordState::update)?)
}

fn exists(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    one(lua, with(shared, args, 2, |record| record.is_open)?)
}

fn remove(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    shared.meter().work(100)?;
    one(lua, with(shared, args, 2, RecordState::remove)?)
}

fn log(_: &Lua, _: &Shared, _: &Args) -> Results {
    nothing()
}

fn current_time(lua: &Lua, shared: &Shared, _: &Args) -> Results {
    /// 2010-01-01 in milliseconds since 1970.
    const EPOCH: u64 = 1_262_304_000_000;
    let now = shared.record.borrow().as_ref().map_or(0, RecordState::now);
    one(lua, (now + EPOCH).cast_signed())
}

/// What the server returns: it has no contexts.
fn set_context(lua: &Lua, _: &Shared, _: &Args) -> Results {
    one(lua, 2)
}

/// What the server returns: functions get no configuration.
fn get_config(lua: &Lua, _: &Shared, _: &Args) -> Results {
    one(lua, 0)
}
