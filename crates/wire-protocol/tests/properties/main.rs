//! What is written is read back equal, and no reader fails on bytes that nobody wrote.

mod hostile;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod written;
