//! Frames: an eight-byte header, then a body.

use crate::error::WireError;

/// The largest body that a frame may announce.
pub const MAX_FRAME: usize = 128 * 1024 * 1024;

/// What a frame's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameType {
    /// Info commands and answers: text.
    Info,
    /// Security messages.
    Security,
    /// Messages.
    Message,
    /// A deflated frame: see [`crate::compressed`].
    Compressed,
}

/// The header of a frame: protocol version, type, size of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// What the body is.
    pub kind: FrameType,
    /// Bytes of the body, at most [`MAX_FRAME`].
    pub size: usize,
}

impl FrameHeader {
    /// Bytes of a frame header.
    pub const LEN: usize = 8;

    /// Reads a header.
    ///
    /// # Errors
    /// Another protocol version, an unknown type, a size beyond [`MAX_FRAME`].
    pub fn parse(bytes: &[u8; Self::LEN]) -> Result<Self, WireError> {
        let [version, kind, rest @ ..] = *bytes;
        if version != 2 {
            return Err(WireError::Version { found: version });
        }
        let kind = match kind {
            1 => FrameType::Info,
            2 => FrameType::Security,
            3 => FrameType::Message,
            4 => FrameType::Compressed,
            found => return Err(WireError::FrameType { found }),
        };
        let [a, b, c, d, e, f] = rest;
        let size = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        if size > MAX_FRAME as u64 {
            return Err(WireError::FrameTooLarge { size, limit: MAX_FRAME as u64 });
        }
        Ok(Self { kind, size: size as usize })
    }

    /// The header's bytes.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let kind = match self.kind {
            FrameType::Info => 1,
            FrameType::Security => 2,
            FrameType::Message => 3,
            FrameType::Compressed => 4,
        };
        let [_, _, a, b, c, d, e, f] = (self.size as u64).to_be_bytes();
        [2, kind, a, b, c, d, e, f]
    }
}

/// Appends a frame whose body is what `body` appends.
///
/// # Errors
/// A body larger than [`MAX_FRAME`]. `out` is then unchanged.
pub fn write_frame(
    out: &mut Vec<u8>,
    kind: FrameType,
    body: impl FnOnce(&mut Vec<u8>),
) -> Result<(), WireError> {
    let start = out.len();
    out.extend_from_slice(&[0; FrameHeader::LEN]);
    body(out);
    let size = out.len() - start - FrameHeader::LEN;
    if size > MAX_FRAME {
        out.truncate(start);
        return Err(WireError::TooLarge { what: "a message", size, limit: MAX_FRAME });
    }
    out[start..start + FrameHeader::LEN].copy_from_slice(&FrameHeader { kind, size }.to_bytes());
    Ok(())
}
