//! What did not fit.

use std::collections::BTreeMap;

use record_decode::KEPT_FAILURES;

use super::meta::MetaError;
use crate::error::Misfit;
use crate::schema::ColumnPlan;

/// How many names of bins without a column are kept.
const KEPT_NAMES: usize = 64;

/// A value that does not fit its column.
#[derive(Clone, Debug)]
pub struct ColumnFailure {
    /// The row.
    pub row: usize,
    /// The column; for a field of a struct, a dotted name.
    pub column: Box<str>,
    /// The type of the value.
    pub bin_type: &'static str,
    /// Why it does not fit.
    pub misfit: Misfit,
}

/// What happened to the values of a result.
#[derive(Clone, Debug, Default)]
pub struct TableReport {
    /// The first values that do not fit, in the order of rows.
    pub failures: Vec<ColumnFailure>,
    /// The number of values that do not fit.
    pub failure_count: u64,
    /// For each column with values that changed to fit, their number.
    pub inexact: BTreeMap<Box<str>, u64>,
    /// Columns that no record has a value for, if there is a record.
    pub missing: Vec<Box<str>>,
    /// Names of bins without a column.
    pub unmatched: Vec<Box<[u8]>>,
}

impl TableReport {
    #[cold]
    pub(crate) fn fail(&mut self, failure: ColumnFailure) {
        self.failure_count += 1;
        if self.failures.len() < KEPT_FAILURES {
            self.failures.push(failure);
        }
    }

    /// Adds another report on the same rows.
    pub(crate) fn merge(&mut self, other: Self) {
        self.failure_count += other.failure_count;
        self.failures.extend(other.failures);
        self.failures.sort_by_key(|failure| failure.row);
        self.failures.truncate(KEPT_FAILURES);
        for (column, count) in other.inexact {
            self.count_changed(&column, count);
        }
    }

    /// [`TableReport::fail`], for rows that come in any order: the first ones are kept.
    #[cold]
    pub(crate) fn fail_any(&mut self, failure: ColumnFailure) {
        self.failure_count += 1;
        self.failures.push(failure);
        if self.failures.len() >= 2 * KEPT_FAILURES {
            self.failures.sort_by_key(|failure| failure.row);
            self.failures.truncate(KEPT_FAILURES);
        }
    }

    /// A stored key of another type than the column of keys has.
    #[cold]
    pub(crate) fn fail_key(&mut self, row: usize, error: &MetaError) {
        let misfit = Misfit::KeyType { why: error.to_string().into() };
        self.fail(ColumnFailure { row, column: "key".into(), bin_type: "key", misfit });
    }

    #[cold]
    pub(crate) fn count_changed(&mut self, column: &str, count: u64) {
        let sum = self.inexact.entry(column.into()).or_default();
        *sum = sum.saturating_add(count);
    }

    #[cold]
    pub(crate) fn note_unmatched(&mut self, bin: &[u8]) {
        if self.unmatched.len() < KEPT_NAMES && !self.unmatched.iter().any(|known| **known == *bin) {
            self.unmatched.push(bin.into());
        }
    }

    /// Names the columns without a value.
    pub(crate) fn set_missing(&mut self, plan: &ColumnPlan, has_value: &[bool]) {
        let fields = plan.schema().fields().iter().zip(has_value).enumerate();
        let missing = fields.filter(|&(column, (_, has))| !has && plan.is_filled(column));
        self.missing = missing.map(|(_, (field, _))| field.name().as_str().into()).collect();
    }
}
