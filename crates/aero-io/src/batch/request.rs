//! What a batch does to its rows, and the encoding of its requests.

use std::sync::Arc;

use wire_protocol::ResultCode;
use wire_protocol::batch::{
    BatchHeader, BatchReadHeader, BatchRow, BatchWriter, EncodedOps, OperateRow, REPEATED_ROW_LEN,
    RowAttributes, batch_flags, write_batch_reads,
};
use wire_protocol::command::TransactionFields;
use wire_protocol::digest::UserKey;
use wire_protocol::message::MAX_FRAME;

use crate::batch::keys::BatchKeys;
use crate::error::Error;
use crate::key::Bins;
use crate::policy::BatchPolicy;

/// Minimum room in a frame for all but one row's operations and key: headers, names and a filter.
const ROOM_FOR_REST: usize = 64 * 1024;

/// Maximum size of a row without its operations: flags, numbers, namespace, set.
const ROW_OVERHEAD: usize = 160;

/// Approximate limit on the values that one request reads, in bytes: the client reads one answer while the
/// server works on the next.
const ANSWER_SIZE: usize = 512 * 1024;

/// A request reads at least this many rows, however long they are.
const MIN_ROWS: usize = 64;

/// What a batch read reads.
#[derive(Clone, Debug)]
pub struct BatchRead {
    /// The command's name in errors and metrics.
    pub name: &'static str,
    pub bins: Bins,
    /// What to read instead of `bins` for each of the keys' [spaces](BatchKeys::spaces), by position; empty if
    /// all rows read the same.
    pub bins_of_spaces: Vec<Bins>,
    pub policy: BatchPolicy,
    /// Approximate size of a row's values in bytes; 0 if unknown. The longer the rows, the fewer are read per
    /// request.
    pub row_bytes: usize,
}

impl Default for BatchRead {
    fn default() -> Self {
        Self {
            name: "batch_read",
            bins: Bins::default(),
            bins_of_spaces: Vec::new(),
            policy: BatchPolicy::default(),
            row_bytes: 0,
        }
    }
}

impl BatchRead {
    /// Which of [`BatchRead::all_bins`] the rows of a space read.
    fn place_of(&self, space: usize) -> usize {
        if self.bins_of_spaces.is_empty() { 0 } else { space }
    }

    fn all_bins(&self) -> &[Bins] {
        if self.bins_of_spaces.is_empty() { std::slice::from_ref(&self.bins) } else { &self.bins_of_spaces }
    }

    /// Fails if the protocol cannot express the bins, or if there are spaces without bins.
    pub(crate) fn check(&self, keys: &BatchKeys) -> Result<(), Error> {
        let (lists, spaces) = (self.bins_of_spaces.len(), keys.spaces().len());
        if lists != 0 && lists != spaces {
            return Err(Error::Param { what: format!("{lists} lists of bins for {spaces} sets") });
        }
        self.all_bins().iter().try_for_each(Bins::check)
    }
}

/// The operations of each row of a batch.
///
/// Rows are requested in any order, and more than once if they are retried.
pub trait RowOps: Send + Sync + 'static {
    /// The attributes of a row.
    fn head(&self, row: usize) -> RowHead<'_>;

    fn writes(&self, row: usize) -> bool;

    /// The transaction fields of a row that differ from those of the batch's transaction.
    fn transaction(&self, _row: usize) -> Option<TransactionFields> {
        None
    }

    /// Whether there is nothing to send for a row. Such a row fails with the code for an invalid parameter.
    fn is_empty(&self, row: usize) -> bool;

    /// Maximum size of a row's operations and key in bytes.
    fn size(&self, row: usize) -> usize;

    /// Writes a row with its operations. Use [`BatchWriter::row`] if the operations are encoded already: it
    /// writes what consecutive rows have in common only once. Otherwise use [`BatchWriter::row_with`].
    ///
    /// # Errors
    /// An error fails all rows of the request. Find errors before the batch starts if possible.
    fn write<'r>(
        &'r self,
        row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), Error>;
}

/// A row without its operations.
pub struct RowHead<'a> {
    pub attributes: RowAttributes<'a>,
    /// The user's key, if it is to be sent.
    pub send_key: Option<UserKey<'a>>,
}

/// A batch of operations.
#[derive(Clone)]
pub struct BatchOperate {
    /// The command's name in errors and metrics.
    pub name: &'static str,
    pub ops: Arc<dyn RowOps>,
    /// Only rows that were certainly not applied are retried.
    pub policy: BatchPolicy,
}

pub(crate) enum Request {
    Read(Arc<BatchRead>),
    Operate {
        batch: BatchOperate,
        /// Whether any row changes its record. Such a batch is sent to masters and is never hedged.
        writes: bool,
    },
}

impl Request {
    /// A batch of operations on `rows` records. Fails if a row is too large for a request.
    pub(crate) fn operate(batch: BatchOperate, rows: usize) -> Result<Self, Error> {
        let ops = &*batch.ops;
        if let Some(row) = (0..rows).find(|&row| ops.size(row) > MAX_FRAME - ROOM_FOR_REST) {
            let (size, limit) = (ops.size(row), MAX_FRAME - ROOM_FOR_REST);
            let what =
                format!("row {row} has operations of {size} bytes; a request takes at most {limit} bytes");
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

    /// The command's name in errors and metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Read(read) => read.name,
            Self::Operate { batch, .. } => batch.name,
        }
    }

    /// Whether any row changes its record.
    pub(crate) fn may_write(&self) -> bool {
        matches!(self, Self::Operate { writes: true, .. })
    }

