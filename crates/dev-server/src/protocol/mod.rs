//! What this server adds to `wire-protocol`: the kind of a command, the flags of a request, and the headers
//! of answers.
//!
//! Uses no other room but `error`. Start with [`flags`].

pub(crate) mod answer;
pub(crate) mod command_kind;
pub(crate) mod flags;
