//! Operations on the elements that a path selects: reads of them, and changes by an expression.
//!
//! A path has a step for each level of lists and maps. A step selects elements by index, rank, key or value, or by an
//! expression over the element, which sees its key, value and index as variables and nothing of the record. `walk`
//! follows the path.

mod walk;

use wire_protocol::collection::path_flags;
use wire_protocol::msgpack::Token;
use wire_protocol::operation::{BY_PATH, context_type};
use wire_protocol::particle::particle_type;

use self::walk::Walk;
use crate::args::Args;
use crate::bin::{Applied, Bin, BinView, Change};
use crate::error::OpError;
use crate::expression::parse::Parser;
use crate::expression::{Expression, MAX_WORK};

/// The largest number of steps.
const MAX_STEPS: usize = 64;

/// Whether an operation on a collection has a path.
#[must_use]
pub fn has_path(operation: &[u8]) -> bool {
    matches!(Args::parse(operation), Ok((code, ..)) if code == u64::from(BY_PATH))
}

/// Applies an operation with a path that reads.
///
/// # Errors
/// Code 1: an element is damaged. 4: invalid arguments, or an expression is unknown. 12: the path leads to something
/// that is no list or map, or asks for the keys of a list. 26: it takes more than [`MAX_WORK`].
pub fn select(bin: BinView<'_>, operation: &[u8]) -> Result<Bin, OpError> {
    select_within(bin, operation, 0, &mut { MAX_WORK })
}

/// As [`select`], from an expression of this depth. Takes the work from `work`.
pub(super) fn select_within(
    bin: BinView<'_>,
    operation: &[u8],
    depth: usize,
    work: &mut usize,
) -> Result<Bin, OpError> {
    let path = Path::parse(Some(bin), operation, depth)?;
    if path.what == What::Change {
        return Err(OpError::parameter("an operation that reads cannot change what a path selects"));
    }
    let mut walk = Walk::new(&path, work);
    let mut out = Vec::new();
    walk.collection(bin.bytes, 0, &mut out)?;
    Ok(match path.what {
        What::Tree => Bin::new(bin.particle_type, out),
        _ => Bin::new(particle_type::LIST, walk.into_list(&out)),
    })
}

/// Applies an operation with a path that changes a bin. It has no result.
///
/// # Errors
/// As [`select`]; code 12 also for a bin that does not exist, 13 if it grows too large, and 1 if the new value of an
/// element is unknown.
pub fn change(bin: Option<BinView<'_>>, operation: &[u8]) -> Result<Applied, OpError> {
    change_within(bin, operation, 0, &mut { MAX_WORK })
}

/// As [`change`], from an expression of this depth. Takes the work from `work`.
pub(super) fn change_within(
    bin: Option<BinView<'_>>,
    operation: &[u8],
    depth: usize,
    work: &mut usize,
) -> Result<Applied, OpError> {
    let path = Path::parse(bin, operation, depth)?;
    let bin = bin.ok_or(NO_COLLECTION)?;
    if path.what != What::Change {
        let result = select_within(bin, operation, depth, work)?;
        return Ok(Applied { change: Change::Keep, result: Some(result) });
    }
    let mut out = Vec::new();
    Walk::new(&path, work).collection(bin.bytes, 0, &mut out)?;
    Ok(Applied { change: Change::Set(Bin::new(bin.particle_type, out)), result: None })
}

const NO_COLLECTION: OpError =
    OpError::bin_type("a path leads to something that is neither a list nor a map");

/// What is done with the selected elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The collection is returned, reduced to them.
    Tree,
    Values,
    Keys,
    KeysAndValues,
    /// An expression gives their new values.
    Change,
}

impl What {
    fn has_keys(self) -> bool {
        matches!(self, Self::Keys | Self::KeysAndValues)
    }

    fn has_values(self) -> bool {
        matches!(self, Self::Values | Self::KeysAndValues)
    }
}

