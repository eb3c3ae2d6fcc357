//! Objects in messages.

use pyo3::prelude::*;

/// An object for an error message: its `repr`, cut to 80 characters, and its type.
pub(crate) fn describe(object: &Bound<'_, PyAny>) -> String {
    let kind = object.get_type().name().map_or_else(|_| "object".into(), |name| name.to_string());
    let Ok(text) = object.repr() else { return format!("a {kind}") };
    let mut text = text.to_string_lossy().into_owned();
    if text.contains('\n') {
        // In one line: an array or a table has several.
        text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    }
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}... ({kind})", &text[..end]),
        None => format!("{text} ({kind})"),
    }
}
