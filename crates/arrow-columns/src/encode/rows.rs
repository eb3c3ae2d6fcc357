//! The rows of a record batch.

use std::sync::Arc;

use wire_protocol::digest::UserKey;

use super::column::{Column, Values, WhyNot};
use super::plan::{KeyKind, Nulls, WriteOptions, WritePlan};

/// A value that no bin can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, column '{column}': {why}")]
pub struct Unwritable {
    /// The row, counted from the first one of all record batches.
    pub row: usize,
    /// The column's name.
    pub column: Box<str>,
    /// What is wrong with the value.
    pub why: WhyNot,
}

impl Unwritable {
    pub(super) fn other_schema(row: usize, column: &str) -> Self {
        let what = "it is shorter than its record batch, or has another type than in the schema";
        Self { row, column: column.into(), why: WhyNot::Invalid { what } }
    }
}

/// The rows of one record batch, as operations.
#[derive(Debug)]
pub struct RowsToWrite {
    plan: Arc<WritePlan>,
    /// The number of the first row.
    first: usize,
    len: usize,
    key: (Column, KeyKind),
    /// In the order of the plan's columns.
    columns: Box<[Column]>,
    /// The most bytes that columns of a fixed size take in each row.
    fixed_size: usize,
    /// The most bytes that the other columns take, by row; empty if there are none.
    sizes: Box<[u32]>,
    /// Whether a row can be without values.
    may_be_empty: bool,
}

impl RowsToWrite {
    pub(super) fn new(
        plan: &Arc<WritePlan>,
        len: usize,
        first: usize,
        key: (Column, KeyKind),
        columns: Box<[Column]>,
    ) -> Result<Self, Unwritable> {
        let unwritable = |column: &str, (row, why): (usize, WhyNot)| Unwritable {
            row: first.saturating_add(row),
            column: column.into(),
            why,
        };
        let name = &*plan.key.1;
        if key.0.has_nulls()
            && let Some(row) = (0..len).find(|&row| key.0.is_null(row))
        {
            return Err(unwritable(name, (row, WhyNot::NullKey)));
        }
        key.0.check(0..len).map_err(|bad| unwritable(name, bad))?;
        for (planned, column) in plan.columns.iter().zip(&columns) {
            // The column of the keys was checked.
            if planned.place != plan.key.0 {
                column.check(0..len).map_err(|bad| unwritable(&planned.name, bad))?;
            }
        }
        let (mut fixed_size, mut sizes) = (0usize, Vec::new());
        for (planned, column) in plan.columns.iter().zip(&columns) {
            fixed_size = fixed_size.saturating_add(planned.head.len());
            match column.fixed_bin_size() {
                Some(size) => fixed_size = fixed_size.saturating_add(size),
                None => {
                    sizes.resize(len, 0u32);
                    for (row, size) in sizes.iter_mut().enumerate() {
                        let more = u32::try_from(column.max_size(row)).unwrap_or(u32::MAX);
                        *size = size.saturating_add(more);
                    }
                }
            }
        }
        let may_be_empty = plan.options.nulls == Nulls::Omit && columns.iter().all(Column::has_nulls);
        let plan = Arc::clone(plan);
        Ok(Self { plan, first, len, key, columns, fixed_size, sizes: sizes.into(), may_be_empty })
    }

    /// The number of the first row, counted from the first one of all record batches.
    #[must_use]
    pub fn first(&self) -> usize {
        self.first
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The primary key of a row. That of a row that does not exist is 0.
    #[inline]
    #[must_use]
    pub fn key(&self, row: usize) -> UserKey<'_> {
        let (column, kind) = &self.key;
        match kind {
            KeyKind::Int => UserKey::Int(column.integer(row).ok().flatten().unwrap_or(0)),
            KeyKind::Text => UserKey::Str(column.bytes(row)),
            KeyKind::Blob => UserKey::Blob(column.bytes(row)),
        }
    }

    /// Whether a row has nothing to write: all its values are null, and nulls are left out.
    #[must_use]
    pub fn has_no_values(&self, row: usize) -> bool {
        self.may_be_empty && self.columns.iter().all(|column| column.is_null(row))
    }

    /// The most bytes that the operations of a row take.
    #[must_use]
    pub fn max_size(&self, row: usize) -> usize {
        self.fixed_size.saturating_add(self.sizes.get(row).map_or(0, |&size| size as usize))
    }

    /// Appends the operations that write a row, and returns their number.
    ///
    /// # Errors
    /// None, if the arrays did not change since these rows were made. `out` then ends with an incomplete row.
    #[inline]
    pub fn write_row(&self, row: usize, out: &mut Vec<u8>) -> Result<usize, Unwritable> {
        let WriteOptions { nulls, bools_as_integers } = self.plan.options;
        let mut count = 0;
        for (planned, column) in self.plan.columns.iter().zip(&self.columns) {
            if !column.is_null(row) {
                column.write_bin(row, &planned.head, bools_as_integers, out).map_err(|why| Unwritable {
                    row: self.first.saturating_add(row),
                    column: planned.name.clone(),
                    why,
                })?;
            } else if nulls == Nulls::Remove {
                planned.head.remove(out);
            } else {
                continue;
            }
            count += 1;
        }
        Ok(count)
    }
}

impl Column {
    /// The bytes of a text or blob, behind dictionaries; empty for other columns.
    #[inline]
    fn bytes(&self, row: usize) -> &[u8] {
        match self.resolve(row).map(|(column, row)| (&column.values, row)) {
            Ok((Values::Text(bytes) | Values::Blob(bytes), row)) => bytes.get(row).unwrap_or_default(),
            _ => &[],
        }
    }
}
