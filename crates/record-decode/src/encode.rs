//! Fields of a dtype to operations that write bins: the inverse of decoding.

use dtype_schema::{Element, Kind, Leaf, Schema, SchemaError};
use wire_protocol::message::op;
use wire_protocol::msgpack::{write_bool, write_float, write_int, write_list_header};
use wire_protocol::particle::particle_type;

use crate::convert::{Number, half};

/// How `S` fields are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BytesAs {
    /// As strings, without trailing NULs. They must be UTF-8.
    #[default]
    Text,
    /// As blobs, with all bytes of the field.
    Blob,
}

/// Options for writing fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// How `S` fields are written.
    pub bytes_as: BytesAs,
    /// Whether sub-arrays are written as lists, nested for more dimensions; otherwise as blobs of their bytes in
    /// memory, without a byte swap.
    pub arrays_as_lists: bool,
    /// Whether bools are written as the integers 0 and 1, in lists too.
    pub bools_as_integers: bool,
}

/// A value that no bin can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {row}, field '{field}': {why}")]
pub struct Unwritable {
    /// The row.
    pub row: usize,
    /// The field's name.
    pub field: Box<str>,
    /// What is wrong with the value.
    pub why: WhyNot,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WhyNot {
    /// An unsigned integer above the range of bins.
    #[error(
        "{value} is above 2**63 - 1, the largest integer that a bin can hold; write it as f8, or as the \
         bytes of a V8 field"
    )]
    TooLarge {
        /// The integer.
        value: u64,
    },
    /// An unsigned integer that an element of a list cannot hold.
    #[error(
        "element {index} is {value}, above 2**63 - 1, the largest integer that a list can hold; write the \
         sub-array as a blob, or as f8"
    )]
    ElementTooLarge {
        /// The element's place in the flat sub-array.
        index: usize,
        /// The integer.
        value: u64,
    },
    /// Bytes that are not UTF-8.
    #[error("its bytes are not UTF-8 (at byte {valid}); write S fields as blobs")]
    NotUtf8 {
        /// The number of valid bytes before the first invalid one.
        valid: usize,
    },
}

/// A field, compiled for writing it.
#[derive(Debug)]
struct FieldEncoder {
    /// The index of the field in the schema.
    field: usize,
    offset: usize,
    size: usize,
    element: Element,
    shape: Box<[usize]>,
    encoding: Encoding,
    /// The operation between its size and the value: code, particle type, flags, name length, name.
    head: Box<[u8]>,
}

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Integer,
    Float,
    Bool,
    /// A bool as an integer.
    BoolAsInteger,
    Text,
    Blob,
    List,
    /// A list with bools as integers.
    ListOfIntegers,
}

impl Encoding {
    fn of(field: &Leaf, options: EncodeOptions) -> Self {
        if !field.shape().is_empty() {
            return match (options.arrays_as_lists, options.bools_as_integers) {
                (false, _) => Self::Blob,
                (true, false) => Self::List,
                (true, true) => Self::ListOfIntegers,
            };
        }
        match field.element().kind() {
            Kind::Int | Kind::Uint | Kind::Datetime | Kind::Timedelta => Self::Integer,
            Kind::Float => Self::Float,
            Kind::Bool if options.bools_as_integers => Self::BoolAsInteger,
            Kind::Bool => Self::Bool,
            Kind::Bytes if options.bytes_as == BytesAs::Text => Self::Text,
            Kind::Bytes | Kind::Void => Self::Blob,
        }
    }

    fn particle_type(self) -> u8 {
        match self {
            Self::Integer | Self::BoolAsInteger => particle_type::INTEGER,
            Self::Float => particle_type::FLOAT,
            Self::Bool => particle_type::BOOL,
            Self::Text => particle_type::STRING,
            Self::Blob => particle_type::BLOB,
            Self::List | Self::ListOfIntegers => particle_type::LIST,
        }
    }
}

/// A schema compiled for writing.
#[derive(Debug)]
pub struct EncodePlan {
    schema: Schema,
    encoders: Box<[FieldEncoder]>,
}

