//! A Lua state in which scripts can do nothing but work on values and on their record, within limits.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use mlua::chunk::ChunkMode;
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, Value, VmState};

use crate::limits::{Exceeded, Limits, Meter};
use crate::lua::objects::{Metamethods, Server, Shared};
use crate::lua::{bytes, functions, library, list, map, record};
use crate::modules::Modules;
use crate::value::Heap;

const PRELUDE: &str = include_str!("prelude.lua");

/// Where modules are on a server; error messages show it.
const MODULE_PATH: &str = "/opt/aerospike/usr/udf/lua/";

/// Number of instructions between two looks at the limits.
const CHECK_EVERY: u32 = 1000;

/// A Lua state for scripts.
pub(crate) struct Sandbox {
    pub(crate) lua: Lua,
    pub(crate) shared: Rc<Shared>,
    /// `apply(name, ...)` of the prelude.
    pub(crate) apply: Function,
    /// The `pcall` of Lua, which scripts cannot replace.
    pub(crate) pcall: Function,
}

impl Sandbox {
    pub(crate) fn new(modules: &Arc<Modules>, limits: Limits) -> mlua::Result<Self> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::UTF8;
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))?;
        let meter = Rc::new(Meter::new(limits));
        let shared = Rc::new(Shared { heap: Heap::new(meter), record: RefCell::new(None) });
        lua.set_memory_limit(limits.memory)?;
        let (apply, pcall) = run_prelude(&lua, &shared, modules)?;
        lua.globals().set("aerospike", lua.create_userdata(Server)?)?;
        watch(&lua, &shared, CHECK_EVERY)?;
        Ok(Self { lua, shared, apply, pcall })
    }

    /// Compiles a script, which may only be text. `name` is what messages call it.
    pub(crate) fn compile(&self, source: &[u8], name: &str) -> mlua::Result<Function> {
        compile(&self.lua, source, name)
    }

    /// Calls a function as `pcall` does: its first result, or the error.
    pub(crate) fn call(&self, function: Function) -> mlua::Result<Result<Value, Value>> {
        let (succeeded, value): (bool, Value) = self.pcall.call(function)?;
        Ok(if succeeded { Ok(value) } else { Err(value) })
    }

    /// What an error says; `None` if it is not text.
    pub(crate) fn error_text(&self, error: &Value) -> Option<String> {
        if let Some(exceeded) = self.shared.meter().exceeded() {
            return Some(exceeded.text().into());
        }
        match error {
            Value::String(text) => {
                Some(String::from_utf8_lossy(crate::value::until_nul(&text.as_bytes())).into_owned())
            }
            Value::Error(error) => Some(self.rust_error_text(error)),
            _ => None,
        }
    }

    /// What an error of the state itself says.
    pub(crate) fn rust_error_text(&self, error: &mlua::Error) -> String {
        match error {
            mlua::Error::MemoryError(_) => Exceeded::Memory.text().into(),
            mlua::Error::CallbackError { cause, .. } => self.rust_error_text(cause),
            mlua::Error::RuntimeError(text) | mlua::Error::SyntaxError { message: text, .. } => text.clone(),
            error => error.to_string(),
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.heap.clear();
    }
}

fn compile(lua: &Lua, source: &[u8], name: &str) -> mlua::Result<Function> {
    lua.load(source).set_name(name).set_mode(ChunkMode::Text).into_function()
}

/// The name of a module's file, as messages show it.
pub(crate) fn chunk_name(module: &str) -> String {
    format!("@{MODULE_PATH}{module}.lua")
}

fn run_prelude(lua: &Lua, shared: &Rc<Shared>, modules: &Arc<Modules>) -> mlua::Result<(Function, Function)> {
    let raw = lua.create_table()?;
    let of = |table| functions(lua, shared, table);
    raw.set("list", of(list::FUNCTIONS)?)?;
    raw.set("map", of(map::FUNCTIONS)?)?;
    raw.set("bytes", of(bytes::FUNCTIONS)?)?;
    raw.set("iterator", of(library::ITERATOR)?)?;
    raw.set("record", of(record::FUNCTIONS)?)?;
    raw.set("string", of(library::STRING)?)?;
    let other = of(library::OTHER)?;
    raw.set("geojson", other.get::<Function>("geojson")?)?;
    raw.set("work", other.get::<Function>("work")?)?;
    raw.set("class", lua.create_function(|_, value: Value| Ok(library::class(&value)))?)?;
    raw.set("require", require(lua, Arc::clone(modules))?)?;
    let metamethods = lua.create_table()?;
    metamethods.set("List", of(list::METAMETHODS)?)?;
    metamethods.set("Map", of(map::METAMETHODS)?)?;
    metamethods.set("Bytes", of(bytes::METAMETHODS)?)?;
    metamethods.set("Record", of(record::METAMETHODS)?)?;
    metamethods.set("GeoJSON", of(library::GEOJSON)?)?;
    metamethods.set("Aerospike", of(record::SERVER)?)?;
    raw.set("metamethods", metamethods)?;
    let seal = lua.create_function(|lua, (metamethods, apply, pcall): (Table, Function, Function)| {
        lua.set_app_data(Metamethods(metamethods));
        Ok((apply, pcall))
    })?;
    compile(lua, PRELUDE.as_bytes(), "=aerospike")?.call((raw, seal))
}

/// `require`, which loads other registered modules, each once.
fn require(lua: &Lua, modules: Arc<Modules>) -> mlua::Result<Function> {
    let loaded = lua.create_table()?;
    lua.create_function(move |lua, name: mlua::LuaString| {
        let module = name.to_str()?.to_owned();
        if let value @ (Value::Boolean(true) | Value::Table(_) | Value::Function(_)) =
            loaded.raw_get(&*module)?
        {
            return Ok(MultiValue::from_iter([Value::Nil, value]));
        }
        let failed = |text: String| -> mlua::Result<_> {
            Ok(MultiValue::from_iter([Value::String(lua.create_string(text)?)]))
        };
        let Some(source) = modules.module(&module) else {
            return failed(format!("module '{module}' not found"));
        };
        match compile(lua, &source, &chunk_name(&module)) {
            Err(mlua::Error::SyntaxError { message, .. }) => failed(message),
            Err(error) => Err(error),
            Ok(function) => {
                // A module that requires itself finds it loaded.
                loaded.raw_set(&*module, true)?;
                let value = match function.call::<Value>(())? {
                    Value::Nil => Value::Boolean(true),
                    value => value,
                };
                loaded.raw_set(&*module, &value)?;
                Ok(MultiValue::from_iter([Value::Nil, value]))
            }
        }
    })
}

/// Looks at the limits every so many instructions. Once a limit is reached, every instruction fails, so that no `pcall` of
/// the script goes on.
fn watch(lua: &Lua, shared: &Rc<Shared>, every: u32) -> mlua::Result<()> {
    let shared = Rc::clone(shared);
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(every), move |lua, _| {
        match shared.meter().work(every.into()) {
            Ok(()) => Ok(VmState::Continue),
            Err(exceeded) => {
                if every > 1 {
                    watch(lua, &shared, 1)?;
                }
                Err(mlua::Error::runtime(exceeded.text()))
            }
        }
    })
}

/// Looks at the limits at the usual distance again.
pub(crate) fn rewatch(sandbox: &Sandbox) -> mlua::Result<()> {
    watch(&sandbox.lua, &sandbox.shared, CHECK_EVERY)
}
