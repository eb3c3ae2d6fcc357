//! Tests of shapes.

use super::*;
#[test]
fn valid_shapes() {
    for text in [
        r#"{"type": "Point", "coordinates": [-122.0, 37.5]}"#,
        r#" { "type" : "Point","coordinates":[180,-9e1] , "more": {"a": [true, null, "\u00e9\ud83d\ude00\n"]}} "#,
        r#"{"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}"#,
        r#"{"type": "MultiPolygon", "coordinates": [[[[0,0],[1,0],[1,1],[0,0]]], []]}"#,
        r#"{"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 250]}"#,
        r#"{"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}"#,
        r#"{"type": "other", "type": "Point", "coordinates": [1, 2]}"#,
    ] {
        assert!(is_valid(text.as_bytes()), "{text}");
    }
}

#[test]
fn invalid_shapes() {
    for text in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"type": "Point"}"#,
        r#"{"type": 1, "coordinates": [1, 2]}"#,
        r#"{"type": "Point", "coordinates": [1]}"#,
        r#"{"type": "Point", "coordinates": [1, 2, 3]}"#,
        r#"{"type": "Point", "coordinates": [1, "2"]}"#,
        r#"{"type": "Point", "coordinates": [181, 0]}"#,
        r#"{"type": "Point", "coordinates": [0, -91]}"#,
        r#"{"type": "Point", "coordinates": [0, 1e999]}"#,
        r#"{"type": "Point", "coordinates": [1, 2]} x"#,
        r#"{"type": "Point", "coordinates": [1, 02]}"#,
        r#"{"type": "Point", "coordinates": [1, 2], "a": "\u0000"}"#,
        r#"{"type": "Point", "coordinates": [1, 2], "a": "\ud800"}"#,
        r#"{"type": "Point", "coordinates": [1, 2],}"#,
        r#"{"type": "Point", "coordinates": [1, 2]"#,
        r#"{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}"#,
        r#"{"type": "Polygon", "coordinates": [[[0,0],[1,0],[0,0]]]}"#,
        r#"{"type": "Polygon", "coordinates": [[[0,0],[0,0],[1,0],[0,0]]]}"#,
        r#"{"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,1]]]}"#,
        r#"{"type": "AeroCircle", "coordinates": [[-122.0, 37.5]]}"#,
        r#"{"type": "Feature", "geometry": {"type": "Feature"}}"#,
    ] {
        assert!(!is_valid(text.as_bytes()), "{text}");
    }
    assert!(!is_valid(b"{\"type\": \"\xff\"}"));
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert!(!is_valid(deep.as_bytes()));
}
