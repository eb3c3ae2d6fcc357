//! The commands: methods of `Core`, one file per family.
//!
//! A command reads its arguments, makes a future without Python in it and a closure that converts the result, and
//! passes both to `call::Call`. Start with `single`, which has the simplest ones. A new family is a new
//! file; metrics belong into `cluster`.

pub(crate) mod admin;
pub(crate) mod batch_operate;
mod batch_operate_numpy;
pub(crate) mod batch_read;
pub(crate) mod batch_read_arrow;
mod batch_read_sets;
pub(crate) mod batch_write_arrow;
pub(crate) mod batch_write_numpy;
pub(crate) mod cluster;
pub(crate) mod functions;
mod indexes;
pub(crate) mod info;
pub(crate) mod operate;
mod projected_read;
pub(crate) mod query;
mod read_matrix;
pub(crate) mod single;
mod transactions;
