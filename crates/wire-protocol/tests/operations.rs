//! Every operation on lists, maps, bits and sketches of the recorded traffic, rebuilt with the functions of this crate.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value as Json;
use wire_protocol::batch::{
    BatchHeader, BatchRequestRows, BatchWriter, EncodedOps, OperateRow, RowAttributes,
};
use wire_protocol::bitwise::{bit_command as b, bits};
use wire_protocol::collection::{
    ListPolicy, MapPolicy, ReturnType, list, list_command as l, map, map_command as m, path, path_flags,
};
use wire_protocol::command::{OperateReads, RecordKey, WriteOptions, write_operate};
use wire_protocol::expression::{ExpType, Expression, exp, exp_flags};
use wire_protocol::hll::{hll_command as h, sketch};
use wire_protocol::message::{FrameHeader, Message, Op, field_type, op};
use wire_protocol::msgpack::{Reader, Token};
use wire_protocol::operation::{Argument, Call, Context, Family, Operation, WITH_CONTEXT};
use wire_protocol::particle::Particle;
use wire_protocol::string::{string_flags, text};
use wire_protocol::value::{Encoded, ListOrder, MapOrder, Value, WriteValue};

/// The requests of one file of the recorded test-suite.
fn requests(path: &Path) -> Vec<Vec<u8>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    lines
        .filter(|line| line["dir"] == "request" && line["type"] == "message")
        .map(|line| {
            let hex = line["hex"].as_str().unwrap();
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        })
        .collect()
}

/// The arguments of a command.
struct Arguments<'a> {
    all: Vec<&'a [u8]>,
}

impl<'a> Arguments<'a> {
    fn count(&self) -> usize {
        self.all.len()
    }

    fn value(&self, at: usize) -> Argument {
        Argument::encoded(Encoded(self.all[at]))
    }

    fn int(&self, at: usize) -> i64 {
        match Reader::new(self.all[at]).token() {
            Ok(Token::Int(value)) => value,
            other => panic!("{other:?} is not an integer"),
        }
    }

    fn returns(&self) -> ReturnType {
        ReturnType::from_bits(self.int(0))
    }

    /// Order and flags from this argument on, if they are there.
    fn list_policy(&self, at: usize) -> Option<ListPolicy> {
        (self.count() > at).then(|| ListPolicy {
            order: ListOrder::from_bits(self.int(at)).unwrap(),
            flags: self.int(at + 1),
        })
    }

    /// Flags without an order.
    fn list_flags(&self, at: usize) -> Option<ListPolicy> {
        (self.count() > at).then(|| ListPolicy { flags: self.int(at), ..ListPolicy::default() })
    }

    fn map_policy(&self, at: usize) -> MapPolicy {
        let attributes = self.int(at);
        MapPolicy {
            order: MapOrder::from_bits(attributes & 0x0f).unwrap(),
            persist_index: attributes & 0x10 != 0,
            flags: if self.count() > at + 1 { self.int(at + 1) } else { 0 },
        }
    }
}

fn element<'a>(reader: &mut Reader<'a>) -> &'a [u8] {
    let before = reader.rest();
    reader.skip_value().unwrap();
    &before[..before.len() - reader.remaining()]
}

/// Context, command and arguments.
fn parse(value: &[u8]) -> (Option<Context>, u8, Arguments<'_>) {
    let mut reader = Reader::new(value);
    let Token::List { mut len } = reader.token().unwrap() else { panic!("no list") };
    let mut command = reader.int().unwrap();
    let mut context = None;
    if command == i64::from(WITH_CONTEXT) {
        context = Some(Context::from_bytes(element(&mut reader)).unwrap());
        let Token::List { len: inner } = reader.token().unwrap() else { panic!("no list") };
        len = inner;
        command = reader.int().unwrap();
    }
    let all = (1..len).map(|_| element(&mut reader)).collect();
    assert!(reader.is_at_end());
    (context, u8::try_from(command).unwrap(), Arguments { all })
}

