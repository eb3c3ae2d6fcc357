//! JSON, as far as GeoJSON needs it.

use std::str::Chars;

/// The largest nesting depth of arrays and objects.
const MAX_DEPTH: usize = 2048;

/// A JSON value, as far as shapes need it.
#[derive(Debug, PartialEq)]
pub(super) enum Json {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Number(f64),
    Text(String),
    Other,
}

impl Json {
    /// Parses a text that is one value.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut parser = Parser { rest: std::str::from_utf8(text).ok()?.chars() };
        let value = parser.value(0)?;
        parser.skip_whitespace();
        parser.rest.as_str().is_empty().then_some(value)
    }

    /// A member of an object; the last one if the name is repeated.
    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().rfind(|(known, _)| known == name).map(|(_, value)| value),
            _ => None,
        }
    }

    pub(super) fn array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }
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
