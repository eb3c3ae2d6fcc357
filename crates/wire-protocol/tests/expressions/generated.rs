//! Generated trees of expressions, encoded by this crate and by the official Rust client.

use std::collections::HashMap;

use aerospike::expressions::{self as rs, bitwise, hll, lists, maps, string};
use aerospike::operations::bitwise::{BitPolicy, BitwiseOverflowActions, BitwiseResizeFlags};
use aerospike::operations::cdt_context::{self, CdtContext};
use aerospike::operations::hll::HllPolicy;
use aerospike::{ListOrderType, ListReturnType, ListSortFlags, ListWriteFlags, MapReturnType, MapWriteFlags};
use proptest::prelude::*;
use wire_protocol::bitwise::bits;
use wire_protocol::collection::{ListPolicy, MapPolicy, ReturnType, list, map};
use wire_protocol::expression::{ExpType, Expression, exp};
use wire_protocol::hll::sketch;
use wire_protocol::operation::Context;
use wire_protocol::string::text;
use wire_protocol::value::{ListOrder, MapOrder, Value};

/// The same expression, by this crate and by the other client.
type Pair = (Expression, rs::Expression);

/// The same value.
type ValuePair = (Value, aerospike::Value);

fn scalars() -> BoxedStrategy<ValuePair> {
    prop_oneof![
        Just((Value::Nil, aerospike::Value::Nil)),
        any::<bool>().prop_map(|value| (value.into(), value.into())),
        integers().prop_map(|value| (value.into(), value.into())),
        any::<f64>().prop_map(|value| (value.into(), value.into())),
        ".{0,40}".prop_map(|value| (Value::from(&*value), value.into())),
        proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(|value| (Value::blob(value.clone()), aerospike::Value::Blob(value))),
    ]
    .boxed()
}

/// Integers of every encoded size.
fn integers() -> BoxedStrategy<i64> {
    prop_oneof![any::<i64>(), any::<i8>().prop_map(i64::from), any::<i16>().prop_map(i64::from)].boxed()
}

/// What may be the key of a map.
fn keys() -> BoxedStrategy<ValuePair> {
    prop_oneof![
        integers().prop_map(|value| (value.into(), value.into())),
        "[a-z]{0,6}".prop_map(|value| (Value::from(&*value), value.into())),
        proptest::collection::vec(any::<u8>(), 0..6)
            .prop_map(|value| (Value::blob(value.clone()), aerospike::Value::Blob(value))),
    ]
    .boxed()
}

/// Values whose maps have at most so many pairs.
fn values(most_pairs: usize) -> BoxedStrategy<ValuePair> {
    scalars()
        .prop_recursive(3, 24, 6, move |inner| prop_oneof![a_list(inner.clone()), a_map(inner, most_pairs)])
        .boxed()
}

fn a_list(items: impl Strategy<Value = ValuePair> + 'static) -> BoxedStrategy<ValuePair> {
    proptest::collection::vec(items, 0..6)
        .prop_map(|items| {
            let (ours, theirs): (Vec<_>, Vec<_>) = items.into_iter().unzip();
            (Value::list(ours), aerospike::Value::List(theirs))
        })
        .boxed()
}

fn a_map(values: impl Strategy<Value = ValuePair> + 'static, most_pairs: usize) -> BoxedStrategy<ValuePair> {
    proptest::collection::vec((keys(), values), 0..=most_pairs)
        .prop_map(|pairs| {
            let mut ours: Vec<(Value, Value)> = Vec::new();
            let mut theirs = HashMap::new();
            for ((key, their_key), (value, their_value)) in pairs {
                if theirs.insert(their_key, their_value).is_some() {
                    ours.retain(|(known, _)| *known != key);
                }
                ours.push((key, value));
            }
            (Value::map(ours), aerospike::Value::HashMap(theirs))
        })
        .boxed()
}

