//! The codes of expressions.

use crate::expression::node::{Binary, Comparison, Fold, Logic, Meta, Unary};

pub(super) const UNKNOWN: u64 = 0;
pub(super) const REGEX: u64 = 7;
pub(super) const GEO: u64 = 8;
pub(super) const IN_LIST: u64 = 9;
pub(super) const NOT: u64 = 18;
pub(super) const DIGEST_MODULO: u64 = 64;
pub(super) const KEY: u64 = 80;
pub(super) const BIN: u64 = 81;
pub(super) const BIN_TYPE: u64 = 82;
pub(super) const REMOVE: u64 = 100;
pub(super) const MAP_KEYS: u64 = 101;
pub(super) const MAP_VALUES: u64 = 102;
pub(super) const ELEMENT: u64 = 122;
pub(super) const COND: u64 = 123;
pub(super) const VARIABLE: u64 = 124;
pub(super) const LET: u64 = 125;
pub(super) const QUOTE: u64 = 126;
pub(super) const CALL: u64 = 127;

pub(super) fn comparison(code: u64) -> Option<Comparison> {
    Some(match code {
        1 => Comparison::Equal,
        2 => Comparison::NotEqual,
        3 => Comparison::Greater,
        4 => Comparison::GreaterOrEqual,
        5 => Comparison::Less,
        6 => Comparison::LessOrEqual,
        _ => return None,
    })
}

pub(super) fn logic(code: u64) -> Option<Logic> {
    Some(match code {
        16 => Logic::And,
        17 => Logic::Or,
        19 => Logic::Exclusive,
        _ => return None,
    })
}

pub(super) fn fold(code: u64) -> Option<Fold> {
    Some(match code {
        20 => Fold::Add,
        21 => Fold::Subtract,
        22 => Fold::Multiply,
        23 => Fold::Divide,
        32 => Fold::BitAnd,
        33 => Fold::BitOr,
        34 => Fold::BitXor,
        50 => Fold::Min,
        51 => Fold::Max,
        _ => return None,
    })
}

pub(super) fn unary(code: u64) -> Option<Unary> {
    Some(match code {
        27 => Unary::Abs,
        28 => Unary::Floor,
        29 => Unary::Ceil,
        30 => Unary::ToInt,
        31 => Unary::ToFloat,
        35 => Unary::BitNot,
        39 => Unary::BitCount,
        _ => return None,
    })
}

pub(super) fn binary(code: u64) -> Option<Binary> {
    Some(match code {
        24 => Binary::Power,
        25 => Binary::Log,
        26 => Binary::Modulo,
        36 => Binary::LeftShift,
        37 => Binary::RightShift,
        38 => Binary::ArithmeticRightShift,
        40 => Binary::LeftScan,
        41 => Binary::RightScan,
        _ => return None,
    })
}

pub(super) fn meta(code: u64) -> Option<Meta> {
    Some(match code {
        65 => Meta::DeviceSize,
        66 => Meta::LastUpdate,
        67 => Meta::SinceUpdate,
        68 => Meta::VoidTime,
        69 => Meta::Ttl,
        70 => Meta::SetName,
        71 => Meta::KeyExists,
        72 => Meta::IsTombstone,
        73 => Meta::MemorySize,
        74 => Meta::RecordSize,
        _ => return None,
    })
}

/// The number of arguments of an operation that takes a fixed number.
pub(super) fn argument_count(code: u64) -> Option<usize> {
    Some(match code {
        UNKNOWN | REMOVE => 0,
        NOT | DIGEST_MODULO | KEY | BIN_TYPE | MAP_KEYS | MAP_VALUES | VARIABLE | QUOTE => 1,
        GEO | IN_LIST | BIN | ELEMENT => 2,
        REGEX => 3,
        CALL => 4,
        COND | LET => return None,
        _ if meta(code).is_some() => 0,
        _ if comparison(code).is_some() || binary(code).is_some() => 2,
        _ if unary(code).is_some() => 1,
        _ => return None,
    })
}

/// How the server counts the size of an expression: by what it stores for each part.
pub(super) mod size_of {
    use wire_protocol::msgpack::Token;

    /// A case of a condition.
    pub(crate) const CASE: usize = 8;

    /// A literal that is not a list.
    pub(crate) fn literal(token: &Token<'_>) -> usize {
        match token {
            Token::Nil => 8,
            Token::Int(_) | Token::Uint(_) | Token::Float(_) => 16,
            Token::GeoJson(_) => 40,
            _ => 24,
        }
    }

    /// An operation without its arguments. `None`: there is none with this code.
    pub(crate) fn operation(code: u64) -> Option<usize> {
        Some(match code {
            super::REGEX => 80,
            super::DIGEST_MODULO | super::KEY | super::COND => 12,
            super::BIN | super::BIN_TYPE | super::QUOTE => 24,
            super::ELEMENT | super::VARIABLE => 16,
            super::LET => 20,
            super::CALL => 344,
            0..=6 | 8 | 9 | 16..=41 | 50 | 51 | 65..=74 | 100..=102 => 8,
            _ => return None,
        })
    }
}
