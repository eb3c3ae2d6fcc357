//! The registered modules of user-defined functions. All nodes share them, as the nodes of a real cluster do.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use record_udf::{CompileError, Limits, Modules, Runtime};
use sha1::{Digest as _, Sha1};

/// What a script may use.
pub(crate) const LIMITS: Limits =
    Limits { instructions: 200_000_000, memory: 32 * 1024 * 1024, time: std::time::Duration::from_secs(1) };

/// Size of all modules together.
const MAX_SIZE: usize = 64 * 1024 * 1024;

/// The registered modules.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    modules: RwLock<Arc<Modules>>,
    /// The files that were ever registered, with their hashes, in the order of the first registration; without a hash
    /// those that are removed.
    listed: Mutex<Vec<(String, Option<String>)>>,
}

/// Why a module is not registered.
#[derive(Debug)]
pub(crate) enum PutError {
    Compile(CompileError),
    /// There is no room for it.
    Full,
}

impl Functions {
    /// The modules as they are now.
    pub(crate) fn modules(&self) -> Arc<Modules> {
        Arc::clone(&self.modules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Registers a module, or replaces it. `encoded` is the source as it was sent.
    pub(crate) fn put(&self, file: &str, source: &[u8], encoded: &str) -> Result<(), PutError> {
        Runtime::check(&self.modules(), file, source, LIMITS).map_err(PutError::Compile)?;
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut modules = Modules::clone(&self.modules());
        modules.insert(file, source);
        if modules.size() > MAX_SIZE {
            return Err(PutError::Full);
        }
        self.replace(modules);
        let hash = Some(hash(file, encoded));
        match listed.iter_mut().find(|(name, _)| name == file) {
            Some((_, old)) => *old = hash,
            None => listed.push((file.into(), hash)),
        }
        Ok(())
    }

    /// Removes a module, if it exists.
    pub(crate) fn remove(&self, file: &str) {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut modules = Modules::clone(&self.modules());
        modules.remove(file);
        self.replace(modules);
        if let Some((_, hash)) = listed.iter_mut().find(|(name, _)| name == file) {
            *hash = None;
        }
    }

    /// Name and hash of each module.
    pub(crate) fn list(&self) -> Vec<(String, String)> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.iter().filter_map(|(file, hash)| Some((file.clone(), hash.clone()?))).collect()
    }

    fn replace(&self, modules: Modules) {
        *self.modules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(modules);
    }
}

/// The hash by which the server tells versions of a module apart: that of the JSON in which it passes modules on.
fn hash(file: &str, encoded: &str) -> String {
    let mut json = format!("{{\"content64\": \"{encoded}\", \"type\": \"LUA\", \"name\": \"");
    for character in file.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            _ => json.push(character),
        }
    }
    json.push_str("\"}");
    Sha1::digest(json.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_listed_in_the_order_of_their_first_registration() {
        let functions = Functions::default();
        for file in ["b.lua", "a.lua", "c.lua"] {
            functions.put(file, b"x=1", "eD0x").unwrap();
        }
        let names = || functions.list().into_iter().map(|(file, _)| file).collect::<Vec<_>>();
        assert_eq!(names(), ["b.lua", "a.lua", "c.lua"]);
        functions.remove("b.lua");
        functions.remove("nowhere.lua");
        assert_eq!(names(), ["a.lua", "c.lua"]);
        functions.put("b.lua", b"x=2", "eD0y").unwrap();
        assert_eq!(names(), ["b.lua", "a.lua", "c.lua"]);
        assert!(matches!(functions.put("b.lua", b"x=", "eD0="), Err(PutError::Compile(_))));
        assert_eq!(functions.modules().get("b.lua").unwrap()[..], *b"x=2");
    }
}
