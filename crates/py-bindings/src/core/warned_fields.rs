//! The missing fields that a client has warned of.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use arrow_columns::ColumnPlan;
use record_decode::Plan;

use crate::core::bounded_map::BoundedMap;

/// How many kinds of reads are remembered. When there are more, all are forgotten.
const REMEMBERED: usize = 256;

/// The fields that no record had, and that the user has been warned of. A program that reads optional bins in many
/// small batches is warned once of each, not in every call.
#[derive(Default)]
pub(crate) struct WarnedFields(Mutex<BoundedMap<ReadKind, Vec<Box<str>>, REMEMBERED>>);

/// What fields or columns read: bins and what is in them.
pub(crate) trait Reads {
    fn hash_reads(&self, hasher: &mut DefaultHasher);
}

impl Reads for Plan {
    fn hash_reads(&self, hasher: &mut DefaultHasher) {
        self.bin_names().for_each(|bin| bin.hash(hasher));
        self.leaf_names().for_each(|leaf| leaf.hash(hasher));
        self.paths().for_each(|path| path.hash(hasher));
    }
}

impl Reads for ColumnPlan {
    fn hash_reads(&self, hasher: &mut DefaultHasher) {
        self.bin_names().for_each(|bin| bin.hash(hasher));
        self.paths().for_each(|path| path.hash(hasher));
    }
}

/// Reads of the same parts of the same bins from the same sets, as a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ReadKind(u64);

impl ReadKind {
    /// `reads` is None for columns that are inferred: they read whole bins that are there.
    pub(crate) fn new(reads: Option<&impl Reads>, spaces: &[(String, String)]) -> Self {
        let mut hasher = DefaultHasher::new();
        if let Some(reads) = reads {
            reads.hash_reads(&mut hasher);
        }
        spaces.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl WarnedFields {
    fn fields(&self) -> MutexGuard<'_, BoundedMap<ReadKind, Vec<Box<str>>, REMEMBERED>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the fields that the user has been warned of.
    pub(crate) fn retain_new(&self, kind: ReadKind, missing: &mut Vec<Box<str>>) {
        if let Some(known) = self.fields().get(&kind) {
            missing.retain(|field| !known.contains(field));
        }
    }

    /// Notes that the user has been warned of these fields.
    pub(crate) fn add(&self, kind: ReadKind, fields: Vec<Box<str>>) {
        self.fields().entry(kind).or_default().extend(fields);
    }
}

/// The new missing fields of a call. They count as known once the user has been warned.
#[derive(Default)]
pub(crate) struct NewFields(Vec<(ReadKind, Vec<Box<str>>)>);

impl NewFields {
    /// Removes the known ones from the missing fields of a read, and notes the others.
    pub(crate) fn note(
        &mut self,
        warned: &WarnedFields,
        plan: &Plan,
        spaces: &[(String, String)],
        missing: &mut Vec<Box<str>>,
    ) {
        if !missing.is_empty() {
            let kind = ReadKind::new(Some(plan), spaces);
            warned.retain_new(kind, missing);
            self.0.push((kind, missing.clone()));
        }
    }

    /// Call it after the warning, and not if that was raised as an error: the next call raises it again.
    pub(crate) fn add_to(self, warned: &WarnedFields) {
        self.0.into_iter().for_each(|(kind, fields)| warned.add(kind, fields));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bins<'a>(&'a [&'a str]);

    impl Reads for Bins<'_> {
        fn hash_reads(&self, hasher: &mut DefaultHasher) {
            self.0.hash(hasher);
        }
    }

    fn kind(bins: &[&str], set: &str) -> ReadKind {
        ReadKind::new(Some(&Bins(bins)), &[("test".into(), set.into())])
    }

    #[test]
    fn each_field_is_new_once_for_each_kind_of_read() {
        let warned = WarnedFields::default();
        let reads = kind(&["a", "b"], "s");
        let mut missing = vec!["a".into()];
        warned.retain_new(reads, &mut missing);
        assert_eq!(missing, ["a".into()]);
        warned.add(reads, missing);
        let mut missing = vec!["a".into(), "b".into()];
        warned.retain_new(reads, &mut missing);
        assert_eq!(missing, ["b".into()]);
        for other in [kind(&["a", "b"], "t"), kind(&["a"], "s"), kind(&["ab"], "s")] {
            let mut missing = vec!["a".into()];
            warned.retain_new(other, &mut missing);
            assert_eq!(missing.len(), 1);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let warned = WarnedFields::default();
        for set in 0..3 * REMEMBERED {
            warned.add(kind(&["a"], &set.to_string()), vec!["a".into()]);
        }
        assert!(warned.fields().len() <= REMEMBERED);
    }
}
