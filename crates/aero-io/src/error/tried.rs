//! What a command had tried when it failed.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wire_protocol::ResultCode;
use wire_protocol::command::WriteOp;

use crate::error::Error;

/// What a command had tried when it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub command: &'static str,
    /// The bins of operations that the server refused; empty for other failures.
    pub bins: String,
    /// Whether the request had a filter expression.
    pub is_filtered: bool,
    /// The node that the command was last sent to.
    pub node: Arc<str>,
    pub address: SocketAddr,
    pub attempts: u32,
    /// Time since the command began.
    pub elapsed: Duration,
    /// Whether a write may have been applied.
    pub in_doubt: bool,
}

impl Tried {
    /// What a code may be about, for messages: a server says neither the bin nor the parameter that it refuses.
    pub(crate) fn hint(&self, code: ResultCode) -> String {
        let bins = match &*self.bins {
            "" => String::new(),
            bins if bins.contains(", ") => format!(", bins {bins}"),
            bin => format!(", bin {bin}"),
        };
        if self.is_filtered && code == ResultCode::PARAMETER {
            bins + "; it may be the filter expression, for example one that compares values of different types"
        } else {
            bins
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at node {} ({}), {} {} in {}{}",
            self.command,
            self.node,
            self.address,
            self.attempts,
            if self.attempts == 1 { "try" } else { "tries" },
            Seconds(self.elapsed),
            if self.in_doubt { "; the write may have been applied" } else { "" }
        )
    }
}

/// The error of operations, with the bins that they are for if its code is about them.
pub(crate) fn of_operations(mut error: Error, ops: &[WriteOp<'_>]) -> Error {
    use ResultCode as Code;
    if let Error::Server { code, tried } = &mut error
        && matches!(
            *code,
            Code::PARAMETER
                | Code::BIN_EXISTS
                | Code::BIN_TYPE
                | Code::BIN_NOT_FOUND
                | Code::ELEMENT_NOT_FOUND
                | Code::ELEMENT_EXISTS
                | Code::OP_NOT_APPLICABLE
        )
    {
        let mut names: Vec<&[u8]> = Vec::new();
        for op in ops.iter().filter(|op| !op.name.is_empty()) {
            if !names.contains(&op.name) {
                names.push(op.name);
            }
        }
        // Without quotes, which a Python `repr` of the message would escape.
        let readable: Vec<String> = names
            .iter()
            .take(MOST_BINS)
            .map(|name| String::from_utf8_lossy(name).escape_debug().to_string())
            .collect();
        tried.bins = readable.join(", ");
        if names.len() > MOST_BINS {
            tried.bins.push_str(", ...");
        }
    }
    error
}

/// Bins that a message names.
const MOST_BINS: usize = 5;

/// Formats a duration for a message.
pub(super) struct Seconds(pub(super) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < Duration::from_secs(1) {
            write!(f, "{:.1} ms", self.0.as_secs_f64() * 1e3)
        } else {
            write!(f, "{:.2} s", self.0.as_secs_f64())
        }
    }
}
