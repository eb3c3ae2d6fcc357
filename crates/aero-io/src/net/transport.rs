//! How a byte stream to an address is opened.

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A bidirectional byte stream. A [`TcpStream`] may be moved to another runtime; any other stream stays in the
/// runtime in which [`Cluster::connect`](crate::Cluster::connect) was called.
pub trait Stream: AsyncRead + AsyncWrite + Any + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Any + Send + Sync + Unpin> Stream for T {}

pub type BoxStream = Box<dyn Stream>;

/// What to connect to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub address: SocketAddr,
    /// The name that the peer's certificate must have: the host's, or else the cluster's.
    pub tls_name: Option<&'a str>,
}

/// Opens byte streams and resolves host names.
///
/// Callers limit the time of both. An implementation needs no timeouts, but must stop when its future is
/// dropped.
pub trait Transport: Send + Sync + 'static {
    /// Opens a stream, and completes all handshakes below the Aerospike protocol.
    fn connect<'a>(&'a self, target: Target<'a>) -> BoxFuture<'a, io::Result<BoxStream>>;

    /// Resolves a host name to all its addresses.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    /// Whether streams are encrypted. If so, nodes are contacted at their TLS addresses.
    fn is_tls(&self) -> bool {
        false
    }

    /// Whether there is a client certificate, which PKI authentication requires.
    fn has_certificate(&self) -> bool {
        false
    }
}

#[derive(Clone, Copy, Debug, Default)]
pub struct TcpTransport;

impl TcpTransport {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        // A request is sent in one write; delaying it would only add a round trip.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Transport for TcpTransport {
    fn connect<'a>(&'a self, target: Target<'a>) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move { Ok(Box::new(Self::open(target.address).await?) as BoxStream) })
    }
}
