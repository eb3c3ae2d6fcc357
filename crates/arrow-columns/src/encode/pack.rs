//! Values as bins, and as elements of lists and maps.

// `with_integers` is used with integers of all widths.
#![allow(clippy::useless_conversion)]

use std::ops::Range;

use wire_protocol::message::op;
use wire_protocol::msgpack::{
    write_blob, write_bool, write_float, write_int, write_list_header, write_map_header, write_nil, write_str,
};
use wire_protocol::particle::particle_type;

use super::column::{BAD_OFFSET, Column, Values, WhyNot, entries};
use super::types::Kind;

/// Most bytes of a number in a list: a tag and 64 bits.
const NUMBER: usize = 9;

/// Most bytes of the header of a list, map or string, with the type byte of a string.
const HEADER: usize = 6;

/// The bytes of a bin's operations that are the same in all rows.
#[derive(Debug)]
pub(super) struct BinHead {
    /// The operation between its size and the value: code, particle type, flags, name length, name.
    head: Box<[u8]>,
    /// The size of an operation whose value has eight bytes, and `head`.
    with_word: Box<[u8]>,
    /// The operation that removes the bin.
    removal: Box<[u8]>,
}

impl BinHead {
    /// `name` is a bin name, as `check_name` checks it.
    pub(super) fn new(name: &str, kind: Kind, bools_as_integers: bool) -> Self {
        let head = |particle_type| {
            let mut head = vec![op::WRITE, particle_type, 0, name.len() as u8];
            head.extend_from_slice(name.as_bytes());
            head
        };
        let sized = |head: &[u8], value: usize| {
            let size = (head.len() + value) as u32;
            [&size.to_be_bytes()[..], head].concat()
        };
        let own = head(kind.particle_type(bools_as_integers));
        Self {
            with_word: sized(&own, 8).into(),
            removal: sized(&head(particle_type::NIL), 0).into(),
            head: own.into(),
        }
    }

    /// The size of the operation without its value.
    pub(super) fn len(&self) -> usize {
        4 + self.head.len()
    }

    /// Appends the operation that removes the bin.
    pub(super) fn remove(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.removal);
    }

    #[inline]
    fn put_word(&self, word: [u8; 8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.with_word);
        out.extend_from_slice(&word);
    }

    #[inline]
    fn put(&self, value: &[u8], out: &mut Vec<u8>) {
        // A value whose size does not fit is larger than a request, which is refused before it is encoded.
        out.extend_from_slice(&((self.head.len() + value.len()) as u32).to_be_bytes());
        out.extend_from_slice(&self.head);
        out.extend_from_slice(value);
    }
}

/// Calls `$use` with the integers of a column of integers, whatever their width.
macro_rules! with_integers {
    ($values:expr, $integers:ident => $use:expr, $other:pat => $rest:expr) => {
        match $values {
            Values::I8($integers) => $use,
            Values::I16($integers) => $use,
            Values::I32($integers) => $use,
            Values::I64($integers) => $use,
            Values::U8($integers) => $use,
            Values::U16($integers) => $use,
            Values::U32($integers) => $use,
            $other => $rest,
        }
    };
}

fn fitting(value: u64) -> Result<i64, WhyNot> {
    i64::try_from(value).map_err(|_| WhyNot::TooLarge { value })
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&[u8], WhyNot> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(WhyNot::NotUtf8 { valid: error.valid_up_to() }),
    }
}

impl Column {
    /// The integer of a row, behind dictionaries; `None` in a column of another kind.
    pub(super) fn integer(&self, row: usize) -> Result<Option<i64>, WhyNot> {
        let (column, row) = self.resolve(row)?;
        let value = with_integers!(&column.values, values => values.get(row).map(|&value| i64::from(value)), other => {
            match other {
                Values::U64(values) => match values.get(row) {
                    Some(&value) => Some(fitting(value)?),
                    None => None,
                },
                _ => return Ok(None),
            }
        });
        value.map(Some).ok_or(BAD_OFFSET)
    }

