//! Expressions: filters on records, and operations that compute a value from a record.
//!
//! [`Expression::parse`] reads the msgpack that clients send into a tree of nodes and checks its types, as the
//! server does when it builds an expression. [`Expression::evaluate`] and [`Expression::matches`] evaluate it over a
//! record ([`Context`]). Logic has three values: what depends on a bin that the record lacks is unknown.
//! `operation` has the operations that read or write the value of an expression, `path` those on elements of lists and
//! maps that expressions select.
//!
//! An expression is bounded in size, in depth ([`MAX_DEPTH`]) and in work ([`MAX_WORK`]).

mod call;
mod evaluate;
mod metadata;
mod node;
mod numbers;
mod operation;
mod outcome;
mod parse;
mod path;
mod pattern;

pub use self::metadata::Metadata;
pub use self::operation::{modify, read};
pub use self::path::{change, has_path, select};

use self::evaluate::Evaluator;
use self::node::{Kind, Node};
use self::outcome::Outcome;
use self::parse::Parser;
use crate::bin::{Bin, RecordView};
use crate::error::OpError;

/// How deep expressions may nest. The server has no such limit.
pub const MAX_DEPTH: usize = 128;

/// How much an evaluation may do: nodes, and bytes of values that operations inside the expression work on. The server
/// has no such limit.
pub const MAX_WORK: usize = 64 * 1024 * 1024;

/// A record, and what an expression can ask about it.
#[derive(Clone, Copy)]
pub struct Context<'r> {
    /// The bins.
    pub bins: &'r dyn RecordView,
    /// Everything else.
    pub metadata: Metadata<'r>,
}

/// An expression that has been checked.
#[derive(Debug)]
pub struct Expression<'a> {
    root: Node<'a>,
    kind: Kind,
    /// The largest number of variables that exist at once.
    variables: usize,
}

impl<'a> Expression<'a> {
    /// Reads exactly one expression.
    ///
    /// # Errors
    /// Code 4: bytes that are no expression, or that nest too deep; types that do not fit.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, OpError> {
        Parser::new(bytes).whole()
    }

    /// Reads exactly one expression whose value is a bool.
    ///
    /// # Errors
    /// As [`Expression::parse`], and for a value that is no bool.
    pub fn parse_filter(bytes: &'a [u8]) -> Result<Self, OpError> {
        let expression = Self::parse(bytes)?;
        match expression.kind {
            Kind::Bool => Ok(expression),
            _ => Err(OpError::parameter("the value of a filter expression is not a bool")),
        }
    }

    /// Whether a filter is true for a record. Unknown is not.
    ///
    /// # Errors
    /// Code 26: the evaluation takes more than [`MAX_WORK`].
    pub fn matches(&self, context: &Context<'_>) -> Result<bool, OpError> {
        let value = self.outcome(context)?;
        Ok(matches!(value, Outcome::Bool(true)))
    }

    /// The value for a record: nil if it has none, `None` if it is unknown.
    ///
    /// # Errors
    /// Code 26: the evaluation takes more than [`MAX_WORK`].
    pub fn evaluate(&self, context: &Context<'_>) -> Result<Option<Bin>, OpError> {
        Ok(self.outcome(context)?.into_bin())
    }

    fn outcome<'e>(&'e self, context: &'e Context<'_>) -> Result<Outcome<'e>, OpError> {
        let mut evaluator = Evaluator::new(context, self.variables);
        let outcome = evaluator.value(&self.root);
        evaluator.finish()?;
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests;
