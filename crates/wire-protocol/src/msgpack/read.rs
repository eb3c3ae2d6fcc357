//! Reads msgpack token by token, without recursion.

use crate::error::WireError;
use crate::particle::particle_type;

use super::MAX_DEPTH;

const WHAT: &str = "a msgpack value";

/// A scalar, or the start of a list or map whose elements are the next tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Token<'a> {
    /// No value.
    Nil,
    /// A bool.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// A float; 32-bit ones are widened.
    Float(f64),
    /// Text: UTF-8 by convention, not checked.
    Str(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
    /// GeoJSON text.
    GeoJson(&'a [u8]),
    /// A list; `len` values follow.
    List {
        /// Number of elements.
        len: usize,
    },
    /// A map; `len` pairs of values follow.
    Map {
        /// Number of pairs, including the one that marks an order.
        len: usize,
    },
    /// An extension: the order of a map or list (without data), or a special value in comparisons (wildcard,
    /// infinity).
    Ext {
        /// The extension's type.
        kind: i8,
        /// The extension's data.
        data: &'a [u8],
    },
}

/// A number, as [`Reader::number`] reads it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
}

impl Token<'_> {
    /// The number of values that follow and belong to this one.
    fn children(self) -> usize {
        match self {
            Self::List { len } => len,
            // No overflow: the reader checked that twice `len` bytes remain.
            Self::Map { len } => len * 2,
            _ => 0,
        }
    }
}

/// The tag of a double.
const DOUBLE: u8 = 0xcb;

/// Reads msgpack token by token. An error leaves its position unchanged.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the front of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads a scalar, or the start of a list or map.
    ///
    /// # Errors
    /// A truncated token, a list or map with more elements than bytes remain, the tag that msgpack does not use.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, WireError> {
        let mut input = Input { rest: self.rest };
        let token = input.token()?;
        self.rest = input.rest;
        Ok(token)
    }

    /// Reads an integer or a 64-bit float, if the next value is one: a fast path for maps of numbers. An integer above
    /// `i64::MAX` is left to [`Reader::token`].
    #[inline]
    pub fn number(&mut self) -> Option<Number> {
        match self.double() {
            Some(bits) => Some(Number::Float(f64::from_bits(bits))),
            None => self.int().map(Number::Int),
        }
    }

    /// Reads an integer, if the next value is one that is not above `i64::MAX`.
    #[inline]
    pub fn int(&mut self) -> Option<i64> {
        let (&tag, rest) = self.rest.split_first()?;
        // 0x00 to 0x7f, and 0xe0 to 0xff, are their own values.
        if tag as i8 >= -32 {
            self.rest = rest;
            return Some(i64::from(tag as i8));
        }
        // Unsigned and signed integers of 1, 2, 4 and 8 bytes: the tag says how many.
        if !matches!(tag, 0xcc..=0xd3) {
            return None;
        }
        let width = 1 << (tag & 3);
        let after = rest.get(width..)?;
        let word = match rest.first_chunk() {
            Some(bytes) => i64::from_be_bytes(*bytes),
            None => padded(rest),
        };
        let unused = 64 - 8 * width as u32;
        let is_signed = tag >= 0xd0;
        let value = if is_signed { word >> unused } else { (word as u64 >> unused) as i64 };
        if value < 0 && !is_signed {
            return None;
        }
        self.rest = after;
        Some(value)
    }

    /// Whether an extension is next.
    #[inline]
    #[must_use]
    pub fn is_at_ext(&self) -> bool {
        matches!(self.rest.first(), Some(0xc7..=0xc9 | 0xd4..=0xd8))
    }

    /// Reads the bits of a 64-bit float, if the next value is one.
    #[inline]
    pub fn double(&mut self) -> Option<u64> {
        let (&[tag, ref bits @ ..], rest) = self.rest.split_first_chunk::<9>()?;
        if tag != DOUBLE {
            return None;
        }
        self.rest = rest;
        Some(u64::from_be_bytes(*bits))
    }

    /// Takes the run of doubles at this position, at most `most`, each with its tag byte. This is a fast path for long
    /// lists of floats.
    #[inline]
    pub fn doubles(&mut self, most: usize) -> &'a [[u8; 9]] {
        let (items, _) = self.rest.as_chunks::<9>();
        let items = &items[..items.len().min(most)];
        let count = items.iter().position(|item| item[0] != DOUBLE).unwrap_or(items.len());
        self.rest = &self.rest[count * 9..];
        &items[..count]
    }

    /// The bytes that have not been read.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether all bytes have been read.
    #[inline]
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The number of bytes that have not been read.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Skips a value with everything that it contains.
    ///
    /// # Errors
    /// As [`Reader::token`].
    pub fn skip_value(&mut self) -> Result<(), WireError> {
        let mut ahead = self.clone();
        let mut pending = 1usize;
        while pending > 0 {
            // No overflow: both are at most the number of bytes.
            pending = pending - 1 + ahead.token()?.children();
            if pending > ahead.remaining() {
                return Err(WireError::Truncated { what: WHAT });
            }
        }
        *self = ahead;
        Ok(())
    }

    /// Skips a value like [`Reader::skip_value`], unless its lists and maps nest deeper than `depth` levels.
    ///
    /// # Errors
    /// As [`Reader::token`]; deeper nesting. A `depth` above [`MAX_DEPTH`] counts as that.
    #[inline]
    pub fn skip_within(&mut self, depth: usize) -> Result<(), WireError> {
        let Some(&tag) = self.rest.first() else { return Err(WireError::Truncated { what: WHAT }) };
        let length = match tag {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => 1,
            0xa0..=0xbf => 1 + usize::from(tag & 0x1f),
            0xcc | 0xd0 => 2,
            0xcd | 0xd1 => 3,
            0xca | 0xce | 0xd2 => 5,
            DOUBLE | 0xcf | 0xd3 => 9,
            _ => return self.skip_any(depth),
        };
        self.rest = self.rest.get(length..).ok_or(WireError::Truncated { what: WHAT })?;
        Ok(())
    }

    #[inline(never)]
    fn skip_any(&mut self, depth: usize) -> Result<(), WireError> {
        let mut ahead = self.clone();
        let (mut pending, mut opened) = (1usize, 0usize);
        while pending > 0 {
            let token = ahead.token()?;
            opened += usize::from(matches!(token, Token::List { .. } | Token::Map { .. }));
            pending = pending - 1 + token.children();
            if pending > ahead.remaining() {
                return Err(WireError::Truncated { what: WHAT });
            }
        }
        // There are no more levels than lists and maps, so mostly they need not be counted.
        if opened > depth.min(MAX_DEPTH) {
            check_first(self.clone(), depth)?;
        }
        *self = ahead;
        Ok(())
    }
}

