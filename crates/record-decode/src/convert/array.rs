//! Numbers into the elements of a sub-array.

use crate::error::Reason;
use crate::memory::RowView;

use super::casting::{Casting, Fit, judge};
use super::field_type::FieldType;
use super::list::ElementSink;
use super::number::{FloatScalar, Number};
use super::slot::Slot;

/// Fills the elements of a sub-array, in order.
pub(super) struct ArrayElements<'a, 'r> {
    /// The next element.
    pub(super) element: Slot,
    /// The size of an element.
    pub(super) size: usize,
    pub(super) casting: Casting,
    pub(super) row: &'a mut RowView<'r>,
}

impl ArrayElements<'_, '_> {
    /// Writes doubles as `T`s, in blocks through a buffer. `None` if one of them changes and may not.
    fn put_all<T: FloatScalar>(&mut self, doubles: &[[u8; 9]]) -> Option<u64> {
        /// Elements per block.
        const BLOCK: usize = 32;
        let mut changed = 0;
        let Slot { mut offset, swapped, .. } = self.element;
        for block in doubles.chunks(BLOCK) {
            let mut buffer = [0; BLOCK * 8];
            let (mut inexact, mut lost) = (false, 0u32);
            for (item, out) in block.iter().zip(buffer.chunks_exact_mut(T::SIZE)) {
                let [_, bits @ ..] = *item;
                let value = f64::from_be_bytes(bits);
                let fit = T::write(value, swapped, out);
                inexact |= fit != Fit::Exact;
                lost += u32::from(fit == Fit::Changed);
            }
            if inexact && self.casting == Casting::SameValue {
                return None;
            }
            changed += u64::from(lost);
            let size = block.len() * T::SIZE;
            self.row.put_slice(offset, &buffer[..size]);
            offset += size;
        }
        self.element.offset = offset;
        Some(changed)
    }
}

impl ElementSink for ArrayElements<'_, '_> {
    fn takes(&self) -> &'static str {
        self.element.kind.takes()
    }

    #[inline]
    fn put(&mut self, number: Number) -> Result<u64, Reason> {
        let fit = match number {
            Number::Int(value) => self.element.put(value, self.row),
            Number::Float(value) => self.element.put(value, self.row),
            Number::Bool(value) => self.element.put(value, self.row),
            Number::Uint(value) => self.element.put(value, self.row),
        };
        self.element.offset += self.size;
        judge(self.element.kind, fit, number, self.casting)
    }

    fn put_doubles(&mut self, doubles: &[[u8; 9]]) -> Option<u64> {
        match self.element.kind {
            FieldType::F4 => self.put_all::<f32>(doubles),
            FieldType::F8 => self.put_all::<f64>(doubles),
            _ => None,
        }
    }
}
