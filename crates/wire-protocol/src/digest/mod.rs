//! Record digests: what the server knows a key by.

use ripemd::{Digest as _, Ripemd160};

use crate::error::WireError;
use crate::particle::{Particle, particle_type};

mod lanes;

#[doc(hidden)]
pub use self::lanes::Vectors;

/// Bytes of a digest.
pub const DIGEST_LEN: usize = 20;

/// Partitions of a namespace.
pub const PARTITIONS: usize = 4096;

/// A record's digest.
pub type Digest = [u8; DIGEST_LEN];

/// A user's key, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserKey<'a> {
    /// A 64-bit integer.
    Int(i64),
    /// Text, UTF-8.
    Str(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

impl<'a> UserKey<'a> {
    /// Reads the data of a field that has a user's key: its particle type, then its value.
    ///
    /// # Errors
    /// No type, a type that no key has, an integer that is not 8 bytes long.
    pub fn parse(data: &'a [u8]) -> Result<Self, WireError> {
        let (&kind, value) = data.split_first().ok_or(WireError::Truncated { what: "a user's key" })?;
        match Particle::parse(kind, value)? {
            Particle::Int(value) => Ok(Self::Int(value)),
            Particle::Str(bytes) => Ok(Self::Str(bytes)),
            Particle::Blob(bytes) => Ok(Self::Blob(bytes)),
            _ => Err(WireError::malformed("user's key", "it is neither integer nor string nor blob")),
        }
    }
}

impl UserKey<'_> {
    /// The particle type that the key counts as.
    #[must_use]
    pub fn particle_type(&self) -> u8 {
        match self {
            Self::Int(_) => particle_type::INTEGER,
            Self::Str(_) => particle_type::STRING,
            Self::Blob(_) => particle_type::BLOB,
        }
    }

    /// The key's digest in a set: RIPEMD-160 over set name, particle type and value.
    #[must_use]
    pub fn digest(&self, set: &[u8]) -> Digest {
        let mut hash = Ripemd160::new();
        hash.update(set);
        hash.update([self.particle_type()]);
        match self {
            Self::Int(value) => hash.update(value.to_be_bytes()),
            Self::Str(bytes) | Self::Blob(bytes) => hash.update(bytes),
        }
        hash.finalize().into()
    }
}

/// The digests of many keys, each with its set: several at a time, which costs a fraction of one by one.
#[must_use]
pub fn digests<'k>(keys: impl ExactSizeIterator<Item = (&'k [u8], UserKey<'k>)>) -> Vec<Digest> {
    let mut all = Vec::new();
    digests_into(keys, &mut all);
    all
}

/// [`digests`] into a buffer; what was in it goes.
pub fn digests_into<'k>(
    keys: impl ExactSizeIterator<Item = (&'k [u8], UserKey<'k>)>,
    into: &mut Vec<Digest>,
) {
    digests_by(Vectors::available().next(), keys, into);
}

/// The digests of many keys, by these instructions; one by one without any. For tests and benches, which have
/// to see every variant, not only the one that is best here.
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

/// Copies as many bytes as a block has, at most. A call of `memcpy` would cost more than the copying, and a loop
/// over pieces becomes one: so two pieces of one size, which may overlap.
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

/// Copies the first bytes and the last: all, of a value at most twice as long. False where it is too short.
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

/// The longest message that fits one block: its padding takes nine bytes.
const MAX_MESSAGE: usize = 64 - 9;

/// Messages that wait to be hashed side by side.
struct Lanes<'k> {
    vectors: Vectors,
    /// The messages, padded.
    messages: lanes::Messages,
    /// Their digests, once they are hashed.
    hashed: lanes::Digests,
    /// The row of each.
    rows: [usize; lanes::MOST],
    len: usize,
    /// The set of the key before, and a message that begins with it and has nothing else: keys of one set after
    /// another are the rule.
    set: &'k [u8],
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

    /// Takes a key's message in; false where it is too long for one block.
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

    /// Writes the digests of the messages that wait to their rows.
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

/// The partition that a digest belongs to, below [`PARTITIONS`].
#[must_use]
pub fn partition_id(digest: &Digest) -> usize {
    usize::from(u16::from_le_bytes([digest[0], digest[1]])) & (PARTITIONS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(digest: &Digest) -> String {
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn digests_are_the_recorded_ones() {
        // From requests that the official client sent: int keys 0 and 1 of set 'batch', a string key of 'cap'.
        assert_eq!(hex(&UserKey::Int(0).digest(b"batch")), "b439a99bea8d1b3412622f22d96158d553c93ac7");
        assert_eq!(hex(&UserKey::Int(1).digest(b"batch")), "bf054bf3771573af27bcb5d681b5ca1822b43cc1");
        assert_eq!(hex(&UserKey::Str(b"put-int").digest(b"cap")), "8495835dbedfeb2ee801b6eb00b4930e639cad30");
    }

    #[test]
    fn many_at_a_time_are_the_same_as_one_by_one() {
        // Every length up to more than a block, every number of lanes left over, long sets in between.
        let bytes: Vec<u8> = (0..200).map(|i| (i * 7) as u8).collect();
        let long = [b's'; 63];
        for count in (0..40).chain([300]) {
            let keys: Vec<(&[u8], UserKey<'_>)> = (0..count)
                .map(|i| {
                    let set: &[u8] = if i % 5 == 4 { &long } else { &long[..i % 7] };
                    let key = match i % 3 {
                        0 => UserKey::Int(i as i64 * -7_777_777_777),
                        1 => UserKey::Str(&bytes[..(i * 3) % 70]),
                        _ => UserKey::Blob(&bytes[..40 + i % 30]),
                    };
                    (set, key)
                })
                .collect();
            let one_by_one: Vec<Digest> = keys.iter().map(|(set, key)| key.digest(set)).collect();
            assert_eq!(digests(keys.iter().copied()), one_by_one);
            for vectors in Vectors::available() {
                let mut found = vec![[7; DIGEST_LEN]; 3];
                digests_by(Some(vectors), keys.iter().copied(), &mut found);
                assert_eq!(found, one_by_one, "{}", vectors.name());
            }
        }
    }

    #[test]
    fn partitions_are_the_low_twelve_bits() {
        let mut digest = [0; DIGEST_LEN];
        digest[0] = 0xcd;
        digest[1] = 0xab;
        assert_eq!(partition_id(&digest), 0xbcd);
    }
}
