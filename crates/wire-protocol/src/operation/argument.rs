//! Arguments of commands.

use crate::error::WireError;
use crate::msgpack;
use crate::value::{Encoded, Value, WriteValue};

/// The code of an expression that is a literal list.
const QUOTE: u8 = 126;

/// An argument of a command: a value, or, where the command is called by an expression, an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument(pub(crate) Kind);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Value(Value),
    /// A value as msgpack.
    Encoded(Vec<u8>),
    /// An expression as msgpack, or why there is none.
    Expression(Result<Vec<u8>, WireError>),
    /// A list of text that even the arguments of an expression have as a literal.
    Texts(Vec<Vec<u8>>),
}

impl Argument {
    /// An argument that is a value in msgpack already.
    #[must_use]
    pub fn encoded(value: Encoded<'_>) -> Self {
        Self(Kind::Encoded(value.0.to_vec()))
    }

    pub(crate) fn expression(expression: Result<Vec<u8>, WireError>) -> Self {
        Self(Kind::Expression(expression))
    }

    pub(crate) fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self(Kind::Texts(texts.into_iter().map(|text| text.into().into_bytes()).collect()))
    }

    /// Appends the argument to those of an operation.
    pub(crate) fn write(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        match &self.0 {
            Kind::Value(value) => value.write_value(out),
            Kind::Encoded(bytes) => out.extend_from_slice(bytes),
            Kind::Texts(texts) => write_texts(out, texts),
            Kind::Expression(Err(error)) => return Err(error.clone()),
            Kind::Expression(Ok(_)) => {
                return Err(WireError::Argument {
                    function: "Call::on",
                    argument: "an argument of the call",
                    why: "is an expression; an operation on a bin takes values",
                });
            }
        }
        Ok(())
    }

    /// Appends the argument to those of an expression: lists are quoted, maps are sorted.
    pub(crate) fn write_in_expression(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        match &self.0 {
            Kind::Value(value) => write_literal(out, value),
            Kind::Encoded(bytes) => write_encoded_literal(out, bytes)?,
            Kind::Expression(expression) => out.extend_from_slice(expression.as_ref().map_err(Clone::clone)?),
            Kind::Texts(texts) => {
                write_quote(out);
                write_texts(out, texts);
            }
        }
        Ok(())
    }
}

/// Appends a value as an expression: a list is quoted, the pairs of maps are sorted by key.
pub(crate) fn write_literal(out: &mut Vec<u8>, value: &Value) {
    if matches!(value, Value::List { .. }) {
        write_quote(out);
    }
    if matches!(value, Value::List { .. } | Value::Map { .. }) {
        let mut value = value.clone();
        value.sort_maps();
        value.write_value(out);
    } else {
        value.write_value(out);
    }
}

/// Appends an encoded value as an expression, as [`write_literal`] does.
pub(crate) fn write_encoded_literal(out: &mut Vec<u8>, value: &[u8]) -> Result<(), WireError> {
    match value.first() {
        Some(0x80..=0x9f | 0xdc..=0xdf) => write_literal(out, &Value::from_msgpack(value)?),
        _ => out.extend_from_slice(value),
    }
    Ok(())
}

fn write_quote(out: &mut Vec<u8>) {
    msgpack::write_list_header(out, 2);
    msgpack::write_uint(out, QUOTE.into());
}

fn write_texts(out: &mut Vec<u8>, texts: &[Vec<u8>]) {
    msgpack::write_list_header(out, texts.len());
    texts.iter().for_each(|text| msgpack::write_str(out, text));
}

impl<V: Into<Value>> From<V> for Argument {
    fn from(value: V) -> Self {
        Self(Kind::Value(value.into()))
    }
}
