//! Faults that nodes are told to have: what, at which commands, how often.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wire_protocol::ResultCode;
use wire_protocol::message::{FrameType, info1, info2, info3};

use crate::DevServerError;

/// What a node does instead of answering a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Closes the connection.
    Close,
    /// Sends about half of the answer's bytes and closes the connection.
    CloseMidFrame,
    /// Answers after this time. Other connections are not held up.
    Late(Duration),
    /// Never answers this command; the next ones on the connection are answered.
    Silent,
    /// Sends bytes that are no frame.
    Garbage,
    /// Answers the first row of a batch with an index that was not asked for.
    WrongRowIndex,
    /// Answers the first row of a batch twice.
    RowTwice,
    /// Announces a frame of 100 MiB, sends a little of it, and is silent from then on.
    HugeFrame,
    /// Answers the whole command with this result code: a batch without any of its rows, a query without any of
    /// its records.
    Code(ResultCode),
    /// Answers each row of a batch, each partition of a query, or the one record, with this result code.
    RowCode(ResultCode),
}

impl Fault {
    fn fits(self, command: CommandKind) -> bool {
        match self {
            Self::WrongRowIndex | Self::RowTwice => command == CommandKind::Batch,
            Self::Code(_) | Self::RowCode(_) => command != CommandKind::Info,
            _ => true,
        }
    }

    /// Reads a fault's name, and after it what it needs, from the words of an order.
    pub(crate) fn parse<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Self, DevServerError> {
        let name = words.next().unwrap_or_default();
        let fault = match name {
            "close" => Self::Close,
            "close-mid-frame" => Self::CloseMidFrame,
            "late" => Self::Late(Duration::from_millis(number(name, "milliseconds", words.next())?)),
            "silent" => Self::Silent,
            "garbage" => Self::Garbage,
            "wrong-row-index" => Self::WrongRowIndex,
            "row-twice" => Self::RowTwice,
            "huge-frame" => Self::HugeFrame,
            "code" => Self::Code(ResultCode::new(number(name, "a result code", words.next())?)),
            "row-code" => Self::RowCode(ResultCode::new(number(name, "a result code", words.next())?)),
            _ => {
                return Err(DevServerError::config(format!(
                    "{name:?} is no fault: close, close-mid-frame, late MS, silent, garbage, wrong-row-index, \
                     row-twice, huge-frame, code N, row-code N"
                )));
            }
        };
        Ok(fault)
    }
}

fn number<T: FromStr>(fault: &str, what: &str, text: Option<&str>) -> Result<T, DevServerError> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|_| DevServerError::config(format!("{fault} takes {what}, not {text:?}")))
}

/// The kinds of commands that a rule can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// Several records at once, whatever is done to them.
    Batch,
    /// The records of partitions.
    Query,
    /// One record, read.
    Read,
    /// One record, written, deleted or operated on.
    Write,
    /// Info commands.
    Info,
}

impl CommandKind {
    /// What a frame asks for; `None` for one that is about none of this (a login, say).
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
                "{text:?} is no kind of command: batch, query, read, write, info"
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

/// A fault, and when a node has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// What happens.
    pub fault: Fault,
    /// The commands that it happens to; `None` is all that it makes sense for.
    pub command: Option<CommandKind>,
    /// To how many of them it happens, on each node; `None` is to all until the rules are cleared.
    pub times: Option<u32>,
}

impl FaultRule {
    /// A rule for every command that the fault makes sense for, until it is cleared.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, command: None, times: None }
    }

    pub(crate) fn check(&self) -> Result<(), DevServerError> {
        if self.times == Some(0) {
            return Err(DevServerError::config("a rule hits at least once: times is 1 or more"));
        }
        match self.command {
            Some(command) if !self.fault.fits(command) => {
                Err(DevServerError::config(format!("{:?} makes no sense for {command} commands", self.fault)))
            }
            _ => Ok(()),
        }
    }

    fn matches(&self, command: CommandKind) -> bool {
        self.command.is_none_or(|kind| kind == command) && self.fault.fits(command)
    }

    /// Reads the rest of an order: `FAULT [arg] [command=KIND] [times=N]`.
    pub(crate) fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Self, DevServerError> {
        let mut rule = Self::new(Fault::parse(&mut words)?);
        for word in words {
            match word.split_once('=') {
                Some(("command", kind)) => rule.command = Some(kind.parse()?),
                Some(("times", times)) => rule.times = Some(number("times", "a number", Some(times))?),
                _ => {
                    return Err(DevServerError::config(format!(
                        "{word:?} is neither command=KIND nor times=N"
                    )));
                }
            }
        }
        Ok(rule)
    }
}

