//! What to do about a predicate for which a node has no index.

use wire_protocol::ResultCode;
use wire_protocol::query::{IndexedValues, Predicate, PredicateIndex, ValueRange};

use crate::key::Space;

/// What is missing, and what to do about it; `None` for codes that are not about the index.
pub(super) fn index_hint(code: ResultCode, predicate: &Predicate, space: &Space) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let data_type = match predicate.range {
        ValueRange::Integers(..) => "numeric",
        ValueRange::Text(_) => "string",
        ValueRange::Blob(_) => "blob",
        ValueRange::GeoJson(_) => "geo2dsphere",
    };
    let place = match &*space.set {
        [] => format!("all of namespace {:?}", text(&space.namespace)),
        set => format!("set {:?} of namespace {:?}", text(set), text(&space.namespace)),
    };
    let values = match predicate.values {
        IndexedValues::Whole => "",
        IndexedValues::List => "list elements of ",
        IndexedValues::MapKeys => "map keys of ",
        IndexedValues::MapValues => "map values of ",
    };
    let index = match &predicate.index {
        PredicateIndex::Name(name) => {
            format!("index {:?} in namespace {:?}", text(name), text(&space.namespace))
        }
        PredicateIndex::Expression(_) => format!("{data_type} index on {values}this expression, on {place}"),
        PredicateIndex::Bin { bin, context } => {
            let inside = if context.is_empty() { "" } else { ", at this context" };
            format!("{data_type} index on {values}bin {:?}{inside}, on {place}", text(bin))
        }
    };
    match code {
        ResultCode::INDEX_NOT_FOUND => Some(format!("the node has no {index}; create it first")),
        ResultCode::INDEX_NOT_READABLE => {
            Some(format!("the node still builds the {index}; wait until it is complete"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_index() {
        let bin = |context: &[u8]| PredicateIndex::Bin { bin: (*b"n").into(), context: context.into() };
        let predicate = |index, values| Predicate { index, values, range: ValueRange::Integers(1, 2) };
        let hint = |code, predicate: &Predicate| index_hint(code, predicate, &Space::new("test", "s"));
        let missing = ResultCode::INDEX_NOT_FOUND;
        assert_eq!(
            hint(missing, &predicate(bin(b""), IndexedValues::List)).unwrap(),
            "the node has no numeric index on list elements of bin \"n\", on set \"s\" of namespace \"test\"; \
             create it first"
        );
        let named = predicate(PredicateIndex::Name((*b"i").into()), IndexedValues::Whole);
        assert_eq!(
            hint(ResultCode::INDEX_NOT_READABLE, &named).unwrap(),
            "the node still builds the index \"i\" in namespace \"test\"; wait until it is complete"
        );
        assert!(
            hint(missing, &predicate(bin(b"x"), IndexedValues::Whole)).unwrap().contains("at this context")
        );
        assert_eq!(hint(ResultCode::TIMEOUT, &named), None);
    }
}
