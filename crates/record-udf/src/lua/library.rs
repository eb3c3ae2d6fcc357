//! Functions without a library of their own, and those of the standard library that need a limit.

use mlua::{Lua, MultiValue, Value};

use crate::lua::args::{Args, Fail};
use crate::lua::list::text_of;
use crate::lua::objects::{self, Cursor, GeoJson, Iterator, Object, Shared, push};
use crate::lua::{RawFunction, Results, nothing, one, value};
use crate::value::Val;

pub(super) const ITERATOR: &[(&str, &str, RawFunction)] = &[
    ("make", "iterator", next),
    ("has_next", "has_next", has_next),
    ("next", "next", next),
    ("step", "next", step),
    ("step_pairs", "next", step_pairs),
    ("step_keys", "next", step_keys),
    ("step_values", "next", step_values),
];

pub(super) const STRING: &[(&str, &str, RawFunction)] = &[("rep", "rep", repeat)];

pub(super) const OTHER: &[(&str, &str, RawFunction)] =
    &[("geojson", "geojson", geojson), ("work", "work", work)];

pub(super) const GEOJSON: &[(&str, &str, RawFunction)] = &[("__tostring", "tostring", geojson_text)];

/// Works on the loop that the first argument is.
fn with<R>(args: &Args, work: impl FnOnce(&mut Cursor) -> R) -> Result<R, Fail> {
    if let Value::UserData(userdata) = args.value(1)
        && let Ok(iterator) = userdata.borrow::<Iterator>()
    {
        return Ok(work(&mut iterator.0.borrow_mut()));
    }
    Err(Fail::Text("bad argument #1 to 'next' (Iterator expected)".into()))
}

/// The next key, if it is a map, and value.
fn advance(cursor: &mut Cursor, shared: &Shared) -> Option<(Val, Val)> {
    match cursor {
        Cursor::List { list, next } => {
            let item = list.with(|data| data.items.get(*next).cloned())?;
            *next += 1;
            Some((Val::Nil, item))
        }
        Cursor::Map { map, after, is_at_end } => {
            if *is_at_end {
                return None;
            }
            let Some((key, item)) = map.after(after.as_ref()) else {
                *is_at_end = true;
                return None;
            };
            let pair = (key.to_val(&shared.heap), item);
            *after = Some(key);
            Some(pair)
        }
    }
}

fn has_next(lua: &Lua, _: &Shared, args: &Args) -> Results {
    let has_next = with(args, |cursor| match cursor {
        Cursor::List { list, next } => *next < list.len(),
        Cursor::Map { map, after, is_at_end } => !*is_at_end && map.after(after.as_ref()).is_some(),
    })?;
    one(lua, has_next)
}

/// The next element; nothing of a map, whose pairs are no values.
fn next(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    match with(args, |cursor| {
        let is_map = matches!(cursor, Cursor::Map { .. });
        advance(cursor, shared).filter(|_| !is_map)
    })? {
        Some((_, item)) => value(lua, item),
        None => one(lua, Value::Nil),
    }
}

fn step(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    match with(args, |cursor| advance(cursor, shared))? {
        Some((_, item)) => value(lua, item),
        None => nothing(),
    }
}

fn step_pairs(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    match with(args, |cursor| advance(cursor, shared))? {
        Some((key, item)) => Ok(MultiValue::from_iter([push(lua, key)?, push(lua, item)?])),
        None => nothing(),
    }
}

fn step_keys(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    match with(args, |cursor| advance(cursor, shared))? {
        Some((key, _)) => value(lua, key),
        None => nothing(),
    }
}

fn step_values(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    step(lua, shared, args)
}

/// `geojson(text)`.
fn geojson(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let Some(text) = args.text(2)?.filter(|_| args.count() == 2) else { return nothing() };
    shared.make_room(lua, text.len())?;
    value(lua, Val::GeoJson(crate::value::until_nul(&text).into()))
}

fn geojson_text(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    if let Value::UserData(userdata) = args.value(1)
        && let Ok(object) = userdata.borrow::<Object<GeoJson>>()
    {
        return text_of(lua, shared, &Val::GeoJson(object.0.0.clone()));
    }
    one(lua, "GeoJSON()")
}

/// Counts instructions that a function of the standard library stands for.
fn work(_: &Lua, shared: &Shared, args: &Args) -> Results {
    shared.meter().work(u64::try_from(args.int(1, 0)?).unwrap_or(0))?;
    nothing()
}

/// The class of a userdata.
pub(super) fn class(value: &Value) -> Option<&'static str> {
    match value {
        Value::UserData(userdata) => Some(objects::class_of(userdata)),
        _ => None,
    }
}

/// `string.rep`, which loops for ever over empty strings otherwise.
fn repeat(lua: &Lua, shared: &Shared, args: &Args) -> Results {
    let (text, count, separator) = (args.text(1)?.unwrap_or_default(), args.int(2, 0)?, args.text(3)?);
    let separator = separator.unwrap_or_default();
    let count = usize::try_from(count).unwrap_or(0);
    let one_more = text.len().saturating_add(separator.len());
    if count == 0 || one_more == 0 {
        return one(lua, "");
    }
    let size = one_more.saturating_mul(count);
    if !shared.meter().has_room(size) {
        return Err(Fail::Text("resulting string too large".into()));
    }
    shared.meter().work(size as u64 / 8)?;
    let mut out = Vec::with_capacity(size);
    for at in 0..count {
        out.extend_from_slice(&text);
        if at + 1 < count {
            out.extend_from_slice(&separator);
        }
    }
    one(lua, lua.create_string(out)?)
}
