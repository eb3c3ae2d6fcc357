//! Maps and lists into fields: paths, structs, what is refused, and hostile values.

use dtype_schema::{Element, Field, MAX_STRUCT_DEPTH, Schema, SchemaError};
use record_decode::{Casting, Path, PathError, Plan, Step};
use wire_protocol::msgpack::MAX_DEPTH;

use crate::common::{Answer, Outcome, decode, frame, is_present};
use crate::nested_model::Node;

const MAP: u8 = 19;
const LIST: u8 = 20;

fn int(name: &str, offset: usize) -> Field {
    Field::new(name, offset, Element::from_numpy(name, 'i', 8, '<').unwrap(), &[]).unwrap()
}

fn path(bin: &str, steps: &[Step]) -> Path {
    Path { bin: bin.into(), steps: steps.into() }
}

fn text(step: &str) -> Step {
    Step::Str(step.into())
}

/// Integers of these names, one after the other, with paths.
fn ints(paths: &[(&str, Path)]) -> Plan {
    let fields: Vec<_> = paths.iter().enumerate().map(|(at, (name, _))| int(name, 8 * at)).collect();
    let schema = Schema::new(fields, 8 * paths.len()).unwrap();
    Plan::with_paths(schema, Casting::SameValue, None, paths.to_vec()).unwrap()
}

/// A struct `m` of two integers, `a` and `b`, from the bin of its name.
fn pair() -> Plan {
    let field = Field::nested("m", 0, vec![int("a", 0), int("b", 8)], 16).unwrap();
    Plan::new(Schema::new(vec![field], 16).unwrap(), Casting::SameValue, None)
}

fn read(plan: Plan, bins: &[(&str, u8, &[u8])]) -> Outcome {
    decode(plan, 1, 0, &[frame(&[Answer::found(0, bins)])])
}

/// The values that are present, by leaf.
fn values(outcome: &Outcome, leaves: usize) -> Vec<Option<i64>> {
    let value = |leaf: usize| i64::from_le_bytes(outcome.row(0)[8 * leaf..][..8].try_into().unwrap());
    (0..leaves).map(|leaf| is_present(&outcome.summary, leaves, 0, leaf).then(|| value(leaf))).collect()
}

fn reasons(outcome: &Outcome) -> Vec<String> {
    let failures = outcome.summary.failures.iter();
    failures.map(|one| format!("{} ({}): {}", one.name, one.bin_type, one.reason)).collect()
}

fn number(value: i64) -> Node {
    Node::Int(value, false)
}

#[test]
fn one_bin_feeds_many_fields() {
    let (driver, list) = (text("driver"), text("list"));
    let plan = ints(&[
        ("a field name of more than fifteen bytes", path("f", &[driver.clone(), text("trips")])),
        ("first", path("f", &[list.clone(), Step::Int(0)])),
        ("last", path("f", &[list.clone(), Step::Int(-1)])),
        ("again", path("f", &[list.clone(), Step::Int(2)])),
        ("beyond", path("f", &[list.clone(), Step::Int(3)])),
        ("before", path("f", &[list, Step::Int(-4)])),
        ("blob", path("f", &[Step::Blob((*b"k").into())])),
        ("int", path("f", &[Step::Int(7)])),
        ("lacking", path("f", &[driver, text("trip")])),
    ]);
    assert_eq!(plan.bin_names().collect::<Vec<_>>(), ["f"]);
    let value = Node::Map {
        order: Some(1),
        pairs: vec![
            (Node::Int(7, true), number(70)),
            (Node::text("driver"), Node::named(vec![("x", Node::Nil), ("trips", number(12))])),
            (
                Node::text("list"),
                Node::List { is_ordered: true, items: vec![number(1), number(2), number(3)] },
            ),
            (Node::text("k"), number(5)),
            (Node::Blob((*b"k").into()), number(6)),
        ],
    };
    let (kind, bytes) = value.particle();
    let outcome = read(plan, &[("f", kind, &bytes)]);
    let some = [Some(12), Some(1), Some(3), Some(3), None, None, Some(6), Some(70), None];
    assert_eq!((values(&outcome, 9), outcome.summary.failure_count), (some.into(), 0));
    let missing: Vec<&str> = outcome.summary.missing_fields.iter().map(|name| &**name).collect();
    assert_eq!(missing, ["beyond", "before", "lacking"]);
}

