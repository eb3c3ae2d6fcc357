//! `map`: maps, in the order of their keys: integers, text, bytes. Other keys are ignored.

use mlua::{Lua, MultiValue, Value};

use crate::lua::args::{Args, Fail};
use crate::lua::list::{encoded_size, text_of};
use crate::lua::objects::{Cursor, Iterator, Shared, push, take};
use crate::lua::{RawFunction, Results, nothing, one, value};
use crate::value::{Map, MapKey, Val, cost};

pub(super) const FUNCTIONS: &[(&str, &str, RawFunction)] = &[
    ("make", "map", make),
    ("new", "new", create),
    ("create", "create", create),
    ("iterator", "iterator", pairs),
    ("pairs", "pairs", pairs),
    ("keys", "keys", keys),
    ("values", "values", values),
    ("remove", "remove", remove),
    ("size", "size", size),
    ("nbytes", "nbytes", nbytes),
    ("tostring", "tostring", to_string),
];

pub(super) const METAMETHODS: &[(&str, &str, RawFunction)] = &[
    ("__index", "index", index),
    ("__newindex", "newindex", new_index),
    ("__len", "len", size),
    ("__tostring", "tostring", to_string),
];

/// Bytes that a pair needs besides what it holds.
const PAIR: usize = 120;

/// A map of the pairs of a table, `map{a=1}`.
fn make(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    shared.make_room(lua, PAIR)?;
    let map = shared.heap.map();
    if let (2 | 3, Value::Table(table)) = (args.count(), args.value(2)) {
        for pair in table.pairs::<Value, Value>() {
            let (key, item) = pair?;
            if let (Some(key), Some(item)) = (take(&key), take(&item)) {
                set(lua, shared, &map, &key, item)?;
            }
        }
    }
    value(lua, Val::Map(map))
}

fn create(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if args.count() != 1 || args.int(1, 0)? < 1 {
        return nothing();
    }
    shared.make_room(lua, PAIR)?;
    value(lua, Val::Map(shared.heap.map()))
}

/// Sets a pair, unless the value cannot be a key.
fn set(lua: &Lua, shared: &Shared, map: &Map, key: &Val, item: Val) -> Result<(), Fail> {
    if let Some(key) = MapKey::of(key) {
        shared.meter().work(10)?;
        shared.make_room(lua, PAIR + cost(&item))?;
        map.set(key, item);
    }
    Ok(())
}

fn size(lua: &Lua, _: &Shared, args: &Args) -> Results {
    one(lua, args.map(1)?.len())
}

fn nbytes(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    one(lua, encoded_size(shared, &Val::Map(args.map(1)?))?)
}

fn to_string(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    text_of(lua, shared, &Val::Map(args.map(1)?))
}

fn remove(_: &Lua, _: &Shared, args: &Args) -> Results {
    let map = args.map(1)?;
    if let Some(key) = take(args.value(2)).as_ref().and_then(MapKey::of) {
        map.remove(&key);
    }
    nothing()
}

fn index(lua: &Lua, _: &Shared, args: &Args) -> Results {
    let map = args.map(1)?;
    let item = take(args.value(2)).as_ref().and_then(MapKey::of).and_then(|key| map.get(&key));
    one(lua, push(lua, item.unwrap_or(Val::Nil))?)
}

fn new_index(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let map = args.map(1)?;
    let Some(key) = take(args.value(2)) else { return nothing() };
    match take(args.value(3)) {
        Some(item) => set(lua, shared, &map, &key, item)?,
        None => {
            if let Some(key) = MapKey::of(&key) {
                map.remove(&key);
            }
        }
    }
    nothing()
}

/// What a loop over the map calls, `step`, and the loop.
fn start(lua: &Lua, args: &Args, step: &str) -> Results {
    let cursor = Cursor::Map { map: args.map(1)?, after: None, is_at_end: false };
    let iterator = lua.create_userdata(Iterator(cursor.into()))?;
    let step = lua.globals().get::<mlua::Table>("iterator")?.get::<Value>(step)?;
    Ok(MultiValue::from_iter([step, Value::UserData(iterator)]))
}

fn pairs(lua: &Lua, _: &Shared, args: &Args) -> Results {
    start(lua, args, "step_pairs")
}

fn keys(lua: &Lua, _: &Shared, args: &Args) -> Results {
    start(lua, args, "step_keys")
}

fn values(lua: &Lua, _: &Shared, args: &Args) -> Results {
    start(lua, args, "step_values")
}