/// Literals. The other client does not sort maps inside literal lists, as the Python client does, so these have no more
/// than one pair.
fn literals() -> BoxedStrategy<ValuePair> {
    prop_oneof![scalars(), a_map(values(6), 6), a_list(values(1))].boxed()
}

fn literal((ours, theirs): ValuePair) -> Pair {
    let theirs = match theirs {
        aerospike::Value::Nil => rs::nil(),
        aerospike::Value::Bool(value) => rs::bool_val(value),
        aerospike::Value::Int(value) => rs::int_val(value),
        aerospike::Value::Float(value) => rs::float_val(f64::from(value)),
        aerospike::Value::String(value) => rs::string_val(value),
        aerospike::Value::Blob(value) => rs::blob_val(value),
        aerospike::Value::List(items) => rs::list_val(items),
        aerospike::Value::HashMap(pairs) => rs::map_val(pairs),
        other => panic!("{other:?} is not generated"),
    };
    (Expression::from(ours), theirs)
}

fn leaves() -> BoxedStrategy<Pair> {
    let name = || "[a-zA-Z]{1,15}";
    prop_oneof![
        literals().prop_map(literal),
        name().prop_map(|n| (exp::int_bin(&n), rs::int_bin(n))),
        name().prop_map(|n| (exp::str_bin(&n), rs::string_bin(n))),
        name().prop_map(|n| (exp::float_bin(&n), rs::float_bin(n))),
        name().prop_map(|n| (exp::list_bin(&n), rs::list_bin(n))),
        name().prop_map(|n| (exp::map_bin(&n), rs::map_bin(n))),
        name().prop_map(|n| (exp::bin_exists(&n), rs::bin_exists(n))),
        name().prop_map(|n| (exp::var(&n), rs::var(n))),
        any::<i64>().prop_map(|n| (exp::digest_modulo(n), rs::digest_modulo(n))),
        Just((exp::ttl(), rs::ttl())),
        Just((exp::since_update(), rs::since_update())),
        Just((exp::key(ExpType::Str), rs::key(rs::ExpType::String))),
        Just((exp::val(Value::Infinity), rs::infinity())),
        Just((exp::val(Value::Wildcard), rs::wildcard())),
        Just((exp::unknown(), rs::unknown())),
    ]
    .boxed()
}

fn contexts() -> BoxedStrategy<(Context, Vec<CdtContext>)> {
    let step = prop_oneof![
        integers().prop_map(|n| (Context::new().list_index(n), cdt_context::ctx_list_index(n))),
        integers().prop_map(|n| (Context::new().list_rank(n), cdt_context::ctx_list_rank(n))),
        integers().prop_map(|n| (Context::new().map_index(n), cdt_context::ctx_map_index(n))),
        integers().prop_map(|n| (Context::new().map_rank(n), cdt_context::ctx_map_rank(n))),
        scalars().prop_map(|(o, t)| (Context::new().list_value(o), cdt_context::ctx_list_value(t))),
        keys().prop_map(|(o, t)| (Context::new().map_key(o), cdt_context::ctx_map_key(t))),
        scalars().prop_map(|(o, t)| (Context::new().map_value(o), cdt_context::ctx_map_value(t))),
    ];
    proptest::collection::vec(step, 1..5)
        .prop_map(|steps| {
            let (ours, theirs): (Vec<Context>, Vec<CdtContext>) = steps.into_iter().unzip();
            // A context of all steps, by their bytes: a list header before each.
            let steps: Vec<u8> = ours.iter().flat_map(|step| step.to_bytes()[1..].to_vec()).collect();
            let mut bytes = Vec::new();
            wire_protocol::msgpack::write_list_header(&mut bytes, ours.len() * 2);
            bytes.extend(steps);
            (Context::from_bytes(&bytes).unwrap(), theirs)
        })
        .boxed()
}

fn return_types() -> BoxedStrategy<(ReturnType, i64)> {
    (prop_oneof![Just(1), Just(2), Just(3), Just(4), Just(5), Just(7), Just(13)], any::<bool>())
        .prop_map(|(kind, is_inverted)| {
            let kind = ReturnType::from_bits(kind);
            let kind = if is_inverted { kind.inverted() } else { kind };
            (kind, kind.bits())
        })
        .boxed()
}

