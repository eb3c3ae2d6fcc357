//! What a request or a batch row asks of one record.

use std::sync::Arc;

use record_ops::expression::Expression;
use wire_protocol::ResultCode;
use wire_protocol::digest::Digest;
use wire_protocol::message::{Fields, Ops, field_type, info2, info4};

use crate::command::apply::Call;
use crate::command::operations;
use crate::protocol::flags::Flags;
use crate::state::clock::Moment;
use crate::state::store::index::definition::Elements;
use crate::state::store::index::predicate::Predicate;
use crate::state::store::index::registry::Index;
use crate::state::store::namespace::Namespace;
use crate::state::store::record::Record;

/// Length of the longest name of a set.
pub(crate) const MAX_SET_NAME: usize = 63;

/// The fields of a request or batch row that this server uses.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestFields<'a> {
    pub(crate) namespace: Option<&'a [u8]>,
    pub(crate) set: &'a [u8],
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) digest: Option<&'a [u8]>,
    pub(crate) batch: Option<&'a [u8]>,
    /// The expression that a record must match.
    pub(crate) filter: Option<&'a [u8]>,
    /// The user-defined function that is to be applied.
    pub(crate) call: Option<CallFields<'a>>,
    /// The code that refuses the request, if it asks for something that the server does not have.
    pub(crate) refusal: Option<ResultCode>,
    /// Whether it is part of a transaction.
    pub(crate) in_transaction: bool,
}

impl<'a> RequestFields<'a> {
    /// The code that refuses a command on one record. Like a Community server, refuses what is part of a transaction
    /// or ends one, except deletions, which it carries out.
    #[inline]
    pub(crate) fn refusal_of(&self, flags: Flags, info4: u8) -> Option<ResultCode> {
        if !self.in_transaction && info4 == 0 {
            return self.refusal;
        }
        let is_write = flags.info2 & info2::WRITE != 0;
        let is_delete = is_write && flags.info2 & info2::DELETE != 0;
        let ends = if is_write { info4::ROLL_FORWARD | info4::ROLL_BACK } else { info4::VERIFY_READ };
        let is_refused = !is_delete && (self.in_transaction || info4 & ends != 0);
        if is_refused { Some(ResultCode::ENTERPRISE_ONLY) } else { self.refusal }
    }

    #[inline]
    pub(crate) fn of(fields: Fields<'a>) -> Self {
        let mut found = Self::default();
        for field in fields {
            match field.kind {
                field_type::NAMESPACE => found.namespace = Some(field.data),
                field_type::SET => found.set = field.data,
                field_type::KEY => found.key = Some(field.data),
                field_type::DIGEST => found.digest = Some(field.data),
                field_type::BATCH => found.batch = Some(field.data),
                field_type::FILTER => found.filter = Some(field.data),
                field_type::TRANSACTION_ID => found.in_transaction = true,
                field_type::UDF_MODULE => found.call.get_or_insert_default().module = Some(field.data),
                field_type::UDF_FUNCTION => found.call.get_or_insert_default().function = Some(field.data),
                field_type::UDF_ARGUMENTS => found.call.get_or_insert_default().arguments = Some(field.data),
                // Like the server, ignore unknown fields.
                _ => {}
            }
        }
        found
    }
}

/// The fields of a request about a user-defined function.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallFields<'a> {
    pub(crate) module: Option<&'a [u8]>,
    pub(crate) function: Option<&'a [u8]>,
    pub(crate) arguments: Option<&'a [u8]>,
}

/// A read, write or delete of one record, or a function that is applied to it, alone or as a row of a batch.
pub(crate) struct RecordRequest<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) digest: &'a Digest,
    pub(crate) set: &'a [u8],
    /// The number of the set, if the set existed when the request came in.
    pub(crate) set_number: Option<u16>,
    pub(crate) key: Option<&'a [u8]>,
    /// The expression that the record must match.
    pub(crate) filter: Option<Filter<'a>>,
    /// What the query looks for that the request belongs to.
    pub(crate) search: Option<&'a Search>,
    /// The code that refuses the request.
    pub(crate) refusal: Option<ResultCode>,
    pub(crate) flags: Flags,
    /// The user-defined function that is to be applied.
    pub(crate) call: Option<Call<'a>>,
    pub(crate) generation: u32,
    pub(crate) ttl: u32,
    pub(crate) ops: Ops<'a>,
    /// The index that the answer contains: the row's in a batch, else 0.
    pub(crate) index: u32,
    /// Whether it is a row of a batch.
    pub(crate) is_row: bool,
}

/// What a query looks for in a secondary index.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) index: Arc<Index>,
    pub(crate) name: String,
    pub(crate) predicate: Predicate,
}

impl Search {
    /// Whether a record is still one that the query looks for.
    pub(crate) fn matches(&self, digest: &Digest, record: &Record) -> bool {
        let mut is_match = false;
        let definition = &self.index.definition;
        if definition.covers(record.set) {
            definition.visit(digest, record, &mut |value| {
                is_match = self.predicate.matches(value);
                !is_match
            });
        }
        is_match
    }

    /// Whether the index may have several entries in the range for a record.
    pub(crate) fn may_repeat(&self) -> bool {
        self.predicate.is_range() && self.index.definition.elements != Elements::Whole
    }
}

/// A filter expression: as it was sent, or parsed for all rows of a batch.
#[derive(Clone, Copy)]
pub(crate) enum Filter<'a> {
    Sent(&'a [u8]),
    Parsed(&'a Expression<'a>),
}

impl RecordRequest<'_> {
    /// Refuses a record that the search or the filter does not match. Like the server, parses the filter only now, so a record that
    /// does not exist has its code first.
    pub(crate) fn check_filter(&self, record: &Record, now: Moment) -> Result<(), ResultCode> {
        if self.search.is_some_and(|search| !search.matches(self.digest, record)) {
            return Err(ResultCode::RECORD_NOT_FOUND);
        }
        let check =
            |filter: &Expression<'_>| operations::filter(filter, self.namespace, self.digest, record, now);
        match self.filter {
            None => Ok(()),
            Some(Filter::Parsed(filter)) => check(filter),
            Some(Filter::Sent(bytes)) => check(&Expression::parse_filter(bytes)?),
        }
    }

    /// Whether the request sends another user key than the record has.
    pub(crate) fn is_other_key(&self, record: &Record) -> bool {
        matches!((&record.key, self.key), (Some(stored), Some(sent)) if **stored != *sent)
    }

    /// Whether a record is in another set than the request names. Unless `must_name`, a request that names no
    /// set matches any.
    #[inline]
    pub(crate) fn is_other_set(&self, record: &Record, must_name: bool) -> bool {
        if self.set.is_empty() {
            return must_name && record.set != 0;
        }
        // The set may have been created since its number was looked up.
        self.set_number != Some(record.set) && self.namespace.known_set(self.set) != Some(record.set)
    }
}