fn list_call(command: u8, a: &Arguments<'_>) -> Call {
    let (v, r) = (|at| a.value(at), a);
    match (command, a.count()) {
        (l::SET_ORDER, 1) => list::set_order(ListOrder::from_bits(a.int(0)).unwrap()),
        (l::APPEND, _) => list::append(v(0), a.list_policy(1)),
        (l::APPEND_ITEMS, _) => list::append_items(v(0), a.list_policy(1)),
        (l::INSERT, _) => list::insert(v(0), v(1), a.list_flags(2)),
        (l::INSERT_ITEMS, _) => list::insert_items(v(0), v(1), a.list_flags(2)),
        (l::SET, _) => list::set(v(0), v(1), a.list_flags(2)),
        (l::INCREMENT, _) => list::increment(v(0), v(1), a.list_policy(2)),
        (l::POP, 1) => list::pop(v(0)),
        (l::POP_RANGE, 2) => list::pop_range(v(0), v(1)),
        (l::POP_RANGE, 1) => list::pop_range_from(v(0)),
        (l::REMOVE, 1) => list::remove(v(0)),
        (l::REMOVE_RANGE, 2) => list::remove_range(v(0), v(1)),
        (l::REMOVE_RANGE, 1) => list::remove_range_from(v(0)),
        (l::TRIM, 2) => list::trim(v(0), v(1)),
        (l::CLEAR, 0) => list::clear(),
        (l::SORT, 1) => list::sort(a.int(0)),
        (l::SIZE, 0) => list::size(),
        (l::GET, 1) => list::get(v(0)),
        (l::GET_RANGE, 2) => list::get_range(v(0), v(1)),
        (l::GET_RANGE, 1) => list::get_range_from(v(0)),
        (l::GET_BY_INDEX, 2) => list::get_by_index(v(1), r.returns()),
        (l::GET_BY_RANK, 2) => list::get_by_rank(v(1), r.returns()),
        (l::GET_BY_VALUE, 2) => list::get_by_value(v(1), r.returns()),
        (l::GET_BY_VALUE_LIST, 2) => list::get_by_value_list(v(1), r.returns()),
        (l::GET_BY_INDEX_RANGE, 3) => list::get_by_index_range(v(1), v(2), r.returns()),
        (l::GET_BY_INDEX_RANGE, 2) => list::get_by_index_range_from(v(1), r.returns()),
        (l::GET_BY_VALUE_RANGE, 3) => list::get_by_value_range(v(1), v(2), r.returns()),
        (l::GET_BY_VALUE_RANGE, 2) => list::get_by_value_range_from(v(1), r.returns()),
        (l::GET_BY_RANK_RANGE, 3) => list::get_by_rank_range(v(1), v(2), r.returns()),
        (l::GET_BY_RANK_RANGE, 2) => list::get_by_rank_range_from(v(1), r.returns()),
        (l::GET_BY_VALUE_REL_RANK_RANGE, 4) => {
            list::get_by_value_rel_rank_range(v(1), v(2), v(3), r.returns())
        }
        (l::GET_BY_VALUE_REL_RANK_RANGE, 3) => {
            list::get_by_value_rel_rank_range_from(v(1), v(2), r.returns())
        }
        (l::REMOVE_BY_INDEX, 2) => list::remove_by_index(v(1), r.returns()),
        (l::REMOVE_BY_RANK, 2) => list::remove_by_rank(v(1), r.returns()),
        (l::REMOVE_BY_VALUE, 2) => list::remove_by_value(v(1), r.returns()),
        (l::REMOVE_BY_VALUE_LIST, 2) => list::remove_by_value_list(v(1), r.returns()),
        (l::REMOVE_BY_INDEX_RANGE, 3) => list::remove_by_index_range(v(1), v(2), r.returns()),
        (l::REMOVE_BY_INDEX_RANGE, 2) => list::remove_by_index_range_from(v(1), r.returns()),
        (l::REMOVE_BY_VALUE_RANGE, 3) => list::remove_by_value_range(v(1), v(2), r.returns()),
        (l::REMOVE_BY_VALUE_RANGE, 2) => list::remove_by_value_range_from(v(1), r.returns()),
        (l::REMOVE_BY_RANK_RANGE, 3) => list::remove_by_rank_range(v(1), v(2), r.returns()),
        (l::REMOVE_BY_RANK_RANGE, 2) => list::remove_by_rank_range_from(v(1), r.returns()),
        (l::REMOVE_BY_VALUE_REL_RANK_RANGE, 4) => {
            list::remove_by_value_rel_rank_range(v(1), v(2), v(3), r.returns())
        }
        (l::REMOVE_BY_VALUE_REL_RANK_RANGE, 3) => {
            list::remove_by_value_rel_rank_range_from(v(1), v(2), r.returns())
        }
        other => panic!("{other:?}: no such operation on lists"),
    }
}