/// The other client's return type with these bits.
fn list_return(bits: i64) -> ListReturnType {
    let kinds = [
        ListReturnType::INDEX,
        ListReturnType::REVERSE_INDEX,
        ListReturnType::RANK,
        ListReturnType::REVERSE_RANK,
        ListReturnType::COUNT,
        ListReturnType::VALUES,
        ListReturnType::EXISTS,
    ];
    let all = kinds.into_iter().flat_map(|kind| [kind, kind.inverted()]);
    all.into_iter().find(|kind| kind.bits() == bits).unwrap()
}

fn map_return(bits: i64) -> MapReturnType {
    let kinds = [
        MapReturnType::INDEX,
        MapReturnType::REVERSE_INDEX,
        MapReturnType::RANK,
        MapReturnType::REVERSE_RANK,
        MapReturnType::COUNT,
        MapReturnType::VALUE,
        MapReturnType::EXISTS,
    ];
    let all = kinds.into_iter().flat_map(|kind| [kind, kind.inverted()]);
    all.into_iter().find(|kind| kind.bits() == bits).unwrap()
}

type Unary = (fn(Expression) -> Expression, fn(rs::Expression) -> rs::Expression);
type Binary =
    (fn(Expression, Expression) -> Expression, fn(rs::Expression, rs::Expression) -> rs::Expression);
type Variadic = (fn(Vec<Expression>) -> Expression, fn(Vec<rs::Expression>) -> rs::Expression);

const UNARY: [Unary; 10] = [
    (|a| exp::not(a), rs::not),
    (|a| exp::abs(a), rs::num_abs),
    (|a| exp::floor(a), rs::num_floor),
    (|a| exp::ceil(a), rs::num_ceil),
    (|a| exp::to_int(a), rs::to_int),
    (|a| exp::to_float(a), rs::to_float),
    (|a| exp::int_not(a), rs::int_not),
    (|a| exp::int_count(a), rs::int_count),
    (|a| exp::map_keys(a), rs::map_keys),
    (|a| exp::map_values(a), rs::map_values),
];

const BINARY: [Binary; 16] = [
    (|a, b| exp::eq(a, b), rs::eq),
    (|a, b| exp::ne(a, b), rs::ne),
    (|a, b| exp::gt(a, b), rs::gt),
    (|a, b| exp::ge(a, b), rs::ge),
    (|a, b| exp::lt(a, b), rs::lt),
    (|a, b| exp::le(a, b), rs::le),
    (|a, b| exp::geo_compare(a, b), rs::geo_compare),
    (|a, b| exp::in_list(a, b), rs::in_list),
    (|a, b| exp::pow(a, b), rs::num_pow),
    (|a, b| exp::log(a, b), rs::num_log),
    (|a, b| exp::modulo(a, b), rs::num_mod),
    (|a, b| exp::int_lshift(a, b), rs::int_lshift),
    (|a, b| exp::int_rshift(a, b), rs::int_rshift),
    (|a, b| exp::int_arshift(a, b), rs::int_arshift),
    (|a, b| exp::int_lscan(a, b), rs::int_lscan),
    (|a, b| exp::int_rscan(a, b), rs::int_rscan),
];

const VARIADIC: [Variadic; 12] = [
    (|all| exp::and(all), rs::and),
    (|all| exp::or(all), rs::or),
    (|all| exp::exclusive(all), rs::exclusive),
    (|all| exp::add(all), rs::num_add),
    (|all| exp::sub(all), rs::num_sub),
    (|all| exp::mul(all), rs::num_mul),
    (|all| exp::div(all), rs::num_div),
    (|all| exp::int_and(all), rs::int_and),
    (|all| exp::int_or(all), rs::int_or),
    (|all| exp::int_xor(all), rs::int_xor),
    (|all| exp::min(all), rs::min),
    (|all| exp::max(all), rs::max),
];

