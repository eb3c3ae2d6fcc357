//! Operations that read, in reads, writes and queries alike.

use record_ops::Bin;
use wire_protocol::ResultCode;
use wire_protocol::message::{Op, op, write_op};
use wire_protocol::particle::particle_type;

use crate::command::operations::computed;
use crate::command::operations::record_view::Seen;
use crate::state::store::bins::view;
use crate::state::store::record::{bins, write_bin, write_value};

/// What an operation reads.
pub(crate) enum ReadResult<'a> {
    /// The whole bin, as it is stored.
    Whole(&'a [u8]),
    /// A value.
    Value(Bin),
    /// Nothing: a nil value.
    Nil,
    /// There is no such bin.
    NoBin,
}

/// Applies an operation that reads to a stored bin, or, if it has an expression, to the record.
#[inline]
pub(crate) fn read<'a>(
    op: &Op<'_>,
    whole: Option<&'a [u8]>,
    record: &Seen<'_>,
) -> Result<ReadResult<'a>, ResultCode> {
    let result = match whole {
        _ if op.code == op::EXP_READ => computed::evaluate(op, record)?,
        None => return Ok(ReadResult::NoBin),
        Some(whole) if op.code == op::READ => return Ok(ReadResult::Whole(whole)),
        Some(whole) => match bins(whole).next() {
            Some((_, bin)) => computed::read(op, view(&bin))?,
            None => return Ok(ReadResult::NoBin),
        },
    };
    Ok(result.map_or(ReadResult::Nil, ReadResult::Value))
}

impl ReadResult<'_> {
    /// Appends the result. Returns whether there is one: `answers_all` makes one of nothing at all, and `answers_nil`
    /// of nil.
    #[inline]
    pub(crate) fn write(self, op: &Op<'_>, answers_all: bool, answers_nil: bool, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Whole(whole) => write_bin(out, whole),
            Self::Value(bin) => write_result(out, op, &bin),
            Self::Nil if answers_all || answers_nil => write_nil(out, op),
            Self::NoBin if answers_all => write_nil(out, op),
            Self::Nil | Self::NoBin => return false,
        }
        true
    }
}

/// Appends the result of an operation.
pub(super) fn write_result(out: &mut Vec<u8>, op: &Op<'_>, result: &Bin) {
    write_value(out, op.code, op.name, result.particle_type, &result.bytes);
}

/// Appends a nil result.
pub(super) fn write_nil(out: &mut Vec<u8>, op: &Op<'_>) {
    write_op(out, op.code, particle_type::NIL, op.name, &[]);
}
