//! The bytes of an operation on a list or map.

use wire_protocol::msgpack::{Reader, Token};
use wire_protocol::operation::{BY_PATH, WITH_CONTEXT};

use crate::error::OpError;
use crate::value::COMPARISON;

const INVALID: OpError = OpError::parameter("the bytes of the operation are invalid");

/// An operation: what it applies to, its command and its arguments.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    /// The steps of its context.
    pub(super) context: Option<Steps<'a>>,
    pub(super) command: Command<'a>,
}

/// What the operation does.
#[derive(Clone, Debug)]
pub(super) enum Command<'a> {
    /// A command of lists or maps.
    Plain(u32, Args<'a>),
    /// An operation with a path.
    ByPath,
}

impl<'a> Request<'a> {
    pub(super) fn parse(op: &'a [u8]) -> Result<Self, OpError> {
        if let Some((&[0, code], rest)) = op.split_first_chunk() {
            return old(code, rest);
        }
        let mut reader = Reader::new(op);
        let (code, count) = head(&mut reader)?;
        let mut args = Args { reader, left: count - 1, has_nonstorage: false };
        if code == u32::from(BY_PATH) {
            return Ok(Self { context: None, command: Command::ByPath });
        }
        if code != u32::from(WITH_CONTEXT) {
            return Ok(Self { context: None, command: Command::Plain(code, args) });
        }
        if args.left != 2 {
            return Err(INVALID);
        }
        let steps = Steps::parse(&mut args.reader)?;
        Ok(Self { context: Some(steps), command: Command::Plain(0, args) })
    }
}

/// The form that clients used before contexts: two bytes for the command, then a list of the arguments.
fn old(code: u8, rest: &[u8]) -> Result<Request<'_>, OpError> {
    let mut reader = Reader::new(rest);
    let mut left = 0;
    if !rest.is_empty() {
        let Ok(Token::List { len }) = reader.token() else { return Err(INVALID) };
        left = len;
    }
    let args = Args { reader, left, has_nonstorage: false };
    Ok(Request { context: None, command: Command::Plain(u32::from(code), args) })
}

/// Reads the head of a list that starts with a command. Returns the command and the length of the list.
pub(super) fn head(reader: &mut Reader<'_>) -> Result<(u32, usize), OpError> {
    match reader.token() {
        Ok(Token::List { len }) if len > 0 => {
            let code = integer(reader)?;
            // The server keeps 32 bits of it.
            Ok((code as u32, len))
        }
        _ => Err(INVALID),
    }
}

/// The bits of an integer, signed or not.
fn integer(reader: &mut Reader<'_>) -> Result<u64, OpError> {
    match reader.token() {
        Ok(Token::Int(value)) => Ok(value.cast_unsigned()),
        Ok(Token::Uint(value)) => Ok(value),
        _ => Err(INVALID),
    }
}

/// Reads the bytes of the next value.
fn element<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], OpError> {
    let start = reader.rest();
    reader.skip_value().map_err(|_| INVALID)?;
    start.get(..start.len() - reader.remaining()).ok_or(INVALID)
}

/// Whether a value is or contains one that exists in comparisons only.
pub(super) fn has_nonstorage(value: &[u8]) -> bool {
    let mut reader = Reader::new(value);
    while let Ok(token) = reader.token() {
        if let Token::Ext { kind: COMPARISON, data } = token
            && matches!(data.len(), 1..=3)
        {
            return true;
        }
    }
    false
}

/// The arguments of an operation, read from first to last.
#[derive(Clone, Debug)]
pub(super) struct Args<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) left: usize,
    /// Whether a value that exists in comparisons only has been read.
    pub(super) has_nonstorage: bool,
}

impl<'a> Args<'a> {
    /// Refuses a wrong number of arguments.
    pub(super) fn expect(&self, least: usize, most: usize) -> Result<(), OpError> {
        if (least..=most).contains(&self.left) {
            Ok(())
        } else {
            Err(OpError::parameter("the operation has a wrong number of arguments"))
        }
    }

    /// The flags, count or return type that is next, or the default if there are no more arguments.
    pub(super) fn unsigned_or(&mut self, default: u64) -> Result<u64, OpError> {
        if self.left == 0 {
            return Ok(default);
        }
        self.left -= 1;
        integer(&mut self.reader)
    }

    /// The index or rank that is next.
    pub(super) fn index(&mut self) -> Result<i64, OpError> {
        self.left = self.left.saturating_sub(1);
        integer(&mut self.reader).map(u64::cast_signed)
    }

    /// A value to compare with.
    pub(super) fn payload(&mut self) -> Result<&'a [u8], OpError> {
        self.left = self.left.saturating_sub(1);
        let value = element(&mut self.reader)?;
        self.has_nonstorage |= has_nonstorage(value);
        Ok(value)
    }

    /// A value to compare with, if there is one more argument.
    pub(super) fn payload_or_none(&mut self) -> Result<Option<&'a [u8]>, OpError> {
        if self.left == 0 { Ok(None) } else { self.payload().map(Some) }
    }

    /// A value to store.
    pub(super) fn storage(&mut self) -> Result<&'a [u8], OpError> {
        let value = self.payload()?;
        if self.has_nonstorage {
            return Err(OpError::parameter("wildcard and infinity exist in comparisons only"));
        }
        Ok(value)
    }
}

/// The largest number of values in an argument.
const MAX_ITEMS: usize = 1024 * 1024;

/// The values of an argument that is a list. The marker of an order counts as a value.
pub(super) fn items(argument: &[u8]) -> Result<Vec<&[u8]>, OpError> {
    let mut reader = Reader::new(argument);
    match reader.token() {
        Ok(Token::List { len }) if len <= MAX_ITEMS => (0..len).map(|_| element(&mut reader)).collect(),
        _ => Err(OpError::parameter("the operation takes a list of values")),
    }
}

/// The steps of a context: pairs of a type and a value.
#[derive(Clone, Debug)]
pub(super) struct Steps<'a> {
    reader: Reader<'a>,
    left: usize,
}

/// The type of a step, and its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub(super) kind: u64,
    pub(super) value: &'a [u8],
}

impl<'a> Steps<'a> {
    /// Reads a context, and leaves the reader behind it.
    pub(super) fn parse(reader: &mut Reader<'a>) -> Result<Self, OpError> {
        const WHY: OpError = OpError::parameter("the context of the operation is invalid");
        let whole = element(reader).map_err(|_| WHY)?;
        let mut inner = Reader::new(whole);
        match inner.token() {
            Ok(Token::List { len }) if len > 0 && len % 2 == 0 => Ok(Self { reader: inner, left: len / 2 }),
            _ => Err(WHY),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.left
    }

    /// The next step, if there is one.
    pub(super) fn next(&mut self) -> Option<Result<Step<'a>, OpError>> {
        self.left = self.left.checked_sub(1)?;
        Some(integer(&mut self.reader).and_then(|kind| Ok(Step { kind, value: element(&mut self.reader)? })))
    }
}

impl Step<'_> {
    /// The value as an index or rank.
    pub(super) fn index(&self) -> Option<i64> {
        integer(&mut Reader::new(self.value)).ok().map(u64::cast_signed)
    }
}
