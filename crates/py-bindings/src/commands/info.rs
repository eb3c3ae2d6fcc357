//! Info commands, and truncate, which is one.

use std::hash::{BuildHasher, Hasher, RandomState};

use aero_io::{Cluster, InfoAnswers};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString};
use wire_protocol::info;

use crate::args::convert::text;
use crate::args::policy;
use crate::call::{Call, Completions, done, or_raise};
use crate::core::Core;
use crate::keys::too_long;
use crate::python::describe::describe;
use crate::python::errors::{SERVER, error_of_code, io_error, param_error, refused_request, type_error};
use crate::python::text::unicode;

/// Answers as the server writes them: command, tab, value, newline; raises if one of them is an error.
fn lines(py: Python<'_>, node: &str, answers: &[(String, String)]) -> PyResult<String> {
    check(py, node, answers)?;
    Ok(answers.iter().map(|(command, value)| format!("{command}\t{value}\n")).collect())
}

/// The value and a newline, as the official client returns it for many nodes; raises if the value is an error.
fn value_of(py: Python<'_>, node: &str, answers: &[(String, String)]) -> PyResult<String> {
    check(py, node, answers)?;
    let value = answers.first().map_or("", |(_, value)| value.as_str());
    Ok(format!("{value}\n"))
}

/// Raises the first error among answers.
fn check(py: Python<'_>, node: &str, answers: &[(String, String)]) -> PyResult<()> {
    for (command, value) in answers {
        // A line without a tab was read as a command without a value.
        let is_bare = value.is_empty() && info::error_of(command).is_some();
        let answer = if is_bare { command } else { value };
        if info::error_of(answer).is_some() {
            return Err(info_error(py, "info", node, answer));
        }
    }
    Ok(())
}

/// The exception of an answer such as `ERROR:4:unrecognized command`.
pub(super) fn info_error(py: Python<'_>, command: &str, node: &str, answer: &str) -> PyErr {
    let code = info::error_of(answer).map_or(SERVER, |(code, _)| code.into());
    error_of_code(py, code, format!("{command} at node {node} failed: the server answered {answer:?}"), false)
}

/// One info command, checked: a line of text.
fn command_of(command: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = command.py();
    let Ok(text) = command.cast::<PyString>() else {
        return Err(type_error(
            py,
            format!("command is {}; it must be a str such as \"build\"", describe(command)),
        ));
    };
    let text = unicode(text, "command")?;
    let text = text.trim_end_matches('\n').to_owned();
    if text.is_empty() || text.contains('\n') {
        let message = format!("command is {}; it must be one non-empty line", describe(command));
        return Err(param_error(py, message));
    }
    Ok(text)
}

#[pymethods]
impl Core {
    /// Asks every node; returns a dict of node name to (error, answer).
    fn info_all(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        command: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let command = command_of(command)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { cluster.get().await?.info_within(None, &[&command], timeout).await };
        let finish = or_raise(|py, answers: Vec<InfoAnswers>| {
            let all = PyDict::new(py);
            for (node, answer) in answers {
                let answer = match answer {
                    Ok(answer) => value_of(py, &node, &answer),
                    Err(error) => Err(io_error(py, &error)),
                };
                match answer {
                    Ok(value) => all.set_item(node, (py.None(), value))?,
                    Err(error) => all.set_item(node, (error, py.None()))?,
                }
            }
            Ok(all.into_any().unbind())
        });
        Call::new(future, finish).run(py, completions)
    }

    /// Asks the node of that name.
    fn info_single_node(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        command: &Bound<'_, PyAny>,
        host: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        // A closed client is reported before its arguments.
        self.cluster(py)?;
        let command = command_of(command)?;
        if !host.is_instance_of::<PyString>() {
            let message =
                format!("host is {}; it must be the name of a node, one of get_node_names()", describe(host));
            return Err(type_error(py, message));
        }
        self.info_node(py, completions, command, Some(text("host", host)?), policy)
    }

    /// Asks any node that answers.
    fn info_random_node(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        command: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.info_node(py, completions, command_of(command)?, None, policy)
    }

