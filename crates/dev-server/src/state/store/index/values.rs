//! The values of a record that an index has.

use record_ops::expression::{Context, Expression, Metadata};
use record_ops::geo::{self, Shape};
use record_ops::{BinView, RecordView, collection};
use wire_protocol::digest::Digest;
use wire_protocol::msgpack::{Reader, Token};
use wire_protocol::particle::{Particle, particle_type};

use crate::state::store::bins::StoredBins;
use crate::state::store::index::definition::{Definition, Elements, Source, ValueType};
use crate::state::store::index::hash::hash;
use crate::state::store::record::Record;

/// Texts and bytes of a bin that are longer are not in an index. Elements of lists and maps are.
const MAX_LENGTH: usize = 2048;

/// A value that an index has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Number(i64),
    /// A text or bytes.
    Bytes(&'a [u8]),
    /// The text of GeoJSON, and its particle if the value is a whole bin.
    Geo {
        text: &'a [u8],
        particle: Option<&'a [u8]>,
    },
}

/// A value as a key of an index. Keys have the order of an index: integers and hashes by size with sign, cells without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(u64);

impl Key {
    pub(crate) fn of_number(number: i64) -> Self {
        Self(number.cast_unsigned() ^ 1 << 63)
    }

    pub(crate) fn of_cell(cell: u64) -> Self {
        Self(cell)
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self::of_number(hash(bytes).cast_signed())
    }

    /// The key of a number that a client sends, which it got with a record.
    pub(crate) fn of_wire(number: u64, kind: ValueType) -> Self {
        match kind {
            ValueType::Geo => Self::of_cell(number),
            _ => Self::of_number(number.cast_signed()),
        }
    }

    /// The number that is sent with a record.
    pub(crate) fn to_wire(self, kind: ValueType) -> u64 {
        match kind {
            ValueType::Geo => self.0,
            _ => self.0 ^ 1 << 63,
        }
    }
}

/// Appends the keys of a value.
pub(crate) fn keys(value: Value<'_>, out: &mut Vec<Key>) {
    match value {
        Value::Number(number) => out.push(Key::of_number(number)),
        Value::Bytes(bytes) => out.push(Key::of_bytes(bytes)),
        Value::Geo { particle: Some(particle), .. } => out.extend(geo::cells(particle).map(Key::of_cell)),
        Value::Geo { text, .. } => {
            let cells = Shape::parse(text).map(|shape| shape.cells()).unwrap_or_default();
            out.extend(cells.into_iter().map(Key::of_cell));
        }
    }
}

