//! A record into a row: finds each bin's field, fills it, zeroes the others.

use wire_protocol::batch::Record;
use wire_protocol::message::{Op, Ops};
use wire_protocol::particle::{Particle, particle_type};

use crate::error::Reason;
use crate::plan::Plan;
use crate::plan::bin_order::Order;
use crate::report::{Event, Failure};
use crate::rows::RowView;
use crate::rows::field_set::Marks;

/// Fills the row's fields from the record's bins and zeroes every other field; bytes outside fields stay
/// as they are. `present` tells afterwards which fields hold a value of the record; it comes with no marks.
///
/// A bin that comes twice fills its field once: the first one counts (a server never repeats a bin that it
/// was asked for once).
#[inline]
pub(crate) fn fill<M: Marks>(
    plan: &Plan,
    order: &mut Order,
    record: &Record<'_>,
    number: usize,
    row: &mut RowView<'_>,
    (present, absent): (&mut M, &mut M),
    events: &mut Vec<Event>,
) {
    // Until the end `present` has every bin that was seen, `absent` those of them without a value.
    let silent = plan.casting().silent();
    let mut at = 0;
    let mut rest = record.ops_bytes();
    while !rest.is_empty() {
        let all = rest;
        if let Some((found, value)) = order.take_number(at, &mut rest) {
            at += 1;
            if !present.insert(found.field) {
                continue;
            }
            if found.is_kept {
                found.spot.put_bits(u64::from_be_bytes(value), row);
                continue;
            }
            let fit = if found.is_float {
                found.spot.put(f64::from_be_bytes(value), row)
            } else {
                found.spot.put(i64::from_be_bytes(value), row)
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
    if !present.is_full(plan.cells().len()) {
        for (field, cell) in plan.cells().iter().enumerate() {
            if !present.contains(field) {
                cell.zero(row);
            }
        }
    }
    present.remove(absent);
}

/// Bytes of an operation in a message.
fn length(op: &Op<'_>) -> usize {
    8 + op.name.len() + op.value.len()
}

/// Fills a field from the first of `ops`, see [`fill_any`].
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

/// Fills a field from an operation, whatever it is; whether the field holds a value now. If not, it is
/// zero.
fn fill_any(
    plan: &Plan,
    op: &Op<'_>,
    (row_number, field): (usize, usize),
    row: &mut RowView<'_>,
    events: &mut Vec<Event>,
) -> bool {
    let Some(cell) = plan.cells().get(field) else { return false };
    let filled = match op.particle() {
        Ok(Particle::Nil) => {
            cell.zero(row);
            return false;
        }
        Ok(particle) => cell.fill(particle, plan.casting(), row),
        Err(error) => Err(Reason::Malformed(error)),
    };
    match filled {
        Ok(0) => true,
        Ok(count) => {
            events.push(Event::Changed { field, count });
            true
        }
        Err(reason) => {
            cell.zero(row);
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