#[test]
fn a_struct_that_gets_no_map_fails_once() {
    for (kind, bytes, found) in
        [(1, &1i64.to_be_bytes()[..], "integer"), (LIST, &[0x91, 1], "list"), (3, b"text", "string")]
    {
        let outcome = read(pair(), &[("m", kind, bytes)]);
        assert_eq!(reasons(&outcome), [format!("m ({found}): the field is a struct, which takes maps")]);
        assert_eq!(outcome.summary.failure_count, 1);
        assert_eq!(
            (outcome.summary.failed_cells.as_slice(), values(&outcome, 2)),
            (&[0xc0][..], vec![None; 2])
        );
        assert_eq!(outcome.summary.missing_fields, []);
    }
    for (bins, missing) in [(&[("m", 0, &[][..])][..], "m"), (&[], "m")] {
        let outcome = read(pair(), bins);
        assert_eq!((outcome.summary.failure_count, values(&outcome, 2)), (0, vec![None; 2]));
        assert_eq!(outcome.summary.missing_fields, [missing.into()]);
    }
    let (kind, bytes) = Node::named(vec![("b", number(2)), ("c", number(3))]).particle();
    let outcome = read(pair(), &[("m", kind, &bytes)]);
    assert_eq!(values(&outcome, 2), [None, Some(2)]);
    assert_eq!(outcome.summary.missing_fields, ["m.a".into()]);
}

#[test]
fn steps_that_lead_nowhere_fail() {
    let plan = || {
        ints(&[
            ("s", path("f", &[text("a")])),
            ("i", path("f", &[Step::Int(0)])),
            ("b", path("f", &[Step::Blob((*b"a\xff").into()), text("x")])),
        ])
    };
    let outcome = read(plan(), &[("f", LIST, &[0x91, 9])]);
    assert_eq!(values(&outcome, 3), [None, Some(9), None]);
    let list = "goes into a list: lists have indexes, which are ints";
    assert_eq!(
        reasons(&outcome),
        [
            format!("s (list): step 1 of its path, 'a', {list}"),
            format!("b (list): step 1 of its path, b'a\\xff', {list}")
        ]
    );
    let outcome = read(plan(), &[("f", 1, &[0; 8])]);
    assert_eq!(
        reasons(&outcome)[1],
        "i (integer): step 1 of its path, 0, goes into an integer value: only maps have keys, and only maps and lists \
         take ints"
    );
    assert_eq!(outcome.summary.failure_count, 3);
    let (kind, bytes) = Node::map(vec![(Node::Blob(b"a\xff".to_vec()), number(1))]).particle();
    let outcome = read(plan(), &[("f", kind, &bytes)]);
    assert_eq!(outcome.summary.failures.len(), 1);
    assert!(reasons(&outcome)[0].starts_with("b (integer): step 2 of its path, 'x', goes into"));
}

#[test]
fn a_key_that_comes_twice_is_no_value() {
    let (a, b) = (Node::text("a"), Node::text("b"));
    let twice =
        vec![(a.clone(), number(1)), (b.clone(), number(2)), (a.clone(), number(3)), (a.clone(), Node::Nil)];
    let (kind, bytes) = Node::map(twice).particle();
    // Known by its bytes from the second row on.
    let answers: Vec<_> = (0..3).map(|row| Answer::found(row, &[("m", kind, &bytes)])).collect();
    let outcome = decode(pair(), 3, 0, &[frame(&answers)]);
    assert_eq!(outcome.summary.failure_count, 3);
    assert_eq!(reasons(&outcome), vec!["m.a (map): a map has the key 'a' more than once"; 3]);
    assert_eq!(outcome.summary.presence, [0x40; 3]);
    // Of something that is not wanted, and by value: 7 in two encodings.
    let (kind, bytes) =
        Node::map(vec![(number(7), number(1)), (number(7), number(1)), (b, number(2))]).particle();
    assert_eq!(read(pair(), &[("m", kind, &bytes)]).summary.failure_count, 0);
    let seven = ints(&[("x", path("f", &[Step::Int(7)]))]);
    let (kind, bytes) = Node::map(vec![(number(7), number(1)), (Node::Int(7, true), number(1))]).particle();
    assert_eq!(read(seven, &[("f", kind, &bytes)]).summary.failure_count, 1);
    // What hung on it and had changed or failed before counts no more.
    let outer =
        Field::nested("o", 0, vec![Field::nested("a", 0, vec![int("x", 0), int("y", 8)], 16).unwrap()], 16);
    let plan = Plan::new(Schema::new(vec![outer.unwrap()], 16).unwrap(), Casting::SameValue, None);
    let inner = Node::named(vec![("x", Node::Float(0.5)), ("y", number(1)), ("y", number(1))]);
    let (kind, bytes) = Node::map(vec![(a.clone(), inner), (a, number(2))]).particle();
    let outcome = read(plan, &[("o", kind, &bytes)]);
    assert_eq!(reasons(&outcome), ["o.a (map): a map has the key 'a' more than once"]);
    assert_eq!(outcome.summary.failure_count, 1);
}

