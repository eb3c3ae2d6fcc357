//! Conversion of bin values into the bytes of fields.

pub(crate) mod field;
pub(crate) mod half;
mod list;
pub(crate) mod number;
