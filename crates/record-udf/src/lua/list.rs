//! `list`: lists, whose elements count from 1.

use mlua::{Lua, Value};

use crate::lua::args::{Args, Fail};
use crate::lua::objects::{Cursor, Iterator, Shared, push, take};
use crate::lua::{RawFunction, Results, nothing, one, value};
use crate::value::{List, Val, cost, to_wire};

pub(super) const FUNCTIONS: &[(&str, &str, RawFunction)] = &[
    ("make", "list", make),
    ("new", "new", create),
    ("create", "create", create),
    ("insert", "insert", insert),
    ("append", "append", append),
    ("prepend", "prepend", prepend),
    ("remove", "remove", remove),
    ("concat", "concat", concat),
    ("trim", "trim", trim),
    ("take", "take", take_first),
    ("drop", "drop", drop_first),
    ("size", "size", size),
    ("nbytes", "nbytes", nbytes),
    ("iterator", "iterator", iterator),
    ("tostring", "tostring", to_string),
];

pub(super) const METAMETHODS: &[(&str, &str, RawFunction)] = &[
    ("__index", "index", index),
    ("__newindex", "newindex", new_index),
    ("__len", "len", size),
    ("__tostring", "tostring", to_string),
];

/// Bytes that an element needs besides what it holds.
const ELEMENT: usize = 24;

/// A list of the values of a table, `list{1, 2}`.
fn make(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let mut items = Vec::new();
    if let (2, Value::Table(table)) = (args.count(), args.value(2)) {
        for pair in table.pairs::<Value, Value>() {
            let (key, item) = pair?;
            if !matches!(key, Value::Integer(_) | Value::Number(_)) {
                continue;
            }
            let item = take(&item).unwrap_or(Val::Nil);
            if items.len() == items.capacity() {
                shared.make_room(lua, items.len().saturating_mul(2 * ELEMENT))?;
            }
            shared.meter().work(1)?;
            items.push(item);
        }
    }
    shared.make_room(lua, items.iter().map(cost).sum())?;
    value(lua, Val::List(shared.heap.list(items, false)))
}

fn create(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if !(1..=2).contains(&args.count()) || args.int(1, -1)? < 0 || args.int(2, 10)? < 0 {
        return nothing();
    }
    shared.make_room(lua, ELEMENT)?;
    value(lua, Val::List(shared.heap.list(Vec::new(), false)))
}

/// The position that an argument names; `None` if it is not positive.
fn position(args: &Args, at: usize) -> Result<Option<usize>, Fail> {
    let index = args.int(at, 0)?;
    // Like the server, only the lower 32 bits count.
    Ok((index > 0).then_some((index as u32).wrapping_sub(1) as usize))
}

/// Puts a value at a position; nil fills what is missing before it.
fn put(lua: &Lua, shared: &Shared, list: &List, at: usize, item: Val, inserts: bool) -> Result<(), Fail> {
    let len = list.len();
    let missing = at.saturating_sub(len);
    let moved = if inserts { len.saturating_sub(at) } else { 0 };
    shared.make_room(lua, (missing + len / 2).saturating_mul(ELEMENT).saturating_add(cost(&item)))?;
    shared.meter().work((missing + moved / 16) as u64)?;
    list.gained(cost(&item));
    let old = list.change(|items| {
        if missing > 0 {
            items.resize(at, Val::Nil);
        }
        if inserts || at == items.len() {
            items.insert(at, item);
            return None;
        }
        items.get_mut(at).map(|slot| std::mem::replace(slot, item))
    });
    // Dropped after the list is free again.
    if let Some(old) = old {
        list.lost(cost(&old));
    }
    Ok(())
}

fn insert(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let list = args.list(1)?;
    if let (Some(at), Some(item)) = (position(args, 2)?, take(args.value(3))) {
        put(lua, shared, &list, at, item, true)?;
    }
    nothing()
}

fn append(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let list = args.list(1)?;
    if let Some(item) = take(args.value(2)) {
        put(lua, shared, &list, list.len(), item, true)?;
    }
    nothing()
}

fn prepend(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let list = args.list(1)?;
    if let Some(item) = take(args.value(2)) {
        put(lua, shared, &list, 0, item, true)?;
    }
    nothing()
}

