//! Conversion of bin values into the bytes of a field.
//!
//! Start with [`FieldDecoder`], which takes values of all types. Most values are numbers, which also have a direct way:
//! a [`Slot`]. Lists fill sub-arrays. Values inside lists and maps convert in the same way. This module writes into a
//! [`RowView`](crate::memory::RowView) and knows nothing of records, and nothing of the ways into maps.

mod array;
mod casting;
mod column;
mod field;
mod field_type;
pub(crate) mod half;
mod list;
mod number;
mod slot;

pub use self::casting::Casting;
pub(crate) use self::casting::Fit;
pub use self::column::{ColumnNumber, HalfBits, time_count};
pub(crate) use self::field::{FieldDecoder, Filled};
pub(crate) use self::list::type_name;
pub use self::number::Number;
pub(crate) use self::slot::Slot;
