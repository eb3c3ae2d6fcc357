//! Compressed frames, in and out.

use std::borrow::Cow;
use std::ops::Range;

use wire_protocol::compressed::{THRESHOLD, inflate, write_compressed};
use wire_protocol::message::{FrameHeader, FrameType, MAX_FRAME, info1};

use crate::serve::listener::Node;

/// The frame's type and body; inflated, where it came compressed and the node takes that.
pub(crate) fn unpack<'a>(
    node: &Node,
    kind: FrameType,
    bytes: &'a [u8],
    body: Range<usize>,
) -> (FrameType, Cow<'a, [u8]>) {
    let body = bytes.get(body).unwrap_or_default();
    if kind == FrameType::Compressed && node.store.compression {
        let mut frame = Vec::new();
        // What cannot be inflated is a message that cannot be read.
        let body = match inflate(body, MAX_FRAME, &mut frame) {
            Ok(()) => frame.split_off(FrameHeader::LEN),
            Err(_) => Vec::new(),
        };
        return (FrameType::Message, Cow::Owned(body));
    }
    (kind, Cow::Borrowed(body))
}

/// Whether the client wants its answer compressed, and the node does so.
pub(crate) fn is_wanted(node: &Node, kind: FrameType, body: &[u8]) -> bool {
    let asks = |body: &[u8]| body.get(1).is_some_and(|bits| bits & info1::COMPRESS_RESPONSE != 0);
    node.store.compression && kind == FrameType::Message && asks(body)
}

/// Compresses the frames that stand in `out` from `start` on, those that are worth it.
pub(crate) fn pack(out: &mut Vec<u8>, start: usize) {
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
    fn long_frames_are_packed_and_short_ones_left() {
        let mut out = b"before".to_vec();
        for size in [10, 5_000, 20] {
            write_frame(&mut out, FrameType::Message, |out| out.resize(out.len() + size, 7)).unwrap();
        }
        let plain = out.clone();
        pack(&mut out, 6);
        assert!(
            out.len() < 150 && out.starts_with(&plain[..6 + 18]) && out.ends_with(&plain[plain.len() - 28..])
        );
        let body = &out[6 + 18 + FrameHeader::LEN..out.len() - 28];
        let mut frame = Vec::new();
        inflate(body, MAX_FRAME, &mut frame).unwrap();
        assert_eq!(frame, plain[6 + 18..plain.len() - 28]);
    }
}