fn remove(_: &Lua, shared: &Shared, args: &Args) -> Results {
    let list = args.list(1)?;
    if let Some(at) = position(args, 2)?.filter(|&at| at < list.len()) {
        shared.meter().work((list.len() - at) as u64 / 16)?;
        let old = list.change(|items| items.remove(at));
        list.lost(cost(&old));
    }
    nothing()
}

fn concat(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let list = args.list(1)?;
    let more = args.list(2)?.with(|data| data.items.clone());
    let gained: usize = more.iter().map(cost).sum();
    shared.meter().work(more.len() as u64)?;
    shared.make_room(lua, gained.saturating_add((more.len() + list.len() / 2).saturating_mul(ELEMENT)))?;
    list.gained(gained);
    list.change(|items| items.extend(more));
    nothing()
}

fn trim(_: &Lua, _: &Shared, args: &Args) -> Results {
    let list = args.list(1)?;
    if let Some(at) = position(args, 2)?.filter(|&at| at < list.len()) {
        let old = list.change(|items| items.split_off(at));
        list.lost(old.iter().map(cost).sum());
    }
    nothing()
}

/// A list of some elements.
fn part(lua: &Lua, shared: &Shared, items: Vec<Val>) -> Results {
    shared.meter().work(items.len() as u64)?;
    shared.make_room(lua, items.iter().map(cost).sum())?;
    value(lua, Val::List(shared.heap.list(items, false)))
}

fn take_first(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let (list, count) = (args.list(1)?, args.int(2, 0)?);
    if count <= 0 {
        return one(lua, Value::Nil);
    }
    part(lua, shared, list.with(|data| data.items.iter().take(count as u32 as usize).cloned().collect()))
}

fn drop_first(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let (list, count) = (args.list(1)?, args.int(2, 0)?);
    if count <= 0 {
        return one(lua, Value::Nil);
    }
    part(lua, shared, list.with(|data| data.items.iter().skip(count as u32 as usize).cloned().collect()))
}

fn size(lua: &Lua, _: &Shared, args: &Args) -> Results {
    one(lua, args.list(1)?.len())
}

fn nbytes(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let list = args.list(1)?;
    one(lua, encoded_size(shared, &Val::List(list))?)
}

/// The size of a value in msgpack.
pub(super) fn encoded_size(shared: &Shared, value: &Val) -> Result<usize, Fail> {
    use wire_protocol::value::WriteValue;
    let mut out = Vec::new();
    let wire = to_wire(value).ok_or_else(too_large)?;
    wire.write_value(&mut out);
    shared.meter().work(out.len() as u64)?;
    Ok(out.len())
}

pub(super) fn too_large() -> Fail {
    Fail::Text("the value is too large, or contains itself".into())
}

pub(super) fn text_of(lua: &Lua, shared: &Shared, value: &Val) -> Results {
    let text = value.to_text().ok_or_else(too_large)?;
    shared.meter().work(text.len() as u64)?;
    one(lua, lua.create_string(text)?)
}

fn to_string(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    text_of(lua, shared, &Val::List(args.list(1)?))
}

fn iterator(lua: &Lua, _: &Shared, args: &Args) -> Results {
    let cursor = Cursor::List { list: args.list(1)?, next: 0 };
    let iterator = lua.create_userdata(Iterator(cursor.into()))?;
    let step = lua.globals().get::<mlua::Table>("iterator")?.get::<Value>("step")?;
    Ok(mlua::MultiValue::from_iter([step, Value::UserData(iterator)]))
}

fn index(lua: &Lua, _: &Shared, args: &Args) -> Results {
    let (list, index) = (args.list(1)?, args.int(2, 0)? as u32 as usize);
    let item = index.checked_sub(1).and_then(|at| list.with(|data| data.items.get(at).cloned()));
    one(lua, push(lua, item.unwrap_or(Val::Nil))?)
}

fn new_index(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let (list, index) = (args.list(1)?, args.int(2, 0)? as u32 as usize);
    if let (Some(at), Some(item)) = (index.checked_sub(1), take(args.value(3))) {
        put(lua, shared, &list, at, item, false)?;
    }
    nothing()
}
