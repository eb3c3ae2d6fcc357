//! Single-record requests.

use crate::batch::Projection;
use crate::digest::{Digest, UserKey};
use crate::error::WireError;
use crate::message::{
    FrameType, MessageHeader, check_name, field_type, info1, info2, info3, op_count, write_field,
    write_field_parts, write_frame, write_op,
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
            write_user_key(out, key);
        }
    }
}

/// Appends the field that has the user's key.
pub(crate) fn write_user_key(out: &mut Vec<u8>, key: UserKey<'_>) {
    let kind = [key.particle_type()];
    match key {
        UserKey::Int(value) => write_field_parts(out, field_type::KEY, &[&kind, &value.to_be_bytes()]),
        UserKey::Str(bytes) | UserKey::Blob(bytes) => {
            write_field_parts(out, field_type::KEY, &[&kind, bytes]);
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
/// A request larger than a frame may be, more bins or a longer bin name than a request has room for; `out`
/// is then as it was.
pub fn write_read(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    projection: Projection<'_>,
    options: &ReadOptions<'_>,
) -> Result<(), WireError> {
    let projection = projection.parts()?;
    write_frame(out, FrameType::Message, |out| {
        MessageHeader {
            info1: info1::READ | options.info1 | projection.info1,
            info3: options.info3,
            ttl: options.read_touch_ttl_percent,
            extra: options.timeout_ms,
            n_fields: key.n_fields(options.filter),
            n_ops: projection.n_ops,
            ..MessageHeader::default()
        }
        .write(out);
        key.write(out);
        if !options.filter.is_empty() {
            write_field(out, field_type::FILTER, options.filter);
        }
        projection.write_ops(out);
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

/// How a write is done, as the bits of a header.
pub(crate) struct WriteBits {
    pub(crate) info2: u8,
    pub(crate) info3: u8,
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
            generation,
        }
    }

    fn header(&self, key: &RecordKey<'_>) -> MessageHeader {
        let bits = self.bits();
        MessageHeader {
            info2: bits.info2,
            info3: bits.info3,
            generation: bits.generation,
            ttl: self.ttl,
            extra: self.timeout_ms,
            n_fields: key.n_fields(self.filter),
            ..MessageHeader::default()
        }
    }
}

/// A bin to write, or an operation on one: its code ([`crate::message::op`]), name and value.
#[derive(Clone, Copy, Debug)]
pub struct WriteOp<'a> {
    /// One of [`crate::message::op`].
    pub code: u8,
    /// The bin's name, at most 15 bytes.
    pub name: &'a [u8],
    /// The value.
    pub value: Particle<'a>,
}

/// Appends a write of one record.
///
/// # Errors
/// A request larger than a frame may be, more operations or a longer bin name than a request has room for;
/// `out` is then as it was.
pub fn write_write<'o>(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    ops: impl ExactSizeIterator<Item = WriteOp<'o>>,
    options: &WriteOptions<'_>,
) -> Result<(), WireError> {
    write_ops(out, options.header(key), key, ops, options.filter)
}

/// Appends operations on one record under `header`, which lacks their number alone.
fn write_ops<'o>(
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

/// What an operation reads beside what it writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperateReads {
    /// Whether any operation reads a bin.
    pub reads: bool,
    /// Whether any operation writes; without one, what the options say of writes is left out.
    pub writes: bool,
    /// More bits for the first info byte.
    pub info1: u8,
    /// More bits for the third info byte.
    pub info3: u8,
    /// Where nothing is written: time to live to set on read, in percent of the record's own; 0 leaves it.
    pub read_touch_ttl_percent: u32,
}

/// Appends reads and writes of one record's bins, applied in order and as one.
///
/// # Errors
/// As [`write_write`].
pub fn write_operate<'o>(
    out: &mut Vec<u8>,
    key: &RecordKey<'_>,
    ops: impl ExactSizeIterator<Item = WriteOp<'o>>,
    options: &WriteOptions<'_>,
    reads: &OperateReads,
) -> Result<(), WireError> {
    let info1 = if reads.reads { info1::READ | reads.info1 } else { 0 };
    let mut header = MessageHeader { info1, ..options.header(key) };
    if !reads.writes {
        // What only writes have is left out.
        let (info2, info3, ttl) = (0, reads.info3, reads.read_touch_ttl_percent);
        header = MessageHeader { info2, info3, generation: 0, ttl, ..header };
    }
    write_ops(out, header, key, ops, options.filter)
}

