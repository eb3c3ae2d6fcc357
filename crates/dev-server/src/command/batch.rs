//! Batches.

use std::sync::Arc;

use record_ops::expression::Expression;
use wire_protocol::ResultCode;
use wire_protocol::batch::{BatchRequestRow, BatchRequestRows, REPEATED_ROW_LEN, batch_flags};
use wire_protocol::message::{FrameHeader, FrameType, Message, field_type};

use crate::command::apply::Call;
use crate::command::request::{Filter, RecordRequest, RequestFields};
use crate::command::single::{execute, timeout_of};
use crate::protocol::answer::write_end;
use crate::protocol::flags::Flags;
use crate::security::Access;
use crate::state::clock::Moment;
use crate::state::cluster::ownership::Route;
use crate::state::faults::Fault;
use crate::state::node::Node;
use crate::state::store::namespace::Namespace;

/// Rows are put into one frame up to this size; a larger row has a frame of its own.
const MAX_FRAME_OF_ROWS: usize = 128 * 1024;

/// The number of rows that a batch announces, but at most as many as fit into it; 0 for an invalid batch.
pub(crate) fn row_count(body: &[u8]) -> u64 {
    let field = Message::parse_only(body).ok().and_then(|message| message.field(field_type::BATCH));
    let count = field.and_then(|field| field.first_chunk()).map_or(0, |count| u32::from_be_bytes(*count));
    u64::from(count).min((body.len() / REPEATED_ROW_LEN) as u64)
}

/// Position of the row's index in the header of an answer.
const INDEX_AT: usize = 14;

/// A batch that is being answered, frame by frame, so that a client that does not read costs the memory of
/// one frame.
pub(crate) struct BatchRun<'a> {
    node: &'a Node,
    rows: BatchRequestRows<'a>,
    /// All rows of the batch, including those that are answered.
    all_rows: BatchRequestRows<'a>,
    /// The expression that records must match unless their rows have one of their own.
    filter: Option<Expression<'a>>,
    /// The code that refuses every row.
    refusal: Option<ResultCode>,
    /// What the last row with fields of its own has; the rows after it may repeat it.
    context: Option<RowContext<'a>>,
    /// The answer to the last row, if it did not fit into the previous frame.
    overflow: Vec<u8>,
    /// The code at the end of the answer: that of the first row that failed, unless the client asks for an
    /// answer to every row.
    end_code: ResultCode,
    /// How long the client waits, in milliseconds; 0 if it does not say.
    timeout: u32,
    /// The user that sent the batch; `None` without security.
    user: Option<Arc<Access>>,
    /// The fault of the first row's answer, until that is written.
    row_fault: Option<Fault>,
    /// The number of rows before the first one of an unknown namespace, if there is one. Like the server,
    /// which notices only when it gets there, those rows are executed but not answered.
    rows_before_unknown: Option<usize>,
}

/// The part of a row that following rows may repeat.
#[derive(Clone, Copy)]
struct RowContext<'a> {
    namespace: &'a Namespace,
    set_number: Option<u16>,
    fields: RequestFields<'a>,
}

impl<'a> BatchRun<'a> {
    /// Checks a batch before any row is executed. Applies faults about result codes; those about rows follow
    /// in `next_frame`.
    ///
    /// # Errors
    /// The code that refuses the whole batch.
    pub(crate) fn new(
        node: &'a Node,
        message: &Message<'a>,
        user: Option<Arc<Access>>,
        fault: Option<Fault>,
    ) -> Result<Self, ResultCode> {
        if let Some(Fault::Code(code)) = fault {
            return Err(code);
        }
        let store = &node.store;
        let fields = RequestFields::of(message.fields());
        let rows = fields.batch.ok_or(ResultCode::PARAMETER)?;
        let rows = BatchRequestRows::parse(rows).map_err(|_| ResultCode::PARAMETER)?;
        if rows.len() == 0 {
            return Err(ResultCode::PARAMETER);
        }
        if store.batch_max_requests != 0 && rows.len() > store.batch_max_requests as usize {
            return Err(ResultCode::BATCH_MAX_REQUESTS);
        }
        let filter = fields.filter.map(Expression::parse_filter).transpose()?;
        let mut run = Self {
            node,
            filter,
            all_rows: rows.clone(),
            rows,
            refusal: match fault {
                Some(Fault::RowCode(code)) => Some(code),
                _ => fields.refusal,
            },
            context: None,
            overflow: Vec::new(),
            end_code: ResultCode::OK,
            timeout: timeout_of(message),
            user,
            row_fault: fault.filter(|fault| matches!(fault, Fault::WrongRowIndex | Fault::RowTwice)),
            rows_before_unknown: None,
        };
        run.rows_before_unknown =
            run.rows.clone().position(|row| !repeats(&row) && run.context_of(&row).is_none());
        Ok(run)
    }

