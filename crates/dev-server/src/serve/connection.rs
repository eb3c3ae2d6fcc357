//! One client's connection: reads frames, answers them in order.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::command::dispatch::{self, ClientFrame, Endpoints, Response};
use crate::command::security::Identity;
use crate::protocol::command_kind::CommandKind;
use crate::serve::compression;
use crate::serve::faults::{self, AfterFault};
use crate::serve::mode::Mode;
use crate::serve::read_buffer::ReadBuffer;
use crate::serve::stream::ClientStream;
use crate::state::node::Node;

/// Serves a connection until the client closes it or sends bytes that are not a frame.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    endpoints: Endpoints,
    node: &Node,
    mode: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut input = ReadBuffer::new();
    let mut stream = ClientStream::new(socket, mode);
    let mut identity = Identity::new(node);
    loop {
        let (kind, body) = match input.frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => {
                // All requests that came are answered: send the answers before waiting for more.
                stream.flush().await?;
                input.make_room();
                if !stream.read_into(&mut input.bytes).await? {
                    return Ok(());
                }
                continue;
            }
            // The requests before it are answered, the invalid frame is not.
            Err(_) => return stream.flush().await,
        };
        input.consume(body.end);
        let (kind, body) = compression::decompress(node, kind, &input.bytes, body);
        let frame = ClientFrame { node, endpoints, kind, body: &body };
        let compress = compression::is_wanted(node, kind, &body);
        let command = CommandKind::of(kind, &body);
        // Counted on arrival: a node that hangs or fails has received the command all the same.
        if let Some(command) = command {
            dispatch::count(node, command, &body);
        }
        if !stream.until_running().await {
            return Ok(());
        }
        let fault = command.and_then(|command| node.faults.take(command));
        if let Some(fault) = fault {
            node.counters.fault();
            let respond = |out: &mut Vec<u8>| dispatch::answer(frame, None, &mut identity, out);
            match faults::inject(fault, kind, &mut stream, respond).await? {
                AfterFault::Answer => {}
                AfterFault::Skip => continue,
                AfterFault::Close => return Ok(()),
            }
        }
        let start = stream.output.len();
        match dispatch::answer(frame, fault, &mut identity, &mut stream.output) {
            Response::Complete if compress => compression::compress_frames(&mut stream.output, start),
            Response::Complete => {}
            Response::Frames(frames) => stream.send_frames(frames, compress).await?,
            Response::Close => return stream.flush().await,
        }
        stream.flush_if_full().await?;
    }
}
