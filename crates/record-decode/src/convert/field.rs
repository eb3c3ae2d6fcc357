//! Values into fields: which types of values a field takes, and how they get into its bytes.

use dtype_schema::Leaf;
use wire_protocol::WireError;
use wire_protocol::msgpack::{self, Reader, Token};
use wire_protocol::particle::Particle;
use wire_protocol::particle::particle_type::{ERLANG_BLOB, JAVA_BLOB};

use crate::error::Reason;
use crate::memory::RowView;

use super::array::ArrayElements;
use super::casting::{Casting, Fit, judge};
use super::field_type::FieldType;
use super::list::{self, type_name};
use super::number::Number;
use super::slot::Slot;

/// What became of a value inside a list or map.
pub(crate) enum Filled {
    /// There is no value. The field was not written.
    Nil,
    /// The field holds the value; this many values changed to fit.
    Value { changed: u64 },
    /// The value, of the type `found`, could not be converted. The bytes of the field are undefined.
    Failed { found: &'static str, reason: Reason },
}

/// A field, compiled for filling it from values.
#[derive(Clone, Debug)]
pub(crate) struct FieldDecoder {
    slot: Slot,
    size: usize,
    /// The first element of a sub-array; like `slot` for other fields.
    element: Slot,
    element_size: usize,
    shape: Box<[usize]>,
    /// The bytes of the field without a value; `None` if they are zero.
    empty: Option<Box<[u8]>>,
}

impl FieldDecoder {
    pub(crate) fn new(field: &Leaf) -> Self {
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
            empty: None,
        }
    }

    /// Sets the bytes of the field without a value, if they are as many as the field has.
    pub(crate) fn set_empty(&mut self, bytes: &[u8]) {
        if bytes.len() == self.size {
            self.empty = Some(bytes.into());
        }
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// Converts a value of any type into the field. Returns the number of values that changed to fit; each element of a
    /// list counts. After an error the bytes of the field are undefined and the caller clears them.
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

    /// Converts the next value of `reader` if it is a float or an integer of 64 bits: then `reader` is behind it
    /// afterwards. If the fit is worse than [`Casting::worst_silent`], the caller has [`FieldDecoder::fill_next`]
    /// convert it again and decide.
    #[allow(clippy::inline_always, reason = "a third of the time of a map of numbers")]
    #[inline(always)]
    pub(crate) fn put_next(&self, reader: &mut Reader<'_>, row: &mut RowView<'_>) -> Option<Fit> {
        if let Some(bits) = self.slot.copies(true).then(|| reader.double()).flatten() {
            self.slot.copy_bits(bits, row);
            return Some(Fit::Exact);
        }
        if let Some(value) = self.slot.copies(false).then(|| reader.int()).flatten() {
            self.slot.copy_bits(value as u64, row);
            return Some(Fit::Exact);
        }
        self.put_number(reader, row)
    }

    #[inline(never)]
    fn put_number(&self, reader: &mut Reader<'_>, row: &mut RowView<'_>) -> Option<Fit> {
        match reader.number()? {
            msgpack::Number::Float(value) => Some(self.slot.put(value, row)),
            msgpack::Number::Int(value) => Some(self.slot.put(value, row)),
        }
    }

    /// Converts the next value of `reader`, which is behind it afterwards, as [`FieldDecoder::fill`] does. Lists and maps
    /// nest at most `depth` levels deep.
    ///
    /// # Errors
    /// A malformed value. The bytes of the field are then undefined, too.
    #[inline(never)]
    pub(crate) fn fill_next(
        &self,
        reader: &mut Reader<'_>,
        depth: usize,
        casting: Casting,
        row: &mut RowView<'_>,
    ) -> Result<Filled, WireError> {
        let start = reader.clone();
        let token = reader.token()?;
        let kind = self.slot.kind;
        let filled = match token {
            Token::Nil => return Ok(Filled::Nil),
            Token::Float(value) => judge(kind, self.slot.put(value, row), Number::Float(value), casting),
            Token::Int(value) => judge(kind, self.slot.put(value, row), Number::Int(value), casting),
            Token::Uint(value) => judge(kind, self.slot.put(value, row), Number::Uint(value), casting),
            Token::Bool(value) => judge(kind, self.slot.put(value, row), Number::Bool(value), casting),
            Token::Str(bytes) => self.fill(Particle::Str(bytes), casting, row),
            Token::Blob(bytes) => self.fill(Particle::Blob(bytes), casting, row),
            Token::GeoJson(bytes) => self.fill(Particle::GeoJson(bytes), casting, row),
            Token::List { .. } | Token::Map { .. } => {
                *reader = start;
                self.fill_collection(reader, depth, token, casting, row)?
            }
            _ => Err(kind.refusal()),
        };
        Ok(match filled {
            Ok(changed) => Filled::Value { changed },
            Err(reason) => Filled::Failed { found: type_name(token), reason },
        })
    }

    /// [`FieldDecoder::fill_next`] for a list or map.
    fn fill_collection(
        &self,
        reader: &mut Reader<'_>,
        depth: usize,
        token: Token<'_>,
        casting: Casting,
        row: &mut RowView<'_>,
    ) -> Result<Result<u64, Reason>, WireError> {
        let start = reader.clone();
        let kind = self.slot.kind;
        if kind == FieldType::Array && matches!(token, Token::List { .. }) {
            let mut elements = ArrayElements { element: self.element, size: self.element_size, casting, row };
            match list::read_next(reader, &self.shape, &mut elements) {
                Err(reason) => {
                    *reader = start;
                    reader.skip_within(depth)?;
                    Ok(Err(reason))
                }
                filled => Ok(filled),
            }
        } else {
            reader.skip_within(depth)?;
            Ok(Err(kind.refusal()))
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

    /// Writes the bytes of the field without a value.
    pub(crate) fn clear(&self, row: &mut RowView<'_>) {
        match &self.empty {
            None => row.zero(self.slot.offset, self.size),
            Some(bytes) => row.put_slice(self.slot.offset, bytes),
        }
    }
}
