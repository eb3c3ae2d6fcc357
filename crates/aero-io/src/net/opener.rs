//! Opens connections within the connect timeout.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{DiscoveryFault, Fault};
use crate::net::connection::Connection;
use crate::net::timer::Timer;
use crate::net::transport::{Target, Transport};

/// Opens unauthenticated connections.
#[derive(Clone)]
pub(crate) struct Opener {
    transport: Arc<dyn Transport>,
    connect_timeout: Duration,
    /// The TLS name for nodes without one.
    default_tls_name: Option<String>,
}

impl Opener {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        connect_timeout: Duration,
        default_tls_name: Option<String>,
    ) -> Self {
        Self { transport, connect_timeout, default_tls_name }
    }

    pub(crate) fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.transport.is_tls()
    }

    /// Opens a connection within the connect timeout and the time of `timer`.
    pub(crate) async fn open(
        &self,
        address: SocketAddr,
        tls_name: Option<&str>,
        timer: &mut Timer,
    ) -> Result<Connection, Fault> {
        let tls_name = tls_name.or(self.default_tls_name.as_deref());
        let opening = self.transport.connect(Target { address, tls_name });
        match timer.run(tokio::time::timeout(self.connect_timeout, opening)).await? {
            Ok(stream) => Ok(Connection::new(stream?)),
            Err(_) => Err(Fault::io(io::ErrorKind::TimedOut, "not connected within the connect timeout")),
        }
    }

    /// Resolves a host name within the connect timeout.
    pub(crate) async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, DiscoveryFault> {
        let limit = self.connect_timeout;
        match tokio::time::timeout(limit, self.transport.resolve(host, port)).await {
            Ok(Ok(addresses)) if addresses.is_empty() => {
                let none = io::Error::new(io::ErrorKind::NotFound, "no address found");
                Err(DiscoveryFault::Resolve(Arc::new(none)))
            }
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(DiscoveryFault::Resolve(Arc::new(error))),
            Err(_) => Err(DiscoveryFault::Timeout(limit)),
        }
    }
}
