//! How a byte stream to an address is opened.

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A future behind a pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A byte stream in both directions. A [`TcpStream`] may be moved from one runtime to another; any other stream
/// stays with the runtime that [`Cluster::connect`](crate::Cluster::connect) was called in.
pub trait Stream: AsyncRead + AsyncWrite + Any + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Any + Send + Sync + Unpin> Stream for T {}

/// A stream behind a pointer.
pub type BoxStream = Box<dyn Stream>;

/// What to connect to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The address.
    pub address: SocketAddr,
    /// The name that the peer's certificate must have: the host's own, else the cluster's, where there is one.
    pub tls_name: Option<&'a str>,
}

/// Opens byte streams, and turns names into addresses.
///
/// Callers bound the time of both: an implementation needs no timeout of its own, and must stop when its
/// future is dropped.
pub trait Transport: Send + Sync + 'static {
    /// Opens a stream; all handshakes below the Aerospike protocol are done when it resolves.
    fn connect<'a>(&'a self, target: Target<'a>) -> BoxFuture<'a, io::Result<BoxStream>>;

    /// All addresses of a name.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    /// Whether streams are encrypted: nodes are then looked for at their TLS addresses.
    fn is_tls(&self) -> bool {
        false
    }

    /// Whether there is a certificate to show to nodes, which authentication by certificate takes.
    fn has_certificate(&self) -> bool {
        false
    }
}

/// Plain TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpTransport;

impl TcpTransport {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(address).await?;
        // A request goes out in one write: holding it back for more would only add a round trip.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Transport for TcpTransport {
    fn connect<'a>(&'a self, target: Target<'a>) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move { Ok(Box::new(Self::open(target.address).await?) as BoxStream) })
    }
}
