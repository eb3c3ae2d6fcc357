//! What happens to the values of a batch's rows when they come: numbers are put into their place at once, others wait
//! in the [`Block`] of their row.

use arrow_array::ArrayRef;
use arrow_buffer::{Buffer, MutableBuffer};
use record_decode::Casting;

use super::block::Block;
use super::filler::bin_type;
use super::query::TableError;
use super::report::{ColumnFailure, TableReport};
use crate::columns::{CellKind, Placed, PlacedMemory, new_column, placed};
use crate::error::Misfit;
use crate::schema::ColumnPlan;
use crate::value::Value;
use wire_protocol::particle::particle_type;

/// The bins of a plan whose values are not just packed.
pub(super) struct Arrivals {
    /// By the number of the bin.
    bins: Vec<Option<ArrivingBin>>,
    /// The values that are placed.
    memory: MutableBuffer,
    /// The columns of [`Block::cells`].
    cell_columns: Vec<usize>,
    /// Whether values of some bins are packed.
    has_packed: bool,
    report: TableReport,
    /// The number of columns of the plan.
    columns: usize,
}

/// A bin that fills one column.
struct ArrivingBin {
    goes: Goes,
    column: usize,
    name: Box<str>,
    /// The row that came last, for bins that come twice in a record: the first one counts.
    last: usize,
}

enum Goes {
    /// To its place in the column, which has all rows.
    Placed(Box<dyn Placed>),
    /// Into these cells of the block.
    Cells(usize, CellKind),
}

impl std::fmt::Debug for Arrivals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrivals").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl Arrivals {
    /// For a batch of so many rows.
    ///
    /// # Errors
    /// There is no memory for the values that are placed.
    pub(super) fn new(plan: &ColumnPlan, rows: usize) -> Result<Self, Misfit> {
        let (mut cell_columns, mut memory) = (Vec::new(), PlacedMemory::default());
        let mut bins = Vec::with_capacity(plan.bin_count());
        for bin in 0..plan.bin_count() {
            let column = plan.only_column(bin);
            let Some((column, field)) = column.and_then(|at| Some((at, plan.schema().fields().get(at)?)))
            else {
                bins.push(None);
                continue;
            };
            let goes = match placed(field.data_type(), rows, &mut memory)? {
                Some(values) => Some(Goes::Placed(values)),
                None => new_column(field, field.name(), 0).and_then(|made| made.cell_kind()).map(|kind| {
                    cell_columns.push(column);
                    Goes::Cells(cell_columns.len() - 1, kind)
                }),
            };
            let name = field.name().as_str().into();
            bins.push(goes.map(|goes| ArrivingBin { goes, column, name, last: usize::MAX }));
        }
        Ok(Self {
            has_packed: bins.iter().any(Option::is_none),
            bins,
            memory: memory.allocate()?,
            cell_columns,
            report: TableReport::default(),
            columns: plan.schema().fields().len(),
        })
    }

    /// For rows whose columns are not known: all values are packed.
    pub(super) fn packed() -> Self {
        Self {
            bins: Vec::new(),
            memory: MutableBuffer::new(0),
            cell_columns: Vec::new(),
            has_packed: true,
            report: TableReport::default(),
            columns: 0,
        }
    }

    /// The columns whose values are placed.
    pub(super) fn placed_columns(&self) -> Vec<usize> {
        let placed = self.bins.iter().flatten().filter(|bin| matches!(bin.goes, Goes::Placed(_)));
        placed.map(|bin| bin.column).collect()
    }

    /// The columns of [`Block::cells`].
    pub(super) fn cell_columns(&self) -> &[usize] {
        &self.cell_columns
    }

    /// Whether values of some bins are packed.
    pub(super) fn has_packed(&self) -> bool {
        self.has_packed
    }

    /// Whether values wait in blocks.
    pub(super) fn has_waiting(&self) -> bool {
        self.has_packed || !self.cell_columns.is_empty()
    }

    /// Puts the value of a bin of a row where it belongs. `block` is the row's, in which it is number `in_block`;
    /// `None` if no values wait. False without memory for it.
    #[inline]
    pub(super) fn put(
        &mut self,
        (bin, kind, value): (u16, u8, &[u8]),
        row: usize,
        (block, in_block): (Option<&mut Block>, usize),
        casting: Casting,
    ) -> bool {
        let Some(Some(arriving)) = self.bins.get_mut(usize::from(bin)) else {
            return block.is_none_or(|block| block.packed.push(bin, kind, value));
        };
        if std::mem::replace(&mut arriving.last, row) == row {
            return true;
        }
        let outcome = match &mut arriving.goes {
            Goes::Placed(values) => {
                let memory = self.memory.as_slice_mut();
                place((&mut **values, memory), kind, value, row, casting)
            }
            Goes::Cells(at, wanted) => match wanted.bytes_of(kind, value) {
                Ok(Some(bytes)) => {
                    let cells = block.and_then(|block| block.cells.get_mut(*at));
                    return cells.is_none_or(|cells| cells.put(in_block, bytes));
                }
                Ok(None) => Ok(0),
                Err(misfit) => Err(misfit),
            },
        };
        if !matches!(outcome, Ok(0)) {
            self.note(bin, row, (kind, value), outcome);
        }
        true
    }

    #[cold]
    fn note(&mut self, bin: u16, row: usize, (kind, value): (u8, &[u8]), outcome: Result<u64, Misfit>) {
        let Some(Some(arriving)) = self.bins.get(usize::from(bin)) else { return };
        match outcome {
            Ok(changed) => self.report.count_changed(&arriving.name, changed),
            Err(misfit) => {
                let (column, bin_type) = (arriving.name.clone(), bin_type(kind, value));
                self.report.fail_any(ColumnFailure { row, column, bin_type, misfit });
            }
        }
    }

    /// The arrays of the columns that are placed, by column, and what did not fit.
    pub(super) fn finish(&mut self) -> Result<(Vec<Option<ArrayRef>>, TableReport), TableError> {
        let mut arrays = vec![None; self.columns];
        let memory = Buffer::from(std::mem::replace(&mut self.memory, MutableBuffer::new(0)));
        for bin in self.bins.iter_mut().flatten() {
            if let (Goes::Placed(values), Some(array)) = (&mut bin.goes, arrays.get_mut(bin.column)) {
                *array = Some(values.finish(&memory)?);
            }
        }
        Ok((arrays, std::mem::take(&mut self.report)))
    }
}

/// Puts the value of a bin into its place. Returns how many values changed to fit.
#[inline]
fn place(
    (values, memory): (&mut dyn Placed, &mut [u8]),
    kind: u8,
    value: &[u8],
    row: usize,
    casting: Casting,
) -> Result<u64, Misfit> {
    match (kind, <[u8; 8]>::try_from(value)) {
        (particle_type::INTEGER, Ok(bytes)) => {
            values.put_int(memory, row, i64::from_be_bytes(bytes), casting)
        }
        (particle_type::FLOAT, Ok(bytes)) => {
            values.put_float(memory, row, f64::from_be_bytes(bytes), casting)
        }
        _ => place_other((values, memory), kind, value, row, casting),
    }
}

#[cold]
fn place_other(
    (values, memory): (&mut dyn Placed, &mut [u8]),
    kind: u8,
    value: &[u8],
    row: usize,
    casting: Casting,
) -> Result<u64, Misfit> {
    match Value::of_particle(kind, value)? {
        Value::Number(number) => values.put(memory, row, number, casting),
        Value::Nil => Ok(0),
        _ => Err(Misfit::TypeNotTaken { takes: values.takes() }),
    }
}
