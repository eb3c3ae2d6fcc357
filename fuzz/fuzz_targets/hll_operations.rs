//! Operations on HyperLogLogs: whatever they make is a HyperLogLog, and can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use record_ops::{BinView, Change, hll};
use wire_protocol::particle::particle_type;

fuzz_target!(|data: &[u8]| {
    let Some((&[shape], operation)) = data.split_first_chunk() else {
        return;
    };
    // A small sketch of one of several shapes, filled with the operation's own bytes.
    let (index, hash) = (4 + shape % 3, if shape & 4 == 0 { 0 } else { 4 + shape / 8 });
    let size = 11 + ((6 + usize::from(hash)) << index).div_ceil(8);
    let mut sketch = vec![0, index, hash, 0, 0, 0, 0, 0, 0, 0, 0];
    sketch.extend(operation.iter().chain(std::iter::repeat(&0)).take(size - 11));
    assert!(hll::is_sketch(&sketch));
    let bin = BinView { particle_type: particle_type::HLL, bytes: &sketch };
    for bin in [Some(bin), None] {
        if let Ok(applied) = hll::modify(bin, operation)
            && let Change::Set(new) = applied.change
        {
            // Only a union of sketches whose numbers of bits do not fit together makes one that is not valid.
            assert!(hll::is_sketch(&new.bytes) || new.bytes[1] + new.bytes[2] > 64);
        }
    }
    _ = hll::read(bin, operation);
});
