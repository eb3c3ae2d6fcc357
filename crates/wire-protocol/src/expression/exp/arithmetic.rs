//! Arithmetic, on numbers and on the bits of integers.

use super::{node, variadic};
use crate::expression::{Expression, exp_code as c};

/// The sum of numbers of one type.
#[must_use]
pub fn add(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::add", c::ADD, expressions)
}

/// The first number, minus all others; a single number is negated.
#[must_use]
pub fn sub(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::sub", c::SUB, expressions)
}

/// The product.
#[must_use]
pub fn mul(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::mul", c::MUL, expressions)
}

/// The first number, divided by all others; of a single one the reciprocal.
#[must_use]
pub fn div(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::div", c::DIV, expressions)
}

/// A float to the power of another.
#[must_use]
pub fn pow(base: impl Into<Expression>, exponent: impl Into<Expression>) -> Expression {
    node(c::POW, [base.into(), exponent.into()])
}

/// The logarithm of a float.
#[must_use]
pub fn log(number: impl Into<Expression>, base: impl Into<Expression>) -> Expression {
    node(c::LOG, [number.into(), base.into()])
}

/// The remainder of a division of integers.
#[must_use]
pub fn modulo(numerator: impl Into<Expression>, denominator: impl Into<Expression>) -> Expression {
    node(c::MOD, [numerator.into(), denominator.into()])
}

/// The absolute value.
#[must_use]
pub fn abs(number: impl Into<Expression>) -> Expression {
    node(c::ABS, [number.into()])
}

/// A float, rounded down.
#[must_use]
pub fn floor(number: impl Into<Expression>) -> Expression {
    node(c::FLOOR, [number.into()])
}

/// A float, rounded up.
#[must_use]
pub fn ceil(number: impl Into<Expression>) -> Expression {
    node(c::CEIL, [number.into()])
}

/// A float as an integer, without its fraction.
#[must_use]
pub fn to_int(number: impl Into<Expression>) -> Expression {
    node(c::TO_INT, [number.into()])
}

/// An integer as a float.
#[must_use]
pub fn to_float(number: impl Into<Expression>) -> Expression {
    node(c::TO_FLOAT, [number.into()])
}

/// The bitwise and of integers.
#[must_use]
pub fn int_and(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::int_and", c::INT_AND, expressions)
}

/// The bitwise or of integers.
#[must_use]
pub fn int_or(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::int_or", c::INT_OR, expressions)
}

/// The bitwise exclusive or of integers.
#[must_use]
pub fn int_xor(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::int_xor", c::INT_XOR, expressions)
}

/// The bitwise not of an integer.
#[must_use]
pub fn int_not(integer: impl Into<Expression>) -> Expression {
    node(c::INT_NOT, [integer.into()])
}

/// An integer shifted to the left.
#[must_use]
pub fn int_lshift(integer: impl Into<Expression>, shift: impl Into<Expression>) -> Expression {
    node(c::INT_LSHIFT, [integer.into(), shift.into()])
}

/// An integer shifted to the right, filled with zeros.
#[must_use]
pub fn int_rshift(integer: impl Into<Expression>, shift: impl Into<Expression>) -> Expression {
    node(c::INT_RSHIFT, [integer.into(), shift.into()])
}

/// An integer shifted to the right, with its sign.
#[must_use]
pub fn int_arshift(integer: impl Into<Expression>, shift: impl Into<Expression>) -> Expression {
    node(c::INT_ARSHIFT, [integer.into(), shift.into()])
}

/// The number of bits that are set in an integer.
#[must_use]
pub fn int_count(integer: impl Into<Expression>) -> Expression {
    node(c::INT_COUNT, [integer.into()])
}

/// The position of the first bit from the left that is set, or, with `search` false, that is not; -1 for none.
#[must_use]
pub fn int_lscan(integer: impl Into<Expression>, search: impl Into<Expression>) -> Expression {
    node(c::INT_LSCAN, [integer.into(), search.into()])
}

/// The position of the first bit from the right that is set, or, with `search` false, that is not; -1 for none.
#[must_use]
pub fn int_rscan(integer: impl Into<Expression>, search: impl Into<Expression>) -> Expression {
    node(c::INT_RSCAN, [integer.into(), search.into()])
}

/// The least of numbers of one type.
#[must_use]
pub fn min(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::min", c::MIN, expressions)
}

/// The greatest of numbers of one type.
#[must_use]
pub fn max(expressions: impl IntoIterator<Item = Expression>) -> Expression {
    variadic("exp::max", c::MAX, expressions)
}