    /// The context of a row with fields of its own; `None` if its namespace is unknown.
    fn context_of(&self, row: &BatchRequestRow<'a>) -> Option<RowContext<'a>> {
        let fields = RequestFields::of(row.fields());
        let namespace = self.node.store.namespace(fields.namespace?)?;
        Some(RowContext { namespace, set_number: namespace.known_set(fields.set), fields })
    }

    /// Appends a frame of answers and, after the last row, the frame that ends the answer. Returns `false`
    /// then.
    pub(crate) fn next_frame(&mut self, out: &mut Vec<u8>) -> bool {
        let now = self.node.store.clock.moment();
        let start = out.len();
        if let Some(rows) = self.rows_before_unknown {
            for row in self.all_rows.clone().take(rows) {
                self.answer_row(&row, now, out);
                out.truncate(start);
            }
            write_end(out, ResultCode::PARAMETER);
            return false;
        }
        let mut passed_on = 0;
        out.extend_from_slice(&[0; FrameHeader::LEN]);
        out.append(&mut self.overflow);
        while let Some(row) = self.rows.next() {
            let row_start = out.len();
            passed_on += u64::from(self.answer_row(&row, now, out) == Route::PassedOn);
            if let Some(fault) = self.row_fault.take() {
                self.corrupt_row(fault, row_start, out);
            }
            if out.len() - start > MAX_FRAME_OF_ROWS && row_start > start + FrameHeader::LEN {
                self.overflow.extend_from_slice(&out[row_start..]);
                out.truncate(row_start);
                finish_frame(out, start);
                self.node.counters.passed_on(passed_on);
                return true;
            }
        }
        finish_frame(out, start);
        self.node.counters.passed_on(passed_on);
        write_end(out, self.end_code);
        false
    }

    #[inline]
    fn answer_row(&mut self, row: &BatchRequestRow<'a>, now: Moment, out: &mut Vec<u8>) -> Route {
        let flags = Flags { info1: row.info1(), info2: row.info2(), info3: row.info3() };
        let route = self.node.ownership.route(row.digest, flags);
        if !repeats(row) || self.context.is_none() {
            self.context = self.context_of(row);
        }
        let Some(context) = self.context else {
            return route;
        };
        let unavailable = (route == Route::Nowhere).then_some(ResultCode::PARTITION_UNAVAILABLE);
        let violation = match &self.user {
            Some(user) => {
                let (namespace, is_call) = (context.namespace.name.as_bytes(), context.fields.call.is_some());
                let may = user.may(flags, is_call, namespace, context.fields.set);
                (!may).then_some(ResultCode::ROLE_VIOLATION)
            }
            None => None,
        };
        let request = RecordRequest {
            namespace: context.namespace,
            digest: row.digest,
            set: context.fields.set,
            set_number: context.set_number,
            key: context.fields.key,
            filter: context.fields.filter.map(Filter::Sent).or(self.filter.as_ref().map(Filter::Parsed)),
            search: None,
            // In order of precedence.
            refusal: violation
                .or(self.refusal)
                .or(context.fields.refusal_of(flags, row.info4()))
                .or(unavailable),
            flags,
            call: context
                .fields
                .call
                .map(|fields| Call::new(&self.node.store.functions, fields, self.timeout)),
            generation: u32::from(row.generation()),
            ttl: row.ttl(),
            ops: row.ops(),
            index: row.index,
            is_row: true,
        };
        let code = execute(&request, now, out);
        if !code.is_about_record()
            && self.end_code.is_ok()
            && self.rows.flags() & batch_flags::RESPOND_ALL_KEYS == 0
        {
            self.end_code = code;
        }
        route
    }

    /// Applies a fault to the answer at `start`.
    #[cold]
    fn corrupt_row(&self, fault: Fault, start: usize, out: &mut Vec<u8>) {
        if fault == Fault::RowTwice {
            out.extend_from_within(start..);
            return;
        }
        let is_used = |index| self.all_rows.clone().any(|row| row.index == index);
        let index = (0..=u32::MAX).rev().find(|&index| !is_used(index)).unwrap_or_default();
        if let Some(room) = out.get_mut(start + INDEX_AT..).and_then(<[u8]>::first_chunk_mut) {
            *room = index.to_be_bytes();
        }
    }
}

/// Whether the row repeats the fields, flags and operations of the one before it.
fn repeats(row: &BatchRequestRow<'_>) -> bool {
    row.flags & wire_protocol::batch::row_flags::REPEAT != 0
}

/// Writes the header of the frame at `start`.
fn finish_frame(out: &mut [u8], start: usize) {
    let size = out.len() - start - FrameHeader::LEN;
    let header = FrameHeader { kind: FrameType::Message, size }.to_bytes();
    out[start..start + FrameHeader::LEN].copy_from_slice(&header);
}
