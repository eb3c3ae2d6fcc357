//! Info commands, and truncation, which is one.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use aero_io::{Cluster, InfoAnswers};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wire_protocol::info;

use crate::call::{Call, Completions, plain};
use crate::core::Core;
use crate::errors::{error_of_code, io_error, param_error};
use crate::keys::{described, too_long};
use crate::policy;
use crate::runtime::NothingToSeal;
use crate::settings::{unicode, whole_number};

/// Server code of a failure that the answer gives no code of.
const SERVER: i32 = wire_protocol::ResultCode::SERVER_ERROR.get() as i32;

/// An answer as the server wrote it: command, tab, value, newline.
fn line((command, value): &(String, String)) -> String {
    format!("{command}\t{value}\n")
}

fn lines(answers: &[(String, String)]) -> String {
    answers.iter().map(line).collect()
}

/// The value alone and a newline, as the official client gives it of many nodes; or the error that it is.
fn value_of(py: Python<'_>, node: &str, answers: &[(String, String)]) -> PyResult<String> {
    let value = answers.first().map_or("", |(_, value)| value.as_str());
    if info::error_of(value).is_some() {
        return Err(refused(py, "info", node, value));
    }
    Ok(format!("{value}\n"))
}

/// The exception of an answer such as `ERROR:4:unrecognized command`.
fn refused(py: Python<'_>, command: &str, node: &str, answer: &str) -> PyErr {
    let code = info::error_of(answer).map_or(SERVER, |(code, _)| code.into());
    error_of_code(py, code, format!("{command} at node {node} failed: the server answered {answer:?}"), false)
}

/// One info command, checked: a line of text.
fn command_of(command: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = command.py();
    let Ok(text) = command.cast::<PyString>() else {
        return Err(param_error(
            py,
            format!("command is {}; it must be a str such as \"build\"", described(command)),
        ));
    };
    let text = unicode(text, "the command")?;
    let text = text.trim_end_matches('\n').to_owned();
    if text.is_empty() || text.contains('\n') {
        let message = format!("command is {}; it must be one line that is not empty", described(command));
        return Err(param_error(py, message));
    }
    Ok(text)
}

#[pymethods]
impl Core {
    /// Asks every node; gives a dict of node name to (error, answer).
    fn info_all(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        command: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let command = command_of(command)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { cluster.info_within(None, &[&command], timeout).await };
        let finish = plain(|py, answers: Vec<InfoAnswers>| {
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
        Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
    }

    /// Asks the node of that name, or where it is None any that answers.
    fn info_node(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
        command: &Bound<'_, PyAny>,
        node: Option<String>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let command = command_of(command)?;
        let timeout = policy::info(py, self.config.policies.info.0, "info policy", policy)?;
        let future = async move { ask(&cluster, &command, node, timeout).await };
        let finish =
            plain(|py, (_, answer): NodeAnswer| Ok(PyString::new(py, &lines(&answer)).into_any().unbind()));
        Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
    }

    fn truncate(
        &self,
        py: Python<'_>,
        face: Option<&Completions>,
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
                    described(nanos)
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
        let finish = plain(|py, (node, answer): NodeAnswer| {
            let answer = answer.first().map_or("", |(_, value)| value.as_str());
            if answer.eq_ignore_ascii_case("ok") {
                return Ok(py.None());
            }
            Err(refused(py, "truncate", &node, answer))
        });
        Call { future, seal: Arc::new(NothingToSeal), finish }.run(py, face)
    }
}

/// A namespace or set that can stand in an info command.
fn name(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    let Ok(text) = value.cast::<PyString>() else {
        return Err(param_error(py, format!("{what} is {}; it must be a str", described(value))));
    };
    let text = unicode(text, what)?;
    if text.is_empty() || text.contains([';', ':', '=', '\n', '\t']) {
        let message = format!(
            "{what} is {}; it must be a name that is not empty, without ; : = and line breaks",
            described(value)
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

/// Asks the node of that name; else one that was not found wanting, and the others where it fails.
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