/// The first bytes as an integer, with zeros for those that are missing.
#[inline(never)]
fn padded(bytes: &[u8]) -> i64 {
    let mut word = [0; 8];
    let length = bytes.len().min(word.len());
    word[..length].copy_from_slice(&bytes[..length]);
    i64::from_be_bytes(word)
}

/// The position within one token; discarded if the token is refused.
struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    #[inline]
    fn token(&mut self) -> Result<Token<'a>, WireError> {
        let [tag] = self.array()?;
        Ok(match tag {
            0x00..=0x7f => Token::Int(i64::from(tag)),
            0x80..=0x8f => self.map(usize::from(tag & 0x0f))?,
            0x90..=0x9f => self.list(usize::from(tag & 0x0f))?,
            0xa0..=0xbf => self.string(usize::from(tag & 0x1f))?,
            0xc0 => Token::Nil,
            0xc1 => return Err(WireError::malformed("msgpack value", "its tag is not used by msgpack")),
            0xc2 => Token::Bool(false),
            0xc3 => Token::Bool(true),
            0xc4 | 0xd9 => {
                let len = self.len8()?;
                self.string(len)?
            }
            0xc5 | 0xda => {
                let len = self.len16()?;
                self.string(len)?
            }
            0xc6 | 0xdb => {
                let len = self.len32()?;
                self.string(len)?
            }
            0xc7 => {
                let len = self.len8()?;
                self.ext(len)?
            }
            0xc8 => {
                let len = self.len16()?;
                self.ext(len)?
            }
            0xc9 => {
                let len = self.len32()?;
                self.ext(len)?
            }
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.array()?))),
            DOUBLE => Token::Float(f64::from_be_bytes(self.array()?)),
            0xcc => Token::Int(i64::from(u8::from_be_bytes(self.array()?))),
            0xcd => Token::Int(i64::from(u16::from_be_bytes(self.array()?))),
            0xce => Token::Int(i64::from(u32::from_be_bytes(self.array()?))),
            0xcf => {
                let value = u64::from_be_bytes(self.array()?);
                i64::try_from(value).map_or(Token::Uint(value), Token::Int)
            }
            0xd0 => Token::Int(i64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => Token::Int(i64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => Token::Int(i64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => Token::Int(i64::from_be_bytes(self.array()?)),
            0xd4..=0xd8 => self.ext(1 << (tag - 0xd4))?,
            0xdc => {
                let len = self.len16()?;
                self.list(len)?
            }
            0xdd => {
                let len = self.len32()?;
                self.list(len)?
            }
            0xde => {
                let len = self.len16()?;
                self.map(len)?
            }
            0xdf => {
                let len = self.len32()?;
                self.map(len)?
            }
            0xe0..=0xff => Token::Int(i64::from(tag as i8)),
        })
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(WireError::Truncated { what: WHAT })?;
        self.rest = rest;
        Ok(*bytes)
    }

    #[inline]
    fn bytes(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(WireError::Truncated { what: WHAT })?;
        self.rest = rest;
        Ok(bytes)
    }

    fn len8(&mut self) -> Result<usize, WireError> {
        Ok(usize::from(u8::from_be_bytes(self.array()?)))
    }

    fn len16(&mut self) -> Result<usize, WireError> {
        Ok(usize::from(u16::from_be_bytes(self.array()?)))
    }

    fn len32(&mut self) -> Result<usize, WireError> {
        Ok(u32::from_be_bytes(self.array()?) as usize)
    }

    #[inline]
    fn string(&mut self, len: usize) -> Result<Token<'a>, WireError> {
        Ok(match self.bytes(len)? {
            [particle_type::STRING, text @ ..] => Token::Str(text),
            [particle_type::GEOJSON, text @ ..] => Token::GeoJson(text),
            [_, bytes @ ..] | bytes @ [] => Token::Blob(bytes),
        })
    }

    fn ext(&mut self, len: usize) -> Result<Token<'a>, WireError> {
        let [kind] = self.array()?;
        Ok(Token::Ext { kind: kind as i8, data: self.bytes(len)? })
    }

    fn list(&mut self, len: usize) -> Result<Token<'a>, WireError> {
        if len > self.rest.len() {
            return Err(WireError::malformed("msgpack list", "it has more elements than bytes remain"));
        }
        Ok(Token::List { len })
    }

    fn map(&mut self, len: usize) -> Result<Token<'a>, WireError> {
        if len > self.rest.len() / 2 {
            return Err(WireError::malformed("msgpack map", "it has more elements than bytes remain"));
        }
        Ok(Token::Map { len })
    }
}

