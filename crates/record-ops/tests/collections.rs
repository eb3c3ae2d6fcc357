//! Random operations on random lists and maps, against a model that is slow and obvious: values as trees, selections
//! by definition.

use proptest::prelude::*;
use record_ops::collection::{modify, read};
use record_ops::value::{ListOrder, MapOrder, compare_values};
use record_ops::{Applied, Bin, BinView, Change, OpError, Value};
use wire_protocol::ResultCode;
use wire_protocol::collection::{list_command as lc, map_command as mc, return_type as t};
use wire_protocol::particle::particle_type;

fn equal(a: &Value, b: &Value) -> bool {
    compare_values(a, b).is_eq()
}

fn sort(values: &mut [Value]) {
    values.sort_by(compare_values);
}

fn list(items: &[Value]) -> Value {
    Value::List(ListOrder::Unordered, items.to_vec())
}

/// An operation: its command and its arguments.
fn encode(command: u8, arguments: &[Value]) -> Vec<u8> {
    list(&[&[Value::Int(command.into())], arguments].concat()).to_bytes()
}

/// A list or map.
#[derive(Clone, Debug)]
enum Model {
    List { is_ordered: bool, items: Vec<Value> },
    Map { order: MapOrder, pairs: Vec<(Value, Value)> },
}

/// What an operation selects.
#[derive(Clone, Debug)]
enum Selector {
    Index(i64, i64),
    Rank(i64, i64),
    Value(Value),
    Values(Value, Option<Value>),
    ValueList(Vec<Value>),
    Key(Value),
    Keys(Value, Option<Value>),
    KeyList(Vec<Value>),
    RelativeIndex(Value, i64, i64),
    RelativeRank(Value, i64, i64),
}

/// The positions from `index` on, which counts from the end if it is negative.
fn span(index: i64, count: i64, len: usize) -> Vec<usize> {
    let len = len as i64;
    let start = if index < 0 { index + len } else { index };
    (0..len).filter(|&at| at >= start && at < start + count).map(|at| at as usize).collect()
}

impl Model {
    fn bin(&self) -> Bin {
        let value = match self {
            Self::List { is_ordered, items } => {
                let order = if *is_ordered { ListOrder::Ordered } else { ListOrder::Unordered };
                Value::List(order, items.clone())
            }
            Self::Map { order, pairs } => Value::Map(*order, pairs.clone()),
        };
        value.to_bin()
    }

    fn len(&self) -> usize {
        self.values().len()
    }

    fn is_map(&self) -> bool {
        matches!(self, Self::Map { .. })
    }

    fn values(&self) -> Vec<Value> {
        match self {
            Self::List { items, .. } => items.clone(),
            Self::Map { pairs, .. } => pairs.iter().map(|(_, value)| value.clone()).collect(),
        }
    }

    fn keys(&self) -> Vec<Value> {
        match self {
            Self::List { .. } => Vec::new(),
            Self::Map { pairs, .. } => pairs.iter().map(|(key, _)| key.clone()).collect(),
        }
    }

    /// The positions in the order of the values, equal ones in their order.
    fn by_rank(&self) -> Vec<usize> {
        let values = self.values();
        let mut positions: Vec<usize> = (0..values.len()).collect();
        positions.sort_by(|&a, &b| compare_values(&values[a], &values[b]));
        positions
    }

