//! Validation of GeoJSON: points, polygons, multipolygons and circles, bare or in a feature.

use std::str::Chars;

/// The largest nesting depth of arrays and objects.
const MAX_DEPTH: usize = 2048;

/// The largest longitude and latitude, in degrees.
const MAX_DEGREES: [f64; 2] = [180.0, 90.0];

/// The number of points of the smallest ring: a triangle that repeats its first point.
const MIN_RING: usize = 4;

/// Whether the server accepts the text as a value.
pub(super) fn is_valid(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else {
        return false;
    };
    let mut parser = Parser { rest: text.chars() };
    let Some(value) = parser.value(0) else {
        return false;
    };
    parser.skip_whitespace();
    parser.rest.as_str().is_empty() && is_shape(&value, true).is_some()
}

/// A JSON value, as far as shapes need it.
#[derive(Debug, PartialEq)]
enum Json {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Number(f64),
    Text(String),
    Other,
}

impl Json {
    /// A member of an object; the last one if the name is repeated.
    fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().rfind(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    fn array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }
}

fn is_shape(value: &Json, may_be_feature: bool) -> Option<()> {
    let Json::Text(kind) = value.get("type")? else {
        return None;
    };
    let coordinates = || value.get("coordinates");
    match &**kind {
        "Feature" if may_be_feature => is_shape(value.get("geometry")?, false),
        "Point" => point(coordinates()?).map(|_| ()),
        "Polygon" => rings(coordinates()?),
        "MultiPolygon" => coordinates()?.array()?.iter().try_for_each(rings),
        "AeroCircle" => match coordinates()?.array()? {
            [centre, Json::Number(_)] => point(centre).map(|_| ()),
            _ => None,
        },
        _ => None,
    }
}

fn point(value: &Json) -> Option<[f64; 2]> {
    match *value.array()? {
        [Json::Number(longitude), Json::Number(latitude)] => {
            let point = [longitude, latitude];
            let is_on_earth = point.iter().zip(MAX_DEGREES).all(|(degrees, most)| degrees.abs() <= most);
            is_on_earth.then_some(point)
        }
        _ => None,
    }
}

fn rings(value: &Json) -> Option<()> {
    value.array()?.iter().try_for_each(|ring| {
        let mut points = ring.array()?.iter().map(point).collect::<Option<Vec<_>>>()?;
        points.dedup();
        (points.len() >= MIN_RING && points.first() == points.last()).then_some(())
    })
}

struct Parser<'t> {
    rest: Chars<'t>,
}

impl Parser<'_> {
    fn skip_whitespace(&mut self) {
        while self.peek().is_some_and(|c| matches!(c, ' ' | '\t' | '\n' | '\r')) {
            self.rest.next();
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// Consumes a character if it is next.
    fn accept(&mut self, wanted: char) -> bool {
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.rest.next();
        }
        is_next
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_whitespace();
        if depth > MAX_DEPTH {
            return None;
        }
        match self.peek()? {
            '{' => self.object(depth),
            '[' => self.list(depth),
            '"' => self.text().map(Json::Text),
            '-' | '0'..='9' => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.rest.next();
        let mut members = Vec::new();
        self.skip_whitespace();
        if self.accept('}') {
            return Some(Json::Object(members));
        }
        loop {
            self.skip_whitespace();
            let name = self.text()?;
            self.skip_whitespace();
            if !self.accept(':') {
                return None;
            }
            members.push((name, self.value(depth + 1)?));
            self.skip_whitespace();
            match self.rest.next()? {
                ',' => {}
                '}' => return Some(Json::Object(members)),
                _ => return None,
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.rest.next();
        let mut values = Vec::new();
        self.skip_whitespace();
        if self.accept(']') {
            return Some(Json::Array(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.skip_whitespace();
            match self.rest.next()? {
                ',' => {}
                ']' => return Some(Json::Array(values)),
                _ => return None,
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        if !self.accept('"') {
            return None;
        }
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                '"' => return Some(text),
                '\\' => text.push(self.escaped()?),
                c if c < ' ' => return None,
                c => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        Some(match self.rest.next()? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let high = self.hex()?;
                let code = match high {
                    0xd800..0xdc00 if self.accept('\\') && self.accept('u') => {
                        let low = self.hex()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                        0x10000 + ((high - 0xd800) << 10) + low
                    }
                    high => high,
                };
                char::from_u32(code).filter(|&c| c != '\0')?
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |code, _| Some(code * 16 + self.rest.next()?.to_digit(16)?))
    }

    fn digits(&mut self) -> Option<()> {
        let before = self.rest.as_str().len();
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.rest.next();
        }
        (self.rest.as_str().len() < before).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let all = self.rest.as_str();
        self.accept('-');
        if !self.accept('0') {
            self.digits()?;
        }
        if self.accept('.') {
            self.digits()?;
        }
        if self.accept('e') || self.accept('E') {
            _ = self.accept('+') || self.accept('-');
            self.digits()?;
        }
        let number: f64 = all.get(..all.len() - self.rest.as_str().len())?.parse().ok()?;
        number.is_finite().then_some(Json::Number(number))
    }

    fn word(&mut self) -> Option<Json> {
        let all = self.rest.as_str();
        let word = ["true", "false", "null"].into_iter().find(|word| all.starts_with(word))?;
        self.rest = all.get(word.len()..)?.chars();
        Some(Json::Other)
    }
}

#[cfg(test)]
mod tests {
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
}
