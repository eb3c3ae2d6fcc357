//! Lists and maps as they stand in particles: msgpack in the server's dialect.
//!
//! What sets the dialect apart:
//!
//! - A string begins with a byte that is its particle type: 3 text, 4 bytes, 23 GeoJSON (the text alone,
//!   without the flags and cells of a GeoJSON bin). The other msgpack family for bytes, `bin`, is read the
//!   same way; neither server nor clients write it. A string with any other type byte (clients have
//!   written serializations of their own) is bytes to the server and to most clients, and so it is a
//!   [`Token::Blob`] here, without the type byte. A string without room for the byte is bytes to the
//!   server, too: an empty [`Token::Blob`]. No recorded value has either.
//! - A map that has an order starts with a pair of an empty ext, whose kind is the order's flags
//!   ([`KEY_ORDERED`], ...), and nil; the pair counts. A list that has an order may start with such an ext
//!   alone; it counts, too. The reader gives them as they are ([`Token::Ext`], then [`Token::Nil`] in a
//!   map); they are no elements of the value and whoever reads it passes over them.
//! - Expressions carry bin names and patterns without type bytes. They are programs, not values: this
//!   reader walks them whole ([`check`], [`Reader::skip_value`]) but takes a name's first byte for a type.
//!
//! Nothing here recurses or allocates, and no announced length is believed before the bytes are there.

use crate::error::WireError;
use crate::particle::particle_type;

/// How deep lists and maps may nest for [`check`], and how deep a consumer that recurses should follow them.
///
/// A list without lists and maps in it has depth 1, an empty one too. An array of NumPy has at most 64 dimensions, so every list that a field
/// can take is well within; a value that a person or a JSON library wrote is, too (128 is where JSON
/// parsers commonly stop). A consumer with a kilobyte a level stays far below the two megabytes of a
/// thread's stack.
pub const MAX_DEPTH: usize = 128;

/// The ext kind that says that a map is ordered by key.
pub const KEY_ORDERED: i8 = 1;

/// The ext kind that says that a map is ordered by key and value.
pub const KEY_VALUE_ORDERED: i8 = 3;

const WHAT: &str = "a msgpack value";

/// One step through a value: a scalar, or the start of a list or map whose elements are the next tokens.
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
    /// Text, UTF-8 by convention, unchecked here.
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
        /// Number of pairs, that of an order included.
        len: usize,
    },
    /// An extension: the order of a map or list (no data), or what comparisons alone use (wildcard, infinity).
    Ext {
        /// The extension's type.
        kind: i8,
        /// Its bytes.
        data: &'a [u8],
    },
}

impl Token<'_> {
    /// How many values belong to this one and follow it.
    fn children(self) -> usize {
        match self {
            Self::List { len } => len,
            // No overflow: the reader holds twice `len` to the bytes that remain.
            Self::Map { len } => len * 2,
            _ => 0,
        }
    }
}

/// The tag of a double.
const DOUBLE: u8 = 0xcb;

/// Walks msgpack token by token. After an error it stands where it stood.
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
    /// Bytes that end inside the token, a list or map with more elements than bytes remain, the one byte
    /// that msgpack does not use.
    #[inline]
    pub fn token(&mut self) -> Result<Token<'a>, WireError> {
        let mut input = Input { rest: self.rest };
        let token = input.token()?;
        self.rest = input.rest;
        Ok(token)
    }

    /// Takes the doubles that follow each other from here on, at most so many, each with its tag in front: lists of
    /// floats are long, and their elements all alike.
    #[inline]
    pub fn doubles(&mut self, most: usize) -> &'a [[u8; 9]] {
        let (items, _) = self.rest.as_chunks::<9>();
        let items = &items[..items.len().min(most)];
        let count = items.iter().position(|item| item[0] != DOUBLE).unwrap_or(items.len());
        self.rest = &self.rest[count * 9..];
        &items[..count]
    }

    /// Whether every byte was read.
    #[inline]
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes that were not read.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Passes over a whole value, with all that it contains.
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
}

/// The reader's position within one token; given up when the token is refused.
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
            0xc1 => return Err(WireError::malformed("msgpack value", "it begins with an unused tag")),
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

/// Walks the one value that `bytes` holds to its last byte.
///
/// # Errors
/// As [`Reader::token`]; lists and maps nested deeper than [`MAX_DEPTH`]; bytes after the value.
pub fn check(bytes: &[u8]) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    // How many values each open list or map still lacks, the outermost first.
    let mut open = [0usize; MAX_DEPTH];
    let mut depth = 0;
    loop {
        let token = reader.token()?;
        if matches!(token, Token::List { .. } | Token::Map { .. }) {
            let children = open
                .get_mut(depth)
                .ok_or(WireError::malformed("msgpack value", "its lists and maps nest too deep"))?;
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
            break;
        }
    }
    if reader.is_at_end() { Ok(()) } else { Err(WireError::malformed("msgpack value", "bytes follow it")) }
}

