//! Tests of expressions. The recorded traffic of a real server, which the tests of `dev-server` replay, has many more.

use std::collections::HashMap;

use proptest::prelude::*;
use wire_protocol::ResultCode;
use wire_protocol::msgpack::{
    write_blob, write_bool, write_float, write_geojson, write_int, write_list_header, write_map_header,
    write_nil, write_str,
};
use wire_protocol::particle::particle_type;

use super::*;
use crate::bin::{BinView, Change};

/// An expression as clients write it.
#[derive(Clone, Debug)]
enum Ex {
    Int(i64),
    Float(f64),
    Bool(bool),
    Str(&'static str),
    Blob(&'static [u8]),
    Geo(&'static str),
    Nil,
    /// Text without a type byte: a name or a pattern.
    Raw(&'static str),
    /// A list that is no operation.
    List(Vec<Ex>),
    Map(Vec<(Ex, Ex)>),
    Op(i64, Vec<Ex>),
}

use Ex::{Bool, Float, Int, Op, Raw, Str};

impl Ex {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Int(value) => write_int(out, *value),
            Float(value) => write_float(out, *value),
            Bool(value) => write_bool(out, *value),
            Str(text) => write_str(out, text.as_bytes()),
            Self::Blob(bytes) => write_blob(out, bytes),
            Self::Geo(text) => write_geojson(out, text.as_bytes()),
            Self::Nil => write_nil(out),
            Raw(text) => {
                assert!(text.len() < 32);
                out.push(0xa0 | text.len() as u8);
                out.extend_from_slice(text.as_bytes());
            }
            Self::List(items) => {
                write_list_header(out, items.len());
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(pairs) => {
                write_map_header(out, pairs.len());
                for (key, value) in pairs {
                    key.write(out);
                    value.write(out);
                }
            }
            Op(code, args) => {
                write_list_header(out, args.len() + 1);
                write_int(out, *code);
                args.iter().for_each(|arg| arg.write(out));
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }
}

fn op<const N: usize>(code: i64, args: [Ex; N]) -> Ex {
    Op(code, args.to_vec())
}

/// A bin of a type: 1 bool, 2 int, 3 text, 4 list, 5 map, 6 blob, 7 float, 8 GeoJSON, 9 HyperLogLog.
fn bin(kind: i64, name: &'static str) -> Ex {
    op(81, [Int(kind), Raw(name)])
}

/// An operation of lists and maps (0), bits (1) or HyperLogLogs (2), plus 0x40 if it modifies.
fn call(kind: i64, system: i64, operation: Ex, target: Ex) -> Ex {
    op(127, [Int(kind), Int(system), operation, target])
}

struct Bins(HashMap<&'static [u8], Bin>);

impl RecordView for Bins {
    fn bin(&self, name: &[u8]) -> Option<BinView<'_>> {
        self.0.get(name).map(Bin::view)
    }
}

fn bins() -> Bins {
    let list = Ex::List(vec![Int(3), Int(1), Str("x")]).bytes();
    Bins(HashMap::from([
        (&b"i"[..], Bin::int(7)),
        (b"f", Bin::float(2.5)),
        (b"s", Bin::new(particle_type::STRING, b"abc".to_vec())),
        (b"b", Bin::new(particle_type::BLOB, vec![1, 2, 3])),
        (b"t", Bin::bool(true)),
        (b"l", Bin::new(particle_type::LIST, list)),
    ]))
}

fn context(bins: &Bins) -> Context<'_> {
    let metadata = Metadata {
        digest: [1; 20],
        set: b"set",
        key: Some(b"\x03key"),
        void_time: 100,
        last_update: 5000,
        now: 90_000,
        size: 128,
    };
    Context { bins, metadata }
}

/// The value of an expression: `None` if it is unknown.
fn value(expression: &Ex) -> Option<Bin> {
    let bytes = expression.bytes();
    let expression = Expression::parse(&bytes).unwrap();
    expression.evaluate(&context(&bins())).unwrap()
}

fn refused(expression: &Ex) -> bool {
    matches!(Expression::parse(&expression.bytes()), Err(OpError { code: ResultCode::PARAMETER, .. }))
}

#[test]
fn numbers_follow_the_machine() {
    for (expression, wanted) in [
        (op(20, [bin(2, "i"), Int(i64::MAX)]), i64::MIN + 6),
        (op(21, [Int(5)]), -5),
        (op(21, [Int(5), Int(2), Int(1)]), 2),
        (op(22, [Int(-3), bin(2, "i")]), -21),
        (op(23, [Int(-7), Int(2)]), -3),
        (op(23, [Int(7)]), 0),
        (op(23, [Int(i64::MIN), Int(-1)]), i64::MIN),
        (op(26, [Int(-7), Int(3)]), -1),
        (op(26, [Int(i64::MIN), Int(-1)]), 0),
        (op(27, [Int(i64::MIN)]), i64::MIN),
        (op(30, [Float(-2.9)]), -2),
        (op(30, [Float(1e300)]), i64::MIN),
        (op(36, [Int(1), Int(65)]), 2),
        (op(37, [Int(-1), Int(63)]), 1),
        (op(38, [Int(-8), Int(1)]), -4),
        (op(39, [Int(255)]), 8),
        (op(40, [Int(1), Bool(true)]), 63),
        (op(40, [Int(0), Bool(true)]), -1),
        (op(41, [Int(8), Bool(true)]), 60),
        (op(41, [Int(-1), Bool(false)]), -1),
        (op(50, [Int(3), Int(1), Int(2)]), 1),
        (op(34, [Int(6), Int(3)]), 5),
    ] {
        assert_eq!(value(&expression), Some(Bin::int(wanted)), "{expression:?}");
    }
    for (expression, wanted) in [
        (op(23, [bin(7, "f"), Float(0.0)]), f64::INFINITY),
        (op(24, [Float(2.0), Float(0.5)]), 2f64.sqrt()),
        (op(25, [Float(8.0), Float(2.0)]), 8f64.ln() / 2f64.ln()),
        (op(51, [Float(1.0), Float(2.5)]), 2.5),
        (op(31, [Int(3)]), 3.0),
    ] {
        assert_eq!(value(&expression), Some(Bin::float(wanted)), "{expression:?}");
    }
    for expression in [op(23, [Int(1), Int(0)]), op(26, [Int(1), Int(0)]), op(20, [bin(2, "none"), Int(1)])] {
        assert_eq!(value(&expression), None, "{expression:?}");
    }
}

#[test]
fn logic_has_three_values() {
    let unknown = || bin(1, "none");
    let (yes, no) = (|| Bool(true), || Bool(false));
    for (expression, wanted) in [
        (op(16, [unknown(), no()]), Some(false)),
        (op(16, [unknown(), yes()]), None),
        (op(17, [unknown(), yes()]), Some(true)),
        (op(17, [unknown(), no()]), None),
        (op(18, [unknown()]), None),
        (op(18, [bin(1, "t")]), Some(false)),
        (op(19, [yes(), yes(), unknown()]), Some(false)),
        (op(19, [yes(), no()]), Some(true)),
        (op(19, [no(), unknown()]), None),
        (op(1, [bin(3, "s"), Str("abc")]), Some(true)),
        (op(3, [bin(3, "s"), Str("ab")]), Some(true)),
        (op(2, [Float(f64::NAN), Float(1.0)]), Some(true)),
        (op(1, [Ex::Nil, Ex::Nil]), Some(true)),
        (op(1, [bin(3, "i"), Str("abc")]), None),
        (op(7, [Int(1), Raw("^a.c$"), bin(3, "s")]), Some(true)),
        (op(9, [Int(1), bin(4, "l")]), Some(true)),
        (op(9, [Int(2), bin(4, "l")]), Some(false)),
        (op(71, []), Some(true)),
        (op(72, []), Some(false)),
        (op(1, [op(80, [Int(3)]), Str("key")]), Some(true)),
        (op(1, [op(80, [Int(2)]), Int(1)]), None),
        (op(1, [op(70, []), Str("set")]), Some(true)),
    ] {
        assert_eq!(value(&expression), wanted.map(Bin::bool), "{expression:?}");
        let bytes = expression.bytes();
        let filter = Expression::parse_filter(&bytes).unwrap();
        assert_eq!(filter.matches(&context(&bins())), Ok(wanted == Some(true)));
    }
    // Maps whose order is not known are not compared.
    let map = || Ex::Map(vec![(Int(1), Int(2))]);
    assert_eq!(value(&op(1, [map(), map()])), None);
    assert!(Expression::parse_filter(&Int(1).bytes()).is_err());
}

#[test]
fn metadata_are_known() {
    for (code, wanted) in [
        (65, 0),
        (66, (5000 + 1_262_304_000_000) * 1_000_000),
        (67, 85_000),
        (68, (100 + 1_262_304_000) * 1_000_000_000),
        (69, 10),
        (73, 128),
        (74, 128),
    ] {
        assert_eq!(value(&op(code, [])), Some(Bin::int(wanted)), "{code}");
    }
    assert_eq!(value(&op(64, [Int(7)])), Some(Bin::int(0x0101_0101 % 7)));
    assert_eq!(value(&op(82, [Raw("s")])), Some(Bin::int(3)));
    assert_eq!(value(&op(82, [Raw("none")])), Some(Bin::int(0)));
}

#[test]
fn variables_and_conditions() {
    let twice = op(125, [Raw("x"), Int(21), op(20, [op(124, [Raw("x")]), op(124, [Raw("x")])])]);
    assert_eq!(value(&twice), Some(Bin::int(42)));
    let nested =
        op(125, [Raw("x"), Int(1), Raw("y"), op(20, [op(124, [Raw("x")]), Int(1)]), op(124, [Raw("y")])]);
    assert_eq!(value(&nested), Some(Bin::int(2)));
    let cond = |flag: Ex| op(123, [flag, Int(1), op(0, [])]);
    assert_eq!(value(&cond(Bool(true))), Some(Bin::int(1)));
    assert_eq!(value(&cond(Bool(false))), None);
    assert_eq!(value(&cond(bin(1, "none"))), None);
    for expression in [
        op(124, [Raw("x")]),
        op(125, [Raw("x"), op(124, [Raw("x")]), Int(1)]),
        op(125, [Raw("x"), Int(1), Raw("x"), Int(1), Int(1)]),
        op(125, [Raw("1x"), Int(1), Int(1)]),
        op(125, [Raw("x"), Int(1)]),
        op(123, [Bool(true), Int(1), Str("a")]),
        op(123, [Int(1), Int(1), Int(1)]),
        op(123, [Bool(true), Int(1)]),
    ] {
        assert!(refused(&expression), "{expression:?}");
    }
}

#[test]
fn wrong_expressions_are_refused() {
    for expression in [
        op(1, [Int(1), Str("a")]),
        op(1, [bin(9, "h"), bin(9, "h")]),
        op(1, [Int(1)]),
        op(16, [Bool(true)]),
        op(16, [Bool(true), Int(1)]),
        op(20, [Int(1), Float(1.0)]),
        op(20, []),
        op(32, [Float(1.0)]),
        op(24, [Int(1), Int(1)]),
        op(7, [Int(1), Raw("("), Str("a")]),
        op(7, [Int(1), Raw("a"), Int(1)]),
        op(8, [Ex::Geo("{}"), Ex::Geo("{}")]),
        op(64, [Int(0)]),
        op(80, [Int(4)]),
        op(81, [Int(10), Raw("b")]),
        op(81, [Int(2), Raw("a bin name too long")]),
        op(10, []),
        op(128, []),
        op(126, [Int(1)]),
        call(2, 3, op(16, []), bin(4, "l")),
        call(2, 0, op(16, []), bin(2, "i")),
        call(2, 1, op(51, [Int(0), Int(8)]), bin(4, "l")),
        Ex::List(vec![]),
    ] {
        assert!(refused(&expression), "{expression:?}");
    }
    let mut trailing = Int(1).bytes();
    trailing.push(0);
    assert!(Expression::parse(&trailing).is_err());
    assert!(Expression::parse(b"").is_err());
}

#[test]
fn calls_apply_operations() {
    let l = || bin(4, "l");
    assert_eq!(value(&call(2, 0, op(16, []), l())), Some(Bin::int(3)));
    // An argument that is a list is an expression; a list itself is quoted.
    let sum = || op(20, [Int(0), Int(1)]);
    assert_eq!(value(&call(2, 0, op(17, [sum()]), l())), Some(Bin::int(1)));
    assert_eq!(value(&call(3, 0, op(17, [sum()]), l())), None);
    let appended = call(4, 0x40, op(2, [op(126, [Ex::List(vec![Int(9)])])]), l());
    let size = call(2, 0, op(16, []), appended);
    assert_eq!(value(&size), Some(Bin::int(4)));
    let b = || bin(6, "b");
    assert_eq!(value(&call(2, 1, op(51, [Int(0), Int(24)]), b())), Some(Bin::int(4)));
    let cleared = call(6, 0x41, op(0, [Int(1)]), b());
    assert_eq!(value(&cleared), Some(Bin::new(particle_type::BLOB, vec![1])));
    assert_eq!(value(&call(2, 1, op(51, [Int(0), Int(25)]), b())), None);
    assert_eq!(value(&call(2, 0, op(17, [bin(2, "none")]), l())), None);
    let map = Ex::Map(vec![(Int(1), Str("a")), (Int(2), Str("b"))]);
    let keys = value(&op(101, [map.clone()])).unwrap();
    assert_eq!(keys.bytes, Ex::List(vec![Int(1), Int(2)]).bytes());
    let values = value(&op(102, [map])).unwrap();
    assert_eq!(values.bytes, Ex::List(vec![Str("a"), Str("b")]).bytes());
}

#[test]
fn paths_select_and_change() {
    /// A variable of the element: 0 its key, 1 its value, 2 its index.
    fn element(kind: i64, which: i64) -> Ex {
        op(122, [Int(kind), Int(which)])
    }
    let list = Ex::List(vec![Int(1), Ex::List(vec![Int(5), Int(6)]), Int(3)]);
    let bin = Bin::new(particle_type::LIST, list.bytes());
    let path = |steps: Vec<Ex>, flags: i64| op(0xfe, [Ex::List(steps), Int(flags)]);
    let large = || op(3, [element(2, 1), Int(1)]);
    let read =
        |operation: &Ex| select(bin.view(), &operation.bytes()).map(|bin| bin.bytes).map_err(|e| e.code);
    // Only the second element is a list.
    let all_then_first = || vec![Int(4), Bool(true), Int(0x10), Int(0)];
    assert_eq!(read(&path(all_then_first(), 1)), Ok(Ex::List(vec![Int(5)]).bytes()));
    let tree = Ex::List(vec![Int(1), Ex::List(vec![Int(5)]), Int(3)]);
    assert_eq!(read(&path(all_then_first(), 0)), Ok(tree.bytes()));
    // The condition is unknown for the inner list.
    assert_eq!(read(&path(vec![Int(4), large()], 1)), Err(ResultCode::PARAMETER));
    assert_eq!(read(&path(vec![Int(4), large()], 0x11)), Ok(Ex::List(vec![Int(3)]).bytes()));
    assert_eq!(read(&path(vec![Int(4), Bool(true)], 2)), Err(ResultCode::BIN_TYPE));
    assert_eq!(read(&path(vec![Int(0x20), Int(0)], 1)), Err(ResultCode::PARAMETER));
    assert_eq!(
        read(&path(vec![Int(0x11), Int(-1)], 1)),
        Ok(Ex::List(vec![Ex::List(vec![Int(5), Int(6)])]).bytes())
    );
    let change = |steps: Vec<Ex>, flags: i64, value: Ex| {
        let operation = op(0xfe, [Ex::List(steps), Int(flags), value]);
        match super::change(Some(bin.view()), &operation.bytes()).map_err(|error| error.code)?.change {
            Change::Set(bin) => Ok(bin.bytes),
            other => panic!("{other:?}"),
        }
    };
    let more = op(20, [element(2, 1), element(2, 2)]);
    let changed = Ex::List(vec![Int(1), Ex::List(vec![Int(5), Int(7)]), Int(3)]);
    assert_eq!(change(vec![Int(0x10), Int(1), Int(4), Bool(true)], 4, more.clone()), Ok(changed.bytes()));
    assert_eq!(change(vec![Int(4), Bool(true)], 4, more.clone()), Err(ResultCode::SERVER_ERROR));
    let changed = Ex::List(vec![Int(1), Ex::List(vec![Int(5), Int(6)]), Int(5)]);
    assert_eq!(change(vec![Int(4), Bool(true)], 0x14, more), Ok(changed.bytes()));
    let removed = Ex::List(vec![Int(1), Ex::List(vec![Int(5), Int(6)])]);
    assert_eq!(change(vec![Int(0x10), Int(2)], 4, op(100, [])), Ok(removed.bytes()));
}

#[test]
fn operations_read_and_write_values() {
    let bins = bins();
    let context = context(&bins);
    let operation = |expression: &Ex, flags: i64| Ex::List(vec![expression.clone(), Int(flags)]).bytes();
    let unknown = super::tests::bin(2, "none");
    assert_eq!(read(&context, &operation(&Int(1), 0)).unwrap(), Some(Bin::int(1)));
    assert_eq!(read(&context, &operation(&unknown, 0)).unwrap_err().code, ResultCode::OP_NOT_APPLICABLE);
    assert_eq!(read(&context, &operation(&unknown, 16)).unwrap(), None);
    assert_eq!(read(&context, &operation(&Int(1), 1)).unwrap_err().code, ResultCode::PARAMETER);
    let write = |name: &str, expression: &Ex, flags: i64| {
        modify(&context, name.as_bytes(), &operation(expression, flags))
            .map(|applied| applied.change)
            .map_err(|error| error.code)
    };
    assert_eq!(write("new", &Int(1), 0), Ok(Change::Set(Bin::int(1))));
    assert_eq!(write("i", &Int(1), 1), Err(ResultCode::BIN_EXISTS));
    assert_eq!(write("i", &Int(1), 9), Ok(Change::Keep));
    assert_eq!(write("new", &Int(1), 2), Err(ResultCode::BIN_NOT_FOUND));
    assert_eq!(write("i", &Ex::Nil, 0), Err(ResultCode::OP_NOT_APPLICABLE));
    assert_eq!(write("i", &Ex::Nil, 4), Ok(Change::Remove));
    assert_eq!(write("i", &Ex::Nil, 16), Ok(Change::Keep));
    assert_eq!(write("new", &Ex::Nil, 0), Ok(Change::Keep));
    assert_eq!(write("i", &unknown, 16), Ok(Change::Keep));
}

#[test]
fn hostile_expressions_are_bounded() {
    let nested = |depth: usize| (0..depth).fold(Bool(true), |inner, _| op(18, [inner]));
    assert!(Expression::parse(&nested(MAX_DEPTH - 1).bytes()).is_ok());
    assert!(refused(&nested(MAX_DEPTH)));
    // Lists that double: every variable is twice the one before.
    let mut doubled = vec![Raw("a"), bin(4, "l")];
    let names =
        ["b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"];
    let mut last = "a";
    for name in names.into_iter().chain(["v", "w", "x", "y", "z"]) {
        let before = || op(124, [Raw(last)]);
        doubled.extend([Raw(name), call(4, 0x40, op(2, [before()]), before())]);
        last = name;
    }
    doubled.push(call(2, 0, op(16, []), op(124, [Raw(last)])));
    let bytes = Op(125, doubled).bytes();
    let expression = Expression::parse(&bytes).unwrap();
    let result = expression.evaluate(&context(&bins()));
    assert!(
        matches!(result, Ok(None) | Err(OpError { code: ResultCode::OP_NOT_APPLICABLE, .. })),
        "{result:?}"
    );
    // As large as the server allows, and larger.
    let sum = |count: usize| Op(20, vec![Int(1); count]);
    assert_eq!(value(&sum(65_000)), Some(Bin::int(65_000)));
    assert!(refused(&sum(66_000)));
    // Paths in paths, each of which would recurse.
    let mut inner = Int(1);
    for _ in 0..200 {
        let path = op(0xfe, [Ex::List(vec![Int(4), Bool(true)]), Int(4), inner]);
        inner = call(4, 0x40, path, op(126, [Ex::List(vec![Int(1)])]));
    }
    let bytes = inner.bytes();
    if let Ok(expression) = Expression::parse(&bytes) {
        assert_eq!(expression.evaluate(&context(&bins())), Ok(None));
    }
}

/// Expressions of any types, mostly wrong.
fn any_expression() -> impl Strategy<Value = Ex> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Int),
        any::<f64>().prop_map(Float),
        any::<bool>().prop_map(Bool),
        prop::sample::select(vec!["", "a", "abc"]).prop_map(Str),
        prop::sample::select(vec!["i", "l", "^a", "x"]).prop_map(Raw),
        Just(Ex::Nil),
        Just(Ex::Blob(b"abc")),
        (1i64..10, prop::sample::select(vec!["i", "f", "s", "b", "t", "l"]))
            .prop_map(|(k, name)| bin(k, name)),
    ];
    leaf.prop_recursive(5, 60, 5, |inner| {
        let args = || prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            (0i64..130, args()).prop_map(|(code, args)| Op(code, args)),
            args().prop_map(|args| Op(126, vec![Ex::List(args)])),
            (1i64..10, 0i64..3, any::<bool>(), 0i64..70, args(), inner.clone()).prop_map(
                |(kind, system, modify, code, args, target)| {
                    call(kind, system | i64::from(modify) << 6, Op(code, args), target)
                }
            ),
            (args(), 0i64..6, inner.clone()).prop_map(|(steps, flags, value)| {
                call(4, 0x40, Op(0xfe, vec![Ex::List(steps), Int(flags), value]), bin(4, "l"))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn expressions_are_evaluated_or_refused(expression in any_expression()) {
        if let Ok(expression) = Expression::parse(&expression.bytes()) {
            _ = expression.evaluate(&context(&bins()));
        }
    }

    #[test]
    fn any_bytes_are_evaluated_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(expression) = Expression::parse(&bytes) {
            _ = expression.evaluate(&context(&bins()));
        }
        _ = modify(&context(&bins()), b"i", &bytes);
    }

    #[test]
    fn damaged_expressions_are_evaluated_or_refused(
        expression in any_expression(),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let mut bytes = expression.bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(expression) = Expression::parse(&bytes) {
            _ = expression.evaluate(&context(&bins()));
        }
    }
}
