//! A query as a node reads it: its scope and its predicate. What is read can be written, and is the same then.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::command::Projection;
use wire_protocol::message::{FrameHeader, Message};
use wire_protocol::query::{Predicate, QueryDuration, QueryRequest, QueryScope, write_query};

fuzz_target!(|data: &[u8]| {
    let Ok(message) = Message::parse_only(data) else { return };
    let scope = QueryScope::parse(&message).unwrap_or_default();
    let Ok(Some(predicate)) = Predicate::parse(&message) else { return };
    let request = QueryRequest {
        namespace: b"test",
        set: b"",
        projection: Projection::All,
        every_record: false,
        operations: None,
        predicate: Some(&predicate),
        index_values: &scope.index_values,
        partitions: &scope.partitions,
        after: &scope.after,
        max_records: 0,
        records_per_second: 0,
        socket_timeout_ms: 0,
        task_id: 1,
        duration: QueryDuration::Long,
        info1: 0,
        info3: 0,
        ttl: 0,
        filter: &[],
    };
    let mut out = Vec::new();
    if write_query(&mut out, &request).is_ok() {
        let written = Message::parse_only(&out[FrameHeader::LEN..]).expect("a written request is a message");
        assert_eq!(Predicate::parse(&written), Ok(Some(predicate)));
    }
});
