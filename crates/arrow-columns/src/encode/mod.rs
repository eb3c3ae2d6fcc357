//! Columns of Arrow arrays to the operations that write a record per row.
//!
//! Start with [`RowReader`]: it compiles the schema of a stream of record batches, refuses columns and values that no
//! bin can hold, and gives [`RowsToWrite`], which write each row's operations and know its key, any number of times and
//! in any order.
//!
//! Arrays come from other libraries through the C data interface, which checks nothing. So this room trusts lengths of
//! buffers, which the interface needs to make arrays at all, and no offset, index or text inside them.
//!
//! | module | what |
//! | --- | --- |
//! | `reader` | a stream of record batches: [`RowReader`] |
//! | `plan` | a schema, compiled: [`WritePlan`], [`WriteOptions`] |
//! | `rows` | the rows of a record batch: [`RowsToWrite`] |
//! | `types` | which types are written, and as what; [`RefusedSchema`] |
//! | `check` | values that no bin can hold |
//! | `pack` | values as bins, and as elements of lists and maps |
//! | `column` | an array's buffers, behind one type; [`WhyNot`] |

mod check;
mod column;
mod pack;
mod plan;
mod reader;
mod rows;
#[cfg(test)]
mod tests;
mod types;

pub use self::column::WhyNot;
pub use self::plan::{Nulls, WriteOptions, WritePlan};
pub use self::reader::{Batches, ReadError, RowReader};
pub use self::rows::{RowsToWrite, Unwritable};
pub use self::types::RefusedSchema;
