//! Columns of text in dictionaries: each different text once, and its index per row.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{ArrayRef, DictionaryArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, NullBufferBuilder, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};

use super::bytes::{Spans, text, text_array};
use super::{Column, Context};
use crate::error::Misfit;
use crate::value::Value;

struct Dictionary<K: ArrowDictionaryKeyType> {
    value_type: DataType,
    indices: Vec<K::Native>,
    nulls: NullBufferBuilder,
    known: HashMap<Box<str>, K::Native>,
    values: Spans<i64>,
}

impl<K: ArrowDictionaryKeyType> Column for Dictionary<K> {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn append(&mut self, value: Value<'_>, _context: &mut Context) -> Result<(), Misfit> {
        let text = text(&value)?;
        let index = match self.known.get(text) {
            Some(&index) => index,
            None => {
                let most = self.values.len();
                let index = K::Native::from_usize(most).filter(|index| index.to_usize() == Some(most));
                let index = index.ok_or(Misfit::DictionaryFull { most })?;
                self.values.push(text.as_bytes())?;
                self.known.insert(text.into(), index);
                index
            }
        };
        self.indices.push(index);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_null(&mut self) {
        self.indices.push(K::Native::default());
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.indices.truncate(len);
        self.nulls.truncate(len);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.known.clear();
        let indices = ScalarBuffer::from(std::mem::take(&mut self.indices));
        let indices = PrimitiveArray::<K>::try_new(indices, self.nulls.finish())?;
        let values = text_array(&mut self.values, &self.value_type).unwrap_or_else(|| {
            Err(ArrowError::SchemaError("a dictionary of another type than text".into()))
        })?;
        Ok(Arc::new(DictionaryArray::try_new(indices, values)?))
    }
}

/// A column of text in a dictionary; `None` for other types of indices or values.
pub(super) fn dictionary(key: &DataType, value: &DataType, rows: usize) -> Option<Box<dyn Column>> {
    fn boxed<K: ArrowDictionaryKeyType>(value: &DataType, rows: usize) -> Box<dyn Column> {
        Box::new(Dictionary::<K> {
            value_type: value.clone(),
            indices: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
            known: HashMap::new(),
            values: Spans::new(0),
        })
    }
    if !matches!(value, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        return None;
    }
    Some(match key {
        DataType::Int8 => boxed::<Int8Type>(value, rows),
        DataType::Int16 => boxed::<Int16Type>(value, rows),
        DataType::Int32 => boxed::<Int32Type>(value, rows),
        DataType::Int64 => boxed::<Int64Type>(value, rows),
        DataType::UInt8 => boxed::<UInt8Type>(value, rows),
        DataType::UInt16 => boxed::<UInt16Type>(value, rows),
        DataType::UInt32 => boxed::<UInt32Type>(value, rows),
        DataType::UInt64 => boxed::<UInt64Type>(value, rows),
        _ => return None,
    })
}
