//! Orders on standard input.

use std::time::Duration;

use crate::cli::number;
use crate::{DevServer, DevServerError, FaultRule, NodeIndex};

/// Does what an order says; gives the line to answer with.
pub(crate) async fn obey(server: &DevServer, order: &str) -> String {
    match try_obey(server, order).await {
        Ok(None) => format!("ok {order}\n"),
        Ok(Some(answer)) => format!("ok {order} {answer}\n"),
        Err(error) => format!("error {order}: {error}\n"),
    }
}

async fn try_obey(server: &DevServer, order: &str) -> Result<Option<String>, DevServerError> {
    let mut words = order.split_whitespace();
    let (Some(verb), Some(argument)) = (words.next(), words.next()) else {
        return Err(DevServerError::config("an order is a word and what it is about"));
    };
    if verb == "fault" {
        return server.inject(nodes(verb, argument)?, FaultRule::parse(words)?).map(|()| None);
    }
    if let Some(word) = words.next() {
        return Err(DevServerError::config(format!("{verb} takes one word, and {word:?} is another")));
    }
    match verb {
        "kill" => server.kill(number(verb, argument)?).await?,
        "restart" => server.restart(number(verb, argument)?).await?,
        "pause" => server.pause(number(verb, argument)?).await?,
        "refuse" => server.refuse(number(verb, argument)?).await?,
        "resume" => server.resume(number(verb, argument)?).await?,
        "move" => server.move_partitions(number(verb, argument)?)?,
        "clear" => server.clear_faults(nodes(verb, argument)?)?,
        "counters" => return Ok(Some(server.counters(number(verb, argument)?)?.to_string())),
        "advance" => server.advance_clock(Duration::from_secs(number(verb, argument)?)),
        _ => return Err(DevServerError::config("there is no such order")),
    }
    Ok(None)
}

/// A node, or `None` for all.
fn nodes(verb: &str, text: &str) -> Result<Option<NodeIndex>, DevServerError> {
    if text == "all" { Ok(None) } else { number(verb, text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[tokio::test]
    async fn orders_are_answered() {
        let server = DevServer::start(Config { nodes: 2, ..Config::default() }).await.unwrap();
        for (order, answer) in [
            ("fault 1 late 250 command=batch times=1", "ok fault 1 late 250 command=batch times=1\n"),
            ("fault all row-code 14", "ok fault all row-code 14\n"),
            ("clear all", "ok clear all\n"),
            ("refuse 1", "ok refuse 1\n"),
            ("resume 1", "ok resume 1\n"),
            ("move 12", "ok move 12\n"),
            ("move 0", "error move 0: 1 to 4096 partitions can move, not 0\n"),
            ("kill 0", "ok kill 0\n"),
            ("kill 0", "error kill 0: node 0 is dead\n"),
            ("kill 9", "error kill 9: there is no node 9: the cluster has 2 (counted from 0)\n"),
            ("kill 0 1", "error kill 0 1: kill takes one word, and \"1\" is another\n"),
            ("clear x", "error clear x: clear takes a number, not \"x\"\n"),
            ("kill", "error kill: an order is a word and what it is about\n"),
            ("explode 1", "error explode 1: there is no such order\n"),
            (
                "counters 1",
                "ok counters 1 connections=0 connections_open=0 batch_requests=0 batch_rows=0 passed_on=0 \
                 reads=0 writes=0 info_requests=0 faults=0\n",
            ),
        ] {
            assert_eq!(obey(&server, order).await, answer);
        }
    }
}
