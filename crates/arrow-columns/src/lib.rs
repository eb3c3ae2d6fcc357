//! Bin values as Arrow columns, and Arrow columns as the operations of a write. Knows neither Python nor the network.

#![forbid(unsafe_code)]

pub mod encode;
