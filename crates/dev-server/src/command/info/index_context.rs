//! Contexts of indexes as the server lists them.

use std::fmt::Write as _;

use wire_protocol::msgpack::{Reader, Token};

/// What a step looks at, by the lowest bits of its type.
const STEPS: [&str; 9] =
    ["index", "rank", "key", "value", "exp", "index_list", "rank_list", "key_list", "value_list"];

const STEP: i64 = 0x0f;
const IS_LIST: i64 = 0x10;
const IS_MAP: i64 = 0x20;

/// A context as text, such as `[[list_index(0), map_key(<string#2>)]`. Like the server, opens one bracket too many.
pub(super) fn text_of(context: &[u8]) -> String {
    let mut text = String::from("[[");
    let mut reader = Reader::new(context);
    let steps = match reader.token() {
        Ok(Token::List { len }) => len / 2,
        _ => 0,
    };
    for step in 0..steps {
        let Some(kind) = reader.int() else { break };
        if step > 0 {
            text.push_str(", ");
        }
        text.push_str(match kind {
            _ if kind & IS_LIST != 0 => "list_",
            _ if kind & IS_MAP != 0 => "map_",
            _ => "",
        });
        let name = usize::try_from(kind & STEP).ok().and_then(|at| STEPS.get(at)).copied();
        // Writing to a string does not fail.
        _ = write!(text, "{}({})", name.unwrap_or_default(), value_of(&mut reader));
    }
    text.push(']');
    text
}

/// The next value: numbers as they are, of other values what they are and how long.
fn value_of(reader: &mut Reader<'_>) -> String {
    let start = reader.clone();
    let text = match reader.token() {
        Ok(Token::Nil) => "nil".into(),
        Ok(Token::Bool(value)) => value.to_string(),
        Ok(Token::Int(value)) => value.to_string(),
        Ok(Token::Uint(value)) => value.to_string(),
        Ok(Token::Float(value)) => format!("{value:.6}"),
        Ok(Token::Str(text)) => format!("<string#{}>", text.len()),
        Ok(Token::Blob(bytes)) => format!("<blob#{}>", bytes.len()),
        Ok(Token::GeoJson(text)) => format!("<geojson#{}>", text.len()),
        Ok(Token::List { len }) => format!("<list#{len}>"),
        Ok(Token::Map { len }) => format!("<map#{len}>"),
        Ok(_) | Err(_) => "_".into(),
    };
    *reader = start;
    _ = reader.skip_value();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_listed_as_by_the_server() {
        assert_eq!(text_of(b"\x92\x10\x00"), "[[list_index(0)]");
        assert_eq!(
            text_of(b"\x96\x10\x00\x22\xa3\x03ab\x13\x2a"),
            "[[list_index(0), map_key(<string#2>), list_value(42)]"
        );
        assert_eq!(text_of(b"\x92\x00\xff"), "[[index(-1)]");
    }
}
