//! A schema compiled for one call.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use dtype_schema::MAX_BIN_NAME;
use record_decode::{Casting, Path, PathError, Step};
use wire_protocol::msgpack::MAX_DEPTH;

use super::names::MAX_NESTING;
use crate::columns::{new_column, type_name};
use crate::error::ColumnError;

/// The most values that fixed sizes may multiply to, per row.
const MOST_FIXED: usize = 1 << 24;

/// A column, and where its values come from.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) column: usize,
    pub(crate) steps: Box<[Step]>,
}

/// The size of a value in an answer.
fn value_bytes(kind: &DataType) -> usize {
    const NUMBER: usize = 16;
    const TEXT: usize = 96;
    const NESTED: usize = 512;
    match kind {
        DataType::FixedSizeBinary(size) => NUMBER + usize::try_from(*size).unwrap_or(0),
        DataType::FixedSizeList(item, size) => {
            NUMBER + usize::try_from(*size).unwrap_or(0).saturating_mul(value_bytes(item.data_type()))
        }
        DataType::List(_) | DataType::LargeList(_) | DataType::Map(..) => NESTED,
        DataType::Struct(fields) => fields.iter().map(|field| value_bytes(field.data_type())).sum(),
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Dictionary(..) => TEXT,
        _ => NUMBER,
    }
}

/// The columns of a result, compiled for one call: which bins to ask for, and which columns each fills.
#[derive(Clone, Debug)]
pub struct ColumnPlan {
    schema: SchemaRef,
    casting: Casting,
    /// The bins to ask for, in the order of the columns.
    bins: Vec<Box<str>>,
    /// What each bin fills.
    targets: Vec<Vec<Target>>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// Where columns come from, if not from the bin of their name.
    paths: Vec<(Box<str>, Path)>,
}

impl ColumnPlan {
    /// Compiles a schema. A column comes from the bin of its name, or from where its path says. If `bins` is given,
    /// other bins are not read, and their columns are null. Every field of the result may be null, whatever the schema
    /// says: a record can lack any bin.
    ///
    /// # Errors
    /// Types that no bin fits, names that no bin has, names that come twice, paths for columns that do not exist.
    pub fn new(
        schema: &Schema,
        casting: Casting,
        bins: Option<&[&str]>,
        paths: Vec<(&str, Path)>,
    ) -> Result<Self, ColumnError> {
        if schema.fields().is_empty() {
            return Err(ColumnError::NoColumns);
        }
        Self::with_any_columns(schema, casting, bins, paths)
    }

    /// [`ColumnPlan::new`], for a schema that may have no columns, as an inferred one.
    ///
    /// # Errors
    /// As [`ColumnPlan::new`].
    pub fn with_any_columns(
        schema: &Schema,
        casting: Casting,
        bins: Option<&[&str]>,
        paths: Vec<(&str, Path)>,
    ) -> Result<Self, ColumnError> {
        let fields: Vec<FieldRef> = schema
            .fields()
            .iter()
            .map(|field| checked(field, field.name(), MAX_NESTING))
            .collect::<Result<_, _>>()?;
        check_names(fields.iter().map(|field| field.name().as_str()))?;
        let mut of_columns: Vec<Option<Path>> = vec![None; fields.len()];
        for (name, path) in paths {
            let field = || Box::from(name);
            let place = fields.iter().position(|field| field.name() == name);
            let Some(place) = place.and_then(|at| of_columns.get_mut(at)) else {
                return Err(PathError::UnknownField { field: field() }.into());
            };
            if place.is_some() {
                return Err(PathError::Repeated { field: field() }.into());
            }
            if path.bin.len() > MAX_BIN_NAME {
                let length = path.bin.len();
                return Err(PathError::BinNameTooLong { field: field(), bin: path.bin, length }.into());
            }
            if path.steps.len() > MAX_DEPTH {
                let steps = path.steps.len();
                return Err(PathError::TooLong { field: field(), steps, most: MAX_DEPTH }.into());
            }
            *place = Some(path);
        }
        let mut plan = Self {
            schema: Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())),
            casting,
            bins: Vec::new(),
            targets: Vec::new(),
            by_name: HashMap::new(),
            paths: Vec::new(),
        };
        let schema = Arc::clone(&plan.schema);
        for (column, (field, path)) in schema.fields().iter().zip(of_columns).enumerate() {
            let (bin, steps) = match &path {
                Some(path) => (&*path.bin, path.steps.clone()),
                None => (field.name().as_str(), Box::default()),
            };
            if bin.len() > MAX_BIN_NAME {
                return Err(ColumnError::BinNameTooLong { name: bin.into(), length: bin.len() });
            }
            if bins.is_none_or(|bins| bins.contains(&bin)) {
                plan.add(bin, Target { column, steps });
            }
            if let Some(path) = path {
                plan.paths.push((field.name().as_str().into(), path));
            }
        }
        Ok(plan)
    }

    fn add(&mut self, bin: &str, target: Target) {
        let next = self.bins.len();
        let source = *self.by_name.entry(bin.as_bytes().into()).or_insert(next);
        if source == next {
            self.bins.push(bin.into());
            self.targets.push(Vec::new());
        }
        if let Some(targets) = self.targets.get_mut(source) {
            targets.push(target);
        }
    }

    /// The columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What happens to values that do not fit their columns.
    #[must_use]
    pub fn casting(&self) -> Casting {
        self.casting
    }

    /// The size of a row's values in bytes, roughly: how long text, lists and maps are is a guess. Values of rows that
    /// are answered out of order wait in memory, the more of them the more rows a request has.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        let fields = self.schema.fields().iter().enumerate();
        fields.filter(|(at, _)| self.is_filled(*at)).map(|(_, field)| value_bytes(field.data_type())).sum()
    }

    /// The bins to ask for, in the order of the columns that they fill.
    pub fn bin_names(&self) -> impl Iterator<Item = &str> {
        self.bins.iter().map(|bin| &**bin)
    }

    /// The columns that have a path, by name, in the schema's order.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.paths.iter().map(|(name, path)| (&**name, path))
    }

    /// The number of a bin, by name.
    pub(crate) fn source(&self, bin: &[u8]) -> Option<usize> {
        self.by_name.get(bin).copied()
    }

    /// Whether a bin fills the column: not if it is left out.
    pub(crate) fn is_filled(&self, column: usize) -> bool {
        self.targets.iter().flatten().any(|target| target.column == column)
    }

    /// The column that a bin fills with its own value, if it fills no other.
    pub(crate) fn only_column(&self, source: usize) -> Option<usize> {
        match self.targets(source) {
            [target] if target.steps.is_empty() => Some(target.column),
            _ => None,
        }
    }

    /// The number of bins.
    pub(crate) fn bin_count(&self) -> usize {
        self.bins.len()
    }

    /// What a bin fills.
    pub(crate) fn targets(&self, source: usize) -> &[Target] {
        self.targets.get(source).map_or(&[], |targets| targets)
    }
}

fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ColumnError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ColumnError::Repeated { name: name.into() });
        }
    }
    Ok(())
}

/// The field with everything in it nullable, if there can be a column for it.
fn checked(field: &Field, name: &str, depth: usize) -> Result<FieldRef, ColumnError> {
    let too_deep = || ColumnError::TooDeep { name: name.into(), most: MAX_NESTING };
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    let kind = match field.data_type() {
        DataType::List(item) => DataType::List(checked(item, name, depth)?),
        DataType::LargeList(item) => DataType::LargeList(checked(item, name, depth)?),
        DataType::FixedSizeList(item, size) => DataType::FixedSizeList(checked(item, name, depth)?, *size),
        DataType::Struct(fields) if !fields.is_empty() => {
            check_names(fields.iter().map(|field| field.name().as_str()))?;
            let inner = |field: &FieldRef| checked(field, &format!("{name}.{}", field.name()), depth);
            DataType::Struct(Fields::from(fields.iter().map(inner).collect::<Result<Vec<_>, _>>()?))
        }
        DataType::Map(entries, is_ordered) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                let part = |at: usize| pair.get(at).map(|part| checked(part, name, depth)).transpose();
                let (Some(key), Some(value)) = (part(0)?, part(1)?) else { return Err(too_deep()) };
                let key = Arc::new(key.as_ref().clone().with_nullable(false));
                let pair = DataType::Struct(Fields::from(vec![key, value]));
                let entries = entries.as_ref().clone().with_data_type(pair).with_nullable(false);
                DataType::Map(Arc::new(entries), *is_ordered)
            }
            _ => entries.data_type().clone(),
        },
        other => other.clone(),
    };
    let checked = field.clone().with_data_type(kind).with_nullable(true);
    if fixed_values(checked.data_type()) > MOST_FIXED || new_column(&checked, name, 0).is_none() {
        return Err(unsupported(name, field.data_type()));
    }
    Ok(Arc::new(checked))
}

/// The number of values, or bytes, that fixed sizes make of one.
fn fixed_values(kind: &DataType) -> usize {
    match kind {
        DataType::FixedSizeList(item, size) => {
            fixed_values(item.data_type()).saturating_mul(usize::try_from(*size).unwrap_or(0))
        }
        DataType::FixedSizeBinary(size) => usize::try_from(*size).unwrap_or(0),
        DataType::Struct(fields) => {
            fields.iter().fold(0, |sum, field| sum.saturating_add(fixed_values(field.data_type())))
        }
        _ => 1,
    }
}

#[cold]
fn unsupported(name: &str, kind: &DataType) -> ColumnError {
    let advice = match kind {
        DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => "use int64 or float64, and cast the column afterwards",
        DataType::ListView(_) | DataType::LargeListView(_) => "use list",
        DataType::Dictionary(..) => "use a dictionary of integers and utf8",
        DataType::Null => "name the type that its values will have",
        DataType::Interval(_) => "use duration",
        DataType::RunEndEncoded(..) => "use the type of its values",
        DataType::Union(..) => "use one type, or a path to each with `paths`",
        DataType::Struct(_) => "use a struct of at least one field, or map",
        DataType::FixedSizeList(..) | DataType::FixedSizeBinary(_) => {
            "use a size of at least 1, and at most 16777216 values in a row"
        }
        _ => "use one of the types in docs/arrow.md",
    };
    ColumnError::Unsupported { name: name.into(), kind: type_name(kind).into(), advice }
}
