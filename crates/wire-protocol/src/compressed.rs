//! Compressed frames: the body is the size of another frame, then that frame, deflated.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use crate::error::WireError;
use crate::message::{FrameHeader, FrameType, write_frame};

/// Smaller frames are not compressed. The official clients use the same number.
pub const THRESHOLD: usize = 128;

/// Bytes of the size before the deflated frame.
const SIZE_LEN: usize = 8;

/// Appends a compressed frame that holds `frame`, a complete frame.
///
/// # Errors
/// A result larger than a frame. `out` is then unchanged.
pub fn write_compressed(out: &mut Vec<u8>, frame: &[u8]) -> Result<(), WireError> {
    let start = out.len();
    let mut deflate = Compress::new(Compression::fast(), true);
    let mut is_done = false;
    let written = write_frame(out, FrameType::Compressed, |out| {
        out.extend_from_slice(&(frame.len() as u64).to_be_bytes());
        loop {
            // Incompressible data grows a little.
            out.reserve(frame.len() / 2 + 1_024);
            let rest = frame.get(deflate.total_in() as usize..).unwrap_or_default();
            match deflate.compress_vec(rest, out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => break is_done = true,
                Ok(Status::Ok | Status::BufError) => {}
                Err(_) => break,
            }
        }
    });
    match written {
        Ok(()) if is_done => Ok(()),
        Ok(()) => {
            out.truncate(start);
            Err(WireError::malformed("compressed frame", "it cannot be deflated"))
        }
        Err(error) => Err(error),
    }
}

