//! Values into fields: which types of values a field takes, and how they get into its bytes.

use dtype_schema::Field;
use wire_protocol::particle::Particle;
use wire_protocol::particle::particle_type::{ERLANG_BLOB, JAVA_BLOB};

use crate::error::Reason;
use crate::memory::RowView;

use super::array::ArrayElements;
use super::casting::{Casting, judge};
use super::field_type::FieldType;
use super::list;
use super::number::Number;
use super::slot::Slot;

/// A field, compiled for filling it from values.
#[derive(Clone, Debug)]
pub(crate) struct FieldDecoder {
    slot: Slot,
    size: usize,
    /// The first element of a sub-array; like `slot` for other fields.
    element: Slot,
    element_size: usize,
    shape: Box<[usize]>,
}

impl FieldDecoder {
    pub(crate) fn new(field: &Field) -> Self {
        let element = field.element();
        let kind = FieldType::of_element(element.kind(), element.itemsize());
        let slot = Slot { offset: field.offset(), kind, swapped: element.is_swapped() };
        let is_array = !field.shape().is_empty();
        Self {
            slot: Slot { kind: if is_array { FieldType::Array } else { kind }, ..slot },
            size: field.size(),
            element: slot,
            element_size: element.itemsize(),
            shape: field.shape().into(),
        }
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// Converts a value of any type into the field. Returns the number of values that changed to fit; each element of a
    /// list counts. After an error the bytes of the field are undefined and the caller zeroes them.
    pub(crate) fn fill(
        &self,
        particle: Particle<'_>,
        casting: Casting,
        row: &mut RowView<'_>,
    ) -> Result<u64, Reason> {
        match (self.slot.kind, particle) {
            (kind, Particle::Int(value)) => {
                judge(kind, self.slot.put(value, row), Number::Int(value), casting)
            }
            (kind, Particle::Float(value)) => {
                judge(kind, self.slot.put(value, row), Number::Float(value), casting)
            }
            (kind, Particle::Bool(value)) => {
                judge(kind, self.slot.put(value, row), Number::Bool(value), casting)
            }
            (FieldType::Bytes, Particle::Str(bytes) | Particle::Blob(bytes) | Particle::GeoJson(bytes))
            | (FieldType::Void, Particle::Str(bytes) | Particle::Blob(bytes) | Particle::Hll(bytes)) => {
                self.cut(bytes, casting, row)
            }
            (FieldType::Array, Particle::Blob(bytes)) if bytes.len() == self.size => {
                row.put_slice(self.slot.offset, bytes);
                Ok(0)
            }
            (FieldType::Array, Particle::Blob(bytes)) => {
                Err(Reason::BlobLength { expected: self.size, found: bytes.len() })
            }
            (FieldType::Array, Particle::List(bytes)) => self.fill_from_list(bytes, casting, row),
            (_, Particle::Other { particle_type: JAVA_BLOB..=ERLANG_BLOB, bytes }) => {
                self.fill(Particle::Blob(bytes), casting, row)
            }
            (kind, _) => Err(kind.refusal()),
        }
    }

    fn fill_from_list(&self, bytes: &[u8], casting: Casting, row: &mut RowView<'_>) -> Result<u64, Reason> {
        let mut elements = ArrayElements { element: self.element, size: self.element_size, casting, row };
        list::read(bytes, &self.shape, &mut elements)
    }

    fn cut(&self, bytes: &[u8], casting: Casting, row: &mut RowView<'_>) -> Result<u64, Reason> {
        let (length, width) = (bytes.len(), self.size);
        match bytes.get(..width) {
            Some(kept) if length == width || casting == Casting::Unsafe => {
                row.put_slice(self.slot.offset, kept);
                Ok(u64::from(length > width))
            }
            Some(_) => Err(Reason::Cut { length, width }),
            None => {
                row.put_slice(self.slot.offset, bytes);
                row.zero(self.slot.offset + length, width - length);
                Ok(0)
            }
        }
    }

    /// Zeroes the field.
    pub(crate) fn zero(&self, row: &mut RowView<'_>) {
        row.zero(self.slot.offset, self.size);
    }
}
