//! Requests for batches whose rows each have operations of their own: reads, writes and deletions, mixed.
//!
//! Rows are encoded one by one straight into the request, so their values need not be collected first. A row that has
//! the same operations and attributes as the row before it, and does not send its key, is written in short form.

use crate::batch::{batch_flags, row_flags, same};
use crate::command::{FunctionCall, TransactionFields, WriteOptions, write_user_key};
use crate::digest::{Digest, UserKey};
use crate::error::WireError;
use crate::message::{
    FrameHeader, FrameType, MAX_FRAME, MessageHeader, field_type, info1, info2, info3, info4, op_count,
    write_field,
};

/// What applies to the whole batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchHeader<'a> {
    /// Bits of [`batch_flags`].
    pub flags: u8,
    /// The server's timeout in milliseconds; 0 for the server's default.
    pub timeout_ms: u32,
    /// [`info1`] bits of the message itself, such as [`info1::COMPRESS_RESPONSE`].
    pub message_info1: u8,
    /// An encoded filter expression for rows that have none of their own; empty for none.
    pub filter: &'a [u8],
}

impl Default for BatchHeader<'_> {
    fn default() -> Self {
        Self { flags: batch_flags::USUAL, timeout_ms: 0, message_info1: 0, filter: &[] }
    }
}

/// What a row does, apart from its operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowAttributes<'a> {
    info: [u8; 3],
    /// The fourth info byte; not sent if it is 0.
    info4: u8,
    /// `None` for rows that only read.
    generation: Option<u16>,
    /// `None` for rows that end a transaction.
    ttl: Option<u32>,
    filter: &'a [u8],
    /// Whether the row applies a function: the fields of the call stand in the place of operations.
    is_call: bool,
}

impl<'a> RowAttributes<'a> {
    /// A row that writes; `reads` if some of its operations read. The timeout in `options` is ignored: the batch has
    /// one for all rows.
    ///
    /// # Errors
    /// A generation above 65,535: a batch row has two bytes for it.
    pub fn write(options: &WriteOptions<'a>, reads: bool) -> Result<Self, WireError> {
        let bits = options.bits();
        let limit = usize::from(u16::MAX);
        let generation = u16::try_from(bits.generation).map_err(|_| WireError::TooLarge {
            what: "a generation in a batch",
            size: bits.generation as usize,
            limit,
        })?;
        Ok(Self {
            info: [if reads { info1::READ } else { 0 }, bits.info2 | info2::RESPOND_ALL_OPS, bits.info3],
            info4: bits.info4,
            generation: Some(generation),
            ttl: Some(options.ttl),
            filter: options.filter,
            is_call: false,
        })
    }

    /// A row that applies a user-defined function. Instead of operations, it is written with the fields of the call
    /// ([`FunctionCall::write_fields`]) as [`EncodedOps`] with a count of 0.
    ///
    /// # Errors
    /// As [`RowAttributes::write`].
    pub fn apply(options: &WriteOptions<'a>) -> Result<Self, WireError> {
        let mut row = Self::write(options, false)?;
        row.info[1] &= !info2::RESPOND_ALL_OPS;
        row.is_call = true;
        Ok(row)
    }

    /// A row that deletes its record.
    ///
    /// # Errors
    /// As [`RowAttributes::write`].
    pub fn delete(options: &WriteOptions<'a>) -> Result<Self, WireError> {
        let mut row = Self::write(options, false)?;
        row.info[1] |= info2::DELETE;
        Ok(row)
    }

    /// A row that only reads, with additional [`info1`] bits beside [`info1::READ`], its
    /// [`info3`](crate::message::info3) bits, and `touch_ttl_percent` as in
    /// [`ReadOptions`](crate::command::ReadOptions).
    #[must_use]
    pub fn read(info1: u8, info3: u8, touch_ttl_percent: u32, filter: &'a [u8]) -> Self {
        let ttl = Some(touch_ttl_percent);
        Self {
            info: [info1::READ | info1, 0, info3],
            info4: 0,
            generation: None,
            ttl,
            filter,
            is_call: false,
        }
    }

    /// A row that fails if the record has another version than the row's.
    #[must_use]
    pub fn verify() -> Self {
        let info = [info1::READ | info1::NO_BINS, 0, info3::SC_READ_TYPE];
        Self { info, info4: info4::VERIFY_READ, generation: None, ttl: None, filter: &[], is_call: false }
    }