/// Inflates the body of a compressed frame into `out`, replacing its content with a complete message frame, header and
/// body. The announced size of the inner body may be at most `limit`. Memory grows with the inflated bytes, not with
/// the announced size.
///
/// # Errors
/// Data that does not inflate to one message frame of exactly the announced size.
pub fn inflate(body: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<(), WireError> {
    let bad = |why| WireError::malformed("compressed frame", why);
    out.clear();
    let (size, deflated) = body.split_first_chunk::<SIZE_LEN>().ok_or(bad("it has no size"))?;
    let size = u64::from_be_bytes(*size);
    let limit = limit.saturating_add(FrameHeader::LEN);
    if size > limit as u64 {
        return Err(WireError::FrameTooLarge { size, limit: limit as u64 });
    }
    let size = size as usize;
    let mut inflate = Decompress::new(true);
    loop {
        let room = size - out.len();
        // Room for one byte too many reveals a stream that is longer than announced.
        let step = room.saturating_add(1).min(out.len().max(2 * deflated.len()).max(1_024));
        out.reserve_exact(step);
        let before = (inflate.total_in(), out.len());
        let rest = deflated.get(inflate.total_in() as usize..).unwrap_or_default();
        let status = inflate
            .decompress_vec(rest, out, FlushDecompress::None)
            .map_err(|_| bad("its data cannot be inflated"))?;
        if out.len() > size {
            return Err(bad("it holds more than it announces"));
        }
        match status {
            Status::StreamEnd => break,
            _ if before == (inflate.total_in(), out.len()) => {
                return Err(bad("its deflated data ends early"));
            }
            _ => {}
        }
    }
    if inflate.total_in() as usize != deflated.len() {
        return Err(bad("bytes follow the deflated data"));
    }
    let header = out.first_chunk().ok_or(bad("it holds no frame"))?;
    let header = FrameHeader::parse(header)?;
    if header.kind != FrameType::Message {
        return Err(bad("it holds no message"));
    }
    if out.len() != size || header.size != size - FrameHeader::LEN {
        return Err(bad("it holds a frame of another size than it announces"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MAX_FRAME;
    use proptest::prelude::*;

    fn message(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_frame(&mut out, FrameType::Message, |out| out.extend_from_slice(body)).unwrap();
        out
    }

    fn compressed(frame: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_compressed(&mut out, frame).unwrap();
        out
    }

    fn inflated(compressed: &[u8]) -> Result<Vec<u8>, WireError> {
        let mut out = Vec::new();
        inflate(&compressed[FrameHeader::LEN..], MAX_FRAME, &mut out).map(|()| out)
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(body in prop::collection::vec(prop_oneof![3 => Just(0u8), 1 => any::<u8>()], 0..20_000)) {
            let frame = message(&body);
            let small = compressed(&frame);
            let header = FrameHeader::parse(small.first_chunk().unwrap()).unwrap();
            prop_assert_eq!(header, FrameHeader { kind: FrameType::Compressed, size: small.len() - 8 });
            prop_assert_eq!(inflated(&small), Ok(frame));
        }

        #[test]
        fn changed_bytes_do_no_harm(
            body in prop::collection::vec(0..4u8, 0..2_000),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut small = compressed(&message(&body));
            for (at, byte) in changes {
                let at = 8 + at.index(small.len() - 8);
                small[at] = byte;
            }
            small.truncate(8 + cut.index(small.len() - 8));
            let mut out = Vec::new();
            if inflate(&small[8..], 10_000, &mut out).is_ok() {
                prop_assert_eq!(FrameHeader::parse(out.first_chunk().unwrap()).unwrap().size, out.len() - 8);
            }
            prop_assert!(out.capacity() <= 2 * 10_008);
        }
    }

    #[test]
    fn a_recorded_request() {
        let hex = "789c63626600010731080d07cc2f182022ac0c25a9c52540060b635162399016652908e75b34d9fcc3e57dcb43b7\
                   b3adbde7da56fdf12e00130d0f94";
        let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
        let body: Vec<u8> = 72u64.to_be_bytes().into_iter().chain(bytes).collect();
        let mut out = Vec::new();
        inflate(&body, MAX_FRAME, &mut out).unwrap();
        assert_eq!((out.len(), &out[..2]), (72, &[2, 3][..]));
    }

    #[test]
    fn much_in_little_is_bounded() {
        let frame = message(&vec![0; 10_000_000]);
        let bomb = compressed(&frame);
        assert!(bomb.len() < 50_000);
        let mut out = Vec::new();
        assert!(matches!(
            inflate(&bomb[8..], 1_000_000, &mut out),
            Err(WireError::FrameTooLarge { size: 10_000_008, limit: 1_000_008 })
        ));
        // It announces little, and goes on.
        let mut liar = bomb;
        liar[8..16].copy_from_slice(&5_000u64.to_be_bytes());
        assert_eq!(
            inflated(&liar).unwrap_err().to_string(),
            "malformed compressed frame: it holds more than it announces"
        );
        inflate(&liar[8..], MAX_FRAME, &mut out).unwrap_err();
        assert!(out.capacity() < 20_000, "{}", out.capacity());
        liar[8..16].copy_from_slice(&20_000_000u64.to_be_bytes());
        assert!(inflated(&liar).is_err());
    }

    #[test]
    fn only_one_whole_message_is_taken() {
        let wrong = |frame: &[u8]| inflated(&compressed(frame)).unwrap_err().to_string();
        assert!(wrong(b"").ends_with("it holds no frame"));
        let mut info = Vec::new();
        write_frame(&mut info, FrameType::Info, |_| {}).unwrap();
        assert!(wrong(&info).ends_with("it holds no message"));
        assert!(wrong(&compressed(&message(b"nested"))).ends_with("it holds no message"));
        assert!(wrong(&[message(b"a"), message(b"b")].concat()).contains("another size"));
        let mut followed = compressed(&message(b"a"));
        followed.push(0);
        assert!(inflated(&followed).unwrap_err().to_string().ends_with("bytes follow the deflated data"));
        let whole = compressed(&message(&[7; 500]));
        for end in 8..whole.len() {
            assert!(inflated(&whole[..end]).is_err(), "{end}");
        }
    }
}
