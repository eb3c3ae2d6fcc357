//! A stream whose errors explain what TLS means by them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{ClientCertificate, fault};

/// A stream over TLS.
///
/// The end of the connection is the end of the stream, whether or not TLS's close_notify came first: frames
/// contain their length, so a truncated answer is always detected.
pub(crate) struct Encrypted {
    stream: TlsStream<TcpStream>,
    name: Box<str>,
    certificate: Arc<ClientCertificate>,
    /// Whether anything was received.
    has_received: bool,
}

impl Encrypted {
    pub(super) fn new(stream: TlsStream<TcpStream>, name: &str, certificate: Arc<ClientCertificate>) -> Self {
        Self { stream, name: name.into(), certificate, has_received: false }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream.get_ref().0
    }

    fn explained(&self, error: io::Error) -> io::Error {
        if self.has_received {
            fault::after_an_answer(error, &self.name)
        } else {
            fault::before_an_answer(error, &self.name, &self.certificate)
        }
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let outcome = match ready!(Pin::new(&mut this.stream).poll_read(cx, buffer)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            other => other,
        };
        let is_end = buffer.filled().len() == before && buffer.remaining() > 0;
        Poll::Ready(match outcome {
            Ok(()) if is_end && !this.has_received && this.certificate.likely_reason().is_some() => {
                Err(this.explained(io::ErrorKind::UnexpectedEof.into()))
            }
            Ok(()) => {
                if !is_end && !this.has_received {
                    this.has_received = true;
                    this.certificate.answered.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
            Err(error) => Err(this.explained(error)),
        })
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
        Poll::Ready(outcome.map_err(|error| this.explained(error)))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let outcome = ready!(Pin::new(&mut this.stream).poll_flush(cx));
        Poll::Ready(outcome.map_err(|error| this.explained(error)))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
