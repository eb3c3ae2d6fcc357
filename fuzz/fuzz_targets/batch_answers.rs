//! The body of a frame of a batch response.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::batch::{BatchAnswer, BatchAnswers};
use wire_protocol::message::Ops;

fuzz_target!(|data: &[u8]| {
    let mut over = false;
    for answer in BatchAnswers::new(data) {
        assert!(!over, "something follows an error or the end");
        match answer {
            Ok(BatchAnswer::Record(record)) => {
                assert_eq!(record.ops().count(), usize::from(record.n_ops));
                assert!(Ops::over(record.ops_bytes()).eq(record.ops()));
                for op in record.ops() {
                    let _ = op.particle();
                }
            }
            Ok(BatchAnswer::End { .. }) | Err(_) => over = true,
        }
    }
});
