//! Info commands to one node or to all.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::info;
use wire_protocol::message::FrameType;

use crate::command::exchange::{self, Exchange, Failure, Received, Unanswered};
use crate::error::{Error, Fault, Tried};
use crate::net::info::MAX_INFO;
use crate::net::timer::Timer;
use crate::node::Node;
use crate::topology::state::Inner;

/// The default timeout of info commands.
pub(crate) const INFO_TIMEOUT: Duration = Duration::from_secs(1);

/// A node's name and its answers: pairs of command and value.
pub type InfoAnswers = (String, Result<Vec<(String, String)>, Error>);

/// Sends `commands` to the node with that name, or to all nodes concurrently.
pub(crate) async fn send(
    inner: &Inner,
    node: Option<&str>,
    commands: &[&str],
    timeout: Duration,
) -> Result<Vec<InfoAnswers>, Error> {
    let view = inner.view();
    let nodes: Vec<&Arc<Node>> = match node {
        None => view.nodes.iter().collect(),
        Some(name) => vec![view.node(name).ok_or_else(|| Error::NoSuchNode {
            name: name.to_owned(),
            known: view.nodes.iter().map(|node| node.name.to_string()).collect(),
        })?],
    };
    let asked = nodes.iter().map(|node| async {
        let answers = send_to(inner, node, commands, timeout).await;
        (node.name.to_string(), answers)
    });
    let mut answers = futures_util::future::join_all(asked).await;
    answers.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(answers)
}

async fn send_to(
    inner: &Inner,
    node: &Node,
    commands: &[&str],
    timeout: Duration,
) -> Result<Vec<(String, String)>, Error> {
    let start = Instant::now();
    let mut timer = Timer::within(timeout);
    let mut buffers = inner.buffers.take();
    let answered = exchange::run(&mut InfoExchange { commands }, node, &mut buffers, &mut timer).await;
    let fault = match answered {
        Ok((code, _)) if code.ends_session() => Fault::Login { code, user: node.login_user() },
        Ok((_, values)) => return Ok(values),
        Err(Unanswered { why: Failure::Refused(error), .. }) => return Err(error),
        Err(Unanswered { why: Failure::Fault(fault), .. }) => fault,
    };
    node.observe(&fault, 1, Some(start));
    let tried = Tried {
        command: "info",
        bins: String::new(),
        is_filtered: false,
        node: Arc::clone(&node.name),
        address: node.address,
        attempts: 1,
        elapsed: start.elapsed(),
        in_doubt: false,
    };
    Err(fault.into_error(node, tried))
}

/// The exchange of info commands: lines of text, one answer.
struct InfoExchange<'a> {
    commands: &'a [&'a str],
}

impl Exchange for InfoExchange<'_> {
    type Answer = Vec<(String, String)>;
    type Failure = Failure;

    const FRAME_TYPE: FrameType = FrameType::Info;
    const MAX_BODY: usize = MAX_INFO;

    fn purpose(&self) -> (&'static str, &[u8]) {
        ("info", &[])
    }

    fn may_repeat(&self) -> bool {
        true
    }

    fn compress(&self) -> bool {
        false
    }

    /// Info commands do no work on records.
    fn timed_rows(&self) -> Option<usize> {
        None
    }

    fn encode(&mut self, out: &mut Vec<u8>, _timeout_ms: u32) -> Result<(), Error> {
        Ok(info::write_request(out, self.commands)?)
    }

    async fn frame(&mut self, body: &[u8]) -> Result<Received<Self::Answer>, Failure> {
        if let Some(code) = info::refusal(body).filter(|code| code.ends_session()) {
            return Ok(Received::End(code, Vec::new()));
        }
        let owned = |(command, value): (&str, &str)| (command.to_owned(), value.to_owned());
        let values = info::answers(body).map_err(Fault::from)?.map(owned).collect();
        Ok(Received::End(ResultCode::OK, values))
    }
}
