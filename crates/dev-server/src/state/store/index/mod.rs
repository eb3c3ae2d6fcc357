//! Secondary indexes: which records have a value in a range.
//!
//! | module | what |
//! | --- | --- |
//! | `registry` | the indexes of a namespace: created, renamed, dropped, listed |
//! | `definition` | what an index is about: a set, a bin or an expression, a context, a type of values |
//! | `values` | the values of a record that an index has |
//! | `predicate` | what queries look for: ranges, texts, bytes, regions, points |
//! | `tree` | the ordered entries of an index |
//! | `hash` | texts and bytes as numbers |
//!
//! Every shard of a namespace has the entries of its own records, behind the lock of the shard. A record and its entries
//! therefore change in one step, whatever writes or removes the record: see [`crate::state::store::shard`].
//!
//! Entries are numbers, as in the server: integers themselves, cells of GeoJSON, hashes of texts and bytes. A query finds
//! candidates by these numbers and then compares the values of each record: hashes collide, cells are coarse, and the
//! record may have changed.
//!
//! Start with [`registry::Indexes`].

pub(crate) mod definition;
mod hash;
pub(crate) mod predicate;
pub(crate) mod registry;
pub(crate) mod tree;
pub(crate) mod values;
