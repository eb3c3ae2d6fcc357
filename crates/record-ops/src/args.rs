//! The arguments of an operation: a msgpack list of a code and what the code takes.
//!
//! Like the server, readers ignore what follows the last argument that they know, and take integers of either sign for
//! unsigned numbers.

use std::borrow::Cow;

use wire_protocol::msgpack::{self, Reader, Token};

use crate::error::OpError;

const INVALID: OpError = OpError::parameter("the operation's arguments are not valid msgpack");

/// Reads the arguments of an operation, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Args<'a> {
    reader: Reader<'a>,
}

impl<'a> Args<'a> {
    /// The code of an operation, the number of its arguments, and their reader.
    pub(crate) fn parse(operation: &'a [u8]) -> Result<(u64, usize, Self), OpError> {
        let mut args = Self { reader: Reader::new(operation) };
        let len = args.list()?;
        let count = len.checked_sub(1).ok_or(OpError::parameter("the operation has no code"))?;
        let code = args.unsigned()?;
        Ok((code, count, args))
    }

    /// A reader over values that are not in a list.
    pub(crate) fn over(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes) }
    }

    pub(crate) fn next_token(&mut self) -> Result<Token<'a>, OpError> {
        self.reader.token().map_err(|_| INVALID)
    }

    /// The bytes that have not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// The next token; the position stays.
    pub(crate) fn peek(&self) -> Result<Token<'a>, OpError> {
        self.clone().next_token()
    }

    /// An integer; one above `i64::MAX` becomes negative.
    pub(crate) fn integer(&mut self) -> Result<i64, OpError> {
        match self.next_token()? {
            Token::Int(value) => Ok(value),
            Token::Uint(value) => Ok(value.cast_signed()),
            _ => Err(OpError::parameter("an argument of the operation is not an integer")),
        }
    }

    /// An integer as an unsigned number; a negative one becomes very large.
    pub(crate) fn unsigned(&mut self) -> Result<u64, OpError> {
        self.integer().map(i64::cast_unsigned)
    }

    pub(crate) fn bool(&mut self) -> Result<bool, OpError> {
        match self.next_token()? {
            Token::Bool(value) => Ok(value),
            _ => Err(OpError::parameter("an argument of the operation is not a bool")),
        }
    }

    /// The number of elements of a list, which are the next values.
    pub(crate) fn list(&mut self) -> Result<usize, OpError> {
        match self.next_token()? {
            Token::List { len } => Ok(len),
            _ => Err(OpError::parameter("an argument of the operation is not a list")),
        }
    }

    /// A string as it is encoded, with its type byte if it has one.
    pub(crate) fn raw(&mut self) -> Result<&'a [u8], OpError> {
        let start = self.reader.rest();
        match self.next_token()? {
            Token::Str(_) | Token::Blob(_) | Token::GeoJson(_) => {
                let whole = &start[..start.len() - self.reader.remaining()];
                Ok(whole.get(string_header(whole)..).unwrap_or_default())
            }
            _ => Err(OpError::parameter("an argument of the operation is neither text nor bytes")),
        }
    }

    /// A whole value of any type, as it is encoded.
    pub(crate) fn value(&mut self) -> Result<&'a [u8], OpError> {
        let start = self.reader.rest();
        self.reader.skip_value().map_err(|_| INVALID)?;
        Ok(&start[..start.len() - self.reader.remaining()])
    }

    /// A scalar in its shortest encoding. That is how the server hashes values.
    pub(crate) fn shortest_scalar(&mut self) -> Result<Cow<'a, [u8]>, OpError> {
        let start = self.reader.rest();
        let token = self.next_token()?;
        let whole = &start[..start.len() - self.reader.remaining()];
        let mut short = Vec::new();
        match token {
            Token::List { .. } | Token::Map { .. } => {
                return Err(OpError::parameter("an element is a list or a map"));
            }
            Token::Int(value) => msgpack::write_int(&mut short, value),
            Token::Uint(value) => msgpack::write_uint(&mut short, value),
            Token::Ext { kind, data } if !data.is_empty() => msgpack::write_ext(&mut short, kind, data),
            Token::Str(_) | Token::Blob(_) | Token::GeoJson(_) => {
                let header = string_header(whole);
                let payload = whole.get(header..).unwrap_or_default();
                let needed = match payload.len() {
                    0..=31 => 1,
                    32..=0xff => 2,
                    0x100..=0xffff => 3,
                    _ => 5,
                };
                if needed >= header {
                    return Ok(Cow::Borrowed(whole));
                }
                match payload.split_first() {
                    Some((kind, text)) => {
                        msgpack::write_blob(&mut short, text);
                        // `write_blob` writes a type byte of its own.
                        let at = short.len() - text.len() - 1;
                        short[at] = *kind;
                    }
                    None => short.push(0xa0),
                }
            }
            _ => return Ok(Cow::Borrowed(whole)),
        }
        Ok(if short.len() < whole.len() { Cow::Owned(short) } else { Cow::Borrowed(whole) })
    }
}

/// The length of the header of an encoded string.
fn string_header(whole: &[u8]) -> usize {
    match whole.first() {
        Some(0xc4 | 0xd9) => 2,
        Some(0xc5 | 0xda) => 3,
        Some(0xc6 | 0xdb) => 5,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_arguments_are_read() {
        let (code, count, mut args) = Args::parse(b"\x95\x32\xff\xc3\xa2\x04x\x91\x01").unwrap();
        assert_eq!((code, count), (50, 4));
        assert_eq!(args.clone().integer(), Ok(-1));
        assert_eq!(args.unsigned(), Ok(u64::MAX));
        assert_eq!(args.bool(), Ok(true));
        assert_eq!(args.raw(), Ok(&b"\x04x"[..]));
        assert_eq!(args.list(), Ok(1));
        assert!(args.bool().is_err());
        assert!(Args::parse(b"\x90").is_err() && Args::parse(b"\x01").is_err() && Args::parse(b"").is_err());
    }

    #[test]
    fn scalars_have_one_encoding() {
        for (given, wanted) in [
            (&b"\xcd\x00\x05"[..], &b"\x05"[..]),
            (b"\xd1\xff\xfe", b"\xfe"),
            (b"\xd0\x05", b"\x05"),
            (b"\xd9\x02\x03x", b"\xa2\x03x"),
            (b"\xc4\x02\x04x", b"\xa2\x04x"),
            (b"\xda\x00\x01\x03", b"\xa1\x03"),
            (b"\xa0", b"\xa0"),
            (b"\xca\x00\x00\x00\x00", b"\xca\x00\x00\x00\x00"),
            (b"\xc7\x01\xff\x00", b"\xd4\xff\x00"),
        ] {
            assert_eq!(Args::over(given).shortest_scalar().unwrap(), wanted, "{given:?}");
        }
        assert!(Args::over(b"\x90").shortest_scalar().is_err());
    }
}