    /// Appends the operation that writes a row's value, which is not null.
    #[inline]
    pub(super) fn write_bin(
        &self,
        row: usize,
        head: &BinHead,
        bools_as_integers: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), WhyNot> {
        let (column, row) = self.resolve(row)?;
        with_integers!(&column.values, values => {
            let value = i64::from(*values.get(row).ok_or(BAD_OFFSET)?);
            head.put_word(value.to_be_bytes(), out);
        }, other => {
            match other {
                Values::F64(values) => {
                    head.put_word(values.get(row).ok_or(BAD_OFFSET)?.to_be_bytes(), out);
                }
                Values::F32(values) => {
                    head.put_word(f64::from(*values.get(row).ok_or(BAD_OFFSET)?).to_be_bytes(), out);
                }
                Values::F16(values) => {
                    head.put_word(values.get(row).ok_or(BAD_OFFSET)?.to_f64().to_be_bytes(), out);
                }
                Values::U64(values) => {
                    let value = fitting(*values.get(row).ok_or(BAD_OFFSET)?)?;
                    head.put_word(value.to_be_bytes(), out);
                }
                Values::Bool(values) => {
                    let value = row < values.len() && values.value(row);
                    if bools_as_integers {
                        head.put_word(i64::from(value).to_be_bytes(), out);
                    } else {
                        head.put(&[u8::from(value)], out);
                    }
                }
                Values::Text(bytes) | Values::Blob(bytes) => head.put(bytes.get(row)?, out),
                _ => {
                    let start = out.len();
                    out.extend_from_slice(&[0; 4]);
                    out.extend_from_slice(&head.head);
                    column.pack(row, bools_as_integers, out)?;
                    let size = (out.len() - start - 4) as u32;
                    out[start..start + 4].copy_from_slice(&size.to_be_bytes());
                }
            }
        });
        Ok(())
    }

    /// Appends a row's value as an element of a list or map: nil for null. Recurses once per level of the type.
    pub(super) fn pack(&self, row: usize, bools_as_integers: bool, out: &mut Vec<u8>) -> Result<(), WhyNot> {
        if self.is_null(row) {
            write_nil(out);
            return Ok(());
        }
        let (column, row) = self.resolve(row)?;
        with_integers!(&column.values, values => {
            write_int(out, i64::from(*values.get(row).ok_or(BAD_OFFSET)?));
        }, other => {
            match other {
                Values::Null => write_nil(out),
                Values::Bool(values) => {
                    let value = row < values.len() && values.value(row);
                    if bools_as_integers { write_int(out, value.into()) } else { write_bool(out, value) }
                }
                Values::U64(values) => write_int(out, fitting(*values.get(row).ok_or(BAD_OFFSET)?)?),
                Values::F16(values) => write_float(out, values.get(row).ok_or(BAD_OFFSET)?.to_f64()),
                Values::F32(values) => write_float(out, f64::from(*values.get(row).ok_or(BAD_OFFSET)?)),
                Values::F64(values) => write_float(out, *values.get(row).ok_or(BAD_OFFSET)?),
                Values::Text(bytes) => write_str(out, bytes.get(row)?),
                Values::Blob(bytes) => write_blob(out, bytes.get(row)?),
                Values::List(lists, items) => {
                    let range = lists.range(row, items.len())?;
                    write_list_header(out, range.len());
                    items.pack_range(range, bools_as_integers, out)?;
                }
                Values::Struct(fields) => {
                    // A null field is left out: it reads back as null, like one that is nil.
                    let present = || fields.iter().filter(|(_, field)| !field.is_null(row));
                    write_map_header(out, present().count());
                    for (name, field) in present() {
                        write_str(out, name.as_bytes());
                        field.pack(row, bools_as_integers, out)?;
                    }
                }
                Values::Map(offsets, keys, values) => {
                    let range = entries(offsets, row, keys.len().min(values.len()))?;
                    write_map_header(out, range.len());
                    for entry in range {
                        keys.pack(entry, bools_as_integers, out)?;
                        values.pack(entry, bools_as_integers, out)?;
                    }
                }
                // Not reached: `resolve` goes through dictionaries and runs.
                _ => return Err(BAD_OFFSET),
            }
        });
        Ok(())
    }

