//! Orders on standard input.

use std::time::Duration;

use crate::cli::number;
use crate::{DevServer, DevServerError, FaultRule, NodeIndex, User};

/// Does what an order says; gives the line to answer with.
pub(crate) async fn obey(server: &DevServer, order: &str) -> String {
    // What it says of a user is nobody's business.
    let told = if order.split_whitespace().next() == Some("user") { "user" } else { order };
    match try_obey(server, order).await {
        Ok(None) => format!("ok {told}\n"),
        Ok(Some(answer)) => format!("ok {told} {answer}\n"),
        Err(error) => format!("error {told}: {error}\n"),
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
    if verb == "user" {
        return server.set_user(user(argument, words)?).map(|()| None);
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

fn user<'a>(name: &str, mut words: impl Iterator<Item = &'a str>) -> Result<User, DevServerError> {
    let (Some(password), Some(roles)) = (words.next(), words.next()) else {
        return Err(DevServerError::config("a user has a name, a password and roles"));
    };
    let roles: Vec<&str> = roles.split(',').collect();
    let user = User::new(&text(name)?, &text(password)?, &roles)?;
    match words.next() {
        None => Ok(user),
        Some("external") => Ok(user.external()),
        Some(_) => Err(DevServerError::config("after a user's roles comes `external` or nothing")),
    }
}

/// The text that hexadecimal digits stand for.
fn text(digits: &str) -> Result<String, DevServerError> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = digits.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| DevServerError::config("names and passwords are UTF-8 in hexadecimal digits"))
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
                 queries=0 query_records=0 reads=0 writes=0 info_requests=0 faults=0 logins=0 authentications=0 logins_refused=0\n",
            ),
            ("user 616e6e 7365 read", "error user: there is no security: nobody logs in\n"),
        ] {
            assert_eq!(obey(&server, order).await, answer);
        }
    }

    #[tokio::test]
    async fn nothing_is_told_of_users() {
        let config = Config { security: true, ..Config::default() };
        let server = DevServer::start(config).await.unwrap();
        for (order, answer) in [
            ("user 616e6e 7365 read,write", "ok user\n"),
            ("user 616e6e 7365 read external", "ok user\n"),
            ("user 616e6e 7365", "error user: a user has a name, a password and roles\n"),
            ("user 616e6e 7g read", "error user: names and passwords are UTF-8 in hexadecimal digits\n"),
            ("user 616e6e 7365 read x", "error user: after a user's roles comes `external` or nothing\n"),
        ] {
            assert_eq!(obey(&server, order).await, answer);
        }
    }
}
