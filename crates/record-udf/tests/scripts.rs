//! Scripts, and what a server answered to the same ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use record_ops::Bin;
use record_udf::{Limits, Modules, Reply, Runtime, StoredRecord, Subject};
use wire_protocol::ResultCode;
use wire_protocol::particle::{Particle, particle_type};
use wire_protocol::value::{Value, WriteValue};

const SOURCE: &str = include_str!("data/functions.lua");

fn modules() -> Arc<Modules> {
    let mut modules = Modules::default();
    modules.insert("functions.lua", SOURCE.as_bytes());
    modules.insert("helper.lua", b"local m = {} function m.name() return 'helper' end return m");
    modules.insert("hostile.lua", include_bytes!("data/hostile.lua"));
    Arc::new(modules)
}

fn arguments(items: Vec<Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Value::list(items).write_value(&mut bytes);
    bytes
}

fn bin(value: &Value) -> Bin {
    let mut bytes = Vec::new();
    value.write_value(&mut bytes);
    match value {
        Value::Int(number) => Bin::int(*number),
        Value::List { .. } => Bin::new(particle_type::LIST, bytes),
        Value::Map { .. } => Bin::new(particle_type::MAP, bytes),
        _ => unreachable!("the tests have no such bins"),
    }
}

fn stored() -> StoredRecord {
    let bins = [("i", Value::Int(1)), ("l", Value::list([1, 2])), ("m", Value::map([("a", 1)]))];
    let mut key = vec![particle_type::INTEGER];
    key.extend_from_slice(&1i64.to_be_bytes());
    StoredRecord {
        bins: bins.iter().map(|(name, value)| (name.as_bytes().into(), bin(value))).collect(),
        key: Some(key.into()),
        generation: 2,
        ttl: 0,
        last_update: 1,
        size: 96,
    }
}

fn subject(stored: Option<StoredRecord>) -> Subject {
    Subject { digest: [0xcd; 20], set: Box::from(&b"demo"[..]), key: None, stored, now: 5 }
}

fn value_of(bin: &Bin) -> Value {
    Value::from_particle(Particle::parse(bin.particle_type, &bin.bytes).unwrap()).unwrap()
}

/// The result of a function, or the text of its error.
fn apply(function: &str, stored: Option<StoredRecord>, items: Vec<Value>) -> Result<Value, String> {
    let mut runtime = Runtime::load(&modules(), "functions", Limits::default()).unwrap();
    match runtime.apply(function, subject(stored), &arguments(items), Duration::from_secs(5)) {
        Reply::Done { result, .. } => Ok(value_of(&result)),
        Reply::Failed(text) => Err(text),
        Reply::Refused(code) => Err(format!("code {}", code.get())),
    }
}

fn call(function: &str) -> Result<Value, String> {
    apply(function, Some(stored()), vec![])
}

fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::list(items)
}

macro_rules! values {
    ($($value:expr),* $(,)?) => { Value::list([$(Value::from($value)),*]) };
}

#[test]
fn lists_are_the_servers() {
    let far = |first: Vec<Value>| {
        let mut items = first;
        items.resize(19, Value::Nil);
        items.push("far".into());
        Value::list(items)
    };
    let start =
        || vec![1.into(), "ins".into(), 2.into(), 3.into(), "x".into(), true.into(), 1.5.into(), 9.into()];
    let text = "[1, \"ins\", 2, 3, \"x\", true, 1.5, 9, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, \"far\"]";
    assert_eq!(
        call("lists").unwrap(),
        list([
            20.into(),
            20.into(),
            text.into(),
            far(start()),
            values![1, "ins"],
            list([Value::Nil, "far".into()]),
            41.into(),
        ])
    );
    let nil = || Value::Nil;
    assert_eq!(
        call("lists2").unwrap(),
        list([
            list([1.into(), 2.into(), nil(), nil(), nil(), "i".into()]),
            list([nil()]),
            values![1, 2, 7, 8],
            values![1, 2, 1, 2, 7, 8],
            "[]".into(),
            true.into(),
            list([]),
            "[1, 2, NIL, NIL, NIL, \"i\"]".into(),
        ])
    );
    assert_eq!(
        call("loops").unwrap(),
        list([values![4, 5], list([true.into(), 1.into(), 2.into(), false.into()])])
    );
}

#[test]
fn maps_are_the_servers() {
    let nested = Value::map::<Value, Value>([
        (5.into(), 2.into()),
        ("a".into(), Value::Nil),
        ("z".into(), Value::map::<Value, Value>([])),
    ]);
    assert_eq!(
        call("maps").unwrap(),
        list([
            3.into(),
            3.into(),
            "{5:2, \"a\":NIL, \"z\":{}}".into(),
            nested,
            values![5, "a", "z"],
            values![2],
            11.into(),
        ])
    );
    assert_eq!(
        call("maps2").unwrap(),
        list([
            Value::map([("a", 1), ("b", 3), ("c", 4)]),
            Value::map([("a", 1), ("b", 5), ("c", 4)]),
            Value::map([("a", 1), ("c", 4)]),
            Value::map([("a", 1), ("b", 2)]),
            Value::map::<Value, Value>([]),
            Value::map::<Value, Value>([]),
            3.into(),
            6.into(),
        ])
    );
    assert_eq!(call("map_keys").unwrap(), Value::map([(Value::blob(b"ab".to_vec()), Value::Int(2))]));
}

