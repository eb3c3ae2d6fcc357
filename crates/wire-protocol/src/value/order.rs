//! The order in which a server keeps values: by type first, then within the type.

use std::cmp::Ordering;

use super::Value;
use crate::particle::particle_type;

impl Value {
    /// Compares two values as a server does when it sorts lists and the keys of maps.
    ///
    /// Types come in this order: nil, false, true, integers, text, lists, maps, bytes, floats, GeoJSON. An integer is
    /// never equal to a float. A list is less than its continuations; of two maps the one with fewer pairs is less.
    /// [`Value::Wildcard`] and [`Value::Infinity`] are above all others. This is a total order, so NaN is above the
    /// other floats (a server takes it as equal to each of them).
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Uint(a), Self::Uint(b)) => a.cmp(b),
            (Self::Int(_), Self::Uint(_)) => Ordering::Less,
            (Self::Uint(_), Self::Int(_)) => Ordering::Greater,
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b).unwrap_or_else(|| a.total_cmp(b)),
            (Self::Str(a), Self::Str(b)) | (Self::GeoJson(a), Self::GeoJson(b)) => a.cmp(b),
            (Self::List { items: a, .. }, Self::List { items: b, .. }) => {
                compare_all(a.iter().zip(b)).then_with(|| a.len().cmp(&b.len()))
            }
            (Self::Map { pairs: a, .. }, Self::Map { pairs: b, .. }) => {
                a.len().cmp(&b.len()).then_with(|| {
                    let parts = |pairs| -> Vec<&Self> {
                        let pairs: &Vec<(Self, Self)> = pairs;
                        pairs.iter().flat_map(|(key, value)| [key, value]).collect()
                    };
                    compare_all(parts(a).into_iter().zip(parts(b)))
                })
            }
            _ => self.rank().cmp(&other.rank()).then_with(|| self.bytes().cmp(&other.bytes())),
        }
    }

    /// The place of the value's type among the types.
    fn rank(&self) -> u8 {
        match self {
            Self::Nil => 0,
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Int(_) | Self::Uint(_) => 3,
            Self::Str(_) => 4,
            Self::List { .. } => 5,
            Self::Map { .. } => 6,
            Self::Blob(_) | Self::Hll(_) | Self::Other { .. } => 7,
            Self::Float(_) => 8,
            Self::GeoJson(_) => 9,
            Self::Wildcard => 10,
            Self::Infinity => 11,
        }
    }

    /// Particle type and bytes of a value that is compared as bytes.
    fn bytes(&self) -> Option<(u8, &[u8])> {
        match self {
            Self::Blob(bytes) => Some((particle_type::BLOB, bytes)),
            Self::Hll(bytes) => Some((particle_type::HLL, bytes)),
            Self::Other { particle_type, bytes } => Some((*particle_type, bytes)),
            _ => None,
        }
    }
}

fn compare_all<'a>(mut pairs: impl Iterator<Item = (&'a Value, &'a Value)>) -> Ordering {
    pairs.find_map(|(a, b)| Some(a.compare(b)).filter(|order| order.is_ne())).unwrap_or(Ordering::Equal)
}
