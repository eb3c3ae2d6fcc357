//! A schema, compiled for writing.

use std::sync::Arc;

use arrow_data::ArrayData;
use arrow_schema::Fields;

use crate::columns::type_name;

use super::column::Column;
use super::pack::BinHead;
use super::rows::{RowsToWrite, Unwritable};
use super::types::{Kind, RefusedSchema, check_count, check_name, check_type, names_of};

/// What a null does to its bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nulls {
    /// The bin is not written, and keeps its value.
    #[default]
    Omit,
    /// The bin is removed.
    Remove,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// What a null does.
    pub nulls: Nulls,
    /// Whether bools are written as the integers 0 and 1, in lists and maps too.
    pub bools_as_integers: bool,
}

/// What the primary keys are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Int,
    Text,
    Blob,
}

/// A column that is written.
#[derive(Debug)]
pub(super) struct PlannedColumn {
    /// Its position in the schema.
    pub(super) place: usize,
    pub(super) name: Box<str>,
    pub(super) head: BinHead,
}

/// A schema, compiled for one call.
#[derive(Debug)]
pub struct WritePlan {
    pub(super) key: (usize, Box<str>, KeyKind),
    pub(super) columns: Box<[PlannedColumn]>,
    pub(super) options: WriteOptions,
}

impl WritePlan {
    /// Compiles a schema, given as its columns. `key` names the column of the primary keys, `bins` the columns that are written: all of them
    /// without it.
    ///
    /// # Errors
    /// A column that does not exist, or is of a type that no bin or key can have; a name that no bin can have.
    pub fn new(
        fields: &Fields,
        key: &str,
        bins: Option<&[String]>,
        options: WriteOptions,
    ) -> Result<Self, RefusedSchema> {
        let no_key = || RefusedSchema::NoKey { key: key.into(), found: names_of(fields) };
        let key_place = fields.iter().position(|field| field.name() == key).ok_or_else(no_key)?;
        let key_kind = match fields.get(key_place).and_then(|field| Kind::of(field.data_type())) {
            Some(Kind::Int) if is_integer(fields[key_place].data_type()) => KeyKind::Int,
            Some(Kind::Text) => KeyKind::Text,
            Some(Kind::Blob) => KeyKind::Blob,
            _ => {
                let kind = type_name(fields[key_place].data_type()).into();
                return Err(RefusedSchema::KeyType { key: key.into(), kind });
            }
        };
        let missing = |bin: &&String| fields.iter().all(|field| field.name() != *bin);
        if let Some(bin) = bins.unwrap_or_default().iter().find(missing) {
            return Err(RefusedSchema::NoColumn { bin: bin.as_str().into(), found: names_of(fields) });
        }
        let is_written = |name: &str| bins.is_none_or(|bins| bins.iter().any(|bin| bin == name));
        let mut seen = std::collections::HashSet::new();
        let mut columns = Vec::new();
        for (place, field) in fields.iter().enumerate() {
            let name = field.name().as_str();
            if !is_written(name) && name != key {
                continue;
            }
            if !seen.insert(name) {
                return Err(RefusedSchema::DuplicateName { name: name.into() });
            }
            if !is_written(name) {
                continue;
            }
            check_name(name)?;
            let kind = check_type(name, field.data_type())?;
            columns.push(PlannedColumn {
                place,
                name: name.into(),
                head: BinHead::new(name, kind, options.bools_as_integers),
            });
        }
        check_count(columns.len())?;
        Ok(Self { key: (key_place, key.into(), key_kind), columns: columns.into(), options })
    }

    /// The names of the bins that are written.
    pub fn bin_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| &*column.name)
    }

    /// `len` rows of a record batch, which is a struct of the columns, from `offset` on, checked. `first` is the number of
    /// the first of these rows, for errors.
    ///
    /// # Errors
    /// The first value that no bin can hold, or a batch of another schema.
    pub fn rows(
        self: &Arc<Self>,
        batch: &ArrayData,
        offset: usize,
        len: usize,
        first: usize,
    ) -> Result<RowsToWrite, Unwritable> {
        let column = |place: usize, name: &str| {
            let array = batch.child_data().get(place);
            array
                .and_then(|array| Column::of(array, batch.offset().checked_add(offset)?, len))
                .ok_or_else(|| Unwritable::other_schema(first, name))
        };
        let (place, name, kind) = &self.key;
        let key = column(*place, name)?;
        let columns = self.columns.iter().map(|planned| column(planned.place, &planned.name));
        let columns = columns.collect::<Result<_, _>>()?;
        RowsToWrite::new(self, len, first, (key, *kind), columns)
    }
}

/// Whether a type, behind dictionaries, is one of integers and not of times.
fn is_integer(data_type: &arrow_schema::DataType) -> bool {
    use arrow_schema::DataType as T;
    match data_type {
        T::Dictionary(_, values) => is_integer(values),
        T::RunEndEncoded(_, values) => is_integer(values.data_type()),
        other => other.is_integer(),
    }
}
