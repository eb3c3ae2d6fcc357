//! What is written is read back unchanged, and readers survive arbitrary bytes.

mod hostile;
mod security;
#[path = "../support/mod.rs"]
mod support;
mod written;
