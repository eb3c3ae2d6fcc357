//! Contexts: the way from a bin to a list or map inside it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::context_type as t;
use crate::error::WireError;
use crate::msgpack::{self, Reader, Token};
use crate::value::{ListOrder, MapOrder, Value, WriteValue};

/// The way from a bin to a list, map or other value inside it: one step per level.
///
/// ```
/// use wire_protocol::operation::Context;
///
/// // The last element of the list with the key "scores" of a map.
/// let context = Context::new().map_key("scores").list_index(-1);
/// assert_eq!(context.to_base64(), "lCKnA3Njb3JlcxD/");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Types and encoded arguments.
    steps: Vec<(i64, Vec<u8>)>,
}

impl Context {
    /// A context without steps: the bin itself.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// To the element of a list at an index; negative ones count from the end.
    #[must_use]
    pub fn list_index(self, index: i64) -> Self {
        self.step(t::LIST_INDEX, &index)
    }

    /// To the element of a list at an index, which is created as a list if it is missing. With `pad`, an index beyond
    /// the end fills the positions before it with nil.
    #[must_use]
    pub fn list_index_create(self, index: i64, order: ListOrder, pad: bool) -> Self {
        self.step(t::LIST_INDEX | create_list(order, pad), &index)
    }

    /// To the element of a list with a rank; 0 is the least value, -1 the greatest.
    #[must_use]
    pub fn list_rank(self, rank: i64) -> Self {
        self.step(t::LIST_RANK, &rank)
    }

    /// To the first element of a list that is equal to a value.
    #[must_use]
    pub fn list_value(self, value: impl Into<Value>) -> Self {
        self.step(t::LIST_VALUE, &value.into())
    }

    /// To the value of a map at an index, in the order of its keys.
    #[must_use]
    pub fn map_index(self, index: i64) -> Self {
        self.step(t::MAP_INDEX, &index)
    }

    /// To the value of a map with a rank; 0 is the least value, -1 the greatest.
    #[must_use]
    pub fn map_rank(self, rank: i64) -> Self {
        self.step(t::MAP_RANK, &rank)
    }

    /// To the value of a key of a map.
    #[must_use]
    pub fn map_key(self, key: impl Into<Value>) -> Self {
        self.step(t::MAP_KEY, &key.into())
    }

    /// To the value of a key of a map, which is created as a map if it is missing.
    #[must_use]
    pub fn map_key_create(self, key: impl Into<Value>, order: MapOrder) -> Self {
        self.step(t::MAP_KEY | create_map(order), &key.into())
    }

    /// To the first value of a map that is equal to a value.
    #[must_use]
    pub fn map_value(self, value: impl Into<Value>) -> Self {
        self.step(t::MAP_VALUE, &value.into())
    }

    /// To the values of several keys of a map. Only for [paths](crate::collection::path).
    #[must_use]
    pub fn map_keys_in<V: Into<Value>>(self, keys: impl IntoIterator<Item = V>) -> Self {
        self.step(t::MAP_KEYS_IN, &Value::list(keys))
    }

    /// To all elements of a list, or all values of a map. Only for [paths](crate::collection::path).
    #[must_use]
    pub fn all_children(self) -> Self {
        self.step(t::EXPRESSION, &true)
    }

    /// A step of a type of [`context_type`](super::context_type).
    #[must_use]
    pub fn step<V: WriteValue + ?Sized>(mut self, step_type: i64, argument: &V) -> Self {
        let mut bytes = Vec::new();
        argument.write_value(&mut bytes);
        self.steps.push((step_type, bytes));
        self
    }

    /// Whether there are no steps.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// The type of the first step.
    pub(crate) fn first_type(&self) -> Option<i64> {
        self.steps.first().map(|(step_type, _)| *step_type)
    }

    /// The context with bits added to the type of the last step.
    #[must_use]
    pub(crate) fn with_last(mut self, bits: i64) -> Self {
        if let Some((step_type, _)) = self.steps.last_mut() {
            *step_type |= bits;
        }
        self
    }

    /// Appends the context: a list of the types and arguments of its steps.
    pub fn write(&self, out: &mut Vec<u8>) {
        msgpack::write_list_header(out, self.steps.len().saturating_mul(2));
        for (step_type, argument) in &self.steps {
            msgpack::write_int(out, *step_type);
            out.extend_from_slice(argument);
        }
    }

    /// The context as [`Context::write`] writes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// The context as base64, as info commands take it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.to_bytes())
    }

    /// Reads a context that [`Context::write`] wrote.
    ///
    /// # Errors
    /// Bytes that are no list of types and arguments; more bytes after it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let malformed = |why| WireError::malformed("context", why);
        let mut reader = Reader::new(bytes);
        let Token::List { len } = reader.token()? else { return Err(malformed("it is not a list")) };
        if len % 2 != 0 {
            return Err(malformed("a step has no argument"));
        }
        let mut steps = Vec::new();
        for _ in 0..len / 2 {
            let Token::Int(step_type) = reader.token()? else {
                return Err(malformed("the type of a step is not an integer"));
            };
            let before = reader.rest();
            reader.skip_value()?;
            steps.push((step_type, before[..before.len() - reader.remaining()].to_vec()));
        }
        if !reader.is_at_end() {
            return Err(malformed("more bytes follow"));
        }
        Ok(Self { steps })
    }

    /// Reads a context from base64.
    ///
    /// # Errors
    /// As [`Context::from_bytes`]; text that is not base64.
    pub fn from_base64(text: &str) -> Result<Self, WireError> {
        let bytes = STANDARD.decode(text).map_err(|_| WireError::malformed("context", "it is not base64"))?;
        Self::from_bytes(&bytes)
    }
}

/// The bits of a step that creates a list.
pub(crate) fn create_list(order: ListOrder, pad: bool) -> i64 {
    match (order, pad) {
        (ListOrder::Ordered, _) => t::CREATE_LIST_ORDERED,
        (ListOrder::Unordered, true) => t::CREATE_LIST_PADDED,
        (ListOrder::Unordered, false) => t::CREATE_LIST,
    }
}

/// The bits of a step that creates a map.
pub(crate) fn create_map(order: MapOrder) -> i64 {
    match order {
        MapOrder::Unordered => t::CREATE_MAP,
        MapOrder::KeyOrdered => t::CREATE_MAP_KEY_ORDERED,
        MapOrder::KeyValueOrdered => t::CREATE_MAP_KEY_VALUE_ORDERED,
    }
}
