//! Operations that `record_ops` applies: on lists, maps, bits and HyperLogLogs, and with expressions.

use record_ops::{Applied, Bin, BinView, Change, OpError, bits, collection, expression, hll};
use wire_protocol::ResultCode;
use wire_protocol::message::{Op, op};
use wire_protocol::particle::particle_type;

use crate::command::operations::record_view::{Seen, Subject};
use crate::state::store::bins::{BinsBuilder, view};

const UNKNOWN: OpError = OpError::parameter("unknown operation");

/// Applies an operation that reads part of a bin. Returns its result; `None` is nil.
pub(super) fn read(op: &Op<'_>, bin: BinView<'_>) -> Result<Option<Bin>, OpError> {
    match op.code {
        op::CDT_READ if expression::has_path(op.value) => expression::select(bin, op.value).map(Some),
        op::CDT_READ => collection::read(bin, op.value),
        op::BITS_READ => {
            check_blob(op)?;
            bits::read(bin, op.value).map(Some)
        }
        op::HLL_READ => hll::read(bin, op.value).map(Some),
        _ => Err(UNKNOWN),
    }
}

/// Evaluates an expression. Returns its value; `None` is nil.
pub(super) fn evaluate(op: &Op<'_>, record: &Seen<'_>) -> Result<Option<Bin>, OpError> {
    let value = expression::read(&record.context(), op.value)?;
    Ok(value.filter(|bin| bin.particle_type != particle_type::NIL))
}

/// Bit operations must be sent as blobs.
fn check_blob(op: &Op<'_>) -> Result<(), OpError> {
    match op.particle_type {
        particle_type::BLOB => Ok(()),
        _ => Err(OpError::bin_type("a bit operation is not sent as a blob")),
    }
}

/// Applies an operation that modifies a bin. Returns its result, if it has one.
pub(super) fn modify(
    op: &Op<'_>,
    subject: &Subject<'_>,
    bins: &mut BinsBuilder,
) -> Result<Option<Bin>, ResultCode> {
    bins.index();
    let bin = || bins.find(op.name).map(|(_, bin)| view(&bin));
    let Applied { change, result } = match op.code {
        op::CDT_MODIFY if expression::has_path(op.value) => expression::change(bin(), op.value),
        op::CDT_MODIFY => collection::modify(bin(), op.value),
        op::BITS_MODIFY => check_blob(op).and_then(|()| bits::modify(bin(), op.value)),
        op::HLL_MODIFY => hll::modify(bin(), op.value),
        op::EXP_MODIFY => expression::modify(&Seen { subject, bins }.context(), op.name, op.value),
        _ => Err(UNKNOWN),
    }?;
    match change {
        Change::Keep => {}
        Change::Set(bin) => bins.put(op.name, bin.particle_type, &bin.bytes),
        Change::Remove => bins.remove(op.name),
    }
    Ok(result)
}
