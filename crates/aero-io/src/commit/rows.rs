//! The batches that end a transaction: one row for each record that it has read or written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use wire_protocol::ResultCode;
use wire_protocol::batch::{BatchWriter, EncodedOps, OperateRow, Record, RowAttributes};
use wire_protocol::command::TransactionFields;

use crate::batch::keys::BatchKeys;
use crate::batch::request::{BatchOperate, Request, RowHead, RowOps};
use crate::batch::sink::{RowLease, RowOutcome, RowSink};
use crate::batch::work;
use crate::error::Error;
use crate::key::Space;
use crate::policy::{BatchPolicy, Hedge, Limits, Reads, Replica};
use crate::topology::state::Inner;
use crate::transaction::{TrackedRecord, Transaction};

/// More than what a row holds beside namespace and set.
const ROW_SIZE: usize = 128;

/// Why a batch failed.
pub(super) enum Failure {
    /// Records failed: how many, and with which codes.
    Rows(String),
    /// There was no answer.
    Error(Error),
}

/// Fails unless all records have the versions that the transaction has read.
pub(super) async fn verify(
    inner: &Arc<Inner>,
    transaction: &Transaction,
    policy: &BatchPolicy,
    records: Vec<TrackedRecord>,
) -> Result<(), Failure> {
    let fields = |record: &TrackedRecord| TransactionFields { version: record.version, ..Default::default() };
    let count = records.len();
    let failed =
        run(inner, transaction, "verification", policy, records, RowAttributes::verify(), fields).await;
    match failed {
        Ok(codes) if codes.is_empty() => Ok(()),
        Ok(codes) => {
            let failed: usize = codes.values().sum();
            let codes: Vec<String> =
                codes.iter().map(|(code, rows)| format!("{rows} with {}", describe(*code))).collect();
            Err(Failure::Rows(format!(
                "{failed} of {count} records that it has read could not be verified: {}",
                codes.join(", ")
            )))
        }
        Err(error) => Err(Failure::Error(error)),
    }
}

/// Keeps or drops what the transaction has written. Fails unless every record was.
pub(super) async fn roll(
    inner: &Arc<Inner>,
    transaction: &Transaction,
    policy: &BatchPolicy,
    records: Vec<TrackedRecord>,
    is_forward: bool,
) -> Result<(), Error> {
    let fields = |record: &TrackedRecord| TransactionFields {
        version: record.version,
        ..transaction.row_fields(&record.digest, true)
    };
    let name = if is_forward { "roll forward" } else { "roll back" };
    let codes =
        run(inner, transaction, name, policy, records, RowAttributes::roll(is_forward), fields).await?;
    match codes.first_key_value() {
        None => Ok(()),
        Some((code, _)) => {
            let rows: usize = codes.values().sum();
            Err(Error::TransactionFailed {
                what: format!("{rows} records failed with {}", describe(*code)),
                source: None,
            })
        }
    }
}

fn describe(code: i32) -> String {
    match u8::try_from(code) {
        Ok(code) => ResultCode::new(code).to_string(),
        Err(_) => format!("client code {code}"),
    }
}

/// Sends the rows, and returns how many failed with which code.
async fn run(
    inner: &Arc<Inner>,
    transaction: &Transaction,
    name: &'static str,
    policy: &BatchPolicy,
    records: Vec<TrackedRecord>,
    attributes: RowAttributes<'static>,
    fields: impl Fn(&TrackedRecord) -> TransactionFields,
) -> Result<BTreeMap<i32, usize>, Error> {
    if records.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = EndRows { attributes, fields: records.iter().map(fields).collect() };
    let keys = Arc::new(keys_of(&transaction.namespace().unwrap_or_default(), &records)?);
    // Only the master knows what transactions have written.
    let limits =
        Limits { replica: Replica::Master, transaction: None, filter: Vec::new(), ..policy.limits.clone() };
    let reads = Reads { hedge: Hedge::Off, ..policy.reads.clone() };
    let policy = BatchPolicy { limits, reads, respond_all_keys: true, ..policy.clone() };
    let request = Request::operate(BatchOperate { name, ops: Arc::new(rows), policy }, keys.len())?;
    let codes = Arc::new(FailedRows::default());
    work::run(inner, keys, request, codes.clone()).await?;
    let codes = codes.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(codes.clone())
}

fn keys_of(namespace: &[u8], records: &[TrackedRecord]) -> Result<BatchKeys, Error> {
    let mut places: BTreeMap<&[u8], u32> = BTreeMap::new();
    let mut spaces = Vec::new();
    let mut space_of = Vec::with_capacity(records.len());
    for record in records {
        let place = *places.entry(&record.set).or_insert_with(|| {
            spaces.push(Space::new(namespace, &record.set));
            spaces.len() as u32 - 1
        });
        space_of.push(place);
    }
    let digests: Vec<_> = records.iter().map(|record| record.digest).collect();
    BatchKeys::mixed(spaces, space_of, digests)
}

/// Rows that verify, keep or drop a record each.
struct EndRows {
    attributes: RowAttributes<'static>,
    fields: Vec<TransactionFields>,
}

impl RowOps for EndRows {
    fn head(&self, _row: usize) -> RowHead<'_> {
        RowHead { attributes: self.attributes, send_key: None }
    }

    fn transaction(&self, row: usize) -> Option<TransactionFields> {
        self.fields.get(row).copied()
    }

    /// A record that is rolled twice is as one that was rolled once, so the rows may be repeated like reads.
    fn writes(&self, _row: usize) -> bool {
        false
    }

    fn is_empty(&self, _row: usize) -> bool {
        false
    }

    fn size(&self, _row: usize) -> usize {
        ROW_SIZE
    }

    fn write<'r>(
        &'r self,
        _row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), Error> {
        Ok(writer.row(head, EncodedOps::default())?)
    }
}

/// How many rows failed with which code.
#[derive(Default)]
struct FailedRows(Mutex<BTreeMap<i32, usize>>);

impl FailedRows {
    fn count(&self, code: i32) -> RowOutcome {
        if code != 0 {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
        }
        RowOutcome::Written
    }
}

impl RowSink for FailedRows {
    type Lease<'a> = &'a Self;

    fn lease(&self) -> Option<&Self> {
        Some(self)
    }
}

impl RowLease for &FailedRows {
    fn record(&mut self, _row: usize, record: &Record<'_>) -> RowOutcome {
        self.count(record.result_code.into())
    }

    fn fail(&mut self, _row: usize, code: i32, _in_doubt: bool) -> RowOutcome {
        self.count(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_several_sets_make_one_batch() {
        let record = |n, set: &[u8]| TrackedRecord { digest: [n; 20], set: set.into(), version: None };
        let keys = keys_of(b"test", &[record(1, b"a"), record(2, b"b"), record(3, b"a")]).unwrap();
        assert_eq!(keys.spaces(), [Space::new("test", "a"), Space::new("test", "b")]);
        assert_eq!((keys.space_of(0), keys.space_of(1), keys.space_of(2)), (Some(0), Some(1), Some(0)));
    }
}
