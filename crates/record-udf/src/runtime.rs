//! A Lua state with a module, which applies the module's functions to records.

use std::sync::Arc;
use std::time::Duration;

use mlua::{MultiValue, Value};
use record_ops::Bin;
use wire_protocol::ResultCode;
use wire_protocol::value::Value as WireValue;

use crate::limits::{Limits, Meter};
use crate::lua::objects::{Record, push, take};
use crate::lua::sandbox::{Sandbox, chunk_name, rewatch};
use crate::modules::{CompileError, Modules};
use crate::record::{Changes, RecordState, Subject};
use crate::value::{from_wire, to_reply};

/// Most arguments of a call.
const MAX_ARGUMENTS: usize = 200;

/// A Lua state with a module. It belongs to one thread.
///
/// What a function leaves in global variables is there for the next call, as on a server, where it depends on chance.
pub struct Runtime {
    sandbox: Sandbox,
    modules: Arc<Modules>,
    module: String,
    limits: Limits,
}

/// Why a module cannot be loaded, as a server says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

/// What a call of a function gives back.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The function returned a value; its changes are to be written.
    Done {
        /// What it returned.
        result: Bin,
        /// What it wants written, if anything.
        changes: Option<Changes>,
    },
    /// The function failed: the text of the error.
    Failed(String),
    /// The function returned, but a change that it asked for was refused.
    Refused(ResultCode),
}

impl Runtime {
    /// Loads a module.
    ///
    /// # Errors
    /// It does not exist, or it fails when it is loaded.
    pub fn load(modules: &Arc<Modules>, module: &str, limits: Limits) -> Result<Self, Failure> {
        let sandbox = Self::load_sandbox(modules, module, limits)?;
        Ok(Self { sandbox, modules: Arc::clone(modules), module: module.into(), limits })
    }

    fn load_sandbox(modules: &Arc<Modules>, module: &str, limits: Limits) -> Result<Sandbox, Failure> {
        // The server's text for both.
        let failure = || Failure("UDF: Execution Error 1".into());
        let source = modules.module(module).ok_or_else(failure)?;
        let sandbox = Sandbox::new(modules, limits).map_err(|_| failure())?;
        let loaded = sandbox
            .compile(&source, &chunk_name(module))
            .and_then(|function| sandbox.call(function))
            .map_err(|_| failure())?;
        loaded.map_err(|_| failure())?;
        Ok(sandbox)
    }

    /// Starts anew if earlier calls have left too much memory in use, as lists that contain themselves do.
    fn renew(&mut self) -> Result<(), Failure> {
        if self.sandbox.shared.meter().has_room(self.limits.memory / 2) {
            return Ok(());
        }
        _ = self.sandbox.lua.gc_collect();
        if !self.sandbox.shared.meter().has_room(self.limits.memory / 2) {
            self.sandbox = Self::load_sandbox(&self.modules, &self.module, self.limits)?;
        }
        Ok(())
    }

    /// Checks that a module can be loaded: that it compiles, and that its statements outside of functions run.
    ///
    /// # Errors
    /// File, line and reason.
    pub fn check(
        modules: &Arc<Modules>,
        file: &str,
        source: &[u8],
        limits: Limits,
    ) -> Result<(), CompileError> {
        let failure = |text: &str| CompileError::parse(text);
        let sandbox = Sandbox::new(modules, limits).map_err(|error| failure(&error.to_string()))?;
        let outcome = sandbox.compile(source, file).and_then(|function| sandbox.call(function));
        match outcome {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(failure(
                &sandbox.error_text(&error).unwrap_or_else(|| "(Null error message returned by lua)".into()),
            )),
            Err(error) => Err(failure(&sandbox.rust_error_text(&error))),
        }
    }

    /// Applies a function to a record. `arguments` is a list in msgpack; anything else counts as no arguments.
    pub fn apply(&mut self, function: &str, subject: Subject, arguments: &[u8], time: Duration) -> Reply {
        if let Err(Failure(text)) = self.renew() {
            return Reply::Failed(text);
        }
        let sandbox = &self.sandbox;
        let shared = &sandbox.shared;
        let meter: &Meter = shared.meter();
        if meter.exceeded().is_some() && rewatch(sandbox).is_err() {
            return Reply::Failed("not enough memory".into());
        }
        meter.start(time);
        *shared.record.borrow_mut() = Some(RecordState::new(subject));
        let outcome = self.call(function, arguments);
        let record = shared.record.borrow_mut().take();
        match (outcome, record) {
            // A script that caught the error of a limit may still return: that does not count.
            (Ok(_), _) if meter.exceeded().is_some() => {
                Reply::Failed(meter.exceeded().map_or_else(String::new, |limit| limit.text().into()))
            }
            (Ok(result), Some(record)) => {
                if !record.result_code.is_ok() {
                    return Reply::Refused(record.result_code);
                }
                let result = take(&result).and_then(|value| to_reply(&value));
                Reply::Done { result: result.unwrap_or_else(Bin::nil), changes: record.into_changes() }
            }
            (Ok(_), None) => Reply::Failed("the record is gone".into()),
            (Err(text), _) => Reply::Failed(text),
        }
    }

    fn call(&self, function: &str, arguments: &[u8]) -> Result<Value, String> {
        let sandbox = &self.sandbox;
        let text = |error: mlua::Error| match sandbox.shared.meter().exceeded() {
            Some(exceeded) => exceeded.text().into(),
            None => sandbox.rust_error_text(&error),
        };
        let lua = &sandbox.lua;
        let items = match WireValue::from_msgpack(arguments) {
            Ok(WireValue::List { items, .. }) => items,
            _ => Vec::new(),
        };
        if items.len() > MAX_ARGUMENTS {
            return Err(format!(
                "UDF: Execution Error 2: {} arguments, at most {MAX_ARGUMENTS}",
                items.len()
            ));
        }
        let mut values = MultiValue::new();
        values.push_back(Value::String(lua.create_string(function).map_err(text)?));
        values.push_back(Value::UserData(lua.create_userdata(Record).map_err(text)?));
        for item in items {
            let value = from_wire(&sandbox.shared.heap, item).unwrap_or(crate::value::Val::Nil);
            values.push_back(push(lua, value).map_err(text)?);
        }
        let (succeeded, value): (bool, Value) = sandbox.apply.call(values).map_err(text)?;
        if succeeded {
            return Ok(value);
        }
        Err(sandbox.error_text(&value).unwrap_or_else(|| "result value type unexpected".into()))
    }
}