    fn selected(&self, selector: &Selector) -> Vec<usize> {
        let (values, keys, order) = (self.values(), self.keys(), self.by_rank());
        let all = 0..values.len();
        let is_inside = |value: &Value, start: &Value, end: &Option<Value>| {
            compare_values(value, start).is_ge()
                && end.as_ref().is_none_or(|end| compare_values(value, end).is_lt())
        };
        let less = |of: &[Value], than: &Value| {
            of.iter().filter(|value| compare_values(value, than).is_lt()).count() as i64
        };
        let run = |start: i64, count: i64| {
            (0..values.len()).filter(move |&at| (start..start + count).contains(&(at as i64)))
        };
        let mut found: Vec<usize> = match selector {
            Selector::Index(index, count) => span(*index, *count, values.len()),
            Selector::Rank(rank, count) => {
                span(*rank, *count, values.len()).into_iter().map(|rank| order[rank]).collect()
            }
            Selector::Value(value) => all.filter(|&at| equal(&values[at], value)).collect(),
            Selector::Values(start, end) => all.filter(|&at| is_inside(&values[at], start, end)).collect(),
            Selector::ValueList(of) => {
                all.filter(|&at| of.iter().any(|value| equal(&values[at], value))).collect()
            }
            Selector::Key(key) => all.filter(|&at| equal(&keys[at], key)).collect(),
            Selector::Keys(start, end) => all.filter(|&at| is_inside(&keys[at], start, end)).collect(),
            Selector::KeyList(of) => all.filter(|&at| of.iter().any(|key| equal(&keys[at], key))).collect(),
            Selector::RelativeIndex(key, index, count) => run(less(&keys, key) + index, *count).collect(),
            Selector::RelativeRank(value, rank, count) => {
                run(less(&values, value) + rank, *count).map(|rank| order[rank]).collect()
            }
        };
        found.sort_unstable();
        found
    }

    /// The model without these positions.
    fn without(&self, positions: &[usize]) -> Self {
        let kept = (0..self.len()).filter(|at| !positions.contains(at));
        match self {
            Self::List { is_ordered, items } => {
                Self::List { is_ordered: *is_ordered, items: kept.map(|at| items[at].clone()).collect() }
            }
            Self::Map { order, pairs } => {
                Self::Map { order: *order, pairs: kept.map(|at| pairs[at].clone()).collect() }
            }
        }
    }

    /// The numbers, values or keys of positions, sorted.
    fn shown(&self, kind: i64, positions: &[usize]) -> Vec<Value> {
        let (values, keys, order) = (self.values(), self.keys(), self.by_rank());
        let rank = |at: usize| order.iter().position(|&other| other == at).unwrap() as i64;
        let last = self.len() as i64 - 1;
        let show = |&at: &usize| match kind {
            t::INDEX => Value::Int(at as i64),
            t::REVERSE_INDEX => Value::Int(last - at as i64),
            t::RANK => Value::Int(rank(at)),
            t::REVERSE_RANK => Value::Int(last - rank(at)),
            t::KEY => keys[at].clone(),
            _ => values[at].clone(),
        };
        let mut shown: Vec<Value> = positions.iter().map(show).collect();
        sort(&mut shown);
        shown
    }
}

/// The command that reads and the one that removes what is selected, and the arguments after the return type.
fn commands(is_map: bool, selector: &Selector) -> Option<(u8, u8, Vec<Value>)> {
    let range =
        |start: &Value, end: &Option<Value>| [vec![start.clone()], end.iter().cloned().collect()].concat();
    let ints = |a: &i64, b: &i64| vec![Value::Int(*a), Value::Int(*b)];
    let (for_maps, for_lists, arguments) = match selector {
        Selector::Index(a, b) => (
            (mc::GET_BY_INDEX_RANGE, mc::REMOVE_BY_INDEX_RANGE),
            Some((lc::GET_BY_INDEX_RANGE, lc::REMOVE_BY_INDEX_RANGE)),
            ints(a, b),
        ),
        Selector::Rank(a, b) => (
            (mc::GET_BY_RANK_RANGE, mc::REMOVE_BY_RANK_RANGE),
            Some((lc::GET_BY_RANK_RANGE, lc::REMOVE_BY_RANK_RANGE)),
            ints(a, b),
        ),
        Selector::Value(value) => (
            (mc::GET_BY_VALUE, mc::REMOVE_BY_VALUE),
            Some((lc::GET_BY_VALUE, lc::REMOVE_BY_VALUE)),
            vec![value.clone()],
        ),
        Selector::Values(start, end) => (
            (mc::GET_BY_VALUE_RANGE, mc::REMOVE_BY_VALUE_RANGE),
            Some((lc::GET_BY_VALUE_RANGE, lc::REMOVE_BY_VALUE_RANGE)),
            range(start, end),
        ),
        Selector::ValueList(of) => (
            (mc::GET_BY_VALUE_LIST, mc::REMOVE_BY_VALUE_LIST),
            Some((lc::GET_BY_VALUE_LIST, lc::REMOVE_BY_VALUE_LIST)),
            vec![list(of)],
        ),
        Selector::Key(key) => ((mc::GET_BY_KEY, mc::REMOVE_BY_KEY), None, vec![key.clone()]),
        Selector::Keys(start, end) => {
            ((mc::GET_BY_KEY_RANGE, mc::REMOVE_BY_KEY_RANGE), None, range(start, end))
        }
        Selector::KeyList(of) => ((mc::GET_BY_KEY_LIST, mc::REMOVE_BY_KEY_LIST), None, vec![list(of)]),
        Selector::RelativeIndex(key, a, b) => (
            (mc::GET_BY_KEY_REL_INDEX_RANGE, mc::REMOVE_BY_KEY_REL_INDEX_RANGE),
            None,
            [vec![key.clone()], ints(a, b)].concat(),
        ),
        Selector::RelativeRank(value, a, b) => (
            (mc::GET_BY_VALUE_REL_RANK_RANGE, mc::REMOVE_BY_VALUE_REL_RANK_RANGE),
            Some((lc::GET_BY_VALUE_REL_RANK_RANGE, lc::REMOVE_BY_VALUE_REL_RANK_RANGE)),
            [vec![value.clone()], ints(a, b)].concat(),
        ),
    };
    let (get, remove) = if is_map { for_maps } else { for_lists? };
    Some((get, remove, arguments))
}

