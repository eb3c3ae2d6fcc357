//! The records of a transaction.

use std::collections::BTreeMap;

use wire_protocol::command::RecordVersion;
use wire_protocol::digest::Digest;

/// What a transaction has read and written, by digest.
///
/// A write ends what is known of the record's version, because the transaction holds the record from then on. If
/// the server names a version in a later read, the record is both read and written.
#[derive(Default)]
pub(super) struct Tracked {
    reads: BTreeMap<Digest, (Box<[u8]>, RecordVersion)>,
    /// The sets of the records.
    writes: BTreeMap<Digest, Box<[u8]>>,
}

/// A record that a transaction has read or written.
pub(crate) struct TrackedRecord {
    pub(crate) digest: Digest,
    pub(crate) set: Box<[u8]>,
    pub(crate) version: Option<RecordVersion>,
}

impl Tracked {
    pub(super) fn n_reads(&self) -> usize {
        self.reads.len()
    }

    pub(super) fn n_writes(&self) -> usize {
        self.writes.len()
    }

    pub(super) fn has_written(&self, digest: &Digest) -> bool {
        self.writes.contains_key(digest)
    }

    pub(super) fn version(&self, digest: &Digest) -> Option<RecordVersion> {
        self.reads.get(digest).map(|(_, version)| *version)
    }

    pub(super) fn read(&mut self, digest: &Digest, set: &[u8], version: RecordVersion) {
        self.reads.insert(*digest, (set.into(), version));
    }

    pub(super) fn write(&mut self, digest: &Digest, set: &[u8]) {
        self.reads.remove(digest);
        self.writes.insert(*digest, set.into());
    }

    /// The records to verify.
    pub(super) fn to_verify(&self) -> Vec<TrackedRecord> {
        let record = |(digest, (set, version)): (&Digest, &(Box<[u8]>, RecordVersion))| TrackedRecord {
            digest: *digest,
            set: set.clone(),
            version: Some(*version),
        };
        self.reads.iter().map(record).collect()
    }

    /// The records to keep or drop.
    pub(super) fn to_roll(&self) -> Vec<TrackedRecord> {
        #[allow(clippy::borrowed_box, reason = "items of a map")]
        let record = |(digest, set): (&Digest, &Box<[u8]>)| TrackedRecord {
            digest: *digest,
            set: set.clone(),
            version: self.version(digest),
        };
        self.writes.iter().map(record).collect()
    }
}
