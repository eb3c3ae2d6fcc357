//! Columns while they grow: values of bins are appended, and the finished arrays taken out.
//!
//! Start with [`Column`] and [`put`]. [`new_column`] makes the column of a type: numbers and times (`fixed`), text and
//! bytes (`bytes`), dictionaries (`dictionary`), lists (`list`), structs and maps (`nested`). Columns of nested types
//! have columns inside. Values of batches come in any order: numbers are put at their row (`placed`), text and bytes
//! wait in blocks (`cells`). The memory of text is used again (`kept`). Knows values and types, no records and no bins.

mod bytes;
mod cells;
mod dictionary;
mod fixed;
mod kept;
mod list;
mod nested;
mod placed;

pub(crate) use self::cells::{CellKind, Cells};
pub(crate) use self::kept::free as free_kept_memory;
pub(crate) use self::placed::{Placed, PlacedMemory, placed};

use std::ops::Range;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{ArrowError, DataType, Field, IntervalUnit, TimeUnit};
use record_decode::Casting;

use crate::error::Misfit;
use crate::value::Value;

/// A value of a struct's field that did not fit. The other fields have their values.
#[derive(Clone, Debug)]
pub(crate) struct FieldMisfit {
    /// The column and the names of the fields on the way.
    pub(crate) name: Arc<str>,
    pub(crate) found: &'static str,
    pub(crate) misfit: Misfit,
}

/// What columns share while a value is appended.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) casting: Casting,
    /// Values that changed to fit, of the value that is appended.
    pub(crate) changed: u64,
    pub(crate) failures: Vec<FieldMisfit>,
    /// The lists and maps around: what does not fit in one fails all of it.
    pub(crate) inside: usize,
    /// The bytes of nil elements in the lists of the value.
    null_bytes: usize,
}

impl Context {
    /// Begins the value of a bin.
    pub(crate) fn begin(&mut self) {
        (self.changed, self.inside, self.null_bytes) = (0, 0, 0);
        self.failures.clear();
    }

    pub(crate) fn new(casting: Casting) -> Self {
        Self { casting, changed: 0, failures: Vec::new(), inside: 0, null_bytes: 0 }
    }
}

/// A column that grows.
pub(crate) trait Column: Send + Sync {
    /// The number of values, null or not.
    fn len(&self) -> usize;

    /// Appends a value that is not nil.
    ///
    /// # Errors
    /// The value does not fit. The column is as it was.
    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit>;

    fn append_null(&mut self);

    /// Cuts the column to its first `len` values, and whatever a failed [`Column::append`] left.
    fn truncate(&mut self, len: usize);

    /// Takes the values out.
    ///
    /// # Errors
    /// Arrow's checks refuse the array.
    fn finish(&mut self) -> Result<ArrayRef, ArrowError>;

    /// Takes note that about so many values will come before the next [`Column::finish`], so that memory for them is
    /// reserved when their size is known.
    fn expect(&mut self, _values: usize) {}

    /// How values are kept that come before their turn, if [`Column::append_cells`] takes them.
    fn cell_kind(&self) -> Option<CellKind> {
        None
    }

    /// Appends the values of rows of a block; those that do not fit become null, and `fail` is called with their row in
    /// the block. Returns whether a row has a value. Called only if there is a [`Column::cell_kind`].
    ///
    /// # Errors
    /// There is no memory for the values.
    fn append_cells(
        &mut self,
        _block: &Cells,
        _rows: Range<usize>,
        _fail: &mut dyn FnMut(usize, Misfit),
    ) -> Result<bool, Misfit> {
        Ok(false)
    }

    /// Appends doubles of a list, each with its tag: all, or none if one of them may not fit or is not copied.
    fn append_doubles(&mut self, _doubles: &[[u8; 9]], _casting: Casting) -> bool {
        false
    }

    /// The bytes that a null takes, roughly.
    fn null_bytes(&self) -> usize {
        self.width().unwrap_or(size_of::<u64>())
    }

    /// The bytes of a value, if values have a fixed width and may be copied from blobs.
    fn width(&self) -> Option<usize> {
        None
    }

    /// Appends values as they are in memory. Does nothing if the column has no [`Column::width`].
    fn append_raw(&mut self, _bytes: &[u8]) {}
}

/// Appends a value; nil becomes null. After an error the column is as it was.
#[inline]
pub(crate) fn put(column: &mut dyn Column, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
    if matches!(value, Value::Nil) {
        column.append_null();
        return Ok(());
    }
    column.append(value, context)
}

