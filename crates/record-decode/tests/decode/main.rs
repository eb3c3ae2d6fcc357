//! Decoding from frames to rows, through the public interface.

mod common;
mod lists;
mod model;
mod random;
mod table;
