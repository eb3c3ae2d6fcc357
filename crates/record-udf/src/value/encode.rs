//! Values from and to the bytes of bins and of msgpack.

use std::rc::Rc;

use record_ops::value::{Rules, normalize};
use record_ops::{Bin, geo};
use wire_protocol::msgpack::MAX_DEPTH;
use wire_protocol::particle::{Particle, particle_type};
use wire_protocol::value::{ListOrder, Value, WriteValue};

use super::{Heap, MapKey, Val};

/// Size of the largest value that leaves a script: that of the largest record that a server can be configured for.
const MAX_SIZE: usize = 8 * 1024 * 1024;

/// A value from a message. `None` for one that scripts cannot have, such as a map with a float as a key.
pub(crate) fn from_wire(heap: &Heap, value: Value) -> Option<Val> {
    Some(match value {
        Value::Nil => Val::Nil,
        Value::Bool(value) => Val::Bool(value),
        Value::Int(number) => Val::Int(number),
        Value::Uint(number) => Val::Int(number.cast_signed()),
        Value::Float(number) => Val::Float(number),
        Value::Str(text) => Val::text(&text),
        Value::GeoJson(text) => Val::GeoJson(super::until_nul(&text).into()),
        Value::Blob(bytes) => Val::Bytes(heap.bytes(bytes)),
        Value::Hll(bytes) => Val::Bytes(heap.bytes_of(bytes, particle_type::HLL)),
        Value::Other { particle_type, bytes } => Val::Bytes(heap.bytes_of(bytes, particle_type)),
        Value::List { order, items } => {
            let items = items.into_iter().map(|item| from_wire(heap, item)).collect::<Option<_>>()?;
            Val::List(heap.list(items, order == ListOrder::Ordered))
        }
        Value::Map { order, pairs } => {
            let map = heap.map_with_order(order);
            for (key, value) in pairs {
                let key = MapKey::of(&from_wire(heap, key)?)?;
                map.set(key, from_wire(heap, value)?);
            }
            Val::Map(map)
        }
        Value::Infinity | Value::Wildcard => return None,
    })
}

/// The value of a bin; nil if scripts cannot have it.
pub(crate) fn from_bin(heap: &Heap, bin: &Bin) -> Val {
    let particle = Particle::parse(bin.particle_type, &bin.bytes);
    let value = particle.and_then(Value::from_particle).ok();
    value.and_then(|value| from_wire(heap, value)).unwrap_or(Val::Nil)
}

/// What is left of [`MAX_SIZE`].
struct Room(usize);

impl Room {
    fn take(&mut self, bytes: usize) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }
}

/// A value for a message. `None` if it nests too deep, as one that contains itself does, or is too large.
pub(crate) fn to_wire(value: &Val) -> Option<Value> {
    convert(value, MAX_DEPTH, &mut Room(MAX_SIZE))
}

fn convert(value: &Val, depth: usize, room: &mut Room) -> Option<Value> {
    room.take(1)?;
    Some(match value {
        Val::Nil => Value::Nil,
        Val::Bool(value) => Value::Bool(*value),
        Val::Int(number) => Value::Int(*number),
        Val::Float(number) => Value::Float(*number),
        Val::Str(text) => {
            room.take(text.len())?;
            Value::Str(text.to_vec())
        }
        Val::GeoJson(text) => {
            room.take(text.len())?;
            Value::GeoJson(text.to_vec())
        }
        Val::Bytes(bytes) => bytes.with(|data| {
            room.take(data.bytes().len())?;
            let bytes = data.bytes().to_vec();
            Some(match data.kind {
                particle_type::BLOB => Value::Blob(bytes),
                particle_type::HLL => Value::Hll(bytes),
                particle_type => Value::Other { particle_type, bytes },
            })
        })?,
        Val::List(list) => {
            let depth = depth.checked_sub(1)?;
            list.with(|data| {
                let items = data.items.iter().map(|item| convert(item, depth, room));
                let items = items.collect::<Option<_>>()?;
                let order = if data.is_ordered { ListOrder::Ordered } else { ListOrder::Unordered };
                Some(Value::List { order, items })
            })?
        }
        Val::Map(map) => {
            let depth = depth.checked_sub(1)?;
            map.with(|data| {
                let pair = |(key, value): (&MapKey, &Val)| {
                    Some((key_to_wire(key, room)?, convert(value, depth, room)?))
                };
                Some(Value::Map {
                    order: data.order,
                    pairs: data.pairs.iter().map(pair).collect::<Option<_>>()?,
                })
            })?
        }
    })
}

fn key_to_wire(key: &MapKey, room: &mut Room) -> Option<Value> {
    let owned = |bytes: &Rc<[u8]>, room: &mut Room| room.take(bytes.len()).map(|()| bytes.to_vec());
    room.take(1)?;
    Some(match key {
        MapKey::Int(number) => Value::Int(*number),
        MapKey::Str(text) => Value::Str(owned(text, room)?),
        MapKey::Bytes(bytes) => Value::Blob(owned(bytes, room)?),
    })
}

/// The bin that a value is stored as; `None` if it cannot be stored.
pub(crate) fn to_bin(value: &Val) -> Option<Bin> {
    if let Val::GeoJson(text) = value {
        return Some(Bin::new(particle_type::GEOJSON, geo::particle(text)?));
    }
    let mut wire = to_wire(value)?;
    sort_ordered_lists(&mut wire);
    let bin = particle(&wire);
    if !matches!(bin.particle_type, particle_type::LIST | particle_type::MAP) {
        return Some(bin);
    }
    let rules = Rules { is_bin: true, ..Rules::default() };
    Some(Bin::new(bin.particle_type, normalize(&bin.bytes, rules)?.into_owned()))
}

/// Sorts lists that are marked as ordered: scripts change them without regard to their order.
fn sort_ordered_lists(value: &mut Value) {
    match value {
        Value::List { order, items } => {
            items.iter_mut().for_each(sort_ordered_lists);
            if *order == ListOrder::Ordered {
                items.sort_by(Value::compare);
            }
        }
        Value::Map { pairs, .. } => pairs.iter_mut().for_each(|(_, value)| sort_ordered_lists(value)),
        _ => {}
    }
}

/// What a client gets for a value; `None` if it nests too deep or is too large.
pub(crate) fn to_reply(value: &Val) -> Option<Bin> {
    match value {
        Val::GeoJson(text) => {
            let mut bytes = vec![0; 3];
            bytes.extend_from_slice(text);
            Some(Bin::new(particle_type::GEOJSON, bytes))
        }
        value => to_wire(value).map(|wire| particle(&wire)),
    }
}

/// The particle of a value that is not GeoJSON.
fn particle(wire: &Value) -> Bin {
    match wire {
        Value::Bool(value) => Bin::bool(*value),
        Value::Int(number) => Bin::int(*number),
        Value::Float(number) => Bin::float(*number),
        Value::Str(text) => Bin::new(particle_type::STRING, text.clone()),
        // A whole bin of bytes is a blob, whatever type the bytes have.
        Value::Blob(bytes) | Value::Hll(bytes) | Value::Other { bytes, .. } => {
            Bin::new(particle_type::BLOB, bytes.clone())
        }
        Value::List { .. } | Value::Map { .. } => {
            let kind =
                if matches!(wire, Value::List { .. }) { particle_type::LIST } else { particle_type::MAP };
            let mut bytes = Vec::new();
            wire.write_value(&mut bytes);
            Bin::new(kind, bytes)
        }
        _ => Bin::nil(),
    }
}
