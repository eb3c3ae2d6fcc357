//! Random nested schemas, paths and values, and spoiled bytes, compared with the model.

use proptest::prelude::*;
use record_decode::{Casting, KEPT_FAILURES, Path, Plan, Step};

use crate::common::{Answer, FILL, decode, frame, has_cell, is_present};
use crate::model::{Type, types};
use crate::nested_model::{Cell, Node, Row, Shape};
use crate::random::alike;

/// Few names, so that keys of maps are often wanted ones; lengths around what is compared at once.
const NAMES: [&str; 5] = ["a", "b", "key_of_14_byte", "key_of_15_bytes", "a_key_of_more_than_sixteen_bytes"];
const BINS: [&str; 3] = ["x", "y", "a"];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(&NAMES[..]).prop_map(String::from)
}

fn shapes() -> impl Strategy<Value = Shape> {
    let leaf = types().prop_filter("small", |of| of.size() < 40).prop_map(Shape::Leaf);
    leaf.prop_recursive(3, 8, 3, |inner| {
        proptest::collection::btree_map(name(), inner, 1..4)
            .prop_map(|fields| Shape::Struct(fields.into_iter().collect()))
    })
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => name().prop_map(|name| Step::Str(name.into())),
        1 => name().prop_map(|name| Step::Blob(name.into_bytes().into())),
        3 => (-3..3i64).prop_map(Step::Int),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MAX), Just(200), Just(-40_000)].prop_map(Step::Int),
    ]
}

fn paths() -> impl Strategy<Value = Path> {
    (prop::sample::select(&BINS[..]), proptest::collection::vec(steps(), 0..4))
        .prop_map(|(bin, steps)| Path { bin: bin.into(), steps: steps.into() })
}

fn rows() -> impl Strategy<Value = Row> {
    let names = prop_oneof![prop::sample::select(&BINS[..]).prop_map(String::from), "[a-z ]{1,24}"];
    let few =
        proptest::collection::btree_map(names, (shapes(), proptest::option::weighted(0.7, paths())), 1..5);
    // More leaves than fit a machine word, and more keys at a place.
    let byte = Type { kind: 'u', width: 1, order: '=', shape: vec![] };
    let many = (60..140usize).prop_map(move |count| {
        let fields = (0..count).map(|at| (format!("k{at}"), Shape::Leaf(byte.clone()))).collect();
        Row { fields: vec![("x".into(), Shape::Struct(fields), None)] }
    });
    let few = few.prop_map(|fields| {
        let field = |(name, (shape, path)): (String, (Shape, Option<Path>))| {
            // Only with a path is a name longer than those of bins.
            let path = path.or_else(|| {
                let bin = || Path { bin: "x".into(), steps: [].into() };
                (name.len() > 15).then(bin)
            });
            (name, shape, path)
        };
        Row { fields: fields.into_iter().map(field).collect() }
    });
    prop_oneof![20 => few, 1 => many]
}

fn scalars() -> impl Strategy<Value = Node> {
    prop_oneof![
        4 => (-300..300i64, any::<bool>()).prop_map(|(value, wide)| Node::Int(value, wide)),
        1 => any::<i64>().prop_map(|value| Node::Int(value, false)),
        3 => (-1e5..1e5f64).prop_map(Node::Float),
        1 => any::<f64>().prop_map(Node::Float),
        1 => any::<bool>().prop_map(Node::Bool),
        1 => (1u64 << 63..=u64::MAX).prop_map(Node::Uint),
        1 => Just(Node::Nil),
        1 => "[a-zü]{0,20}".prop_map(|text| Node::Str(text.into())),
        1 => proptest::collection::vec(any::<u8>(), 0..10).prop_map(Node::Blob),
        1 => Just(Node::GeoJson(b"{}".to_vec())),
    ]
}

