//! Columns about records: their keys, digests, sets, generations, times to live and result codes.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, Int32Array, RecordBatch, RecordBatchOptions, UInt32Array,
};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use record_decode::{Casting, Number};
use wire_protocol::digest::{Digest, UserKey};

use super::answers::{RecordMeta, RowValues};
use crate::columns::{Column, Context, new_column, put};
use crate::value::Value;

/// The size of a digest.
const DIGEST: usize = size_of::<Digest>();

/// Put before the name of a column about records that a bin has, too.
const PREFIX: &str = "meta_";

/// A column about records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaColumn {
    /// The primary key.
    Key,
    /// The digest.
    Digest,
    /// The set.
    Set,
    /// The generation.
    Gen,
    /// The seconds to live.
    Ttl,
    /// The result code of the row.
    ResultCode,
}

impl MetaColumn {
    /// All columns, by their names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("key", Self::Key),
        ("digest", Self::Digest),
        ("set", Self::Set),
        ("gen", Self::Gen),
        ("ttl", Self::Ttl),
        ("result_code", Self::ResultCode),
    ];

    /// The column of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, column)| column)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, column)| *column == self).map_or("", |(name, _)| name)
    }
}

/// Why there is no column of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "meta=('key',) needs primary keys of one type, and there are {} and {} keys; use meta=('digest',)",
    .one.name(), .other.name()
)]
pub struct MetaError {
    one: KeyKind,
    other: KeyKind,
}

/// The type of primary keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Integers.
    Int,
    /// Text.
    Str,
    /// Bytes.
    Blob,
}

impl KeyKind {
    fn of(key: UserKey<'_>) -> Self {
        match key {
            UserKey::Int(_) => Self::Int,
            UserKey::Str(_) => Self::Str,
            UserKey::Blob(_) => Self::Blob,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Str => "str",
            Self::Blob => "bytes",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Int => DataType::Int64,
            Self::Str => DataType::Utf8,
            Self::Blob => DataType::Binary,
        }
    }
}

/// Primary keys of rows, all of one type.
pub struct KeyValues {
    kind: Option<KeyKind>,
    column: Option<Box<dyn Column>>,
    /// Rows without a key before the first with one.
    nulls: usize,
    context: Context,
}

impl std::fmt::Debug for KeyValues {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyValues").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl KeyValues {
    /// No keys yet; of the type `kind`, or else of that of the first one.
    #[must_use]
    pub fn new(kind: Option<KeyKind>) -> Self {
        Self { kind, column: None, nulls: 0, context: Context::new(Casting::SameValue) }
    }

    /// The type of the keys.
    #[must_use]
    pub fn kind(&self) -> Option<KeyKind> {
        self.kind
    }

    fn column(&mut self) -> Option<&mut Box<dyn Column>> {
        if self.column.is_none() {
            let kind = self.kind.unwrap_or(KeyKind::Str).data_type();
            let mut column = new_column(&Field::new("key", kind, true), "key", self.nulls)?;
            (0..self.nulls).for_each(|_| column.append_null());
            self.column = Some(column);
        }
        self.column.as_mut()
    }