/// Appends with `append` to a column of `len` values that has columns inside, and restores all if that fails.
fn or_restore<C: Column>(
    column: &mut C,
    context: &mut Context,
    append: impl FnOnce(&mut C, &mut Context) -> Result<(), Misfit>,
) -> Result<(), Misfit> {
    let (len, changed, failures, inside) =
        (column.len(), context.changed, context.failures.len(), context.inside);
    let appended = append(column, context);
    if appended.is_err() {
        column.truncate(len);
        context.changed = changed;
        context.failures.truncate(failures);
        context.inside = inside;
    }
    appended
}

/// The bytes that nil elements of one value's lists may take. A nil is one byte of an answer, and as many in memory as
/// the schema says.
const MOST_NULL_BYTES: usize = 1 << 24;

/// [`put`] for an element of a list, or a part of a map.
#[inline]
fn put_inside(column: &mut dyn Column, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
    if matches!(value, Value::Nil) {
        context.null_bytes = context.null_bytes.saturating_add(column.null_bytes());
        if context.null_bytes > MOST_NULL_BYTES {
            return Err(Misfit::TooManyNulls { most: MOST_NULL_BYTES });
        }
    }
    put(column, value, context)
}

/// Makes an empty column for a field; `name` is its name with those of the structs around it. `None` for a type that no
/// value fits.
pub(crate) fn new_column(field: &Field, name: &str, rows: usize) -> Option<Box<dyn Column>> {
    Some(match field.data_type() {
        DataType::List(item) => list::lists::<i32>(item, name)?,
        DataType::LargeList(item) => list::lists::<i64>(item, name)?,
        DataType::FixedSizeList(item, size) => list::fixed(item, *size, name)?,
        DataType::Struct(fields) => nested::structs(fields, name, rows)?,
        DataType::Map(entries, ordered) => nested::maps(entries, *ordered, name)?,
        DataType::Dictionary(key, value) => dictionary::dictionary(key, value, rows)?,
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => bytes::column(field.data_type(), rows)?,
        other => fixed::column(other, rows)?,
    })
}

/// A type as messages name it: as schemas are written.
#[must_use]
pub fn type_name(kind: &DataType) -> String {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    };
    match kind {
        DataType::Boolean => "bool".into(),
        DataType::FixedSizeBinary(size) => format!("fixed_size_binary[{size}]"),
        DataType::Timestamp(u, None) => format!("timestamp[{}]", unit(u)),
        DataType::Timestamp(u, Some(zone)) => format!("timestamp[{}, tz={zone}]", unit(u)),
        DataType::Duration(u) => format!("duration[{}]", unit(u)),
        DataType::Time32(u) => format!("time32[{}]", unit(u)),
        DataType::Time64(u) => format!("time64[{}]", unit(u)),
        DataType::Utf8View => "utf8_view".into(),
        DataType::BinaryView => "binary_view".into(),
        DataType::LargeUtf8 => "large_utf8".into(),
        DataType::LargeBinary => "large_binary".into(),
        DataType::List(item) => format!("list<{}>", type_name(item.data_type())),
        DataType::LargeList(item) => format!("large_list<{}>", type_name(item.data_type())),
        DataType::ListView(item) => format!("list_view<{}>", type_name(item.data_type())),
        DataType::LargeListView(item) => format!("large_list_view<{}>", type_name(item.data_type())),
        DataType::FixedSizeList(item, size) => {
            format!("fixed_size_list<{}>[{size}]", type_name(item.data_type()))
        }
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{}: {}", field.name(), type_name(field.data_type())))
                .collect();
            format!("struct<{}>", fields.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let part = |at: usize| pair.get(at).map_or_else(String::new, |f| type_name(f.data_type()));
                format!("map<{}, {}>", part(0), part(1))
            }
            _ => "map".into(),
        },
        DataType::Dictionary(key, value) => format!("dictionary<{}, {}>", type_name(key), type_name(value)),
        DataType::Interval(IntervalUnit::YearMonth) => "interval[month]".into(),
        DataType::Interval(IntervalUnit::DayTime) => "interval[day, time]".into(),
        DataType::Interval(IntervalUnit::MonthDayNano) => "interval[month, day, nano]".into(),
        DataType::Union(..) => "union".into(),
        DataType::RunEndEncoded(_, values) => format!("run_end_encoded<{}>", type_name(values.data_type())),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => format!("decimal({p}, {s})"),
        other => format!("{other:?}").to_lowercase(),
    }
}