/// Appends a deletion of one record.
///
/// # Errors
/// A request larger than a frame may be; `out` is then as it was.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{FrameHeader, MAX_FRAME, Message, op};

    const KEY: RecordKey<'_> =
        RecordKey { namespace: b"test", set: b"set", digest: &[7; 20], send_key: Some(UserKey::Int(5)) };

    #[test]
    fn a_write_says_what_its_options_say() {
        let options = WriteOptions {
            timeout_ms: 250,
            ttl: 60,
            exists: Exists::Replace,
            generation: Generation::Greater(9),
            commit_master: true,
            durable_delete: true,
            filter: b"f",
        };
        let op = WriteOp { code: op::WRITE, name: b"a", value: Particle::Bool(true) };
        let mut out = Vec::new();
        write_write(&mut out, &KEY, [op].into_iter(), &options).unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        let header = message.header;
        assert_eq!(header.info2, info2::WRITE | info2::GENERATION_GT | info2::DURABLE_DELETE);
        assert_eq!(header.info3, info3::REPLACE_ONLY | info3::COMMIT_MASTER);
        assert_eq!((header.generation, header.ttl, header.extra), (9, 60, 250));
        let kinds: Vec<_> = message.fields().map(|field| field.kind).collect();
        let expected =
            [field_type::NAMESPACE, field_type::SET, field_type::DIGEST, field_type::KEY, field_type::FILTER];
        assert_eq!(kinds, expected);
        assert_eq!(message.field(field_type::KEY), Some(&[1, 0, 0, 0, 0, 0, 0, 0, 5][..]));
        assert_eq!(message.ops().next().unwrap().particle(), Ok(Particle::Bool(true)));
    }

    #[test]
    fn an_operate_reads_and_writes_by_what_it_holds() {
        let read = WriteOp { code: op::READ, name: b"a", value: Particle::Nil };
        let options = WriteOptions {
            timeout_ms: 9,
            ttl: 60,
            generation: Generation::Equal(4),
            ..WriteOptions::default()
        };
        let bytes = |reads| {
            let mut out = vec![1, 2];
            write_operate(&mut out, &KEY, [read].into_iter(), &options, &reads).unwrap();
            let message = Message::parse_only(&out[2 + FrameHeader::LEN..]).unwrap();
            message.header
        };
        let both =
            OperateReads { reads: true, writes: true, info1: info1::READ_MODE_AP_ALL, ..Default::default() };
        let header = bytes(both);
        assert_eq!(
            (header.info1, header.info2),
            (info1::READ | info1::READ_MODE_AP_ALL, info2::WRITE | info2::GENERATION)
        );
        assert_eq!((header.generation, header.ttl, header.extra, header.n_ops), (4, 60, 9, 1));
        let header = bytes(OperateReads {
            writes: false,
            info3: info3::SC_READ_TYPE,
            read_touch_ttl_percent: 5,
            ..both
        });
        assert_eq!((header.info2, header.info3), (0, info3::SC_READ_TYPE));
        assert_eq!((header.generation, header.ttl, header.extra), (0, 5, 9));
        let header = bytes(OperateReads { reads: false, ..both });
        assert_eq!((header.info1, header.info2), (0, info2::WRITE | info2::GENERATION));
    }

    #[test]
    fn what_does_not_fit_is_refused_and_leaves_nothing_behind() {
        let mut out = vec![1];
        let read = ReadOptions::default();
        let long = [b'x'; 256];
        let refused = write_read(&mut out, &KEY, Projection::Bins(&[&long]), &read);
        assert_eq!(refused, Err(WireError::TooLarge { what: "a bin name", size: 256, limit: 255 }));
        let many = vec![&b"x"[..]; 65536];
        let refused = write_read(&mut out, &KEY, Projection::Bins(&many), &read);
        assert_eq!(refused, Err(WireError::TooLarge { what: "a number of bins", size: 65536, limit: 65535 }));

        let write = WriteOptions::default();
        let op = |name, value| WriteOp { code: op::WRITE, name, value };
        let ops = [op(b"a", Particle::Nil), op(&long, Particle::Nil)];
        assert!(write_write(&mut out, &KEY, ops.into_iter(), &write).is_err());
        let ops = vec![op(b"a", Particle::Nil); 65536];
        assert!(write_write(&mut out, &KEY, ops.into_iter(), &write).is_err());
        let huge = vec![0; MAX_FRAME];
        let ops = [op(b"a", Particle::Blob(&huge))];
        assert!(write_write(&mut out, &KEY, ops.into_iter(), &write).is_err());
        assert_eq!(out, [1]);

        write_read(&mut out, &KEY, Projection::Bins(&many[..65535]), &read).unwrap();
        let message = Message::parse_only(&out[1 + FrameHeader::LEN..]).unwrap();
        assert_eq!(message.ops().count(), 65535);
    }
}
