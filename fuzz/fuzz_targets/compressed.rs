//! The body of a compressed frame: as it comes, and as the frame that somebody deflated.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::compressed::{inflate, write_compressed};
use wire_protocol::message::{FrameHeader, FrameType};

/// What deflate can make of one byte, at most, and what a buffer of such may have beyond.
const RATIO: usize = 1_032;
const SLACK: usize = 4_096;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let limit = 1usize << (choice % 28);
    let mut out = Vec::new();
    // As the peer sends it. A checksum guards the deflated bytes, so few changes come through.
    check(data, limit, &mut out);

    // Deflated here: what comes through is the fuzzer's. The size may lie.
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