/// Calls of commands on lists and maps, with and without a context.
fn collections(inner: &BoxedStrategy<Pair>) -> BoxedStrategy<Pair> {
    let parts = (inner.clone(), inner.clone(), inner.clone(), inner.clone());
    let context = proptest::option::of(contexts());
    (0..16usize, parts, context, return_types(), 0..8i64, any::<bool>())
        .prop_map(|(which, ((a, ta), (b, tb), (c, tc), (bin, tbin)), context, (r, bits), flags, ordered)| {
            let order = if ordered { ListOrder::Ordered } else { ListOrder::Unordered };
            let their_order = if ordered { ListOrderType::Ordered } else { ListOrderType::Unordered };
            let policy = Some(ListPolicy { order, flags });
            let their_policy =
                aerospike::ListPolicy::new(their_order, ListWriteFlags::from_bits(flags as u8));
            let order = if ordered { MapOrder::KeyOrdered } else { MapOrder::Unordered };
            let their_order = if ordered {
                aerospike::operations::MapOrder::KeyOrdered
            } else {
                aerospike::operations::MapOrder::Unordered
            };
            let map_policy = MapPolicy { order, flags, persist_index: false };
            let their_map_policy =
                aerospike::MapPolicy::new(their_order, MapWriteFlags::from_bits(flags as u8));
            let (l, m) = (list_return(bits), map_return(bits));
            let (context, steps) = context.unzip();
            let x = &steps.unwrap_or_default()[..];
            let (int, their_int) = (ExpType::Int, rs::ExpType::Int);
            let (call, theirs) = match which {
                0 => (list::append(a, policy), lists::append(their_policy, ta, tbin, x)),
                1 => (list::insert_items(a, b, policy), lists::insert_items(their_policy, ta, tb, tbin, x)),
                2 => (list::increment(a, b, policy), lists::increment(their_policy, ta, tb, tbin, x)),
                3 => (list::sort(2), lists::sort(ListSortFlags::DROP_DUPLICATES, tbin, x)),
                4 => (
                    list::remove_by_value_range(a, b, r),
                    lists::remove_by_value_range(l, Some(ta), Some(tb), tbin, x),
                ),
                5 => (list::get_by_value(a, r), lists::get_by_value(l, ta, tbin, x)),
                6 => (
                    list::get_by_value_range_from(a, r),
                    lists::get_by_value_range(l, Some(ta), None, tbin, x),
                ),
                7 => (list::get_by_rank(a, r).returning(int), lists::get_by_rank(l, their_int, ta, tbin, x)),
                8 => (
                    list::get_by_value_rel_rank_range(a, b, c, r),
                    lists::get_by_value_relative_rank_range_count(l, ta, tb, tc, tbin, x),
                ),
                9 => (map::put(a, b, map_policy), maps::put(&their_map_policy, ta, tb, tbin, x)),
                10 => (map::put_items(a, map_policy), maps::put_items(&their_map_policy, ta, tbin, x)),
                11 => (map::increment(a, b, map_policy), maps::increment(&their_map_policy, ta, tb, tbin, x)),
                12 => (map::remove_by_key_list(a, r), maps::remove_by_key_list(m, ta, tbin, x)),
                13 => (map::get_by_key(a, r).returning(int), maps::get_by_key(m, their_int, ta, tbin, x)),
                14 => (
                    map::get_by_key_rel_index_range(a, b, c, r),
                    maps::get_by_key_relative_index_range_count(m, ta, tb, tc, tbin, x),
                ),
                _ => (map::size(), maps::size(tbin, x)),
            };
            let call = context.into_iter().fold(call, wire_protocol::operation::Call::at);
            (call.of(bin), theirs)
        })
        .boxed()
}

