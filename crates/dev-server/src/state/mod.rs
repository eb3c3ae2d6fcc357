pub(crate) mod clock;
pub(crate) mod cluster;
pub(crate) mod counters;
pub(crate) mod faults;
pub(crate) mod store;
