//! A model of nested decoding, slow and plain: it decodes the whole value of a bin into a tree, then looks for what each
//! field wants. It shares no code with the decoder, except that it reads msgpack token by token.

use dtype_schema::{Element, Field, Schema};
use record_decode::{Path, Step};
use wire_protocol::msgpack::{self, Reader, Token, write_ext};
use wire_protocol::particle::particle_type as t;

use crate::model::{Item, Type, Value};

/// A value of a bin, or inside one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Nil,
    Bool(bool),
    /// Written in eight bytes if the flag is set, else as short as possible.
    Int(i64, bool),
    Uint(u64),
    Float(f64),
    Str(Vec<u8>),
    Blob(Vec<u8>),
    GeoJson(Vec<u8>),
    /// Something that has no meaning as a value.
    Ext,
    List {
        is_ordered: bool,
        items: Vec<Node>,
    },
    Map {
        /// The ext with which the map starts.
        order: Option<i8>,
        pairs: Vec<(Node, Node)>,
    },
}

impl Node {
    pub(crate) fn text(text: &str) -> Self {
        Self::Str(text.into())
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List { is_ordered: false, items }
    }

    pub(crate) fn map(pairs: Vec<(Self, Self)>) -> Self {
        Self::Map { order: None, pairs }
    }

    /// A map with string keys.
    pub(crate) fn named(pairs: Vec<(&str, Self)>) -> Self {
        Self::map(pairs.into_iter().map(|(key, value)| (Self::text(key), value)).collect())
    }

    /// As msgpack.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Nil => msgpack::write_nil(out),
            Self::Bool(value) => msgpack::write_bool(out, *value),
            Self::Int(value, false) => msgpack::write_int(out, *value),
            Self::Int(value, true) => {
                out.push(0xd3);
                out.extend_from_slice(&value.to_be_bytes());
            }
            Self::Uint(value) => msgpack::write_uint(out, *value),
            Self::Float(value) => msgpack::write_float(out, *value),
            Self::Str(text) => msgpack::write_str(out, text),
            Self::Blob(bytes) => msgpack::write_blob(out, bytes),
            Self::GeoJson(text) => msgpack::write_geojson(out, text),
            Self::Ext => write_ext(out, 0x7f, &[]),
            Self::List { is_ordered, items } => {
                msgpack::write_list_header(out, items.len() + usize::from(*is_ordered));
                if *is_ordered {
                    write_ext(out, 1, &[]);
                }
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map { order, pairs } => {
                msgpack::write_map_header(out, pairs.len() + usize::from(order.is_some()));
                if let Some(kind) = order {
                    write_ext(out, *kind, &[]);
                    msgpack::write_nil(out);
                }
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
        }
    }

    /// As a bin: particle type and bytes.
    pub(crate) fn particle(&self) -> (u8, Vec<u8>) {
        match self {
            Self::List { .. } | Self::Map { .. } => {
                let mut out = Vec::new();
                self.write(&mut out);
                (if matches!(self, Self::Map { .. }) { t::MAP } else { t::LIST }, out)
            }
            Self::Int(value, _) => Value::Int(*value).encode(),
            node => node.value().encode(),
        }
    }

    /// The value that a field is filled from, for the model of fields.
    fn value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value, _) => Value::Int(*value),
            Self::Uint(_) => Value::Nil,
            Self::Float(value) => Value::Float(*value),
            Self::Str(text) => Value::Str(text.clone()),
            Self::Blob(bytes) => Value::Blob(bytes.clone()),
            Self::GeoJson(text) => Value::GeoJson(text.clone()),
            Self::List { items, .. } => Value::List(items.iter().map(Self::item).collect()),
            Self::Map { .. } | Self::Ext => Value::Map,
        }
    }

    fn item(&self) -> Item {
        match self {
            Self::Nil => Item::Nil,
            Self::Bool(value) => Item::Bool(*value),
            Self::Int(value, _) => Item::Int(*value),
            Self::Uint(value) => Item::Uint(*value),
            Self::Float(value) => Item::Float(*value),
            Self::List { items, .. } => Item::List(items.iter().map(Self::item).collect()),
            // No element takes any of the others.
            _ => Item::Str(vec![]),
        }
    }

    /// Reads a whole value; `None` if it is malformed or nests too deeply.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        msgpack::check(bytes).ok()?;
        let mut reader = Reader::new(bytes);
        let node = Self::next(&mut reader);
        assert!(reader.is_at_end());
        Some(node)
    }

    fn next(reader: &mut Reader<'_>) -> Self {
        match reader.token().unwrap() {
            Token::Nil => Self::Nil,
            Token::Bool(value) => Self::Bool(value),
            Token::Int(value) => Self::Int(value, false),
            Token::Uint(value) => Self::Uint(value),
            Token::Float(value) => Self::Float(value),
            Token::Str(text) => Self::Str(text.into()),
            Token::Blob(bytes) => Self::Blob(bytes.into()),
            Token::GeoJson(text) => Self::GeoJson(text.into()),
            Token::List { len } => {
                let mut items: Vec<_> = (0..len).map(|_| Self::next(reader)).collect();
                if items.first() == Some(&Self::Ext) {
                    items.remove(0);
                }
                Self::list(items)
            }
            Token::Map { len } => {
                let mut pairs: Vec<_> = (0..len).map(|_| (Self::next(reader), Self::next(reader))).collect();
                if matches!(pairs.first(), Some((Self::Ext, _))) {
                    pairs.remove(0);
                }
                Self::map(pairs)
            }
            _ => Self::Ext,
        }
    }

    fn is_key(&self, step: &Step) -> bool {
        match (self, step) {
            (Self::Str(text), Step::Str(step)) => text == step.as_bytes(),
            (Self::Blob(bytes), Step::Blob(step)) => **bytes == **step,
            (Self::Int(number, _), Step::Int(step)) => number == step,
            _ => false,
        }
    }
}

