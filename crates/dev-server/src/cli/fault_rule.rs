//! Fault rules in control commands.

use std::time::Duration;

use wire_protocol::ResultCode;

use crate::cli::number::number;
use crate::error::DevServerError;
use crate::state::faults::{Fault, FaultRule};

/// Parses `FAULT [ARGUMENT] [command=KIND] [times=N]`.
pub(super) fn parse_rule<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<FaultRule, DevServerError> {
    let mut rule = FaultRule::new(parse_fault(&mut words)?);
    for word in words {
        match word.split_once('=') {
            Some(("command", kind)) => rule.command = Some(kind.parse()?),
            Some(("times", times)) => rule.times = Some(number("times", "a number", times)?),
            _ => {
                return Err(DevServerError::config(format!("{word:?} is neither command=KIND nor times=N")));
            }
        }
    }
    Ok(rule)
}

/// Parses a fault's name and, if it takes one, its argument.
fn parse_fault<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Fault, DevServerError> {
    let name = words.next().unwrap_or_default();
    let mut argument = || words.next().unwrap_or_default();
    match name {
        "close" => Ok(Fault::Close),
        "close-mid-frame" => Ok(Fault::CloseMidFrame),
        "late" => Ok(Fault::Late(Duration::from_millis(number(name, "milliseconds", argument())?))),
        "silent" => Ok(Fault::Silent),
        "garbage" => Ok(Fault::Garbage),
        "wrong-row-index" => Ok(Fault::WrongRowIndex),
        "row-twice" => Ok(Fault::RowTwice),
        "huge-frame" => Ok(Fault::HugeFrame),
        "code" => Ok(Fault::Code(ResultCode::new(number(name, "a result code", argument())?))),
        "row-code" => Ok(Fault::RowCode(ResultCode::new(number(name, "a result code", argument())?))),
        _ => Err(DevServerError::config(format!(
            "unknown fault {name:?}; the faults are close, close-mid-frame, late MS, silent, garbage, \
             wrong-row-index, row-twice, huge-frame, code N, row-code N"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::command_kind::CommandKind;

    fn parse(text: &str) -> Result<FaultRule, String> {
        parse_rule(text.split_whitespace()).map_err(|error| error.to_string())
    }

    #[test]
    fn parses_faults_and_limits() {
        let late = Fault::Late(Duration::from_millis(250));
        assert_eq!(
            parse("late 250 command=batch times=1"),
            Ok(FaultRule { fault: late, command: Some(CommandKind::Batch), times: Some(1) })
        );
        assert_eq!(parse("row-code 14"), Ok(FaultRule::new(Fault::RowCode(ResultCode::KEY_BUSY))));
    }

    #[test]
    fn errors_name_the_word() {
        for (text, error) in [
            ("late", "late takes milliseconds, not \"\""),
            ("code 300", "code takes a result code, not \"300\""),
            ("close now", "\"now\" is neither command=KIND nor times=N"),
            (
                "close command=scan",
                "unknown kind of command \"scan\"; the kinds are batch, query, read, write, info",
            ),
            ("close times=x", "times takes a number, not \"x\""),
        ] {
            assert_eq!(parse(text), Err(error.into()), "{text}");
        }
        assert!(
            parse("explode").unwrap_err().starts_with("unknown fault \"explode\"; the faults are close,")
        );
    }
}
