//! Info commands about the modules of user-defined functions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::error::WireError;

/// The command that registers a module.
#[must_use]
pub fn put_module(file: &str, source: &[u8]) -> String {
    let content = STANDARD.encode(source);
    format!("udf-put:filename={file};content={content};content-len={};udf-type=LUA;", content.len())
}

/// The command that removes a module. Servers answer `ok` also where there is none.
#[must_use]
pub fn remove_module(file: &str) -> String {
    format!("udf-remove:filename={file};")
}

/// The command for the source of a module.
#[must_use]
pub fn get_module(file: &str) -> String {
    format!("udf-get:filename={file};")
}

/// The command that lists the modules.
pub const LIST_MODULES: &str = "udf-list";

/// A registered module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleInfo {
    /// The name of its file.
    pub file: String,
    /// A hash of its source, in hexadecimal.
    pub hash: String,
}

/// The modules in the answer to [`LIST_MODULES`].
///
/// # Errors
/// An entry without a name.
pub fn parse_modules(answer: &str) -> Result<Vec<ModuleInfo>, WireError> {
    let entries = answer.trim().split(';').filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let value =
                |key: &str| entry.split(',').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
            let file = value("filename").ok_or(WireError::malformed("udf-list", "a module has no name"))?;
            Ok(ModuleInfo { file: file.into(), hash: value("hash").unwrap_or_default().into() })
        })
        .collect()
}

/// The source in the answer to [`get_module`]; `None` if it has none.
///
/// # Errors
/// A source that is not base64.
pub fn parse_module(answer: &str) -> Result<Option<Vec<u8>>, WireError> {
    let content = answer.split(';').find_map(|pair| pair.strip_prefix("content="));
    let decode = |content: &str| {
        STANDARD.decode(content).map_err(|_| WireError::malformed("udf-get", "the source is not base64"))
    };
    content.map(decode).transpose()
}

/// Why a server refuses a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleError {
    /// The server's word for it, such as `compile_error`.
    pub reason: String,
    /// Where the module does not compile.
    pub line: Option<u32>,
    /// What is wrong there.
    pub message: String,
}

/// The error in an answer about modules; `None` if it is not one.
#[must_use]
pub fn module_error(answer: &str) -> Option<ModuleError> {
    let value = |key: &str| answer.split(';').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
    let reason = value("error")?;
    let message = value("message").and_then(|message| STANDARD.decode(message).ok()).unwrap_or_default();
    Some(ModuleError {
        reason: reason.into(),
        line: value("line").and_then(|line| line.parse().ok()).filter(|&line| line != 0),
        message: String::from_utf8_lossy(&message).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_answers_are_those_of_a_server() {
        assert_eq!(
            put_module("m.lua", b"x=1"),
            "udf-put:filename=m.lua;content=eD0x;content-len=4;udf-type=LUA;"
        );
        let listed =
            parse_modules("filename=a.lua,hash=78,type=LUA;filename=b.lua,hash=9b,type=LUA;").unwrap();
        assert_eq!(
            listed.iter().map(|one| (&*one.file, &*one.hash)).collect::<Vec<_>>(),
            [("a.lua", "78"), ("b.lua", "9b")]
        );
        assert_eq!(parse_modules("").unwrap(), []);
        assert!(parse_modules("hash=1;").is_err());
        assert_eq!(parse_module("type=LUA;content=eD0x;").unwrap(), Some(b"x=1".to_vec()));
        assert_eq!(parse_module("error=not_found").unwrap(), None);
        assert!(parse_module("content=*;").is_err());
        let error = module_error("error=compile_error;file=m.lua;line=2;message=Ym9vbQ==").unwrap();
        assert_eq!((&*error.reason, error.line, &*error.message), ("compile_error", Some(2), "boom"));
        assert_eq!(module_error("ok"), None);
    }
}
