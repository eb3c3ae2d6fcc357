//! py-bindings
