//! Info commands to one node or to all.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wire_protocol::info;

use crate::error::{Error, Fault, Tried};
use crate::net::buffers::Buffers;
use crate::net::info::exchange_info;
use crate::net::pool::Wanted;
use crate::net::timer::Timer;
use crate::node::Node;
use crate::topology::state::Inner;

/// Time for one exchange of info commands on a user's behalf.
pub(crate) const INFO_TIMEOUT: Duration = Duration::from_secs(1);

/// A node's name and its answers to info commands, command and value each.
pub type InfoAnswers = (String, Result<Vec<(String, String)>, Error>);

/// Sends `commands` to the node of that name, or to every node side by side.
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
    let exchange = async {
        let (mut wanted, mut has_lost_session) = (Wanted::Open, false);
        let body = loop {
            let mut leased = node.acquire(&mut timer, wanted).await?;
            let Buffers { request, input, .. } = &mut *buffers;
            match exchange_info(&mut leased.connection, input, request, commands, &mut timer).await {
                Ok(body) => {
                    leased.recycle();
                    break body;
                }
                Err(fault) if leased.reused && fault.is_stale() => wanted = Wanted::New,
                Err(Fault::Login { code, .. })
                    if !has_lost_session && node.forget_lost_session(code, &leased.connection) =>
                {
                    (has_lost_session, wanted) = (true, Wanted::New);
                }
                Err(fault) => return Err(fault),
            }
        };
        let owned = |(command, value): (&str, &str)| (command.to_owned(), value.to_owned());
        Ok(info::answers(&body)?.map(owned).collect())
    };
    exchange.await.map_err(|fault: Fault| {
        node.observe(&fault, 1, Some(start));
        let tried = Tried {
            command: "info",
            node: Arc::clone(&node.name),
            address: node.address,
            attempts: 1,
            elapsed: start.elapsed(),
            in_doubt: false,
        };
        fault.into_error(node, tried)
    })
}
