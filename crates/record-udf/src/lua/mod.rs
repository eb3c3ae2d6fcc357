//! What a script sees: a sandboxed Lua with the server's functions for records, lists, maps and bytes.
//!
//! Functions in Rust get their arguments as [`args::Args`] and return what the script gets, or why the call fails; the
//! prelude turns that into an error at the script's line. Start reading with [`sandbox`]; `objects` has the classes,
//! `list`, `map`, `bytes`, `record` and `library` the functions.

pub(crate) mod args;
mod bytes;
mod library;
mod list;
mod map;
pub(crate) mod objects;
mod record;
pub(crate) mod sandbox;

use std::rc::Rc;

use mlua::{IntoLua, Lua, MultiValue, Table, Value};

use crate::lua::args::{Args, Fail};
use crate::lua::objects::Shared;

/// What a call returns.
type Results = Result<MultiValue, Fail>;

/// A function that scripts call.
type RawFunction = fn(&Lua, &Shared, &Args) -> Results;

/// What every call counts.
const CALL: u64 = 20;

/// A table of functions. Each returns the text of an error, or nil and its results.
fn functions(
    lua: &Lua,
    shared: &Rc<Shared>,
    functions: &[(&'static str, &'static str, RawFunction)],
) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for &(key, name, function) in functions {
        let shared = Rc::clone(shared);
        table.set(
            key,
            lua.create_function(move |lua, values: MultiValue| {
                let call = || {
                    shared.meter().work(CALL)?;
                    function(lua, &shared, &Args::new(name, values))
                };
                match call() {
                    Ok(mut results) => {
                        results.push_front(Value::Nil);
                        Ok(results)
                    }
                    Err(Fail::Text(text)) => {
                        Ok(MultiValue::from_iter([Value::String(lua.create_string(text)?)]))
                    }
                    Err(Fail::Limit(exceeded)) => Err(mlua::Error::runtime(exceeded.text())),
                    Err(Fail::Lua(error)) => Err(error),
                }
            })?,
        )?;
    }
    Ok(table)
}

/// Nothing.
fn nothing() -> Results {
    Ok(MultiValue::new())
}

/// One result.
fn one(lua: &Lua, value: impl IntoLua) -> Results {
    Ok(MultiValue::from_iter([value.into_lua(lua)?]))
}

/// One value.
fn value(lua: &Lua, value: crate::value::Val) -> Results {
    one(lua, objects::push(lua, value)?)
}
