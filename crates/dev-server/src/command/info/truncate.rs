//! Truncation: removing the records of a set or namespace that were written before some time.
//!
//! All nodes share one store, so a truncation takes effect on all of them at once. The nodes of a real
//! cluster pass it on to each other.

use crate::command::info::parameters::{
    MAX_NAMESPACE, MAX_SET, NAMESPACE, number_in_c, optional, parameter, required,
};
use crate::state::clock::EPOCH;
use crate::state::store::Store;

/// Length of the longest time.
const MAX_TIME: usize = 23;

/// What a command truncates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Set,
    Namespace,
}

/// Removes the records last written before `lut` (in nanoseconds since 1970), or all if it is not given.
/// Returns the answer.
pub(super) fn truncate(store: &Store, parameters: &str, target: Target) -> String {
    match Truncation::parse(parameters, target).and_then(|truncation| truncation.apply(store)) {
        Ok(()) => "ok".into(),
        Err(error) => error,
    }
}

/// Resets the time of the last truncation. Does not bring records back. Returns the answer.
pub(super) fn undo(store: &Store, parameters: &str, target: Target) -> String {
    match Truncation::parse(parameters, target) {
        Ok(truncation) => {
            if let Some(namespace) = store.namespace(truncation.namespace.as_bytes()) {
                namespace.set_truncated(truncation.set.map(str::as_bytes), 0);
            }
            "ok".into()
        }
        Err(error) => error,
    }
}

/// The parameters of a command.
struct Truncation<'a> {
    namespace: &'a str,
    set: Option<&'a str>,
    time: Option<&'a str>,
}

impl<'a> Truncation<'a> {
    fn parse(parameters: &'a str, target: Target) -> Result<Self, String> {
        let namespace = required(parameters, NAMESPACE, MAX_NAMESPACE)?;
        let set = match target {
            Target::Set => Some(required(parameters, "set", MAX_SET)?),
            // Likely a mistake for the command that truncates a set.
            Target::Namespace if parameter(parameters, "set").is_some() => {
                return Err("ERROR:4:unexpected set name".into());
            }
            Target::Namespace => None,
        };
        Ok(Self { namespace, set, time: optional(parameters, "lut", MAX_TIME)? })
    }

    fn apply(self, store: &Store) -> Result<(), String> {
        let now = store.clock.millis();
        let before = match self.time {
            Some(text) => {
                let before = (number_in_c(text) / 1_000_000).saturating_sub(EPOCH as u64 * 1000);
                if before == 0 {
                    return Err("ERROR:4:would truncate to 0".into());
                }
                if before > now {
                    return Err("ERROR:4:would truncate in the future".into());
                }
                before
            }
            // Includes records written in this millisecond.
            None => now + 1,
        };
        // Like the server, accept unknown namespaces and sets.
        if let Some(namespace) = store.namespace(self.namespace.as_bytes()) {
            namespace.truncate(self.set.map(str::as_bytes), before, before.min(now));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn errors_are_those_of_the_server() {
        let store = Store::new(&Config::default());
        let set = |parameters: &str| truncate(&store, parameters, Target::Set);
        let all = |parameters: &str| truncate(&store, parameters, Target::Namespace);
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
        assert_eq!(undo(&store, "namespace=test;set=x", Target::Set), "ok");
        assert_eq!(undo(&store, "set=x", Target::Namespace), "ERROR:20:missing 'namespace'");
    }
}
