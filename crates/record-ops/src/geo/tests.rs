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

#[test]
fn regions_contain_points() {
    let shape = |text: &str| Shape::parse(text.as_bytes()).unwrap();
    let point = |x: f64, y: f64| shape(&format!(r#"{{"type": "Point", "coordinates": [{x}, {y}]}}"#));
    let contains = |region: &str, x: f64, y: f64| {
        let (region, point) = (shape(region), point(x, y));
        assert_eq!(region.matches(&point), point.matches(&region));
        region.matches(&point)
    };
    let holed = r#"{"type": "Polygon", "coordinates":
        [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]], [[2, 2], [2, 8], [8, 8], [8, 2], [2, 2]]]}"#;
    assert!(contains(holed, 1.0, 1.0) && !contains(holed, 5.0, 5.0) && !contains(holed, 11.0, 5.0));
    // The direction of the points does not matter: the inside is the smaller area.
    let reversed = r#"{"type": "Polygon", "coordinates": [[[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]]}"#;
    assert!(contains(reversed, 5.0, 5.0) && !contains(reversed, -5.0, 5.0));
    let across = r#"{"type": "Polygon",
        "coordinates": [[[170, -10], [170, 10], [-170, 10], [-170, -10], [170, -10]]]}"#;
    assert!(contains(across, 180.0, 0.0) && contains(across, -175.0, 0.0) && !contains(across, 0.0, 0.0));
    let pole = r#"{"type": "Polygon", "coordinates": [[[0, 80], [120, 80], [-120, 80], [0, 80]]]}"#;
    assert!(contains(pole, 50.0, 90.0) && contains(pole, 50.0, 89.0) && !contains(pole, 50.0, -90.0));
    let circle = r#"{"type": "AeroCircle", "coordinates": [[-122.0, 37.5], 1000]}"#;
    assert!(contains(circle, -122.01, 37.5) && !contains(circle, -122.02, 37.5));
    assert!(!point(1.0, 1.0).matches(&point(1.0, 1.0)));
    assert!(!shape(holed).matches(&shape(holed)));
}

#[test]
fn points_are_stored_with_their_cells() {
    let text = br#"{"type": "Point", "coordinates": [42.34, 58.62]}"#;
    let stored = particle(text).unwrap();
    assert_eq!(stored[..11], *b"\x00\x00\x01\x46\xac\xa3\x8a\x12\xc2\x35\x57");
    assert_eq!(stored[11..], text[..]);
}
