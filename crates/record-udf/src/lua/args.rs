//! The arguments of functions that scripts call, and why a call fails.

use mlua::{AnyUserData, MultiValue, Value};

use crate::limits::Exceeded;
use crate::lua::objects::{self, Object};
use crate::value::{Bytes, List, Map};

/// Why a call fails.
#[derive(Debug)]
pub(crate) enum Fail {
    /// The text of the error that the script gets.
    Text(String),
    /// The script has reached a limit.
    Limit(Exceeded),
    /// An error of Lua itself.
    Lua(mlua::Error),
}

impl From<Exceeded> for Fail {
    fn from(exceeded: Exceeded) -> Self {
        Self::Limit(exceeded)
    }
}

impl From<mlua::Error> for Fail {
    fn from(error: mlua::Error) -> Self {
        Self::Lua(error)
    }
}

/// The arguments of a call of the function `name`.
pub(crate) struct Args {
    name: &'static str,
    values: Vec<Value>,
}

impl Args {
    pub(crate) fn new(name: &'static str, values: MultiValue) -> Self {
        Self { name, values: values.into_iter().collect() }
    }

    pub(crate) fn count(&self) -> usize {
        self.values.len()
    }

    /// An argument, counted from 1; nil if it is missing.
    pub(crate) fn value(&self, at: usize) -> &Value {
        const NIL: &Value = &Value::Nil;
        self.values.get(at - 1).unwrap_or(NIL)
    }

    fn error(&self, at: usize, expected: &str, got: &str) -> Fail {
        Fail::Text(format!("bad argument #{at} to '{}' ({expected} expected, got {got})", self.name))
    }

    fn type_of(&self, at: usize) -> &'static str {
        match self.values.get(at - 1) {
            None => "no value",
            Some(Value::Integer(_) | Value::Number(_)) => "number",
            Some(value) => value.type_name(),
        }
    }

    fn userdata(&self, at: usize, expected: &str) -> Result<&AnyUserData, Fail> {
        match self.value(at) {
            Value::UserData(userdata) => Ok(userdata),
            _ => Err(self.error(at, expected, self.type_of(at))),
        }
    }

    fn object<T: Clone + 'static>(&self, at: usize, class: &str) -> Result<T, Fail> {
        let userdata = self.userdata(at, "userdata")?;
        match userdata.borrow::<Object<T>>() {
            Ok(object) => Ok(object.0.clone()),
            Err(_) => Err(self.error(at, class, objects::class_of(userdata))),
        }
    }

    pub(crate) fn list(&self, at: usize) -> Result<List, Fail> {
        self.object(at, "List")
    }

    pub(crate) fn map(&self, at: usize) -> Result<Map, Fail> {
        self.object(at, "Map")
    }

    pub(crate) fn bytes(&self, at: usize) -> Result<Bytes, Fail> {
        self.object(at, "Bytes")
    }

    /// The record of the call.
    pub(crate) fn record(&self, at: usize) -> Result<(), Fail> {
        let userdata = self.userdata(at, "userdata")?;
        if userdata.is::<objects::Record>() {
            return Ok(());
        }
        Err(self.error(at, "Record", objects::class_of(userdata)))
    }

    /// An integer, or `default` if it is missing or nil.
    pub(crate) fn int(&self, at: usize, default: i64) -> Result<i64, Fail> {
        let integer = |number: f64| {
            let is_integer = number.fract() == 0.0 && (-9.3e18..9.2e18).contains(&number);
            is_integer.then_some(number as i64)
        };
        match self.value(at) {
            Value::Nil => Ok(default),
            Value::Integer(number) => Ok(*number),
            Value::Number(number) => integer(*number).ok_or_else(|| {
                Fail::Text(format!(
                    "bad argument #{at} to '{}' (number has no integer representation)",
                    self.name
                ))
            }),
            Value::String(text) => text
                .to_str()
                .ok()
                .and_then(|text| {
                    let text = text.trim().to_owned();
                    text.parse().ok().or_else(|| text.parse().ok().and_then(integer))
                })
                .ok_or_else(|| self.error(at, "number", "string")),
            _ => Err(self.error(at, "number", self.type_of(at))),
        }
    }

    /// Text, or `None` if it is missing or nil.
    pub(crate) fn text(&self, at: usize) -> Result<Option<Vec<u8>>, Fail> {
        match self.value(at) {
            Value::Nil => Ok(None),
            Value::String(text) => Ok(Some(text.as_bytes().to_vec())),
            Value::Integer(number) => Ok(Some(number.to_string().into_bytes())),
            Value::Number(number) => Ok(Some(format!("{number:?}").into_bytes())),
            _ => Err(self.error(at, "string", self.type_of(at))),
        }
    }
}
