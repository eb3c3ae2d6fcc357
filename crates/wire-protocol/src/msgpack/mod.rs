//! Lists and maps in particles: msgpack in the server's dialect.
//!
//! It differs from standard msgpack:
//!
//! - A string begins with a byte for its particle type: 3 text, 4 bytes, 23 GeoJSON (only the text, without the flags
//!   and cells of a GeoJSON bin). The `bin` family is read in the same way; neither server nor clients write it. Any
//!   other type byte (some clients wrote serialized objects) makes a [`Token::Blob`] without that byte, and a string
//!   without a type byte an empty [`Token::Blob`], as in the server.
//! - An ordered map starts with an additional pair: an empty ext whose kind has the order's flags ([`KEY_ORDERED`] and
//!   so on), and nil. An ordered list may start with such an ext as an additional element. The reader returns them as
//!   they are ([`Token::Ext`], then [`Token::Nil`] in a map), and they count in the announced length; consumers skip
//!   them.
//! - Expressions contain bin names and patterns without type bytes. They are programs, not values: the reader can walk
//!   them ([`check`], [`Reader::skip_value`]) but takes the first byte of a name for a type.
//!
//! Nothing here recurses or allocates, and an announced length is used only after checking that the bytes are there.

mod read;
mod write;

pub use self::read::{Number, Reader, Token, check};
pub use self::write::{
    write_blob, write_bool, write_bytes, write_ext, write_float, write_geojson, write_int, write_list_header,
    write_map_header, write_name, write_nil, write_ordered_map_header, write_str, write_uint,
};

/// How deep lists and maps may nest: [`check`] refuses deeper ones, and consumers that recurse should.
///
/// A list that contains no lists or maps has depth 1. NumPy arrays have at most 64 dimensions and JSON parsers commonly
/// stop at 128, so real values are within the limit; with a kilobyte of stack per level, a recursive consumer stays far
/// below the two megabytes of a thread's stack.
pub const MAX_DEPTH: usize = 128;

/// The ext kind of a map that is ordered by key.
pub const KEY_ORDERED: i8 = 1;

/// The ext kind of a map that is ordered by key and value.
pub const KEY_VALUE_ORDERED: i8 = 3;

/// The bit of an ext kind that marks a map that is a result: its pairs come in the order in which they were selected.
pub const PRESERVE_ORDER: i8 = 8;

/// Whether an ext of this kind marks a map that is ordered by key alone. Other bits say what else the server stored
/// with it.
#[must_use]
pub fn is_key_ordered(kind: i8) -> bool {
    kind & KEY_VALUE_ORDERED == KEY_ORDERED
}

#[cfg(test)]
mod tests;
