//! The byte stream of a connection, and the runtime that it is registered with.

use std::any::Any;
use std::io;
use std::mem::{MaybeUninit, forget, replace};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use socket2::SockRef;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};

use crate::net::tls::Encrypted;
use crate::net::transport::BoxStream;

/// A byte stream.
///
/// A program that becomes a daemon closes all descriptors, those of its streams included. Their numbers may belong to
/// other files afterwards, which must not be closed in their place. So a stream whose descriptor is no longer its own
/// is leaked.
pub(crate) struct Channel {
    stream: Stream,
    /// The runtime that a stream of plain TCP is registered with.
    runtime: Option<Id>,
    /// The address of this end, by which the socket is recognized.
    address: Option<SocketAddr>,
}

/// Plain TCP avoids dynamic dispatch and can move between runtimes.
enum Stream {
    Tcp(TcpStream),
    /// TLS, or a stream of a test.
    Other(BoxStream),
    /// Moved to another channel.
    Moved,
}

/// The runtime of the caller.
pub(crate) fn current_runtime() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

impl Channel {
    pub(crate) fn new(stream: BoxStream) -> Self {
        let any: &dyn Any = &*stream;
        let stream = if any.is::<TcpStream>() {
            let any: Box<dyn Any> = stream;
            match any.downcast::<TcpStream>() {
                Ok(stream) => Stream::Tcp(*stream),
                Err(_) => unreachable!("its type was checked above"),
            }
        } else {
            Stream::Other(stream)
        };
        Self::of(stream)
    }

    /// A stream that belongs to the caller's runtime.
    fn of(stream: Stream) -> Self {
        let address = stream.socket().and_then(|socket| socket.local_addr().ok());
        Self { stream, runtime: current_runtime(), address }
    }

    /// Whether the stream can be used in `runtime` without moving it.
    pub(crate) fn belongs_to(&self, runtime: Option<Id>) -> bool {
        match self.stream {
            Stream::Tcp(_) => self.runtime == runtime,
            _ => true,
        }
    }

    /// Moves the stream to the caller's runtime.
    pub(crate) fn moved_here(mut self) -> io::Result<Self> {
        if self.belongs_to(current_runtime()) {
            return Ok(self);
        }
        if !self.is_own() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        match replace(&mut self.stream, Stream::Moved) {
            Stream::Tcp(stream) => Ok(Self::of(Stream::Tcp(TcpStream::from_std(stream.into_std()?)?))),
            _ => unreachable!("only streams of plain TCP belong to a runtime"),
        }
    }

    /// Whether the descriptor is still that of the socket that was opened. Without a socket, it is.
    fn is_own(&self) -> bool {
        let (Some(address), Some(socket)) = (self.address, self.stream.socket()) else { return true };
        match socket.local_addr() {
            Ok(now) => now == address,
            // Without a code: the address of a socket of another kind.
            #[cfg(unix)]
            Err(error) => !matches!(error.raw_os_error(), None | Some(libc::EBADF | libc::ENOTSOCK)),
            #[cfg(not(unix))]
            Err(_) => true,
        }
    }

    /// Whether the peer has neither closed the stream nor sent anything unasked.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match &mut self.stream {
            // Ask the socket itself: a runtime that is not being driven has not noticed anything.
            Stream::Tcp(stream) => {
                let peeked = SockRef::from(&*stream).peek(&mut [MaybeUninit::uninit()]);
                matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            Stream::Other(stream) => {
                let mut byte = [0; 1];
                let mut buffer = ReadBuf::new(&mut byte);
                let mut cx = Context::from_waker(Waker::noop());
                Pin::new(stream).poll_read(&mut cx, &mut buffer).is_pending()
            }
            Stream::Moved => false,
        }
    }

    #[inline]
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Other(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Moved => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    /// Whether written bytes may need a flush.
    #[inline]
    pub(crate) fn is_buffered(&self) -> bool {
        matches!(self.stream, Stream::Other(_))
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(_) | Stream::Moved => Poll::Ready(Ok(())),
            Stream::Other(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    #[inline]
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Other(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Moved => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if !self.is_own() {
            forget(replace(&mut self.stream, Stream::Moved));
        }
    }
}

impl Stream {
    fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Other(stream) => {
                let any: &dyn Any = &**stream;
                any.downcast_ref::<Encrypted>().map(Encrypted::socket)
            }
            Self::Moved => None,
        }
    }
}