/// A length as the header has it. One that does not fit is of a value beyond the size of a frame, which
/// [`crate::message::write_frame`] refuses.
fn header_len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Appends nil.
pub fn write_nil(out: &mut Vec<u8>) {
    out.push(0xc0);
}

/// Appends a bool.
pub fn write_bool(out: &mut Vec<u8>, value: bool) {
    out.push(0xc2 + u8::from(value));
}

/// Appends an integer in the shortest encoding; those from zero up are written unsigned.
pub fn write_int(out: &mut Vec<u8>, value: i64) {
    if let Ok(value) = u64::try_from(value) {
        write_uint(out, value);
    } else if value >= -32 {
        out.push(value as u8);
    } else if let Ok(value) = i8::try_from(value) {
        out.extend_from_slice(&[0xd0, value as u8]);
    } else if let Ok(value) = i16::try_from(value) {
        push_tagged(out, 0xd1, value.to_be_bytes());
    } else if let Ok(value) = i32::try_from(value) {
        push_tagged(out, 0xd2, value.to_be_bytes());
    } else {
        push_tagged(out, 0xd3, value.to_be_bytes());
    }
}

/// Appends an unsigned integer in the shortest encoding.
pub fn write_uint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else if let Ok(value) = u8::try_from(value) {
        out.extend_from_slice(&[0xcc, value]);
    } else if let Ok(value) = u16::try_from(value) {
        push_tagged(out, 0xcd, value.to_be_bytes());
    } else if let Ok(value) = u32::try_from(value) {
        push_tagged(out, 0xce, value.to_be_bytes());
    } else {
        push_tagged(out, 0xcf, value.to_be_bytes());
    }
}

/// Appends a float, always in 64 bits.
pub fn write_float(out: &mut Vec<u8>, value: f64) {
    push_tagged(out, 0xcb, value.to_be_bytes());
}

/// Appends text.
pub fn write_str(out: &mut Vec<u8>, text: &[u8]) {
    write_string(out, particle_type::STRING, text);
}

/// Appends bytes.
pub fn write_blob(out: &mut Vec<u8>, bytes: &[u8]) {
    write_string(out, particle_type::BLOB, bytes);
}

/// Appends GeoJSON text.
pub fn write_geojson(out: &mut Vec<u8>, text: &[u8]) {
    write_string(out, particle_type::GEOJSON, text);
}

/// Appends the start of a list; its `len` elements are to follow.
pub fn write_list_header(out: &mut Vec<u8>, len: usize) {
    match header_len(len) {
        len @ 0..=15 => out.push(0x90 | len as u8),
        len @ 16..=0xffff => push_tagged(out, 0xdc, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xdd, len.to_be_bytes()),
    }
}

/// Appends the start of a map without an order; its `len` pairs are to follow.
pub fn write_map_header(out: &mut Vec<u8>, len: usize) {
    match header_len(len) {
        len @ 0..=15 => out.push(0x80 | len as u8),
        len @ 16..=0xffff => push_tagged(out, 0xde, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xdf, len.to_be_bytes()),
    }
}

/// Appends the start of a map ordered by key; its `len` pairs are to follow, in order. The pair that
/// tells the order is written here and does not count in `len`.
pub fn write_ordered_map_header(out: &mut Vec<u8>, len: usize) {
    write_map_header(out, len.saturating_add(1));
    write_ext(out, KEY_ORDERED, &[]);
    write_nil(out);
}

/// Appends an extension.
pub fn write_ext(out: &mut Vec<u8>, kind: i8, data: &[u8]) {
    match header_len(data.len()) {
        1 => out.push(0xd4),
        2 => out.push(0xd5),
        4 => out.push(0xd6),
        8 => out.push(0xd7),
        16 => out.push(0xd8),
        len @ 0..=0xff => out.extend_from_slice(&[0xc7, len as u8]),
        len @ 0x100..=0xffff => push_tagged(out, 0xc8, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xc9, len.to_be_bytes()),
    }
    out.push(kind as u8);
    out.extend_from_slice(data);
}

fn write_string(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    match header_len(bytes.len().saturating_add(1)) {
        len @ 0..=31 => out.push(0xa0 | len as u8),
        len @ 32..=0xff => out.extend_from_slice(&[0xd9, len as u8]),
        len @ 0x100..=0xffff => push_tagged(out, 0xda, (len as u16).to_be_bytes()),
        len => push_tagged(out, 0xdb, len.to_be_bytes()),
    }
    out.push(kind);
    out.extend_from_slice(bytes);
}

fn push_tagged<const N: usize>(out: &mut Vec<u8>, tag: u8, bytes: [u8; N]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}

#[cfg(test)]
mod tests;