    pub(crate) fn writes(&self, row: u32) -> bool {
        match self {
            Self::Operate { batch, writes: true } => batch.ops.writes(row as usize),
            _ => false,
        }
    }

    /// Whether [`Request::is_empty`] can be true.
    pub(crate) fn has_empty(&self) -> bool {
        matches!(self, Self::Operate { .. })
    }

    /// Whether there is nothing to send for a row.
    pub(crate) fn is_empty(&self, row: u32) -> bool {
        matches!(self, Self::Operate { batch, .. } if batch.ops.is_empty(row as usize))
    }

    /// Whether a row's code is final: for reads, an answer about the record; for operations, any code except
    /// those for lack of time, resources or access rights.
    pub(crate) fn is_answer(&self, code: ResultCode) -> bool {
        match self {
            Self::Read(_) => code.is_about_record(),
            Self::Operate { .. } => !code.is_transient() && !code.denies_access(),
        }
    }

    /// Approximate size of a row in bytes. `is_first_of_space`: the row does not follow one of the same
    /// namespace and set, and repeats their names.
    pub(crate) fn row_size(&self, keys: &BatchKeys, row: u32, is_first_of_space: bool) -> usize {
        let names = || {
            let space = &keys.spaces()[keys.space_index(row)];
            space.namespace.len() + space.set.len()
        };
        match self {
            Self::Operate { batch, .. } => {
                REPEATED_ROW_LEN + ROW_OVERHEAD + names() + batch.ops.size(row as usize)
            }
            Self::Read(read) if is_first_of_space || read.policy.limits.transaction.is_some() => {
                let bins: usize = match read.all_bins().get(read.place_of(keys.space_index(row))) {
                    Some(Bins::Names(names)) => names.iter().map(|name| 8 + name.len()).sum(),
                    _ => 0,
                };
                // Rows of a transaction name it, and the version of their record.
                REPEATED_ROW_LEN + 21 + 25 + names() + bins
            }
            Self::Read(_) => REPEATED_ROW_LEN,
        }
    }

    /// Most rows of a request, so that its answer does not get too long to be processed in parallel with
    /// others.
    pub(crate) fn max_rows(&self) -> usize {
        match self {
            Self::Read(read) => ANSWER_SIZE.checked_div(read.row_bytes).unwrap_or(usize::MAX).max(MIN_ROWS),
            Self::Operate { .. } => usize::MAX,
        }
    }

    /// Whether all rows of one namespace and set have the same small size.
    pub(crate) fn has_fixed_size(&self) -> bool {
        matches!(self, Self::Read(read) if read.policy.limits.transaction.is_none())
    }

    /// Replaces `out` with the request for `rows`.
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
        let digests = keys.digests_of(rows);
        let rows = rows.iter().enumerate().map(|(position, &row)| {
            let space = &keys.spaces()[keys.space_index(row)];
            (position as u32, row, digests.of(row), &*space.namespace, &*space.set)
        });
        match self {
            Self::Read(read) => {
                let names: Vec<_> = read.all_bins().iter().map(Bins::borrowed).collect();
                let bins = read.all_bins().iter().zip(&names);
                let projections: Vec<_> = bins.map(|(bins, names)| bins.projection(names)).collect();
                let header = BatchReadHeader {
                    flags,
                    timeout_ms,
                    info1: policy.reads.info1(),
                    info3: policy.reads.info3(),
                    read_touch_ttl_percent: policy.reads.touch_ttl_percent as u32,
                    message_info1,
                    filter: &policy.limits.filter,
                    ..BatchReadHeader::default()
                };
                let Some(transaction) = &policy.limits.transaction else {
                    let rows = rows.map(|(index, row, digest, namespace, set)| {
                        (BatchRow { index, digest, namespace, set }, read.place_of(keys.space_index(row)))
                    });
                    return Ok(write_batch_reads(out, &header, &projections, rows)?);
                };
                let header = BatchHeader { flags, timeout_ms, message_info1, filter: &policy.limits.filter };
                let encoded = projections.iter().map(|projection| projection.encode());
                let encoded = encoded.collect::<Result<Vec<_>, _>>()?;
                let mut writer = BatchWriter::new(out, &header);
                for (index, row, digest, namespace, set) in rows {
                    let Some(bins) = encoded.get(read.place_of(keys.space_index(row))) else { continue };
                    let attributes = policy.reads.row_attributes(bins.info1);
                    let ops = EncodedOps { count: bins.count, bytes: &bins.bytes };
                    let transaction = Some(transaction.row_fields(digest, false));
                    let head =
                        OperateRow { index, digest, namespace, set, send_key: None, transaction, attributes };
                    writer.row(&head, ops)?;
                }
                Ok(writer.finish()?)
            }
            Self::Operate { batch, .. } => {
                let header = BatchHeader { flags, timeout_ms, message_info1, filter: &policy.limits.filter };
                let ops = &*batch.ops;
                let mut writer = BatchWriter::new(out, &header);
                for (index, row, digest, namespace, set) in rows {
                    let RowHead { attributes, send_key } = ops.head(row as usize);
                    let transaction = match &policy.limits.transaction {
                        Some(transaction) => Some(transaction.row_fields(digest, ops.writes(row as usize))),
                        None => ops.transaction(row as usize),
                    };
                    let head =
                        OperateRow { index, digest, namespace, set, send_key, transaction, attributes };
                    ops.write(row as usize, &head, &mut writer)?;
                }
                Ok(writer.finish()?)
            }
        }
    }
}
