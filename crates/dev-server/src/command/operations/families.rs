//! Operations on bits and HyperLogLogs, and operations with expressions.

use record_ops::expression::{self};
use record_ops::{Applied, Bin, BinView, Change, OpError, RecordView, bits, hll};
use wire_protocol::ResultCode;
use wire_protocol::message::{Op, op};
use wire_protocol::particle::particle_type;

use crate::command::operations::record_view::Subject;
use crate::state::store::bins::BinsBuilder;

/// What an operation reads.
pub(crate) enum Reading {
    Value(Bin),
    /// There is no value.
    Nil,
    /// There is no bin.
    NoBin,
}

/// Applies an operation that reads.
pub(crate) fn read(op: &Op<'_>, subject: &Subject<'_>, bins: &dyn RecordView) -> Result<Reading, ResultCode> {
    if op.code == op::EXP_READ {
        let value = expression::read(&subject.context(bins), op.value)?;
        return Ok(value.map_or(Reading::Nil, reading));
    }
    let Some(bin) = bins.bin(op.name) else {
        return Ok(Reading::NoBin);
    };
    let value = match op.code {
        op::BITS_READ => {
            check_blob(op)?;
            bits::read(bin, op.value)
        }
        op::HLL_READ => hll::read(bin, op.value),
        _ => Err(UNKNOWN),
    };
    Ok(reading(value?))
}

const UNKNOWN: OpError = OpError::parameter("unknown operation");

fn reading(bin: Bin) -> Reading {
    if bin.particle_type == particle_type::NIL { Reading::Nil } else { Reading::Value(bin) }
}

/// Bit operations must be sent as blobs.
fn check_blob(op: &Op<'_>) -> Result<(), OpError> {
    match op.particle_type {
        particle_type::BLOB => Ok(()),
        _ => Err(OpError::bin_type("a bit operation is not sent as a blob")),
    }
}

/// Applies an operation that changes a bin. Returns its result, if it has one.
pub(super) fn modify(
    op: &Op<'_>,
    subject: &Subject<'_>,
    bins: &mut BinsBuilder,
) -> Result<Option<Bin>, ResultCode> {
    // So that expressions find bins by name.
    let bin = bins.get(op.name).map(|(_, bin)| BinView { particle_type: bin.particle_type, bytes: bin.value });
    let Applied { change, result } = match op.code {
        op::BITS_MODIFY => {
            check_blob(op)?;
            bits::modify(bin, op.value)
        }
        op::HLL_MODIFY => hll::modify(bin, op.value),
        op::EXP_MODIFY => expression::modify(&subject.context(bins), op.name, op.value),
        _ => Err(UNKNOWN),
    }?;
    match change {
        Change::Keep => {}
        Change::Set(bin) => bins.put(op.name, bin.particle_type, &bin.bytes),
        Change::Remove => bins.remove(op.name),
    }
    Ok(result)
}