impl EncodePlan {
    /// Compiles `schema`. Only fields whose names `is_bin` accepts are written.
    ///
    /// # Errors
    /// A field that is a struct; a name that no bin can have.
    pub fn new(
        schema: Schema,
        options: EncodeOptions,
        is_bin: impl Fn(&str) -> bool,
    ) -> Result<Self, SchemaError> {
        schema.check_flat()?;
        schema.check_bin_names(&is_bin)?;
        let fields = schema.leaves().iter().enumerate().filter(|(_, field)| is_bin(field.name()));
        let encoders = fields
            .map(|(at, field)| {
                let encoding = Encoding::of(field, options);
                // At most 15 bytes long, as checked above.
                let mut head = vec![op::WRITE, encoding.particle_type(), 0, field.name().len() as u8];
                head.extend_from_slice(field.name().as_bytes());
                FieldEncoder {
                    field: at,
                    offset: field.offset(),
                    size: field.size(),
                    element: field.element(),
                    shape: field.shape().into(),
                    encoding,
                    head: head.into(),
                }
            })
            .collect();
        Ok(Self { encoders, schema })
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The names of the bins that are written.
    pub fn bin_names(&self) -> impl Iterator<Item = &str> {
        let fields = self.schema.leaves();
        self.encoders.iter().filter_map(|encoder| fields.get(encoder.field)).map(Leaf::name)
    }

    /// Encoding many bytes the operations of a row take at most.
    #[must_use]
    pub fn max_size(&self) -> usize {
        self.encoders.iter().map(|encoder| 4 + encoder.head.len() + encoder.max_value()).sum()
    }

    /// Whether a field may hold values that bins cannot: [`EncodePlan::check_row`] finds them.
    #[must_use]
    pub fn needs_check(&self) -> bool {
        self.encoders.iter().any(FieldEncoder::needs_check)
    }

    /// Checks a row for values that bins cannot hold, as [`EncodePlan::write_row`] does.
    ///
    /// # Errors
    /// The first such value.
    ///
    /// # Panics
    /// If `row` is shorter than the schema's rows.
    pub fn check_row(
        &self,
        at: usize,
        row: &[u8],
        is_present: impl Fn(usize) -> bool,
    ) -> Result<(), Unwritable> {
        for encoder in
            self.encoders.iter().filter(|encoder| encoder.needs_check() && is_present(encoder.field))
        {
            let bytes = &row[encoder.offset..encoder.offset + encoder.size];
            encoder.check(bytes).map_err(|why| self.unwritable(at, encoder.field, why))?;
        }
        Ok(())
    }

    /// Appends operations that write the fields of a row for which `is_present` is true, and returns their number.
    /// `row` has the bytes of the row, and `at` is its index, for errors.
    ///
    /// # Errors
    /// A value that bins cannot hold. `out` then ends with an incomplete row.
    ///
    /// # Panics
    /// If `row` is shorter than the schema's rows.
    pub fn write_row(
        &self,
        at: usize,
        row: &[u8],
        is_present: impl Fn(usize) -> bool,
        out: &mut Vec<u8>,
    ) -> Result<usize, Unwritable> {
        let mut count = 0;
        for encoder in self.encoders.iter().filter(|encoder| is_present(encoder.field)) {
            let bytes = &row[encoder.offset..encoder.offset + encoder.size];
            encoder.write(bytes, out).map_err(|why| self.unwritable(at, encoder.field, why))?;
            count += 1;
        }
        Ok(count)
    }

    #[cold]
    fn unwritable(&self, row: usize, field: usize, why: WhyNot) -> Unwritable {
        let name = self.schema.leaves().get(field).map_or("?", Leaf::name);
        Unwritable { row, field: name.into(), why }
    }
}

impl FieldEncoder {
    /// The maximum size of a value, in bytes.
    fn max_value(&self) -> usize {
        /// The maximum sizes of a msgpack number and of a list's header.
        const MSGPACK: (usize, usize) = (9, 5);
        match self.encoding {
            Encoding::Integer | Encoding::Float | Encoding::BoolAsInteger => 8,
            Encoding::Bool => 1,
            Encoding::Text | Encoding::Blob => self.size,
            Encoding::List | Encoding::ListOfIntegers => {
                let (mut lists, mut elements) = (1, 1);
                for (place, &len) in self.shape.iter().enumerate() {
                    elements *= len;
                    if place + 1 < self.shape.len() {
                        lists += elements;
                    }
                }
                MSGPACK.0 * elements + MSGPACK.1 * lists
            }
        }
    }

    /// Whether the field may hold values that bins cannot.
    fn needs_check(&self) -> bool {
        match self.encoding {
            Encoding::Integer | Encoding::List | Encoding::ListOfIntegers => {
                self.element.kind() == Kind::Uint && self.element.itemsize() == 8
            }
            Encoding::Text => true,
            _ => false,
        }
    }

    fn check(&self, bytes: &[u8]) -> Result<(), WhyNot> {
        match self.encoding {
            Encoding::Integer => integer(self.element, bytes).map(drop),
            Encoding::Text => text(bytes).map(drop),
            Encoding::List | Encoding::ListOfIntegers => self.check_elements(bytes),
            _ => Ok(()),
        }
    }

