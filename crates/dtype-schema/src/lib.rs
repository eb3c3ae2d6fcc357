//! A NumPy structured dtype as plain data.
//!
//! [`Element`] is one scalar (kind, width, byte order), [`Field`] a named element or sub-array at an
//! offset, [`Schema`] the whole row. Building a [`Schema`] checks everything that can be refused before
//! a batch is sent; whoever holds one may rely on the invariants listed there. This crate knows no
//! NumPy, no Python and no bytes of records.

#![forbid(unsafe_code)]

mod element;
mod error;
mod schema;

pub use element::{ByteOrder, Element, Kind};
pub use error::SchemaError;
pub use schema::{Field, MAX_BIN_NAME, Schema};
