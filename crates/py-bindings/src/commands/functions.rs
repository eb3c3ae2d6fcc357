//! User-defined functions: modules, and functions on one record or on many.

use std::sync::Arc;

use aero_io::{Answer, Function, WritePolicy};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict, PyList, PyString};
use wire_protocol::info;

use crate::args::convert::{text, whole_number};
use crate::args::function::{self, For};
use crate::args::policy;
use crate::args::row_command::RowCommand;
use crate::call::{Call, Completions, done, or_raise};
use crate::commands::info::{NodeAnswer, ask, info_error};
use crate::commands::single::record_result;
use crate::core::Core;
use crate::keys::KeyArena;
use crate::python::describe::describe;
use crate::python::errors::{
    CLIENT, UDF_BAD_RESPONSE, client_error, error_of_code, param_error, type_error, with_code,
    with_official_text,
};
use crate::results::records;
use crate::values::{BinNames, bin_and_value};

/// The longest name of a module's file that servers take.
const MAX_FILE: usize = 127;

/// The only language.
const LUA: i64 = 0;

#[pymethods]
impl Core {
    /// Registers a module and waits until all nodes have it.
    fn udf_put(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        file: &Bound<'_, PyAny>,
        source: &[u8],
        language: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let file = file_name("filename", file)?;
        check_language("udf_type", language)?;
        if source.is_empty() {
            return Err(param_error(py, format!("module {file:?} is empty")));
        }
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let command = info::put_module(&file, source);
        let name = file.clone();
        let future = async move {
            let cluster = cluster.get().await?;
            let answer = ask(&cluster, &command, None, timeout).await?;
            if is_ok(&answer) {
                cluster.wait_for_module(&file, true, None).await?;
            }
            Ok(answer)
        };
        let finish = or_raise(move |py, answer: NodeAnswer| zero_or_error(py, "udf_put", &name, &answer));
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    /// Removes a module and waits until no node has it.
    fn udf_remove(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        file: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let file = file_name("filename", file)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let command = info::remove_module(&file);
        let name = file.clone();
        let future = async move {
            let cluster = cluster.get().await?;
            let answer = ask(&cluster, &command, None, timeout).await?;
            if is_ok(&answer) {
                cluster.wait_for_module(&file, false, None).await?;
            }
            Ok(answer)
        };
        let finish = or_raise(move |py, answer: NodeAnswer| zero_or_error(py, "udf_remove", &name, &answer));
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    /// The modules: a list of dicts.
    fn udf_list(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let closed = |error| with_official_text(py, error, "No connection to aerospike cluster");
        let cluster = self.cluster(py).map_err(closed)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { ask(&cluster.get().await?, info::LIST_MODULES, None, timeout).await };
        let finish = or_raise(|py, answer: NodeAnswer| {
            let modules = info::parse_modules(text_of(&answer))
                .map_err(|_| info_error(py, "udf_list", &answer.0, text_of(&answer)))?;
            let list = PyList::empty(py);
            for module in modules {
                let dict = PyDict::new(py);
                dict.set_item("name", module.file)?;
                dict.set_item("hash", PyByteArray::new(py, module.hash.as_bytes()))?;
                dict.set_item("type", LUA)?;
                dict.set_item("content", PyByteArray::new(py, b""))?;
                list.append(dict)?;
            }
            Ok(list.into_any().unbind())
        });
        Call::new(future, finish).run(py, completions)
    }

    /// The source of a module.
    fn udf_get(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        file: &Bound<'_, PyAny>,
        language: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        // With the official client's code.
        let file = module_name("module", file).map_err(|error| with_code(py, error, CLIENT))?;
        check_language("language", language)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let command = info::get_module(&file);
        let future = async move { ask(&cluster.get().await?, &command, None, timeout).await };
        let finish = or_raise(move |py, answer: NodeAnswer| {
            let source = info::parse_module(text_of(&answer)).map_err(|error| {
                client_error(py, format!("udf_get: the answer of node {} cannot be read: {error}", answer.0))
            })?;
            match source {
                Some(source) => Ok(PyString::new(py, &String::from_utf8_lossy(&source)).into_any().unbind()),
                None => Err(module_error(py, "udf_get", &file, &answer)),
            }
        });
        Call::new(future, finish).run(py, completions)
    }

    /// Applies a function to a record; the result is what it returns.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn apply(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        key: &Bound<'_, PyAny>,
        module: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        arguments: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let policy = policy::apply(py, &self.config.policies.apply, "apply policy", policy)?;
        self.config.check_replica(py, policy.policy.limits.replica)?;
        let function = function::function(module, name, arguments, self.config.bools, For::Records)?;
        let arena = KeyArena::read_one(key)?;
        let key = arena.command_key(policy.send_key);
        let digest = key.digest;
        let policy: WritePolicy = policy.policy;
        let future = async move { cluster.get().await?.apply(&key, &function, &policy).await };
        let finish = record_result(arena, digest, None, move |py, arena, answer: Answer| {
            let Some(op) = answer.ops().next() else { return Ok(py.None()) };
            let key = records::only_key(py, arena, &digest)?;
            let (_, result) = bin_and_value(py, &mut BinNames::default(), 0, &op)
                .map_err(|unreadable| unreadable.raise(py, &key))?;
            Ok(result.unbind())
        });
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    /// Applies a function to many records.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn batch_apply(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        keys: &Bound<'_, PyAny>,
        module: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        arguments: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        row_policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let parent = self.parent_policy(py, policy)?;
        let defaults = &self.config.policies.batch_apply;
        let row = policy::row_apply(py, defaults, "batch apply policy", row_policy)?.of_row(py, None)?;
        let function = function::function(module, name, arguments, self.config.bools, For::Records)?;
        let command = RowCommand::apply(py, &function, &row)?;
        let arena = Arc::new(KeyArena::read(keys)?);
        self.run_batch(py, completions, "batch_apply", arena, vec![command], parent, None)
    }

    /// A function for a query, checked and encoded.
    fn query_function(
        &self,
        module: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        arguments: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<QueryFunction> {
        Ok(QueryFunction(function::function(module, name, arguments, self.config.bools, For::Query)?))
    }
}

/// A function that a background query applies.
#[pyclass(frozen, module = "aerospike_py._native")]
pub(crate) struct QueryFunction(pub(super) Function);

fn text_of(answer: &NodeAnswer) -> &str {
    answer.1.first().map_or("", |(_, answer)| answer)
}

fn is_ok(answer: &NodeAnswer) -> bool {
    text_of(answer) == "ok"
}

/// 0, as the official client returns it, or the error that the node answered.
fn zero_or_error(py: Python<'_>, function: &str, file: &str, answer: &NodeAnswer) -> PyResult<Py<PyAny>> {
    match is_ok(answer) {
        true => done(py),
        false => Err(module_error(py, function, file, answer)),
    }
}

/// The error about a module that a node answered.
fn module_error(py: Python<'_>, function: &str, file: &str, answer: &NodeAnswer) -> PyErr {
    let (node, text) = (&answer.0, text_of(answer));
    let Some(error) = info::module_error(text) else { return info_error(py, function, node, text) };
    let what = match (&*error.reason, error.line) {
        ("compile_error", Some(line)) => format!("line {line} does not compile: {}", error.message),
        ("compile_error", None) => format!("it does not compile: {}", error.message),
        ("not_found", _) if !file.contains('.') => {
            format!("no such module is registered; its file's name has an ending, such as \"{file}.lua\"")
        }
        ("not_found", _) => "no such module is registered".into(),
        ("invalid_udf_content_len,>1M", _) => "it is larger than the limit of 1 MiB".into(),
        (reason, _) => format!("the server answered {reason:?}"),
    };
    let message = format!("{function} of module {file:?} at node {node} failed: {what}");
    error_of_code(py, UDF_BAD_RESPONSE, message, false)
}

/// The name of a module's file, with its ending: servers register no others.
fn file_name(what: &str, name: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = name.py();
    let name = module_name(what, name)?;
    match name.split_once('.') {
        Some((stem, ending)) if !stem.is_empty() && !ending.is_empty() => Ok(name),
        _ => Err(wrong_name(py, what, &name)),
    }
}

/// A name that an info command can hold.
fn module_name(what: &str, name: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = name.py();
    let name = text(what, name)?;
    let is_safe = !name.contains([';', ':', '=', ',', '/', '\\']) && !name.contains(char::is_control);
    match !name.is_empty() && is_safe && name.len() <= MAX_FILE {
        true => Ok(name),
        false => Err(wrong_name(py, what, &name)),
    }
}

fn wrong_name(py: Python<'_>, what: &str, name: &str) -> PyErr {
    let message = format!(
        "{what} is {name:?}; the name of a module must be like \"module.lua\", of at most {MAX_FILE} bytes and \
         without ; : = , / \\ and control characters"
    );
    param_error(py, message)
}

fn check_language(what: &str, language: &Bound<'_, PyAny>) -> PyResult<()> {
    let number = whole_number(language);
    if number == Some(LUA) {
        return Ok(());
    }
    let message = format!("{what} is {}; it must be UDF_TYPE_LUA (0)", describe(language));
    let py = language.py();
    let error = if number.is_some() { param_error(py, message) } else { type_error(py, message) };
    Err(with_code(py, error, CLIENT))
}
