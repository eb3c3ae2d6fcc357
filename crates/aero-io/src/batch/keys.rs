//! The keys of a batch and their digests, which are computed in pages.

use std::ops::Range;
use std::sync::OnceLock;

use wire_protocol::digest::Digest;

use crate::error::Error;
use crate::key::Space;
use crate::net::buffer_cache;

/// Computes the digests of a batch's rows on demand, so that the first rows are sent while later digests are
/// computed.
pub trait DigestSource: Send + Sync + 'static {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the digests of `rows`, which are below [`DigestSource::len`], to `into`, which is empty.
    ///
    /// # Errors
    /// Keys that are invalid. The call ends with this error.
    fn digests(&self, rows: Range<usize>, into: &mut Vec<Digest>) -> Result<(), Error>;
}

impl DigestSource for Vec<Digest> {
    fn len(&self) -> usize {
        self.len()
    }

    fn digests(&self, rows: Range<usize>, into: &mut Vec<Digest>) -> Result<(), Error> {
        into.extend_from_slice(self.get(rows).unwrap_or_default());
        Ok(())
    }
}

/// Rows whose digests are computed together.
pub(crate) const PAGE: usize = 1_024;

/// The keys of a batch: a digest, a namespace and a set for each row.
pub struct BatchKeys {
    len: usize,
    source: Box<dyn DigestSource>,
    /// The digests of each [`PAGE`] rows.
    pages: Box<[OnceLock<Vec<Digest>>]>,
    spaces: Vec<Space>,
    /// The index into `spaces` for each row; `None` if all rows have the first.
    space_of: Option<Vec<u32>>,
}

impl BatchKeys {
    /// Keys of one namespace and set.
    #[must_use]
    pub fn single(space: Space, source: impl DigestSource) -> Self {
        Self::new(vec![space], None, source)
    }

    /// Keys of several namespaces and sets: row `i` has `spaces[space_of[i]]`.
    ///
    /// # Errors
    /// `space_of` must be as long as there are digests, and its numbers must be indices into `spaces`.
    pub fn mixed(spaces: Vec<Space>, space_of: Vec<u32>, source: impl DigestSource) -> Result<Self, Error> {
        if space_of.len() != source.len() {
            return Err(Error::Param {
                what: format!("{} keys, but namespaces and sets for {}", source.len(), space_of.len()),
            });
        }
        if let Some(row) = space_of.iter().position(|&space| space as usize >= spaces.len()) {
            return Err(Error::Param {
                what: format!("key {row} has space {}, but there are only {}", space_of[row], spaces.len()),
            });
        }
        let space_of = if spaces.len() == 1 { None } else { Some(space_of) };
        Ok(Self::new(spaces, space_of, source))
    }