    /// A row that keeps or drops what a transaction has written to the record.
    #[must_use]
    pub fn roll(is_forward: bool) -> Self {
        let info4 = if is_forward { info4::ROLL_FORWARD } else { info4::ROLL_BACK };
        let info = [0, info2::WRITE | info2::DURABLE_DELETE, 0];
        Self { info, info4, generation: None, ttl: None, filter: &[], is_call: false }
    }

    /// The row, asking the server to answer each operation, also those without a result.
    #[must_use]
    pub fn responding_to_all(mut self) -> Self {
        self.info[1] |= info2::RESPOND_ALL_OPS;
        self
    }

    /// The row with another filter expression; an empty one is that of the batch.
    #[must_use]
    pub fn with_filter(self, filter: &[u8]) -> RowAttributes<'_> {
        let Self { info, info4, generation, ttl, is_call, .. } = self;
        RowAttributes { info, info4, generation, ttl, filter, is_call }
    }

    fn same(&self, other: &Self) -> bool {
        (self.info, self.info4, self.generation, self.ttl, self.is_call)
            == (other.info, other.info4, other.generation, other.ttl, other.is_call)
            && same(self.filter, other.filter)
    }
}

/// A row, apart from its operations.
#[derive(Clone, Copy, Debug)]
pub struct OperateRow<'a> {
    /// The number by which the answer refers to the row.
    pub index: u32,
    /// The record's digest.
    pub digest: &'a Digest,
    /// The record's namespace.
    pub namespace: &'a [u8],
    /// The record's set; empty for none.
    pub set: &'a [u8],
    /// The user's key, if it is to be sent; a write stores it.
    pub send_key: Option<UserKey<'a>>,
    /// The transaction that the row is part of.
    pub transaction: Option<TransactionFields>,
    /// What the row does.
    pub attributes: RowAttributes<'a>,
}

/// Operations of a row that are encoded already, by [`crate::message::write_op`].
#[derive(Clone, Copy, Debug, Default)]
pub struct EncodedOps<'a> {
    /// The number of operations.
    pub count: usize,
    /// Their encoding.
    pub bytes: &'a [u8],
}

/// Writes a batch request into a buffer, row by row. If it is dropped before [`BatchWriter::finish`], the buffer is
/// unchanged.
#[derive(Debug)]
pub struct BatchWriter<'o, 'r> {
    out: &'o mut Vec<u8>,
    start: usize,
    field: usize,
    rows: u32,
    /// The previous row, with its operations if they were given encoded.
    previous: Option<(OperateRow<'r>, Option<EncodedOps<'r>>)>,
    is_finished: bool,
}

