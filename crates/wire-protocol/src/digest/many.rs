//! Digests of many keys at a time.

use super::lanes::{self, Vectors};
use super::{DIGEST_LEN, Digest, UserKey};

/// The digests of many keys, each with its set. Several are computed at a time with vector instructions, in a fraction
/// of the time.
#[must_use]
pub fn digests<'k>(keys: impl ExactSizeIterator<Item = (&'k [u8], UserKey<'k>)>) -> Vec<Digest> {
    let mut all = Vec::new();
    digests_into(keys, &mut all);
    all
}

/// [`digests`] into a buffer, replacing its content.
pub fn digests_into<'k>(
    keys: impl ExactSizeIterator<Item = (&'k [u8], UserKey<'k>)>,
    into: &mut Vec<Digest>,
) {
    digests_by(Vectors::available().next(), keys, into);
}

/// The digests of many keys with the given instructions, or one by one. For tests and benches, which run every variant
/// and not only the one that is fastest on this CPU.
#[doc(hidden)]
pub fn digests_by<'k>(
    vectors: Option<Vectors>,
    keys: impl ExactSizeIterator<Item = (&'k [u8], UserKey<'k>)>,
    digests: &mut Vec<Digest>,
) {
    digests.clear();
    digests.resize(keys.len(), [0; DIGEST_LEN]);
    let Some(vectors) = vectors else {
        for (digest, (set, key)) in digests.iter_mut().zip(keys) {
            *digest = key.digest(set);
        }
        return;
    };
    let mut lanes = Lanes::new(vectors);
    for (row, (set, key)) in keys.enumerate() {
        if !lanes.push(row, set, &key) {
            digests[row] = key.digest(set);
        } else if lanes.is_full() {
            lanes.flush(digests);
        }
    }
    lanes.flush(digests);
}

/// Copies at most as many bytes as a block has, as two pieces of one size that may overlap. A call of `memcpy` would
/// cost more than the copying, and the compiler turns a loop into such a call.
#[inline]
fn put_short(place: &mut [u8], value: &[u8]) {
    let is_put = put_ends::<32>(place, value)
        || put_ends::<16>(place, value)
        || put_ends::<8>(place, value)
        || put_ends::<4>(place, value);
    if !is_put {
        for (place, byte) in place.iter_mut().zip(value) {
            *place = *byte;
        }
    }
}

/// Copies the first and the last `LEN` bytes: all bytes of a value of at most twice that length. Returns false if the
/// value is shorter than `LEN`.
#[inline]
fn put_ends<const LEN: usize>(place: &mut [u8], value: &[u8]) -> bool {
    let (Some(first), Some(last)) = (value.first_chunk::<LEN>(), value.last_chunk::<LEN>()) else {
        return false;
    };
    if let Some(place) = place.first_chunk_mut() {
        *place = *first;
    }
    if let Some(place) = place.last_chunk_mut() {
        *place = *last;
    }
    true
}

/// The longest message that fits one block, whose padding takes nine bytes.
const MAX_MESSAGE: usize = 64 - 9;

/// Messages that are collected to be hashed together, one in each lane.
struct Lanes<'k> {
    vectors: Vectors,
    /// The messages, padded.
    messages: lanes::Messages,
    /// The digests of the messages, filled by [`Lanes::flush`].
    hashed: lanes::Digests,
    /// The row of each message.
    rows: [usize; lanes::MOST],
    len: usize,
    /// The set of the previous key. Runs of keys of one set are common.
    set: &'k [u8],
    /// A message with that set and nothing else.
    beginning: [u8; 64],
}

impl<'k> Lanes<'k> {
    fn new(vectors: Vectors) -> Self {
        Self {
            vectors,
            messages: [[[0; 64]; 8]; lanes::EIGHTS],
            hashed: [[[0; DIGEST_LEN]; 8]; lanes::EIGHTS],
            rows: [0; lanes::MOST],
            len: 0,
            set: &[],
            beginning: [0; 64],
        }
    }

    fn is_full(&self) -> bool {
        self.len == self.vectors.lanes()
    }

    /// Adds the message of a key; returns false if it is too long for one block.
    #[inline]
    fn push(&mut self, row: usize, set: &'k [u8], key: &UserKey<'_>) -> bool {
        let int;
        let value: &[u8] = match key {
            UserKey::Int(value) => {
                int = value.to_be_bytes();
                &int
            }
            UserKey::Str(bytes) | UserKey::Blob(bytes) => bytes,
        };
        let end = set.len() + 1 + value.len();
        if end > MAX_MESSAGE {
            return false;
        }
        if !std::ptr::eq(set, self.set) {
            self.beginning = [0; 64];
            self.beginning[..set.len()].copy_from_slice(set);
            self.set = set;
        }
        let message = &mut self.messages.as_flattened_mut()[self.len];
        *message = self.beginning;
        message[set.len()] = key.particle_type();
        put_short(&mut message[set.len() + 1..end], value);
        message[end] = 0x80;
        message[56..].copy_from_slice(&(end as u64 * 8).to_le_bytes());
        self.rows[self.len] = row;
        self.len += 1;
        true
    }

    /// Hashes the collected messages and writes the digests to their rows.
    fn flush(&mut self, digests: &mut [Digest]) {
        if self.len == 0 {
            return;
        }
        self.vectors.hash(&self.messages, &mut self.hashed);
        for (&row, digest) in self.rows[..self.len].iter().zip(self.hashed.as_flattened()) {
            digests[row] = *digest;
        }
        self.len = 0;
    }
}
