//! NumPy: dtypes as schemas, and the memory of arrays.
//!
//! `dtype` reads a dtype into the plan that fills or reads its fields; `memory` makes and checks arrays and hands out
//! their addresses, which is where the crate's unsafe code is. NumPy is optional, so nothing here may run before it was
//! imported.

pub(crate) mod dtype;
pub(crate) mod memory;
