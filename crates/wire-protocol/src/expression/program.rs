//! Expressions as bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::WireError;
use crate::msgpack::{self, Reader};
use crate::operation::{Argument, write_encoded_literal, write_literal};
use crate::value::{Encoded, Value, WriteValue};

/// An expression, encoded.
///
/// What a function refused is kept as an error, which is returned by [`Expression::to_bytes`] of the expression and of
/// every expression around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression(Result<Vec<u8>, WireError>);

impl Expression {
    /// The encoded expression, as filters of requests take it.
    ///
    /// # Errors
    /// What a function that built a part of the expression refused.
    pub fn to_bytes(&self) -> Result<&[u8], WireError> {
        self.0.as_deref().map_err(Clone::clone)
    }

    /// The encoded expression as base64.
    ///
    /// # Errors
    /// As [`Expression::to_bytes`].
    pub fn to_base64(&self) -> Result<String, WireError> {
        self.to_bytes().map(|bytes| STANDARD.encode(bytes))
    }

    /// An expression that is encoded already.
    ///
    /// # Errors
    /// Bytes that are not one element of msgpack. Whether they are an expression is left to the server.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WireError> {
        let mut reader = Reader::new(&bytes);
        reader.skip_value()?;
        if !reader.is_at_end() {
            return Err(WireError::malformed("expression", "more bytes follow"));
        }
        Ok(Self(Ok(bytes)))
    }

    /// An expression from base64.
    ///
    /// # Errors
    /// As [`Expression::from_bytes`]; text that is not base64.
    pub fn from_base64(text: &str) -> Result<Self, WireError> {
        let bytes =
            STANDARD.decode(text).map_err(|_| WireError::malformed("expression", "it is not base64"))?;
        Self::from_bytes(bytes)
    }

    /// A literal that is encoded already. Lists are quoted and maps sorted.
    #[must_use]
    pub fn literal(value: Encoded<'_>) -> Self {
        Self::build(|out| write_encoded_literal(out, value.0))
    }

    /// An expression that `write` appends to a buffer.
    pub(super) fn build(write: impl FnOnce(&mut Vec<u8>) -> Result<(), WireError>) -> Self {
        let mut out = Vec::new();
        Self(write(&mut out).map(|()| out))
    }

    /// A list of a code and expressions.
    pub(super) fn node(code: u8, parts: &[Self]) -> Self {
        Self::build(|out| {
            write_node(out, code, parts.len());
            parts.iter().try_for_each(|part| part.write(out))
        })
    }

    /// Appends the expression.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend_from_slice(self.to_bytes()?);
        Ok(())
    }
}

/// Appends the start of a list of a code and `n_parts` more elements.
pub(super) fn write_node(out: &mut Vec<u8>, code: u8, n_parts: usize) {
    msgpack::write_list_header(out, n_parts.saturating_add(1));
    msgpack::write_uint(out, code.into());
}

/// A literal.
impl<V: Into<Value>> From<V> for Expression {
    fn from(value: V) -> Self {
        let mut out = Vec::new();
        write_literal(&mut out, &value.into());
        Self(Ok(out))
    }
}

impl From<Expression> for Argument {
    fn from(expression: Expression) -> Self {
        Self::expression(expression.0)
    }
}

impl WriteValue for Expression {
    /// Appends the expression; nothing if there is none.
    fn write_value(&self, out: &mut Vec<u8>) {
        if let Ok(bytes) = &self.0 {
            out.extend_from_slice(bytes);
        }
    }
}
