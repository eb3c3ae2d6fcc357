//! Columns of lists: of any length, and of one length.

use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeListArray, GenericListArray, OffsetSizeTrait};
use arrow_buffer::{NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, FieldRef};

use super::{Column, Context, new_column, or_restore, put_inside};
use crate::error::Misfit;
use crate::value::{Items, Value};

/// The number of doubles from which taking them together is faster.
const RUN: usize = 4;

/// Appends the elements of a list to the column inside.
fn append_items(mut items: Items<'_>, inner: &mut dyn Column, context: &mut Context) -> Result<(), Misfit> {
    let len = items.len();
    let mut index = 0;
    let mut in_runs = true;
    while index < len {
        if in_runs {
            let mut ahead = items.clone();
            let doubles = ahead.doubles(len - index);
            in_runs = doubles.len() >= RUN && inner.append_doubles(doubles, context.casting);
            if in_runs {
                items = ahead;
                index += doubles.len();
                continue;
            }
        }
        let value = items.next()?;
        let found = value.type_name();
        put_inside(inner, value, context).map_err(|misfit| element(index, found, misfit))?;
        index += 1;
    }
    items.end()?;
    Ok(())
}

#[cold]
fn element(index: usize, found: &'static str, misfit: Misfit) -> Misfit {
    Misfit::Element { index, found, misfit: Box::new(misfit) }
}

/// Lists from which on the memory for the elements of those to come is estimated.
const MEASURED: usize = 1024;

/// The most elements that are expected on account of an estimate.
const MOST_AHEAD: usize = 1 << 21;

struct Lists<O> {
    item: FieldRef,
    offsets: Vec<O>,
    nulls: NullBufferBuilder,
    inner: Box<dyn Column>,
    /// How many lists there will be, roughly, and how many elements there is memory for.
    expected: usize,
    expected_items: usize,
}

impl<O: OffsetSizeTrait> Lists<O> {
    /// Has memory reserved for the elements to come, as the mean length of the lists says.
    #[cold]
    fn expect_items(&mut self) {
        let (lists, items) = (self.len(), self.inner.len());
        let ahead = (items / lists.max(1) + 1).saturating_mul(self.expected.saturating_sub(lists));
        self.expected_items = items.saturating_add(ahead.saturating_add(ahead / 16).min(MOST_AHEAD));
        self.inner.expect(self.expected_items);
    }
}

impl<O: OffsetSizeTrait> Column for Lists<O> {
    fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        let Value::List(items) = value else { return Err(Misfit::TypeNotTaken { takes: "lists" }) };
        or_restore(self, context, |lists, context| {
            context.inside += 1;
            append_items(items, &mut *lists.inner, context)?;
            context.inside -= 1;
            Ok(())
        })?;
        self.offsets.push(O::usize_as(self.inner.len()));
        self.nulls.append_non_null();
        if (MEASURED..self.expected).contains(&self.len()) && self.inner.len() > self.expected_items {
            self.expect_items();
        }
        Ok(())
    }

    fn expect(&mut self, values: usize) {
        (self.expected, self.expected_items) = (values, 0);
    }

    fn append_null(&mut self) {
        self.offsets.push(O::usize_as(self.inner.len()));
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.inner.truncate(self.offsets.last().map_or(0, |end| end.as_usize()));
        self.nulls.truncate(len);
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let mut offsets = std::mem::replace(&mut self.offsets, vec![O::usize_as(0)]);
        offsets.shrink_to_fit();
        self.expected_items = 0;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let (item, inner) = (Arc::clone(&self.item), self.inner.finish()?);
        Ok(Arc::new(GenericListArray::<O>::try_new(item, offsets, inner, self.nulls.finish())?))
    }
}

pub(super) fn lists<O: OffsetSizeTrait>(item: &FieldRef, name: &str) -> Option<Box<dyn Column>> {
    let inner = new_column(item, name, 0)?;
    let offsets = vec![O::usize_as(0)];
    let nulls = NullBufferBuilder::new(0);
    Some(Box::new(Lists { item: Arc::clone(item), offsets, nulls, inner, expected: 0, expected_items: 0 }))
}

struct FixedLists {
    item: FieldRef,
    size: usize,
    len: usize,
    nulls: NullBufferBuilder,
    inner: Box<dyn Column>,
}

impl FixedLists {
    const TAKES: &'static str = "lists, and blobs if its elements have a fixed width";
}

impl Column for FixedLists {
    fn len(&self) -> usize {
        self.len
    }

    fn append(&mut self, value: Value<'_>, context: &mut Context) -> Result<(), Misfit> {
        match value {
            Value::List(items) if items.len() != self.size => {
                return Err(Misfit::ListLength { expected: self.size, found: items.len() });
            }
            Value::List(items) => {
                or_restore(self, context, |lists, context| {
                    context.inside += 1;
                    append_items(items, &mut *lists.inner, context)?;
                    context.inside -= 1;
                    Ok(())
                })?;
            }
            Value::Blob(bytes) => {
                let Some(width) = self.inner.width() else {
                    return Err(Misfit::TypeNotTaken { takes: "lists" });
                };
                let (found, expected) = (bytes.len(), width * self.size);
                if found != expected {
                    return Err(Misfit::Width { expected, found });
                }
                self.inner.append_raw(bytes);
            }
            _ => return Err(Misfit::TypeNotTaken { takes: Self::TAKES }),
        }
        self.len += 1;
        self.nulls.append_non_null();
        Ok(())
    }

    fn append_null(&mut self) {
        (0..self.size).for_each(|_| self.inner.append_null());
        self.len += 1;
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.inner.truncate(len * self.size);
        self.nulls.truncate(len);
        self.len = len;
    }

    fn expect(&mut self, values: usize) {
        // A null takes as much as any other.
        self.inner.expect(values.saturating_mul(self.size).min(MOST_AHEAD));
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        self.len = 0;
        let (item, inner) = (Arc::clone(&self.item), self.inner.finish()?);
        let array = FixedSizeListArray::try_new(item, self.size as i32, inner, self.nulls.finish())?;
        Ok(Arc::new(array))
    }

    fn null_bytes(&self) -> usize {
        self.inner.null_bytes().saturating_mul(self.size)
    }

    fn width(&self) -> Option<usize> {
        Some(self.inner.width()? * self.size)
    }

    fn append_raw(&mut self, bytes: &[u8]) {
        let Some(width) = self.width() else { return };
        let count = bytes.len() / width;
        self.inner.append_raw(bytes.get(..count * width).unwrap_or_default());
        self.nulls.append_n_non_nulls(count);
        self.len += count;
    }
}

pub(super) fn fixed(item: &FieldRef, size: i32, name: &str) -> Option<Box<dyn Column>> {
    let size = usize::try_from(size).ok().filter(|&size| size > 0)?;
    let inner = new_column(item, name, 0)?;
    Some(Box::new(FixedLists {
        item: Arc::clone(item),
        size,
        len: 0,
        nulls: NullBufferBuilder::new(0),
        inner,
    }))
}
