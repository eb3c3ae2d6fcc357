//! Regular expressions of POSIX, basic and extended, as the server's C library matches them in the C locale.
//!
//! A pattern is translated for the crate `regex`, which matches in linear time. Text is bytes; case is ignored for ASCII
//! letters only. Not supported: back-references, collating elements and equivalence classes of several characters.
//! Patterns that would compile to more than [`MAX_COMPILED`] bytes are refused.

use std::borrow::Cow;

use regex::bytes::{Regex, RegexBuilder};

/// Size of the largest compiled pattern.
const MAX_COMPILED: usize = 1 << 20;

/// How deep groups may nest.
const MAX_GROUPS: usize = 64;

/// The largest number of repetitions that follow another repetition.
const MAX_WRAPS: u32 = 32;

/// The largest number of repetitions in braces.
const MAX_REPEAT: u32 = 32_767;

/// Flags of a pattern.
mod flags {
    pub(super) const EXTENDED: i64 = 1;
    pub(super) const IGNORE_CASE: i64 = 2;
    pub(super) const NEWLINE: i64 = 4;
}

/// Compiles a pattern, which ends at its first zero byte. `None` if it is invalid, not supported or too large.
pub(super) fn compile(pattern: &[u8], flags: i64) -> Option<Regex> {
    let is_newline_special = flags & flags::NEWLINE != 0;
    let mut translator = Translator {
        rest: until_zero(pattern),
        out: String::new(),
        is_extended: flags & flags::EXTENDED != 0,
        is_newline_special,
        groups: Vec::new(),
        last: 0,
        wraps: 0,
    };
    translator.translate()?;
    RegexBuilder::new(&translator.out)
        .unicode(false)
        .case_insensitive(flags & flags::IGNORE_CASE != 0)
        .multi_line(is_newline_special)
        .dot_matches_new_line(!is_newline_special)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(4 * MAX_GROUPS as u32)
        .build()
        .ok()
}

/// The bytes before the first zero byte: the C library takes strings that end there.
pub(super) fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

struct Translator<'p> {
    rest: &'p [u8],
    out: String,
    is_extended: bool,
    is_newline_special: bool,
    /// Where the open groups start in `out`.
    groups: Vec<usize>,
    /// Where the part that a repetition would repeat starts in `out`.
    last: usize,
    /// The number of groups that were added for repetitions of repetitions.
    wraps: u32,
}