fn keys() -> impl Strategy<Value = Node> {
    prop_oneof![
        8 => name().prop_map(|name| Node::Str(name.into())),
        1 => name().prop_map(|name| Node::Blob(name.into())),
        3 => (-3..3i64, any::<bool>()).prop_map(|(value, wide)| Node::Int(value, wide)),
        1 => (0..140u8).prop_map(|at| Node::Str(format!("k{at}").into())),
        1 => scalars(),
        1 => Just(Node::list(vec![Node::Int(1, false)])),
    ]
}

fn nodes() -> impl Strategy<Value = Node> {
    let numbers = proptest::collection::vec((-50..50i64).prop_map(|value| Node::Int(value, false)), 1..4);
    let leaf = prop_oneof![8 => scalars(), 1 => numbers.prop_map(Node::list)];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let order = proptest::option::of(prop_oneof![Just(1i8), Just(3), Just(9)]);
        let pairs = proptest::collection::vec((keys(), inner.clone()), 0..7);
        prop_oneof![
            3 => (order, pairs).prop_map(|(order, pairs)| Node::Map { order, pairs }),
            1 => (any::<bool>(), proptest::collection::vec(inner, 0..5))
                .prop_map(|(is_ordered, items)| Node::List { is_ordered, items }),
        ]
    })
}

/// A value that fits the shape mostly: its keys in any order, some missing, one more, one twice.
fn fitting(shape: &Shape) -> BoxedStrategy<Node> {
    match shape {
        Shape::Leaf(of) if !of.shape.is_empty() => {
            let (first, size) = (of.shape[0], of.size());
            if of.shape.len() > 1 {
                return proptest::collection::vec(any::<u8>(), size).prop_map(Node::Blob).boxed();
            }
            proptest::collection::vec((-9..9i64).prop_map(|value| Node::Int(value, false)), first)
                .prop_map(Node::list)
                .boxed()
        }
        Shape::Leaf(of) if matches!(of.kind, 'S' | 'V') => {
            "[a-z]{0,9}".prop_map(|text| Node::Str(text.into())).boxed()
        }
        Shape::Leaf(_) => prop_oneof![
            (0..100i64).prop_map(|value| Node::Int(value, false)),
            (0..100u8).prop_map(|value| Node::Float(f64::from(value) / 4.0)),
        ]
        .boxed(),
        Shape::Struct(fields) => {
            let pairs: Vec<_> = fields
                .iter()
                .map(|(name, shape)| {
                    (Just(Node::text(name)), prop_oneof![12 => fitting(shape), 1 => nodes()])
                })
                .collect();
            let order = prop_oneof![Just(None), Just(Some(1i8)), Just(Some(3))];
            (order, pairs, proptest::option::weighted(0.3, (keys(), nodes())), 0..12usize, 0..4usize)
                .prop_map(|(order, mut pairs, more, change, at)| {
                    let at = at % pairs.len();
                    match change {
                        0 => drop(pairs.remove(at)),
                        1 => pairs.push(pairs[at].clone()),
                        2 => pairs.rotate_left(at),
                        _ => {}
                    }
                    pairs.extend(more);
                    Node::Map { order, pairs }
                })
                .boxed()
        }
    }
}

/// A value in which the steps lead to another.
fn along(steps: &[Step], end: BoxedStrategy<Node>) -> BoxedStrategy<Node> {
    let Some((step, more)) = steps.split_first() else { return end };
    let step = step.clone();
    let others = proptest::collection::vec((keys(), scalars()), 0..4);
    (along(more, end), others, any::<bool>())
        .prop_map(move |(value, others, as_list)| match step {
            Step::Int(index) if as_list && (-3..3).contains(&index) => {
                let mut items: Vec<_> = others.into_iter().map(|(_, value)| value).collect();
                items.resize(4, Node::Nil);
                let at = if index < 0 { 4 + index } else { index } as usize;
                items[at] = value;
                Node::list(items)
            }
            _ => {
                let key = match &step {
                    Step::Str(text) => Node::text(text),
                    Step::Blob(bytes) => Node::Blob(bytes.to_vec()),
                    Step::Int(number) => Node::Int(*number, false),
                };
                let mut pairs = others;
                pairs.insert(pairs.len() / 2, (key, value));
                Node::map(pairs)
            }
        })
        .boxed()
}

