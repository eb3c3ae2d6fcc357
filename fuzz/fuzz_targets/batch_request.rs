//! The rows of a batch request, as the embedded server reads them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::batch::BatchRequestRows;
use wire_protocol::batch::row_flags;

fuzz_target!(|data: &[u8]| {
    let Ok(rows) = BatchRequestRows::parse(data) else { return };
    let len = rows.len();
    let mut before = None;
    let mut seen = 0;
    for row in rows {
        seen += 1;
        let parts = (row.info1(), row.info2(), row.info3(), row.info4(), row.generation(), row.ttl());
        if row.flags & row_flags::REPEAT != 0 {
            assert_eq!(Some(parts), before);
        }
        before = Some(parts);
        for field in row.fields() {
            assert!(row.field(field.kind).is_some());
        }
        for op in row.ops() {
            let _ = op.particle();
        }
    }
    assert_eq!(seen, len);
});
