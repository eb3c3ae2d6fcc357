//! Functions that build expressions.
//!
//! Arguments are expressions, or values, which are literals.

mod arithmetic;

pub use self::arithmetic::{
    abs, add, ceil, div, floor, int_and, int_arshift, int_count, int_lscan, int_lshift, int_not, int_or,
    int_rscan, int_rshift, int_xor, log, max, min, modulo, mul, pow, sub, to_float, to_int,
};
use super::program::write_node;
use super::{ExpType, Expression, call, exp_code as c};
use crate::error::WireError;
use crate::msgpack;
use crate::operation::Context;
use crate::particle::particle_type;
use crate::value::Value;

fn node(code: u8, parts: impl AsRef<[Expression]>) -> Expression {
    Expression::node(code, parts.as_ref())
}

fn variadic(
    function: &'static str,
    code: u8,
    expressions: impl IntoIterator<Item = Expression>,
) -> Expression {
    let expressions: Vec<Expression> = expressions.into_iter().collect();
    if expressions.is_empty() {
        let (argument, why) = ("expressions", "is empty; pass at least one");
        return Expression::build(|_| Err(WireError::Argument { function, argument, why }));
    }
    node(code, expressions)
}

fn named(code: u8, name: &str) -> Expression {
    Expression::build(|out| {
        write_node(out, code, 1);
        msgpack::write_name(out, name.as_bytes());
        Ok(())
    })
}

fn with_int(code: u8, argument: i64) -> Expression {
    Expression::build(|out| {
        write_node(out, code, 1);
        msgpack::write_int(out, argument);
        Ok(())
    })
}

/// A literal.
#[must_use]
pub fn val(value: impl Into<Value>) -> Expression {
    Expression::from(value)
}

/// Unknown: a filter takes it as false, an operation fails. For cases of [`cond`] that should not occur.
#[must_use]
pub fn unknown() -> Expression {
    node(c::UNKNOWN, [])
}

/// The value of a bin of a type; unknown if the bin has another type, or is missing.
#[must_use]
pub fn bin(name: &str, exp_type: ExpType) -> Expression {
    Expression::build(|out| {
        write_node(out, c::BIN, 2);
        msgpack::write_int(out, exp_type.code());
        msgpack::write_name(out, name.as_bytes());
        Ok(())
    })
}

/// A bool bin.
#[must_use]
pub fn bool_bin(name: &str) -> Expression {
    bin(name, ExpType::Bool)
}

/// An integer bin.
#[must_use]
pub fn int_bin(name: &str) -> Expression {
    bin(name, ExpType::Int)
}

/// A float bin.
#[must_use]
pub fn float_bin(name: &str) -> Expression {
    bin(name, ExpType::Float)
}

/// A text bin.
#[must_use]
pub fn str_bin(name: &str) -> Expression {
    bin(name, ExpType::Str)
}

/// A blob bin.
#[must_use]
pub fn blob_bin(name: &str) -> Expression {
    bin(name, ExpType::Blob)
}

/// A GeoJSON bin.
#[must_use]
pub fn geo_bin(name: &str) -> Expression {
    bin(name, ExpType::GeoJson)
}

/// A list bin.
#[must_use]
pub fn list_bin(name: &str) -> Expression {
    bin(name, ExpType::List)
}

/// A map bin.
#[must_use]
pub fn map_bin(name: &str) -> Expression {
    bin(name, ExpType::Map)
}

/// A HyperLogLog bin.
#[must_use]
pub fn hll_bin(name: &str) -> Expression {
    bin(name, ExpType::Hll)
}

/// Whether a bin exists.
#[must_use]
pub fn bin_exists(name: &str) -> Expression {
    ne(bin_type(name), i64::from(particle_type::NIL))
}

/// The particle type of a bin, a number of [`particle_type`]; 0 if it is missing.
#[must_use]
pub fn bin_type(name: &str) -> Expression {
    named(c::BIN_TYPE, name)
}

/// The record's key, if it is stored with the record and of this type.
#[must_use]
pub fn key(exp_type: ExpType) -> Expression {
    with_int(c::KEY, exp_type.code())
}

/// Whether the record stores its key.
#[must_use]
pub fn key_exists() -> Expression {
    node(c::KEY_EXISTS, [])
}

/// The name of the record's set; empty for none.
#[must_use]
pub fn set_name() -> Expression {
    node(c::SET_NAME, [])
}

/// The record's size in bytes.
#[must_use]
pub fn record_size() -> Expression {
    node(c::RECORD_SIZE, [])
}

/// The record's size on its device; servers before 7.0.
#[must_use]
pub fn device_size() -> Expression {
    node(c::DEVICE_SIZE, [])
}

/// The record's size in memory; servers before 7.0.
#[must_use]
pub fn memory_size() -> Expression {
    node(c::MEMORY_SIZE, [])
}

/// The time of the last update, in nanoseconds since 1970.
#[must_use]
pub fn last_update() -> Expression {
    node(c::LAST_UPDATE, [])
}

/// Milliseconds since the last update.
#[must_use]
pub fn since_update() -> Expression {
    node(c::SINCE_UPDATE, [])
}

/// The time at which the record expires, in nanoseconds since 1970; -1 for never.
#[must_use]
pub fn void_time() -> Expression {
    node(c::VOID_TIME, [])
}

/// Seconds until the record expires; -1 for never.
#[must_use]
pub fn ttl() -> Expression {
    node(c::TTL, [])
}

/// Whether the record is a tombstone.
#[must_use]
pub fn is_tombstone() -> Expression {
    node(c::IS_TOMBSTONE, [])
}

