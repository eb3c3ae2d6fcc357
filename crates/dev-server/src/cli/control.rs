//! Control commands: lines on standard input that kill nodes, inject faults, add users and so on.

use std::time::Duration;

use crate::cli::fault_rule::parse_rule;
use crate::cli::number::number;
use crate::error::DevServerError;
use crate::security::User;
use crate::server::DevServer;
use crate::state::cluster::NodeIndex;

/// Executes a control command and returns the line that answers it: `ok COMMAND`, with the result if the
/// command has one, or `error COMMAND: reason`.
pub(super) async fn execute(server: &DevServer, command: &str) -> String {
    // The arguments of `user` are secret: neither the answer nor its error repeats them.
    let shown = if command.split_whitespace().next() == Some("user") { "user" } else { command };
    match try_execute(server, command).await {
        Ok(None) => format!("ok {shown}\n"),
        Ok(Some(result)) => format!("ok {shown} {result}\n"),
        Err(error) => format!("error {shown}: {error}\n"),
    }
}

async fn try_execute(server: &DevServer, command: &str) -> Result<Option<String>, DevServerError> {
    let mut words = command.split_whitespace();
    let (Some(verb), Some(argument)) = (words.next(), words.next()) else {
        return Err(DevServerError::config("a control command is a word and its arguments; see --help"));
    };
    // These two take more than one argument.
    if verb == "fault" {
        return server.inject(node_or_all(verb, argument)?, parse_rule(words)?).map(|()| None);
    }
    if verb == "user" {
        return server.set_user(user(argument, words)?).map(|()| None);
    }
    if let Some(word) = words.next() {
        return Err(DevServerError::config(format!("{verb} takes one argument; {word:?} is one too many")));
    }
    match verb {
        "kill" => server.kill(count(verb, argument)?).await?,
        "restart" => server.restart(count(verb, argument)?).await?,
        "pause" => server.pause(count(verb, argument)?).await?,
        "refuse" => server.refuse(count(verb, argument)?).await?,
        "resume" => server.resume(count(verb, argument)?).await?,
        "move" => server.move_partitions(count(verb, argument)?)?,
        "clear" => server.clear_faults(node_or_all(verb, argument)?)?,
        "counters" => return Ok(Some(server.counters(count(verb, argument)?)?.to_string())),
        "advance" => server.advance_clock(Duration::from_secs(number(verb, "a number", argument)?)),
        _ => return Err(DevServerError::config("unknown control command; see --help")),
    }
    Ok(None)
}

fn count(verb: &str, text: &str) -> Result<usize, DevServerError> {
    number(verb, "a number", text)
}

/// Parses a node's number, or `all` as `None`.
fn node_or_all(verb: &str, text: &str) -> Result<Option<NodeIndex>, DevServerError> {
    if text == "all" { Ok(None) } else { count(verb, text).map(Some) }
}

/// Parses the arguments of `user`. Errors quote none of them.
fn user<'a>(name: &str, mut words: impl Iterator<Item = &'a str>) -> Result<User, DevServerError> {
    let (Some(password), Some(roles)) = (words.next(), words.next()) else {
        return Err(DevServerError::config("user takes a name, a password and roles"));
    };
    let roles: Vec<&str> = roles.split(',').collect();
    let user = User::new(&decode_hex(name)?, &decode_hex(password)?, &roles)?;
    match words.next() {
        None => Ok(user),
        Some("external") => Ok(user.external()),
        Some(_) => Err(DevServerError::config("only `external` may follow the roles of a user")),
    }
}

fn decode_hex(digits: &str) -> Result<String, DevServerError> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes = digits.as_bytes().chunks(2).map(byte).collect::<Option<Vec<u8>>>();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| DevServerError::config("names and passwords must be UTF-8, written in hexadecimal"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn commands_are_answered() {
        let server = DevServer::start(Config { nodes: 2, ..Config::default() }).await.unwrap();
        for (command, answer) in [
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
            ("kill 0 1", "error kill 0 1: kill takes one argument; \"1\" is one too many\n"),
            ("clear x", "error clear x: clear takes a number, not \"x\"\n"),
            ("kill", "error kill: a control command is a word and its arguments; see --help\n"),
            ("explode 1", "error explode 1: unknown control command; see --help\n"),
            (
                "counters 1",
                "ok counters 1 connections=0 connections_open=0 batch_requests=0 batch_rows=0 passed_on=0 \
                 queries=0 query_records=0 reads=0 writes=0 info_requests=0 faults=0 \
                 logins=0 authentications=0 logins_refused=0\n",
            ),
            (
                "user 616e6e 7365 read",
                "error user: security is off: start the server with users or with security turned on\n",
            ),
        ] {
            assert_eq!(execute(&server, command).await, answer);
        }
    }

    #[tokio::test]
    async fn answers_do_not_repeat_users() {
        let config = Config { security: true, ..Config::default() };
        let server = DevServer::start(config).await.unwrap();
        for (command, answer) in [
            ("user 616e6e 7365 read,write", "ok user\n"),
            ("user 616e6e 7365 read external", "ok user\n"),
            ("user 616e6e 7365", "error user: user takes a name, a password and roles\n"),
            (
                "user 616e6e 7g read",
                "error user: names and passwords must be UTF-8, written in hexadecimal\n",
            ),
            ("user 616e6e 7365 read x", "error user: only `external` may follow the roles of a user\n"),
        ] {
            assert_eq!(execute(&server, command).await, answer);
        }
    }
}