/// What a pattern consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Literal(u8),
    Any,
    Open,
    Close,
    Either,
    Star,
    Plus,
    Question,
    Brace,
    Set,
    Start,
    End,
    /// An escape that the crate `regex` writes in the same way.
    Escape(&'static str),
    /// The same, of a position.
    Anchor(&'static str),
}

impl Translator<'_> {
    fn translate(&mut self) -> Option<()> {
        // Whether this is the start of the pattern, of a group or of an alternative. No repetition may follow there, nor
        // after an anchor.
        let mut is_start = true;
        let mut can_repeat = false;
        let mut is_repeated = false;
        while let Some(part) = self.part(is_start)? {
            if let Some(how) = self.repetition(part, can_repeat)? {
                self.repeat(&how, is_repeated)?;
                is_repeated = true;
                continue;
            }
            is_repeated = false;
            is_start = matches!(part, Part::Open | Part::Either);
            can_repeat = !is_start && !matches!(part, Part::Start | Part::End | Part::Anchor(_));
            let start = self.out.len();
            match part {
                Part::Literal(byte) => self.literal(byte),
                Part::Star => self.literal(b'*'),
                Part::Plus => self.literal(b'+'),
                Part::Question => self.literal(b'?'),
                Part::Any => self.out.push('.'),
                Part::Open => {
                    if self.groups.len() == MAX_GROUPS {
                        return None;
                    }
                    self.groups.push(start);
                    self.out.push_str("(?:");
                }
                Part::Close => {
                    self.last = self.groups.pop()?;
                    self.out.push(')');
                    continue;
                }
                Part::Either => self.out.push('|'),
                Part::Start => self.out.push_str(if self.is_newline_special { "(?m:^)" } else { "\\A" }),
                Part::End => self.out.push_str(if self.is_newline_special { "(?m:$)" } else { "\\z" }),
                Part::Escape(escape) | Part::Anchor(escape) => self.out.push_str(escape),
                Part::Set => self.set()?,
                Part::Brace => return None,
            }
            self.last = start;
        }
        self.groups.is_empty().then_some(())
    }

    /// How a part repeats the one before it; `None` inside if it does not. The outer `None`: the pattern is invalid.
    fn repetition(&mut self, part: Part, can_repeat: bool) -> Option<Option<Cow<'static, str>>> {
        let how = match part {
            // Where there is nothing to repeat, these are characters in basic patterns.
            Part::Star | Part::Plus | Part::Question if !can_repeat && !self.is_extended => {
                return Some(None);
            }
            Part::Star => "*".into(),
            Part::Plus => "+".into(),
            Part::Question => "?".into(),
            Part::Brace => self.bounds()?.into(),
            _ => return Some(None),
        };
        can_repeat.then_some(Some(how))
    }

    /// Repeats the last part. If that is repeated already, it gets a group: otherwise `a+?` would be a lazy `a+`.
    fn repeat(&mut self, how: &str, is_repeated: bool) -> Option<()> {
        if is_repeated {
            self.wraps += 1;
            if self.wraps > MAX_WRAPS {
                return None;
            }
            self.out.insert_str(self.last, "(?:");
            self.out.push(')');
        }
        self.out.push_str(how);
        Some(())
    }

    fn literal(&mut self, byte: u8) {
        use std::fmt::Write;
        // Writing to a string does not fail.
        _ = write!(self.out, "\\x{byte:02x}");
    }

    fn next(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// The next part, or `None` at the end. The outer `None`: the pattern is invalid.
    fn part(&mut self, is_start: bool) -> Option<Option<Part>> {
        let Some(byte) = self.next() else {
            return Some(None);
        };
        Some(Some(match (byte, self.is_extended) {
            (b'\\', _) => return self.escape().map(Some),
            (b'.', _) => Part::Any,
            (b'[', _) => Part::Set,
            (b'*', _) => Part::Star,
            (b'^', true) => Part::Start,
            (b'$', true) => Part::End,
            (b'^', false) if is_start => Part::Start,
            (b'$', false)
                if self.rest.is_empty() || self.rest.starts_with(b"\\)") || self.rest.starts_with(b"\\|") =>
            {
                Part::End
            }
            (b'(', true) => Part::Open,
            (b')', true) if !self.groups.is_empty() => Part::Close,
            (b'|', true) => Part::Either,
            (b'+', true) => Part::Plus,
            (b'?', true) => Part::Question,
            (b'{', true) => Part::Brace,
            _ => Part::Literal(byte),
        }))
    }

    /// The part after a backslash.
    fn escape(&mut self) -> Option<Part> {
        let byte = self.next()?;
        Some(match (byte, self.is_extended) {
            (b'(', false) => Part::Open,
            (b')', false) => Part::Close,
            (b'{', false) => Part::Brace,
            (b'|', false) => Part::Either,
            (b'+', false) => Part::Plus,
            (b'?', false) => Part::Question,
            (b'1'..=b'9', _) => return None,
            (b'w', _) => Part::Escape("[0-9A-Za-z_]"),
            (b'W', _) => Part::Escape("[^0-9A-Za-z_]"),
            (b's', _) => Part::Escape("[\\t\\n\\x0b\\x0c\\r\\x20]"),
            (b'S', _) => Part::Escape("[^\\t\\n\\x0b\\x0c\\r\\x20]"),
            (b'b', _) => Part::Anchor("\\b"),
            (b'B', _) => Part::Anchor("\\B"),
            (b'<', _) => Part::Anchor("\\b{start}"),
            (b'>', _) => Part::Anchor("\\b{end}"),
            (b'`', _) => Part::Anchor("\\A"),
            (b'\'', _) => Part::Anchor("\\z"),
            _ => Part::Literal(byte),
        })
    }

    fn number(&mut self) -> Option<u32> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(digits);
        self.rest = rest;
        std::str::from_utf8(digits).ok()?.parse().ok().filter(|&number| number <= MAX_REPEAT)
    }

    /// The bounds of a repetition, after its opening brace.
    fn bounds(&mut self) -> Option<String> {
        let has_least = self.rest.first().is_some_and(u8::is_ascii_digit);
        let least = if has_least { self.number()? } else { 0 };
        let most = match self.rest.first()? {
            b',' => {
                self.next();
                if self.rest.first()?.is_ascii_digit() { Some(self.number()?) } else { None }
            }
            _ if has_least => Some(least),
            _ => return None,
        };
        if !self.is_extended && self.next()? != b'\\' || self.next()? != b'}' {
            return None;
        }
        match most {
            Some(most) if most < least => None,
            Some(most) => Some(format!("{{{least},{most}}}")),
            None => Some(format!("{{{least},}}")),
        }
    }

    /// A set of characters, after its opening bracket.
    fn set(&mut self) -> Option<()> {
        let mut members = [false; 256];
        let is_negated = self.rest.first() == Some(&b'^');
        if is_negated {
            self.next();
        }
        let mut is_first = true;
        loop {
            let byte = self.next()?;
            if byte == b']' && !is_first {
                break;
            }
            is_first = false;
            if byte == b'[' && self.rest.first() == Some(&b':') {
                let end = self.rest.windows(2).position(|two| two == b":]")?;
                let is_member = class(self.rest.get(1..end)?)?;
                self.rest = self.rest.get(end + 2..)?;
                (0..=u8::MAX).filter(is_member).for_each(|byte| members[usize::from(byte)] = true);
                continue;
            }
            let start = self.element(byte)?;
            let end = match self.rest {
                [b'-', b']', ..] => start,
                [b'-', next, rest @ ..] => {
                    self.rest = rest;
                    self.element(*next)?
                }
                _ => start,
            };
            if start > end {
                return None;
            }
            members[usize::from(start)..=usize::from(end)].fill(true);
        }
        if is_negated {
            members.iter_mut().for_each(|member| *member = !*member);
            if self.is_newline_special {
                members[usize::from(b'\n')] = false;
            }
        }
        self.write_set(&members);
        Some(())
    }

    /// An element of a set that starts with this byte: the byte, or `[.x.]` or `[=x=]`.
    fn element(&mut self, byte: u8) -> Option<u8> {
        match (byte, self.rest) {
            (b'[', [open @ (b'.' | b'='), member, close, b']', rest @ ..]) if open == close => {
                self.rest = rest;
                Some(*member)
            }
            (b'[', [b'.' | b'=', ..]) => None,
            _ => Some(byte),
        }
    }

    fn write_set(&mut self, members: &[bool; 256]) {
        use std::fmt::Write;
        self.out.push('[');
        if !members.contains(&true) {
            // Matches nothing.
            self.out.push_str("^\\x00-\\xff");
        }
        let mut at = 0;
        while at < members.len() {
            let run = members[at..].iter().take_while(|&&member| member).count();
            if run > 0 {
                // Writing to a string does not fail.
                _ = write!(self.out, "\\x{at:02x}-\\x{:02x}", at + run - 1);
            }
            at += run.max(1);
        }
        self.out.push(']');
    }
}

