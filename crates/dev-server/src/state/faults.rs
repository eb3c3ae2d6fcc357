//! Fault rules: which commands of a node fail, how, and how often.
//!
//! This is the bookkeeping. Faults of a connection happen in `serve::faults`; those about rows and result
//! codes, in the commands.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wire_protocol::ResultCode;

use crate::error::DevServerError;
use crate::protocol::command_kind::CommandKind;

/// What a node does instead of answering a command properly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Closes the connection.
    Close,
    /// Sends about half of the answer's bytes and closes the connection.
    CloseMidFrame,
    /// Answers after this time. Other connections are not delayed.
    Late(Duration),
    /// Never answers this command. Later ones on the connection are answered.
    Silent,
    /// Sends bytes that are not a frame.
    Garbage,
    /// Answers the first row of a batch with an index that the batch does not have.
    WrongRowIndex,
    /// Answers the first row of a batch twice.
    RowTwice,
    /// Announces a frame of 100 MiB, sends a few bytes of it, and then nothing more.
    HugeFrame,
    /// Answers the whole command with this result code: a batch without its rows, a query without its
    /// records.
    Code(ResultCode),
    /// Answers each row of a batch, each partition of a query, or the single record with this result code.
    RowCode(ResultCode),
}

impl Fault {
    /// Whether the fault can happen to commands of this kind.
    fn applies_to(self, command: CommandKind) -> bool {
        match self {
            Self::WrongRowIndex | Self::RowTwice => command == CommandKind::Batch,
            Self::Code(_) | Self::RowCode(_) => command != CommandKind::Info,
            _ => true,
        }
    }
}

/// A fault, and the commands that it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRule {
    pub fault: Fault,
    /// The kind of commands; `None` is every kind that the fault applies to.
    pub command: Option<CommandKind>,
    /// How many commands of each node it happens to; `None` is all until the rules are cleared.
    pub times: Option<u32>,
}

impl FaultRule {
    /// A rule for every command that the fault applies to, until the rules are cleared.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { fault, command: None, times: None }
    }

    /// Refuses a rule that no command can match.
    pub(crate) fn check(&self) -> Result<(), DevServerError> {
        if self.times == Some(0) {
            return Err(DevServerError::config("times must be at least 1"));
        }
        match self.command {
            Some(command) if !self.fault.applies_to(command) => {
                Err(DevServerError::config(format!("{:?} does not apply to {command} commands", self.fault)))
            }
            _ => Ok(()),
        }
    }

    fn matches(&self, command: CommandKind) -> bool {
        self.command.is_none_or(|kind| kind == command) && self.fault.applies_to(command)
    }
}

/// The fault rules of a node.
#[derive(Debug, Default)]
pub(crate) struct FaultRules {
    /// Whether there are rules. A node without any reads only this.
    any: AtomicBool,
    rules: Mutex<Vec<FaultRule>>,
}

impl FaultRules {
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

    /// The fault that happens to a command now, by the first rule that matches. Counts as one of its `times`.
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

    #[test]
    fn the_first_rule_that_matches_applies() {
        let faults = FaultRules::default();
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
    fn rules_that_cannot_match_are_refused() {
        let rule = |fault, command, times| FaultRule { fault, command, times }.check();
        assert!(rule(Fault::RowTwice, Some(CommandKind::Read), None).is_err());
        assert!(rule(Fault::Code(ResultCode::TIMEOUT), Some(CommandKind::Info), None).is_err());
        assert!(rule(Fault::Close, None, Some(0)).is_err());
        assert!(rule(Fault::Close, Some(CommandKind::Info), Some(1)).is_ok());
    }
}
