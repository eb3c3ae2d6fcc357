//! How lists and maps are written, and what is returned of their elements.

use super::return_type as r;
use super::{list_flags, map_flags};
use crate::operation::{Returns, exp_type};
use crate::value::{ListOrder, MapOrder};

/// How values are written to lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListPolicy {
    /// The order of a list that is created.
    pub order: ListOrder,
    /// Bits of [`list_flags`].
    pub flags: i64,
}

/// How pairs are written to maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MapPolicy {
    /// The order of a map that is created, or that the map gets.
    pub order: MapOrder,
    /// Bits of [`map_flags`].
    pub flags: i64,
    /// Keep an index of the pairs with the bin. Only for maps that are bins.
    pub persist_index: bool,
}

impl MapPolicy {
    /// Order and index as operations encode them.
    pub(crate) fn attributes(&self) -> i64 {
        i64::from(self.order.bits()) | if self.persist_index { map_flags::PERSIST_INDEX } else { 0 }
    }
}

/// Order and index of a list as operations encode them.
pub(super) fn list_persist(persist_index: bool) -> i64 {
    if persist_index { list_flags::PERSIST_INDEX } else { 0 }
}

/// What is returned of the elements that an operation selects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReturnType(i64);

impl ReturnType {
    /// Nothing.
    pub const NONE: Self = Self(r::NONE);
    /// Their indexes.
    pub const INDEX: Self = Self(r::INDEX);
    /// Their indexes, counted from the end.
    pub const REVERSE_INDEX: Self = Self(r::REVERSE_INDEX);
    /// Their ranks.
    pub const RANK: Self = Self(r::RANK);
    /// Their ranks, counted from the greatest value.
    pub const REVERSE_RANK: Self = Self(r::REVERSE_RANK);
    /// Their number.
    pub const COUNT: Self = Self(r::COUNT);
    /// Their keys; maps only.
    pub const KEY: Self = Self(r::KEY);
    /// Their values.
    pub const VALUE: Self = Self(r::VALUE);
    /// Their keys and values; maps only.
    pub const KEY_VALUE: Self = Self(r::KEY_VALUE);
    /// Whether there are any.
    pub const EXISTS: Self = Self(r::EXISTS);
    /// An unordered map of them; maps only.
    pub const UNORDERED_MAP: Self = Self(r::UNORDERED_MAP);
    /// A map of them that is ordered by key; maps only.
    pub const ORDERED_MAP: Self = Self(r::ORDERED_MAP);

    /// Of all other elements instead.
    #[must_use]
    pub const fn inverted(self) -> Self {
        Self(self.0 | r::INVERTED)
    }

    /// The number that is sent.
    #[must_use]
    pub const fn bits(self) -> i64 {
        self.0
    }

    /// The return type that is sent as this number, which is not checked.
    #[must_use]
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// What an expression gets from a call that selects one element (`is_single`), or any number.
    pub(crate) fn returns(self, is_single: bool) -> Returns {
        let of_each = |exp_type| if is_single { exp_type } else { Returns::Type(exp_type::LIST) };
        match self.0 & !r::INVERTED {
            r::INDEX | r::REVERSE_INDEX | r::RANK | r::REVERSE_RANK => of_each(Returns::Type(exp_type::INT)),
            r::COUNT => Returns::Type(exp_type::INT),
            r::KEY | r::VALUE => of_each(Returns::Element),
            r::KEY_VALUE | r::UNORDERED_MAP | r::ORDERED_MAP => Returns::Type(exp_type::MAP),
            r::EXISTS => Returns::Type(exp_type::BOOL),
            _ => Returns::Nothing,
        }
    }
}
