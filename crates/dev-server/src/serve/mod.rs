pub(crate) mod compression;
pub(crate) mod connection;
#[cfg(test)]
mod hostile;
pub(crate) mod listener;
pub(crate) mod tls;
