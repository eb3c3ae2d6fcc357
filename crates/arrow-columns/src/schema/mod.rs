//! Schemas: the columns of a result, which types they may have, and which bins fill them.
//!
//! Start with [`ColumnPlan`], a schema compiled for one call. [`parse_type`] reads the names of types (`names`).

mod names;
mod plan;

pub(crate) use self::names::map_of;
pub use self::names::parse_type;
pub use self::plan::ColumnPlan;