#[test]
fn bytes_are_the_servers() {
    assert_eq!(
        call("fixed_ints").unwrap(),
        list([
            0.into(),
            12.into(),
            "09 00 00 07 68 65 79 FF 00 00 00 00".into(),
            7.into(),
            "hey".into(),
            255.into(),
            4.into(),
            Value::blob(vec![9, 0]),
            false.into(),
            (-2).into(),
        ])
    );
    assert_eq!(
        call("var_ints").unwrap(),
        list([
            2.into(),
            300.into(),
            2.into(),
            Value::blob(vec![]),
            "Bytes()".into(),
            false.into(),
            true.into()
        ])
    );
}

#[test]
fn records_are_read_and_written() {
    assert_eq!(call("exists").unwrap(), Value::Bool(true));
    assert_eq!(apply("exists", None, vec![]).unwrap(), Value::Bool(false));
    assert_eq!(
        call("meta").unwrap(),
        list([
            0.into(),
            2.into(),
            3.into(),
            "demo".into(),
            ["CD"; 20].join(" ").into(),
            96.into(),
            0.into(),
            1.into()
        ])
    );
    assert_eq!(call("names").unwrap(), values!["i", "l", "m"]);
    assert_eq!(
        apply("names", None, vec![]).unwrap_err(),
        "/opt/aerospike/usr/udf/lua/functions.lua:28: can't get bin names"
    );
    assert_eq!(apply("twice", None, vec![]).unwrap(), values![0, 0, 1, 2, 0]);
    assert_eq!(apply("twice", Some(stored()), vec![]).unwrap(), values![1, 0, 1, 2, 2]);
    assert_eq!(apply("update", None, vec![]).unwrap(), Value::Int(-2));
    assert_eq!(apply("remove", None, vec![]).unwrap(), Value::Int(1));
    assert_eq!(call("alias").unwrap(), list([1.into(), 2.into(), "more".into()]));
    assert_eq!(apply("many_bins", Some(stored()), vec![513.into()]).unwrap_err(), "code 21");
    assert_eq!(apply("many_bins", Some(stored()), vec![505.into()]).unwrap(), Value::Int(0));
}

#[test]
fn changes_are_what_was_written() {
    let mut runtime = Runtime::load(&modules(), "functions", Limits::default()).unwrap();
    let mut changes = |function: &str, stored| match runtime.apply(
        function,
        subject(stored),
        b"\x90",
        Duration::from_secs(5),
    ) {
        Reply::Done { changes, .. } => changes,
        other => panic!("{function}: {other:?}"),
    };
    assert_eq!(changes("not_written", Some(stored())), None);
    let written = changes("twice", None).unwrap();
    assert_eq!((written.bins.len(), written.old_bins), (1, 0));
    let mut untouched = stored();
    untouched.bins.retain(|(name, _)| **name == *b"l");
    // The list was changed, but not set.
    assert_eq!(changes("alias", Some(untouched.clone())).unwrap().bins, untouched.bins);
    let removed = changes("remove", Some(stored())).unwrap();
    assert_eq!((removed.bins.len(), removed.old_bins), (0, 3));
    let timed = changes("set_ttl", Some(stored())).unwrap();
    assert_eq!((timed.ttl, timed.drops_key), (Some(100), true));
}

#[test]
fn errors_have_the_servers_texts() {
    let at = |line: u32, text: &str| format!("/opt/aerospike/usr/udf/lua/functions.lua:{line}: {text}");
    for (function, text) in [
        ("error_text", at(49, "no luck")),
        ("error_plain", "plain".into()),
        ("error_table", "result value type unexpected".into()),
        ("call_nil", at(52, "attempt to call a nil value (local 'f')")),
        ("index_nil", at(53, "attempt to index a nil value (field 'x')")),
        ("set_table", at(54, "can't set bin t to unsupported type")),
        ("bad_list", at(55, "bad argument #1 to 'append' (userdata expected, got number)")),
        ("bad_map", at(56, "bad argument #1 to 'keys' (Map expected, got List)")),
        ("no_method", at(57, "attempt to call a nil value (method 'nothere')")),
        ("nowhere", "function not found".into()),
    ] {
        assert_eq!(call(function).unwrap_err(), text, "{function}");
    }
    assert_eq!(
        call("caught").unwrap(),
        Value::from(at(58, "bad argument #1 to 'size' (userdata expected, got nil)"))
    );
}

