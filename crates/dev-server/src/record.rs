//! Records, their bins kept as they go out.

use wire_protocol::message::{Op, op, write_op};

/// Most bins of a record.
pub(crate) const MAX_BINS: usize = 32_767;

/// A record. Its bins lie there as the operations of an answer, so a read copies them.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) generation: u16,
    /// The last second of its life; 0 = never ends.
    pub(crate) void_time: u32,
    /// When it was written or touched, in milliseconds.
    pub(crate) last_update: u64,
    /// Number of its set in the namespace.
    pub(crate) set: u16,
    pub(crate) n_bins: u16,
    pub(crate) bins: Box<[u8]>,
    /// Particle type and value of the user's key, where a write sent it.
    pub(crate) key: Option<Box<[u8]>>,
}

impl Record {
    pub(crate) fn is_expired(&self, now: u32) -> bool {
        self.void_time != 0 && self.void_time < now
    }

    /// The seconds that it had to live when it was written or touched last.
    pub(crate) fn life(&self) -> u32 {
        self.void_time.saturating_sub((self.last_update / 1000) as u32)
    }

    /// The bytes that its limits are counted in.
    pub(crate) fn size(&self) -> usize {
        stored_size(self.bins.len(), self.key.as_deref())
    }

    /// The bin of that name, whole and taken apart.
    #[inline]
    pub(crate) fn bin(&self, name: &[u8]) -> Option<(&[u8], Op<'_>)> {
        bins(&self.bins).find(|(_, bin)| bin.name == name)
    }
}

/// What a record counts for: its bins, its key, and something for its place in the index.
pub(crate) fn stored_size(bins: usize, key: Option<&[u8]>) -> usize {
    64 + bins + key.map_or(0, <[u8]>::len)
}

/// Walks over bins in their wire form: each one whole, and taken apart.
#[inline]
pub(crate) fn bins(bytes: &[u8]) -> impl Iterator<Item = (&[u8], Op<'_>)> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (size, body) = rest.split_first_chunk::<4>()?;
        let (body, _) = body.split_at_checked(u32::from_be_bytes(*size) as usize)?;
        let (whole, tail) = rest.split_at_checked(4 + body.len())?;
        let (&[code, particle_type, _, name_size], body) = body.split_first_chunk::<4>()?;
        let (name, value) = body.split_at_checked(usize::from(name_size))?;
        rest = tail;
        Some((whole, Op { code, particle_type, name, value }))
    })
}

/// The bins of a record while it is being written.
#[derive(Debug, Default)]
pub(crate) struct BinsDraft {
    bytes: Vec<u8>,
    count: usize,
}

impl BinsDraft {
    pub(crate) fn of(record: &Record) -> Self {
        Self { bytes: record.bins.to_vec(), count: usize::from(record.n_bins) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&self, name: &[u8]) -> Option<(&[u8], Op<'_>)> {
        bins(&self.bytes).find(|(_, bin)| bin.name == name)
    }

    /// Sets a bin; one that is there keeps its place.
    pub(crate) fn put(&mut self, name: &[u8], particle_type: u8, value: &[u8]) {
        let tail = match self.range(name) {
            Some((start, end)) => {
                let tail = self.bytes.split_off(end);
                self.bytes.truncate(start);
                tail
            }
            None => {
                self.count += 1;
                Vec::new()
            }
        };
        write_op(&mut self.bytes, op::READ, particle_type, name, value);
        self.bytes.extend_from_slice(&tail);
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        if let Some((start, end)) = self.range(name) {
            self.bytes.drain(start..end);
            self.count -= 1;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    pub(crate) fn into_bytes(self) -> Box<[u8]> {
        self.bytes.into_boxed_slice()
    }

    fn range(&self, name: &[u8]) -> Option<(usize, usize)> {
        let mut start = 0;
        for (whole, bin) in bins(&self.bytes) {
            if bin.name == name {
                return Some((start, start + whole.len()));
            }
            start += whole.len();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(draft: &BinsDraft) -> Vec<&[u8]> {
        bins(draft.bytes()).map(|(_, bin)| bin.name).collect()
    }

    #[test]
    fn bins_keep_their_places() {
        let mut draft = BinsDraft::default();
        for (name, value) in [(b"a", "1"), (b"b", "22"), (b"c", "333")] {
            draft.put(name, 3, value.as_bytes());
        }
        draft.put(b"b", 4, b"a longer one");
        assert_eq!(names(&draft), [b"a", b"b", b"c"]);
        let (_, bin) = draft.get(b"b").unwrap();
        assert_eq!((bin.particle_type, bin.value), (4, &b"a longer one"[..]));
        draft.remove(b"a");
        draft.remove(b"nobin");
        assert_eq!((names(&draft), draft.count()), (vec![&b"b"[..], b"c"], 2));
        draft.clear();
        assert_eq!((draft.bytes(), draft.count()), (&b""[..], 0));
    }

    #[test]
    fn life_ends_after_the_void_time() {
        let mut record = Record {
            generation: 1,
            void_time: 0,
            last_update: 0,
            set: 0,
            n_bins: 0,
            bins: Box::default(),
            key: None,
        };
        assert!(!record.is_expired(u32::MAX));
        record.void_time = 10;
        assert!(!record.is_expired(10));
        assert!(record.is_expired(11));
    }
}
