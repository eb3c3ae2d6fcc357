//! Compressed frames, received and sent.

use std::borrow::Cow;
use std::ops::Range;

use wire_protocol::compressed::{THRESHOLD, inflate, write_compressed};
use wire_protocol::message::{FrameHeader, FrameType, MAX_FRAME, info1};

use crate::state::node::Node;

/// The type and body of a frame, decompressed if the node accepts compressed ones.
pub(super) fn decompress<'a>(
    node: &Node,
    kind: FrameType,
    bytes: &'a [u8],
    body: Range<usize>,
) -> (FrameType, Cow<'a, [u8]>) {
    let body = bytes.get(body).unwrap_or_default();
    if kind == FrameType::Compressed && node.store.compression {
        let mut frame = Vec::new();
        // An invalid frame becomes an empty message, which is refused like any other that cannot be parsed.
        let body = match inflate(body, MAX_FRAME, &mut frame) {
            Ok(()) => frame.split_off(FrameHeader::LEN),
            Err(_) => Vec::new(),
        };
        return (FrameType::Message, Cow::Owned(body));
    }
    (kind, Cow::Borrowed(body))
}

/// Whether the client asks for a compressed answer and the node compresses.
pub(super) fn is_wanted(node: &Node, kind: FrameType, body: &[u8]) -> bool {
    let asks = |body: &[u8]| body.get(1).is_some_and(|bits| bits & info1::COMPRESS_RESPONSE != 0);
    node.store.compression && kind == FrameType::Message && asks(body)
}

/// Compresses the frames in `out` from `start` on, except those too short to gain from it.
pub(super) fn compress_frames(out: &mut Vec<u8>, start: usize) {
    let frames = out.split_off(start);
    let mut rest = &frames[..];
    while let Some(header) = rest.first_chunk().and_then(|header| FrameHeader::parse(header).ok())
        && let Some((frame, after)) = rest.split_at_checked(FrameHeader::LEN + header.size)
    {
        if frame.len() <= THRESHOLD || write_compressed(out, frame).is_err() {
            out.extend_from_slice(frame);
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire_protocol::message::write_frame;

    #[test]
    fn long_frames_are_compressed_and_short_ones_are_not() {
        let mut out = b"before".to_vec();
        for size in [10, 5_000, 20] {
            write_frame(&mut out, FrameType::Message, |out| out.resize(out.len() + size, 7)).unwrap();
        }
        let plain = out.clone();
        compress_frames(&mut out, 6);
        assert!(
            out.len() < 150 && out.starts_with(&plain[..6 + 18]) && out.ends_with(&plain[plain.len() - 28..])
        );
        let body = &out[6 + 18 + FrameHeader::LEN..out.len() - 28];
        let mut frame = Vec::new();
        inflate(body, MAX_FRAME, &mut frame).unwrap();
        assert_eq!(frame, plain[6 + 18..plain.len() - 28]);
    }
}
