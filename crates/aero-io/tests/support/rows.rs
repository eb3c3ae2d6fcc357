//! A sink that keeps what it receives.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use aero_io::{RowLease, RowOutcome, RowSink};
use wire_protocol::batch::Record;

/// Name, particle type, bytes.
pub type Bin = (Vec<u8>, u8, Vec<u8>);

/// What happened to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    Untouched,
    Record {
        code: u8,
        generation: u32,
        void_time: u32,
        bins: Vec<Bin>,
    },
    Failed(i32),
    /// Failed, and may have been applied.
    InDoubt(i32),
}

pub struct Rows {
    rows: Mutex<Vec<Row>>,
    pub sealed: AtomicBool,
}

impl Rows {
    pub fn new(n: usize) -> Arc<Self> {
        Arc::new(Self { rows: Mutex::new(vec![Row::Untouched; n]), sealed: AtomicBool::new(false) })
    }

    pub fn get(&self, row: usize) -> Row {
        self.rows.lock().unwrap()[row].clone()
    }

    pub fn all(&self) -> Vec<Row> {
        self.rows.lock().unwrap().clone()
    }

    /// The result code of each row; -100 for rows that were never written.
    pub fn codes(&self) -> Vec<i32> {
        let code = |row: &Row| match row {
            Row::Untouched => -100,
            Row::Record { code, .. } => i32::from(*code),
            Row::Failed(code) | Row::InDoubt(code) => *code,
        };
        self.rows.lock().unwrap().iter().map(code).collect()
    }

    /// Number of rows with that code.
    pub fn count(&self, code: i32) -> usize {
        self.codes().iter().filter(|found| **found == code).count()
    }

    /// The generation of a row with a record.
    pub fn generation(&self, row: usize) -> u32 {
        match self.get(row) {
            Row::Record { generation, .. } => generation,
            row => panic!("{row:?}"),
        }
    }
}

impl RowSink for Rows {
    type Lease<'a> = Lease<'a>;

    fn lease(&self) -> Option<Lease<'_>> {
        if self.sealed.load(Ordering::Acquire) { None } else { Some(Lease(self.rows.lock().unwrap())) }
    }
}

pub struct Lease<'a>(MutexGuard<'a, Vec<Row>>);

impl Lease<'_> {
    fn put(&mut self, row: usize, value: Row) -> RowOutcome {
        match self.0.get_mut(row) {
            None => RowOutcome::OutOfRange,
            Some(slot) if *slot != Row::Untouched => RowOutcome::Repeated,
            Some(slot) => {
                *slot = value;
                RowOutcome::Written
            }
        }
    }
}

impl RowLease for Lease<'_> {
    fn record(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        let bins = record.ops().map(|op| (op.name.into(), op.particle_type, op.value.into())).collect();
        let code = record.result_code.get();
        self.put(row, Row::Record { code, generation: record.generation, void_time: record.void_time, bins })
    }

    fn fail(&mut self, row: usize, code: i32, in_doubt: bool) -> RowOutcome {
        self.put(row, if in_doubt { Row::InDoubt(code) } else { Row::Failed(code) })
    }
}
