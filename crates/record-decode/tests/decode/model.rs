//! A model of the decoder, as plain as possible, with big integers and lists of bytes. It shares no code with the
//! decoder.

use std::sync::LazyLock;

use proptest::prelude::*;
use wire_protocol::msgpack;
use wire_protocol::particle::particle_type as t;

use crate::common::two_to;

/// A bin's value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Nil,
    Int(i64),
    Float(f64),
    Bool(bool),
    Str(Vec<u8>),
    Blob(Vec<u8>),
    GeoJson(Vec<u8>),
    Hll(Vec<u8>),
    List(Vec<Item>),
    Map,
    Other(u8, Vec<u8>),
}

/// What is in a list.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Int(i64),
    Uint(u64),
    Float(f64),
    Bool(bool),
    Nil,
    Str(Vec<u8>),
    List(Vec<Item>),
    /// A list that the server keeps in order.
    Ordered(Vec<Item>),
}

impl Value {
    /// Particle type and bytes.
    pub(crate) fn encode(&self) -> (u8, Vec<u8>) {
        match self {
            Self::Nil => (t::NIL, vec![]),
            Self::Int(value) => (t::INTEGER, value.to_be_bytes().into()),
            Self::Float(value) => (t::FLOAT, value.to_be_bytes().into()),
            Self::Bool(value) => (t::BOOL, vec![u8::from(*value)]),
            Self::Str(bytes) => (t::STRING, bytes.clone()),
            Self::Blob(bytes) => (t::BLOB, bytes.clone()),
            Self::GeoJson(text) => {
                (t::GEOJSON, [&[0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9], text.as_slice()].concat())
            }
            Self::Hll(bytes) => (t::HLL, bytes.clone()),
            Self::List(items) => {
                let mut out = Vec::new();
                Item::List(items.clone()).write(&mut out);
                (t::LIST, out)
            }
            Self::Map => (t::MAP, vec![0x80]),
            Self::Other(kind, bytes) => (*kind, bytes.clone()),
        }
    }
}

impl Item {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => msgpack::write_int(out, *value),
            Self::Uint(value) => msgpack::write_uint(out, *value),
            Self::Float(value) => msgpack::write_float(out, *value),
            Self::Bool(value) => msgpack::write_bool(out, *value),
            Self::Nil => msgpack::write_nil(out),
            Self::Str(text) => msgpack::write_str(out, text),
            Self::List(items) => {
                msgpack::write_list_header(out, items.len());
                items.iter().for_each(|item| item.write(out));
            }
            Self::Ordered(items) => {
                msgpack::write_list_header(out, items.len() + 1);
                out.extend_from_slice(&[0xc7, 0, 1]);
                items.iter().for_each(|item| item.write(out));
            }
        }
    }
}

/// A field's element and shape.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) kind: char,
    pub(crate) width: usize,
    pub(crate) order: char,
    pub(crate) shape: Vec<usize>,
}

impl Type {
    pub(crate) fn size(&self) -> usize {
        self.width * self.shape.iter().product::<usize>()
    }

    /// The bytes of the field for a value, and how many values changed; `None` if the conversion fails.
    pub(crate) fn store(&self, value: &Value, same_value: bool) -> Option<(Vec<u8>, u64)> {
        if let Value::Other(7..=12, bytes) = value {
            // Objects that old clients serialized are blobs.
            return self.store(&Value::Blob(bytes.clone()), same_value);
        }
        if self.shape.is_empty() {
            return match (self.kind, value) {
                ('S', Value::Str(bytes) | Value::Blob(bytes) | Value::GeoJson(bytes))
                | ('V', Value::Str(bytes) | Value::Blob(bytes) | Value::Hll(bytes)) => {
                    let mut padded = bytes.clone();
                    padded.resize(self.width, 0);
                    let cut = bytes.len() > self.width;
                    (!(cut && same_value)).then_some((padded, cut.into()))
                }
                (_, Value::Int(value)) => self.scalar(&Item::Int(*value), same_value),
                (_, Value::Float(value)) => self.scalar(&Item::Float(*value), same_value),
                (_, Value::Bool(value)) => self.scalar(&Item::Bool(*value), same_value),
                _ => None,
            };
        }
        match value {
            Value::Blob(bytes) => (bytes.len() == self.size()).then(|| (bytes.clone(), 0)),
            Value::List(items) => self.elements(items, &self.shape, same_value),
            _ => None,
        }
    }

