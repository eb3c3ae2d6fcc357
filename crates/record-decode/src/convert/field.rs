//! One field of one row: which values it takes and how they get into its bytes.

use dtype_schema::{Field, Kind};
use wire_protocol::particle::Particle;
use wire_protocol::particle::particle_type::{ERLANG_BLOB, JAVA_BLOB};

use crate::convert::list::{self, Elements};
use crate::convert::number::{self, Fit, FloatScalar, Half, Source};
use crate::error::Reason;
use crate::plan::Casting;
use crate::rows::RowView;

/// What a field is, settled once so that filling it is one jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    I1,
    I2,
    I4,
    I8,
    U1,
    U2,
    U4,
    U8,
    F2,
    F4,
    F8,
    Bool,
    /// `M8`, `m8`.
    Time,
    /// `S`.
    Bytes,
    /// `V`.
    Void,
    /// A sub-array.
    Array,
}

impl Kernel {
    /// The kernel of one element, sub-arrays aside.
    fn of_element(kind: Kind, itemsize: usize) -> Self {
        // The element's invariant leaves no other widths; the widest stands for them.
        match (kind, itemsize) {
            (Kind::Int, 1) => Self::I1,
            (Kind::Int, 2) => Self::I2,
            (Kind::Int, 4) => Self::I4,
            (Kind::Int, _) => Self::I8,
            (Kind::Uint, 1) => Self::U1,
            (Kind::Uint, 2) => Self::U2,
            (Kind::Uint, 4) => Self::U4,
            (Kind::Uint, _) => Self::U8,
            (Kind::Float, 2) => Self::F2,
            (Kind::Float, 4) => Self::F4,
            (Kind::Float, _) => Self::F8,
            (Kind::Bool, _) => Self::Bool,
            (Kind::Datetime | Kind::Timedelta, _) => Self::Time,
            (Kind::Bytes, _) => Self::Bytes,
            (Kind::Void, _) => Self::Void,
        }
    }

    fn takes(self) -> &'static str {
        match self {
            Self::Bool => "bools and integers",
            Self::Time => "integers",
            Self::Bytes => "strings, blobs and GeoJSON",
            Self::Void => "blobs, strings and HLL",
            Self::Array => "blobs and lists",
            _ => "integers, floats and bools",
        }
    }

    #[cold]
    fn refusal(self) -> Reason {
        Reason::TypeNotTaken { takes: self.takes() }
    }
}

/// Where a number goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    offset: usize,
    kernel: Kernel,
    swapped: bool,
}

impl Spot {
    /// Whether the field keeps integers, or else floats, of the wire as they are but for their byte order.
    pub(crate) fn keeps(self, is_float: bool) -> bool {
        match self.kernel {
            Kernel::I8 | Kernel::Time => !is_float,
            Kernel::F8 => is_float,
            _ => false,
        }
    }

    /// Writes a number's bits into a field that [keeps](Self::keeps) it as it is.
    #[inline]
    pub(crate) fn put_bits(self, bits: u64, row: &mut RowView<'_>) {
        let bits = if self.swapped { bits.swap_bytes() } else { bits };
        row.put(self.offset, bits.to_ne_bytes());
    }

    /// Converts a number into the field. What is worse than the casting lets pass in silence is for
    /// [`Cell::fill`] to do again and to judge.
    #[inline]
    pub(crate) fn put(self, number: impl Source, row: &mut RowView<'_>) -> Fit {
        let Self { offset, swapped, .. } = self;
        match self.kernel {
            Kernel::I8 => number::put::<i64>(number, row, offset, swapped),
            Kernel::F8 => number::put::<f64>(number, row, offset, swapped),
            Kernel::I1 => number::put::<i8>(number, row, offset, swapped),
            Kernel::I2 => number::put::<i16>(number, row, offset, swapped),
            Kernel::I4 => number::put::<i32>(number, row, offset, swapped),
            Kernel::U1 => number::put::<u8>(number, row, offset, swapped),
            Kernel::U2 => number::put::<u16>(number, row, offset, swapped),
            Kernel::U4 => number::put::<u32>(number, row, offset, swapped),
            Kernel::U8 => number::put::<u64>(number, row, offset, swapped),
            Kernel::F2 => number::put::<Half>(number, row, offset, swapped),
            Kernel::F4 => number::put::<f32>(number, row, offset, swapped),
            Kernel::Bool => match number.truth() {
                Some(truth) => number::put::<u8>(i64::from(truth), row, offset, swapped),
                None => Fit::NotTaken,
            },
            Kernel::Time => match number.count() {
                Some(count) => number::put::<i64>(count, row, offset, swapped),
                None => Fit::NotTaken,
            },
            Kernel::Bytes | Kernel::Void | Kernel::Array => Fit::NotTaken,
        }
    }
}

/// A field, compiled.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    spot: Spot,
    size: usize,
    /// The first element of a sub-array.
    element: Spot,
    element_size: usize,
    shape: Box<[usize]>,
}

impl Cell {
    pub(crate) fn new(field: &Field) -> Self {
        let element = field.element();
        let kernel = Kernel::of_element(element.kind(), element.itemsize());
        let spot = Spot { offset: field.offset(), kernel, swapped: element.is_swapped() };
        let is_array = !field.shape().is_empty();
        Self {
            spot: Spot { kernel: if is_array { Kernel::Array } else { kernel }, ..spot },
            size: field.size(),
            element: spot,
            element_size: element.itemsize(),
            shape: field.shape().into(),
        }
    }