/// The record's digest modulo a number.
#[must_use]
pub fn digest_modulo(modulo: i64) -> Expression {
    with_int(c::DIGEST_MODULO, modulo)
}

/// Whether both are equal.
#[must_use]
pub fn eq(left: impl Into<Expression>, right: impl Into<Expression>) -> Expression {
    node(c::EQ, [left.into(), right.into()])
}

/// Whether they are not equal.
#[must_use]
pub fn ne(left: impl Into<Expression>, right: impl Into<Expression>) -> Expression {
    node(c::NE, [left.into(), right.into()])
}

/// Whether the first is greater.
#[must_use]
pub fn gt(left: impl Into<Expression>, right: impl Into<Expression>) -> Expression {
    node(c::GT, [left.into(), right.into()])
}

/// Whether the first is greater or equal.
#[must_use]
pub fn ge(left: impl Into<Expression>, right: impl Into<Expression>) -> Expression {
    node(c::GE, [left.into(), right.into()])
}

/// Whether the first is less.
#[must_use]
pub fn lt(left: impl Into<Expression>, right: impl Into<Expression>) -> Expression {
    node(c::LT, [left.into(), right.into()])
}

/// Whether the first is less or equal.
#[must_use]
pub fn le(left: impl Into<Expression>, right: impl Into<Expression>) -> Expression {
    node(c::LE, [left.into(), right.into()])
}

/// Whether text matches a regular expression of POSIX. `flags` has the bits of [`exp_flags`](super::exp_flags) that start with
/// `REGEX`.
#[must_use]
pub fn regex_compare(pattern: &str, flags: i64, text: impl Into<Expression>) -> Expression {
    Expression::build(|out| {
        write_node(out, c::CMP_REGEX, 3);
        msgpack::write_int(out, flags);
        msgpack::write_name(out, pattern.as_bytes());
        text.into().write(out)
    })
}

/// Whether a region contains a point, or a point is in a region.
#[must_use]
pub fn geo_compare(left: impl Into<Expression>, right: impl Into<Expression>) -> Expression {
    node(c::CMP_GEO, [left.into(), right.into()])
}

/// Whether a list contains a value.
#[must_use]
pub fn in_list(value: impl Into<Expression>, list: impl Into<Expression>) -> Expression {
    node(c::IN_LIST, [value.into(), list.into()])
}

/// The keys of a map, as a list.
#[must_use]
pub fn map_keys(map: impl Into<Expression>) -> Expression {
    node(c::MAP_KEYS, [map.into()])
}

/// The values of a map, as a list.
#[must_use]
pub fn map_values(map: impl Into<Expression>) -> Expression {
    node(c::MAP_VALUES, [map.into()])
}

/// Whether all are true.
#[must_use]
pub fn and(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::and", c::AND, expressions)
}

/// Whether any is true.
#[must_use]
pub fn or(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::or", c::OR, expressions)
}

/// Whether exactly one is true.
#[must_use]
pub fn exclusive(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::exclusive", c::EXCLUSIVE, expressions)
}

/// Whether it is false.
#[must_use]
pub fn not(expression: impl Into<Expression>) -> Expression {
    node(c::NOT, [expression.into()])
}

/// The value after the first condition that is true, or `default`.
#[must_use]
pub fn cond(
    cases: impl IntoIterator<Item = (Expression, Expression)>,
    default: impl Into<Expression>,
) -> Expression {
    let cases = cases.into_iter().flat_map(|(condition, value)| [condition, value]);
    let parts: Vec<Expression> = cases.chain([default.into()]).collect();
    node(c::COND, parts)
}

/// The value of `scope`, which refers to variables by [`var`]. Variables may refer to those before them.
#[must_use]
pub fn let_in<'a>(
    variables: impl IntoIterator<Item = (&'a str, Expression)>,
    scope: impl Into<Expression>,
) -> Expression {
    let variables: Vec<(&str, Expression)> = variables.into_iter().collect();
    Expression::build(|out| {
        write_node(out, c::LET, variables.len() * 2 + 1);
        for (name, value) in &variables {
            msgpack::write_name(out, name.as_bytes());
            value.write(out)?;
        }
        scope.into().write(out)
    })
}

/// The value of a variable.
#[must_use]
pub fn var(name: &str) -> Expression {
    named(c::VAR, name)
}

/// A part of the element to which a path has come: its key, value or index, of this type. `part` is one of
/// [`exp_flags`](super::exp_flags) that start with `LOOP_VAR`.
#[must_use]
pub fn loop_var(exp_type: ExpType, part: i64) -> Expression {
    Expression::build(|out| {
        write_node(out, c::LOOP_VAR, 2);
        msgpack::write_int(out, exp_type.code());
        msgpack::write_int(out, part);
        Ok(())
    })
}

/// In [`modify_by_path`]: removes the element.
#[must_use]
pub fn remove_result() -> Expression {
    node(c::REMOVE_RESULT, [])
}

/// The elements of a list or map to which a path leads, as `flags` of [`path_flags`](crate::collection::path_flags) say;
/// since server 8.1.1.
#[must_use]
pub fn select_by_path(path: &Context, result: ExpType, flags: i64, bin: impl Into<Expression>) -> Expression {
    call::select(path, result, flags, bin.into())
}

/// A list or map with each element to which a path leads replaced by the value of `expression`; since server 8.1.1.
#[must_use]
pub fn modify_by_path(
    path: &Context,
    result: ExpType,
    expression: &Expression,
    flags: i64,
    bin: impl Into<Expression>,
) -> Expression {
    call::modify(path, result, expression, flags, bin.into())
}

/// A value as text; since server 8.2.
#[must_use]
pub fn to_string(value: impl Into<Expression>) -> Expression {
    node(c::TO_STRING, [value.into()])
}
