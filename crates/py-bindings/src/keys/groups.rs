//! Several lists of keys as one batch: a dtype for each set, or the groups of a matrix.

use std::ops::Range;
use std::sync::Arc;

use aero_io::{BatchKeys, Digest, DigestSource, Space};

use super::{Digests, KeyArena};

/// The keys of groups. The rows of a group follow each other, those of the first group first.
pub(crate) struct KeyGroups {
    arenas: Vec<Arc<KeyArena>>,
    /// The first row of each group, and the number of rows.
    starts: Vec<usize>,
}

impl KeyGroups {
    pub(crate) fn new(arenas: Vec<Arc<KeyArena>>) -> Self {
        let mut starts = vec![0];
        starts.extend(arenas.iter().scan(0, |rows, arena| {
            *rows += arena.len();
            Some(*rows)
        }));
        Self { arenas, starts }
    }

    pub(crate) fn arenas(&self) -> &[Arc<KeyArena>] {
        &self.arenas
    }

    /// The first row of each group, and the number of rows.
    pub(crate) fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The group of each of the spaces of [`KeyGroups::batch_keys`].
    pub(crate) fn groups_of_spaces(&self) -> impl Iterator<Item = usize> {
        self.arenas.iter().enumerate().flat_map(|(group, arena)| arena.spaces().iter().map(move |_| group))
    }

    /// The keys as `aero-io` takes them. A set that several groups read is a space in each of them, so that each
    /// reads its own bins.
    pub(crate) fn batch_keys(self: &Arc<Self>) -> Result<BatchKeys, aero_io::Error> {
        let (mut spaces, mut space_of) =
            (Vec::new(), Vec::with_capacity(self.starts.last().map_or(0, |n| *n)));
        for arena in &self.arenas {
            let first = spaces.len() as u32;
            spaces.extend(arena.spaces().iter().map(|(namespace, set)| Space::new(namespace, set)));
            match arena.space_of.as_slice() {
                [] => space_of.resize(space_of.len() + arena.len(), first),
                mixed => space_of.extend(mixed.iter().map(|space| first + space)),
            }
        }
        let keys = BatchKeys::mixed(spaces, space_of, GroupDigests(Arc::clone(self)))?;
        for (arena, rows) in self.arenas.iter().zip(self.starts.windows(2)) {
            if arena.has_digests {
                // A digest that does not match its primary key is refused before anything is sent.
                keys.compute(rows[0]..rows[1])?;
            }
        }
        Ok(keys)
    }
}

/// The digests of the keys of groups.
struct GroupDigests(Arc<KeyGroups>);

impl DigestSource for GroupDigests {
    fn len(&self) -> usize {
        self.0.starts.last().map_or(0, |rows| *rows)
    }

    fn digests(&self, rows: Range<usize>, into: &mut Vec<Digest>) -> Result<(), aero_io::Error> {
        let mut part = Vec::new();
        for ((group, arena), bounds) in self.0.arenas.iter().enumerate().zip(self.0.starts.windows(2)) {
            let (start, end) = (rows.start.max(bounds[0]), rows.end.min(bounds[1]));
            if start >= end {
                continue;
            }
            let digests = Digests(Arc::clone(arena)).digests(start - bounds[0]..end - bounds[0], &mut part);
            digests.map_err(|error| match error {
                aero_io::Error::Param { what } => {
                    aero_io::Error::Param { what: format!("features[{group}]: {what}") }
                }
                other => other,
            })?;
            into.append(&mut part);
        }
        Ok(())
    }
}

impl KeyArena {
    /// The rows of each group in an arena of its own. `group_of_space` has the group of each space.
    pub(crate) fn split(&self, group_of_space: &[usize], groups: usize) -> Vec<Self> {
        let mut parts: Vec<Self> = (0..groups).map(|_| Self::default()).collect();
        let mut place_of_space = Vec::with_capacity(group_of_space.len());
        for (space, &group) in self.spaces.iter().zip(group_of_space) {
            let part = &mut parts[group];
            place_of_space.push(part.spaces.len() as u32);
            part.spaces.push(space.clone());
        }
        for row in 0..self.len() {
            let space = self.space_index(row);
            let part = &mut parts[group_of_space[space]];
            part.push(self.kinds.get(row), self.bytes_of(row));
            if part.spaces.len() > 1 {
                part.space_of.push(place_of_space[space]);
            }
            if self.has_digests {
                let given = self.given.get(&row);
                part.has_digests |= given.is_some() || self.user_key(row).is_none();
                given.map(|digest| part.given.insert(part.len() - 1, *digest));
            }
        }
        parts
    }

    /// The first row whose digest belongs to another key than its primary key.
    pub(crate) fn wrong_digest(&self) -> Option<usize> {
        (0..self.len()).find(|&row| self.has_digests && self.has_wrong_digest(row))
    }
}
