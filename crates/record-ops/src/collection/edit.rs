//! What an operation changes, and on what.

use crate::bin::Bin;

/// What a command that modifies applies to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Base<'a> {
    /// The bytes of a list or map.
    Existing(&'a [u8]),
    /// The bin does not exist.
    NoBin,
    /// The context ends at an element that does not exist and may be created.
    Created,
}

/// Where a command applies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    pub(super) has_bin: bool,
    /// Whether the flag of a persisted index is dropped, because the list or map is inside another one. The server does
    /// not drop it if it creates the bin, too.
    pub(super) drops_index: bool,
    /// How deep a value may nest that becomes an element.
    pub(super) depth: usize,
}

/// What becomes of the list or map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It stays as it is, and is not created.
    Nothing,
    /// It stays as it is; if there is no bin, it becomes this.
    Keep,
    /// It becomes this.
    Write(Vec<u8>),
}

/// The effect of a command, and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) effect: Effect,
    pub(super) result: Option<Bin>,
}

impl Edit {
    pub(super) fn nothing() -> Self {
        Self { effect: Effect::Nothing, result: None }
    }

    pub(super) fn keep(result: Option<Bin>) -> Self {
        Self { effect: Effect::Keep, result }
    }

    pub(super) fn write(bytes: Vec<u8>, result: Option<Bin>) -> Self {
        Self { effect: Effect::Write(bytes), result }
    }
}