    fn truncate(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        namespace: &Bound<'_, PyAny>,
        set: Option<&Bound<'_, PyAny>>,
        nanos: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let namespace = name("namespace", namespace)?;
        let set = set.filter(|set| !set.is_none());
        if set.is_some_and(|set| set.cast::<PyString>().is_ok_and(|set| set.is_empty().unwrap_or(false))) {
            let message = "set is ''; name the set, or pass None for all records of the namespace";
            return Err(refused_request(py, message.into()));
        }
        let set = set.map(|set| name("set", set)).transpose()?;
        let nanos = match nanos.extract::<u64>() {
            Ok(number) if !nanos.is_instance_of::<PyBool>() => number,
            _ => {
                let message = format!(
                    "nanos is {}; it must be nanoseconds since 1970-01-01 UTC, or 0 for now",
                    describe(nanos)
                );
                return Err(param_error(py, message));
            }
        };
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let mut command = match &set {
            Some(set) => format!("truncate:namespace={namespace};set={set}"),
            None => format!("truncate-namespace:namespace={namespace}"),
        };
        if nanos > 0 {
            command.push_str(&format!(";lut={nanos}"));
        }
        let future = async move { ask(&cluster.get().await?, &command, None, timeout).await };
        let finish = or_raise(|py, (node, answer): NodeAnswer| {
            let answer = answer.first().map_or("", |(_, value)| value.as_str());
            if answer.eq_ignore_ascii_case("ok") {
                return done(py);
            }
            Err(info_error(py, "truncate", &node, answer))
        });
        Call::new(future, finish).run(py, completions)
    }
}

impl Core {
    /// Asks the node of that name; if it is None, any node that answers.
    fn info_node(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        command: String,
        node: Option<String>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { ask(&cluster.get().await?, &command, node, timeout).await };
        let finish = or_raise(|py, (node, answer): NodeAnswer| {
            Ok(PyString::new(py, &lines(py, &node, &answer)?).into_any().unbind())
        });
        Call::new(future, finish).run(py, completions)
    }
}

/// Checks the name of a namespace or set for an info command.
pub(super) fn name(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = name_of_any_length(what, value)?;
    match too_long(what, &text) {
        Some(problem) => Err(param_error(value.py(), problem)),
        None => Ok(text),
    }
}

/// [`name`] for a command whose names the server checks.
pub(super) fn name_of_any_length(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    let text = text(what, value)?;
    if text.is_empty() || text.contains([';', ':', '=', '\n', '\t']) {
        let message = format!(
            "{what} is {}; it must be a non-empty name without ; : = tabs or line breaks",
            describe(value)
        );
        return Err(param_error(py, message));
    }
    Ok(text)
}

/// A node and what it answered.
pub(super) type NodeAnswer = (String, Vec<(String, String)>);

/// Asks the node of that name. Without a name, asks a random healthy node; if it fails, the other healthy ones and
/// then the suspect ones.
pub(super) async fn ask(
    cluster: &Cluster,
    command: &str,
    node: Option<String>,
    timeout: std::time::Duration,
) -> Result<NodeAnswer, aero_io::Error> {
    let candidates = match node {
        Some(node) => vec![node],
        None => {
            let stats = cluster.stats();
            let mut nodes = stats.nodes;
            nodes.sort_by_key(|node| node.suspect);
            let healthy = nodes.iter().filter(|node| !node.suspect).count().max(1);
            let mut names: Vec<String> = nodes.into_iter().map(|node| node.name).collect();
            if let Some(healthy) = names.get_mut(..healthy) {
                healthy.rotate_left(RandomState::new().build_hasher().finish() as usize % healthy.len());
            }
            names
        }
    };
    let mut last = aero_io::Error::Closed { in_doubt: false };
    for name in candidates {
        for (node, answer) in cluster.info_within(Some(&name), &[command], timeout).await? {
            match answer {
                Ok(answer) => return Ok((node, answer)),
                Err(error) => last = error,
            }
        }
    }
    Err(last)
}