    /// Appends the elements of a list.
    fn pack_range(
        &self,
        range: Range<usize>,
        bools_as_integers: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), WhyNot> {
        if !self.has_nulls() {
            match &self.values {
                Values::F32(values) => {
                    let values = values.get(range).ok_or(BAD_OFFSET)?;
                    out.reserve(values.len().saturating_mul(NUMBER));
                    values.iter().for_each(|&value| write_float(out, f64::from(value)));
                    return Ok(());
                }
                Values::F64(values) => {
                    let values = values.get(range).ok_or(BAD_OFFSET)?;
                    out.reserve(values.len().saturating_mul(NUMBER));
                    values.iter().for_each(|&value| write_float(out, value));
                    return Ok(());
                }
                other => {
                    with_integers!(other, values => {
                        let values = values.get(range).ok_or(BAD_OFFSET)?;
                        values.iter().for_each(|&value| write_int(out, i64::from(value)));
                        return Ok(());
                    }, _ => {});
                }
            }
        }
        range.into_iter().try_for_each(|item| self.pack(item, bools_as_integers, out))
    }

    /// The most bytes that any value of the column takes in a bin; `None` if that depends on the value.
    pub(super) fn fixed_bin_size(&self) -> Option<usize> {
        match &self.values {
            Values::Null => Some(0),
            Values::Text(_) | Values::Blob(_) => None,
            _ => self.fixed_packed_size(),
        }
    }

    /// The most bytes that any value of the column takes in a list; `None` if that depends on the value.
    fn fixed_packed_size(&self) -> Option<usize> {
        match &self.values {
            Values::Null => Some(1),
            Values::Text(_) | Values::Blob(_) | Values::Map(..) => None,
            Values::List(super::column::Lists::Fixed(len), items) => {
                Some(len.saturating_mul(items.fixed_packed_size()?).saturating_add(HEADER))
            }
            Values::List(..) => None,
            Values::Struct(fields) => fields.iter().try_fold(HEADER, |size, (name, field)| {
                Some(size.saturating_add(HEADER + name.len()).saturating_add(field.fixed_packed_size()?))
            }),
            Values::Dictionary(_, values) | Values::Runs(_, values) => values.fixed_packed_size(),
            _ => Some(NUMBER),
        }
    }

    /// The most bytes that the value of a row takes in a bin or a list.
    pub(super) fn max_size(&self, row: usize) -> usize {
        if self.is_null(row) {
            return 1;
        }
        let Ok((column, row)) = self.resolve(row) else { return 0 };
        match &column.values {
            Values::Text(bytes) | Values::Blob(bytes) => HEADER + bytes.get(row).map_or(0, <[u8]>::len),
            Values::List(lists, items) => match (lists.range(row, items.len()), items.fixed_packed_size()) {
                (Ok(range), Some(size)) => HEADER.saturating_add(range.len().saturating_mul(size)),
                (Ok(range), None) => sum(range.map(|item| items.max_size(item))),
                (Err(_), _) => 0,
            },
            Values::Struct(fields) => sum(fields
                .iter()
                .map(|(name, field)| field.max_size(row).saturating_add(HEADER + name.len()))),
            Values::Map(offsets, keys, values) => match entries(offsets, row, keys.len().min(values.len())) {
                Ok(range) => {
                    sum(range.map(|entry| keys.max_size(entry).saturating_add(values.max_size(entry))))
                }
                Err(_) => 0,
            },
            _ => NUMBER,
        }
    }
}

fn sum(sizes: impl Iterator<Item = usize>) -> usize {
    sizes.fold(HEADER, usize::saturating_add)
}
