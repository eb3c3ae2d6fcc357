//! From the bytes of a dtype's fields to operations that write bins: the inverse of decoding.

use dtype_schema::{Element, Field, Kind, Schema};
use wire_protocol::message::op;
use wire_protocol::msgpack::{write_bool, write_float, write_int, write_list_header};
use wire_protocol::particle::particle_type;

use crate::convert::half;

/// What `S` fields are written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BytesAs {
    /// Strings, without trailing NULs; they must be UTF-8.
    #[default]
    Text,
    /// Blobs, every byte of the field.
    Blob,
}

/// What a user may choose of how fields are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeOptions {
    /// What `S` fields are written as.
    pub bytes_as: BytesAs,
    /// Sub-arrays are written as lists, nested for more dimensions; otherwise as blobs of their bytes as
    /// they stand in memory, without a byte swap.
    pub arrays_as_lists: bool,
    /// Bools are written as integers, 0 and 1, in lists too.
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
    /// An unsigned integer that a bin has no room for.
    #[error(
        "{value} is above 2**63 - 1, the largest integer that a bin can hold; write it as f8, or as the \
         bytes of a V8 field"
    )]
    TooLarge {
        /// The integer.
        value: u64,
    },
    /// An unsigned integer that an element of a list has no room for.
    #[error(
        "element {index} is {value}, above 2**63 - 1, the largest integer that a list can hold; write the sub-array \
         as a blob, or as f8"
    )]
    ElementTooLarge {
        /// The element's place in the flat sub-array.
        index: usize,
        /// The integer.
        value: u64,
    },
    /// Bytes that are no text.
    #[error("its bytes are not UTF-8 (at byte {valid}), so they are no string; write S fields as blobs")]
    NotUtf8 {
        /// Bytes before the first that is wrong.
        valid: usize,
    },
}

/// A field, compiled.
#[derive(Debug)]
struct Writer {
    /// The field's place in the schema.
    field: usize,
    offset: usize,
    size: usize,
    element: Element,
    shape: Box<[usize]>,
    how: How,
    /// Code, particle type, version, length of the name, name.
    head: Box<[u8]>,
}

/// What a field is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Integer,
    Float,
    Bool,
    /// A bool as an integer.
    Flag,
    Text,
    Blob,
    List,
    /// A list whose bools are integers.
    FlagList,
}

impl How {
    fn of(field: &Field, options: EncodeOptions) -> Self {
        if !field.shape().is_empty() {
            return match (options.arrays_as_lists, options.bools_as_integers) {
                (false, _) => Self::Blob,
                (true, false) => Self::List,
                (true, true) => Self::FlagList,
            };
        }
        match field.element().kind() {
            Kind::Int | Kind::Uint | Kind::Datetime | Kind::Timedelta => Self::Integer,
            Kind::Float => Self::Float,
            Kind::Bool if options.bools_as_integers => Self::Flag,
            Kind::Bool => Self::Bool,
            Kind::Bytes if options.bytes_as == BytesAs::Text => Self::Text,
            Kind::Bytes | Kind::Void => Self::Blob,
        }
    }

    fn particle_type(self) -> u8 {
        match self {
            Self::Integer | Self::Flag => particle_type::INTEGER,
            Self::Float => particle_type::FLOAT,
            Self::Bool => particle_type::BOOL,
            Self::Text => particle_type::STRING,
            Self::Blob => particle_type::BLOB,
            Self::List | Self::FlagList => particle_type::LIST,
        }
    }
}

/// A schema compiled for writing.
#[derive(Debug)]
pub struct EncodePlan {
    schema: Schema,
    writers: Box<[Writer]>,
}