#[test]
fn a_bin_that_comes_twice_counts_once() {
    let (kind, bytes) = Node::named(vec![("a", number(1))]).particle();
    let (_, other) = Node::named(vec![("a", number(5)), ("b", number(6))]).particle();
    let outcome = read(pair(), &[("m", kind, &bytes), ("m", kind, &other), ("m", 1, &[0; 8])]);
    assert_eq!((values(&outcome, 2), outcome.summary.failure_count), (vec![Some(1), None], 0));
    assert_eq!(outcome.summary.presence, [0x80]);
}

#[test]
fn the_same_value_fills_several_fields() {
    let whole = path("f", &[]);
    let element = Element::from_numpy("v", 'u', 1, '<').unwrap();
    let fields = vec![
        Field::new("v", 0, element, &[2]).unwrap(),
        Field::new("w", 2, element, &[2]).unwrap(),
        Field::new("x", 4, element, &[]).unwrap(),
    ];
    let paths = vec![("v", whole.clone()), ("w", whole), ("x", path("f", &[Step::Int(-2)]))];
    let plan = Plan::with_paths(Schema::new(fields, 5).unwrap(), Casting::SameValue, None, paths).unwrap();
    assert_eq!(plan.bin_names().count(), 1);
    let outcome = read(plan, &[("f", LIST, &[0x92, 7, 8])]);
    assert_eq!((outcome.row(0), outcome.summary.failure_count), (&[7, 8, 7, 8, 7][..], 0));
}

#[test]
fn hostile_values_cost_their_bin() {
    let plan = || {
        let paths = vec![("x", path("f", &[text("a"), Step::Int(1)])), ("y", path("f", &[text("b")]))];
        let fields = vec![int("x", 0), int("y", 8), int("z", 16)];
        Plan::with_paths(Schema::new(fields, 24).unwrap(), Casting::SameValue, None, paths).unwrap()
    };
    let value = Node::Map {
        order: Some(1),
        pairs: vec![
            (Node::text("a"), Node::list(vec![Node::text("skipped"), Node::Int(5, true)])),
            (Node::text("b"), Node::Int(6, true)),
            (Node::text("c"), Node::named(vec![("d", Node::list(vec![Node::Nil; 3]))])),
        ],
    };
    let (_, bytes) = value.particle();
    let z = 9i64.to_be_bytes();
    let outcome = read(plan(), &[("f", MAP, &bytes), ("z", 1, &z)]);
    assert_eq!(values(&outcome, 3), [Some(5), Some(6), Some(9)]);
    let spoils = |value: &[u8]| {
        let answers = [
            Answer::found(0, &[("f", MAP, value), ("z", 1, &z)]),
            Answer::found(1, &[("f", MAP, &bytes), ("z", 1, &z)]),
            Answer::found(2, &[("f", MAP, value), ("z", 1, &z)]),
        ];
        let outcome = decode(plan(), 3, 0, &[frame(&answers)]);
        assert_eq!(outcome.summary.presence, [0x20, 0xe0, 0x20], "{value:x?}");
        assert_eq!(outcome.summary.failed_cells, [0xc0, 0, 0xc0]);
        assert_eq!(outcome.summary.failure_count, 4);
        assert_eq!(outcome.row(0)[..16], [0; 16]);
    };
    (0..bytes.len()).for_each(|end| spoils(&bytes[..end]));
    spoils(&[bytes.as_slice(), &[0xc0]].concat());
    // One pair more than there is, and lengths beyond the end.
    for (at, byte) in [(0, 0x85), (0, 0xdf), (0, 0x95)] {
        let mut lying = bytes.clone();
        lying[at] = byte;
        spoils(&lying);
    }
    // Depth: nothing comes from the value, but it is not followed either.
    for depth in [MAX_DEPTH - 1, MAX_DEPTH, 200, 100_000] {
        let mut deep = vec![0x83, 0xa2, 3, b'a', 0x92, 0xc0, 5, 0xa2, 3, b'b', 6, 0xa2, 3, b'c'];
        deep.extend(std::iter::repeat_n(0x91, depth));
        deep.push(0xc0);
        if depth < MAX_DEPTH {
            let outcome = read(plan(), &[("f", MAP, &deep)]);
            assert_eq!(
                (values(&outcome, 3), outcome.summary.failure_count),
                (vec![Some(5), Some(6), None], 0)
            );
        } else {
            spoils(&deep);
        }
    }
    // A value that is not of its particle's type.
    spoils(&[5]);
    spoils(&[0x91, 5]);
}

