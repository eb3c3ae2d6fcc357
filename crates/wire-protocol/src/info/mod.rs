//! Info commands: text requests and answers, by which nodes describe themselves and are administered.

mod build;
mod functions;
mod indexes;
mod jobs;
mod partitions;
mod peers;

use crate::error::WireError;
use crate::message::{FrameType, write_frame};
use crate::result_code::ResultCode;

pub use self::build::Build;
pub use self::functions::{
    LIST_MODULES, ModuleError, ModuleInfo, get_module, module_error, parse_module, parse_modules, put_module,
    remove_module,
};
pub use self::indexes::{
    IndexInfo, IndexSource, create_index, index_stat, list_indexes, parse_indexes, parse_load_percent,
    remove_index,
};
pub use self::jobs::{JobStatus, abort_query, show_query};
pub use self::partitions::{NamespaceReplicas, PartitionBitmap, parse_replicas};
pub use self::peers::{Peer, Peers, parse_peers, parse_rack_ids, parse_service};

/// Appends an info request of `commands`.
///
/// # Errors
/// A request larger than a frame.
pub fn write_request(out: &mut Vec<u8>, commands: &[&str]) -> Result<(), WireError> {
    write_frame(out, FrameType::Info, |out| {
        for command in commands {
            out.extend_from_slice(command.as_bytes());
            out.push(b'\n');
        }
    })
}

/// The answers in the body of an info frame: command and value, in order.
///
/// # Errors
/// A body that is not UTF-8.
pub fn answers(body: &[u8]) -> Result<impl Iterator<Item = (&str, &str)>, WireError> {
    let text =
        std::str::from_utf8(body).map_err(|_| WireError::malformed("info response", "it is not UTF-8"))?;
    Ok(text
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once('\t').unwrap_or((line, ""))))
}

/// The answer to one command.
///
/// # Errors
/// A body that is not UTF-8 or has no answer to the command.
pub fn answer<'a>(body: &'a [u8], command: &str) -> Result<&'a str, WireError> {
    answers(body)?
        .find(|(name, _)| *name == command)
        .map(|(_, value)| value)
        .ok_or(WireError::malformed("info response", "a command was not answered"))
}

/// The code and text of an answer that is an error, such as `ERROR:25:enterprise only`, `FAIL:4:text` or `ERROR`, in
/// upper or lower case.
#[must_use]
pub fn error_of(value: &str) -> Option<(ResultCode, &str)> {
    let rest = ["ERROR", "FAIL"].iter().find_map(|word| {
        let (start, rest) = value.split_at_checked(word.len())?;
        start.eq_ignore_ascii_case(word).then_some(rest)
    })?;
    let rest = match rest.strip_prefix(':').or_else(|| rest.strip_prefix('=')) {
        Some(rest) => rest,
        None if rest.is_empty() => return Some((ResultCode::SERVER_ERROR, "")),
        None => return None,
    };
    // 0 would mean success.
    let code_of = |code: &str| code.parse().ok().filter(|&code| code != 0).map(ResultCode::new);
    match rest.split_once(':') {
        Some((code, text)) => Some((code_of(code).unwrap_or(ResultCode::SERVER_ERROR), text)),
        None => Some(match code_of(rest) {
            Some(code) => (code, ""),
            None => (ResultCode::SERVER_ERROR, rest),
        }),
    }
}

/// The code of an info frame that is one error instead of an answer to each command: a node sends it to clients that
/// have not logged in.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<ResultCode> {
    let line = std::str::from_utf8(body).ok()?.trim_end_matches('\n');
    if line.contains(['\n', '\t']) {
        return None;
    }
    error_of(line).map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_instead_of_answers() {
        assert_eq!(refusal(b"ERROR:80:not authenticated\n"), Some(ResultCode::NOT_AUTHENTICATED));
        for answers in ["", "\n", "node\tERROR:80:x\n", "ERROR:80:x\nnode\tA\n", "node\tA\n", "ERR"] {
            assert_eq!(refusal(answers.as_bytes()), None, "{answers}");
        }
        assert_eq!(refusal(b"ERROR:80\xff"), None);
    }

    #[test]
    fn errors_in_answers() {
        assert_eq!(error_of("ERROR:25:enterprise only"), Some((ResultCode::new(25), "enterprise only")));
        assert_eq!(error_of("FAIL:4"), Some((ResultCode::new(4), "")));
        assert_eq!(error_of("ERROR::what"), Some((ResultCode::new(1), "what")));
        assert_eq!(error_of("ERROR::"), Some((ResultCode::new(1), "")));
        assert_eq!(error_of("FAIL:"), Some((ResultCode::new(1), "")));
        assert_eq!(error_of("ERROR:0:what"), Some((ResultCode::new(1), "what")));
        assert_eq!(error_of("ERROR"), Some((ResultCode::new(1), "")));
        assert_eq!(error_of("error=what"), Some((ResultCode::new(1), "what")));
        assert_eq!(error_of("8.1.2.0"), None);
        assert_eq!(error_of("errors_total=5"), None);
    }

    #[test]
    fn answers_by_command() {
        let body = b"node\tA9\nbuild\t8.1\nempty\n";
        assert_eq!(answer(body, "build"), Ok("8.1"));
        assert_eq!(answer(body, "empty"), Ok(""));
        assert!(answer(body, "other").is_err());
        assert!(answers(b"\xff").is_err());
    }
}
