//! What a batch asks for, and the bytes that say so.

use std::sync::Arc;

use wire_protocol::ResultCode;
use wire_protocol::batch::{BatchReadHeader, BatchRow, REPEATED_ROW_LEN, batch_flags, write_batch_read};
use wire_protocol::batch_write::{BatchHeader, BatchWriter, OperateRow, RowAttributes};
use wire_protocol::digest::UserKey;
use wire_protocol::message::MAX_FRAME;

use crate::batch::keys::BatchKeys;
use crate::error::Error;
use crate::key::Bins;
use crate::policy::BatchPolicy;

/// What is left of a frame beside a row's operations and key, at least: headers, names, a filter's share.
const ROOM_FOR_REST: usize = 64 * 1024;

/// What a row has beside its operations and itself fills, at most: flags, numbers, namespace, set.
const ROW_OVERHEAD: usize = 160;

/// Bytes of values that one request asks for, about: a part of a large answer is read while the server works at the
/// next.
const ANSWER_SIZE: usize = 512 * 1024;

/// Rows that a request asks for however long they are.
const MIN_ROWS: usize = 64;

/// What a batch read asks for, beside its keys.
#[derive(Clone, Debug, Default)]
pub struct BatchRead {
    /// The bins.
    pub bins: Bins,
    /// How.
    pub policy: BatchPolicy,
    /// Bytes that a row's values take, about; 0 where nobody knows. Long rows are asked for in requests of fewer.
    pub row_bytes: usize,
}

/// What the rows of a batch do, each of them operations of its own.
///
/// Rows are asked for in any order, several times where they are sent again.
pub trait RowOps: Send + Sync + 'static {
    /// What a row does, its operations aside.
    fn head(&self, row: usize) -> RowHead<'_>;

    /// Whether a row changes its record.
    fn writes(&self, row: usize) -> bool;

    /// Whether there is nothing to send for a row: it fails with the code of a wrong parameter.
    fn is_empty(&self, row: usize) -> bool;

    /// How many bytes a row's operations and key take at most.
    fn size(&self, row: usize) -> usize;

    /// Writes a row with its operations: [`BatchWriter::row`] where they are bytes already, which sends what rows
    /// that follow each other have in common once, else [`BatchWriter::row_with`].
    ///
    /// # Errors
    /// What cannot be written after all. It fails the rows of its request: what can be known is to be found before.
    fn write<'r>(
        &'r self,
        row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), Error>;
}

/// A row, its operations aside.
pub struct RowHead<'a> {
    /// What it does.
    pub attributes: RowAttributes<'a>,
    /// The user's key, where it is to be sent.
    pub send_key: Option<UserKey<'a>>,
}

/// A batch whose rows each carry operations.
#[derive(Clone)]
pub struct BatchOperate {
    /// What errors call the command.
    pub name: &'static str,
    /// What the rows do.
    pub ops: Arc<dyn RowOps>,
    /// How. Retries are of rows that were certainly not applied.
    pub policy: BatchPolicy,
}

/// What a batch asks for.
pub(crate) enum Request {
    Read(Arc<BatchRead>),
    Operate {
        batch: BatchOperate,
        /// Whether any row changes its record. Such a batch goes to masters, and nothing of it is asked for at
        /// two nodes.
        writes: bool,
    },
}

impl Request {
    /// A batch of operations on `rows` records. Refuses rows that no request has room for.
    pub(crate) fn operate(batch: BatchOperate, rows: usize) -> Result<Self, Error> {
        let ops = &*batch.ops;
        if let Some(row) = (0..rows).find(|&row| ops.size(row) > MAX_FRAME - ROOM_FOR_REST) {
            let (size, limit) = (ops.size(row), MAX_FRAME - ROOM_FOR_REST);
            let what =
                format!("row {row} has operations of {size} bytes; a request has room for {limit} bytes");
            return Err(Error::Param { what });
        }
        let writes = (0..rows).any(|row| ops.writes(row));
        Ok(Self::Operate { batch, writes })
    }

    pub(crate) fn policy(&self) -> &BatchPolicy {
        match self {
            Self::Read(read) => &read.policy,
            Self::Operate { batch, .. } => &batch.policy,
        }
    }

