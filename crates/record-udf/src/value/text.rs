//! How values print.

use super::{MapKey, Val};

/// The longest text of a value.
const MAX_TEXT: usize = 1024 * 1024;

/// How deep lists and maps print.
const MAX_DEPTH: usize = 128;

impl Val {
    /// The text of a value, as `tostring` gives it. `None` if it is too long or nests too deep.
    pub(crate) fn to_text(&self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.print(&mut out, MAX_DEPTH)?;
        Some(out)
    }

    fn print(&self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        if out.len() > MAX_TEXT {
            return None;
        }
        match self {
            Self::Nil => out.extend_from_slice(b"NIL"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Self::Float(number) => out.extend_from_slice(general(*number).as_bytes()),
            Self::Str(text) | Self::GeoJson(text) => quote(out, text),
            Self::Bytes(bytes) => bytes.with(|data| match data.bytes() {
                [] => out.extend_from_slice(b"<NULL>"),
                bytes => hex(out, bytes),
            }),
            Self::List(list) => {
                let depth = depth.checked_sub(1)?;
                out.push(b'[');
                list.with(|data| {
                    for (at, item) in data.items.iter().enumerate() {
                        if at > 0 {
                            out.extend_from_slice(b", ");
                        }
                        item.print(out, depth)?;
                    }
                    Some(())
                })?;
                out.push(b']');
            }
            Self::Map(map) => {
                let depth = depth.checked_sub(1)?;
                out.push(b'{');
                map.with(|data| {
                    for (at, (key, value)) in data.pairs.iter().enumerate() {
                        if at > 0 {
                            out.extend_from_slice(b", ");
                        }
                        match key {
                            MapKey::Int(number) => out.extend_from_slice(number.to_string().as_bytes()),
                            MapKey::Str(text) => quote(out, text),
                            MapKey::Bytes(bytes) => hex(out, bytes),
                        }
                        out.push(b':');
                        value.print(out, depth)?;
                    }
                    Some(())
                })?;
                out.push(b'}');
            }
        }
        Some(())
    }
}

fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// A number with up to 16 significant digits and no zeros at the end, as `%.16g` prints it.
fn general(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.into();
    }
    let scientific = format!("{number:.15e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let without_zeros = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-5..16).contains(&exponent) && exponent != -5 {
        without_zeros(&format!("{number:.*}", usize::try_from(15 - exponent).unwrap_or(0)))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", without_zeros(digits), exponent.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_in_c() {
        for (number, text) in [
            (1.5, "1.5"),
            (0.0, "0"),
            (1e16, "1e+16"),
            (123_456.0, "123456"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (-2.25e-7, "-2.25e-07"),
            (0.1, "0.1"),
        ] {
            assert_eq!(general(number), text);
        }
    }
}
