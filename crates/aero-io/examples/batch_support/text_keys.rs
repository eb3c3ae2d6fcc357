//! Text keys of records in one set.

use aero_io::{Key, OwnedKey, Space};

pub(crate) fn space() -> Space {
    Space::new("test", "cost")
}

pub(crate) fn key(i: usize) -> Key {
    Key::new(space(), OwnedKey::Str(format!("sensor_{i}").into()), false)
}
