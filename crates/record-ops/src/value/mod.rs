//! Values inside lists and maps: reading, writing, and the server's order.
//!
//! [`compare`] orders encoded values, [`Value`] is the owned form. Both have the same order: nil, bools, integers,
//! strings, lists, maps, bytes, floats, GeoJSON, and above all of them infinity. A wildcard is equal to everything.
//! Lists compare element by element, then by length; maps by length, then pair by pair.

mod normal;
mod order;
mod owned;

pub use self::normal::{LIST_ORDERED, PERSIST_INDEX, Rules, has_index, is_key, normalize, without_index};
pub(crate) use self::order::compare_ordered;
pub use self::order::{compare, compare_values, is_wildcard};
pub use self::owned::{ListOrder, MapOrder, Value};

/// Size of the largest value that operations produce: that of the largest record that a server can be configured for.
pub const MAX_VALUE: usize = 8 * 1024 * 1024;

/// The extension type of values that exist in comparisons only.
pub(crate) const COMPARISON: i8 = -1;
/// The data of a wildcard's extension.
pub(crate) const WILDCARD: &[u8] = &[0];
/// The data of infinity's extension.
pub(crate) const INFINITY: &[u8] = &[1];

#[cfg(test)]
mod tests;