    /// Adds the key of the next row, or null.
    ///
    /// # Errors
    /// A key of another type. The row's key is null then. Text that is not UTF-8 is null, too.
    pub fn push(&mut self, key: Option<UserKey<'_>>) -> Result<(), MetaError> {
        let Some(key) = key else {
            match &mut self.column {
                Some(column) => column.append_null(),
                None => self.nulls += 1,
            }
            return Ok(());
        };
        let other = KeyKind::of(key);
        let one = *self.kind.get_or_insert(other);
        if one != other {
            _ = self.push(None);
            return Err(MetaError { one, other });
        }
        let value = match key {
            UserKey::Int(value) => Value::Number(Number::Int(value)),
            UserKey::Str(bytes) => Value::Str(bytes),
            UserKey::Blob(bytes) => Value::Blob(bytes),
        };
        self.column();
        if let Some(column) = &mut self.column
            && put(&mut **column, value, &mut self.context).is_err()
        {
            column.append_null();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ArrayRef, ArrowError> {
        match self.column() {
            Some(column) => column.finish(),
            None => Err(ArrowError::SchemaError("keys without a column".into())),
        }
    }
}

/// What is known of the rows of a result.
#[allow(missing_debug_implementations, reason = "has a function")]
pub struct MetaRows<'a> {
    /// The result code of each row; `None` if all are records.
    pub codes: Option<&'a RowValues<i32>>,
    /// Generation and seconds to live.
    pub meta: &'a RecordMeta,
    /// The digest of each row, if their column is wanted.
    pub digests: &'a RowValues<Digest>,
    /// The name of each row's set; empty without one.
    pub sets: &'a dyn Fn(usize) -> Vec<u8>,
}

/// A column about records, for all rows of a result.
#[derive(Clone, Debug)]
pub struct MetaPart {
    column: MetaColumn,
    array: ArrayRef,
}

/// Makes a column about records. `keys` are those of all rows, if the column is that of keys.
///
/// # Errors
/// Arrow's checks refuse the array.
pub fn meta_part(
    column: MetaColumn,
    rows: &MetaRows<'_>,
    keys: Option<KeyValues>,
) -> Result<MetaPart, ArrowError> {
    let found = || rows.codes.map(|codes| NullBuffer::from_iter(codes.iter().map(|code| code == 0)));
    let words = |values: &RowValues<u32>| {
        let mut words = Vec::with_capacity(values.len());
        words.extend(values.iter());
        UInt32Array::try_new(words.into(), found())
    };
    let array: ArrayRef = match column {
        MetaColumn::Key => keys.unwrap_or_else(|| KeyValues::new(None)).finish()?,
        MetaColumn::Digest => {
            let mut digests = Vec::with_capacity(rows.digests.len() * DIGEST);
            rows.digests.iter().for_each(|digest| digests.extend_from_slice(&digest));
            Arc::new(FixedSizeBinaryArray::try_new(DIGEST as i32, Buffer::from_vec(digests), None)?)
        }
        MetaColumn::Set => {
            let mut sets = KeyValues::new(Some(KeyKind::Str));
            for row in 0..rows.meta.len() {
                let set = (rows.sets)(row);
                let text = String::from_utf8_lossy(&set);
                _ = sets.push((!set.is_empty()).then(|| UserKey::Str(text.as_bytes())));
            }
            sets.finish()?
        }
        MetaColumn::Gen => Arc::new(words(&rows.meta.generations)?),
        MetaColumn::Ttl => Arc::new(words(&rows.meta.ttls)?),
        MetaColumn::ResultCode => {
            let codes: Vec<i32> = match rows.codes {
                Some(codes) => codes.iter().collect(),
                None => vec![0; rows.meta.len()],
            };
            Arc::new(Int32Array::try_new(codes.into(), None)?)
        }
    };
    Ok(MetaPart { column, array })
}

/// Puts columns about records before those of each batch. The rows of the batches follow each other in the parts.
///
/// # Errors
/// Arrow's checks refuse a batch, such as one with another number of rows.
pub fn with_meta(
    schema: &Schema,
    batches: Vec<RecordBatch>,
    parts: &[MetaPart],
) -> Result<(Arc<Schema>, Vec<RecordBatch>), ArrowError> {
    let mut fields: Vec<Arc<Field>> = Vec::with_capacity(parts.len() + schema.fields().len());
    for part in parts {
        let mut name = part.column.name().to_string();
        while schema.column_with_name(&name).is_some() || fields.iter().any(|field| *field.name() == name) {
            name.insert_str(0, PREFIX);
        }
        fields.push(Arc::new(Field::new(name, part.array.data_type().clone(), true)));
    }
    fields.extend(schema.fields().iter().cloned());
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    let mut start = 0;
    let mut made = Vec::with_capacity(batches.len());
    for batch in batches {
        let rows = batch.num_rows();
        if parts.iter().any(|part| part.array.len() < start + rows) {
            return Err(ArrowError::InvalidArgumentError("rows without a key".into()));
        }
        let mut arrays: Vec<ArrayRef> = parts.iter().map(|part| part.array.slice(start, rows)).collect();
        arrays.extend(batch.columns().iter().cloned());
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        made.push(RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options)?);
        start += rows;
    }
    Ok((schema, made))
}
