//! The body of a compressed frame: as it arrives, and deflated here around the input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::compressed::{inflate, write_compressed};
use wire_protocol::message::{FrameHeader, FrameType};

/// The most bytes that deflate can expand one byte to, and the slack of a buffer for them.
const RATIO: usize = 1_032;
const SLACK: usize = 4_096;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let limit = 1usize << (choice % 28);
    let mut out = Vec::new();
    // As a peer sends it. A checksum protects the deflated bytes, so few changes get through.
    check(data, limit, &mut out);

    // Deflated here, so the content is the input. The announced size may be wrong.
    let mut frame = Vec::new();
    write_compressed(&mut frame, data).expect("it is short");
    let body = &mut frame[FrameHeader::LEN..];
    if choice & 0x80 != 0 {
        body[7] ^= choice;
    }
    let is_taken = check(body, limit, &mut out);
    assert!(!is_taken || out == data);
    if choice & 0x80 == 0 && data.len() <= limit {
        let header = data.first_chunk().map(FrameHeader::parse);
        let is_whole = matches!(header, Some(Ok(header)) if header.kind == FrameType::Message
            && header.size == data.len() - FrameHeader::LEN);
        assert_eq!(is_taken, is_whole);
    }
});

fn check(body: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
    *out = Vec::new();
    let taken = inflate(body, limit, out);
    let most = (limit + FrameHeader::LEN).min(body.len().saturating_mul(RATIO));
    assert!(out.capacity() <= 2 * most + SLACK, "{} bytes for {}", out.capacity(), body.len());
    if taken.is_err() {
        return false;
    }
    let header = FrameHeader::parse(out.first_chunk().expect("a header")).expect("a header that is taken");
    assert_eq!((header.kind, header.size), (FrameType::Message, out.len() - FrameHeader::LEN));
    assert!(header.size <= limit);
    true
}