/// The rules of a node.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Whether there are any: all that is looked at where there are none.
    any: AtomicBool,
    rules: Mutex<Vec<FaultRule>>,
}

impl Faults {
    pub(crate) fn add(&self, rule: FaultRule) {
        let mut rules = self.rules();
        rules.push(rule);
        self.any.store(true, Ordering::Relaxed);
    }

    pub(crate) fn clear(&self) {
        let mut rules = self.rules();
        rules.clear();
        self.any.store(false, Ordering::Relaxed);
    }

    /// What happens to this command, if anything: by the first rule that matches and has times left.
    #[inline]
    pub(crate) fn take(&self, command: CommandKind) -> Option<Fault> {
        if self.any.load(Ordering::Relaxed) { self.take_from_rules(command) } else { None }
    }

    #[cold]
    fn take_from_rules(&self, command: CommandKind) -> Option<Fault> {
        let mut rules = self.rules();
        let at = rules.iter().position(|rule| rule.matches(command))?;
        let rule = rules.get_mut(at)?;
        let fault = rule.fault;
        if let Some(times) = &mut rule.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                rules.remove(at);
                self.any.store(!rules.is_empty(), Ordering::Relaxed);
            }
        }
        Some(fault)
    }

    fn rules(&self) -> MutexGuard<'_, Vec<FaultRule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(order: &str) -> Result<FaultRule, String> {
        FaultRule::parse(order.split_whitespace()).map_err(|error| error.to_string())
    }

    #[test]
    fn orders() {
        let late = Fault::Late(Duration::from_millis(250));
        assert_eq!(
            parse("late 250 command=batch times=1"),
            Ok(FaultRule { fault: late, command: Some(CommandKind::Batch), times: Some(1) })
        );
        assert_eq!(parse("row-code 14"), Ok(FaultRule::new(Fault::RowCode(ResultCode::KEY_BUSY))));
        for (order, what) in [
            ("late", "late takes milliseconds, not \"\""),
            ("code 300", "code takes a result code, not \"300\""),
            ("close now", "\"now\" is neither command=KIND nor times=N"),
            ("close command=scan", "\"scan\" is no kind of command: batch, query, read, write, info"),
            ("close times=x", "times takes a number, not \"x\""),
        ] {
            assert_eq!(parse(order), Err(what.into()), "{order}");
        }
        assert!(parse("explode").unwrap_err().starts_with("\"explode\" is no fault: close,"));
    }

    #[test]
    fn the_first_rule_with_times_left_hits() {
        let faults = Faults::default();
        assert_eq!(faults.take(CommandKind::Read), None);
        faults.add(FaultRule::new(Fault::RowTwice));
        faults.add(FaultRule { fault: Fault::Close, command: Some(CommandKind::Read), times: Some(2) });
        faults.add(FaultRule { fault: Fault::Silent, command: None, times: Some(1) });
        let taken = |command| faults.take(command);
        assert_eq!(taken(CommandKind::Batch), Some(Fault::RowTwice));
        assert_eq!(taken(CommandKind::Read), Some(Fault::Close));
        assert_eq!(taken(CommandKind::Info), Some(Fault::Silent));
        assert_eq!(taken(CommandKind::Info), None);
        assert_eq!(taken(CommandKind::Read), Some(Fault::Close));
        assert_eq!(taken(CommandKind::Read), None);
        assert_eq!(taken(CommandKind::Batch), Some(Fault::RowTwice));
        faults.clear();
        assert_eq!(faults.take(CommandKind::Batch), None);
    }

    #[test]
    fn rules_that_can_never_hit_are_refused() {
        let rule = |fault, command, times| FaultRule { fault, command, times }.check();
        assert!(rule(Fault::RowTwice, Some(CommandKind::Read), None).is_err());
        assert!(rule(Fault::Code(ResultCode::TIMEOUT), Some(CommandKind::Info), None).is_err());
        assert!(rule(Fault::Close, None, Some(0)).is_err());
        assert!(rule(Fault::Close, Some(CommandKind::Info), Some(1)).is_ok());
    }
}
