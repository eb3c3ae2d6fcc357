//! Batches: rows in, frames of messages out.

use std::sync::Arc;

use wire_protocol::ResultCode;
use wire_protocol::batch::{REPEATED_ROW_LEN, batch_flags};
use wire_protocol::batch_request::{BatchRequestRow, BatchRequestRows};
use wire_protocol::message::{FrameHeader, FrameType, Message, field_type};

use crate::User;
use crate::answer::write_end;
use crate::clock::Moment;
use crate::commands::{Request, RequestFields, execute};
use crate::faults::Fault;
use crate::node::Node;
use crate::operations::Flags;
use crate::ownership::Route;
use crate::store::Namespace;

/// Largest frame that is filled with several rows; a larger row gets a frame of its own.
const FRAME: usize = 128 * 1024;

/// How many rows a batch says it has, as far as there is room for them; 0 for what is none.
pub(crate) fn rows_of(body: &[u8]) -> u64 {
    let field = Message::parse_only(body).ok().and_then(|message| message.field(field_type::BATCH));
    let count = field.and_then(|field| field.first_chunk()).map_or(0, |count| u32::from_be_bytes(*count));
    u64::from(count).min((body.len() / REPEATED_ROW_LEN) as u64)
}

/// Where the header of an answer has the row's index.
const INDEX_AT: usize = 14;

/// A batch that is being answered, some frames at a time, so that a client that does not read costs one
/// frame of memory.
pub(crate) struct BatchRun<'a> {
    node: &'a Node,
    rows: BatchRequestRows<'a>,
    /// The rows as they came, those that were answered among them.
    all_rows: BatchRequestRows<'a>,
    /// The code for something that is asked for of all rows and not there.
    refused: Option<ResultCode>,
    /// The row before, for the rows that repeat it.
    shared: Option<Shared<'a>>,
    /// Rows that a full frame had no room for: at most one.
    carried: Vec<u8>,
    /// The code of the first row that failed, where the client asked to be told so at the end.
    end_code: ResultCode,
    /// Who asks; none where nobody has to say so.
    user: Option<Arc<User>>,
    /// What is to be wrong with the first row's answer, until it was given.
    wrong: Option<Fault>,
    /// Rows before the first of a namespace that there is not, where there is one. They are executed, and not
    /// answered: so does the server, which finds out on its way.
    unanswered: Option<usize>,
}

/// What a row has beside its index and digest.
#[derive(Clone, Copy)]
struct Shared<'a> {
    namespace: &'a Namespace,
    set_number: Option<u16>,
    fields: RequestFields<'a>,
}

impl<'a> BatchRun<'a> {
    /// Looks at a whole batch before a row of it runs. Of the faults those count that are about rows and
    /// codes.
    ///
    /// # Errors
    /// The code that refuses all of it.
    pub(crate) fn new(
        node: &'a Node,
        message: &Message<'a>,
        user: Option<Arc<User>>,
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
        let mut run = Self {
            node,
            all_rows: rows.clone(),
            rows,
            refused: match fault {
                Some(Fault::RowCode(code)) => Some(code),
                _ => fields.refused,
            },
            shared: None,
            carried: Vec::new(),
            end_code: ResultCode::OK,
            user,
            wrong: fault.filter(|fault| matches!(fault, Fault::WrongRowIndex | Fault::RowTwice)),
            unanswered: None,
        };
        run.unanswered = run.rows.clone().position(|row| is_own(&row) && run.shared_of(&row).is_none());
        Ok(run)
    }

    fn shared_of(&self, row: &BatchRequestRow<'a>) -> Option<Shared<'a>> {
        let fields = RequestFields::of(row.fields());
        let namespace = self.node.store.namespace(fields.namespace?)?;
        Some(Shared { namespace, set_number: namespace.known_set(fields.set), fields })
    }

    /// Appends a frame of answers, and the end of the answer after the last one; `false` when it has ended.
    pub(crate) fn next_frame(&mut self, out: &mut Vec<u8>) -> bool {
        let now = self.node.store.clock.moment();
        let start = out.len();
        if let Some(rows) = self.unanswered {
            for row in self.all_rows.clone().take(rows) {
                self.answer_row(&row, now, out);
                out.truncate(start);
            }
            write_end(out, ResultCode::PARAMETER);
            return false;
        }
        let mut passed_on = 0;
        out.extend_from_slice(&[0; FrameHeader::LEN]);
        out.append(&mut self.carried);
        while let Some(row) = self.rows.next() {
            let row_start = out.len();
            passed_on += u64::from(self.answer_row(&row, now, out) == Route::PassedOn);
            if let Some(fault) = self.wrong.take() {
                self.spoil(fault, row_start, out);
            }
            if out.len() - start > FRAME && row_start > start + FrameHeader::LEN {
                self.carried.extend_from_slice(&out[row_start..]);
                out.truncate(row_start);
                finish_frame(out, start);
                self.node.counting.passed_on(passed_on);
                return true;
            }
        }
        finish_frame(out, start);
        self.node.counting.passed_on(passed_on);
        write_end(out, self.end_code);
        false
    }

    #[inline]
    fn answer_row(&mut self, row: &BatchRequestRow<'a>, now: Moment, out: &mut Vec<u8>) -> Route {
        let flags = Flags { info1: row.info1(), info2: row.info2(), info3: row.info3() };
        let route = self.node.ownership.route(row.digest, flags);
        if is_own(row) || self.shared.is_none() {
            self.shared = self.shared_of(row);
        }
        let Some(shared) = self.shared else {
            return route;
        };
        let unavailable = (route == Route::Nowhere).then_some(ResultCode::PARTITION_UNAVAILABLE);
        let violation = match &self.user {
            Some(user) if !user.may(flags) => Some(ResultCode::ROLE_VIOLATION),
            _ => None,
        };
        let request = Request {
            namespace: shared.namespace,
            digest: row.digest,
            set: shared.fields.set,
            set_number: shared.set_number,
            key: shared.fields.key,
            refused: violation.or(self.refused).or(shared.fields.refused).or(unavailable),
            flags,
            generation: u32::from(row.generation()),
            ttl: row.ttl(),
            ops: row.ops(),
            index: row.index,
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

    /// Makes the answer at `start` the wrong one that was ordered.
    #[cold]
    fn spoil(&self, fault: Fault, start: usize, out: &mut Vec<u8>) {
        if fault == Fault::RowTwice {
            out.extend_from_within(start..);
            return;
        }
        let is_asked = |index| self.all_rows.clone().any(|row| row.index == index);
        let index = (0..=u32::MAX).rev().find(|&index| !is_asked(index)).unwrap_or_default();
        if let Some(room) = out.get_mut(start + INDEX_AT..).and_then(<[u8]>::first_chunk_mut) {
            *room = index.to_be_bytes();
        }
    }
}

/// Whether the row does not repeat the one before it.
fn is_own(row: &BatchRequestRow<'_>) -> bool {
    row.flags & wire_protocol::batch::row_flags::REPEAT == 0
}

/// Sets the size of the frame at `start`.
fn finish_frame(out: &mut [u8], start: usize) {
    let size = out.len() - start - FrameHeader::LEN;
    let header = FrameHeader { kind: FrameType::Message, size }.to_bytes();
    out[start..start + FrameHeader::LEN].copy_from_slice(&header);
}
