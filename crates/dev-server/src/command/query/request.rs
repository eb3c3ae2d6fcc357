//! Which records a query asks for.

use wire_protocol::ResultCode;
use wire_protocol::digest::{Digest, partition_id};
use wire_protocol::message::{Message, field_type};
use wire_protocol::query::QueryScope;

use crate::command::request::{MAX_SET_NAME, RequestFields, Search};
use crate::state::node::Node;
use crate::state::store::index::definition::{Definition, Elements, Source, ValueType};
use crate::state::store::index::predicate::Predicate;
use crate::state::store::index::tree::Entry;
use crate::state::store::index::values::Key;
use crate::state::store::namespace::Namespace;
use crate::state::store::record::Record;

/// The longest name of a bin.
const MAX_BIN_NAME: usize = 15;

/// The longest name of an index.
const MAX_INDEX_NAME: usize = 63;

/// Texts and bytes that are looked for are shorter.
const MAX_BYTES: usize = 2048;

/// GeoJSON that is looked for is shorter.
const MAX_GEOJSON: usize = 1024 * 1024;

/// Which records of the namespace a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetFilter {
    All,
    Only(u16),
    /// No records: the set does not exist.
    Nothing,
}

impl SetFilter {
    pub(super) fn of(namespace: &Namespace, set: &[u8]) -> Self {
        match namespace.known_set(set) {
            Some(0) => Self::All,
            Some(number) => Self::Only(number),
            None => Self::Nothing,
        }
    }

    pub(super) fn contains(self, record: &Record) -> bool {
        match self {
            Self::All => true,
            Self::Only(number) => record.set == number,
            Self::Nothing => false,
        }
    }
}

/// The namespace, and the fields that are common to all queries.
pub(super) fn parse<'a>(
    node: &'a Node,
    message: &Message<'a>,
) -> Result<(&'a Namespace, RequestFields<'a>, QueryScope), ResultCode> {
    let fields = RequestFields::of(message.fields());
    let namespace = fields
        .namespace
        .and_then(|name| node.store.namespace(name))
        .ok_or(ResultCode::NAMESPACE_NOT_FOUND)?;
    let scope = QueryScope::parse(message).map_err(|_| ResultCode::PARAMETER)?;
    if fields.set.len() > MAX_SET_NAME {
        return Err(ResultCode::PARAMETER);
    }
    Ok((namespace, fields, scope))
}

/// The identifier of the query.
pub(super) fn task_id(message: &Message<'_>) -> Result<u64, ResultCode> {
    match message.field(field_type::TASK_ID).map(<[u8; 8]>::try_from) {
        None => Ok(0),
        Some(Ok(bytes)) => Ok(u64::from_be_bytes(bytes)),
        Some(Err(_)) => Err(ResultCode::PARAMETER),
    }
}

/// Where a partition continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    Record(Digest),
    Entry(Entry),
}

/// The partitions of a query, each with the record or entry after which it continues, in the order of their numbers.
pub(super) fn partitions(
    message: &Message<'_>,
    scope: &QueryScope,
    kind: Option<ValueType>,
) -> Result<Vec<(u16, Option<Resume>)>, ResultCode> {
    let mut partitions: Vec<_> = scope.partitions.iter().map(|&partition| (partition, None)).collect();
    let number = |digest: &Digest| partition_id(digest) as u16;
    let values = message.field(field_type::INDEX_VALUES);
    match (kind, values) {
        (_, Some(_)) if scope.after.is_empty() => return Err(ResultCode::PARAMETER),
        (Some(_), None) if !scope.after.is_empty() => return Err(ResultCode::PARAMETER),
        (Some(kind), Some(values)) => {
            let (values, []) = values.as_chunks::<8>() else { return Err(ResultCode::PARAMETER) };
            if values.len() != scope.after.len() {
                return Err(ResultCode::PARAMETER);
            }
            partitions.extend(scope.after.iter().zip(values).map(|(digest, value)| {
                let key = Key::of_wire(u64::from_le_bytes(*value), kind);
                (number(digest), Some(Resume::Entry(Entry { key, digest: *digest })))
            }));
        }
        (None, _) | (_, None) => partitions
            .extend(scope.after.iter().map(|digest| (number(digest), Some(Resume::Record(*digest))))),
    }
    partitions.sort_unstable_by_key(|(partition, _)| *partition);
    Ok(partitions)
}

/// What a query looks for in an index, and how it names the index.
#[derive(Debug)]
pub(super) struct IndexRequest<'a> {
    predicate: Predicate,
    elements: Option<Elements>,
    bin: &'a [u8],
    name: Option<&'a [u8]>,
    expression: Option<&'a [u8]>,
    context: Option<&'a [u8]>,
}