/// Records: the values of bins by name, many of them alike.
fn records(row: &Row) -> BoxedStrategy<Vec<Vec<(String, Node)>>> {
    let bins: Vec<_> = row
        .fields
        .iter()
        .map(|(name, shape, path)| {
            let (bin, steps) = match path {
                Some(path) => (path.bin.to_string(), path.steps.to_vec()),
                None => (name.clone(), vec![]),
            };
            let value = prop_oneof![6 => along(&steps, fitting(shape)), 2 => nodes()];
            (Just(bin), value)
        })
        .collect();
    let record = bins.prop_map(|mut bins| {
        // Fields of one bin: the value of one of them.
        bins.sort_by(|a, b| a.0.cmp(&b.0));
        bins.dedup_by(|a, b| a.0 == b.0);
        bins
    });
    (proptest::collection::vec(record, 1..4), proptest::collection::vec(any::<prop::sample::Index>(), 1..8))
        .prop_map(|(kinds, of)| of.into_iter().map(|kind| kind.get(&kinds).clone()).collect())
        .boxed()
}

fn with_records() -> impl Strategy<Value = (Row, Vec<Vec<(String, Node)>>)> {
    rows().prop_flat_map(|row| {
        let records = records(&row);
        (Just(row), records)
    })
}

/// Decodes records, of which each bin is given as particle type and bytes, and compares every cell with the model.
pub(crate) fn check(row: &Row, records: &[Vec<(String, u8, Vec<u8>)>], same_value: bool) {
    let schema = row.schema();
    let casting = if same_value { Casting::SameValue } else { Casting::Unsafe };
    let plan = Plan::with_paths(schema.clone(), casting, None, row.paths()).unwrap();
    let answers: Vec<Answer> = (0..)
        .zip(records)
        .map(|(at, bins)| {
            let bins =
                bins.iter().map(|(name, kind, value)| (name.clone().into_bytes(), *kind, value.clone()));
            Answer { bins: bins.collect(), ..Answer::found(at, &[]) }
        })
        .collect();
    let outcome = decode(plan, records.len(), 0, &[frame(&answers)]);
    let (types, leaves) = (row.leaves(), schema.leaves());
    let mut covered = vec![false; schema.itemsize()];
    leaves.iter().for_each(|leaf| covered[leaf.offset()..leaf.end()].fill(true));
    let mut failed = vec![];
    let mut inexact = vec![0; leaves.len()];
    for (at, bins) in records.iter().enumerate() {
        let parsed: Vec<_> =
            bins.iter().map(|(name, kind, value)| (name.clone(), parse(*kind, value))).collect();
        let (cells, failures) = row.expect(&parsed, same_value);
        failed.extend(failures.into_iter().map(|name| (at, name)));
        for (byte, is_leaf) in outcome.row(at).iter().zip(&covered) {
            assert!(*is_leaf || *byte == FILL, "written between leaves");
        }
        for ((number, leaf), (of, cell)) in leaves.iter().enumerate().zip(types.iter().zip(&cells)) {
            let context = || format!("{} of row {at}: {parsed:?}", leaf.name());
            let bytes = &outcome.row(at)[leaf.offset()..leaf.end()];
            let has = |cells: &[u8]| has_cell(cells, leaves.len(), at, number);
            let is_there = is_present(&outcome.summary, leaves.len(), at, number);
            assert_eq!(is_there, matches!(cell, Cell::Stored(..)), "{}", context());
            assert_eq!(has(&outcome.summary.failed_cells), *cell == Cell::Failed, "{}", context());
            let zeros = vec![0; of.size()];
            let (stored, changed) = match cell {
                Cell::Stored(bytes, changed) => (bytes, *changed),
                _ => (&zeros, 0),
            };
            assert!(alike(of, bytes, stored), "{}: {bytes:x?}, not {stored:x?}", context());
            assert_eq!(has(&outcome.summary.changed_cells), changed > 0, "{}", context());
            inexact[number] += changed;
        }
    }
    let summary = &outcome.summary;
    assert_eq!(summary.failure_count, failed.len() as u64, "{failed:?}");
    failed.truncate(KEPT_FAILURES);
    let mut named: Vec<_> = summary.failures.iter().map(|one| (one.row, one.name.to_string())).collect();
    // The model lists them by field, too, but a struct and what is in it never both.
    named.truncate(failed.len());
    assert_eq!(named, failed);
    let counted: Vec<_> = summary.inexact.iter().map(|(name, count)| (name.to_string(), *count)).collect();
    let should_be: Vec<_> = leaves
        .iter()
        .zip(inexact)
        .filter(|&(_, count)| count > 0)
        .map(|(leaf, count)| (leaf.name().to_owned(), count))
        .collect();
    assert_eq!(counted, should_be);
}