fn map_call(command: u8, a: &Arguments<'_>) -> Call {
    let (v, r) = (|at| a.value(at), a);
    match (command, a.count()) {
        (m::SET_ORDER, 1) => map::set_policy(a.map_policy(0)),
        (m::PUT, _) => map::put(v(0), v(1), a.map_policy(2)),
        (m::PUT_ITEMS, _) => map::put_items(v(0), a.map_policy(1)),
        (m::INCREMENT, 3) => map::increment(v(0), v(1), a.map_policy(2)),
        (m::DECREMENT, 3) => map::decrement(v(0), v(1), a.map_policy(2)),
        (m::CLEAR, 0) => map::clear(),
        (m::SIZE, 0) => map::size(),
        (m::GET_BY_KEY, 2) => map::get_by_key(v(1), r.returns()),
        (m::GET_BY_KEY_LIST, 2) => map::get_by_key_list(v(1), r.returns()),
        (m::GET_BY_KEY_RANGE, 3) => map::get_by_key_range(v(1), v(2), r.returns()),
        (m::GET_BY_KEY_RANGE, 2) => map::get_by_key_range_from(v(1), r.returns()),
        (m::GET_BY_KEY_REL_INDEX_RANGE, 4) => map::get_by_key_rel_index_range(v(1), v(2), v(3), r.returns()),
        (m::GET_BY_KEY_REL_INDEX_RANGE, 3) => map::get_by_key_rel_index_range_from(v(1), v(2), r.returns()),
        (m::GET_BY_VALUE, 2) => map::get_by_value(v(1), r.returns()),
        (m::GET_BY_VALUE_LIST, 2) => map::get_by_value_list(v(1), r.returns()),
        (m::GET_BY_VALUE_RANGE, 3) => map::get_by_value_range(v(1), v(2), r.returns()),
        (m::GET_BY_VALUE_RANGE, 2) => map::get_by_value_range_from(v(1), r.returns()),
        (m::GET_BY_VALUE_REL_RANK_RANGE, 4) => {
            map::get_by_value_rel_rank_range(v(1), v(2), v(3), r.returns())
        }
        (m::GET_BY_VALUE_REL_RANK_RANGE, 3) => map::get_by_value_rel_rank_range_from(v(1), v(2), r.returns()),
        (m::GET_BY_INDEX, 2) => map::get_by_index(v(1), r.returns()),
        (m::GET_BY_INDEX_RANGE, 3) => map::get_by_index_range(v(1), v(2), r.returns()),
        (m::GET_BY_INDEX_RANGE, 2) => map::get_by_index_range_from(v(1), r.returns()),
        (m::GET_BY_RANK, 2) => map::get_by_rank(v(1), r.returns()),
        (m::GET_BY_RANK_RANGE, 3) => map::get_by_rank_range(v(1), v(2), r.returns()),
        (m::GET_BY_RANK_RANGE, 2) => map::get_by_rank_range_from(v(1), r.returns()),
        (m::REMOVE_BY_KEY, 2) => map::remove_by_key(v(1), r.returns()),
        (m::REMOVE_BY_KEY_LIST, 2) => map::remove_by_key_list(v(1), r.returns()),
        (m::REMOVE_BY_KEY_RANGE, 3) => map::remove_by_key_range(v(1), v(2), r.returns()),
        (m::REMOVE_BY_KEY_RANGE, 2) => map::remove_by_key_range_from(v(1), r.returns()),
        (m::REMOVE_BY_KEY_REL_INDEX_RANGE, 4) => {
            map::remove_by_key_rel_index_range(v(1), v(2), v(3), r.returns())
        }
        (m::REMOVE_BY_KEY_REL_INDEX_RANGE, 3) => {
            map::remove_by_key_rel_index_range_from(v(1), v(2), r.returns())
        }
        (m::REMOVE_BY_VALUE, 2) => map::remove_by_value(v(1), r.returns()),
        (m::REMOVE_BY_VALUE_LIST, 2) => map::remove_by_value_list(v(1), r.returns()),
        (m::REMOVE_BY_VALUE_RANGE, 3) => map::remove_by_value_range(v(1), v(2), r.returns()),
        (m::REMOVE_BY_VALUE_RANGE, 2) => map::remove_by_value_range_from(v(1), r.returns()),
        (m::REMOVE_BY_VALUE_REL_RANK_RANGE, 4) => {
            map::remove_by_value_rel_rank_range(v(1), v(2), v(3), r.returns())
        }
        (m::REMOVE_BY_VALUE_REL_RANK_RANGE, 3) => {
            map::remove_by_value_rel_rank_range_from(v(1), v(2), r.returns())
        }
        (m::REMOVE_BY_INDEX, 2) => map::remove_by_index(v(1), r.returns()),
        (m::REMOVE_BY_INDEX_RANGE, 3) => map::remove_by_index_range(v(1), v(2), r.returns()),
        (m::REMOVE_BY_INDEX_RANGE, 2) => map::remove_by_index_range_from(v(1), r.returns()),
        (m::REMOVE_BY_RANK, 2) => map::remove_by_rank(v(1), r.returns()),
        (m::REMOVE_BY_RANK_RANGE, 3) => map::remove_by_rank_range(v(1), v(2), r.returns()),
        (m::REMOVE_BY_RANK_RANGE, 2) => map::remove_by_rank_range_from(v(1), r.returns()),
        other => panic!("{other:?}: no such operation on maps"),
    }
}

