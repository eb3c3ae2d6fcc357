//! Record digests: the hashes by which the server identifies records, and the partitions that they belong to.

use ripemd::{Digest as _, Ripemd160};

use crate::error::WireError;
use crate::particle::{Particle, particle_type};

mod lanes;
mod many;

#[doc(hidden)]
pub use self::lanes::Vectors;
#[doc(hidden)]
pub use self::many::digests_by;
pub use self::many::{digests, digests_into};

/// Bytes of a digest.
pub const DIGEST_LEN: usize = 20;

/// The number of partitions of a namespace.
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
    /// Reads the data of a field with a user's key: particle type, then value.
    ///
    /// # Errors
    /// A missing type, a type that keys cannot have, an integer that is not 8 bytes long.
    pub fn parse(data: &'a [u8]) -> Result<Self, WireError> {
        let (&kind, value) = data.split_first().ok_or(WireError::Truncated { what: "a user's key" })?;
        match Particle::parse(kind, value)? {
            Particle::Int(value) => Ok(Self::Int(value)),
            Particle::Str(bytes) => Ok(Self::Str(bytes)),
            Particle::Blob(bytes) => Ok(Self::Blob(bytes)),
            _ => Err(WireError::malformed("user's key", "it is not an integer, string or blob")),
        }
    }
}

impl UserKey<'_> {
    /// The particle type of the key.
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
