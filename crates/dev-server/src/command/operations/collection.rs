//! Operations on lists and maps: `record_ops` applies them.

use record_ops::{Bin, BinView, Change};
use wire_protocol::ResultCode;
use wire_protocol::message::Op;

use crate::state::store::bins::BinsBuilder;

/// Applies an operation that modifies. Returns its result, if it has one.
pub(super) fn modify(bins: &mut BinsBuilder, op: &Op<'_>) -> Result<Option<Bin>, ResultCode> {
    let bin = bins.get(op.name).map(|(_, bin)| view(&bin));
    let applied = record_ops::collection::modify(bin, op.value)?;
    match applied.change {
        Change::Keep => {}
        Change::Set(bin) => bins.put(op.name, bin.particle_type, &bin.bytes),
        Change::Remove => bins.remove(op.name),
    }
    Ok(applied.result)
}

/// A stored bin, as `record_ops` sees it.
pub(super) fn view<'a>(bin: &Op<'a>) -> BinView<'a> {
    BinView { particle_type: bin.particle_type, bytes: bin.value }
}
