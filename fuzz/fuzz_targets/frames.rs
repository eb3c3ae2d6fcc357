//! A stream of frames: headers, messages, fields, operations, values.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::message::{FrameHeader, FrameType, Message};

fuzz_target!(|data: &[u8]| {
    let mut stream = data;
    while let Some((header, rest)) = stream.split_first_chunk() {
        let Ok(frame) = FrameHeader::parse(header) else { return };
        assert_eq!(&frame.to_bytes(), header);
        let Some((body, rest)) = rest.split_at_checked(frame.size) else { return };
        stream = rest;
        if frame.kind == FrameType::Message {
            messages(body);
        }
    }
});

fn messages(body: &[u8]) {
    let mut rest = body;
    while let Ok((message, after)) = Message::parse(rest) {
        assert!(after.len() < rest.len());
        rest = after;
        assert_eq!(message.fields().count(), usize::from(message.header.n_fields));
        assert_eq!(message.ops().count(), usize::from(message.header.n_ops));
        for field in message.fields() {
            assert!(message.field(field.kind).is_some());
        }
        for op in message.ops() {
            if let Ok(particle) = op.particle() {
                assert_eq!(particle.particle_type(), op.particle_type);
                particle.write(&mut Vec::new());
            }
        }
    }
}