    fn elements(&self, items: &[Item], shape: &[usize], same_value: bool) -> Option<(Vec<u8>, u64)> {
        let (&length, inner) = shape.split_first()?;
        let (mut bytes, mut changes) = (Vec::new(), 0);
        for item in items {
            let (more, changed) = match item {
                Item::List(items) | Item::Ordered(items) if !inner.is_empty() => {
                    self.elements(items, inner, same_value)?
                }
                item if inner.is_empty() => self.scalar(item, same_value)?,
                _ => return None,
            };
            bytes.extend(more);
            changes += changed;
        }
        (items.len() == length).then_some((bytes, changes))
    }

    pub(crate) fn scalar(&self, item: &Item, same_value: bool) -> Option<(Vec<u8>, u64)> {
        let (mut bytes, fit) = match (self.kind, item) {
            ('S' | 'V', _) => return None,
            ('M' | 'm', Item::Int(count)) => (integer_bytes((*count).into(), 8), Same),
            ('M' | 'm', _) => return None,
            ('b', Item::Int(value)) => (vec![u8::from(*value != 0)], Same),
            ('b', Item::Uint(value)) => (vec![u8::from(*value != 0)], Same),
            ('b', Item::Bool(value)) => (vec![u8::from(*value)], Same),
            ('b', _) => return None,
            ('i' | 'u', Item::Float(value)) => self.integer_of_float(*value)?,
            ('f', Item::Float(value)) => self.float_of_float(*value),
            (kind, item) => {
                let value = match *item {
                    Item::Int(value) => i128::from(value),
                    Item::Uint(value) => i128::from(value),
                    Item::Bool(value) => i128::from(value),
                    _ => return None,
                };
                if kind == 'f' { self.float_of_integer(value) } else { self.integer_of_integer(value) }
            }
        };
        if self.order == '>' {
            bytes.reverse();
        }
        match (fit, same_value) {
            (Same, _) | (Rounded, false) => Some((bytes, 0)),
            (Changed, false) => Some((bytes, 1)),
            (_, true) => None,
        }
    }

    fn range(&self) -> (i128, i128) {
        let bits = 8 * self.width as u32;
        match self.kind {
            'i' => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
            _ => (0, (1 << bits) - 1),
        }
    }

    fn integer_of_integer(&self, value: i128) -> (Vec<u8>, Fit) {
        let (low, high) = self.range();
        (integer_bytes(value, self.width), if (low..=high).contains(&value) { Same } else { Changed })
    }

    fn integer_of_float(&self, value: f64) -> Option<(Vec<u8>, Fit)> {
        // Far beyond every field the cast to i128 stops at its end, which is out of range, too.
        let whole = value.trunc() as i128;
        let (low, high) = self.range();
        if !value.is_finite() || whole < low || whole > high {
            return None;
        }
        Some((integer_bytes(whole, self.width), if value.trunc() == value { Same } else { Changed }))
    }

    fn float_of_integer(&self, value: i128) -> (Vec<u8>, Fit) {
        // Through its decimal digits: the parser rounds once and correctly.
        let digits = value.to_string();
        let (bytes, stored) = match self.width {
            8 => {
                let float: f64 = digits.parse().unwrap();
                (float.to_le_bytes().to_vec(), float)
            }
            4 => {
                let float: f32 = digits.parse().unwrap();
                (float.to_le_bytes().to_vec(), float.into())
            }
            _ => {
                let bits = HALVES.nearest(digits.parse().unwrap());
                (bits.to_le_bytes().to_vec(), HALVES.value(bits))
            }
        };
        (bytes, if stored.is_finite() && stored as i128 == value { Same } else { Changed })
    }

