//! Info commands, and truncate, which is one.

use std::hash::{BuildHasher, Hasher, RandomState};

use aero_io::{Cluster, InfoAnswers};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wire_protocol::info;

use crate::args::convert::{unicode, whole_number};
use crate::args::policy;
use crate::call::{Call, Completions, or_raise};
use crate::core::Core;
use crate::keys::too_long;
use crate::python::describe::describe;
use crate::python::errors::{SERVER, error_of_code, io_error, param_error};

/// An answer as the server writes it: command, tab, value, newline.
fn line((command, value): &(String, String)) -> String {
    format!("{command}\t{value}\n")
}

fn lines(answers: &[(String, String)]) -> String {
    answers.iter().map(line).collect()
}

/// The value and a newline, as the official client returns it for many nodes; raises if the value is an error.
fn value_of(py: Python<'_>, node: &str, answers: &[(String, String)]) -> PyResult<String> {
    let value = answers.first().map_or("", |(_, value)| value.as_str());
    if info::error_of(value).is_some() {
        return Err(info_error(py, "info", node, value));
    }
    Ok(format!("{value}\n"))
}

/// The exception of an answer such as `ERROR:4:unrecognized command`.
fn info_error(py: Python<'_>, command: &str, node: &str, answer: &str) -> PyErr {
    let code = info::error_of(answer).map_or(SERVER, |(code, _)| code.into());
    error_of_code(py, code, format!("{command} at node {node} failed: the server answered {answer:?}"), false)
}

/// One info command, checked: a line of text.
fn command_of(command: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = command.py();
    let Ok(text) = command.cast::<PyString>() else {
        return Err(param_error(
            py,
            format!("command is {}; it must be a str such as \"build\"", describe(command)),
        ));
    };
    let text = unicode(text, "the command")?;
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
        let future = async move { cluster.info_within(None, &[&command], timeout).await };
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

    /// Asks the node of that name; if it is None, any node that answers.
    fn info_node(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        command: &Bound<'_, PyAny>,
        node: Option<String>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let command = command_of(command)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { ask(&cluster, &command, node, timeout).await };
        let finish = or_raise(|py, (_, answer): NodeAnswer| {
            Ok(PyString::new(py, &lines(&answer)).into_any().unbind())
        });
        Call::new(future, finish).run(py, completions)
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
        let set = set.filter(|set| !set.is_none()).map(|set| name("set", set)).transpose()?;
        let nanos = match whole_number(nanos) {
            _ if nanos.is_none() => 0,
            Some(nanos @ 0..) => nanos,
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
        let future = async move { ask(&cluster, &command, None, timeout).await };
        let finish = or_raise(|py, (node, answer): NodeAnswer| {
            let answer = answer.first().map_or("", |(_, value)| value.as_str());
            if answer.eq_ignore_ascii_case("ok") {
                return Ok(py.None());
            }
            Err(info_error(py, "truncate", &node, answer))
        });
        Call::new(future, finish).run(py, completions)
    }
}

/// Checks the name of a namespace or set for an info command.
fn name(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    let Ok(text) = value.cast::<PyString>() else {
        return Err(param_error(py, format!("{what} is {}; it must be a str", describe(value))));
    };
    let text = unicode(text, what)?;
    if text.is_empty() || text.contains([';', ':', '=', '\n', '\t']) {
        let message = format!(
            "{what} is {}; it must be a non-empty name without ; : = tabs or line breaks",
            describe(value)
        );
        return Err(param_error(py, message));
    }
    match too_long(what, &text) {
        Some(problem) => Err(param_error(py, problem)),
        None => Ok(text),
    }
}

/// A node and what it answered.
type NodeAnswer = (String, Vec<(String, String)>);

/// Asks the node of that name. Without a name, asks a random healthy node; if it fails, the other healthy ones and
/// then the suspect ones.
async fn ask(
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
