//! A record in the answer to a query.

use wire_protocol::digest::Digest;
use wire_protocol::message::{MessageHeader, Ops, field_type, info1, write_field};

use crate::command::operations::{self, Seen, Subject, reads};
use crate::protocol::flags::Flags;
use crate::state::clock::Moment;
use crate::state::store::bins::{BinLookup, StoredBins};
use crate::state::store::namespace::Namespace;
use crate::state::store::record::Record;

/// Size of the largest answer about one record, which may have the same bin several times.
const MAX_RECORD: usize = wire_protocol::message::MAX_FRAME / 2;

/// What is sent of each record.
pub(super) struct Projection<'a> {
    pub(super) flags: Flags,
    pub(super) ops: Ops<'a>,
    pub(super) n_ops: usize,
}

/// A record, and what the query knows about it.
pub(super) struct Found<'r> {
    pub(super) namespace: &'r Namespace,
    pub(super) digest: &'r Digest,
    pub(super) record: &'r Record,
    /// The name of its set.
    pub(super) set: &'r [u8],
    /// Its value in the index that was used.
    pub(super) index_value: Option<u64>,
}

/// Why a record was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Omission {
    /// It has none of the requested bins, or an operation failed.
    LeftOut,
    /// It does not fit into a frame.
    TooBig,
}

impl Projection<'_> {
    /// Appends a record.
    pub(super) fn write(&self, found: &Found<'_>, now: Moment, out: &mut Vec<u8>) -> Result<(), Omission> {
        let &Found { namespace, digest, record, set, index_value } = found;
        let start = out.len();
        out.extend_from_slice(&[0; MessageHeader::LEN]);
        write_field(out, field_type::NAMESPACE, namespace.name.as_bytes());
        write_field(out, field_type::DIGEST, digest);
        if !set.is_empty() {
            write_field(out, field_type::SET, set);
        }
        if let Some(key) = &record.key {
            write_field(out, field_type::KEY, key);
        }
        if let Some(value) = index_value {
            write_field(out, field_type::INDEX_VALUES, &value.to_le_bytes());
        }
        let no_bins = self.flags.info1 & info1::NO_BINS;
        let n_ops = match no_bins {
            // Like the server, which finds out record by record.
            0 if self.n_ops > operations::MAX_OPS => Err(Omission::LeftOut),
            0 => {
                let subject = Subject::stored(namespace, digest, record, now);
                let seen = Seen { subject: &subject, bins: &StoredBins::of(record) };
                self.write_bins(record, &seen, out)
            }
            _ => Ok(0),
        };
        let n_ops = match n_ops {
            Ok(_) if out.len() - start > MAX_RECORD => Err(Omission::TooBig),
            n_ops => n_ops,
        };
        let n_ops = n_ops.inspect_err(|_| out.truncate(start))?;
        let mut header = Vec::with_capacity(MessageHeader::LEN);
        let n_fields = [!set.is_empty(), record.key.is_some(), index_value.is_some()];
        MessageHeader {
            info1: no_bins,
            generation: record.generation.into(),
            ttl: now.for_clients(record.void_time),
            n_fields: 2 + n_fields.into_iter().map(u16::from).sum::<u16>(),
            n_ops,
            ..MessageHeader::default()
        }
        .write(&mut header);
        out[start..start + MessageHeader::LEN].copy_from_slice(&header);
        Ok(())
    }

    /// Appends the requested bins, or all bins if none is named, and returns their number. If every operation must have
    /// a result, a bin that the record lacks is nil; otherwise it is left out. If an operation fails, or if there is no
    /// result, the whole record is left out.
    fn write_bins(&self, record: &Record, seen: &Seen<'_>, out: &mut Vec<u8>) -> Result<u16, Omission> {
        if self.ops.clone().next().is_none() {
            record.write_bins(out);
            return Ok(record.n_bins);
        }
        let limit = out.len() + MAX_RECORD;
        let lookup = BinLookup::new(record, &self.ops);
        let mut count = 0;
        for op in self.ops.clone() {
            let result = reads::read(&op, lookup.find(op.name), seen).map_err(|_| Omission::LeftOut)?;
            if !result.write(&op, self.flags.responds_to_all(), false, out) {
                continue;
            }
            count += 1;
            if out.len() > limit {
                return Err(Omission::TooBig);
            }
        }
        if count == 0 { Err(Omission::LeftOut) } else { Ok(count) }
    }
}