fn text() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["a", "b", "c"]).prop_map(|text| Value::Str(text.into()))
}

fn scalar() -> impl Strategy<Value = Value> {
    let others = vec![
        Value::Nil,
        Value::Bool(false),
        Value::Bool(true),
        Value::Float(1.5),
        Value::Blob(vec![1]),
        Value::Int(i64::MIN),
        Value::Uint(u64::MAX),
    ];
    prop_oneof![4 => (-2i64..4).prop_map(Value::Int), 2 => text(), 1 => prop::sample::select(others)]
}

fn key() -> impl Strategy<Value = Value> {
    prop_oneof![(0i64..6).prop_map(Value::Int), text()]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(|items| list(&items)),
        1 => pairs(3).prop_map(|pairs| Value::Map(MapOrder::Unordered, pairs)),
    ]
}

/// Pairs with distinct keys, sorted.
fn pairs(most: usize) -> impl Strategy<Value = Vec<(Value, Value)>> {
    prop::collection::vec((key(), scalar()), 0..most).prop_map(|mut pairs| {
        pairs.sort_by(|a, b| compare_values(&a.0, &b.0));
        pairs.dedup_by(|a, b| equal(&a.0, &b.0));
        pairs
    })
}

fn model() -> impl Strategy<Value = Model> {
    let lists = (any::<bool>(), prop::collection::vec(value(), 0..9)).prop_map(|(is_ordered, mut items)| {
        if is_ordered {
            sort(&mut items);
        }
        Model::List { is_ordered, items }
    });
    let order = prop::sample::select(vec![MapOrder::Unordered, MapOrder::Key, MapOrder::KeyValue]);
    let maps = (order, pairs(9)).prop_map(|(order, pairs)| Model::Map { order, pairs });
    prop_oneof![lists, maps]
}

fn selector() -> impl Strategy<Value = Selector> {
    let run = || (-11i64..11, 0i64..11);
    prop_oneof![
        run().prop_map(|(index, count)| Selector::Index(index, count)),
        run().prop_map(|(rank, count)| Selector::Rank(rank, count)),
        value().prop_map(Selector::Value),
        (value(), prop::option::of(value())).prop_map(|(start, end)| Selector::Values(start, end)),
        prop::collection::vec(value(), 0..5).prop_map(Selector::ValueList),
        key().prop_map(Selector::Key),
        (key(), prop::option::of(key())).prop_map(|(start, end)| Selector::Keys(start, end)),
        prop::collection::vec(key(), 0..5).prop_map(Selector::KeyList),
        (key(), run()).prop_map(|(key, (index, count))| Selector::RelativeIndex(key, index, count)),
        (value(), run()).prop_map(|(value, (rank, count))| Selector::RelativeRank(value, rank, count)),
    ]
}

