//! Increments of elements.

use wire_protocol::msgpack::{self, Number, Reader, Token};

use crate::bin::Bin;
use crate::error::OpError;

/// What is added to an element: 1 if the operation does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Delta {
    Default,
    Int(i64),
    Float(f64),
}

const NOT_A_NUMBER: OpError = OpError::parameter("only integers and floats can be incremented");

fn number(value: &[u8]) -> Option<Number> {
    match Reader::new(value).token() {
        Ok(Token::Int(value)) => Some(Number::Int(value)),
        Ok(Token::Uint(value)) => Some(Number::Int(value.cast_signed())),
        Ok(Token::Float(value)) => Some(Number::Float(value)),
        _ => None,
    }
}

/// The integer part, as the server's processor converts it.
fn truncated(value: f64) -> i64 {
    // Beyond its range, the conversion of an x86 processor has one result for all values.
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

impl Delta {
    pub(super) fn parse(argument: Option<&[u8]>) -> Result<Self, OpError> {
        let Some(argument) = argument else { return Ok(Self::Default) };
        match number(argument) {
            Some(Number::Int(value)) => Ok(Self::Int(value)),
            Some(Number::Float(value)) => Ok(Self::Float(value)),
            None if argument == [0xc0] => Ok(Self::Default),
            None => Err(NOT_A_NUMBER),
        }
    }

    pub(super) fn negative(self) -> Self {
        match self {
            Self::Default => Self::Int(-1),
            Self::Int(value) => Self::Int(value.wrapping_neg()),
            Self::Float(value) => Self::Float(-value),
        }
    }

    /// Adds to an element, which keeps its type. Returns its new encoding, and the result of the operation.
    pub(super) fn add(self, element: Option<&[u8]>) -> Result<(Vec<u8>, Bin), OpError> {
        let element = match element {
            Some(element) => Some(number(element).ok_or(NOT_A_NUMBER)?),
            None => None,
        };
        let sum = match (element, self) {
            (Some(Number::Int(value)), Self::Int(delta)) => Number::Int(value.wrapping_add(delta)),
            (Some(Number::Int(value)), Self::Float(delta)) => {
                Number::Int(value.wrapping_add(truncated(delta)))
            }
            (Some(Number::Int(value)), Self::Default) => Number::Int(value.wrapping_add(1)),
            (Some(Number::Float(value)), Self::Int(delta)) => Number::Float(value + delta as f64),
            (Some(Number::Float(value)), Self::Float(delta)) => Number::Float(value + delta),
            (Some(Number::Float(value)), Self::Default) => Number::Float(value + 1.0),
            (None, Self::Int(delta)) => Number::Int(delta),
            (None, Self::Float(delta)) => Number::Float(delta),
            (None, Self::Default) => Number::Int(1),
        };
        let mut bytes = Vec::with_capacity(9);
        Ok(match sum {
            Number::Int(value) => {
                msgpack::write_int(&mut bytes, value);
                (bytes, Bin::int(value))
            }
            Number::Float(value) => {
                msgpack::write_float(&mut bytes, value);
                (bytes, Bin::float(value))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_types() {
        let float = |value: f64| [&[0xcb][..], &value.to_be_bytes()].concat();
        for (element, delta, sum) in [
            (Some(vec![5]), Delta::Int(2), vec![7]),
            (Some(vec![5]), Delta::Float(2.9), vec![7]),
            (Some(vec![5]), Delta::Default, vec![6]),
            (Some(vec![5]), Delta::Default.negative(), vec![4]),
            (Some(float(1.5)), Delta::Int(2), float(3.5)),
            (Some(float(1.5)), Delta::Float(0.25).negative(), float(1.25)),
            (None, Delta::Float(0.25), float(0.25)),
            (None, Delta::Default, vec![1]),
            (Some(vec![0xcf, 0x7f, 255, 255, 255, 255, 255, 255, 255]), Delta::Default, {
                vec![0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]
            }),
        ] {
            assert_eq!(delta.add(element.as_deref()).unwrap().0, sum, "{element:?} {delta:?}");
        }
        assert_eq!(Delta::parse(Some(&[0xa1, 3])), Err(NOT_A_NUMBER));
        assert_eq!(Delta::parse(Some(&[0xc0])), Ok(Delta::Default));
        assert!(Delta::Default.add(Some(&[0xc0])).is_err());
        assert_eq!((truncated(1e300), truncated(-1.9)), (i64::MIN, -1));
    }
}
