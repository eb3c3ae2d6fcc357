//! Operations that read, in reads, writes and queries alike.

use record_ops::Bin;
use wire_protocol::ResultCode;
use wire_protocol::message::{Op, op, write_op};
use wire_protocol::particle::particle_type;

use crate::command::operations::collection::view;
use crate::state::store::record::{bins, write_bin};

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

/// Applies an operation that reads to a stored bin.
#[inline]
pub(crate) fn read<'a>(op: &Op<'_>, whole: Option<&'a [u8]>) -> Result<ReadResult<'a>, ResultCode> {
    let Some(whole) = whole else { return Ok(ReadResult::NoBin) };
    if op.code == op::READ {
        return Ok(ReadResult::Whole(whole));
    }
    let Some((_, bin)) = bins(whole).next() else { return Ok(ReadResult::NoBin) };
    let result = match op.code {
        op::CDT_READ => record_ops::collection::read(view(&bin), op.value)?,
        _ => return Err(ResultCode::PARAMETER),
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
    write_op(out, op.code, result.particle_type, op.name, &result.bytes);
}

/// Appends a nil result.
pub(super) fn write_nil(out: &mut Vec<u8>, op: &Op<'_>) {
    write_op(out, op.code, particle_type::NIL, op.name, &[]);
}
