//! The recorded expressions of the official client.

use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use wire_protocol::expression::Expression;
use wire_protocol::value::{MapOrder, Value};

pub(crate) fn lines() -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/official_expressions.jsonl.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn bytes(text: &Json) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

/// A value as the script writes it: its kind and its content.
pub(crate) fn value(plain: &Json) -> Value {
    let content = &plain[1];
    match plain[0].as_str().unwrap() {
        "nil" => Value::Nil,
        "bool" => Value::from(content.as_bool().unwrap()),
        "int" => Value::from(content.as_i64().unwrap()),
        "float" => Value::from(content.as_f64().unwrap()),
        "text" => Value::from(content.as_str().unwrap()),
        "bytes" => Value::blob(from_hex(content.as_str().unwrap())),
        "geojson" => Value::geojson(content.as_str().unwrap()),
        "infinity" => Value::Infinity,
        "wildcard" => Value::Wildcard,
        "list" => Value::list(content.as_array().unwrap().iter().map(value)),
        kind => {
            let pair = |pair: &Json| (value(&pair[0]), value(&pair[1]));
            let pairs: Vec<(Value, Value)> = content.as_array().unwrap().iter().map(pair).collect();
            match kind {
                "map" => Value::Map { order: MapOrder::Unordered, pairs },
                "ordered_map" => Value::ordered_map(pairs),
                kind => panic!("{kind}"),
            }
        }
    }
}

/// An expression, or a value as a literal.
pub(crate) fn expression(plain: &Json) -> Expression {
    match plain[0].as_str().unwrap() {
        "expression" => Expression::from_base64(plain[1].as_str().unwrap()).unwrap(),
        _ => Expression::from(value(plain)),
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