fn bit_call(command: u8, a: &Arguments<'_>) -> Call {
    let v = |at| a.value(at);
    match (command, a.count()) {
        (b::RESIZE, 3) => bits::resize(v(0), a.int(1), a.int(2)),
        (b::INSERT, 3) => bits::insert(v(0), v(1), a.int(2)),
        (b::REMOVE, 3) => bits::remove(v(0), v(1), a.int(2)),
        (b::SET, 4) => bits::set(v(0), v(1), v(2), a.int(3)),
        (b::OR, 4) => bits::or(v(0), v(1), v(2), a.int(3)),
        (b::XOR, 4) => bits::xor(v(0), v(1), v(2), a.int(3)),
        (b::AND, 4) => bits::and(v(0), v(1), v(2), a.int(3)),
        (b::NOT, 3) => bits::not(v(0), v(1), a.int(2)),
        (b::LSHIFT, 4) => bits::lshift(v(0), v(1), v(2), a.int(3)),
        (b::RSHIFT, 4) => bits::rshift(v(0), v(1), v(2), a.int(3)),
        (b::ADD, 5) => bits::add(v(0), v(1), v(2), a.int(3), a.int(4)),
        (b::SUBTRACT, 5) => bits::subtract(v(0), v(1), v(2), a.int(3), a.int(4)),
        (b::SET_INT, 4) => bits::set_int(v(0), v(1), v(2), a.int(3)),
        (b::GET, 2) => bits::get(v(0), v(1)),
        (b::COUNT, 2) => bits::count(v(0), v(1)),
        (b::LSCAN, 3) => bits::lscan(v(0), v(1), v(2)),
        (b::RSCAN, 3) => bits::rscan(v(0), v(1), v(2)),
        (b::GET_INT, 2) => bits::get_int(v(0), v(1), false),
        (b::GET_INT, 3) => bits::get_int(v(0), v(1), true),
        other => panic!("{other:?}: no such operation on bits"),
    }
}

fn hll_call(command: u8, a: &Arguments<'_>) -> Call {
    let v = |at| a.value(at);
    match (command, a.count()) {
        (h::INIT, 3) => sketch::init(v(0), v(1), a.int(2)),
        (h::ADD, 4) => sketch::add(v(0), v(1), v(2), a.int(3)),
        (h::SET_UNION, 2) => sketch::set_union(v(0), a.int(1)),
        (h::REFRESH_COUNT, 0) => sketch::refresh_count(),
        (h::FOLD, 1) => sketch::fold(v(0)),
        (h::COUNT, 0) => sketch::get_count(),
        (h::GET_UNION, 1) => sketch::get_union(v(0)),
        (h::UNION_COUNT, 1) => sketch::get_union_count(v(0)),
        (h::INTERSECT_COUNT, 1) => sketch::get_intersect_count(v(0)),
        (h::SIMILARITY, 1) => sketch::get_similarity(v(0)),
        (h::DESCRIBE, 0) => sketch::describe(),
        other => panic!("{other:?}: no such operation on sketches"),
    }
}