/// The values of a result that is a list, sorted; keys and values of one that is a map.
fn elements(result: Option<Bin>) -> Vec<Value> {
    match Value::of_bin(result.expect("a result").view()).unwrap() {
        Value::List(_, mut items) => {
            sort(&mut items);
            items
        }
        Value::Map(_, pairs) => pairs.into_iter().flat_map(|(key, value)| [key, value]).collect(),
        other => vec![other],
    }
}

fn after(bin: &Bin, change: Change) -> Bin {
    match change {
        Change::Keep => bin.clone(),
        Change::Set(bin) => bin,
        Change::Remove => unreachable!("no operation removes a bin"),
    }
}

const MAP_KINDS: [i64; 2] = [t::UNORDERED_MAP, t::ORDERED_MAP];
const RANK_KINDS: [i64; 2] = [t::RANK, t::REVERSE_RANK];

/// Whether a heap decides which of several equal elements is selected.
fn has_ties(model: &Model, selector: &Selector) -> bool {
    matches!(model, Model::List { is_ordered: false, .. })
        && matches!(selector, Selector::Rank(..) | Selector::RelativeRank(..))
}

/// Whether the return type says the same of a selection as its definition. Lists have no keys, and their ranks count
/// only lower elements; the ranks of an interval or a list of values are runs of numbers.
fn is_defined(kind: i64, model: &Model, selector: &Selector) -> bool {
    if has_ties(model, selector) && matches!(kind, t::INDEX | t::REVERSE_INDEX) {
        return false;
    }
    let by_values = matches!(selector, Selector::Values(..) | Selector::ValueList(_) | Selector::KeyList(_));
    let is_rank = RANK_KINDS.contains(&kind);
    let needs_map = is_rank || kind == t::KEY || MAP_KINDS.contains(&kind);
    (model.is_map() || !needs_map) && !(is_rank && by_values)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is selected is read and removed, with every return type.
    #[test]
    fn selections_are_those_of_the_definition(
        model in model(),
        selector in selector(),
        is_inverted in any::<bool>(),
    ) {
        let Some((get, remove, arguments)) = commands(model.is_map(), &selector) else { return Ok(()) };
        let is_single = matches!(selector, Selector::Key(_));
        let is_inverted = is_inverted && !is_single;
        let bin = model.bin();
        let mut selected = model.selected(&selector);
        if is_inverted {
            selected = (0..model.len()).filter(|at| !selected.contains(at)).collect();
        }
        let plain = [t::NONE, t::COUNT, t::INDEX, t::REVERSE_INDEX, t::VALUE, t::KEY];
        for kind in [&plain[..], &MAP_KINDS, &RANK_KINDS].concat() {
            if !is_defined(kind, &model, &selector) {
                continue;
            }
            let flags = Value::Int(kind | if is_inverted { t::INVERTED } else { 0 });
            let arguments = [vec![flags], arguments.clone()].concat();
            let result = read(bin.view(), &encode(get, &arguments)).unwrap();
            let removed = modify(Some(bin.view()), &encode(remove, &arguments)).unwrap();
            prop_assert_eq!(&removed.result, &result, "reading and removing");
            let (left, expected) = (after(&bin, removed.change), model.without(&selected).bin());
            if has_ties(&model, &selector) {
                prop_assert_eq!(elements(Some(left)), elements(Some(expected)));
            } else {
                prop_assert_eq!(left, expected);
            }
            match kind {
                t::NONE => prop_assert_eq!(result, None),
                t::COUNT => prop_assert_eq!(result, Some(Bin::int(selected.len() as i64))),
                t::UNORDERED_MAP | t::ORDERED_MAP => {
                    let shown = elements(result);
                    prop_assert_eq!(shown.len(), 2 * selected.len());
                    let (keys, values) = (model.keys(), model.values());
                    for pair in shown.chunks(2) {
                        let is_pair = |&at: &usize| equal(&keys[at], &pair[0]) && equal(&values[at], &pair[1]);
                        prop_assert!(selected.iter().any(is_pair));
                    }
                    let is_sorted = shown.chunks(2).is_sorted_by(|a, b| compare_values(&a[0], &b[0]).is_lt());
                    prop_assert!(is_sorted || kind == t::UNORDERED_MAP);
                }
                _ if is_single && selected.is_empty() => {
                    let has_number = kind != t::KEY && kind != t::VALUE;
                    prop_assert_eq!(result, has_number.then(|| Bin::int(-1)));
                }
                _ if is_single => {
                    let shown = model.shown(kind, &selected).remove(0);
                    prop_assert_eq!(result, (shown != Value::Nil).then(|| shown.to_bin()));
                }
                _ => {
                    let mut shown = elements(result);
                    let mut expected = model.shown(kind, &selected);
                    if matches!(selector, Selector::ValueList(_) | Selector::KeyList(_)) {
                        // A value that is named twice finds its elements twice.
                        shown.dedup_by(|a, b| equal(a, b));
                        expected.dedup_by(|a, b| equal(a, b));
                    }
                    prop_assert_eq!(shown, expected, "return type {}", kind);
                }
            }
        }
    }

    /// Elements are added where they belong, or refused as the flags say.
    #[test]
    fn elements_are_added_where_they_belong(
        model in model(),
        key in key(),
        value in value(),
        index in -11i64..11,
        flags in 0i64..16,
    ) {
        let bin = model.bin();
        let (unique, bounded, no_fail) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
        let mut expected = model.clone();
        let (operation, refused) = match &mut expected {
            Model::List { is_ordered: true, items } => {
                let refused = unique && items.iter().any(|item| equal(item, &value));
                if !refused {
                    items.push(value.clone());
                    sort(items);
                }
                let arguments = [value, Value::Int(1), Value::Int(flags)];
                (encode(lc::APPEND, &arguments), refused.then_some(ResultCode::ELEMENT_EXISTS))
            }
            Model::List { is_ordered: false, items } => {
                let operation = encode(lc::INSERT, &[Value::Int(index), value.clone(), Value::Int(flags)]);
                let from_start = if index < 0 { index + items.len() as i64 } else { index };
                let Ok(at) = usize::try_from(from_start) else {
                    // Fails whatever the flags say.
                    let refused = modify(Some(bin.view()), &operation).map_err(|error| error.code);
                    prop_assert_eq!(refused, Err(ResultCode::OP_NOT_APPLICABLE));
                    return Ok(());
                };
                if at > items.len() && bounded {
                    (operation, Some(ResultCode::OP_NOT_APPLICABLE))
                } else if unique && items.iter().any(|item| equal(item, &value)) {
                    (operation, Some(ResultCode::ELEMENT_EXISTS))
                } else {
                    items.resize(items.len().max(at), Value::Nil);
                    items.insert(at, value);
                    (operation, None)
                }
            }
            Model::Map { order, pairs } => {
                let operation =
                    encode(mc::PUT, &[key.clone(), value.clone(), Value::Int(*order as i64), Value::Int(flags)]);
                match pairs.binary_search_by(|(other, _)| compare_values(other, &key)) {
                    Ok(_) if unique => (operation, Some(ResultCode::ELEMENT_EXISTS)),
                    Err(_) if bounded => (operation, Some(ResultCode::ELEMENT_NOT_FOUND)),
                    Ok(at) => {
                        pairs[at].1 = value;
                        (operation, None)
                    }
                    Err(at) => {
                        pairs.insert(at, (key, value));
                        (operation, None)
                    }
                }
            }
        };
        match (modify(Some(bin.view()), &operation), refused) {
            (Ok(applied), None) => {
                prop_assert_eq!(after(&bin, applied.change), expected.bin());
                prop_assert_eq!(applied.result, Some(Bin::int(expected.len() as i64)));
            }
            (Ok(applied), Some(_)) => {
                prop_assert!(no_fail);
                prop_assert_eq!(after(&bin, applied.change), bin);
                prop_assert_eq!(applied.result, Some(Bin::int(model.len() as i64)));
            }
            (Err(error), refused) => prop_assert_eq!((Some(error.code), no_fail), (refused, false)),
        }
    }

    /// A context applies an operation to the element that it leads to, and keeps ordered lists ordered.
    #[test]
    fn contexts_change_one_element(
        outer in model(),
        at in any::<prop::sample::Index>(),
        value in scalar(),
        added in scalar(),
    ) {
        if outer.len() == 0 {
            return Ok(());
        }
        let at = at.index(outer.len());
        let inner = list(std::slice::from_ref(&value));
        let changed = list(&[value, added.clone()]);
        let with = |element: &Value| {
            let mut model = outer.clone();
            match &mut model {
                Model::List { items, .. } => items[at] = element.clone(),
                Model::Map { pairs, .. } => pairs[at].1 = element.clone(),
            }
            if let Model::List { is_ordered: true, items } = &mut model {
                sort(items);
            }
            model
        };
        let before = with(&inner);
        let step = match &before {
            // An equal list may be there already: either of them may change.
            Model::List { items, .. } => {
                [Value::Int(0x10), Value::Int(items.iter().position(|item| *item == inner).unwrap() as i64)]
            }
            Model::Map { pairs, .. } => [Value::Int(0x22), pairs[at].0.clone()],
        };
        let mut expected = with(&changed);
        if let (Model::List { is_ordered: false, items }, Model::List { items: old, .. }) = (&mut expected, &before) {
            *items = old.clone();
            items[old.iter().position(|item| *item == inner).unwrap()] = changed;
        }
        let append = Value::parse(&encode(lc::APPEND, &[added])).unwrap();
        let operation = list(&[Value::Int(0xff), list(&step), append]).to_bytes();
        let bin = before.bin();
        let applied = modify(Some(bin.view()), &operation).unwrap();
        prop_assert_eq!(applied.result, Some(Bin::int(2)));
        prop_assert_eq!(after(&bin, applied.change), expected.bin());
    }

    /// Whatever a client sends, and whatever is stored: an answer, no panic.
    #[test]
    fn any_bytes_are_answered(
        bin in prop::collection::vec(any::<u8>(), 0..40),
        operation in prop::collection::vec(any::<u8>(), 0..40),
        is_map in any::<bool>(),
    ) {
        let particle_type = if is_map { particle_type::MAP } else { particle_type::LIST };
        let view = BinView { particle_type, bytes: &bin };
        let _ = read(view, &operation);
        let _ = modify(Some(view), &operation);
        let _ = modify(None, &operation);
    }

    /// The same for operations that are almost valid. What they store is valid.
    #[test]
    fn damaged_operations_are_answered(
        model in model(),
        selector in selector(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let Some((get, remove, arguments)) = commands(model.is_map(), &selector) else { return Ok(()) };
        let arguments = [vec![Value::Int(t::VALUE)], arguments].concat();
        for command in [get, remove] {
            let mut operation = encode(command, &arguments);
            for (at, byte) in &damage {
                let at = at.index(operation.len());
                operation[at] = *byte;
            }
            let bin = model.bin();
            let _ = read(bin.view(), &operation);
            if let Ok(applied) = modify(Some(bin.view()), &operation) {
                prop_assert!(Value::parse(&after(&bin, applied.change).bytes).is_ok());
            }
        }
    }
}

#[test]
fn sizes_and_depths_are_bounded() {
    let code = |result: Result<Applied, OpError>| result.map(|_| ()).map_err(|error| error.code);
    // An index far beyond the end.
    for index in [i64::from(i32::MAX), 20_000_000] {
        let far = encode(lc::INSERT, &[Value::Int(index), Value::Int(1)]);
        assert_eq!(code(modify(None, &far)), Err(ResultCode::RECORD_TOO_BIG));
    }
    // A context that would nest a thousand lists.
    let steps = vec![[Value::Int(0x10 | 0x40), Value::Int(0)]; 1000].concat();
    let append = Value::parse(&encode(lc::APPEND, &[Value::Int(1)])).unwrap();
    let deep = list(&[Value::Int(0xff), list(&steps), append]).to_bytes();
    assert_eq!(code(modify(None, &deep)), Err(ResultCode::OP_NOT_APPLICABLE));
    // A result that is far larger than the list: each of the wildcards finds every element.
    let wildcards = list(&vec![Value::Wildcard; 10_000]);
    let bin = Value::List(ListOrder::Ordered, (0..10_000).map(Value::Int).collect()).to_bin();
    let all = encode(lc::GET_BY_VALUE_LIST, &[Value::Int(t::VALUE), wildcards]);
    assert_eq!(read(bin.view(), &all).map_err(|error| error.code), Err(ResultCode::RECORD_TOO_BIG));
}
