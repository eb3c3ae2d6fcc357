//! Numbers in options and control commands.

use std::str::FromStr;

use crate::error::DevServerError;

/// Parses `text`. An error says that `name` takes `what` ("a number", "milliseconds").
pub(super) fn number<T: FromStr>(name: &str, what: &str, text: &str) -> Result<T, DevServerError> {
    text.parse().map_err(|_| DevServerError::config(format!("{name} takes {what}, not {text:?}")))
}