/// Rebuilds an operation, and says what it is; None if it is of another kind.
fn rebuild(recorded: &Op<'_>) -> Option<(u8, u8)> {
    let Particle::Blob(value) = recorded.particle().unwrap() else { return None };
    if matches!(recorded.code, op::EXP_READ | op::EXP_MODIFY) {
        let mut reader = Reader::new(value);
        assert_eq!(reader.token(), Ok(Token::List { len: 2 }));
        let expression = Expression::from_bytes(element(&mut reader).to_vec()).unwrap();
        let flags = reader.int().unwrap();
        let name = std::str::from_utf8(recorded.name).unwrap();
        let write = if recorded.code == op::EXP_READ {
            wire_protocol::expression::read
        } else {
            wire_protocol::expression::write
        };
        assert_eq!(write(name, &expression, flags).unwrap().value(), value);
        return Some((recorded.code, 0));
    }
    let (family, modifies) = Family::of_op(recorded.code)?;
    let (context, command, arguments) = parse(value);
    let call = match family {
        Family::Collection if command < m::SET_ORDER => list_call(command, &arguments),
        Family::Collection => map_call(command, &arguments),
        Family::Bits => bit_call(command, &arguments),
        Family::Hll => hll_call(command, &arguments),
        Family::Text => return None,
    };
    let call = match context {
        Some(context) => call.at(context),
        None => call,
    };
    let operation = call.on(std::str::from_utf8(recorded.name).unwrap()).unwrap();
    assert_eq!(operation.value(), value, "{call:?}");
    assert_eq!((operation.code(), operation.modifies()), (recorded.code, modifies), "{call:?}");
    let (ours, theirs) = (operation.as_op(), recorded.particle().unwrap());
    assert_eq!((ours.name, ours.value), (recorded.name, theirs), "{call:?}");
    Some((recorded.code, command))
}

#[test]
fn recorded_operations_are_rebuilt() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire-captures/suite");
    let mut kinds: BTreeMap<(u8, u8), usize> = BTreeMap::new();
    let mut in_batches = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "gz") {
            continue;
        }
        for frame in requests(&path) {
            let message = Message::parse_only(&frame[FrameHeader::LEN..]).unwrap();
            for op in message.ops() {
                if let Some(kind) = rebuild(&op) {
                    *kinds.entry(kind).or_default() += 1;
                }
            }
            let Some(rows) = message.field(field_type::BATCH) else { continue };
            for row in BatchRequestRows::parse(rows).unwrap() {
                for op in row.ops() {
                    if let Some(kind) = rebuild(&op) {
                        *kinds.entry(kind).or_default() += 1;
                        in_batches += 1;
                    }
                }
            }
        }
    }
    let operations: usize = kinds.values().sum();
    assert!(operations >= 3629, "{operations} operations");
    assert!(kinds.len() >= 95, "{} kinds: {kinds:?}", kinds.len());
    assert!(in_batches >= 5, "{in_batches} in batches");
}

