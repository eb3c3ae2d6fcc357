//! Background queries: operations that the nodes apply to records by themselves.
//!
//! Each node gets the job once. What follows from each outcome:
//!
//! | outcome at a node | next |
//! | --- | --- |
//! | started, or the node has no record of the set | nothing |
//! | refused with a code that may pass, or nothing was sent | again, if there are retries and time left |
//! | refused with another code | an error |
//! | no answer, and the request may have been received | ask the node whether it knows the job |
//! | it does | nothing |
//! | it does not, or cannot be asked | an error in doubt; the job is not sent again |

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use tokio::time::{Instant, sleep};
use wire_protocol::ResultCode;
use wire_protocol::batch::EncodedOps;
use wire_protocol::info;
use wire_protocol::query::{BackgroundQuery, Predicate, write_background_query};

use super::QueryOps;
use super::index_hint::index_hint;
use crate::command::answer::Answer;
use crate::command::apply::Function;
use crate::command::exchange::{self, Exchange, Failure, Received, Unanswered};
use crate::command::info::{INFO_TIMEOUT, send};
use crate::command::retry::retry_delay;
use crate::command::single::write_options;
use crate::error::{Error, Fault, Tried};
use crate::key::Space;
use crate::net::timer::Timer;
use crate::node::Node;
use crate::policy::{SINGLE_TIMEOUT, WritePolicy};
use crate::topology::state::Inner;

/// What the nodes are to do.
#[derive(Clone, Debug)]
pub struct BackgroundJob {
    /// An empty set means the whole namespace.
    pub space: Space,
    /// Which records; `None` for all.
    pub predicate: Option<Arc<Predicate>>,
    /// Operations that write; none if there is a function.
    pub operations: QueryOps,
    /// A function that is applied instead of operations.
    pub function: Option<Function>,
    /// Nodes only update or replace records that exist, and compare no generations.
    pub policy: WritePolicy,
    /// Most records per second and node; 0 for the server's limit.
    pub records_per_second: u32,
}

/// Starts a job at every node; returns its identifier.
pub(crate) async fn start(inner: &Inner, job: &BackgroundJob) -> Result<u64, Error> {
    super::refuse_transaction(&job.policy.limits)?;
    if let Some(predicate) = &job.predicate {
        predicate.check()?;
    }
    let start = Instant::now();
    let task_id = RandomState::new().hash_one(start.elapsed()).max(1);
    let view = inner.view();
    let started = view.nodes.iter().map(|node| start_at(inner, job, node, task_id, start));
    let outcomes = futures_util::future::join_all(started).await;
    let (mut names, mut failure) = (Vec::new(), None);
    for (node, outcome) in view.nodes.iter().zip(outcomes) {
        match outcome {
            Ok(()) => names.push(node.name.to_string()),
            // What is in doubt says most.
            Err(error) if failure.as_ref().is_none_or(|failure: &Error| !failure.in_doubt()) => {
                failure = Some(error);
            }
            Err(_) => {}
        }
    }
    match failure {
        None if view.nodes.is_empty() => Err(inner.unless_closed(Error::InvalidNode {
            namespace: String::from_utf8_lossy(&job.space.namespace).into_owned(),
            partition: 0,
        })),
        None => Ok(task_id),
        // No node runs it.
        Some(error) if names.is_empty() && !error.in_doubt() => Err(error),
        Some(error) => {
            names.sort();
            Err(Error::Background { source: Box::new(error), job: task_id, started: names })
        }
    }
}

