//! What expressions can ask about a record besides its bins.

use wire_protocol::digest::Digest;
use wire_protocol::particle::particle_type;

use crate::expression::node::{Kind, Meta};
use crate::expression::outcome::{Bytes, Outcome};

/// The start of the server's time: 2010-01-01, in seconds of UTC.
const EPOCH: i64 = 1_262_304_000;

/// A record's metadata. Times count from 2010-01-01 UTC, as the server's do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata<'r> {
    /// The digest of the key.
    pub digest: Digest,
    /// The name of the set; empty if the record is in none.
    pub set: &'r [u8],
    /// Particle type and value of the user key, if the record has it.
    pub key: Option<&'r [u8]>,
    /// The second of expiry; 0: never.
    pub void_time: u32,
    /// The time of the last write, in milliseconds.
    pub last_update: u64,
    /// The time of the evaluation, in milliseconds.
    pub now: u64,
    /// The size of the record in the server's storage.
    pub size: usize,
}

impl<'r> Metadata<'r> {
    /// The user key, if it has this type.
    pub(super) fn key(&self, kind: Kind) -> Outcome<'r> {
        let Some((&type_of_key, key)) = self.key.and_then(<[u8]>::split_first) else {
            return Outcome::Unknown;
        };
        match (type_of_key, kind) {
            (particle_type::INTEGER, Kind::Int) => match key.try_into() {
                Ok(bytes) => Outcome::Int(i64::from_be_bytes(bytes)),
                Err(_) => Outcome::Unknown,
            },
            (particle_type::STRING, Kind::Str) => Outcome::Str(Bytes::Borrowed(key)),
            (particle_type::BLOB, Kind::Blob) => Outcome::Blob(Bytes::Borrowed(key)),
            _ => Outcome::Unknown,
        }
    }

    /// The digest modulo a number that is not 0.
    pub(super) fn digest_modulo(&self, modulus: i32) -> i64 {
        let last = self.digest.last_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        i64::from(last) % i64::from(modulus)
    }

    pub(super) fn get(&self, what: Meta) -> Outcome<'r> {
        let nanos = |seconds: u32| (i64::from(seconds) + EPOCH) * 1_000_000_000;
        let now = u32::try_from(self.now / 1000).unwrap_or(u32::MAX);
        Outcome::Int(match what {
            Meta::SetName => return Outcome::Str(Bytes::Borrowed(self.set)),
            Meta::KeyExists => return Outcome::Bool(self.key.is_some()),
            // Records of this edition have no tombstones.
            Meta::IsTombstone => return Outcome::Bool(false),
            Meta::LastUpdate => {
                let millis = i64::try_from(self.last_update).unwrap_or(i64::MAX);
                millis.saturating_add(EPOCH * 1000).saturating_mul(1_000_000)
            }
            Meta::SinceUpdate => i64::try_from(self.now.saturating_sub(self.last_update)).unwrap_or(i64::MAX),
            Meta::VoidTime if self.void_time == 0 => -1,
            Meta::VoidTime => nanos(self.void_time),
            Meta::Ttl if self.void_time == 0 => -1,
            Meta::Ttl => i64::from(self.void_time.saturating_sub(now).max(1)),
            // The size on a device: there is none.
            Meta::DeviceSize => 0,
            Meta::MemorySize | Meta::RecordSize => i64::try_from(self.size).unwrap_or(i64::MAX),
        })
    }
}
