//! Queries: the records of partitions, or what a secondary index has of them; sent, or changed in the background.
//!
//! | module | what |
//! | --- | --- |
//! | `request` | which records a query asks for |
//! | `source` | where it finds them: all records of a partition, or entries of an index |
//! | `run` | a query that is being answered |
//! | `record` | a record in the answer |
//! | `background` | a query that applies operations |
//! | `rate_limit` | records per second |

pub(super) mod background;
mod rate_limit;
mod record;
mod request;
pub(super) mod run;
mod source;

use wire_protocol::message::{Message, field_type, info2};

/// Whether a message is a query and not a command on one record.
pub(crate) fn is_query(message: &Message<'_>) -> bool {
    message.header.info2 & info2::WRITE == 0
        && is_about_many(message)
        && [field_type::PARTITION_IDS, field_type::DIGESTS, field_type::INDEX_RANGE]
            .into_iter()
            .any(|kind| message.field(kind).is_some())
}

/// Whether a message is a query that applies operations in the background.
pub(crate) fn is_background(message: &Message<'_>) -> bool {
    message.header.info2 & info2::WRITE != 0 && is_about_many(message)
}

/// Whether a message names no record.
fn is_about_many(message: &Message<'_>) -> bool {
    message.field(field_type::DIGEST).is_none() && message.field(field_type::KEY).is_none()
}
