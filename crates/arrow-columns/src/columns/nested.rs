//! Columns of structs and maps, both from maps.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, MapArray, StructArray};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, FieldRef, Fields};
use record_decode::Reason;

use super::{Column, Context, FieldMisfit, new_column, or_restore, put, put_inside};
use crate::error::Misfit;
use crate::value::Value;

/// A field of a struct.
struct Member {
    /// The column's name, and those of the fields on the way.
    name: Arc<str>,
    column: Box<dyn Column>,
}

/// Whether a field is the one with this name, or inside it.
fn is_in(field: &str, name: &str) -> bool {
    field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

struct Structs {
    fields: Fields,
    members: Vec<Member>,
    by_key: HashMap<Box<[u8]>, usize>,
    nulls: NullBufferBuilder,
}

impl Structs {
    /// The field of a key. Keys mostly come in the order of the map before, `expected` says which is next.
    fn member(&self, key: &[u8], expected: usize) -> Option<usize> {
        if self.fields.get(expected).is_some_and(|field| field.name().as_bytes() == key) {
            return Some(expected);
        }
        self.by_key.get(key).copied()
    }

    fn append_fields(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        let Value::Map(mut items) = value else { return Err(Misfit::TypeNotTaken { takes: "maps" }) };
        let row = self.nulls.len();
        let mut expected = 0;
        for _ in 0..items.len() {
            let (key, value) = (items.next()?, items.next()?);
            let Value::Str(key) = key else { continue };
            let Some(at) = self.member(key, expected) else { continue };
            expected = at + 1;
            let Some(Member { name, column }) = self.members.get_mut(at) else { continue };
            let found = value.type_name();
            let is_repeated = column.len() > row;
            let outcome = if is_repeated {
                let key = format!("'{}'", String::from_utf8_lossy(key).escape_debug()).into();
                column.truncate(row);
                // A failure of the first value is not one more.
                context.failures.retain(|failure| !is_in(&failure.name, name));
                Err(Reason::RepeatedKey { key }.into())
            } else {
                put(&mut **column, value, context)
            };
            let Err(misfit) = outcome else { continue };
            if context.inside > 0 {
                let part = format!("field '{name}'").into();
                return Err(Misfit::Inside { part, found, misfit: Box::new(misfit) });
            }
            let found = if is_repeated { "map" } else { found };
            context.failures.push(FieldMisfit { name: Arc::clone(name), found, misfit });
            column.append_null();
        }
        items.end()?;
        for member in &mut self.members {
            if member.column.len() == row {
                member.column.append_null();
            }
        }
        self.nulls.append_non_null();
        Ok(())
    }
}

impl Column for Structs {
    fn len(&self) -> usize {
        self.nulls.len()
    }

    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        or_restore(self, context, |structs, context| structs.append_fields(value, context))
    }

    fn append_null(&mut self) {
        self.members.iter_mut().for_each(|member| member.column.append_null());
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.members.iter_mut().for_each(|member| member.column.truncate(len));
        self.nulls.truncate(len);
    }

    fn expect(&mut self, values: usize) {
        self.members.iter_mut().for_each(|member| member.column.expect(values));
    }

    fn null_bytes(&self) -> usize {
        self.members.iter().fold(1, |sum, member| sum.saturating_add(member.column.null_bytes()))
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let arrays =
            self.members.iter_mut().map(|member| member.column.finish()).collect::<Result<_, _>>()?;
        Ok(Arc::new(StructArray::try_new(self.fields.clone(), arrays, self.nulls.finish())?))
    }
}

pub(super) fn structs(fields: &Fields, name: &str, rows: usize) -> Option<Box<dyn Column>> {
    if fields.is_empty() {
        return None;
    }
    let member = |field: &FieldRef| {
        let name = format!("{name}.{}", field.name());
        Some(Member { column: new_column(field, &name, rows)?, name: name.into() })
    };
    let members = fields.iter().map(member).collect::<Option<Vec<_>>>()?;
    let by_key = fields.iter().enumerate().map(|(at, field)| (field.name().as_bytes().into(), at)).collect();
    Some(Box::new(Structs { fields: fields.clone(), members, by_key, nulls: NullBufferBuilder::new(rows) }))
}

struct Maps {
    entries: FieldRef,
    pair: Fields,
    is_ordered: bool,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    keys: Box<dyn Column>,
    values: Box<dyn Column>,
}

impl Maps {
    fn append_pairs(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        let Value::Map(mut items) = value else { return Err(Misfit::TypeNotTaken { takes: "maps" }) };
        let inside = |what: &str, at: usize, found, misfit| Misfit::Inside {
            part: format!("the {what} of pair {at}").into(),
            found,
            misfit: Box::new(misfit),
        };
        for at in 0..items.len() {
            let key = items.next()?;
            if matches!(key, Value::Nil) {
                return Err(Misfit::NilKey);
            }
            let found = key.type_name();
            put(&mut *self.keys, key, context).map_err(|misfit| inside("key", at, found, misfit))?;
            let value = items.next()?;
            let found = value.type_name();
            put_inside(&mut *self.values, value, context)
                .map_err(|misfit| inside("value", at, found, misfit))?;
        }
        items.end()?;
        Ok(())
    }
}

impl Column for Maps {
    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        or_restore(self, context, |maps, context| {
            context.inside += 1;
            maps.append_pairs(value, context)?;
            context.inside -= 1;
            Ok(())
        })?;
        self.offsets.push(self.keys.len() as i32);
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_null(&mut self) {
        self.offsets.push(self.keys.len() as i32);
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        let end = self.offsets.last().map_or(0, |&end| end as usize);
        self.keys.truncate(end);
        self.values.truncate(end);
        self.nulls.truncate(len);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(&mut self.offsets, vec![0])));
        let (keys, values) = (self.keys.finish()?, self.values.finish()?);
        let pairs = StructArray::try_new(self.pair.clone(), vec![keys, values], None)?;
        let entries = Arc::clone(&self.entries);
        let array = MapArray::try_new(entries, offsets, pairs, self.nulls.finish(), self.is_ordered)?;
        Ok(Arc::new(array))
    }
}

pub(super) fn maps(entries: &FieldRef, is_ordered: bool, name: &str) -> Option<Box<dyn Column>> {
    let DataType::Struct(pair) = entries.data_type() else { return None };
    let [key, value] = &**pair else { return None };
    Some(Box::new(Maps {
        entries: Arc::clone(entries),
        pair: pair.clone(),
        is_ordered,
        offsets: vec![0],
        nulls: NullBufferBuilder::new(0),
        keys: new_column(key, name, 0)?,
        values: new_column(value, name, 0)?,
    }))
}