/// How a step selects elements.
#[derive(Debug)]
enum By<'a> {
    Index(i64),
    Rank(i64),
    Key(&'a [u8]),
    Value(&'a [u8]),
    /// An encoded list of keys.
    KeysIn(&'a [u8]),
    /// All of them, if there is no expression.
    Expression(Option<Expression<'a>>),
}

#[derive(Debug)]
struct Step<'a> {
    by: By<'a>,
    /// The flags of the step's type.
    flags: u64,
    /// An expression that must also be true.
    and: Option<Expression<'a>>,
}

#[derive(Debug)]
struct Path<'a> {
    steps: Vec<Step<'a>>,
    what: What,
    /// An expression that is unknown selects or changes nothing, and is no error.
    no_fail: bool,
    /// The new value of an element.
    value: Option<Expression<'a>>,
}

const INVALID: OpError = OpError::parameter("invalid arguments of an operation with a path");

impl<'a> Path<'a> {
    fn parse(bin: Option<BinView<'_>>, operation: &'a [u8], depth: usize) -> Result<Self, OpError> {
        let (_, count, mut args) = Args::parse(operation)?;
        let is_collection =
            |bin: BinView<'_>| matches!(bin.particle_type, particle_type::LIST | particle_type::MAP);
        if !bin.is_some_and(is_collection) {
            return Err(NO_COLLECTION);
        }
        let len = args.list()?;
        if len == 0 || !len.is_multiple_of(2) || len / 2 > MAX_STEPS {
            return Err(INVALID);
        }
        // The walk recurses once a step, and so do the expressions inside.
        let depth = depth + len / 2;
        let mut steps: Vec<Step<'a>> = Vec::new();
        for _ in 0..len / 2 {
            let flags = args.unsigned()?;
            if flags & AND != 0 {
                let last = steps.last_mut().filter(|last| !matches!(last.by, By::Expression(_)));
                let last = last.filter(|last| last.flags & AND == 0).ok_or(INVALID)?;
                if flags != AND | EXPRESSION {
                    return Err(INVALID);
                }
                last.flags |= AND;
                last.and = condition(&mut args, depth)?;
            } else {
                steps.push(Step { by: by(flags, &mut args, depth)?, flags, and: None });
            }
        }
        let flags = args.integer()?;
        let what = match flags & 0xf {
            path_flags::MATCHING_TREE => What::Tree,
            path_flags::VALUE => What::Values,
            path_flags::MAP_KEY => What::Keys,
            path_flags::MAP_KEY_VALUE => What::KeysAndValues,
            path_flags::APPLY => What::Change,
            _ => return Err(INVALID),
        };
        if count != 2 + usize::from(what == What::Change) {
            return Err(INVALID);
        }
        let value = match what {
            What::Change => Some(Parser::inside(args.value()?, depth).whole()?),
            _ => None,
        };
        Ok(Self { steps, what, no_fail: flags & path_flags::NO_FAIL != 0, value })
    }
}

const AND: u64 = context_type::AND.cast_unsigned();
const EXPRESSION: u64 = context_type::EXPRESSION.cast_unsigned();

/// Reads what a step of a type selects by.
fn by<'a>(flags: u64, args: &mut Args<'a>, depth: usize) -> Result<By<'a>, OpError> {
    Ok(match flags & 0xf {
        0 => By::Index(args.integer()?),
        1 => By::Rank(args.integer()?),
        2 => By::Key(args.value()?),
        3 => By::Value(args.value()?),
        EXPRESSION => By::Expression(condition(args, depth)?),
        10 => By::KeysIn(args.value()?),
        _ => return Err(INVALID),
    })
}

/// Reads an expression, or `true` for none.
fn condition<'a>(args: &mut Args<'a>, depth: usize) -> Result<Option<Expression<'a>>, OpError> {
    match args.peek()? {
        Token::List { .. } => Parser::inside(args.value()?, depth).whole().map(Some),
        Token::Bool(true) => args.value().map(|_| None),
        _ => Err(INVALID),
    }
}
