//! Faults that happen to a connection.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use wire_protocol::message::{FrameHeader, FrameType};

use crate::command::dispatch::Response;
use crate::serve::stream::{ClientStream, sleep};
use crate::state::faults::Fault;

/// The size that a huge frame announces.
const HUGE: usize = 100 * 1024 * 1024;

/// Bytes that are not a frame.
const GARBAGE: [u8; 64] = [0xa5; 64];

/// Frames of an answer are made up to this many bytes before it is cut in half.
const MAX_HALVED: usize = 1024 * 1024;

/// What a connection does after a fault.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AfterFault {
    /// Answers the command.
    Answer,
    /// Leaves the command without an answer.
    Skip,
    Close,
}

/// Carries out a fault. `respond` makes the proper answer to the command, of which some faults send a part.
pub(super) async fn inject<'a, S: AsyncRead + AsyncWrite + Unpin>(
    fault: Fault,
    kind: FrameType,
    stream: &mut ClientStream<S>,
    respond: impl FnOnce(&mut Vec<u8>) -> Response<'a>,
) -> io::Result<AfterFault> {
    // Commands before this one are answered.
    stream.flush().await?;
    match fault {
        Fault::Close => Ok(AfterFault::Close),
        Fault::Silent => Ok(AfterFault::Skip),
        Fault::Late(time) => {
            tokio::time::sleep(time).await;
            Ok(if stream.until_running().await { AfterFault::Answer } else { AfterFault::Close })
        }
        Fault::Garbage => {
            stream.output.extend_from_slice(&GARBAGE);
            stream.flush().await?;
            Ok(AfterFault::Skip)
        }
        Fault::HugeFrame => {
            stream.output.extend_from_slice(&FrameHeader { kind, size: HUGE }.to_bytes());
            stream.output.extend_from_slice(&[0; 16]);
            stream.flush().await?;
            stream.ignore().await?;
            Ok(AfterFault::Close)
        }
        Fault::CloseMidFrame => {
            let mut response = respond(&mut stream.output);
            while let Response::Frames(frames) = &mut response
                && stream.output.len() < MAX_HALVED
                && frames.next_frame(&mut stream.output)
            {
                sleep(frames.delay()).await;
            }
            stream.output.truncate(half(&stream.output));
            stream.flush().await?;
            Ok(AfterFault::Close)
        }
        // These change the content of the answer, which the commands do.
        Fault::WrongRowIndex | Fault::RowTwice | Fault::Code(_) | Fault::RowCode(_) => Ok(AfterFault::Answer),
    }
}

/// About half of the length of these frames, and never at the end of a frame.
fn half(frames: &[u8]) -> usize {
    let half = frames.len() / 2;
    let mut end = 0;
    while let Some(head) = frames.get(end..).and_then(<[u8]>::first_chunk)
        && let Ok(header) = FrameHeader::parse(head)
        && end < half
    {
        end += FrameHeader::LEN + header.size;
    }
    if end == half { half.saturating_sub(1) } else { half }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_an_answer_ends_within_a_frame() {
        let frames = |sizes: &[usize]| {
            let framed = |&size: &usize| {
                let mut frame = FrameHeader { kind: FrameType::Info, size }.to_bytes().to_vec();
                frame.resize(FrameHeader::LEN + size, b'x');
                frame
            };
            sizes.iter().flat_map(framed).collect::<Vec<_>>()
        };
        assert_eq!(half(&frames(&[22])), 15);
        assert_eq!(half(&frames(&[22, 22])), 29);
        assert_eq!(half(&frames(&[22, 24])), 31);
        assert_eq!(half(&[]), 0);
    }
}