impl Definition {
    /// The bin from which the values come, as it is stored. `None` for an expression, and for a record without the bin.
    pub(crate) fn stored_bin<'r>(&self, record: &'r Record) -> Option<BinView<'r>> {
        match &self.source {
            Source::Bin(name) => StoredBins::find(record, name),
            Source::Expression(_) => None,
        }
    }

    /// Calls `found` with each value of a record, until it returns `false`. The record must be in the index's set.
    pub(crate) fn visit(&self, digest: &Digest, record: &Record, found: &mut dyn FnMut(Value<'_>) -> bool) {
        match &self.source {
            Source::Bin(name) => {
                if let Some(bin) = StoredBins::find(record, name) {
                    self.visit_bin(bin, found);
                }
            }
            Source::Expression(bytes) => {
                // It was valid when the index was created, and cannot ask for anything but bins and the digest.
                let bins = StoredBins::of(record);
                let metadata = Metadata { digest: *digest, ..Metadata::default() };
                let context = Context { bins: &bins as &dyn RecordView, metadata };
                let value = Expression::parse(bytes).and_then(|expression| expression.evaluate(&context));
                if let Ok(Some(value)) = value {
                    self.visit_bin(value.view(), found);
                }
            }
        }
    }

    fn visit_bin(&self, bin: BinView<'_>, found: &mut dyn FnMut(Value<'_>) -> bool) {
        match &self.context {
            None => self.visit_inner(bin, true, found),
            Some(context) => {
                if let Some(element) = collection::element(bin, context) {
                    self.visit_inner(element.view(), false, found);
                }
            }
        }
    }

    fn visit_inner(&self, bin: BinView<'_>, is_bin: bool, found: &mut dyn FnMut(Value<'_>) -> bool) {
        match self.elements {
            Elements::Whole => {
                if let Some(value) = self.whole(bin, is_bin) {
                    found(value);
                }
            }
            Elements::List if bin.particle_type == particle_type::LIST => {
                let mut reader = Reader::new(bin.bytes);
                let Ok(Token::List { len }) = reader.token() else { return };
                let len = len - usize::from(skip_marker(&mut reader, len));
                for _ in 0..len {
                    if !self.element(&mut reader).is_some_and(|value| value.is_none_or(&mut *found)) {
                        return;
                    }
                }
            }
            Elements::MapKeys | Elements::MapValues if bin.particle_type == particle_type::MAP => {
                let mut reader = Reader::new(bin.bytes);
                let Ok(Token::Map { len }) = reader.token() else { return };
                let has_marker = skip_marker(&mut reader, len);
                // The marker is a key, and has a value.
                if has_marker && reader.skip_value().is_err() {
                    return;
                }
                for _ in 0..len - usize::from(has_marker) {
                    if self.elements == Elements::MapValues && reader.skip_value().is_err() {
                        return;
                    }
                    if !self.element(&mut reader).is_some_and(|value| value.is_none_or(&mut *found)) {
                        return;
                    }
                    if self.elements == Elements::MapKeys && reader.skip_value().is_err() {
                        return;
                    }
                }
            }
            _ => {}
        }
    }

    /// The value of a bin or element that is not a list or map.
    fn whole<'b>(&self, bin: BinView<'b>, is_bin: bool) -> Option<Value<'b>> {
        if bin.particle_type != self.kind.particle_type() {
            return None;
        }
        match Particle::parse(bin.particle_type, bin.bytes).ok()? {
            Particle::Int(number) => Some(Value::Number(number)),
            Particle::Str(bytes) | Particle::Blob(bytes) => {
                (bytes.len() <= MAX_LENGTH).then_some(Value::Bytes(bytes))
            }
            Particle::GeoJson(text) => Some(Value::Geo { text, particle: is_bin.then_some(bin.bytes) }),
            _ => None,
        }
    }

    /// Reads the next element. The inner `None`: it has another type. The outer one: the bytes end.
    fn element<'b>(&self, reader: &mut Reader<'b>) -> Option<Option<Value<'b>>> {
        let start = reader.clone();
        let token = reader.token().ok()?;
        Some(match (self.kind, token) {
            (ValueType::Numeric, Token::Int(number)) => Some(Value::Number(number)),
            (ValueType::String, Token::Str(bytes)) => Some(Value::Bytes(bytes)),
            (ValueType::Blob, Token::Blob(bytes)) => Some(Value::Bytes(bytes)),
            (ValueType::Geo, Token::GeoJson(text)) => Some(Value::Geo { text, particle: None }),
            (_, Token::List { .. } | Token::Map { .. }) => {
                *reader = start;
                reader.skip_value().ok()?;
                None
            }
            _ => None,
        })
    }
}

