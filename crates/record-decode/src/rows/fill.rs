//! Fills a row from a record: finds the field of each bin, converts the value, zeroes the other fields.

use wire_protocol::batch::Record;
use wire_protocol::message::{Op, Ops};
use wire_protocol::particle::{Particle, particle_type};

use super::field_set::FieldSet;
use crate::error::Reason;
use crate::memory::RowView;
use crate::plan::{BinOrder, Plan};
use crate::report::{Event, Failure};

/// Fills fields of the row from the record's bins and zeroes all others; bytes outside fields are not changed.
/// `present` and `absent` are empty at first; afterwards `present` has the fields that hold a value of the record.
///
/// Of a bin that comes twice, the first one counts. (Servers do not repeat bins.)
#[inline]
pub(crate) fn fill<M: FieldSet>(
    plan: &Plan,
    order: &mut BinOrder,
    record: &Record<'_>,
    number: usize,
    row: &mut RowView<'_>,
    (present, absent): (&mut M, &mut M),
    events: &mut Vec<Event>,
) {
    // Until the end, `present` has the fields of all bins seen so far, `absent` those of them without a value.
    let silent = plan.casting().worst_silent();
    let mut at = 0;
    let mut rest = record.ops_bytes();
    while !rest.is_empty() {
        let all = rest;
        if let Some((found, value)) = order.take_number(at, &mut rest) {
            at += 1;
            if !present.insert(found.field) {
                continue;
            }
            if found.is_copied {
                found.slot.copy_bits(u64::from_be_bytes(value), row);
                continue;
            }
            let fit = if found.is_float {
                found.slot.put(f64::from_be_bytes(value), row)
            } else {
                found.slot.put(i64::from_be_bytes(value), row)
            };
            if fit > silent && !fill_again(plan, all, (number, found.field), row, events) {
                absent.insert(found.field);
            }
            continue;
        }
        let Some(op) = Ops::over(rest).next() else { break };
        rest = rest.get(length(&op)..).unwrap_or_default();
        if let Some(field) = order.field_of(plan, &op, &mut at)
            && present.insert(field)
            && !fill_any(plan, &op, (number, field), row, events)
        {
            absent.insert(field);
        }
    }
    if !present.is_full(plan.decoders().len()) {
        for (field, decoder) in plan.decoders().iter().enumerate() {
            if !present.contains(field) {
                decoder.zero(row);
            }
        }
    }
    present.remove(absent);
}

/// The size of an operation in a message.
fn length(op: &Op<'_>) -> usize {
    8 + op.name.len() + op.value.len()
}

/// Fills a field from the first of `ops`: see [`fill_any`].
#[cold]
fn fill_again(
    plan: &Plan,
    ops: &[u8],
    place: (usize, usize),
    row: &mut RowView<'_>,
    events: &mut Vec<Event>,
) -> bool {
    Ops::over(ops).next().is_some_and(|op| fill_any(plan, &op, place, row, events))
}

/// Fills a field from a bin of any type. Returns whether the field holds a value; otherwise it is zero.
fn fill_any(
    plan: &Plan,
    op: &Op<'_>,
    (row_number, field): (usize, usize),
    row: &mut RowView<'_>,
    events: &mut Vec<Event>,
) -> bool {
    let Some(decoder) = plan.decoders().get(field) else { return false };
    let filled = match op.particle() {
        Ok(Particle::Nil) => {
            decoder.zero(row);
            return false;
        }
        Ok(particle) => decoder.fill(particle, plan.casting(), row),
        Err(error) => Err(Reason::Malformed(error)),
    };
    match filled {
        Ok(0) => true,
        Ok(count) => {
            events.push(Event::Changed { field, count });
            true
        }
        Err(reason) => {
            decoder.zero(row);
            events.push(Event::Failed(Failure { row: row_number, field, bin_type: type_name(op), reason }));
            false
        }
    }
}

#[cold]
fn type_name(op: &Op<'_>) -> &'static str {
    match op.particle() {
        Ok(particle) => particle.type_name(),
        Err(_) => match op.particle_type {
            particle_type::INTEGER => "integer",
            particle_type::FLOAT => "float",
            particle_type::BOOL => "bool",
            particle_type::GEOJSON => "GeoJSON",
            _ => "unknown",
        },
    }
}