impl<'a> IndexRequest<'a> {
    /// Reads the fields about an index; `None` if the query is not about one.
    pub(super) fn parse(message: &Message<'a>) -> Result<Option<Self>, ResultCode> {
        const INVALID: ResultCode = ResultCode::PARAMETER;
        let name = message.field(field_type::INDEX_NAME);
        let Some(range) = message.field(field_type::INDEX_RANGE) else {
            // Like the server, ignore the name of an index if nothing is looked for.
            let is_valid = name.is_none_or(|name| (1..=MAX_INDEX_NAME).contains(&name.len()));
            return if is_valid { Ok(None) } else { Err(INVALID) };
        };
        let expression = message.field(field_type::INDEX_EXPRESSION);
        let context = message.field(field_type::INDEX_CONTEXT);
        let (&[count, bin_size], rest) = range.split_first_chunk().ok_or(INVALID)?;
        let (bin, rest) = rest.split_at_checked(bin_size.into()).ok_or(INVALID)?;
        let (&kind, rest) = rest.split_first().ok_or(INVALID)?;
        let is_named = name.is_some() || expression.is_some();
        let is_empty = |field: Option<&[u8]>| field.is_some_and(<[u8]>::is_empty);
        if count != 1
            || bin.is_empty() != is_named
            || bin.len() > MAX_BIN_NAME
            || name.is_some() && expression.is_some()
            || context.is_some() && is_named
            || is_empty(expression)
            || is_empty(name)
            || name.is_some_and(|name| name.len() > MAX_INDEX_NAME)
            || context.is_some_and(|context| !record_ops::collection::is_context(context))
        {
            return Err(INVALID);
        }
        let predicate = parse_predicate(kind, rest).ok_or(INVALID)?;
        let elements = match message.field(field_type::INDEX_TYPE) {
            None => Some(Elements::Whole),
            Some(code) => Elements::from_code(*code.first().ok_or(INVALID)?),
        };
        Ok(Some(Self { predicate, elements, bin, name, expression, context }))
    }

    /// Finds the index.
    pub(super) fn find(self, namespace: &Namespace, set: SetFilter) -> Result<Search, ResultCode> {
        let found = match self.name {
            Some(name) => namespace.indexes.by_name(name),
            None => self.elements.and_then(|elements| {
                let source = match self.expression {
                    Some(bytes) => Source::Expression(bytes.into()),
                    None => Source::Bin(self.bin.into()),
                };
                let set = match set {
                    SetFilter::Only(number) => Some(number),
                    SetFilter::All | SetFilter::Nothing => None,
                };
                namespace.indexes.by_definition(&Definition {
                    set,
                    source,
                    context: self.context.map(Box::from),
                    elements,
                    kind: self.predicate.kind(),
                })
            }),
        };
        let found = found.ok_or(ResultCode::INDEX_NOT_FOUND)?;
        if !found.index.is_ready() {
            return Err(ResultCode::INDEX_NOT_READABLE);
        }
        Ok(Search { index: found.index, name: found.name, predicate: self.predicate })
    }
}

/// Reads the values that are looked for: each with its length in front.
fn parse_predicate(kind: u8, bytes: &[u8]) -> Option<Predicate> {
    let (first, rest) = sized(bytes)?;
    match ValueType::from_particle_type(kind)? {
        ValueType::Numeric => {
            let (last, _) = sized(rest)?;
            let number = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_be_bytes);
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Predicate::Range(first, last))
        }
        // The second value is the same, and is ignored.
        ValueType::String => (first.len() < MAX_BYTES).then(|| Predicate::Text(first.into())),
        ValueType::Blob => (first.len() < MAX_BYTES).then(|| Predicate::Blob(first.into())),
        ValueType::Geo if first.len() < MAX_GEOJSON => Predicate::geo(first),
        ValueType::Geo => None,
    }
}

fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*size) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_are_checked() {
        let sized = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
        let range = |first: i64, last: i64| {
            parse_predicate(1, &[sized(&first.to_be_bytes()), sized(&last.to_be_bytes())].concat())
        };
        assert!(matches!(range(-3, 5), Some(Predicate::Range(-3, 5))));
        assert!(range(5, -3).is_none());
        assert!(parse_predicate(1, &sized(&[0; 4])).is_none());
        assert!(parse_predicate(1, &sized(&[0; 8])).is_none());
        assert!(matches!(parse_predicate(3, &sized(b"abc")), Some(Predicate::Text(_))));
        assert!(matches!(parse_predicate(4, &sized(b"abc")), Some(Predicate::Blob(_))));
        assert!(parse_predicate(3, &sized(&[b'x'; MAX_BYTES])).is_none());
        assert!(parse_predicate(2, &sized(b"abc")).is_none());
        assert!(parse_predicate(23, &sized(b"abc")).is_none());
        assert!(parse_predicate(23, &sized(br#"{"type":"Point","coordinates":[1,2]}"#)).is_some());
        assert!(parse_predicate(3, &[0, 0, 0, 9, b'x']).is_none());
        assert!(parse_predicate(3, &[0]).is_none());
    }
}
