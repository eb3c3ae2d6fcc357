//! What integer steps of paths go into, as a client has seen it: maps, whose keys they are, or lists, whose indexes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use record_decode::{Container, Step};

use crate::core::bounded_map::BoundedMap;

/// How many steps are remembered. When there are more, all are forgotten.
const REMEMBERED: usize = 1_024;

/// The containers that a client knows.
#[derive(Default)]
pub(crate) struct KnownContainers(Mutex<BoundedMap<Place, Container, REMEMBERED>>);

/// A bin of some sets, and the steps before an integer step, as a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) fn new(spaces: &[(String, String)], bin: &str, steps: &[Step]) -> Self {
        let mut hasher = DefaultHasher::new();
        (spaces, bin, steps).hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl KnownContainers {
    fn known(&self) -> MutexGuard<'_, BoundedMap<Place, Container, REMEMBERED>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, place: Place) -> Option<Container> {
        self.known().get(&place).copied()
    }

    pub(crate) fn add(&self, place: Place, container: Container) {
        self.known().entry(place).insert_entry(container);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_known_by_place() {
        let known = KnownContainers::default();
        let place = |set: &str, steps: &[Step]| Place::new(&[("test".into(), set.into())], "bin", steps);
        known.add(place("a", &[]), Container::List);
        known.add(place("a", &[Step::Int(1)]), Container::Map);
        assert_eq!(known.get(place("a", &[])), Some(Container::List));
        assert_eq!(known.get(place("a", &[Step::Int(1)])), Some(Container::Map));
        assert_eq!(known.get(place("b", &[])), None);
        for step in 0..3 * REMEMBERED as i64 {
            known.add(place("a", &[Step::Int(step)]), Container::Map);
        }
        assert!(known.known().len() <= REMEMBERED);
    }
}