/// Skips the marker of an order at the start of a list or map. Returns whether there is one.
fn skip_marker(reader: &mut Reader<'_>, len: usize) -> bool {
    len > 0 && reader.is_at_ext() && reader.token().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::store::record::bins;
    use wire_protocol::message::{op, write_op};

    fn record_with(kind: u8, value: &[u8]) -> Record {
        let mut bytes = Vec::new();
        write_op(&mut bytes, op::READ, particle_type::INTEGER, b"other", &7i64.to_be_bytes());
        write_op(&mut bytes, op::READ, kind, b"b", value);
        assert_eq!(bins(&bytes).count(), 2);
        Record {
            generation: 1,
            void_time: 0,
            last_update: 0,
            set: 0,
            n_bins: 2,
            has_index: false,
            bins: bytes.into_boxed_slice(),
            key: None,
        }
    }

    fn keys_of(elements: Elements, kind: ValueType, context: Option<&[u8]>, record: &Record) -> Vec<Key> {
        let definition = Definition {
            set: None,
            source: Source::Bin(b"b"[..].into()),
            context: context.map(Box::from),
            elements,
            kind,
        };
        let mut all = Vec::new();
        definition.visit(&[0; 20], record, &mut |value| {
            keys(value, &mut all);
            true
        });
        all
    }

    fn numbers(values: &[i64]) -> Vec<Key> {
        values.iter().map(|value| Key::of_number(*value)).collect()
    }

    #[test]
    fn whole_bins_lists_and_maps_have_values() {
        use Elements as E;
        use ValueType as V;
        let number = record_with(particle_type::INTEGER, &(-5i64).to_be_bytes());
        assert_eq!(keys_of(E::Whole, V::Numeric, None, &number), numbers(&[-5]));
        assert_eq!(keys_of(E::Whole, V::String, None, &number), []);
        assert_eq!(keys_of(E::List, V::Numeric, None, &number), []);
        // An ordered list: 1, 2, a text, a list.
        let list = record_with(particle_type::LIST, b"\x95\xc7\x00\x01\x01\x02\xa2\x03a\x91\x09");
        assert_eq!(keys_of(E::List, V::Numeric, None, &list), numbers(&[1, 2]));
        assert_eq!(keys_of(E::List, V::String, None, &list), [Key::of_bytes(b"a")]);
        assert_eq!(keys_of(E::List, V::Numeric, Some(b"\x92\x10\x03"), &list), numbers(&[9]));
        assert_eq!(keys_of(E::Whole, V::Numeric, Some(b"\x92\x10\x01"), &list), numbers(&[2]));
        assert_eq!(keys_of(E::Whole, V::Numeric, Some(b"\x92\x10\x07"), &list), []);
        // A map, ordered by key: 1 -> "x", 2 -> 3.
        let map = record_with(particle_type::MAP, b"\x83\xc7\x00\x01\xc0\x01\xa2\x03x\x02\x03");
        assert_eq!(keys_of(E::MapKeys, V::Numeric, None, &map), numbers(&[1, 2]));
        assert_eq!(keys_of(E::MapValues, V::Numeric, None, &map), numbers(&[3]));
        assert_eq!(keys_of(E::MapValues, V::String, None, &map), [Key::of_bytes(b"x")]);
    }

    #[test]
    fn broken_bytes_have_no_values() {
        for bytes in [&b""[..], b"\x9f\x01", b"\xdd\xff\xff\xff\xff\x01", b"\x91\xc7", b"\x81\xc7\x00\x01"] {
            let list = record_with(particle_type::LIST, bytes);
            let map = record_with(particle_type::MAP, bytes);
            assert!(keys_of(Elements::List, ValueType::Numeric, None, &list).len() <= 1);
            assert_eq!(keys_of(Elements::MapValues, ValueType::Numeric, None, &map), []);
        }
    }

    #[test]
    fn long_texts_are_left_out() {
        let text = |len| record_with(particle_type::STRING, &vec![b'x'; len]);
        assert_eq!(keys_of(Elements::Whole, ValueType::String, None, &text(MAX_LENGTH)).len(), 1);
        assert_eq!(keys_of(Elements::Whole, ValueType::String, None, &text(MAX_LENGTH + 1)), []);
    }

    #[test]
    fn keys_survive_the_wire() {
        for number in [i64::MIN, -1, 0, 1, i64::MAX] {
            let key = Key::of_number(number);
            assert_eq!(key.to_wire(ValueType::Numeric), number.cast_unsigned());
            assert_eq!(Key::of_wire(number.cast_unsigned(), ValueType::Numeric), key);
        }
        assert!(Key::of_number(-1) < Key::of_number(0));
        assert_eq!(Key::of_wire(u64::MAX, ValueType::Geo).to_wire(ValueType::Geo), u64::MAX);
    }
}
