//! The indexes of a namespace.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use crate::state::store::index::definition::Definition;

/// The largest number of indexes of a namespace: the real server's limit.
pub(crate) const MAX_INDEXES: usize = 256;

/// An index, and how far it has been built. Its entries are in the shards.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) definition: Definition,
    /// Whether it has the entries of all shards, so that queries may use it.
    is_ready: AtomicBool,
    /// Whether it was dropped. What still works on it stops.
    is_dropped: AtomicBool,
    built_shards: AtomicUsize,
    /// How long it took to build it, in milliseconds.
    build_millis: AtomicU64,
    /// As measured when it was built.
    entries_per_value: AtomicU64,
    entries_per_record: AtomicU64,
}

/// What is known about a finished build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuildReport {
    pub(crate) millis: u64,
    pub(crate) entries_per_value: u64,
    pub(crate) entries_per_record: u64,
}

impl Index {
    pub(crate) fn new(definition: Definition) -> Self {
        Self {
            definition,
            is_ready: AtomicBool::new(false),
            is_dropped: AtomicBool::new(false),
            built_shards: AtomicUsize::new(0),
            build_millis: AtomicU64::new(0),
            entries_per_value: AtomicU64::new(0),
            entries_per_record: AtomicU64::new(0),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::Acquire)
    }

    pub(crate) fn report(&self) -> BuildReport {
        BuildReport {
            millis: self.build_millis.load(Ordering::Relaxed),
            entries_per_value: self.entries_per_value.load(Ordering::Relaxed),
            entries_per_record: self.entries_per_record.load(Ordering::Relaxed),
        }
    }

    /// How much of it has been built, in per cent.
    pub(crate) fn progress(&self, shards: usize) -> usize {
        if self.is_ready() {
            return 100;
        }
        (self.built_shards.load(Ordering::Relaxed) * 100 / shards.max(1)).min(99)
    }
}

/// Measures a build and finishes it.
pub(crate) struct Build {
    pub(crate) index: Arc<Index>,
    start: Instant,
    records: u64,
    /// The keys of all entries.
    keys: Vec<u64>,
}

impl Build {
    pub(crate) fn new(index: Arc<Index>) -> Self {
        Self { index, start: Instant::now(), records: 0, keys: Vec::new() }
    }

    /// Counts a shard whose entries have been built.
    pub(crate) fn add_shard(&mut self, records: u64, keys: impl Iterator<Item = u64>) {
        self.records += records;
        self.keys.extend(keys);
        self.index.built_shards.fetch_add(1, Ordering::Relaxed);
    }

    /// Makes the index ready.
    pub(crate) fn finish(mut self) {
        let entries = self.keys.len() as u64;
        self.keys.sort_unstable();
        self.keys.dedup();
        let rounded = |by: u64| (entries + by / 2).checked_div(by).unwrap_or(0);
        let index = &self.index;
        index.entries_per_value.store(rounded(self.keys.len() as u64), Ordering::Relaxed);
        index.entries_per_record.store(rounded(self.records), Ordering::Relaxed);
        // A namespace without records takes no time, and says so.
        let millis = if entries == 0 && self.records == 0 { 0 } else { self.start.elapsed().as_millis() };
        index.build_millis.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
        index.is_ready.store(true, Ordering::Release);
    }
}

/// An index under its name.
#[derive(Clone, Debug)]
pub(crate) struct NamedIndex {
    pub(crate) name: String,
    /// How clients wrote the context or the expression, in base64.
    pub(crate) text: Option<String>,
    pub(crate) index: Arc<Index>,
}

/// What became of a request to create an index.
#[derive(Clone, Debug)]
pub(crate) enum Creation {
    /// It is new and has to be built.
    Created(Arc<Index>),
    /// The same index exists, under this name or, until now, under another one.
    Exists,
    /// The name belongs to an index with another definition.
    NameTaken,
    TooMany,
}

/// The indexes of a namespace, by position. A position that is free is used again, as in the server.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    slots: RwLock<Vec<Option<NamedIndex>>>,
}

