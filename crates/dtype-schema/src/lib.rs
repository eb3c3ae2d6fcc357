//! A NumPy structured dtype as plain data.
//!
//! An [`Element`] is one scalar (kind, width, byte order), a [`Field`] a named element or sub-array at an offset or a
//! struct of fields, a [`Schema`] the whole row; its [`Leaf`]s are the fields that are not structs. Building them refuses everything that can be refused before a request is sent, and code
//! that has a [`Schema`] may rely on the invariants listed there. This crate knows no NumPy, no Python and no encoding
//! of records.

#![forbid(unsafe_code)]

mod element;
mod error;
mod leaf;
mod schema;

pub use element::{ByteOrder, Element, Kind};
pub use error::SchemaError;
pub use leaf::Leaf;
pub use schema::{Field, MAX_BIN_NAME, MAX_STRUCT_DEPTH, Schema};
