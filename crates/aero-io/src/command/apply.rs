//! User-defined functions: applying them to one record, and waiting for modules, which nodes pass on to each other.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use wire_protocol::command::{FunctionCall, write_apply};
use wire_protocol::info::{LIST_MODULES, parse_modules};

use crate::command::answer::Answer;
use crate::command::info::{INFO_TIMEOUT, send};
use crate::command::single::{Command, write_options};
use crate::error::Error;
use crate::key::Key;
use crate::policy::WritePolicy;
use crate::topology::state::Inner;

/// The first pause between two questions; each one is twice as long as that before.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A call of a user-defined function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// The name of the module's file without the ending.
    pub module: String,
    pub name: String,
    /// A list in msgpack.
    pub arguments: Vec<u8>,
}

impl Function {
    /// The call, as requests have it.
    #[must_use]
    pub fn call(&self) -> FunctionCall<'_> {
        FunctionCall {
            module: self.module.as_bytes(),
            function: self.name.as_bytes(),
            arguments: &self.arguments,
        }
    }
}

/// Applies a function. It is not sent again once it may have been applied.
pub(crate) async fn apply(
    inner: &Inner,
    key: &Key,
    function: &Function,
    policy: &WritePolicy,
) -> Result<Answer, Error> {
    let mut command = Command::new("apply", key, &policy.limits);
    command.is_repeatable = false;
    command
        .run(inner, &|out, timeout_ms| {
            write_apply(out, &command.record_key(), &function.call(), &write_options(policy, timeout_ms))
        })
        .await
}

/// Waits until all nodes have the same version of a module, or until none has it.
pub(crate) async fn wait(
    inner: &Inner,
    file: &str,
    is_there: bool,
    timeout: Option<Duration>,
) -> Result<(), Error> {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let (mut behind, mut hashes) = (Vec::new(), Vec::new());
        for (node, answers) in send(inner, None, &[LIST_MODULES], INFO_TIMEOUT).await? {
            let listed = answers
                .and_then(|answers| Ok(parse_modules(answers.first().map_or("", |(_, answer)| answer))?));
            match listed {
                Err(_) => behind.push(node),
                Ok(modules) => match (modules.into_iter().find(|module| module.file == file), is_there) {
                    (Some(module), true) => hashes.push(module.hash),
                    (None, false) => {}
                    _ => behind.push(node),
                },
            }
        }
        if behind.is_empty() && hashes.windows(2).all(|pair| pair[0] == pair[1]) {
            return Ok(());
        }
        if timeout.is_some_and(|timeout| start.elapsed() + pause > timeout) {
            let what = if is_there { "registered" } else { "removed" };
            return Err(Error::ModuleNotReady {
                file: file.into(),
                what,
                waited: start.elapsed(),
                nodes: behind,
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