/// What the official Python client (19.3) sends; no recorded server is new enough for most of these.
#[test]
fn operations_on_text_and_paths_are_those_of_the_official_client() {
    let at = || Context::new().list_index(1);
    let value = exp::loop_var(ExpType::Int, exp_flags::LOOP_VAR_VALUE);
    let many = exp::gt(value.clone(), 2);
    let filtered = Context::new().children_where(&many).unwrap();
    let modified = path::modify("b", &at(), value.to_bytes().unwrap(), path_flags::MATCHING_TREE);
    let on = |call: Call| call.on("b").unwrap();
    let cases = [
        (on(text::strlen().at(at())), 17, "93ccff9210019100"),
        (on(text::strlen()), 17, "9100"),
        (on(text::upper(0).at(at())), 18, "93ccff921001923800"),
        (on(text::upper(0)), 18, "923800"),
        (text::to_string("b").unwrap(), 19, ""),
        (on(list::join_with(",")), 3, "921ca2032c"),
        (on(list::join()), 3, "911c"),
        (on(text::find("x", 1)), 17, "9303a2037801"),
        (on(text::is_numeric(string_flags::NUMERIC_ANY)), 17, "920a00"),
        (on(text::regex_compare("x", 0)), 17, "9310a2037800"),
        (on(text::concat(["x", "y"], 0)), 18, "933492a20378a2037900"),
        (on(text::concat(["x"], 0)), 18, "933491a2037800"),
        (on(text::snip_from(1)), 18, "923501"),
        (on(text::snip(1, 2, 0)), 18, "9435010200"),
        (on(text::replace("x", "y", 0)), 18, "933692a20378a2037900"),
        (
            on(text::regex_replace("x", "y", string_flags::REGEX_GLOBAL, string_flags::NO_FAIL)),
            18,
            "944292a20378a203791004",
        ),
        (on(text::pad_start(9, "x", 0)), 18, "943f09a2037800"),
        (on(text::repeat(2, 0)), 18, "93410200"),
        (path::select("b", &at(), path_flags::VALUE).unwrap(), 3, "93ccfe92100101"),
        (modified.unwrap(), 4, "94ccfe92100104937a0201"),
        (path::select("b", &filtered, path_flags::VALUE).unwrap(), 3, "93ccfe92049303937a02010201"),
    ];
    for (operation, code, hex) in cases {
        let found: String = operation.value().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((operation.code(), &*found), (code, hex), "{operation:?}");
        let is_text = matches!(code, op::STRING_READ | op::STRING_MODIFY);
        assert_eq!(matches!(operation.as_op().value, Particle::Str(_)), is_text);
        assert_eq!(matches!(operation.as_op().value, Particle::Nil), code == op::TO_STRING);
    }
}

/// Operations are part of requests for a record and of rows of a batch as they are.
#[test]
fn operations_fit_into_requests() {
    let operations = [
        list::append("x", None).on("tags").unwrap(),
        bits::count(0, 8).on("flags").unwrap(),
        sketch::add(vec!["a"], 10, -1, 0).on("seen").unwrap(),
        wire_protocol::expression::read("sum", &exp::add([exp::int_bin("a"), exp::val(1)]), 0).unwrap(),
    ];
    let key =
        RecordKey { namespace: b"test", set: b"s", digest: &[7; 20], send_key: None, transaction: None };
    let reads = OperateReads { reads: true, writes: true, ..OperateReads::default() };
    let mut out = Vec::new();
    let ops = operations.iter().map(Operation::as_op);
    write_operate(&mut out, &key, ops, &WriteOptions::default(), &reads).unwrap();
    let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
    let kinds: Vec<_> = message.ops().map(|op| rebuild(&op).unwrap()).collect();
    assert_eq!(kinds, [(4, 1), (12, 51), (16, 1), (7, 0)]);

    let mut encoded = Vec::new();
    operations.iter().for_each(|operation| operation.write(&mut encoded));
    let mut batch = Vec::new();
    let mut writer = BatchWriter::new(&mut batch, &BatchHeader::default());
    let row = OperateRow {
        index: 0,
        digest: &[7; 20],
        namespace: b"test",
        set: b"s",
        send_key: None,
        transaction: None,
        attributes: RowAttributes::write(&WriteOptions::default(), true).unwrap(),
    };
    writer.row(&row, EncodedOps { count: operations.len(), bytes: &encoded }).unwrap();
    writer.finish().unwrap();
    let message = Message::parse_only(&batch[FrameHeader::LEN..]).unwrap();
    let mut rows = BatchRequestRows::parse(message.field(field_type::BATCH).unwrap()).unwrap();
    let in_row: Vec<_> = rows.next().unwrap().ops().map(|op| rebuild(&op).unwrap()).collect();
    assert_eq!(in_row, kinds);
}

proptest! {
    /// Readers of bytes neither panic nor recurse without bound, and what they read is written back the same.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(value) = Value::from_msgpack(&bytes) {
            let mut written = Vec::new();
            value.write_value(&mut written);
            let mut again = Vec::new();
            Value::from_msgpack(&written).unwrap().write_value(&mut again);
            prop_assert_eq!(written, again);
        }
        if let Ok(context) = Context::from_bytes(&bytes) {
            prop_assert_eq!(Context::from_bytes(&context.to_bytes()), Ok(context));
        }
        if let Ok(expression) = Expression::from_bytes(bytes.clone()) {
            prop_assert_eq!(expression.to_bytes(), Ok(&bytes[..]));
        }
    }
}
