//! Queries over the primary index.
//!
//! A query asks one node for the records in some of its partitions. The node answers with frames of messages, one for
//! each record, in descending order of digests within a partition, so a query that ended early can continue after the
//! last digest of each partition. An empty message ends the answer.

mod answer;
mod parsed_request;
mod request;

pub use self::answer::{QueryAnswer, QueryAnswers, QueryRecord};
pub use self::parsed_request::QueryScope;
pub use self::request::{QueryDuration, QueryRequest, write_query};