    fn float_of_float(&self, value: f64) -> (Vec<u8>, Fit) {
        let (bytes, stored) = match self.width {
            8 => (value.to_le_bytes().to_vec(), value),
            4 => ((value as f32).to_le_bytes().to_vec(), (value as f32).into()),
            _ if value.is_nan() => (0x7e00u16.to_le_bytes().to_vec(), value),
            _ => {
                let bits = HALVES.nearest(value);
                (bits.to_le_bytes().to_vec(), HALVES.value(bits))
            }
        };
        let fit = if stored == value || value.is_nan() {
            Same
        } else if stored.is_infinite() {
            Changed
        } else {
            Rounded
        };
        (bytes, fit)
    }
}

#[derive(Clone, Copy)]
enum Fit {
    Same,
    Rounded,
    Changed,
}
use Fit::{Changed, Rounded, Same};

/// The low bytes of two's complement, the lowest first.
fn integer_bytes(value: i128, width: usize) -> Vec<u8> {
    (0..width).map(|at| (value.div_euclid(1 << (8 * at)).rem_euclid(256)) as u8).collect()
}

/// All halves from zero up, by their bits, and where infinity begins to be nearest.
struct Halves(Vec<f64>);

static HALVES: LazyLock<Halves> = LazyLock::new(|| {
    let half = |bits: i32| match (bits >> 10, bits & 0x3ff) {
        (0, fraction) => f64::from(fraction) * two_to(-24),
        (exponent, fraction) => f64::from(1024 + fraction) * two_to(exponent - 25),
    };
    Halves((0..=0x7c00).map(half).collect())
});

impl Halves {
    fn nearest(&self, value: f64) -> u16 {
        let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
        let size = value.abs();
        let above = self.0.partition_point(|&half| half < size).min(0x7c00);
        let below = above.saturating_sub(1);
        let (down, up) = (size - self.0[below], self.0[above] - size);
        let take_below = size < self.0[0x7c00] && (down < up || (down == up && below % 2 == 0));
        sign | if take_below { below } else { above } as u16
    }

    fn value(&self, bits: u16) -> f64 {
        let size = match bits & 0x7fff {
            0x7c00 => f64::INFINITY,
            bits => self.0[usize::from(bits)],
        };
        if bits >> 15 == 1 { -size } else { size }
    }
}

/// Integers around every edge.
fn ints() -> impl Strategy<Value = i64> {
    let edge = (0..64u32, -2i64..=2, any::<bool>()).prop_map(|(bits, more, negative)| {
        let edge = 1i64.wrapping_shl(bits).wrapping_add(more);
        if negative { edge.wrapping_neg() } else { edge }
    });
    prop_oneof![edge, any::<i64>(), -300..300i64]
}

/// Floats of every size, and around every edge of the integers, halves and singles.
fn floats() -> impl Strategy<Value = f64> {
    let near = |value: f64, by: i64| f64::from_bits(value.to_bits().wrapping_add_signed(by));
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        (ints(), -2..=2i64).prop_map(move |(int, by)| near(int as f64, by)),
        (ints(), -3..=3i32).prop_map(|(int, quarter)| (int % 70_000) as f64 + f64::from(quarter) / 4.0),
        (any::<u16>(), -1..=1i64).prop_map(move |(bits, by)| near(HALVES.value(bits % 0x7c00), by)),
        (any::<u32>(), -1..=1i64).prop_map(move |(bits, by)| near(f32::from_bits(bits).into(), by)),
        Just(f64::NAN),
        Just(-0.0),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof!["[a-zü€😀]{0,6}".prop_map(String::into_bytes), proptest::collection::vec(any::<u8>(), 0..24),]
}