impl EncodePlan {
    /// Compiles `schema`. Of its fields those are written that `is_bin` says yes to.
    #[must_use]
    pub fn new(schema: Schema, options: EncodeOptions, is_bin: impl Fn(&str) -> bool) -> Self {
        let fields = schema.fields().iter().enumerate().filter(|(_, field)| is_bin(field.name()));
        let writers = fields
            .map(|(at, field)| {
                let how = How::of(field, options);
                // A schema's names are at most 15 bytes long.
                let mut head = vec![op::WRITE, how.particle_type(), 0, field.name().len() as u8];
                head.extend_from_slice(field.name().as_bytes());
                Writer {
                    field: at,
                    offset: field.offset(),
                    size: field.size(),
                    element: field.element(),
                    shape: field.shape().into(),
                    how,
                    head: head.into(),
                }
            })
            .collect();
        Self { writers, schema }
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The names of the bins that are written.
    pub fn bin_names(&self) -> impl Iterator<Item = &str> {
        let fields = self.schema.fields();
        self.writers.iter().filter_map(|writer| fields.get(writer.field)).map(Field::name)
    }

    /// How many bytes the operations of a row take at most.
    #[must_use]
    pub fn max_size(&self) -> usize {
        self.writers.iter().map(|writer| 4 + writer.head.len() + writer.max_value()).sum()
    }

    /// Whether there are values that a field can hold and no bin: [`EncodePlan::check_row`] finds them.
    #[must_use]
    pub fn needs_check(&self) -> bool {
        self.writers.iter().any(Writer::needs_check)
    }

    /// Looks for values of a row that no bin can hold, as [`EncodePlan::write_row`] would find them.
    ///
    /// # Errors
    /// The first one.
    ///
    /// # Panics
    /// If `row` is shorter than the schema's rows.
    pub fn check_row(
        &self,
        at: usize,
        row: &[u8],
        is_present: impl Fn(usize) -> bool,
    ) -> Result<(), Unwritable> {
        for writer in self.writers.iter().filter(|writer| writer.needs_check() && is_present(writer.field)) {
            let bytes = &row[writer.offset..writer.offset + writer.size];
            writer.check(bytes).map_err(|why| self.unwritable(at, writer.field, why))?;
        }
        Ok(())
    }

    /// Appends the operations that write the fields of a row, those that `is_present` says yes to, and
    /// returns how many they are. `row` is its bytes, `at` its number for the error.
    ///
    /// # Errors
    /// A value that no bin can hold; `out` has half a row then.
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
        for writer in self.writers.iter().filter(|writer| is_present(writer.field)) {
            let bytes = &row[writer.offset..writer.offset + writer.size];
            writer.write(bytes, out).map_err(|why| self.unwritable(at, writer.field, why))?;
            count += 1;
        }
        Ok(count)
    }

    #[cold]
    fn unwritable(&self, row: usize, field: usize, why: WhyNot) -> Unwritable {
        let name = self.schema.fields().get(field).map_or("?", Field::name);
        Unwritable { row, field: name.into(), why }
    }
}

impl Writer {
    /// Bytes of a value at most.
    fn max_value(&self) -> usize {
        /// Of a number, and of a list's own header.
        const MSGPACK: (usize, usize) = (9, 5);
        match self.how {
            How::Integer | How::Float | How::Flag => 8,
            How::Bool => 1,
            How::Text | How::Blob => self.size,
            How::List | How::FlagList => {
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

    /// Whether its field can hold what no bin can.
    fn needs_check(&self) -> bool {
        match self.how {
            How::Integer | How::List | How::FlagList => {
                self.element.kind() == Kind::Uint && self.element.itemsize() == 8
            }
            How::Text => true,
            _ => false,
        }
    }

    fn check(&self, bytes: &[u8]) -> Result<(), WhyNot> {
        match self.how {
            How::Integer => integer(self.element, bytes).map(drop),
            How::Text => text(bytes).map(drop),
            How::List | How::FlagList => self.check_elements(bytes),
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
        match self.how {
            How::Integer => {
                self.put(&integer(self.element, bytes)?.to_be_bytes(), out);
            }
            How::Float => {
                if let Number::Float(value) = number(self.element, bytes) {
                    self.put(&value.to_be_bytes(), out);
                }
            }
            How::Bool => self.put(&[u8::from(is_true(bytes))], out),
            How::Flag => self.put(&i64::from(is_true(bytes)).to_be_bytes(), out),
            How::Text => {
                self.put(text(bytes)?, out);
            }
            How::Blob => self.put(bytes, out),
            How::List | How::FlagList => {
                if self.needs_check() {
                    self.check_elements(bytes)?;
                }
                let start = out.len();
                out.extend_from_slice(&[0; 4]);
                out.extend_from_slice(&self.head);
                write_list(self.element, &self.shape, bytes, self.how == How::FlagList, out);
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
        // An integer's bytes are no float's.
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

/// Appends a sub-array as a list. NumPy has 64 dimensions at most, and a list of each is written by one call.
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
    // A schema has no sub-array without elements.
    for part in bytes.chunks_exact((bytes.len() / len.max(1)).max(1)) {
        write_list(element, inner, part, bools_as_integers, out);
    }
}

/// A number of a field.
enum Number {
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
    Float(f64),
    Bool(bool),
}

/// The number that an element's bytes are.
#[inline]
fn number(element: Element, bytes: &[u8]) -> Number {
    let mut word = [0; 8];
    let width = bytes.len().min(8);
    // Little endian, whatever it was: the lowest byte first, zeros above.
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
        // The sign bit goes to the top and is drawn down again.
        (_, width) => {
            let shift = 64 - 8 * width.max(1) as u32;
            Number::Int((bits << shift) as i64 >> shift)
        }
    }
}