impl Indexes {
    pub(crate) fn create(&self, name: &str, text: Option<&str>, definition: Definition) -> Creation {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(named) = slots.iter().flatten().find(|named| named.name == name) {
            let is_same = named.index.definition == definition && named.text.as_deref() == text;
            return if is_same { Creation::Exists } else { Creation::NameTaken };
        }
        if let Some(named) = slots.iter_mut().flatten().find(|named| named.index.definition == definition) {
            name.clone_into(&mut named.name);
            return Creation::Exists;
        }
        let at = slots.iter().position(Option::is_none).unwrap_or(slots.len());
        if at >= MAX_INDEXES {
            return Creation::TooMany;
        }
        let index = Arc::new(Index::new(definition));
        let named =
            NamedIndex { name: name.to_owned(), text: text.map(str::to_owned), index: Arc::clone(&index) };
        match slots.get_mut(at) {
            Some(slot) => *slot = Some(named),
            None => slots.push(Some(named)),
        }
        Creation::Created(index)
    }

    /// Takes an index out, if it exists. Its entries have to be removed from the shards then.
    pub(crate) fn drop(&self, name: &str) -> Option<Arc<Index>> {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.iter_mut().find(|slot| slot.as_ref().is_some_and(|named| named.name == name))?;
        let named = slot.take()?;
        named.index.is_dropped.store(true, Ordering::Release);
        Some(named.index)
    }

    pub(crate) fn all(&self) -> Vec<NamedIndex> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).iter().flatten().cloned().collect()
    }

    pub(crate) fn by_name(&self, name: &[u8]) -> Option<NamedIndex> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().flatten().find(|named| named.name.as_bytes() == name).cloned()
    }

    /// The index with this definition, or, like the server, that of the whole namespace.
    pub(crate) fn by_definition(&self, definition: &Definition) -> Option<NamedIndex> {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let find = |definition: &Definition| {
            slots.iter().flatten().find(|named| named.index.definition == *definition).cloned()
        };
        find(definition).or_else(|| find(&Definition { set: None, ..definition.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::store::index::definition::{Elements, Source, ValueType};

    fn definition(bin: &str, set: Option<u16>) -> Definition {
        Definition {
            set,
            source: Source::Bin(bin.as_bytes().into()),
            context: None,
            elements: Elements::Whole,
            kind: ValueType::Numeric,
        }
    }

    #[test]
    fn names_and_definitions_are_unique() {
        let indexes = Indexes::default();
        assert!(matches!(indexes.create("a", None, definition("x", None)), Creation::Created(_)));
        assert!(matches!(indexes.create("a", None, definition("x", None)), Creation::Exists));
        assert!(matches!(indexes.create("a", None, definition("y", None)), Creation::NameTaken));
        // The same definition under another name renames the index.
        assert!(matches!(indexes.create("b", None, definition("x", None)), Creation::Exists));
        assert!(indexes.by_name(b"a").is_none() && indexes.by_name(b"b").is_some());
        assert!(matches!(indexes.create("c", None, definition("x", Some(1))), Creation::Created(_)));
        assert_eq!(indexes.by_definition(&definition("x", Some(1))).unwrap().name, "c");
        assert_eq!(indexes.by_definition(&definition("x", Some(2))).unwrap().name, "b");
        assert!(indexes.by_definition(&definition("y", None)).is_none());
        assert!(indexes.drop("none").is_none());
        assert!(indexes.drop("b").unwrap().is_dropped());
        assert!(matches!(indexes.create("d", None, definition("z", None)), Creation::Created(_)));
        let names: Vec<_> = indexes.all().into_iter().map(|named| named.name).collect();
        assert_eq!(names, ["d", "c"]);
    }

    #[test]
    fn the_number_of_indexes_is_bounded() {
        let indexes = Indexes::default();
        for i in 0..MAX_INDEXES {
            let bin = format!("b{i}");
            assert!(matches!(indexes.create(&bin, None, definition(&bin, None)), Creation::Created(_)));
        }
        assert!(matches!(indexes.create("one", None, definition("more", None)), Creation::TooMany));
        assert!(matches!(indexes.create("renamed", None, definition("b7", None)), Creation::Exists));
    }

    #[test]
    fn a_build_is_measured() {
        let index = Arc::new(Index::new(definition("x", None)));
        let mut build = Build::new(Arc::clone(&index));
        assert_eq!((index.is_ready(), index.progress(2)), (false, 0));
        build.add_shard(2, [1, 2, 2, 3].into_iter());
        assert_eq!(index.progress(2), 50);
        build.add_shard(0, [2].into_iter());
        build.finish();
        assert_eq!((index.is_ready(), index.progress(2)), (true, 100));
        let BuildReport { entries_per_value, entries_per_record, .. } = index.report();
        assert_eq!((entries_per_value, entries_per_record), (2, 3));
    }
}