/// Calls of commands on bits, sketches and text.
fn others(inner: &BoxedStrategy<Pair>) -> BoxedStrategy<Pair> {
    let parts = (inner.clone(), inner.clone(), inner.clone(), inner.clone());
    (0..12usize, parts, any::<bool>(), "[a-z]{0,40}", 0..16i64)
        .prop_map(|(which, ((a, ta), (b, tb), (c, tc), (bin, tbin)), flag, pattern, flags)| {
            let (bit, sketch_policy) = (BitPolicy::default(), HllPolicy::default());
            let action = if flag { BitwiseOverflowActions::Wrap } else { BitwiseOverflowActions::Saturate };
            let signed = i64::from(flag);
            let our_action = if flag { 4 } else { 2 } | signed;
            let (call, theirs) = match which {
                0 => {
                    (bits::resize(a, 0, 2), bitwise::resize(&bit, ta, BitwiseResizeFlags::from_bits(2), tbin))
                }
                1 => (bits::xor(a, b, c, 0), bitwise::xor(&bit, ta, tb, tc, tbin)),
                2 => (bits::add(a, b, c, 0, our_action), bitwise::add(&bit, ta, tb, tc, flag, action, tbin)),
                3 => (bits::lscan(a, b, c), bitwise::lscan(ta, tb, tc, tbin)),
                4 => (bits::get_int(a, b, flag), bitwise::get_int(ta, tb, flag, tbin)),
                5 => (sketch::init(a, b, 0), hll::init_with_min_hash(sketch_policy, ta, tb, tbin)),
                6 => (
                    sketch::add(a, b, c, 0),
                    hll::add_with_index_and_min_hash(sketch_policy, ta, tb, tc, tbin),
                ),
                7 => (sketch::get_similarity(a), hll::get_similarity(ta, tbin)),
                8 => (sketch::may_contain(a), hll::may_contain(ta, tbin)),
                9 => (text::strlen(), string::strlen(tbin)),
                10 => (text::to_double(), string::to_double(tbin)),
                _ => {
                    let ours = exp::regex_compare(&pattern, flags, bin);
                    return (ours, rs::regex_compare(pattern, aerospike::RegexFlags::from_bits(flags), tbin));
                }
            };
            (call.of(bin), theirs)
        })
        .boxed()
}

fn trees() -> BoxedStrategy<Pair> {
    leaves()
        .prop_recursive(4, 40, 4, |inner| {
            let many = proptest::collection::vec(inner.clone(), 1..5);
            let inner = inner.boxed();
            prop_oneof![
                (0..UNARY.len(), inner.clone()).prop_map(|(at, (a, b))| ((UNARY[at].0)(a), (UNARY[at].1)(b))),
                (0..BINARY.len(), inner.clone(), inner.clone())
                    .prop_map(|(at, (a, ta), (b, tb))| ((BINARY[at].0)(a, b), (BINARY[at].1)(ta, tb))),
                (0..VARIADIC.len(), many).prop_map(|(at, all)| {
                    let (ours, theirs): (Vec<_>, Vec<_>) = all.into_iter().unzip();
                    ((VARIADIC[at].0)(ours), (VARIADIC[at].1)(theirs))
                }),
                (inner.clone(), inner.clone(), inner.clone()).prop_map(|((a, ta), (b, tb), (c, tc))| {
                    (exp::cond([(a, b)], c), rs::cond(vec![ta, tb, tc]))
                }),
                ("[a-z]{1,40}", inner.clone(), inner.clone()).prop_map(|(name, (a, ta), (b, tb))| {
                    let ours = exp::let_in([(&*name, a)], b);
                    (ours, rs::exp_let(vec![rs::def(name, ta), tb]))
                }),
                collections(&inner),
                others(&inner),
            ]
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn trees_are_those_of_the_official_rust_client((ours, theirs) in trees()) {
        prop_assert_eq!(ours.to_base64().unwrap(), theirs.base64().unwrap());
    }

    #[test]
    fn generated_contexts_are_those_of_the_official_rust_client((ours, theirs) in contexts()) {
        prop_assert_eq!(ours.to_base64(), cdt_context::to_base64(&theirs).unwrap());
    }
}
