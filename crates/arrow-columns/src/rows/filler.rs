//! The columns of the open record batch, filled with the values of rows.

use std::ops::Range;
use std::sync::Arc;

use wire_protocol::particle::particle_type;

use super::block::Block;
use super::report::{ColumnFailure, TableReport};
use crate::columns::{Column, Context, put};
use crate::error::Misfit;
use crate::schema::ColumnPlan;
use crate::value::Value;

/// More rows than any column has.
pub(super) const BY_BLOCK: usize = usize::MAX;

/// The columns of the open record batch.
pub(super) struct Filler {
    pub(super) plan: Arc<ColumnPlan>,
    /// `None`: the column's values are placed elsewhere.
    pub(super) columns: Vec<Option<Box<dyn Column>>>,
    /// The rows of the open record batch that each column has, [`BY_BLOCK`] for those filled block by block; and how
    /// many columns have the open row.
    pub(super) filled: Vec<usize>,
    pub(super) filled_count: usize,
    /// The number of columns that are filled row by row.
    pub(super) appended: usize,
    pub(super) context: Context,
    pub(super) report: TableReport,
    /// Which columns have a value.
    pub(super) has_value: Vec<bool>,
    /// Rows in the open record batch, and in those before.
    pub(super) open: usize,
    pub(super) before: usize,
    /// Whether a record was found.
    pub(super) has_record: bool,
    /// Whether the columns were inferred, so that a bin without one is a failure.
    pub(super) is_inferred: bool,
    /// Whether there was no memory for a value.
    pub(super) has_no_memory: bool,
}

impl Filler {
    pub(super) fn row(&self) -> usize {
        self.before + self.open
    }

    /// Appends the value of a bin to what it fills.
    #[inline]
    pub(super) fn fill(&mut self, plan: &ColumnPlan, source: usize, kind: u8, bytes: &[u8]) {
        for target in plan.targets(source) {
            let Some(Some(column)) = self.columns.get_mut(target.column) else { continue };
            let Some(filled) = self.filled.get_mut(target.column) else { continue };
            if *filled > self.open {
                // The bin came before in this record; the first one counts.
                continue;
            }
            *filled = self.open + 1;
            self.filled_count += 1;
            self.context.begin();
            let outcome = match Value::of_particle(kind, bytes) {
                Ok(value) if target.steps.is_empty() => {
                    if let (Some(has_value), false) =
                        (self.has_value.get_mut(target.column), matches!(value, Value::Nil))
                    {
                        *has_value = true;
                    }
                    put(&mut **column, value, &mut self.context)
                        .map_err(|misfit| (misfit, bin_type(kind, bytes)))
                }
                Ok(value) => match value.at(&target.steps) {
                    Ok(value) => {
                        let found = value.type_name();
                        if let Some(has_value) = self.has_value.get_mut(target.column) {
                            *has_value |= !matches!(value, Value::Nil);
                        }
                        put(&mut **column, value, &mut self.context).map_err(|misfit| (misfit, found))
                    }
                    Err(misfit) => Err((misfit, bin_type(kind, bytes))),
                },
                Err(error) => Err((error.into(), bin_type(kind, bytes))),
            };
            if let Err((misfit, found)) = outcome {
                self.fail(target.column, found, misfit);
            } else if self.context.changed > 0 || !self.context.failures.is_empty() {
                self.note(target.column);
            }
        }
    }

    /// Ends a row: columns without a value in it get null.
    #[inline]
    pub(super) fn end_row(&mut self) {
        if self.filled_count < self.appended {
            self.fill_nulls();
        }
        self.filled_count = 0;
        self.open += 1;
    }

    pub(super) fn fill_nulls(&mut self) {
        for (column, filled) in self.columns.iter_mut().zip(&mut self.filled) {
            if let Some(column) = column
                && *filled <= self.open
            {
                column.append_null();
                *filled = self.open + 1;
            }
        }
    }

    #[cold]
    pub(super) fn fail(&mut self, column: usize, bin_type: &'static str, misfit: Misfit) {
        self.has_no_memory |= misfit.is_no_memory();
        if let Some(has_value) = self.has_value.get_mut(column) {
            *has_value = true;
        }
        if let Some(Some(column)) = self.columns.get_mut(column) {
            column.append_null();
        }
        let (row, column) = (self.row(), self.name(column));
        self.report.fail_any(ColumnFailure { row, column, bin_type, misfit });
    }

    /// Takes note of what changed in a value, and of fields that failed.
    #[cold]
    pub(super) fn note(&mut self, column: usize) {
        if self.context.changed > 0 {
            let name = self.name(column);
            self.report.count_changed(&name, self.context.changed);
        }
        let row = self.row();
        for failure in self.context.failures.drain(..) {
            self.has_no_memory |= failure.misfit.is_no_memory();
            self.report.fail_any(ColumnFailure {
                row,
                column: (&*failure.name).into(),
                bin_type: failure.found,
                misfit: failure.misfit,
            });
        }
    }

    pub(super) fn name(&self, column: usize) -> Box<str> {
        self.plan.schema().fields().get(column).map_or("?", |field| field.name()).into()
    }

    #[cold]
    pub(super) fn unmatched(&mut self, bin: &[u8], kind: u8, bytes: &[u8]) {
        self.report.note_unmatched(bin);
        if self.is_inferred {
            let (row, column) = (self.row(), String::from_utf8_lossy(bin).into());
            let bin_type = bin_type(kind, bytes);
            self.report.fail_any(ColumnFailure { row, column, bin_type, misfit: Misfit::NotInferred });
        }
    }

    /// Appends rows of a block to a column that is filled block by block.
    pub(super) fn fill_cells(&mut self, at: usize, column: usize, block: &Block, rows: Range<usize>) {
        let (Some(cells), Some(Some(values))) = (block.cells.get(at), self.columns.get_mut(column)) else {
            return;
        };
        let (report, schema, first) = (&mut self.report, self.plan.schema(), self.before + self.open);
        let mut fail = |row: usize, misfit| {
            let column = schema.fields().get(column).map_or("?", |field| field.name()).into();
            let row = first + row - rows.start;
            report.fail_any(ColumnFailure { row, column, bin_type: "string", misfit });
        };
        match values.append_cells(cells, rows.clone(), &mut fail) {
            Ok(found) => {
                if let Some(has_value) = self.has_value.get_mut(column) {
                    *has_value |= found;
                }
            }
            Err(_) => self.has_no_memory = true,
        }
    }
}

#[cold]
pub(super) fn bin_type(kind: u8, bytes: &[u8]) -> &'static str {
    match Value::of_particle(kind, bytes) {
        Ok(value) => value.type_name(),
        Err(_) => match kind {
            particle_type::INTEGER => "integer",
            particle_type::FLOAT => "float",
            particle_type::BOOL => "bool",
            particle_type::GEOJSON => "GeoJSON",
            particle_type::LIST => "list",
            particle_type::MAP => "map",
            _ => "unknown",
        },
    }
}
