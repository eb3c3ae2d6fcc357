//! Writes and deletions of one record.

use crate::error::WireError;
use crate::message::{
    FrameType, MessageHeader, check_name, field_type, info2, info3, info4, op_count, write_field,
    write_frame, write_op,
};
use crate::particle::Particle;

use super::RecordKey;

/// Condition of a write on the record's existence.
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

/// Condition of a write on the record's generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// No condition.
    #[default]
    Ignore,
    /// The record's generation is this one.
    Equal(u32),
    /// The given generation is greater than the record's.
    Greater(u32),
}

/// Options of a write.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOptions<'a> {
    /// The server's timeout in milliseconds; 0 for the server's default.
    pub timeout_ms: u32,
    /// Time to live in seconds: 0 for the namespace's default, 2^32-1 for never expiring, 2^32-2 to keep the
    /// record's.
    pub ttl: u32,
    /// Condition on the record's existence.
    pub exists: Exists,
    /// Condition on the record's generation.
    pub generation: Generation,
    /// Commit to the master only, without waiting for replicas.
    pub commit_master: bool,
    /// A deletion leaves a tombstone.
    pub durable_delete: bool,
    /// Fail if the command's transaction has written the record before.
    pub on_locking_only: bool,
    /// An encoded filter expression; empty for none.
    pub filter: &'a [u8],
}

/// [`WriteOptions`] as they are encoded in a header.
pub(crate) struct WriteBits {
    pub(crate) info2: u8,
    pub(crate) info3: u8,
    pub(crate) info4: u8,
    pub(crate) generation: u32,
}

impl WriteOptions<'_> {
    pub(crate) fn bits(&self) -> WriteBits {
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
        let durable = if self.durable_delete { info2::DURABLE_DELETE } else { 0 };
        let commit = if self.commit_master { info3::COMMIT_MASTER } else { 0 };
        WriteBits {
            info2: info2::WRITE | generation_bit | create | durable,
            info3: exists | commit,
            info4: if self.on_locking_only { info4::ON_LOCKING_ONLY } else { 0 },
            generation,
        }
    }

    pub(super) fn header(&self, key: &RecordKey<'_>) -> MessageHeader {
        let bits = self.bits();
        MessageHeader {
            info2: bits.info2,
            info3: bits.info3,
            info4: bits.info4,
            generation: bits.generation,
            ttl: self.ttl,
            extra: self.timeout_ms,
            n_fields: key.n_fields(self.filter),
            ..MessageHeader::default()
        }
    }
}

/// An operation on a bin, such as writing it.
#[derive(Clone, Copy, Debug)]
pub struct WriteOp<'a> {
    /// One of [`crate::message::op`].
    pub code: u8,
    /// The bin's name; servers accept at most 15 bytes.
    pub name: &'a [u8],
    /// The value to write, or the operation's argument.
    pub value: Particle<'a>,
}

/// Appends a write of one record.
///
/// # Errors
/// A request larger than a frame, too many operations, a bin name that is too long. `out` is then unchanged.
pub fn write_write<'o>(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    ops: impl ExactSizeIterator<Item = WriteOp<'o>>,
    options: &WriteOptions<'_>,
) -> Result<(), WireError> {
    write_ops(out, options.header(key), key, ops, options.filter)
}

/// Appends operations on one record; `header` is complete except for their number.
pub(super) fn write_ops<'o>(
    out: &mut Vec<u8>,
    header: MessageHeader,
    key: &RecordKey<'_>,
    ops: impl ExactSizeIterator<Item = WriteOp<'o>>,
    filter: &[u8],
) -> Result<(), WireError> {
    let n_ops = op_count(ops.len())?;
    let start = out.len();
    let mut names = Ok(());
    write_frame(out, FrameType::Message, |out| {
        MessageHeader { n_ops, ..header }.write(out);
        key.write(out);
        if !filter.is_empty() {
            write_field(out, field_type::FILTER, filter);
        }
        let mut value = Vec::new();
        for op in ops {
            names = check_name(op.name);
            if names.is_err() {
                return;
            }
            value.clear();
            op.value.write(&mut value);
            write_op(out, op.code, op.value.particle_type(), op.name, &value);
        }
    })?;
    if names.is_err() {
        out.truncate(start);
    }
    names
}

/// Appends a deletion of one record.
///
/// # Errors
/// A request larger than a frame. `out` is then unchanged.
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
