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

mod read;
mod write;

pub use self::read::{Reader, Token, check};
pub use self::write::{
    write_blob, write_bool, write_ext, write_float, write_geojson, write_int, write_list_header,
    write_map_header, write_nil, write_ordered_map_header, write_str, write_uint,
};

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

#[cfg(test)]
mod tests;
