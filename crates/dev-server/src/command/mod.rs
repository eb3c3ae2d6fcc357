pub(crate) mod batch;
pub(crate) mod info;
pub(crate) mod operations;
pub(crate) mod query;
pub(crate) mod single;
