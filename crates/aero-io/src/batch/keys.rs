//! The keys of a batch and their digests, which are computed in pages.
//!
//! A batch whose digests are not needed later forgets a page once all its rows are settled: digests take 20 bytes a
//! row, which is much beside the values of a few numbers. What still needs one of them computes the page again.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The digests of [`PAGE`] rows.
type Page = Arc<Vec<Digest>>;

/// The keys of a batch: a digest, a namespace and a set for each row.
pub struct BatchKeys {
    len: usize,
    source: Box<dyn DigestSource>,
    /// The digests of each [`PAGE`] rows, if they are known.
    pages: Box<[Mutex<Option<Page>>]>,
    /// Whether pages are forgotten once their rows are settled.
    forgets: bool,
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
        let pages = (0..len.div_ceil(PAGE)).map(|_| Mutex::default()).collect();
        Self { len, source: Box::new(source), pages, forgets: false, spaces, space_of }
    }

    /// The same keys, whose digests are freed once their rows are settled: [`BatchKeys::digest`] does not have them
    /// after the batch.
    #[must_use]
    pub fn forgetting(mut self) -> Self {
        self.forgets = true;
        self
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
        (rows.start / PAGE..rows.end.min(self.len).div_ceil(PAGE)).try_for_each(|at| self.page(at).map(drop))
    }

    /// A page, which is computed if it is not known. An empty one, if there is no such page.
    fn page(&self, at: usize) -> Result<Page, Error> {
        let Some(place) = self.pages.get(at) else { return Ok(Page::default()) };
        if let Some(page) = &*lock(place) {
            return Ok(Arc::clone(page));
        }
        let rows = at * PAGE..self.len.min((at + 1) * PAGE);
        let mut digests = buffer_cache::DIGESTS.take();
        self.source.digests(rows.clone(), &mut digests)?;
        if digests.len() != rows.len() {
            let what = format!("{} digests for the {} rows from {}", digests.len(), rows.len(), rows.start);
            return Err(Error::Param { what });
        }
        // Another thread may have stored the same digests first.
        Ok(Arc::clone(lock(place).get_or_insert_with(|| Arc::new(digests))))
    }

    /// The digest of a row, if it is known. After a batch read, all of them are, unless the keys are
    /// [forgetting](BatchKeys::forgetting).
    #[must_use]
    pub fn digest(&self, row: usize) -> Option<Digest> {
        lock(self.pages.get(row / PAGE)?).as_ref()?.get(row % PAGE).copied()
    }

    /// The digest of a row whose page was computed before; it is computed again if it was forgotten.
    ///
    /// # Panics
    /// If its page cannot be computed.
    pub(crate) fn digest_of(&self, row: u32) -> Digest {
        let page = self.page(row as usize / PAGE).unwrap_or_else(|error| not_computed(row, &error));
        page.get(row as usize % PAGE).copied().unwrap_or_default()
    }

    /// The digests of `rows`, whose pages were computed before; those that were forgotten are computed again.
    ///
    /// # Panics
    /// If a page cannot be computed.
    pub(crate) fn digests_of(&self, rows: &[u32]) -> RowDigests {
        let (mut digests, mut last) = (RowDigests::default(), None);
        for &row in rows {
            let at = row as usize / PAGE;
            if last != Some(at) {
                digests.add(at, || self.page(at).unwrap_or_else(|error| not_computed(row, &error)));
                last = Some(at);
            }
        }
        digests
    }

    /// Whether [`BatchKeys::forget`] does anything.
    pub(crate) fn is_forgetting(&self) -> bool {
        self.forgets
    }

    /// Frees the digests of a page, unless they are in use.
    pub(crate) fn forget(&self, at: usize) {
        if self.forgets
            && let Some(page) = self.pages.get(at).and_then(|place| lock(place).take())
        {
            buffer_cache::DIGESTS.keep(Arc::into_inner(page).into_iter());
        }
    }
}

fn lock(place: &Mutex<Option<Page>>) -> MutexGuard<'_, Option<Page>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for BatchKeys {
    fn drop(&mut self) {
        let pages = self.pages.iter_mut().filter_map(|place| lock(place).take());
        buffer_cache::DIGESTS.keep(pages.filter_map(Arc::into_inner));
    }
}

/// The digests of some rows of a batch, which are kept meanwhile.
#[derive(Default)]
pub(crate) struct RowDigests {
    /// The first page, and the pages from there on; `None` for those without any of the rows.
    first: usize,
    pages: VecDeque<Option<Page>>,
}

impl RowDigests {
    fn add(&mut self, at: usize, page: impl FnOnce() -> Page) {
        if self.pages.is_empty() {
            self.first = at;
        }
        while at < self.first {
            self.pages.push_front(None);
            self.first -= 1;
        }
        while at >= self.first + self.pages.len() {
            self.pages.push_back(None);
        }
        if let Some(place) = self.pages.get_mut(at - self.first) {
            place.get_or_insert_with(page);
        }
    }

    /// The digest of one of the rows.
    ///
    /// # Panics
    /// If it is none of them.
    #[inline]
    pub(crate) fn of(&self, row: u32) -> &Digest {
        let at = (row as usize / PAGE).wrapping_sub(self.first);
        match self.pages.get(at).and_then(Option::as_ref).and_then(|page| page.get(row as usize % PAGE)) {
            Some(digest) => digest,
            None => panic!("row {row} has no digest here"),
        }
    }
}

#[cold]
fn not_computed(row: u32, error: &Error) -> ! {
    panic!("row {row} is used, but its digest cannot be computed: {error}")
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
        assert_eq!(keys.digest(2 * PAGE - 1), Some(digests[2 * PAGE - 1]));
        assert_eq!(keys.digest(2 * PAGE), None);
        keys.compute(0..usize::MAX).unwrap();
        assert!((0..digests.len()).all(|row| keys.digest(row) == Some(digests[row])));
        assert_eq!(keys.digest(digests.len()), None);

        keys.forget(1);
        assert_eq!(keys.digest(PAGE), Some(digests[PAGE]), "these keys forget nothing");

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
    #[test]
    fn forgotten_digests_are_computed_again() {
        let digests: Vec<Digest> = (0..3 * PAGE).map(|row| [(row % 251) as u8; 20]).collect();
        let keys = BatchKeys::single(Space::new("test", "a"), digests.clone()).forgetting();
        keys.compute(0..3 * PAGE).unwrap();
        let used = keys.digests_of(&[1, PAGE as u32 + 1]);
        keys.forget(0);
        keys.forget(1);
        keys.forget(99);
        assert_eq!((keys.digest(1), keys.digest(2 * PAGE)), (None, Some(digests[2 * PAGE])));
        assert_eq!((used.of(1), used.of(PAGE as u32 + 1)), (&digests[1], &digests[PAGE + 1]), "in use");
        let scattered = [2 * PAGE as u32 + 5, 7, PAGE as u32, 8];
        let again = keys.digests_of(&scattered);
        assert!(scattered.iter().all(|&row| *again.of(row) == digests[row as usize]));
        assert_eq!(keys.digest_of(3), digests[3]);
    }
}
