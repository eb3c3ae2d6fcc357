//! The commands that exchange messages with a node, each sending one request.

use std::sync::Arc;

use aero_io::{
    BatchOperate, BatchPolicy, BatchRead, BatchWriter, Bins, Cluster, EncodedOps, Error, Hedge, Key, Limits,
    OperatePolicy, OperateRow, Query, QueryPartitions, QueryPolicy, ReadPolicy, Reads, RowAttributes,
    RowHead, RowOps, Space, WriteOp, WritePolicy,
};
use wire_protocol::command::WriteOptions;
use wire_protocol::message::{op, write_op};
use wire_protocol::particle::Particle;

use self::Caller::{Get, Info, Operate, Put, ReadBatch, RunQuery, WriteBatch};
use super::exchanges::Case;
use super::rows::{Row, Rows};
use super::{digest, keys};

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    ReadBatch,
    WriteBatch,
    Get,
    Put,
    Operate,
    RunQuery,
    Info,
}

pub const CALLERS: [Caller; 7] = [ReadBatch, WriteBatch, Get, Put, Operate, RunQuery, Info];

impl Caller {
    /// Whether its request may be sent again where the node may have carried it out.
    pub fn may_repeat(self) -> bool {
        !matches!(self, WriteBatch | Put | Operate)
    }

    pub fn is_batch(self) -> bool {
        matches!(self, ReadBatch | WriteBatch)
    }

    /// Whether its answers say how fast the node is.
    pub fn is_timed(self) -> bool {
        !matches!(self, RunQuery | Info)
    }
}

pub fn key() -> Key {
    Key::from_digest(Space::new("test", "set"), digest(5, 1))
}

/// Rows that write one bin.
struct Puts {
    put: Vec<u8>,
    is_unwritable: bool,
}

impl RowOps for Puts {
    fn head(&self, _row: usize) -> RowHead<'_> {
        let attributes = RowAttributes::write(&WriteOptions::default(), false).unwrap();
        RowHead { attributes, send_key: None }
    }

    fn writes(&self, _row: usize) -> bool {
        true
    }

    fn is_empty(&self, _row: usize) -> bool {
        false
    }

    fn size(&self, _row: usize) -> usize {
        self.put.len()
    }

    fn write<'r>(
        &'r self,
        _row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), Error> {
        if self.is_unwritable {
            return Err(Error::Param { what: "a value that cannot be written".into() });
        }
        Ok(writer.row(head, EncodedOps { count: 1, bytes: &self.put })?)
    }
}

/// The code, and whether a write is in doubt; of a batch's rows where there is no error.
pub fn outcome_of<T>(outcome: Result<T, Error>) -> (i32, bool) {
    outcome.map_or_else(|error| (error.code(), error.in_doubt()), |_| (0, false))
}

fn rows_of(outcome: Result<(), Error>, rows: &Rows) -> (i32, bool) {
    let in_doubt = rows.all().iter().any(|row| matches!(row, Row::InDoubt(_)));
    let (code, is_doubtful) = outcome_of(outcome);
    assert_eq!(is_doubtful, in_doubt, "the error and the rows");
    let codes = rows.codes();
    assert!(codes.iter().all(|found| *found == codes[0] && (code == 0 || *found == code)), "{codes:?}");
    (codes[0], in_doubt)
}

/// Lets `caller` send one request, without retries and hedges.
pub async fn call(caller: Caller, cluster: &Cluster, case: &Case) -> (i32, bool) {
    let limits = Limits {
        total_timeout: Some(case.total_timeout),
        socket_timeout: case.socket_timeout,
        max_retries: 0,
        ..Limits::default()
    };
    let reads = Reads { hedge: Hedge::Off, ..Reads::default() };
    let ops = [WriteOp { code: op::WRITE, name: b"a", value: Particle::Int(1) }];
    match caller {
        ReadBatch => {
            let rows = Rows::new(3);
            let policy = BatchPolicy { limits, reads, ..BatchPolicy::default() };
            let read = BatchRead { policy, ..BatchRead::default() };
            let outcome = cluster.batch_read(keys(3), Arc::new(read), Arc::clone(&rows)).await;
            rows_of(outcome, &rows)
        }
        WriteBatch => {
            let mut put = Vec::new();
            write_op(&mut put, op::WRITE, 1, b"a", &7i64.to_be_bytes());
            let rows = Rows::new(3);
            let ops = Arc::new(Puts { put, is_unwritable: case.is_unwritable });
            let policy = BatchPolicy { limits, ..BatchPolicy::default() };
            let batch = BatchOperate { name: "batch write", ops, policy };
            let outcome = cluster.batch_operate(keys(3), batch, Arc::clone(&rows)).await;
            rows_of(outcome, &rows)
        }
        Get => {
            let policy = ReadPolicy { limits, reads };
            outcome_of(cluster.read(&key(), &Bins::All, &policy).await)
        }
        Put => {
            let policy = WritePolicy { limits, ..WritePolicy::default() };
            outcome_of(cluster.write(&key(), &ops, &policy).await)
        }
        Operate => {
            let ops = [ops[0], WriteOp { code: op::READ, name: b"a", value: Particle::Nil }];
            let write = WritePolicy { limits, ..WritePolicy::default() };
            let policy = OperatePolicy { write, ..OperatePolicy::default() };
            outcome_of(cluster.operate("operate", &key(), &ops, &policy).await)
        }
        RunQuery => outcome_of(query(cluster, limits).await),
        Info => {
            let answers = cluster.info_within(None, &["status"], case.total_timeout).await.unwrap();
            assert!(
                answers
                    .iter()
                    .all(|(_, answers)| answers.as_ref().is_ok_and(|all| all.len() == 1) || answers.is_err())
            );
            outcome_of(answers.into_iter().next().unwrap().1)
        }
    }
}

async fn query(cluster: &Cluster, limits: Limits) -> Result<(), Error> {
    let mut stream = cluster.query(Query {
        space: Space::new("test", "set"),
        bins: Bins::All,
        every_record: false,
        operations: None,
        predicate: None,
        policy: QueryPolicy { limits, ..QueryPolicy::default() },
        partitions: QueryPartitions::range(5, 1).unwrap(),
        max_records: 0,
        records_per_second: 0,
    });
    let mut records = 0;
    while let Some(block) = stream.next().await? {
        records += block.len();
    }
    assert_eq!(records, 1);
    Ok(())
}
