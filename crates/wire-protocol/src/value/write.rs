//! Values into msgpack.

use super::{ListOrder, MapOrder, Value};
use crate::msgpack;

/// The ext kind of values that only comparisons know.
pub(super) const COMPARISON: i8 = -1;
/// The data of the ext that is equal to every value.
pub(super) const WILDCARD: u8 = 0;
/// The data of the ext that is greater than every value.
pub(super) const INFINITY: u8 = 1;

/// A value that can be written as msgpack.
pub trait WriteValue {
    /// Appends the value, one element of msgpack.
    fn write_value(&self, out: &mut Vec<u8>);
}

/// A value that is encoded already: one element of msgpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded<'a>(pub &'a [u8]);

impl WriteValue for Encoded<'_> {
    fn write_value(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}

impl<V: WriteValue + ?Sized> WriteValue for &V {
    fn write_value(&self, out: &mut Vec<u8>) {
        (**self).write_value(out);
    }
}

impl WriteValue for i64 {
    fn write_value(&self, out: &mut Vec<u8>) {
        msgpack::write_int(out, *self);
    }
}

impl WriteValue for bool {
    fn write_value(&self, out: &mut Vec<u8>) {
        msgpack::write_bool(out, *self);
    }
}

impl WriteValue for f64 {
    fn write_value(&self, out: &mut Vec<u8>) {
        msgpack::write_float(out, *self);
    }
}

impl WriteValue for str {
    fn write_value(&self, out: &mut Vec<u8>) {
        msgpack::write_str(out, self.as_bytes());
    }
}

/// The pairs of maps are written in the order in which they are.
impl WriteValue for Value {
    fn write_value(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => msgpack::write_nil(out),
            Self::Bool(value) => msgpack::write_bool(out, *value),
            Self::Int(value) => msgpack::write_int(out, *value),
            Self::Uint(value) => msgpack::write_uint(out, *value),
            Self::Float(value) => msgpack::write_float(out, *value),
            Self::Str(text) => msgpack::write_str(out, text),
            Self::Blob(bytes) => msgpack::write_blob(out, bytes),
            Self::GeoJson(text) => msgpack::write_geojson(out, text),
            Self::Hll(bytes) => msgpack::write_bytes(out, crate::particle::particle_type::HLL, bytes),
            Self::Other { particle_type, bytes } => msgpack::write_bytes(out, *particle_type, bytes),
            Self::List { order, items } => {
                let ordered = *order == ListOrder::Ordered;
                msgpack::write_list_header(out, items.len().saturating_add(usize::from(ordered)));
                if ordered {
                    msgpack::write_ext(out, order.bits() as i8, &[]);
                }
                items.iter().for_each(|item| item.write_value(out));
            }
            Self::Map { order, pairs } => {
                let ordered = *order != MapOrder::Unordered;
                msgpack::write_map_header(out, pairs.len().saturating_add(usize::from(ordered)));
                if ordered {
                    msgpack::write_ext(out, order.bits() as i8, &[]);
                    msgpack::write_nil(out);
                }
                for (key, value) in pairs {
                    key.write_value(out);
                    value.write_value(out);
                }
            }
            Self::Infinity => msgpack::write_ext(out, COMPARISON, &[INFINITY]),
            Self::Wildcard => msgpack::write_ext(out, COMPARISON, &[WILDCARD]),
        }
    }
}
