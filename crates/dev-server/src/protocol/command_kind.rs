//! Kinds of commands.

use std::fmt;
use std::str::FromStr;

use wire_protocol::message::{FrameType, info1, info2, info3};

use crate::error::DevServerError;

/// The kinds of commands that fault rules distinguish and counters count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// Several records in one request, read or written.
    Batch,
    /// A query over partitions.
    Query,
    /// A read of one record.
    Read,
    /// A write, delete or operate on one record.
    Write,
    /// A request of info commands.
    Info,
}

impl CommandKind {
    /// The kind of a frame's command; `None` for frames that are no such command, such as logins.
    #[inline]
    pub(crate) fn of(kind: FrameType, body: &[u8]) -> Option<Self> {
        match (kind, body) {
            (FrameType::Info, _) => Some(Self::Info),
            (FrameType::Message, [_, info1, ..]) if info1 & info1::BATCH != 0 => Some(Self::Batch),
            (FrameType::Message, [_, _, info2, ..]) if info2 & info2::WRITE != 0 => Some(Self::Write),
            (FrameType::Message, [_, _, _, info3, ..]) if info3 & info3::PARTITION_DONE != 0 => {
                Some(Self::Query)
            }
            (FrameType::Message, [_, _, _, ..]) => Some(Self::Read),
            _ => None,
        }
    }
}

impl FromStr for CommandKind {
    type Err = DevServerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "batch" => Ok(Self::Batch),
            "query" => Ok(Self::Query),
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "info" => Ok(Self::Info),
            _ => Err(DevServerError::config(format!(
                "unknown kind of command {text:?}; the kinds are batch, query, read, write, info"
            ))),
        }
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Batch => "batch",
            Self::Query => "query",
            Self::Read => "read",
            Self::Write => "write",
            Self::Info => "info",
        })
    }
}
