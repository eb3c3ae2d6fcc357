//! Arithmetic, with the overflows and rounding of the server's machine.

use crate::expression::node::{Binary, Fold, Unary};
use crate::expression::outcome::Outcome;

/// Folds numbers of one type into one. `None` if an integer is divided by 0.
pub(super) fn fold_ints(how: Fold, mut values: impl Iterator<Item = i64>) -> Option<i64> {
    let first = values.next()?;
    let mut rest = values.peekable();
    let is_single = rest.peek().is_none();
    Some(match how {
        Fold::Add => rest.fold(first, i64::wrapping_add),
        Fold::Subtract if is_single => first.wrapping_neg(),
        Fold::Subtract => rest.fold(first, i64::wrapping_sub),
        Fold::Multiply => rest.fold(first, i64::wrapping_mul),
        Fold::Divide => {
            // A single number: its reciprocal.
            let (dividend, divisor) =
                if is_single { (1, first) } else { (first, rest.fold(1, i64::wrapping_mul)) };
            if divisor == 0 {
                return None;
            }
            dividend.wrapping_div(divisor)
        }
        Fold::Min => rest.fold(first, i64::min),
        Fold::Max => rest.fold(first, i64::max),
        Fold::BitAnd => rest.fold(first, |a, b| a & b),
        Fold::BitOr => rest.fold(first, |a, b| a | b),
        Fold::BitXor => rest.fold(first, |a, b| a ^ b),
    })
}

/// Folds floats into one. `None` if there is no such function of floats.
pub(super) fn fold_floats(how: Fold, mut values: impl Iterator<Item = f64>) -> Option<f64> {
    let first = values.next()?;
    let mut rest = values.peekable();
    let is_single = rest.peek().is_none();
    Some(match how {
        Fold::Add => rest.fold(first, |a, b| a + b),
        Fold::Subtract if is_single => 0.0 - first,
        Fold::Subtract => rest.fold(first, |a, b| a - b),
        Fold::Multiply => rest.fold(first, |a, b| a * b),
        Fold::Divide if is_single => 1.0 / first,
        Fold::Divide => first / rest.fold(1.0, |a, b| a * b),
        // Not `f64::min` and `max`, which prefer the other number to NaN.
        Fold::Min => rest.fold(first, |a, b| if a > b { b } else { a }),
        Fold::Max => rest.fold(first, |a, b| if a < b { b } else { a }),
        Fold::BitAnd | Fold::BitOr | Fold::BitXor => return None,
    })
}

pub(super) fn unary<'e>(how: Unary, value: &Outcome<'e>) -> Outcome<'e> {
    match (how, value) {
        (Unary::Abs, Outcome::Float(value)) => Outcome::Float(value.abs()),
        (Unary::Abs, Outcome::Int(value)) => Outcome::Int(value.wrapping_abs()),
        (Unary::Floor, Outcome::Float(value)) => Outcome::Float(value.floor()),
        (Unary::Ceil, Outcome::Float(value)) => Outcome::Float(value.ceil()),
        (Unary::ToInt, Outcome::Float(value)) => Outcome::Int(to_int(*value)),
        (Unary::ToFloat, Outcome::Int(value)) => Outcome::Float(*value as f64),
        (Unary::BitNot, Outcome::Int(value)) => Outcome::Int(!value),
        (Unary::BitCount, Outcome::Int(value)) => Outcome::Int(value.count_ones().into()),
        _ => Outcome::Unknown,
    }
}

/// A float without its fraction. What does not fit becomes the smallest integer.
fn to_int(value: f64) -> i64 {
    const LIMIT: f64 = (1u64 << 63) as f64;
    if value >= LIMIT || value.is_nan() { i64::MIN } else { value as i64 }
}

pub(super) fn binary<'e>(how: Binary, a: &Outcome<'e>, b: &Outcome<'e>) -> Outcome<'e> {
    match (how, a, b) {
        (Binary::Power, Outcome::Float(a), Outcome::Float(b)) => Outcome::Float(a.powf(*b)),
        (Binary::Log, Outcome::Float(a), Outcome::Float(b)) => Outcome::Float(a.ln() / b.ln()),
        (Binary::Modulo, Outcome::Int(_), Outcome::Int(0)) => Outcome::Unknown,
        (Binary::Modulo, Outcome::Int(a), Outcome::Int(b)) => Outcome::Int(a.wrapping_rem(*b)),
        // Like the server's machine, shifts by the lowest six bits.
        (Binary::LeftShift, Outcome::Int(a), Outcome::Int(b)) => Outcome::Int(a.wrapping_shl(*b as u32)),
        (Binary::RightShift, Outcome::Int(a), Outcome::Int(b)) => {
            Outcome::Int(a.cast_unsigned().wrapping_shr(*b as u32).cast_signed())
        }
        (Binary::ArithmeticRightShift, Outcome::Int(a), Outcome::Int(b)) => {
            Outcome::Int(a.wrapping_shr(*b as u32))
        }
        (Binary::LeftScan, Outcome::Int(a), Outcome::Bool(wanted)) => {
            let position = searched(*a, *wanted).leading_zeros();
            Outcome::Int(if position == i64::BITS { -1 } else { position.into() })
        }
        (Binary::RightScan, Outcome::Int(a), Outcome::Bool(wanted)) => {
            Outcome::Int(63 - i64::from(searched(*a, *wanted).trailing_zeros()))
        }
        _ => Outcome::Unknown,
    }
}

/// A number whose set bits are the wanted ones of `value`.
fn searched(value: i64, wanted: bool) -> i64 {
    if wanted { value } else { !value }
}