/// Checks that `bytes` is one complete value.
///
/// # Errors
/// As [`Reader::token`]; lists and maps nested deeper than [`MAX_DEPTH`]; bytes after the value.
pub fn check(bytes: &[u8]) -> Result<(), WireError> {
    let reader = check_first(Reader::new(bytes), MAX_DEPTH)?;
    if reader.is_at_end() { Ok(()) } else { Err(WireError::malformed("msgpack value", "bytes follow it")) }
}

/// Checks that the next bytes are one complete value whose lists and maps nest at most `most` levels deep, and returns
/// the reader behind it.
fn check_first(mut reader: Reader<'_>, most: usize) -> Result<Reader<'_>, WireError> {
    // The number of missing values of each open list or map, outermost first.
    let mut open = [0usize; MAX_DEPTH];
    let open = &mut open[..most.min(MAX_DEPTH)];
    let mut depth = 0;
    loop {
        let token = reader.token()?;
        if matches!(token, Token::List { .. } | Token::Map { .. }) {
            let children = open
                .get_mut(depth)
                .ok_or(WireError::malformed("msgpack value", "its lists and maps nest too deeply"))?;
            *children = token.children();
            if *children > 0 {
                depth += 1;
                continue;
            }
        }
        while let Some(last) = depth.checked_sub(1) {
            open[last] -= 1;
            if open[last] > 0 {
                break;
            }
            depth = last;
        }
        if depth == 0 {
            return Ok(reader);
        }
    }
}