#[test]
fn values_pass_both_ways() {
    for value in [
        Value::Nil,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Float(1.5),
        "text".into(),
        Value::blob(vec![1, 2]),
        values![1, "a"],
        Value::map([("k", values![1])]),
    ] {
        assert_eq!(apply("echo", None, vec![value.clone()]).unwrap(), value);
    }
    assert_eq!(apply("count", None, vec![1.into(), Value::Nil, 2.into()]).unwrap(), Value::Int(3));
    for (value, text) in [
        (Value::Int(1), "number 1"),
        (values![1, "a"], "userdata [1, \"a\"]"),
        (Value::map([("a", values![1])]), "userdata {\"a\":[1]}"),
        (Value::blob(b"ab".to_vec()), "userdata 61 62"),
        (Value::Nil, "nil nil"),
    ] {
        assert_eq!(apply("kind", None, vec![value]).unwrap(), Value::from(text));
    }
    assert_eq!(call("nul").unwrap(), Value::from("a"));
    assert_eq!(call("table").unwrap(), Value::Nil);
    assert_eq!(call("required").unwrap(), Value::from("helper"));
    assert_eq!(call("classes").unwrap(), values![true, true, true, false]);
}

#[test]
fn modules_that_do_not_compile_name_line_and_reason() {
    let check = |source: &str| {
        let error = Runtime::check(&modules(), "m.lua", source.as_bytes(), Limits::default()).unwrap_err();
        (error.file, error.line, error.message)
    };
    let of = |line, text: &str| ("m.lua".to_owned(), line, text.to_owned());
    assert_eq!(check("function f(\n  x = = 3\nend"), of(2, "')' expected near '='"));
    assert_eq!(check("local x = 1\nerror('boom')"), of(2, "boom"));
    assert_eq!(check("local x = nil\nx.y = 1"), of(2, "attempt to index a nil value (local 'x')"));
    assert_eq!(check("error({})"), (String::new(), 0, "(Null error message returned by lua)".into()));
    assert_eq!(check("while true do end").2, "UDF Execution Timeout");
    assert!(check("\x1bLua").2.contains("attempt to load a binary chunk"));
    assert_eq!(Runtime::check(&modules(), "m.lua", SOURCE.as_bytes(), Limits::default()), Ok(()));
    assert_eq!(
        Runtime::load(&modules(), "nowhere", Limits::default()).err().unwrap().0,
        "UDF: Execution Error 1"
    );
}

fn limits() -> Limits {
    Limits { memory: 8 * 1024 * 1024, ..Limits::default() }
}

#[test]
fn hostile_scripts_end() {
    let names = SOURCES_OF_HARM;
    for &(function, expected) in names {
        let mut runtime = Runtime::load(&modules(), "hostile", limits()).unwrap();
        let time = Duration::from_millis(if expected.contains("Timeout") { 100 } else { 4000 });
        let started = Instant::now();
        let reply = runtime.apply(function, subject(Some(stored())), b"\x90", time);
        let Reply::Failed(text) = &reply else { panic!("{function}: {reply:?}") };
        assert!(text.contains(expected), "{function}: {text}");
        assert!(started.elapsed() < Duration::from_secs(8), "{function} took {:?}", started.elapsed());
        // The state still works.
        let reply = runtime.apply("fine", subject(None), b"\x90", Duration::from_secs(1));
        assert!(matches!(reply, Reply::Done { .. }), "after {function}: {reply:?}");
    }
}

const SOURCES_OF_HARM: &[(&str, &str)] = &[
    ("spin", "UDF Execution Timeout"),
    ("spin_caught", "UDF Execution Timeout"),
    ("spin_deep", "UDF Execution Timeout"),
    ("eat_strings", "not enough memory"),
    ("eat_lists", "not enough memory"),
    ("eat_bytes", "not enough memory"),
    ("eat_maps", "not enough memory"),
    ("far_list", "not enough memory"),
    ("empty_rep", "done"),
    ("move", "UDF Execution Timeout"),
    ("long_rep", "resulting string too large"),
    ("recursion", "not enough memory"),
    ("collector", "'__gc' is not available"),
    ("bytecode", "attempt to load a binary chunk"),
    ("outside", "nothing"),
    ("cycle_text", "contains itself"),
    ("wide_text", "contains itself"),
];

#[test]
fn values_that_contain_themselves_are_neither_stored_nor_kept() {
    let mut runtime = Runtime::load(&modules(), "hostile", limits()).unwrap();
    for _ in 0..100 {
        let reply = runtime.apply("cycle", subject(None), b"\x90", Duration::from_secs(1));
        assert!(matches!(reply, Reply::Done { result: Bin { particle_type: particle_type::NIL, .. }, .. }));
        let reply = runtime.apply("store_cycle", subject(None), b"\x90", Duration::from_secs(1));
        assert_eq!(reply, Reply::Refused(ResultCode::new(12)));
        let reply = runtime.apply("deep", subject(None), b"\x90", Duration::from_secs(1));
        assert!(matches!(reply, Reply::Done { .. }), "{reply:?}");
    }
}

#[test]
fn arguments_that_are_no_list_count_as_none() {
    let mut runtime = Runtime::load(&modules(), "functions", Limits::default()).unwrap();
    for arguments in [&b""[..], b"\x01", b"\x92\x01", b"\xc1", b"\xdd\xff\xff\xff\xff"] {
        let Reply::Done { result, .. } =
            runtime.apply("count", subject(None), arguments, Duration::from_secs(1))
        else {
            panic!("{arguments:?}")
        };
        assert_eq!(value_of(&result), Value::Int(0));
    }
}
