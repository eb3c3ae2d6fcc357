//! Single-record requests.

use crate::WireError;
use crate::batch::Projection;
use crate::digest::{Digest, UserKey};
use crate::message::{
    FrameType, MessageHeader, field_type, info1, info2, info3, op, write_field, write_field_parts,
    write_frame, write_op,
};
use crate::particle::Particle;

/// Which record a command is about.
#[derive(Clone, Copy, Debug)]
pub struct RecordKey<'a> {
    /// Its namespace.
    pub namespace: &'a [u8],
    /// Its set; empty for none.
    pub set: &'a [u8],
    /// Its digest.
    pub digest: &'a Digest,
    /// The user's key, where it is to be sent (and stored by a write).
    pub send_key: Option<UserKey<'a>>,
}

impl RecordKey<'_> {
    fn n_fields(&self, filter: &[u8]) -> u16 {
        3 + u16::from(self.send_key.is_some()) + u16::from(!filter.is_empty())
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_field(out, field_type::NAMESPACE, self.namespace);
        write_field(out, field_type::SET, self.set);
        write_field(out, field_type::DIGEST, self.digest);
        if let Some(key) = self.send_key {
            let kind = [key.particle_type()];
            match key {
                UserKey::Int(value) => {
                    write_field_parts(out, field_type::KEY, &[&kind, &value.to_be_bytes()])
                }
                UserKey::Str(bytes) | UserKey::Blob(bytes) => {
                    write_field_parts(out, field_type::KEY, &[&kind, bytes]);
                }
            }
        }
    }
}

/// What a read asks for beside its bins.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOptions<'a> {
    /// The server's deadline in milliseconds.
    pub timeout_ms: u32,
    /// More bits for the first info byte.
    pub info1: u8,
    /// Bits for the third info byte.
    pub info3: u8,
    /// Time to live to set on read, in percent of the record's own; 0 leaves it.
    pub read_touch_ttl_percent: u32,
    /// A filter expression; empty for none.
    pub filter: &'a [u8],
}

/// Appends a read of one record.
///
/// # Errors
/// A request larger than a frame may be.
pub fn write_read(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    projection: Projection<'_>,
    options: &ReadOptions<'_>,
) -> Result<(), WireError> {
    let (read, bins): (u8, &[&[u8]]) = match projection {
        Projection::All => (info1::GET_ALL, &[]),
        Projection::Header => (info1::NO_BINS, &[]),
        Projection::Bins(bins) => (0, bins),
    };
    write_frame(out, FrameType::Message, |out| {
        MessageHeader {
            info1: info1::READ | options.info1 | read,
            info3: options.info3,
            ttl: options.read_touch_ttl_percent,
            extra: options.timeout_ms,
            n_fields: key.n_fields(options.filter),
            n_ops: bins.len() as u16,
            ..MessageHeader::default()
        }
        .write(out);
        key.write(out);
        if !options.filter.is_empty() {
            write_field(out, field_type::FILTER, options.filter);
        }
        for bin in bins {
            write_op(out, op::READ, 0, bin, &[]);
        }
    })
}

/// When a write applies, by the record's existence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exists {
    /// Create or update.
    #[default]
    Ignore,
    /// Create only.
    Create,
    /// Update only.
    Update,
    /// Replace only.
    Replace,
    /// Create or replace.
    CreateOrReplace,
}

/// When a write applies, by the record's generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// Whatever it is.
    #[default]
    Ignore,
    /// If it is this one.
    Equal(u32),
    /// If this one is greater.
    Greater(u32),
}

/// How a write is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOptions<'a> {
    /// The server's deadline in milliseconds.
    pub timeout_ms: u32,
    /// Seconds to live; 0 is the namespace's default, 2^32-1 never, 2^32-2 leaves it.
    pub ttl: u32,
    /// By existence.
    pub exists: Exists,
    /// By generation.
    pub generation: Generation,
    /// Commit to the master alone.
    pub commit_master: bool,
    /// A deletion leaves a tombstone.
    pub durable_delete: bool,
    /// A filter expression; empty for none.
    pub filter: &'a [u8],
}

impl WriteOptions<'_> {
    fn header(&self, key: &RecordKey<'_>) -> MessageHeader {
        let (generation_bit, generation) = match self.generation {
            Generation::Ignore => (0, 0),
            Generation::Equal(value) => (info2::GENERATION, value),
            Generation::Greater(value) => (info2::GENERATION_GT, value),
        };
        let (create, exists) = match self.exists {
            Exists::Ignore => (0, 0),
            Exists::Create => (info2::CREATE_ONLY, 0),
            Exists::Update => (0, info3::UPDATE_ONLY),
            Exists::Replace => (0, info3::REPLACE_ONLY),
            Exists::CreateOrReplace => (0, info3::CREATE_OR_REPLACE),
        };
        MessageHeader {
            info2: info2::WRITE
                | generation_bit
                | create
                | if self.durable_delete { info2::DURABLE_DELETE } else { 0 },
            info3: exists | if self.commit_master { info3::COMMIT_MASTER } else { 0 },
            generation,
            ttl: self.ttl,
            extra: self.timeout_ms,
            n_fields: key.n_fields(self.filter),
            ..MessageHeader::default()
        }
    }
}

/// A bin to write, or an operation on one: its code ([`op`]), name and value.
#[derive(Clone, Copy, Debug)]
pub struct WriteOp<'a> {
    /// [`op::WRITE`], [`op::APPEND`], [`op::INCREMENT`] ...
    pub code: u8,
    /// The bin's name, at most 15 bytes.
    pub name: &'a [u8],
    /// The value.
    pub value: Particle<'a>,
}

/// Appends a write of one record.
///
/// # Errors
/// A request larger than a frame may be.
pub fn write_write<'o>(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    ops: impl ExactSizeIterator<Item = WriteOp<'o>>,
    options: &WriteOptions<'_>,
) -> Result<(), WireError> {
    write_frame(out, FrameType::Message, |out| {
        MessageHeader { n_ops: ops.len() as u16, ..options.header(key) }.write(out);
        key.write(out);
        if !options.filter.is_empty() {
            write_field(out, field_type::FILTER, options.filter);
        }
        let mut value = Vec::new();
        for op in ops {
            value.clear();
            op.value.write(&mut value);
            write_op(out, op.code, op.value.particle_type(), op.name, &value);
        }
    })
}

/// Appends a deletion of one record.
///
/// # Errors
/// A request larger than a frame may be.
pub fn write_delete(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    options: &WriteOptions<'_>,
) -> Result<(), WireError> {
    write_frame(out, FrameType::Message, |out| {
        let header = options.header(key);
        MessageHeader { info2: header.info2 | info2::DELETE, ..header }.write(out);
        key.write(out);
        if !options.filter.is_empty() {
            write_field(out, field_type::FILTER, options.filter);
        }
    })
}
