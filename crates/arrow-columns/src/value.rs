//! Values of bins, and those inside lists and maps, in one form; the way to a value along a path.

use record_decode::{Number, Reason, Step};
use wire_protocol::WireError;
use wire_protocol::msgpack::{MAX_DEPTH, Reader, Token};
use wire_protocol::particle::Particle;
use wire_protocol::particle::particle_type::{ERLANG_BLOB, JAVA_BLOB};

use crate::error::Misfit;

/// A value, borrowed from a message.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Nil,
    Number(Number),
    Str(&'a [u8]),
    Blob(&'a [u8]),
    GeoJson(&'a [u8]),
    Hll(&'a [u8]),
    List(Items<'a>),
    Map(Items<'a>),
    /// A value of a type that no column takes.
    Other(&'static str),
}

impl<'a> Value<'a> {
    /// The value of a bin.
    ///
    /// # Errors
    /// Bytes that are no value of their type; of a list or map only the header is read.
    #[inline]
    pub(crate) fn of_particle(kind: u8, bytes: &'a [u8]) -> Result<Self, WireError> {
        Ok(match Particle::parse(kind, bytes)? {
            Particle::Nil => Self::Nil,
            Particle::Int(value) => Self::Number(Number::Int(value)),
            Particle::Float(value) => Self::Number(Number::Float(value)),
            Particle::Bool(value) => Self::Number(Number::Bool(value)),
            Particle::Str(bytes) => Self::Str(bytes),
            Particle::Blob(bytes) => Self::Blob(bytes),
            Particle::GeoJson(bytes) => Self::GeoJson(bytes),
            Particle::Hll(bytes) => Self::Hll(bytes),
            Particle::Other { particle_type: JAVA_BLOB..=ERLANG_BLOB, bytes } => Self::Blob(bytes),
            Particle::List(bytes) => match Self::of_token(&mut Reader::new(bytes), MAX_DEPTH, true)? {
                list @ Self::List(_) => list,
                _ => return Err(NOT_ITS_TYPE),
            },
            Particle::Map(bytes) => match Self::of_token(&mut Reader::new(bytes), MAX_DEPTH, true)? {
                map @ Self::Map(_) => map,
                _ => return Err(NOT_ITS_TYPE),
            },
            other @ Particle::Other { .. } => Self::Other(other.type_name()),
        })
    }

    /// The next value of `reader`, which is behind it afterwards. Its lists and maps nest at most `depth` levels deep.
    ///
    /// # Errors
    /// A malformed value.
    #[inline]
    pub(crate) fn next(reader: &mut Reader<'a>, depth: usize) -> Result<Self, WireError> {
        Self::of_token(reader, depth, false)
    }

    /// The next value. If `is_last`, nothing follows it, and the elements of a list are not walked to find its end.
    #[inline]
    fn of_token(reader: &mut Reader<'a>, depth: usize, is_last: bool) -> Result<Self, WireError> {
        let start = reader.clone();
        Ok(match reader.token()? {
            Token::Nil => Self::Nil,
            Token::Bool(value) => Self::Number(Number::Bool(value)),
            Token::Int(value) => Self::Number(Number::Int(value)),
            Token::Uint(value) => Self::Number(Number::Uint(value)),
            Token::Float(value) => Self::Number(Number::Float(value)),
            Token::Str(bytes) => Self::Str(bytes),
            Token::Blob(bytes) => Self::Blob(bytes),
            Token::GeoJson(bytes) => Self::GeoJson(bytes),
            Token::List { len } => Self::List(Items::behind(reader, start, len, depth, (false, is_last))?),
            Token::Map { len } => Self::Map(Items::behind(reader, start, len, depth, (true, is_last))?),
            _ => Self::Other("unknown"),
        })
    }

    /// The type's name, the same for bins and inside lists.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Number(Number::Int(_) | Number::Uint(_)) => "integer",
            Self::Number(Number::Float(_)) => "float",
            Self::Number(Number::Bool(_)) => "bool",
            Self::Str(_) => "string",
            Self::Blob(_) => "blob",
            Self::GeoJson(_) => "GeoJSON",
            Self::Hll(_) => "HLL",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Other(name) => name,
        }
    }

    /// The value that a path leads to from this one; nil if there is none.
    ///
    /// # Errors
    /// A step goes into a value that is neither a map nor a list, or a map has its key twice, or is malformed.
    pub(crate) fn at(self, steps: &[Step]) -> Result<Self, Misfit> {
        let mut value = self;
        for (number, step) in (1..).zip(steps) {
            value = match value {
                Self::Nil => return Ok(Self::Nil),
                Self::Map(items) => items.value_of(step)?,
                Self::List(items) => match step {
                    Step::Int(index) => items.element(*index)?,
                    _ => return Err(no_way(number, step, "list")),
                },
                other => return Err(no_way(number, step, other.type_name())),
            };
        }
        Ok(value)
    }
}

#[cold]
fn no_way(number: usize, step: &Step, found: &'static str) -> Misfit {
    Reason::NoWay { number, step: step.to_string().into(), found }.into()
}

const NOT_ITS_TYPE: WireError = WireError::Malformed { what: "bin", why: "its value is not of its type" };
const TOO_DEEP: WireError =
    WireError::Malformed { what: "msgpack value", why: "its lists and maps nest too deeply" };
const MORE_BYTES: WireError = WireError::Malformed { what: "msgpack value", why: "bytes follow it" };

/// The elements of a list, or the pairs of a map.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a> {
    /// Has the elements, and nothing behind them.
    reader: Reader<'a>,
    len: usize,
    /// How deep their lists and maps may nest.
    depth: usize,
}

impl<'a> Items<'a> {
    /// The items behind a header that was read from `start`.
    fn behind(
        reader: &mut Reader<'a>,
        start: Reader<'a>,
        len: usize,
        depth: usize,
        (is_map, is_last): (bool, bool),
    ) -> Result<Self, WireError> {
        let inner = depth.checked_sub(1).ok_or(TOO_DEEP)?;
        let mut items = reader.clone();
        if !is_last {
            *reader = start;
            reader.skip_within(depth)?;
            let size = items.remaining() - reader.remaining();
            items = Reader::new(items.rest().get(..size).unwrap_or_default());
        }
        // An ordered list starts with an element that says so, an ordered map with a pair.
        let has_order = len > 0 && items.is_at_ext();
        if has_order {
            items.token()?;
            if is_map {
                items.skip_within(inner)?;
            }
        }
        Ok(Self { reader: items, len: len - usize::from(has_order), depth: inner })
    }

    /// The number of elements, or of pairs.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Reads the next element, or a key or value.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Value<'a>, WireError> {
        Value::next(&mut self.reader, self.depth)
    }

    /// The doubles that come next, at most `most`.
    #[inline]
    pub(crate) fn doubles(&mut self, most: usize) -> &'a [[u8; 9]] {
        self.reader.doubles(most)
    }

    /// Checks that nothing follows the last item.
    ///
    /// # Errors
    /// Bytes that belong to no item.
    pub(crate) fn end(&self) -> Result<(), WireError> {
        if self.reader.is_at_end() { Ok(()) } else { Err(MORE_BYTES) }
    }

    fn value_of(mut self, step: &Step) -> Result<Value<'a>, Misfit> {
        let mut found = None;
        for _ in 0..self.len {
            let key = self.next()?;
            let is_it = match (&key, step) {
                (Value::Str(key), Step::Str(step)) => *key == step.as_bytes(),
                (Value::Blob(key), Step::Blob(step)) => **key == **step,
                (Value::Number(Number::Int(key)), Step::Int(step)) => key == step,
                _ => false,
            };
            if !is_it {
                self.reader.skip_within(self.depth)?;
            } else if found.replace(self.next()?).is_some() {
                return Err(Reason::RepeatedKey { key: step.to_string().into() }.into());
            }
        }
        self.end()?;
        Ok(found.unwrap_or(Value::Nil))
    }

    fn element(mut self, index: i64) -> Result<Value<'a>, Misfit> {
        let place = match usize::try_from(index) {
            Ok(place) => Some(place),
            Err(_) => self.len.checked_add_signed(index as isize),
        };
        let mut found = Value::Nil;
        for at in 0..self.len {
            if Some(at) == place {
                found = self.next()?;
            } else {
                self.reader.skip_within(self.depth)?;
            }
        }
        self.end()?;
        Ok(found)
    }
}
