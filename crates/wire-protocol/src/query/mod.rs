//! Queries over the primary index and over secondary indexes, and background queries.
//!
//! A query asks one node for the records in some of its partitions. The node answers with frames of messages, one for
//! each record. Within a partition they have an order, so a query that ended early can continue after the last record
//! of each partition: descending digests without a [`Predicate`]; with one, ascending index values, and ascending
//! digests for each of them. An empty message ends the answer.
//!
//! A [`BackgroundQuery`] makes a node apply operations to records; the node answers when the job has begun.

mod answer;
mod background;
mod parsed_request;
mod predicate;
mod request;

pub use self::answer::{QueryAnswer, QueryAnswers, QueryRecord};
pub use self::background::{BackgroundQuery, write_background_query};
pub use self::parsed_request::QueryScope;
pub use self::predicate::{IndexedValues, Predicate, PredicateIndex, ValueRange};
pub use self::request::{QueryDuration, QueryRequest, write_query};
