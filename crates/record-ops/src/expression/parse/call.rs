//! Operations inside expressions.

use wire_protocol::msgpack::Token;

use super::codes::size_of;
use super::{INVALID, Parser, Result, Type, Typed, WRONG_TYPE};
use crate::error::OpError;
use crate::expression::node::{Call, Kind, Node, Part, System};

/// The flag of an operation that changes its value.
const MODIFY: u64 = 0x40;

/// The code of an operation on the elements that a path selects.
const SELECT: u64 = 0xfe;

/// The code of an operation on an element that a context names.
const CONTEXT: u64 = 0xff;

impl<'a> Parser<'a> {
    /// Reads a call: the type of its result, the family of the operation, the operation, and the value to work on.
    pub(super) fn call(&mut self) -> Result<Typed<'a>> {
        let kind = self.kind()?;
        let system = self.args.unsigned()?;
        let is_modify = system & MODIFY != 0;
        let (system, wanted) = match system & !MODIFY {
            0 => (System::Collection, [Kind::List, Kind::Map]),
            1 => (System::Bits, [Kind::Blob; 2]),
            2 => (System::Hll, [Kind::Hll; 2]),
            _ => return Err(OpError::parameter("an expression calls an operation of an unknown family")),
        };
        let parts = self.parts()?;
        let (target, Type { kind: found, .. }) = self.next()?;
        if found != Kind::Nil && !wanted.contains(&found) {
            return Err(WRONG_TYPE);
        }
        // Like the server, takes an operation on nil for nil.
        let result = if found == Kind::Nil { Kind::Nil } else { kind };
        Ok((
            Node::Call(Box::new(Call { system, is_modify, kind, depth: self.depth, parts, target })),
            result.into(),
        ))
    }

    /// Reads the bytes of an operation. Its arguments that are lists are expressions.
    fn parts(&mut self) -> Result<Vec<Part<'a>>> {
        let start = self.args.rest();
        let mut len = self.args.list()?;
        let mut code = self.args.unsigned()?;
        if code == CONTEXT {
            if len != 3 {
                return Err(INVALID);
            }
            self.args.value()?;
            len = self.args.list()?;
            code = self.args.unsigned()?;
        } else if code == SELECT {
            // A path, flags, and an expression that is read when the path is followed.
            let is_path = matches!(len, 3 | 4) && matches!(self.args.peek()?, Token::List { .. });
            if !is_path {
                return Err(INVALID);
            }
            self.args.value()?;
            self.args.unsigned()?;
            if len == 4 {
                self.args.value()?;
            }
            return Ok(vec![Part::Bytes(self.taken(start))]);
        }
        _ = code;
        let mut parts = Vec::new();
        let (mut fixed, mut has_expression) = (start, false);
        for _ in 1..len {
            match self.args.peek()? {
                Token::List { .. } => {
                    has_expression = true;
                    parts.push(Part::Bytes(self.taken(fixed)));
                    parts.push(Part::Value(self.next()?.0));
                    fixed = self.args.rest();
                }
                token => {
                    // The server counts arguments only after it has found an expression.
                    if has_expression {
                        self.charge(size_of::literal(&token))?;
                    }
                    self.args.value()?;
                }
            }
        }
        parts.push(Part::Bytes(self.taken(fixed)));
        Ok(parts)
    }

    /// The bytes from `start` to here.
    fn taken(&self, start: &'a [u8]) -> &'a [u8] {
        start.get(..start.len() - self.args.rest().len()).unwrap_or_default()
    }
}
