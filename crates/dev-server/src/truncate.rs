//! Truncation: forgetting what was written before a moment, in a set or a whole namespace.
//!
//! All nodes share one store, so what one node is told is so on all of them at once; the real server's nodes
//! tell each other.

use wire_protocol::ResultCode;

use crate::clock::EPOCH;
use crate::store::Store;

/// Longest name of a namespace.
const MAX_NAMESPACE: usize = 31;

/// Longest name of a set.
const MAX_SET: usize = 63;

/// Longest text of a time.
const MAX_TIME: usize = 23;

const NAMESPACE: &str = "namespace";

/// What a command is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Set,
    Namespace,
}

/// Forgets what was written before the time that is given in nanoseconds since 1970 (`lut`), else all that
/// is there.
pub(crate) fn truncate(store: &Store, parameters: &str, of: Of) -> String {
    match Asked::parse(parameters, of).and_then(|asked| asked.carry_out(store)) {
        Ok(()) => "ok".into(),
        Err(error) => error,
    }
}

/// Forgets that there was a truncation. What it took is gone all the same.
pub(crate) fn undo(store: &Store, parameters: &str, of: Of) -> String {
    match Asked::parse(parameters, of) {
        Ok(asked) => {
            if let Some(namespace) = store.namespace(asked.namespace.as_bytes()) {
                namespace.set_truncated(asked.set.map(str::as_bytes), 0);
            }
            "ok".into()
        }
        Err(error) => error,
    }
}

struct Asked<'a> {
    namespace: &'a str,
    set: Option<&'a str>,
    time: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn parse(parameters: &'a str, of: Of) -> Result<Self, String> {
        let namespace = required(parameters, NAMESPACE, MAX_NAMESPACE)?;
        let set = match of {
            Of::Set => Some(required(parameters, "set", MAX_SET)?),
            // Somebody meant the set, most likely.
            Of::Namespace if parameter(parameters, "set").is_some() => {
                return Err("ERROR:4:unexpected set name".into());
            }
            Of::Namespace => None,
        };
        Ok(Self { namespace, set, time: optional(parameters, "lut", MAX_TIME)? })
    }

    fn carry_out(self, store: &Store) -> Result<(), String> {
        let now = store.clock.millis();
        let before = match self.time {
            Some(text) => {
                let before = (nanoseconds(text) / 1_000_000).saturating_sub(EPOCH as u64 * 1000);
                if before == 0 {
                    return Err("ERROR:4:would truncate to 0".into());
                }
                if before > now {
                    return Err("ERROR:4:would truncate in the future".into());
                }
                before
            }
            // What was written in this very millisecond was written before the command.
            None => now + 1,
        };
        // A namespace or set that is not there has nothing to forget.
        if let Some(namespace) = store.namespace(self.namespace.as_bytes()) {
            namespace.truncate(self.set.map(str::as_bytes), before, before.min(now));
        }
        Ok(())
    }
}

/// The value of a parameter, the first one of that name.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn optional<'a>(parameters: &'a str, name: &str, longest: usize) -> Result<Option<&'a str>, String> {
    let code = code_of(name).get();
    match parameter(parameters, name) {
        None => Ok(None),
        Some("") => Err(format!("ERROR:{code}:missing '{name}' value")),
        Some(value) if value.len() > longest => Err(format!("ERROR:{code}:'{name}' value too long")),
        value => Ok(value),
    }
}

fn required<'a>(parameters: &'a str, name: &str, longest: usize) -> Result<&'a str, String> {
    optional(parameters, name, longest)?
        .ok_or_else(|| format!("ERROR:{}:missing '{name}'", code_of(name).get()))
}

fn code_of(name: &str) -> ResultCode {
    if name == NAMESPACE { ResultCode::NAMESPACE_NOT_FOUND } else { ResultCode::PARAMETER }
}

/// A number as C reads it: decimal, hexadecimal or octal, up to the first other character; too large ones
/// and those below zero are the largest.
fn nanoseconds(text: &str) -> u64 {
    let text = text.trim_start();
    if text.starts_with('-') {
        return u64::MAX;
    }
    let text = text.strip_prefix('+').unwrap_or(text);
    let (radix, digits) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if text.starts_with('0') => (8, text),
        None => (10, text),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    match &digits[..end] {
        "" => 0,
        digits => u64::from_str_radix(digits, radix).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn what_is_wrong_is_said() {
        let store = Store::new(&Config::default());
        let set = |parameters: &str| truncate(&store, parameters, Of::Set);
        let all = |parameters: &str| truncate(&store, parameters, Of::Namespace);
        assert_eq!(set(""), "ERROR:20:missing 'namespace'");
        assert_eq!(set("namespace="), "ERROR:20:missing 'namespace' value");
        assert_eq!(set("namespace=test"), "ERROR:4:missing 'set'");
        assert_eq!(set("namespace=test;set="), "ERROR:4:missing 'set' value");
        assert_eq!(set(&format!("namespace=test;set={:064}", 0)), "ERROR:4:'set' value too long");
        assert_eq!(all("namespace=test;set=x"), "ERROR:4:unexpected set name");
        assert_eq!(all("namespace=test;lut="), "ERROR:4:missing 'lut' value");
        assert_eq!(all("namespace=test;lut=x"), "ERROR:4:would truncate to 0");
        assert_eq!(all("namespace=test;lut=1000000000000000000"), "ERROR:4:would truncate to 0");
        assert_eq!(all("namespace=test;lut=-1"), "ERROR:4:would truncate in the future");
        assert_eq!(all("namespace=test;lut=0xffffffffffffffffff"), "ERROR:4:would truncate in the future");
        assert_eq!(
            (set("namespace=none;set=x"), all("lut=1700000000000000000;namespace=test")),
            ("ok".into(), "ok".into())
        );
        assert_eq!(undo(&store, "namespace=test;set=x", Of::Set), "ok");
        assert_eq!(undo(&store, "set=x", Of::Namespace), "ERROR:20:missing 'namespace'");
    }

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        for (text, number) in
            [("12", 12), ("0x1F", 31), ("010", 8), ("0", 0), ("12ab", 12), ("", 0), ("x", 0), (" +7", 7)]
        {
            assert_eq!(nanoseconds(text), number, "{text:?}");
        }
    }
}
