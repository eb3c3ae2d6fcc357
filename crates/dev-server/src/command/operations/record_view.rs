//! A record as expressions see it.

use std::cell::OnceCell;

use record_ops::RecordView;
use record_ops::expression::{Context, Expression, Metadata};
use wire_protocol::ResultCode;
use wire_protocol::digest::Digest;

use crate::command::request::RecordRequest;
use crate::state::clock::Moment;
use crate::state::store::bins::StoredBins;
use crate::state::store::namespace::Namespace;
use crate::state::store::record::{Record, storage_size};

/// What an expression can ask about a record besides its bins. What costs something is looked up when an expression is
/// evaluated.
pub(crate) struct Subject<'r> {
    namespace: &'r Namespace,
    digest: &'r Digest,
    /// The record as it is stored; `None` if it is being created.
    stored: Option<&'r Record>,
    /// The name of the set of a record that is being created.
    set: &'r [u8],
    key: Option<&'r [u8]>,
    void_time: u32,
    last_update: u64,
    now: Moment,
    set_and_size: OnceCell<(Box<[u8]>, usize)>,
}

impl<'r> Subject<'r> {
    pub(crate) fn stored(
        namespace: &'r Namespace,
        digest: &'r Digest,
        record: &'r Record,
        now: Moment,
    ) -> Self {
        Self {
            namespace,
            digest,
            stored: Some(record),
            set: &[],
            key: record.key.as_deref(),
            void_time: record.void_time,
            last_update: record.last_update,
            now,
            set_and_size: OnceCell::new(),
        }
    }

    /// A record that is being written: its metadata are new, its size is that of the record before.
    pub(crate) fn written(
        request: &RecordRequest<'r>,
        old: Option<&'r Record>,
        void_time: u32,
        now: Moment,
    ) -> Self {
        Self {
            namespace: request.namespace,
            digest: request.digest,
            stored: old,
            set: request.set,
            key: old.and_then(|old| old.key.as_deref()).or(request.key),
            void_time,
            last_update: now.millis,
            now,
            set_and_size: OnceCell::new(),
        }
    }

    fn context<'c>(&'c self, bins: &'c dyn RecordView) -> Context<'c> {
        let (set, size) = self.set_and_size.get_or_init(|| {
            let set = match self.stored {
                Some(record) => self.namespace.set_name(record.set),
                None => self.set.into(),
            };
            let size = self.stored.map_or(EMPTY, |record| {
                storage_size(&record.bins, &set, record.key.as_deref(), record.void_time)
            });
            (set, size)
        });
        let metadata = Metadata {
            digest: *self.digest,
            set,
            key: self.key,
            void_time: self.void_time,
            last_update: self.last_update,
            now: self.now.millis,
            size: *size,
        };
        Context { bins, metadata }
    }
}

/// The size of a record that is not stored yet.
const EMPTY: usize = 16;

/// A record, as expressions see it.
pub(crate) struct Seen<'s> {
    pub(crate) subject: &'s Subject<'s>,
    pub(crate) bins: &'s dyn RecordView,
}

impl Seen<'_> {
    pub(super) fn context(&self) -> Context<'_> {
        self.subject.context(self.bins)
    }
}

/// Refuses a record that a filter expression does not match.
pub(crate) fn filter(
    filter: &Expression<'_>,
    namespace: &Namespace,
    digest: &Digest,
    record: &Record,
    now: Moment,
) -> Result<(), ResultCode> {
    let subject = Subject::stored(namespace, digest, record, now);
    let matches = filter.matches(&subject.context(&StoredBins::of(record)))?;
    if matches { Ok(()) } else { Err(ResultCode::FILTERED_OUT) }
}
