//! Fills a row from a record: finds the field of each bin, converts the value, clears the other fields.

use wire_protocol::WireError;
use wire_protocol::batch::Record;
use wire_protocol::message::{Op, Ops};
use wire_protocol::msgpack::Reader;
use wire_protocol::particle::{Particle, particle_type};

use super::field_set::FieldSet;
use crate::convert::{FieldDecoder, Filled, Fit};
use crate::error::Reason;
use crate::memory::RowView;
use crate::nested::{Cells, Numbers, Walks, walk};
use crate::plan::{BinOrder, Plan, Target, Tree};
use crate::report::Event;

/// Fills fields of the row from the record's bins and clears all others; bytes outside fields are not changed.
/// `present` and `absent` are empty at first; afterwards `present` has the fields that hold a value of the record.
///
/// Of a bin that comes twice, the first one counts. (Servers do not repeat bins.)
#[inline]
pub(crate) fn fill<M: FieldSet>(
    plan: &Plan,
    (order, walks): (&mut BinOrder, &mut Walks),
    record: &Record<'_>,
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
            if fit > silent && !fill_again(plan, all, found.field, row, events) {
                absent.insert(found.field);
            }
            continue;
        }
        let Some(op) = Ops::over(rest).next() else { break };
        rest = rest.get(length(&op)..).unwrap_or_default();
        if let Some(field) = order.field_of(plan, &op, &mut at)
            && present.insert(field)
        {
            if let Some(tree) = plan.tree(field) {
                // Only the leaves that it fills are present.
                absent.insert(field);
                let mut cells = RowCells { plan, silent, row, present, absent, events };
                cells.fill(tree, walks, &op);
            } else if !fill_any(plan, &op, field, row, events) {
                absent.insert(field);
            }
        }
    }
    if !present.is_full(plan.decoders().len()) {
        for (field, decoder) in plan.decoders().iter().enumerate() {
            if !present.contains(field) {
                decoder.clear(row);
            }
        }
    }
    present.remove(absent);
}

/// The cells of a row, while the values inside a bin fill them.
struct RowCells<'a, 'r, M> {
    plan: &'a Plan,
    /// The worst fit that is neither counted nor a failure.
    silent: Fit,
    row: &'a mut RowView<'r>,
    present: &'a mut M,
    absent: &'a mut M,
    events: &'a mut Vec<Event>,
}

impl<M: FieldSet> RowCells<'_, '_, M> {
    /// Fills the leaves of a tree from the bin of an operation. Leaves that have no value are not changed.
    #[inline(never)]
    fn fill(&mut self, tree: &Tree, walks: &mut Walks, op: &Op<'_>) {
        let plan = self.plan;
        for &leaf in tree.node(Tree::ROOT).map_or(&[][..], |root| &root.leaves) {
            self.present.insert(leaf);
            if !fill_any(plan, op, leaf, self.row, self.events) {
                self.absent.insert(leaf);
            }
        }
        walk(plan, tree, walks, op.particle(), self);
    }
}

impl<M: FieldSet> Cells for RowCells<'_, '_, M> {
    type Numbers<'c>
        = RowNumbers<'c, M>
    where
        Self: 'c;

    #[inline]
    fn numbers(&mut self) -> RowNumbers<'_, M> {
        let Self { plan, silent, row, present, .. } = self;
        RowNumbers { decoders: plan.decoders(), silent: *silent, row: row.reborrow(), present }
    }

    fn fill_next(&mut self, leaf: usize, reader: &mut Reader<'_>, depth: usize) -> Result<(), WireError> {
        let Some(decoder) = self.plan.decoders().get(leaf) else { return reader.skip_within(depth) };
        match decoder.fill_next(reader, depth, self.plan.casting(), self.row)? {
            Filled::Nil => {}
            Filled::Value { changed } => {
                self.present.insert(leaf);
                if changed > 0 {
                    self.events.push(Event::Changed { field: leaf, count: changed });
                }
            }
            Filled::Failed { found, reason } => self.fail(Target::leaf(leaf), found, reason),
        }
        Ok(())
    }

    #[cold]
    fn fail(&mut self, target: Target, found: &'static str, reason: Reason) {
        for leaf in target.leaves() {
            self.present.insert(leaf);
            self.absent.insert(leaf);
            if let Some(decoder) = self.plan.decoders().get(leaf) {
                decoder.clear(self.row);
            }
        }
        self.events.push(Event::Failed { target, bin_type: found, reason });
    }

    #[cold]
    fn fail_anyway(&mut self, target: Target, found: &'static str, reason: Reason) {
        let leaves = target.leaves();
        self.events.retain(|event| !leaves.contains(&event.leaf()));
        self.fail(target, found, reason);
    }
}

/// The cells of a row, while numbers fill them.
struct RowNumbers<'c, M> {
    decoders: &'c [FieldDecoder],
    silent: Fit,
    row: RowView<'c>,
    present: &'c mut M,
}

impl<M: FieldSet> Numbers for RowNumbers<'_, M> {
    #[inline]
    fn put<'a>(&mut self, leaf: usize, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let mut reader = Reader::new(bytes);
        let fit = self.decoders.get(leaf)?.put_next(&mut reader, &mut self.row)?;
        if fit > self.silent {
            return None;
        }
        self.present.insert(leaf);
        Some(reader.rest())
    }
}

/// The size of an operation in a message.
fn length(op: &Op<'_>) -> usize {
    8 + op.name.len() + op.value.len()
}

/// Fills a field from the first of `ops`: see [`fill_any`].
#[cold]
fn fill_again(plan: &Plan, ops: &[u8], field: usize, row: &mut RowView<'_>, events: &mut Vec<Event>) -> bool {
    Ops::over(ops).next().is_some_and(|op| fill_any(plan, &op, field, row, events))
}

/// Fills a field from a bin of any type. Returns whether the field holds a value; otherwise it is cleared.
fn fill_any(plan: &Plan, op: &Op<'_>, field: usize, row: &mut RowView<'_>, events: &mut Vec<Event>) -> bool {
    let Some(decoder) = plan.decoders().get(field) else { return false };
    let filled = match op.particle() {
        Ok(Particle::Nil) => {
            decoder.clear(row);
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
            decoder.clear(row);
            events.push(Event::Failed { target: Target::leaf(field), bin_type: type_name(op), reason });
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