    pub(crate) fn spot(&self) -> Spot {
        self.spot
    }

    /// Converts any value into the field; returns how many values changed to fit (elements of a list count
    /// one by one). After an error the field's bytes are undefined: the caller zeroes them.
    pub(crate) fn fill(
        &self,
        particle: Particle<'_>,
        casting: Casting,
        row: &mut RowView<'_>,
    ) -> Result<u64, Reason> {
        match (self.spot.kernel, particle) {
            (kernel, Particle::Int(value)) => {
                judge(kernel, self.spot.put(value, row), Number::Int(value), casting)
            }
            (kernel, Particle::Float(value)) => {
                judge(kernel, self.spot.put(value, row), Number::Float(value), casting)
            }
            (kernel, Particle::Bool(value)) => {
                judge(kernel, self.spot.put(value, row), Number::Bool(value), casting)
            }
            (Kernel::Bytes, Particle::Str(bytes) | Particle::Blob(bytes) | Particle::GeoJson(bytes))
            | (Kernel::Void, Particle::Str(bytes) | Particle::Blob(bytes) | Particle::Hll(bytes)) => {
                self.cut(bytes, casting, row)
            }
            (Kernel::Array, Particle::Blob(bytes)) if bytes.len() == self.size => {
                row.put_slice(self.spot.offset, bytes);
                Ok(0)
            }
            (Kernel::Array, Particle::Blob(bytes)) => {
                Err(Reason::BlobLength { expected: self.size, found: bytes.len() })
            }
            (Kernel::Array, Particle::List(bytes)) => self.fill_from_list(bytes, casting, row),
            (_, Particle::Other { particle_type: JAVA_BLOB..=ERLANG_BLOB, bytes }) => {
                self.fill(Particle::Blob(bytes), casting, row)
            }
            (kernel, _) => Err(kernel.refusal()),
        }
    }

    fn fill_from_list(&self, bytes: &[u8], casting: Casting, row: &mut RowView<'_>) -> Result<u64, Reason> {
        let mut elements = Flat { element: self.element, size: self.element_size, casting, row };
        list::walk(bytes, &self.shape, &mut elements)
    }

    fn cut(&self, bytes: &[u8], casting: Casting, row: &mut RowView<'_>) -> Result<u64, Reason> {
        let (length, width) = (bytes.len(), self.size);
        match bytes.get(..width) {
            Some(kept) if length == width || casting == Casting::Unsafe => {
                row.put_slice(self.spot.offset, kept);
                Ok(u64::from(length > width))
            }
            Some(_) => Err(Reason::Cut { length, width }),
            None => {
                row.put_slice(self.spot.offset, bytes);
                row.zero(self.spot.offset + length, width - length);
                Ok(0)
            }
        }
    }

    /// Zeroes the field.
    pub(crate) fn zero(&self, row: &mut RowView<'_>) {
        row.zero(self.spot.offset, self.size);
    }
}

/// The elements of a sub-array, one after the other.
struct Flat<'a, 'r> {
    /// The next one.
    element: Spot,
    size: usize,
    casting: Casting,
    row: &'a mut RowView<'r>,
}

impl Flat<'_, '_> {
    /// Puts doubles as `T`s, some at a time by way of a buffer.
    fn put_all<T: FloatScalar>(&mut self, doubles: &[[u8; 9]]) -> Option<u64> {
        /// Elements of a block.
        const BLOCK: usize = 32;
        let mut changed = 0;
        let Spot { mut offset, swapped, .. } = self.element;
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

impl Elements for Flat<'_, '_> {
    fn takes(&self) -> &'static str {
        self.element.kernel.takes()
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
        judge(self.element.kernel, fit, number, self.casting)
    }

    fn put_doubles(&mut self, doubles: &[[u8; 9]]) -> Option<u64> {
        match self.element.kernel {
            Kernel::F4 => self.put_all::<f32>(doubles),
            Kernel::F8 => self.put_all::<f64>(doubles),
            _ => None,
        }
    }
}

/// A number, for telling what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    /// An integer above `i64::MAX`, which only lists have.
    Uint(u64),
    Float(f64),
    Bool(bool),
}

impl Number {
    fn double(self) -> f64 {
        match self {
            Self::Float(value) => value,
            Self::Int(value) => value as f64,
            Self::Uint(value) => value as f64,
            Self::Bool(value) => value.into(),
        }
    }

    fn changes(self) -> Reason {
        match self {
            Self::Float(value) => Reason::FloatChanges { value },
            Self::Int(value) => Reason::IntegerChanges { value: value.into() },
            Self::Uint(value) => Reason::IntegerChanges { value: value.into() },
            Self::Bool(value) => Reason::IntegerChanges { value: value.into() },
        }
    }
}

#[inline]
fn judge(kernel: Kernel, fit: Fit, number: Number, casting: Casting) -> Result<u64, Reason> {
    match (fit, casting) {
        (Fit::Exact, _) | (Fit::Rounded, Casting::Unsafe) => Ok(0),
        (Fit::Changed, Casting::Unsafe) => Ok(1),
        (Fit::Rounded | Fit::Changed, Casting::SameValue) => Err(number.changes()),
        (Fit::OutOfRange, _) => Err(Reason::OutOfRange { value: number.double() }),
        (Fit::NotFinite, _) => Err(Reason::NotFinite { value: number.double() }),
        (Fit::NotTaken, _) => Err(kernel.refusal()),
    }
}
