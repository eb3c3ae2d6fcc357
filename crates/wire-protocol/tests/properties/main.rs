//! What is written is read back equal, and no reader fails on bytes that nobody wrote.

mod hostile;
#[path = "../support/mod.rs"]
mod support;
mod written;