async fn start_at(
    inner: &Inner,
    job: &BackgroundJob,
    node: &Arc<Node>,
    task_id: u64,
    start: Instant,
) -> Result<(), Error> {
    let limits = &job.policy.limits;
    let deadline = limits.deadline(start, SINGLE_TIMEOUT);
    let mut attempt = 0u32;
    loop {
        let tried = |in_doubt| Tried {
            command: "execute_background",
            bins: String::new(),
            is_filtered: !limits.filter.is_empty(),
            node: Arc::clone(&node.name),
            address: node.address,
            attempts: attempt.saturating_add(1),
            elapsed: start.elapsed(),
            in_doubt,
        };
        let server_error = |code, in_doubt| {
            let tried = Box::new(tried(in_doubt));
            let hint = job.predicate.as_ref().and_then(|predicate| index_hint(code, predicate, &job.space));
            match hint {
                Some(what) => Error::Index { code, what, tried },
                None => Error::Server { code, tried },
            }
        };
        let mut timer = Timer::new(deadline, limits.socket_timeout);
        let mut buffers = inner.buffers.take();
        let sent_at = Instant::now();
        let answered =
            exchange::run(&mut StartExchange { job, task_id }, node, &mut buffers, &mut timer).await;
        drop(buffers);
        let (error, is_in_doubt, may_pass) = match answered {
            // A node that knows no such set has no record of it.
            Ok((ResultCode::OK | ResultCode::RECORD_NOT_FOUND, _)) => return Ok(()),
            Ok((code @ ResultCode::TIMEOUT, _)) => (server_error(code, true), true, true),
            Ok((code, _)) => (server_error(code, false), false, code.is_transient_for_query()),
            Err(Unanswered { why: Failure::Refused(error), .. }) => return Err(error),
            Err(Unanswered { why: Failure::Fault(fault), any_sent }) => {
                node.observe(&fault, 1, Some(sent_at));
                let may_pass = !matches!(fault, Fault::Deadline | Fault::Gone);
                (fault.into_error(node, tried(any_sent)), any_sent, may_pass)
            }
        };
        if is_in_doubt {
            // Whatever the node says but yes: the request may still be on its way.
            return if knows(inner, node, task_id).await { Ok(()) } else { Err(error) };
        }
        let delay = retry_delay(limits.sleep_between_retries, false, attempt, &error);
        let is_too_late = deadline
            .is_some_and(|deadline| Instant::now().checked_add(delay).is_none_or(|start| start >= deadline));
        if !may_pass || attempt >= limits.max_retries || is_too_late {
            return Err(error);
        }
        sleep(delay).await;
        inner.count_retries(1);
        attempt += 1;
    }
}

/// Whether a node says that it knows a job.
async fn knows(inner: &Inner, node: &Node, task_id: u64) -> bool {
    let command = info::show_query(task_id);
    let answers = send(inner, Some(&node.name), &[&command], INFO_TIMEOUT).await.unwrap_or_default();
    answers.into_iter().any(|(_, answers)| {
        answers.is_ok_and(|answers| answers.iter().any(|(_, answer)| info::JobStatus::parse(answer).is_ok()))
    })
}

/// The exchange that starts a job: one message, one answer.
struct StartExchange<'a> {
    job: &'a BackgroundJob,
    task_id: u64,
}

impl Exchange for StartExchange<'_> {
    type Answer = ();
    type Failure = Failure;

    fn purpose(&self) -> (&'static str, &[u8]) {
        ("query", &self.job.space.namespace)
    }

    fn may_repeat(&self) -> bool {
        false
    }

    fn compress(&self) -> bool {
        self.job.policy.limits.compress
    }

    /// The node answers before it has done any work.
    fn timed_rows(&self) -> Option<usize> {
        None
    }

    fn encode(&mut self, out: &mut Vec<u8>, timeout_ms: u32) -> Result<(), Error> {
        let BackgroundJob { space, predicate, operations, function, policy, records_per_second } = self.job;
        let socket_timeout = policy.limits.socket_timeout.as_millis();
        let query = BackgroundQuery {
            namespace: &space.namespace,
            set: &space.set,
            predicate: predicate.as_deref(),
            operations: EncodedOps { count: operations.count, bytes: &operations.bytes },
            function: function.as_ref().map(Function::call),
            options: write_options(policy, timeout_ms),
            records_per_second: *records_per_second,
            socket_timeout_ms: u32::try_from(socket_timeout).unwrap_or(u32::MAX),
            task_id: self.task_id,
        };
        Ok(write_background_query(out, &query)?)
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<()>, Failure> {
        let answer = Answer::parse(body).map_err(Fault::from)?;
        Ok(Received::End(answer.result_code, ()))
    }
}