    fn new(spaces: Vec<Space>, space_of: Option<Vec<u32>>, source: impl DigestSource) -> Self {
        let len = source.len();
        let pages = (0..len.div_ceil(PAGE)).map(|_| OnceLock::new()).collect();
        Self { len, source: Box::new(source), pages, spaces, space_of }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[must_use]
    pub fn spaces(&self) -> &[Space] {
        &self.spaces
    }

    /// The index into [`BatchKeys::spaces`] for a row; `None` if there is no such row.
    #[must_use]
    pub fn space_of(&self, row: usize) -> Option<usize> {
        match &self.space_of {
            None => (row < self.len).then_some(0),
            Some(space_of) => space_of.get(row).map(|&space| space as usize),
        }
    }

    /// The namespace, if all rows have the same.
    pub(crate) fn only_namespace(&self) -> &[u8] {
        match self.spaces.as_slice() {
            [one, rest @ ..] if rest.iter().all(|other| other.namespace == one.namespace) => &one.namespace,
            _ => &[],
        }
    }

    /// Whether all rows have the same namespace and set.
    pub(crate) fn is_single(&self) -> bool {
        self.space_of.is_none()
    }

    /// The index into [`BatchKeys::spaces`] for a row that exists.
    #[inline]
    pub(crate) fn space_index(&self, row: u32) -> usize {
        match &self.space_of {
            None => 0,
            Some(space_of) => space_of[row as usize] as usize,
        }
    }

    /// Computes the digests of `rows`, and of rows that share a page with them, unless they are known. A batch
    /// does this as it goes. Call it before if keys may be invalid, so that nothing is sent in that case.
    ///
    /// # Errors
    /// Those of the [`DigestSource`].
    pub fn compute(&self, rows: Range<usize>) -> Result<(), Error> {
        for at in rows.start / PAGE..rows.end.min(self.len).div_ceil(PAGE) {
            let Some(page) = self.pages.get(at).filter(|page| page.get().is_none()) else { continue };
            let rows = at * PAGE..self.len.min((at + 1) * PAGE);
            let mut digests = buffer_cache::DIGESTS.take();
            self.source.digests(rows.clone(), &mut digests)?;
            if digests.len() != rows.len() {
                let what =
                    format!("{} digests for the {} rows from {}", digests.len(), rows.len(), rows.start);
                return Err(Error::Param { what });
            }
            // Another thread may have stored the same digests first.
            _ = page.set(digests);
        }
        Ok(())
    }

    /// The digest of a row, if it was computed. After a batch read, all of them are.
    #[inline]
    #[must_use]
    pub fn digest(&self, row: usize) -> Option<&Digest> {
        self.pages.get(row / PAGE)?.get()?.get(row % PAGE)
    }

    /// The digest of a row.
    ///
    /// # Panics
    /// If it was not computed yet.
    #[inline]
    pub(crate) fn digest_of(&self, row: u32) -> &Digest {
        match self.digest(row as usize) {
            Some(digest) => digest,
            None => not_computed(row),
        }
    }
}

impl Drop for BatchKeys {
    fn drop(&mut self) {
        buffer_cache::DIGESTS.keep(self.pages.iter_mut().filter_map(OnceLock::take));
    }
}

#[cold]
fn not_computed(row: u32) -> ! {
    panic!("row {row} is used before its digest was computed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mixed_keys_are_checked() {
        let spaces = vec![Space::new("test", "a"), Space::new("bar", "")];
        let keys = BatchKeys::mixed(spaces.clone(), vec![1, 0], vec![[1; 20], [2; 20]]).unwrap();
        assert_eq!((keys.space_of(0), keys.space_of(1), keys.space_of(2)), (Some(1), Some(0), None));
        assert!(BatchKeys::mixed(spaces.clone(), vec![1], vec![[1; 20], [2; 20]]).is_err());
        let error = BatchKeys::mixed(spaces, vec![0, 2], vec![[1; 20], [2; 20]]).err().unwrap();
        assert_eq!(error.to_string(), "key 1 has space 2, but there are only 2");
        assert_eq!(error.code(), -2);
    }

    #[test]
    fn digests_are_computed_by_the_page() {
        let digests: Vec<Digest> = (0..2 * PAGE + 5).map(|row| [(row % 251) as u8; 20]).collect();
        let keys = BatchKeys::single(Space::new("test", "a"), digests.clone());
        assert_eq!(keys.digest(0), None);
        keys.compute(PAGE - 1..PAGE + 1).unwrap();
        keys.compute(0..1).unwrap();
        assert_eq!(keys.digest(2 * PAGE - 1), Some(&digests[2 * PAGE - 1]));
        assert_eq!(keys.digest(2 * PAGE), None);
        keys.compute(0..usize::MAX).unwrap();
        assert!((0..digests.len()).all(|row| keys.digest(row) == Some(&digests[row])));
        assert_eq!(keys.digest(digests.len()), None);

        struct Short;
        impl DigestSource for Short {
            fn len(&self) -> usize {
                3
            }
            fn digests(&self, _rows: Range<usize>, into: &mut Vec<Digest>) -> Result<(), Error> {
                into.push([0; 20]);
                Ok(())
            }
        }
        let keys = BatchKeys::single(Space::new("test", "a"), Short);
        assert!(keys.compute(0..3).unwrap_err().to_string().contains("1 digests for the 3 rows"));
    }
}