/// The members of a named class.
fn class(name: &[u8]) -> Option<fn(&u8) -> bool> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| byte.is_ascii_graphic() || *byte == b' ',
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b'\t'..=b'\r' | b' '),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, flags: i64, text: &str) -> Option<bool> {
        compile(pattern.as_bytes(), flags).map(|regex| regex.is_match(text.as_bytes()))
    }

    #[test]
    fn extended_patterns() {
        for (pattern, text, wanted) in [
            ("^a(b|cd)+$", "abcdb", true),
            ("^a(b|cd)+$", "abc", false),
            ("a{2,3}b", "xaab", true),
            ("^a{,2}$", "aa", true),
            ("^a{,2}$", "aaa", false),
            ("[[:alpha:]_][^0-9]", "x1", false),
            ("[]x]", "]", true),
            ("[a-]", "-", true),
            ("a.c", "a\nc", true),
            ("^b", "a\nb", false),
            ("a)", "a)", true),
            ("()x", "x", true),
            ("a|", "zzz", true),
            ("a**", "aaa", true),
            ("^a*?b$", "aab", true),
            ("^xa+?b$", "xb", true),
            ("^(xa){1}?b$", "b", true),
            ("\\<word\\>", "a word!", true),
            ("\\.", "x", false),
            ("[[.-.]]", "-", true),
            ("é", "né", true),
        ] {
            assert_eq!(matches(pattern, 1, text), Some(wanted), "{pattern} {text}");
        }
        for pattern in [
            "*a",
            "a(*b)",
            "(a",
            "a{2",
            "a{3,2}",
            "a{x}",
            "[a",
            "[[:nope:]]",
            "[z-a]",
            "(a)\\1",
            "\\",
            "a|*b",
            "^*",
            "a$+",
        ] {
            assert_eq!(matches(pattern, 1, ""), None, "{pattern}");
        }
    }

    #[test]
    fn basic_patterns_and_flags() {
        for (pattern, flags, text, wanted) in [
            ("^*a+(b)$", 0, "*a+(b)", true),
            ("\\(ab\\)\\{2\\}", 0, "abab", true),
            ("a\\|b", 0, "b", true),
            ("a^b$c", 0, "a^b$c", true),
            ("^^a", 0, "^a", true),
            ("^\\+a\\(\\?b\\)", 0, "+a?b", true),
            ("HELLO", 3, "hello", true),
            ("^b$", 5, "a\nb\nc", true),
            ("a.b", 5, "a\nb", false),
            ("a[^x]b", 5, "a\nb", false),
            ("a[^x]b", 1, "a\nb", true),
        ] {
            assert_eq!(matches(pattern, flags, text), Some(wanted), "{pattern} {flags} {text}");
        }
        assert_eq!(matches("ab\0c", 1, "ab"), Some(true));
        assert_eq!(matches(&"(a{1000}){1000}".repeat(2), 1, ""), None);
        assert_eq!(matches(&"(".repeat(100), 1, ""), None);
    }
}
