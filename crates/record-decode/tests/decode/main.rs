//! Decoding from frames to rows, through the public interface.

mod common;
mod encode;
mod hostile;
mod lists;
mod model;
mod nested;
mod nested_model;
mod nested_random;
mod random;
mod recorded;
mod table;
