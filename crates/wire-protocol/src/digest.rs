//! Record digests: what the server knows a key by.

use ripemd::{Digest as _, Ripemd160};

use crate::particle::particle_type;

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
    fn partitions_are_the_low_twelve_bits() {
        let mut digest = [0; DIGEST_LEN];
        digest[0] = 0xcd;
        digest[1] = 0xab;
        assert_eq!(partition_id(&digest), 0xbcd);
    }
}
