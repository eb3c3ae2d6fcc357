//! Waiting for secondary indexes, which every node builds by itself.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use wire_protocol::ResultCode;
use wire_protocol::info;

use crate::command::info::{INFO_TIMEOUT, send};
use crate::error::{Error, NodeProgress};
use crate::topology::state::Inner;

/// The first pause between two questions; each one is twice as long as that before.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How long a new index may be unknown to all nodes, if there is no other limit.
const UNKNOWN: Duration = Duration::from_secs(30);

/// Waits until every node has built an index.
///
/// `is_new`: the index was created just before, so nodes may not know it yet.
pub(crate) async fn wait(
    inner: &Inner,
    namespace: &str,
    name: &str,
    timeout: Option<Duration>,
    is_new: bool,
) -> Result<(), Error> {
    let start = Instant::now();
    let deadline = timeout.and_then(|timeout| start.checked_add(timeout));
    let command = info::index_stat(namespace, name);
    let mut pause = FIRST_PAUSE;
    let mut was_known = false;
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let limit = left.map_or(INFO_TIMEOUT, |left| left.clamp(Duration::from_millis(1), INFO_TIMEOUT));
        let mut behind = Vec::new();
        let mut knows = false;
        let mut has_namespace = false;
        let mut lacks_namespace = false;
        for (node, answers) in send(inner, None, &[&command], limit).await? {
            let progress = match answers {
                Err(error) => NodeProgress::Failed(error.to_string()),
                Ok(answers) => read(answers.first().map_or("", |(_, answer)| answer))?,
            };
            if progress == NodeProgress::NoNamespace {
                lacks_namespace = true;
                continue;
            }
            has_namespace = true;
            knows |= matches!(progress, NodeProgress::Built(_));
            if progress != NodeProgress::Built(100) {
                behind.push((node, progress));
            }
        }
        if lacks_namespace && !has_namespace {
            return Err(Error::NamespaceNotFound { namespace: namespace.to_owned() });
        }
        if behind.is_empty() && (knows || inner.view().nodes.is_empty()) {
            return Ok(());
        }
        let is_unknown = behind.iter().all(|(_, progress)| *progress == NodeProgress::Unknown);
        let is_gone = is_unknown && !knows && (was_known || !is_new || start.elapsed() > UNKNOWN);
        was_known |= knows;
        let is_late = deadline.is_some_and(|deadline| Instant::now() + pause > deadline);
        if is_gone || is_late {
            let (namespace, name, waited) = (namespace.to_owned(), name.to_owned(), start.elapsed());
            return Err(if is_gone {
                Error::NoSuchIndex { namespace, name }
            } else {
                Error::IndexNotReady { namespace, name, waited, nodes: behind }
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// How far a node is, from its answer.
fn read(answer: &str) -> Result<NodeProgress, Error> {
    match info::error_of(answer) {
        None => {}
        Some((ResultCode::INDEX_NOT_FOUND, _)) => return Ok(NodeProgress::Unknown),
        Some((ResultCode::NAMESPACE_NOT_FOUND, _)) => return Ok(NodeProgress::NoNamespace),
        Some(_) => return Ok(NodeProgress::Failed(format!("the server answered {answer:?}"))),
    }
    Ok(NodeProgress::Built(info::parse_load_percent(answer)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        assert_eq!(read("entries=5;load_pct=55").unwrap(), NodeProgress::Built(55));
        assert_eq!(read("ERROR:201:no index").unwrap(), NodeProgress::Unknown);
        assert_eq!(read("ERROR:20:namespace not found").unwrap(), NodeProgress::NoNamespace);
        assert!(matches!(read("ERROR:4:bad").unwrap(), NodeProgress::Failed(_)));
        assert!(read("what").is_err());
    }
}
