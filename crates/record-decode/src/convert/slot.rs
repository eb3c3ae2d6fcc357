//! Numbers into scalar fields and elements.

use crate::memory::RowView;

use super::casting::Fit;
use super::field_type::FieldType;
use super::number::{Half, Source, put as put_number};

/// The place of a number in a row: a scalar field, or an element of a sub-array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(super) offset: usize,
    pub(super) kind: FieldType,
    pub(super) swapped: bool,
}

impl Slot {
    /// Whether floats, or integers if not `is_float`, are copied without conversion, apart from their byte order.
    pub(crate) fn copies(self, is_float: bool) -> bool {
        match self.kind {
            FieldType::I8 | FieldType::Time => !is_float,
            FieldType::F8 => is_float,
            _ => false,
        }
    }

    /// Writes the bits of a number that is [copied](Self::copies).
    #[inline]
    pub(crate) fn copy_bits(self, bits: u64, row: &mut RowView<'_>) {
        let bits = if self.swapped { bits.swap_bytes() } else { bits };
        row.put(self.offset, bits.to_ne_bytes());
    }

    /// Converts a number. If the fit is worse than [`Casting::worst_silent`](super::Casting::worst_silent), the caller
    /// has [`FieldDecoder::fill`](super::FieldDecoder::fill) convert it again and decide.
    #[inline]
    pub(crate) fn put(self, number: impl Source, row: &mut RowView<'_>) -> Fit {
        let Self { offset, swapped, .. } = self;
        match self.kind {
            FieldType::I8 => put_number::<i64>(number, row, offset, swapped),
            FieldType::F8 => put_number::<f64>(number, row, offset, swapped),
            FieldType::I1 => put_number::<i8>(number, row, offset, swapped),
            FieldType::I2 => put_number::<i16>(number, row, offset, swapped),
            FieldType::I4 => put_number::<i32>(number, row, offset, swapped),
            FieldType::U1 => put_number::<u8>(number, row, offset, swapped),
            FieldType::U2 => put_number::<u16>(number, row, offset, swapped),
            FieldType::U4 => put_number::<u32>(number, row, offset, swapped),
            FieldType::U8 => put_number::<u64>(number, row, offset, swapped),
            FieldType::F2 => put_number::<Half>(number, row, offset, swapped),
            FieldType::F4 => put_number::<f32>(number, row, offset, swapped),
            FieldType::Bool => match number.truth() {
                Some(truth) => put_number::<u8>(i64::from(truth), row, offset, swapped),
                None => Fit::NotTaken,
            },
            FieldType::Time => match number.count() {
                Some(count) => put_number::<i64>(count, row, offset, swapped),
                None => Fit::NotTaken,
            },
            FieldType::Bytes | FieldType::Void | FieldType::Array => Fit::NotTaken,
        }
    }
}
