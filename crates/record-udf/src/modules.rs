//! The registered modules.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

/// The registered modules, by the names of their files.
#[derive(Clone, Debug, Default)]
pub struct Modules {
    files: BTreeMap<String, Arc<[u8]>>,
}

/// The ending of files that functions can be applied from.
const LUA: &str = ".lua";

impl Modules {
    /// Adds or replaces a file.
    pub fn insert(&mut self, file: &str, source: &[u8]) {
        self.files.insert(file.into(), source.into());
    }

    /// Removes a file, if it exists.
    pub fn remove(&mut self, file: &str) {
        self.files.remove(file);
    }

    /// The source of a file.
    #[must_use]
    pub fn get(&self, file: &str) -> Option<&Arc<[u8]>> {
        self.files.get(file)
    }

    /// The files and their sources, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(file, source)| (file.as_str(), &**source))
    }

    /// The number of bytes of all sources.
    #[must_use]
    pub fn size(&self) -> usize {
        self.files.values().map(|source| source.len()).sum()
    }

    /// The source of a module, which is named without the ending of its file.
    pub(crate) fn module(&self, name: &str) -> Option<Arc<[u8]>> {
        self.files.get(&format!("{name}{LUA}")).cloned()
    }
}

/// Why a module is refused, as a server says it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {message}")]
pub struct CompileError {
    /// The file; empty if the error does not say.
    pub file: String,
    /// The line; 0 if the error does not say.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

impl CompileError {
    /// Takes file and line from a message of Lua: `[string "file"]:line: text`.
    pub(crate) fn parse(message: &str) -> Self {
        let parsed = || {
            let (file, rest) = message.strip_prefix("[string \"")?.split_once('"')?;
            let (line, text) = rest.split_once(':')?.1.split_once(':')?;
            Some(Self {
                file: file.into(),
                line: line.parse().ok()?,
                message: text.strip_prefix(' ').unwrap_or(text).into(),
            })
        };
        parsed().unwrap_or_else(|| Self {
            file: String::new(),
            line: 0,
            message: message.lines().next().unwrap_or_default().chars().take(256).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_file_and_line() {
        let error = CompileError::parse("[string \"m.lua\"]:2: ')' expected near '='");
        assert_eq!((&*error.file, error.line, &*error.message), ("m.lua", 2, "')' expected near '='"));
        assert_eq!(error.to_string(), "m.lua:2: ')' expected near '='");
        let error = CompileError::parse("no position\nmore");
        assert_eq!((&*error.file, error.line, &*error.message), ("", 0, "no position"));
        for broken in ["[string \"", "[string \"a\"]", "[string \"a\"]:x: y", ""] {
            assert_eq!(CompileError::parse(broken).line, 0, "{broken}");
        }
    }
}