impl<'o, 'r> BatchWriter<'o, 'r> {
    /// Begins a request at the end of `out`.
    pub fn new(out: &'o mut Vec<u8>, header: &BatchHeader<'_>) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; FrameHeader::LEN]);
        MessageHeader {
            info1: info1::BATCH | header.message_info1,
            extra: header.timeout_ms,
            n_fields: if header.filter.is_empty() { 1 } else { 2 },
            ..MessageHeader::default()
        }
        .write(out);
        if !header.filter.is_empty() {
            write_field(out, field_type::FILTER, header.filter);
        }
        let field = out.len();
        out.extend_from_slice(&[0, 0, 0, 0, field_type::BATCH, 0, 0, 0, 0, header.flags]);
        Self { out, start, field, rows: 0, previous: None, is_finished: false }
    }

    /// The size of the request so far, in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.out.len() - self.start
    }

    /// The number of rows so far.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Appends a row whose operations are encoded already.
    ///
    /// # Errors
    /// More than 65,535 operations. The request is then unchanged.
    pub fn row(&mut self, row: &OperateRow<'r>, ops: EncodedOps<'r>) -> Result<(), WireError> {
        let n_ops = op_count(ops.count)?;
        let repeats = self.previous.is_some_and(|(before, before_ops)| {
            row.send_key.is_none()
                && before.send_key.is_none()
                && same(before.namespace, row.namespace)
                && same(before.set, row.set)
                && before.transaction == row.transaction
                && before.attributes.same(&row.attributes)
                && before_ops.is_some_and(|before| before.count == ops.count && same(before.bytes, ops.bytes))
        });
        self.start_row(row);
        if repeats {
            self.out.push(row_flags::REPEAT);
        } else {
            self.full_row(row, n_ops);
            self.out.extend_from_slice(ops.bytes);
        }
        self.previous = Some((*row, Some(ops)));
        Ok(())
    }

    /// Appends a row whose operations are encoded by `write`, which returns their number.
    ///
    /// # Errors
    /// An error of `write`, or more than 65,535 operations. The request is then unchanged.
    pub fn row_with<E: From<WireError>>(
        &mut self,
        row: &OperateRow<'r>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<usize, E>,
    ) -> Result<(), E> {
        let start = self.out.len();
        self.start_row(row);
        let n_ops_at = self.full_row(row, 0);
        let n_ops = write(self.out).and_then(|count| op_count(count).map_err(E::from));
        match n_ops {
            Ok(n_ops) => {
                self.out[n_ops_at..n_ops_at + 2].copy_from_slice(&n_ops.to_be_bytes());
                self.previous = Some((*row, None));
                Ok(())
            }
            Err(error) => {
                self.out.truncate(start);
                self.rows -= 1;
                Err(error)
            }
        }
    }

    fn start_row(&mut self, row: &OperateRow<'_>) {
        self.rows += 1;
        self.out.extend_from_slice(&row.index.to_be_bytes());
        self.out.extend_from_slice(row.digest);
    }

    /// Appends what follows a row's digest, up to its operations. Returns the position of their count.
    fn full_row(&mut self, row: &OperateRow<'_>, n_ops: u16) -> usize {
        let out = &mut *self.out;
        let RowAttributes { info, info4, generation, ttl, filter, is_call } = row.attributes;
        let mut flags = row_flags::INFO;
        for (is_sent, flag) in [
            (info4 != 0, row_flags::INFO4),
            (generation.is_some(), row_flags::GENERATION),
            (ttl.is_some(), row_flags::TTL),
        ] {
            flags |= if is_sent { flag } else { 0 };
        }
        out.push(flags);
        out.extend_from_slice(&info);
        if info4 != 0 {
            out.push(info4);
        }
        if let Some(generation) = generation {
            out.extend_from_slice(&generation.to_be_bytes());
        }
        if let Some(ttl) = ttl {
            out.extend_from_slice(&ttl.to_be_bytes());
        }
        let transaction = row.transaction.map_or(0, |transaction| transaction.count());
        let n_fields = 2 + transaction + u16::from(row.send_key.is_some()) + u16::from(!filter.is_empty());
        let n_fields = n_fields + if is_call { FunctionCall::N_FIELDS } else { 0 };
        out.extend_from_slice(&n_fields.to_be_bytes());
        let n_ops_at = out.len();
        out.extend_from_slice(&n_ops.to_be_bytes());
        write_field(out, field_type::NAMESPACE, row.namespace);
        write_field(out, field_type::SET, row.set);
        if let Some(transaction) = &row.transaction {
            transaction.write(out);
        }
        if !filter.is_empty() {
            write_field(out, field_type::FILTER, filter);
        }
        if let Some(key) = row.send_key {
            write_user_key(out, key);
        }
        n_ops_at
    }

    /// Completes the request.
    ///
    /// # Errors
    /// A request larger than a frame. The buffer is then unchanged.
    pub fn finish(mut self) -> Result<(), WireError> {
        let size = self.size() - FrameHeader::LEN;
        if size > MAX_FRAME {
            return Err(WireError::TooLarge { what: "a message", size, limit: MAX_FRAME });
        }
        let field_size = (self.out.len() - self.field - 4) as u32;
        let Self { start, field, rows, .. } = self;
        self.out[start..start + FrameHeader::LEN]
            .copy_from_slice(&FrameHeader { kind: FrameType::Message, size }.to_bytes());
        self.out[field..field + 4].copy_from_slice(&field_size.to_be_bytes());
        self.out[field + 5..field + 9].copy_from_slice(&rows.to_be_bytes());
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for BatchWriter<'_, '_> {
    fn drop(&mut self) {
        if !self.is_finished {
            self.out.truncate(self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::BatchRequestRows;
    use crate::command::{Exists, Generation};
    use crate::message::{Message, op, write_op};

    const DIGEST: Digest = [1; 20];

    fn row(index: u32, attributes: RowAttributes<'static>) -> OperateRow<'static> {
        OperateRow {
            index,
            digest: &DIGEST,
            namespace: b"test",
            set: b"s",
            send_key: None,
            transaction: None,
            attributes,
        }
    }

    fn written() -> RowAttributes<'static> {
        RowAttributes::write(&WriteOptions::default(), false).unwrap()
    }

    fn written_once() -> RowAttributes<'static> {
        let options = WriteOptions { on_locking_only: true, ..WriteOptions::default() };
        RowAttributes::write(&options, false).unwrap()
    }

    #[test]
    fn rows_have_filters_and_answers_of_their_own() {
        let read = RowAttributes::read(0, 0, 0, &[]);
        let rows = [read, read.with_filter(b"f"), read.responding_to_all(), written().with_filter(b"g")];
        let mut out = Vec::new();
        let mut writer = BatchWriter::new(&mut out, &BatchHeader::default());
        for (index, attributes) in (0..).zip(rows) {
            writer.row(&row(index, attributes), EncodedOps::default()).unwrap();
        }
        writer.finish().unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        let read = BatchRequestRows::parse(message.field(field_type::BATCH).unwrap()).unwrap();
        let seen: Vec<_> = read.map(|row| (row.info2(), row.field(field_type::FILTER))).collect();
        let all = info2::RESPOND_ALL_OPS;
        assert_eq!(
            seen,
            [(0, None), (0, Some(&b"f"[..])), (all, None), (info2::WRITE | all, Some(&b"g"[..]))]
        );
    }

    #[test]
    fn rows_repeat_only_what_is_all_the_same() {
        let mut ops = Vec::new();
        write_op(&mut ops, op::TOUCH, 0, b"", b"");
        let touch = EncodedOps { count: 1, bytes: &ops };
        let other = RowAttributes::write(&WriteOptions { ttl: 9, ..WriteOptions::default() }, false).unwrap();
        let keyed = |row| OperateRow { send_key: Some(UserKey::Int(7)), ..row };
        let elsewhere = OperateRow { set: b"t", ..row(8, written()) };
        let rows = [
            (row(0, written()), touch, false),
            (row(1, written()), touch, true),
            (row(2, other), touch, false),
            (row(3, other), EncodedOps::default(), false),
            (keyed(row(4, other)), EncodedOps::default(), false),
            (keyed(row(5, other)), EncodedOps::default(), false),
            (row(6, other), EncodedOps::default(), false),
            (row(7, other), EncodedOps::default(), true),
            (elsewhere, EncodedOps::default(), false),
        ];
        let mut out = Vec::new();
        let mut writer = BatchWriter::new(&mut out, &BatchHeader::default());
        rows.iter().for_each(|(row, ops, _)| writer.row(row, *ops).unwrap());
        assert_eq!(writer.rows(), rows.len());
        writer.finish().unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        let read = BatchRequestRows::parse(message.field(field_type::BATCH).unwrap()).unwrap();
        assert_eq!(read.len(), rows.len());
        for (read, (row, ops, repeats)) in read.zip(rows) {
            assert_eq!(read.flags & row_flags::REPEAT != 0, repeats, "row {}", row.index);
            assert_eq!((read.index, Some(read.ttl())), (row.index, row.attributes.ttl));
            assert_eq!(read.field(field_type::SET), Some(row.set));
            assert_eq!(read.field(field_type::KEY).is_some(), row.send_key.is_some());
            assert_eq!(read.ops().count(), ops.count);
        }
    }

    #[test]
    fn rows_of_a_transaction_have_its_fields() {
        let version = Some([1; 7]);
        let read = TransactionFields { id: Some(5), version, deadline: None };
        let write = TransactionFields { id: Some(5), version: None, deadline: Some(9) };
        let verify = TransactionFields { id: None, version, deadline: None };
        let rows = [
            (RowAttributes::read(0, 0, 0, &[]), read),
            (RowAttributes::read(0, 0, 0, &[]), read),
            (RowAttributes::read(0, 0, 0, &[]), TransactionFields { version: None, ..read }),
            (written_once(), write),
            (RowAttributes::verify(), verify),
            (RowAttributes::roll(true), write),
            (RowAttributes::roll(true), write),
            (RowAttributes::roll(false), write),
        ];
        let mut out = Vec::new();
        let mut writer = BatchWriter::new(&mut out, &BatchHeader::default());
        for (index, (attributes, transaction)) in (0..).zip(rows) {
            let row = OperateRow { transaction: Some(transaction), ..row(index, attributes) };
            writer.row(&row, EncodedOps::default()).unwrap();
        }
        writer.finish().unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        let read: Vec<_> =
            BatchRequestRows::parse(message.field(field_type::BATCH).unwrap()).unwrap().collect();
        let flags: Vec<_> = read.iter().map(|row| row.flags).collect();
        assert_eq!(flags, [10, 1, 10, 30, 18, 18, 1, 18], "info, generation, ttl, info4, or a repeated row");
        for (row, (_, transaction)) in read.iter().zip(rows) {
            let id = transaction.id.map(u64::to_le_bytes);
            assert_eq!(row.field(field_type::TRANSACTION_ID), id.as_ref().map(|id| &id[..]));
            assert_eq!(
                row.field(field_type::RECORD_VERSION),
                transaction.version.as_ref().map(|version| &version[..])
            );
        }
        let infos = read.iter().map(|row| [row.info1(), row.info2(), row.info3(), row.info4()]);
        let infos: Vec<_> = infos.skip(3).collect();
        assert_eq!(infos, [[0, 129, 0, 16], [33, 0, 64, 1], [0, 17, 0, 2], [0, 17, 0, 2], [0, 17, 0, 4]]);
    }

    #[test]
    fn attributes_say_what_options_say() {
        let options = WriteOptions {
            exists: Exists::Replace,
            generation: Generation::Greater(9),
            commit_master: true,
            durable_delete: true,
            filter: b"f",
            ttl: 60,
            ..WriteOptions::default()
        };
        let mut out = Vec::new();
        let header = BatchHeader { filter: b"all", timeout_ms: 5, ..BatchHeader::default() };
        let mut writer = BatchWriter::new(&mut out, &header);
        writer.row(&row(0, RowAttributes::delete(&options).unwrap()), EncodedOps::default()).unwrap();
        writer.row(&row(1, RowAttributes::read(info1::GET_ALL, 64, 50, b"")), EncodedOps::default()).unwrap();
        writer.finish().unwrap();
        let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
        assert_eq!((message.header.extra, message.field(field_type::FILTER)), (5, Some(&b"all"[..])));
        let rows = BatchRequestRows::parse(message.field(field_type::BATCH).unwrap()).unwrap();
        let rows: Vec<_> = rows.collect();
        assert_eq!(rows[0].info2(), 0x80 | 0x10 | 0x08 | 0x02 | 0x01);
        assert_eq!((rows[0].info3(), rows[0].generation(), rows[0].ttl()), (0x20 | 0x02, 9, 60));
        assert_eq!(rows[0].field(field_type::FILTER), Some(&b"f"[..]));
        assert_eq!((rows[1].info1(), rows[1].info2(), rows[1].info3(), rows[1].ttl()), (3, 0, 64, 50));
        assert_eq!(rows[1].field(field_type::FILTER), None);
        let far = WriteOptions { generation: Generation::Equal(65_536), ..options };
        assert!(RowAttributes::write(&far, false).is_err());
    }

    #[test]
    fn what_is_refused_leaves_nothing_behind() {
        let mut out = vec![1];
        let mut writer = BatchWriter::new(&mut out, &BatchHeader::default());
        let many = EncodedOps { count: 65_536, bytes: b"" };
        assert!(writer.row(&row(0, written()), many).is_err());
        let before = writer.size();
        let refused: Result<(), WireError> = writer.row_with(&row(0, written()), |out| {
            out.extend_from_slice(b"half of it");
            Err(WireError::Truncated { what: "it" })
        });
        assert!(refused.is_err());
        assert_eq!((writer.size(), writer.rows()), (before, 0));
        let huge = vec![0; MAX_FRAME];
        writer
            .row_with::<WireError>(&row(0, written()), |out| {
                out.extend_from_slice(&huge);
                Ok(1)
            })
            .unwrap();
        assert!(writer.finish().is_err());
        assert_eq!(out, [1]);
    }
}