    /// Other clients would read larger elements as negative numbers.
    fn check_elements(&self, bytes: &[u8]) -> Result<(), WhyNot> {
        for (index, element) in bytes.chunks_exact(self.element.itemsize()).enumerate() {
            if let Number::Uint(value) = number(self.element, element) {
                return Err(WhyNot::ElementTooLarge { index, value });
            }
        }
        Ok(())
    }

    #[inline]
    fn write(&self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), WhyNot> {
        match self.encoding {
            Encoding::Integer => {
                self.put(&integer(self.element, bytes)?.to_be_bytes(), out);
            }
            Encoding::Float => {
                if let Number::Float(value) = number(self.element, bytes) {
                    self.put(&value.to_be_bytes(), out);
                }
            }
            Encoding::Bool => self.put(&[u8::from(is_true(bytes))], out),
            Encoding::BoolAsInteger => self.put(&i64::from(is_true(bytes)).to_be_bytes(), out),
            Encoding::Text => {
                self.put(text(bytes)?, out);
            }
            Encoding::Blob => self.put(bytes, out),
            Encoding::List | Encoding::ListOfIntegers => {
                if self.needs_check() {
                    self.check_elements(bytes)?;
                }
                let start = out.len();
                out.extend_from_slice(&[0; 4]);
                out.extend_from_slice(&self.head);
                write_list(self.element, &self.shape, bytes, self.encoding == Encoding::ListOfIntegers, out);
                let size = (out.len() - start - 4) as u32;
                out[start..start + 4].copy_from_slice(&size.to_be_bytes());
            }
        }
        Ok(())
    }

    #[inline]
    fn put(&self, value: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&((self.head.len() + value.len()) as u32).to_be_bytes());
        out.extend_from_slice(&self.head);
        out.extend_from_slice(value);
    }
}

fn is_true(bytes: &[u8]) -> bool {
    bytes.iter().any(|&byte| byte != 0)
}

/// An integer that a bin can hold.
#[inline]
fn integer(element: Element, bytes: &[u8]) -> Result<i64, WhyNot> {
    match number(element, bytes) {
        Number::Int(value) => Ok(value),
        Number::Uint(value) => Err(WhyNot::TooLarge { value }),
        // Not reached: the element is an integer.
        Number::Float(_) | Number::Bool(_) => Ok(0),
    }
}

/// The text of a field: its bytes without trailing NULs.
#[inline]
fn text(bytes: &[u8]) -> Result<&[u8], WhyNot> {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    match std::str::from_utf8(&bytes[..end]) {
        Ok(_) => Ok(&bytes[..end]),
        Err(error) => Err(WhyNot::NotUtf8 { valid: error.valid_up_to() }),
    }
}

/// Appends a sub-array as a list. Recurses once per dimension, of which NumPy has at most 64.
fn write_list(element: Element, shape: &[usize], bytes: &[u8], bools_as_integers: bool, out: &mut Vec<u8>) {
    let Some((&len, inner)) = shape.split_first() else {
        match number(element, bytes) {
            Number::Int(value) => write_int(out, value),
            // `Writer::check_elements` has refused it.
            Number::Uint(_) => {}
            Number::Float(value) => write_float(out, value),
            Number::Bool(value) if bools_as_integers => write_int(out, value.into()),
            Number::Bool(value) => write_bool(out, value),
        }
        return;
    };
    write_list_header(out, len);
    // Sub-arrays of a schema have at least one element.
    for part in bytes.chunks_exact((bytes.len() / len.max(1)).max(1)) {
        write_list(element, inner, part, bools_as_integers, out);
    }
}

/// The number that an element's bytes are.
#[inline]
fn number(element: Element, bytes: &[u8]) -> Number {
    let mut word = [0; 8];
    let width = bytes.len().min(8);
    // Converted to little endian: the lowest byte first, zeros above.
    word[..width].copy_from_slice(&bytes[..width]);
    let is_big = if cfg!(target_endian = "big") { !element.is_swapped() } else { element.is_swapped() };
    if is_big {
        word[..width].reverse();
    }
    let bits = u64::from_le_bytes(word);
    match (element.kind(), width) {
        (Kind::Float, 2) => Number::Float(half::to_f64(bits as u16)),
        (Kind::Float, 4) => Number::Float(f32::from_bits(bits as u32).into()),
        (Kind::Float, _) => Number::Float(f64::from_bits(bits)),
        (Kind::Bool, _) => Number::Bool(bits != 0),
        (Kind::Uint, _) => i64::try_from(bits).map_or(Number::Uint(bits), Number::Int),
        // Moves the sign bit to the top and extends it down again.
        (_, width) => {
            let shift = 64 - 8 * width.max(1) as u32;
            Number::Int((bits << shift) as i64 >> shift)
        }
    }
}