fn numbers() -> impl Strategy<Value = Item> {
    prop_oneof![
        ints().prop_map(Item::Int),
        floats().prop_map(Item::Float),
        any::<bool>().prop_map(Item::Bool),
        (1u64 << 63..=u64::MAX).prop_map(Item::Uint),
    ]
}

/// A list that mostly has the shape.
fn list(shape: &[usize]) -> BoxedStrategy<Vec<Item>> {
    let Some((&length, inner)) = shape.split_first() else {
        return Just(vec![]).boxed();
    };
    let item = if inner.is_empty() {
        prop_oneof![
            40 => numbers(),
            1 => Just(Item::Nil),
            1 => text().prop_map(Item::Str),
            1 => Just(Item::List(vec![])),
        ]
        .boxed()
    } else {
        let list = list(inner);
        prop_oneof![
            20 => list.clone().prop_map(Item::List),
            5 => list.prop_map(Item::Ordered),
            1 => numbers(),
        ]
        .boxed()
    };
    (proptest::collection::vec(item, length), 0..40u8)
        .prop_map(|(mut items, change)| {
            match change {
                0 => items.truncate(items.len() - 1),
                1 => items.push(Item::Int(1)),
                _ => {}
            }
            items
        })
        .boxed()
}

/// A value that the field mostly takes.
pub(crate) fn value_for(of: &Type) -> BoxedStrategy<Value> {
    let any_value = prop_oneof![
        Just(Value::Nil),
        ints().prop_map(Value::Int),
        floats().prop_map(Value::Float),
        any::<bool>().prop_map(Value::Bool),
        text().prop_map(Value::Str),
        text().prop_map(Value::Blob),
        text().prop_map(Value::GeoJson),
        text().prop_map(Value::Hll),
        Just(Value::Map),
        (5u8..17, text()).prop_map(|(kind, bytes)| Value::Other(kind, bytes)),
        list(&[2]).prop_map(Value::List),
    ];
    let good = if !of.shape.is_empty() {
        let size = of.size();
        prop_oneof![
            list(&of.shape).prop_map(Value::List),
            proptest::collection::vec(any::<u8>(), size..=size).prop_map(Value::Blob),
            proptest::collection::vec(any::<u8>(), size.saturating_sub(1)..=size + 1).prop_map(Value::Blob),
        ]
        .boxed()
    } else if matches!(of.kind, 'S' | 'V') {
        prop_oneof![
            text().prop_map(Value::Str),
            text().prop_map(Value::Blob),
            text().prop_map(Value::GeoJson),
            text().prop_map(Value::Hll),
        ]
        .boxed()
    } else {
        prop_oneof![
            3 => ints().prop_map(Value::Int),
            3 => floats().prop_map(Value::Float),
            1 => any::<bool>().prop_map(Value::Bool),
        ]
        .boxed()
    };
    prop_oneof![5 => good, 1 => any_value].boxed()
}

/// Every type that a field can have.
pub(crate) fn types() -> impl Strategy<Value = Type> {
    let number = prop_oneof![
        (Just('i'), prop_oneof![Just(1), Just(2), Just(4), Just(8)]),
        (Just('u'), prop_oneof![Just(1), Just(2), Just(4), Just(8)]),
        (Just('f'), prop_oneof![Just(2), Just(4), Just(8)]),
        (Just('b'), Just(1)),
    ];
    let order = || prop_oneof![Just('<'), Just('>')];
    prop_oneof![
        4 => (number.clone(), order()).prop_map(|((kind, width), order)| Type { kind, width, order, shape: vec![] }),
        2 => (number, order(), proptest::collection::vec(1..4usize, 1..4))
            .prop_map(|((kind, width), order, shape)| Type { kind, width, order, shape }),
        1 => (prop_oneof![Just('M'), Just('m')], order())
            .prop_map(|(kind, order)| Type { kind, width: 8, order, shape: vec![] }),
        2 => (prop_oneof![Just('S'), Just('V')], 1..20usize)
            .prop_map(|(kind, width)| Type { kind, width, order: '|', shape: vec![] }),
    ]
}