/// The value of a bin; `None` if it is malformed.
fn parse(kind: u8, value: &[u8]) -> Option<Node> {
    use wire_protocol::particle::Particle;
    match Particle::parse(kind, value).ok()? {
        Particle::Nil => Some(Node::Nil),
        Particle::Int(value) => Some(Node::Int(value, false)),
        Particle::Float(value) => Some(Node::Float(value)),
        Particle::Bool(value) => Some(Node::Bool(value)),
        Particle::Str(text) => Some(Node::Str(text.into())),
        Particle::Blob(bytes) => Some(Node::Blob(bytes.into())),
        Particle::GeoJson(text) => Some(Node::GeoJson(text.into())),
        Particle::List(bytes) => Node::parse(bytes).filter(|node| matches!(node, Node::List { .. })),
        Particle::Map(bytes) => Node::parse(bytes).filter(|node| matches!(node, Node::Map { .. })),
        _ => Some(Node::Ext),
    }
}

fn encoded(records: &[Vec<(String, Node)>]) -> Vec<Vec<(String, u8, Vec<u8>)>> {
    let bin = |(name, node): &(String, Node)| {
        // No bin has such a value.
        let (kind, value) = if let Node::Uint(_) = node { Node::Nil.particle() } else { node.particle() };
        (name.clone(), kind, value)
    };
    records.iter().map(|bins| bins.iter().map(bin).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nested_values_as_the_model((row, records) in with_records(), same_value: bool) {
        check(&row, &encoded(&records), same_value);
    }

    #[test]
    fn spoiled_values_as_the_model(
        (row, records) in with_records(),
        edits in proptest::collection::vec((any::<[prop::sample::Index; 3]>(), any::<u8>(), 0..6u8), 1..5),
        same_value: bool,
    ) {
        let mut records = encoded(&records);
        for ([record, bin, at], byte, how) in edits {
            let bins = record.get(&records).clone();
            let place = record.index(records.len());
            let which = bin.index(bins.len());
            let (_, kind, value) = &mut records[place][which];
            let at = at.index(value.len().max(1));
            match how {
                0 if !value.is_empty() => value[at] = byte,
                1 if !value.is_empty() => value[at] ^= 1 << (byte % 8),
                2 => value.insert(at, byte),
                3 if !value.is_empty() => drop(value.remove(at)),
                4 => value.truncate(at),
                _ => *kind = [0, 1, 2, 3, 4, 17, 19, 20, 23][usize::from(byte % 9)],
            }
        }
        check(&row, &records, same_value);
    }

    #[test]
    fn any_bytes_as_the_model(
        row in rows(),
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0x80..0x9fu8, Just(0xa2u8), Just(3u8), Just(b'a')], 0..60),
        is_map: bool,
    ) {
        let kind = if is_map { 19 } else { 20 };
        let names: Vec<String> = row.fields.iter().map(|(name, _, path)| {
            path.as_ref().map_or(name.clone(), |path| path.bin.to_string())
        }).collect();
        let mut bins: Vec<_> = names.into_iter().map(|name| (name, kind, bytes.clone())).collect();
        bins.dedup_by(|a, b| a.0 == b.0);
        check(&row, &[bins], false);
    }
}