/// A failure: of one field, whatever hangs on it.
pub(crate) struct Fails;

/// The value under a key, if there is exactly one.
fn under<'n>(pairs: &'n [(Node, Node)], key: &Step) -> Result<&'n Node, Option<Fails>> {
    let mut found = pairs.iter().filter(|(is, _)| is.is_key(key));
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Ok(value),
        (None, _) => Err(None),
        (Some(_), Some(_)) => Err(Some(Fails)),
    }
}

/// The value at the end of the steps; `Err(None)` if it is missing.
fn follow<'n>(node: &'n Node, steps: &[Step]) -> Result<&'n Node, Option<Fails>> {
    let Some((step, more)) = steps.split_first() else { return Ok(node) };
    let next = match (node, step) {
        (Node::Nil, _) => return Err(None),
        (Node::Map { pairs, .. }, step) => under(pairs, step)?,
        (Node::List { items, .. }, Step::Int(index)) => {
            let at = if *index < 0 { items.len() as i128 + i128::from(*index) } else { i128::from(*index) };
            usize::try_from(at).ok().and_then(|at| items.get(at)).ok_or(None)?
        }
        _ => return Err(Some(Fails)),
    };
    follow(next, more)
}

/// A field of a row or struct.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Leaf(Type),
    Struct(Vec<(String, Shape)>),
}

/// What became of a leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Missing,
    Failed,
    Stored(Vec<u8>, u64),
}

impl Shape {
    /// The field, its parts one after the other with a byte between them.
    pub(crate) fn field(&self, name: &str, offset: usize) -> Field {
        match self {
            Self::Leaf(of) => {
                let element = Element::from_numpy(name, of.kind, of.width, of.order).unwrap();
                Field::new(name, offset, element, &of.shape).unwrap()
            }
            Self::Struct(fields) => {
                let mut end = 1;
                let inner = fields.iter().map(|(name, shape)| {
                    let field = shape.field(name, end);
                    end = field.end() + 1;
                    field
                });
                let inner = inner.collect();
                Field::nested(name, offset, inner, end).unwrap()
            }
        }
    }

    pub(crate) fn leaves(&self) -> Vec<Type> {
        match self {
            Self::Leaf(of) => vec![of.clone()],
            Self::Struct(fields) => fields.iter().flat_map(|(_, shape)| shape.leaves()).collect(),
        }
    }

    /// Fills the field from what was found: appends what became of its leaves, and the names of what failed.
    pub(crate) fn fill(
        &self,
        name: &str,
        found: Result<&Node, Option<Fails>>,
        same_value: bool,
        cells: &mut Vec<Cell>,
        failures: &mut Vec<String>,
    ) {
        let all =
            |cell: Cell, cells: &mut Vec<Cell>| cells.extend(self.leaves().iter().map(|_| cell.clone()));
        match (self, found) {
            (_, Err(None) | Ok(Node::Nil)) => all(Cell::Missing, cells),
            (Self::Leaf(of), Ok(node)) if !matches!(node, Node::Ext) => {
                let stored = match node {
                    Node::Uint(value) if of.shape.is_empty() => of.scalar(&Item::Uint(*value), same_value),
                    Node::Uint(_) => None,
                    node => of.store(&node.value(), same_value),
                };
                match stored {
                    Some((bytes, changed)) => cells.push(Cell::Stored(bytes, changed)),
                    None => {
                        failures.push(name.into());
                        cells.push(Cell::Failed);
                    }
                }
            }
            (Self::Struct(fields), Ok(Node::Map { pairs, .. })) => {
                for (key, shape) in fields {
                    let found = under(pairs, &Step::Str(key.as_str().into()));
                    shape.fill(&format!("{name}.{key}"), found, same_value, cells, failures);
                }
            }
            _ => {
                failures.push(name.into());
                all(Cell::Failed, cells);
            }
        }
    }
}

/// The fields of a row, with their paths.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) fields: Vec<(String, Shape, Option<Path>)>,
}

impl Row {
    pub(crate) fn schema(&self) -> Schema {
        let mut end = 0;
        let fields = self.fields.iter().map(|(name, shape, _)| {
            let field = shape.field(name, end);
            end = field.end() + 1;
            field
        });
        let fields = fields.collect();
        Schema::new(fields, end).unwrap()
    }

    pub(crate) fn paths(&self) -> Vec<(&str, Path)> {
        let paths = self.fields.iter().filter_map(|(name, _, path)| Some((name.as_str(), path.clone()?)));
        paths.collect()
    }

    pub(crate) fn leaves(&self) -> Vec<Type> {
        self.fields.iter().flat_map(|(_, shape, _)| shape.leaves()).collect()
    }

    /// What becomes of the leaves of a record with these bins; a bin without a value is malformed. Also the names of the
    /// fields that fail.
    pub(crate) fn expect(
        &self,
        bins: &[(String, Option<Node>)],
        same_value: bool,
    ) -> (Vec<Cell>, Vec<String>) {
        let (mut cells, mut failures) = (vec![], vec![]);
        for (name, shape, path) in &self.fields {
            let (bin, steps) = match path {
                Some(path) => (&*path.bin, &*path.steps),
                None => (name.as_str(), &[][..]),
            };
            let found = match bins.iter().find(|(is, _)| is == bin) {
                None => Err(None),
                Some((_, None)) => Err(Some(Fails)),
                Some((_, Some(node))) => follow(node, steps),
            };
            shape.fill(name, found, same_value, &mut cells, &mut failures);
        }
        (cells, failures)
    }
}
