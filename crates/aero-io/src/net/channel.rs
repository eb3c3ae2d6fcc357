//! The byte stream of a connection, and the runtime that it is registered with.

use std::any::Any;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use socket2::SockRef;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};

use crate::net::transport::BoxStream;

/// A byte stream. Plain TCP avoids dynamic dispatch and can move between runtimes.
pub(crate) enum Channel {
    /// Plain TCP, and the runtime that it is registered with.
    Tcp(TcpStream, Option<Id>),
    /// TLS, or a stream of a test.
    Other(BoxStream),
}

/// The runtime of the caller.
pub(crate) fn current_runtime() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

impl Channel {
    pub(crate) fn new(stream: BoxStream) -> Self {
        let any: &dyn Any = &*stream;
        if !any.is::<TcpStream>() {
            return Self::Other(stream);
        }
        let any: Box<dyn Any> = stream;
        match any.downcast::<TcpStream>() {
            Ok(stream) => Self::Tcp(*stream, current_runtime()),
            Err(_) => unreachable!("its type was checked above"),
        }
    }

    /// Whether the stream can be used in `runtime` without moving it.
    pub(crate) fn belongs_to(&self, runtime: Option<Id>) -> bool {
        match self {
            Self::Tcp(_, home) => *home == runtime,
            Self::Other(_) => true,
        }
    }

    /// Moves the stream to the caller's runtime.
    pub(crate) fn moved_here(self) -> io::Result<Self> {
        let runtime = current_runtime();
        match self {
            Self::Tcp(stream, home) if home != runtime => {
                Ok(Self::Tcp(TcpStream::from_std(stream.into_std()?)?, runtime))
            }
            other => Ok(other),
        }
    }

    /// Whether the peer has neither closed the stream nor sent anything unasked.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self {
            // Ask the socket itself: a runtime that is not being driven has not noticed anything.
            Self::Tcp(stream, _) => {
                let peeked = SockRef::from(&*stream).peek(&mut [MaybeUninit::uninit()]);
                matches!(peeked, Err(error) if error.kind() == io::ErrorKind::WouldBlock)
            }
            Self::Other(stream) => {
                let mut byte = [0; 1];
                let mut buffer = ReadBuf::new(&mut byte);
                let mut cx = Context::from_waker(Waker::noop());
                Pin::new(stream).poll_read(&mut cx, &mut buffer).is_pending()
            }
        }
    }

    #[inline]
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream, _) => Pin::new(stream).poll_write(cx, bytes),
            Self::Other(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Whether written bytes may need a flush.
    #[inline]
    pub(crate) fn is_buffered(&self) -> bool {
        matches!(self, Self::Other(_))
    }

    pub(crate) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(..) => Poll::Ready(Ok(())),
            Self::Other(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    #[inline]
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream, _) => Pin::new(stream).poll_read(cx, buffer),
            Self::Other(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}
