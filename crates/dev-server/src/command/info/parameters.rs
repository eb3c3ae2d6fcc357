//! The parameters of info commands: `name=value`, separated by semicolons.

use wire_protocol::ResultCode;

/// Length of the longest name of a namespace.
pub(super) const MAX_NAMESPACE: usize = 31;

/// Length of the longest name of a set.
pub(super) const MAX_SET: usize = 63;

pub(super) const NAMESPACE: &str = "namespace";

/// The value of a parameter; the first one if it is repeated.
pub(super) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

/// The value of a parameter that may be missing, of at most `longest` bytes. An error is the answer to the command.
pub(super) fn optional<'a>(
    parameters: &'a str,
    name: &str,
    longest: usize,
) -> Result<Option<&'a str>, String> {
    check(parameter(parameters, name), name, longest)
}

fn check<'a>(value: Option<&'a str>, name: &str, longest: usize) -> Result<Option<&'a str>, String> {
    let code = code_of(name);
    match value {
        None => Ok(None),
        Some("") => Err(format!("ERROR:{code}:missing '{name}' value")),
        Some(value) if value.len() > longest => Err(format!("ERROR:{code}:'{name}' value too long")),
        value => Ok(value),
    }
}

/// The value of a parameter. An error is the answer to the command.
pub(super) fn required<'a>(parameters: &'a str, name: &str, longest: usize) -> Result<&'a str, String> {
    optional(parameters, name, longest)?.ok_or_else(|| missing(name))
}

/// The namespace, by its present or its old name.
pub(super) fn optional_namespace(parameters: &str) -> Result<Option<&str>, String> {
    let value = parameter(parameters, NAMESPACE).or_else(|| parameter(parameters, "ns"));
    check(value, NAMESPACE, MAX_NAMESPACE)
}

pub(super) fn required_namespace(parameters: &str) -> Result<&str, String> {
    optional_namespace(parameters)?.ok_or_else(|| missing(NAMESPACE))
}

fn missing(name: &str) -> String {
    format!("ERROR:{}:missing '{name}'", code_of(name))
}

/// The code of an error about a parameter.
fn code_of(name: &str) -> u8 {
    let code = if name == NAMESPACE { ResultCode::NAMESPACE_NOT_FOUND } else { ResultCode::PARAMETER };
    code.get()
}

/// The radix of a number in the syntax of C, and its digits.
fn digits_in_c(text: &str) -> (u32, &str) {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if text.starts_with('0') => (8, text),
        None => (10, text),
    }
}

/// Parses a number in the syntax of C: decimal, hexadecimal or octal, up to the first other character.
/// Numbers that are too large, and negative ones, become the largest.
pub(super) fn number_in_c(text: &str) -> u64 {
    let text = text.trim_start();
    if text.starts_with('-') {
        return u64::MAX;
    }
    let (radix, digits) = digits_in_c(text.strip_prefix('+').unwrap_or(text));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    match &digits[..end] {
        "" => 0,
        digits => u64::from_str_radix(digits, radix).unwrap_or(u64::MAX),
    }
}

/// The identifier of a query: a number in the syntax of C that is not 0. Negative ones wrap around.
pub(super) fn query_id(text: &str) -> Option<u64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (radix, digits) = digits_in_c(digits);
    let number = u64::from_str_radix(digits, radix).ok()?;
    Some(if is_negative { number.wrapping_neg() } else { number }).filter(|id| *id != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_parsed_like_in_c() {
        for (text, number) in
            [("12", 12), ("0x1F", 31), ("010", 8), ("0", 0), ("12ab", 12), ("", 0), ("x", 0), (" +7", 7)]
        {
            assert_eq!(number_in_c(text), number, "{text:?}");
        }
        for (text, id) in [
            ("12", Some(12)),
            ("0x12", Some(18)),
            ("012", Some(10)),
            ("-1", Some(u64::MAX)),
            ("0", None),
            ("abc", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(query_id(text), id, "{text:?}");
        }
    }
}