    /// What errors call the command.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Read(_) => "batch read",
            Self::Operate { batch, .. } => batch.name,
        }
    }

    /// Whether any row changes its record.
    pub(crate) fn may_write(&self) -> bool {
        matches!(self, Self::Operate { writes: true, .. })
    }

    /// Whether a row changes its record.
    pub(crate) fn writes(&self, row: u32) -> bool {
        match self {
            Self::Operate { batch, writes: true } => batch.ops.writes(row as usize),
            _ => false,
        }
    }

    /// Whether there may be rows that there is nothing to send for.
    pub(crate) fn has_empty(&self) -> bool {
        matches!(self, Self::Operate { .. })
    }

    /// Whether there is nothing to send for a row.
    pub(crate) fn is_empty(&self, row: u32) -> bool {
        matches!(self, Self::Operate { batch, .. } if batch.ops.is_empty(row as usize))
    }

    /// Whether a row's code is the server's last word on it: about its record or, for operations, any but that
    /// it was not looked at for want of time, room or rights.
    pub(crate) fn is_answer(&self, code: ResultCode) -> bool {
        match self {
            Self::Read(_) => code.is_about_record(),
            Self::Operate { .. } => !code.is_transient() && !code.denies_access(),
        }
    }

    /// Bytes of a row, about; those that its space costs are there where it does not follow one of the same.
    pub(crate) fn row_size(&self, keys: &BatchKeys, row: u32, is_first_of_space: bool) -> usize {
        let names = || {
            let space = &keys.spaces()[keys.space_index(row)];
            space.namespace.len() + space.set.len()
        };
        match self {
            Self::Operate { batch, .. } => {
                REPEATED_ROW_LEN + ROW_OVERHEAD + names() + batch.ops.size(row as usize)
            }
            Self::Read(read) if is_first_of_space => {
                let bins: usize = match &read.bins {
                    Bins::Names(names) => names.iter().map(|name| 8 + name.len()).sum(),
                    _ => 0,
                };
                REPEATED_ROW_LEN + 21 + names() + bins
            }
            Self::Read(_) => REPEATED_ROW_LEN,
        }
    }

    /// Rows that a request may ask for, so that its answer is not too long to be worked at beside others.
    pub(crate) fn max_rows(&self) -> usize {
        match self {
            Self::Read(read) => ANSWER_SIZE.checked_div(read.row_bytes).unwrap_or(usize::MAX).max(MIN_ROWS),
            Self::Operate { .. } => usize::MAX,
        }
    }

    /// Whether all rows take as many bytes, and few, when they are of one space.
    pub(crate) fn has_fixed_size(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// Replaces what is in `out` by the request for `rows`.
    pub(crate) fn encode(
        &self,
        keys: &BatchKeys,
        out: &mut Vec<u8>,
        rows: &[u32],
        timeout_ms: u32,
    ) -> Result<(), Error> {
        out.clear();
        let policy = self.policy();
        let mut flags = batch_flags::ERROR_AS_RECORD;
        for (set, flag) in [
            (policy.allow_inline, batch_flags::ALLOW_INLINE),
            (policy.allow_inline_ssd, batch_flags::ALLOW_INLINE_SSD),
            (policy.respond_all_keys, batch_flags::RESPOND_ALL_KEYS),
        ] {
            flags |= if set { flag } else { 0 };
        }
        let message_info1 = policy.limits.info1();
        let rows = rows.iter().enumerate().map(|(position, &row)| {
            let space = &keys.spaces()[keys.space_index(row)];
            (position as u32, row, keys.digest_of(row), &*space.namespace, &*space.set)
        });
        match self {
            Self::Read(read) => {
                let names = read.bins.borrowed();
                let header = BatchReadHeader {
                    projection: read.bins.projection(&names),
                    flags,
                    timeout_ms,
                    info1: policy.reads.info1(),
                    info3: policy.reads.info3(),
                    read_touch_ttl_percent: policy.reads.touch_ttl_percent as u32,
                    message_info1,
                    filter: &policy.limits.filter,
                };
                let rows =
                    rows.map(|(index, _, digest, namespace, set)| BatchRow { index, digest, namespace, set });
                Ok(write_batch_read(out, &header, rows)?)
            }
            Self::Operate { batch, .. } => {
                let header = BatchHeader { flags, timeout_ms, message_info1, filter: &policy.limits.filter };
                let ops = &*batch.ops;
                let mut writer = BatchWriter::new(out, &header);
                for (index, row, digest, namespace, set) in rows {
                    let RowHead { attributes, send_key } = ops.head(row as usize);
                    let head = OperateRow { index, digest, namespace, set, send_key, attributes };
                    ops.write(row as usize, &head, &mut writer)?;
                }
                Ok(writer.finish()?)
            }
        }
    }
}
