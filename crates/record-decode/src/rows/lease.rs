//! The right to write records into the rows of a buffer.

use std::marker::PhantomData;

use wire_protocol::batch::Record;
use wire_protocol::digest::Digest;

use crate::memory::sync::lock;
use crate::memory::{Pass, RowOutcome};
use crate::nested::Walks;
use crate::plan::{BinOrder, Plan};
use crate::report::{Event, Report};

use super::Shared;
use super::field_set::{FieldSet, NarrowSet, WideSet};
use super::fill::fill;

/// Time to live of a record that never expires.
const NEVER: u32 = u32::MAX;

/// The right to write rows of a buffer: see [`RowBuffer::lease`](super::RowBuffer::lease). Its counts are added to the
/// buffer's when it is dropped.
pub struct Lease<'b> {
    plan: &'b Plan,
    order: BinOrder,
    /// What walks through maps and lists have learned.
    walks: Walks,
    wide: Option<(WideSet, WideSet)>,
    /// Values of the current row that changed or failed.
    events: Vec<Event>,
    pub(super) report: Report,
    pub(super) pass: Pass<'b, Shared>,
    not_send: PhantomData<*const ()>,
}

impl<'b> Lease<'b> {
    pub(super) fn new(pass: Pass<'b, Shared>, plan: &'b Plan) -> Self {
        let fields = plan.places();
        Self {
            plan,
            order: BinOrder::new(plan),
            walks: Walks::default(),
            wide: (fields > NarrowSet::FIELDS).then(|| (WideSet::new(fields), WideSet::new(fields))),
            events: Vec::new(),
            report: Report::default(),
            pass,
            not_send: PhantomData,
        }
    }

    /// Writes a record into a row: its values, or zeros and its result code if that is not OK. All fields are written,
    /// whatever the row contained; bytes outside fields are not changed.
    #[inline]
    pub fn write(&mut self, row: usize, record: &Record<'_>) -> RowOutcome {
        self.write_with_digest(row, record, None)
    }

    /// [`Lease::write`], and the digest of the record, if rows have one.
    #[inline]
    pub(super) fn write_with_digest(
        &mut self,
        row: usize,
        record: &Record<'_>,
        digest: Option<&Digest>,
    ) -> RowOutcome {
        if !record.result_code.is_ok() {
            return self.fail(row, i32::from(record.result_code));
        }
        let mut claim = match self.pass.claim(row) {
            Ok(claim) => claim,
            Err(outcome) => return outcome,
        };
        if let Some(digest) = digest {
            claim.put_digest(digest);
        }
        let shared = self.pass.shared();
        let ttl = seconds_left(record.void_time, shared.now);
        // A write that panicked may have left events.
        self.events.clear();
        let (plan, learned, events) = (self.plan, (&mut self.order, &mut self.walks), &mut self.events);
        if let Some((present, absent)) = &mut self.wide {
            present.clear();
            absent.clear();
            fill(plan, learned, record, &mut claim.view(), (&mut *present, absent), events);
            claim.finish(record.generation, ttl, 0, |at| present.byte(at));
        } else {
            let (mut present, mut absent) = (NarrowSet::default(), NarrowSet::default());
            fill(plan, learned, record, &mut claim.view(), (&mut present, &mut absent), events);
            claim.finish(record.generation, ttl, 0, |at| present.byte(at));
        }
        if !self.events.is_empty() {
            self.events.drain(..).for_each(|event| self.report.record(row, event));
            if self.report.is_large() {
                lock(&shared.totals).merge(&mut self.report);
            }
        }
        RowOutcome::Written
    }

    /// Clears a row and gives it a result code: the server's, or a negative one of the client.
    pub fn fail(&mut self, row: usize, code: i32) -> RowOutcome {
        match self.pass.claim(row) {
            Ok(mut claim) => {
                let plan = &*self.pass.shared().plan;
                if plan.has_empty() {
                    let mut view = claim.view();
                    plan.decoders().iter().for_each(|decoder| decoder.clear(&mut view));
                } else {
                    claim.zero();
                }
                claim.finish(0, 0, code, |_| 0);
                self.report.count_code(code, 1);
                RowOutcome::Written
            }
            Err(outcome) => outcome,
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        // Before the pass is dropped, so that a sealed buffer has the complete report.
        self.report.keep_unmatched(self.order.take_unmatched());
        if !self.report.is_empty() {
            lock(&self.pass.shared().totals).merge(&mut self.report);
        }
    }
}

/// The seconds until a record expires; at least 1, even if clocks differ, since the record exists. Both times are in
/// seconds since 2010-01-01 UTC.
#[must_use]
pub fn seconds_left(void_time: u32, now: u32) -> u32 {
    match void_time {
        0 => NEVER,
        _ => void_time.saturating_sub(now).clamp(1, NEVER - 1),
    }
}
