//! Secondary indexes: creating, removing and listing them, and waiting until they are built.

use std::collections::BTreeMap;
use std::time::Duration;

use aero_io::{Cluster, IndexedValues, InfoAnswers};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use wire_protocol::expression::Expression;
use wire_protocol::info::{self, IndexInfo, IndexSource};
use wire_protocol::operation::Context;

use crate::args::convert::{text, whole_number};
use crate::args::operations::encode_context;
use crate::args::predicate::{check_index_name, index_data_type, index_type};
use crate::args::{expression, policy};
use crate::call::{Call, Completions, done, or_raise};
use crate::commands::info::{NodeAnswer, ask, info_error, name, name_of_any_length};
use crate::core::Core;
use crate::python::describe::describe;
use crate::python::errors::{
    client_error, error_of_code, io_error, param_error, type_error, with_official_text,
};
use crate::python::text::unicode;
use crate::values::{Bools, bin_name};

/// The longest context and the longest expression that servers take, as base64.
const MAX_CONTEXT: usize = 2047;
const MAX_EXPRESSION: usize = 16 * 1024 - 1;

/// The code of an index that exists with other properties.
const INDEX_FOUND: i32 = 200;

#[pymethods]
impl Core {
    /// Creates an index and waits until it is built. `function` is the method's name in messages. `source` is a bin for
    /// `what` "bin", an expression for "expression", None for "set".
    #[allow(clippy::too_many_arguments)] // the command's own
    fn index_create(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        function: &str,
        what: &str,
        namespace: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyAny>>,
        source: Option<&Bound<'_, PyAny>>,
        values: Option<&Bound<'_, PyAny>>,
        data_type: Option<&Bound<'_, PyAny>>,
        index: &Bound<'_, PyAny>,
        ctx: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
        wait_timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let official = |text: &'static str| move |error| with_official_text(py, error, text);
        // The server refuses names that are too long, and keys and queries check theirs.
        let namespace =
            name_of_any_length("ns", namespace).map_err(official("Namespace should be a string"))?;
        let set = set.filter(|set| !set.is_none()).map(|set| name_of_any_length("set", set)).transpose();
        let set = set.map_err(official("Set should be string, unicode or None"))?;
        let index = name_of_any_length("name", index);
        let index = index.map_err(official("Index name should be string or unicode"))?;
        let values = values.map(|values| index_type("index_type", values)).transpose()?.unwrap_or_default();
        let values = match values {
            IndexedValues::Whole => "",
            IndexedValues::List => "LIST",
            IndexedValues::MapKeys => "MAPKEYS",
            IndexedValues::MapValues => "MAPVALUES",
        };
        let data_type = data_type.map(index_data_type).transpose()?.unwrap_or_default();
        if values == "MAPKEYS" && data_type == "GEO2DSPHERE" {
            let message =
                "index_datatype is INDEX_GEO2DSPHERE; the keys of maps are numbers, strings or blobs";
            return Err(param_error(py, message.into()));
        }
        let text = match (what, source) {
            ("bin", Some(bin)) => {
                let bin = match bin.cast::<PyString>() {
                    // Of any length, as the other names.
                    Ok(bin) => unicode(bin, "bin")?,
                    Err(_) => bin_name(bin).map_err(official("Bin should be a string"))?,
                };
                if bin.is_empty() || bin.contains([';', ':', '=', '\n', '\t']) {
                    let message = format!(
                        "bin is {bin:?}; an index needs a non-empty name without ; : = tabs or line breaks"
                    );
                    return Err(param_error(py, message));
                }
                bin
            }
            ("expression", Some(source)) => expression_base64(source)?,
            _ => String::new(),
        };
        let context = match ctx.filter(|ctx| !ctx.is_none()) {
            Some(ctx) => context_base64(function, ctx)?,
            None => String::new(),
        };
        let source = match what {
            "bin" => IndexSource::Bin { bin: &text, context: &context, values, data_type },
            "expression" => IndexSource::Expression { expression: &text, values, data_type },
            _ => IndexSource::Set,
        };
        let command = info::create_index(&namespace, set.as_deref().unwrap_or(""), &index, &source);
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let wait = Wait::read(wait_timeout)?;
        let (name, function) = (index.clone(), function.to_owned());
        let future = async move {
            let cluster = cluster.get().await?;
            let answer = ask(&cluster, &command, None, timeout).await?;
            if is_ok(&answer) {
                wait.run(&cluster, &namespace, &index).await?;
            }
            Ok(answer)
        };
        let finish = or_raise(move |py, answer: NodeAnswer| {
            if is_ok(&answer) {
                return done(py);
            }
            let (node, text) = (&answer.0, text_of(&answer));
            let code = info::error_of(text).map_or(0, |(code, _)| i32::from(code));
            if code == INDEX_FOUND {
                let message = format!(
                    "{function} at node {node} failed: index {name:?} exists with other properties; remove it with \
                     index_remove() first, or choose another name (the server answered {text:?})"
                );
                return Err(error_of_code(py, code, message, false));
            }
            Err(info_error(py, &function, node, text))
        });
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    /// Removes an index. One that does not exist is no error, as for the server.
    fn index_remove(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        namespace: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let namespace = name("ns", namespace)?;
        let index = text("name", index)?;
        check_index_name(py, &index)?;
        let command = info::remove_index(&namespace, &index);
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { ask(&cluster.get().await?, &command, None, timeout).await };
        let finish = or_raise(|py, answer: NodeAnswer| match is_ok(&answer) {
            true => done(py),
            false => Err(info_error(py, "index_remove", &answer.0, text_of(&answer))),
        });
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    /// Waits until every node has built an index.
    fn index_wait(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        namespace: &Bound<'_, PyAny>,
        index: &Bound<'_, PyAny>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let namespace = name("ns", namespace)?;
        let index = text("name", index)?;
        check_index_name(py, &index)?;
        let timeout = millis("timeout", timeout)?;
        let future =
            async move { cluster.get().await?.wait_for_index(&namespace, &index, timeout, false).await };
        Call::new(future, or_raise(|py, ()| Ok(py.None()))).run(py, completions)
    }

    /// The indexes of a namespace: a list of dicts.
    fn index_list(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        namespace: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let namespace = name("ns", namespace)?;
        let command = info::list_indexes(&namespace);
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { cluster.get().await?.info_within(None, &[&command], timeout).await };
        let finish = or_raise(|py, nodes: Vec<InfoAnswers>| list_of(py, &nodes));
        Call::new(future, finish).run(py, completions)
    }
}

/// How long a new index is waited for.
enum Wait {
    Not,
    /// Without a timeout, for as long as it takes.
    Until(Option<Duration>),
}

impl Wait {
    fn read(timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Ok(match millis("wait_timeout", timeout)? {
            Some(Duration::ZERO) => Self::Not,
            timeout => Self::Until(timeout),
        })
    }

    async fn run(self, cluster: &Cluster, namespace: &str, index: &str) -> Result<(), aero_io::Error> {
        match self {
            Self::Not => Ok(()),
            Self::Until(timeout) => cluster.wait_for_index(namespace, index, timeout, true).await,
        }
    }
}

/// A time in milliseconds, or None.
fn millis(what: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    let number = whole_number(value);
    match number {
        Some(millis @ 0..=0xFFFF_FFFF) => Ok(Some(Duration::from_millis(millis as u64))),
        _ => {
            let message =
                format!("{what} is {}; it must be None or a number of milliseconds", describe(value));
            Err(if number.is_some() {
                param_error(value.py(), message)
            } else {
                type_error(value.py(), message)
            })
        }
    }
}

fn text_of(answer: &NodeAnswer) -> &str {
    answer.1.first().map_or("", |(_, value)| value.as_str())
}

fn is_ok(answer: &NodeAnswer) -> bool {
    text_of(answer).eq_ignore_ascii_case("ok")
}

/// A context as base64, as [`info::create_index`] takes it.
fn context_base64(function: &str, ctx: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = ctx.py();
    let bytes = encode_context(function, ctx, Bools::default())?;
    let context = Context::from_bytes(&bytes)
        .map_err(|error| param_error(py, format!("{function}: ctx cannot be encoded: {error}")))?;
    let encoded = context.to_base64();
    match encoded.len() {
        0..=MAX_CONTEXT => Ok(encoded),
        length => Err(param_error(
            py,
            format!("{function}: ctx has {length} bytes as base64; servers take at most {MAX_CONTEXT}"),
        )),
    }
}

fn expression_base64(source: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = source.py();
    let bytes = expression::encode("expressions", source, Bools::default())?;
    let encoded = Expression::from_bytes(bytes).and_then(|expression| expression.to_base64());
    let encoded = encoded.map_err(|error| param_error(py, format!("expressions: {error}")))?;
    match encoded.len() {
        0..=MAX_EXPRESSION => Ok(encoded),
        length => Err(param_error(
            py,
            format!("expressions has {length} bytes as base64; servers take at most {MAX_EXPRESSION}"),
        )),
    }
}

/// The indexes that the nodes list, each once. The state is that of the node that is farthest behind.
fn list_of(py: Python<'_>, nodes: &[InfoAnswers]) -> PyResult<Py<PyAny>> {
    let mut all: BTreeMap<&str, (IndexInfo<'_>, u8, usize)> = BTreeMap::new();
    for (node, answers) in nodes {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) => return Err(io_error(py, error)),
        };
        let answer = answers.first().map_or("", |(_, answer)| answer.as_str());
        if info::error_of(answer).is_some() {
            return Err(info_error(py, "index_list", node, answer));
        }
        let indexes = info::parse_indexes(answer).map_err(|error| {
            client_error(py, format!("index_list: the answer of node {node} cannot be read: {error}"))
        })?;
        for index in indexes {
            // An index of a set has no state in the list.
            let rank = match index.state {
                "RW" | "" => 0,
                "ERROR" => 2,
                _ => 1,
            };
            let entry = all.entry(index.name).or_insert((index, rank, 0));
            entry.1 = entry.1.max(rank);
            entry.2 += 1;
        }
    }
    let list = PyList::empty(py);
    for (index, rank, known) in all.into_values() {
        let dict = PyDict::new(py);
        let optional = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        dict.set_item("namespace", index.namespace)?;
        dict.set_item("set", optional(index.set))?;
        dict.set_item("name", index.name)?;
        dict.set_item("bin", optional(index.bin))?;
        dict.set_item("index_type", optional(index.values).unwrap_or_else(|| "default".into()))?;
        dict.set_item("index_datatype", optional(index.data_type))?;
        dict.set_item("ctx", optional(index.context))?;
        dict.set_item("expression", optional(index.expression))?;
        // A node that does not know the index yet is behind, too.
        let rank = if known < nodes.len() { rank.max(1) } else { rank };
        dict.set_item("state", ["ready", "building", "error"][usize::from(rank)])?;
        list.append(dict)?;
    }
    Ok(list.into_any().unbind())
}