#[test]
fn long_paths_are_walked_to_the_deepest_level() {
    for depth in [MAX_DEPTH, 100] {
        let plan = ints(&[("x", path("f", &vec![Step::Int(-1); depth]))]);
        let mut bytes = vec![0x91; depth];
        bytes.push(4);
        let outcome = read(plan, &[("f", LIST, &bytes)]);
        assert_eq!(values(&outcome, 1), [Some(4)]);
    }
    let plan = ints(&[("x", path("f", &vec![Step::Int(-1); MAX_DEPTH]))]);
    let bytes = [vec![0x91; MAX_DEPTH + 1], vec![4]].concat();
    assert_eq!(read(plan, &[("f", LIST, &bytes)]).summary.failure_count, 1);
}

#[test]
fn maps_in_any_order_and_of_many_keys() {
    // More keys than are remembered, wanted ones at the end, then rotated.
    let keys: Vec<_> = (0..3000).map(|at| Node::Str(format!("key {at:>20}").into())).collect();
    let steps: Vec<Step> = [0, 1023, 1024, 2999].map(|at| text(&format!("key {at:>20}"))).into();
    let paths: Vec<_> = ["a", "b", "c", "d"]
        .into_iter()
        .zip(&steps)
        .map(|(name, step)| (name, path("f", std::slice::from_ref(step))))
        .collect();
    let answers: Vec<_> = (0..6)
        .map(|row| {
            let mut pairs: Vec<_> = keys.iter().cloned().zip((0..).map(number)).collect();
            pairs.rotate_left([0, 0, 7, 1500, 2, 2][row]);
            let (kind, bytes) = Node::map(pairs).particle();
            Answer::found(row as u32, &[("f", kind, &bytes)])
        })
        .collect();
    let outcome = decode(ints(&paths), 6, 0, &[frame(&answers)]);
    for row in 0..6 {
        let value = |leaf: usize| i64::from_le_bytes(outcome.row(row)[8 * leaf..][..8].try_into().unwrap());
        assert_eq!([0, 1, 2, 3].map(value), [0, 1023, 1024, 2999], "row {row}");
    }
    assert_eq!(outcome.summary.failure_count, 0);
}

#[test]
fn paths_are_checked() {
    let schema = || Schema::new(vec![int("a", 0), int("sixteen_chars_xy", 8)], 16).unwrap();
    let plan = |paths| Plan::with_paths(schema(), Casting::Unsafe, None, paths);
    let long = ("sixteen_chars_xy", path("b", &[]));
    assert!(matches!(plan(vec![]), Err(PathError::Schema(SchemaError::NameTooLong { .. }))));
    assert!(plan(vec![long.clone()]).is_ok());
    let error = |path| plan(vec![long.clone(), path]).unwrap_err();
    assert_eq!(error(("b", path("b", &[]))), PathError::UnknownField { field: "b".into() });
    assert_eq!(error(long.clone()), PathError::Repeated { field: "sixteen_chars_xy".into() });
    assert!(matches!(
        error(("a", path("sixteen_chars_xy", &[]))),
        PathError::BinNameTooLong { length: 16, .. }
    ));
    assert!(matches!(
        error(("a", path("b", &vec![Step::Int(0); 129]))),
        PathError::TooLong { steps: 129, .. }
    ));

    // `bins` compares with bins.
    let paths = vec![long, ("a", path("c", &[Step::Int(0)]))];
    let narrowed = |bins: &[&str]| {
        let plan = Plan::with_paths(schema(), Casting::Unsafe, Some(bins), paths.clone()).unwrap();
        plan.bin_names().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(narrowed(&["a", "sixteen_chars_xy"]), [""; 0]);
    assert_eq!(narrowed(&["c", "b"]), ["c", "b"]);
    assert_eq!(narrowed(&["b"]), ["b"]);
    let plan = plan(paths.clone()).unwrap();
    let given: Vec<_> = plan.paths().map(|(name, path)| (name, path.clone())).collect();
    assert_eq!(given, [paths[1].clone(), paths[0].clone()]);
    let steps = [text("it's"), Step::Blob((*b"\0").into()), Step::Int(-1)];
    assert_eq!(steps.map(|step| step.to_string()), ["'it\\'s'", "b'\\x00'", "-1"]);
}

#[test]
fn structs_as_deep_as_a_schema_has_them() {
    let mut field = int("k", 0);
    let mut node = number(3);
    for _ in 0..MAX_STRUCT_DEPTH {
        field = Field::nested("k", 0, vec![field], 8).unwrap();
        node = Node::named(vec![("k", node)]);
    }
    let plan = Plan::new(Schema::new(vec![field], 8).unwrap(), Casting::Unsafe, None);
    let (kind, bytes) = node.particle();
    assert_eq!(values(&read(plan, &[("k", kind, &bytes)]), 1), [Some(3)]);
}
