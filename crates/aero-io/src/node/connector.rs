//! Opens connections to the nodes of one cluster, and authenticates them.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::auth::logins::Logins;
use crate::config::ClusterConfig;
use crate::error::Fault;
use crate::metrics::Metrics;
use crate::net::channel;
use crate::net::connection::Connection;
use crate::net::opener::Opener;
use crate::net::pool::Pool;
use crate::net::timer::Timer;
use crate::net::transport::Transport;
use crate::node::events::Events;
use crate::node::health::Health;

/// Opens connections for one cluster handle.
pub(crate) struct Connector {
    pub(crate) opener: Opener,
    pub(crate) config: ClusterConfig,
    /// `None` without credentials.
    pub(crate) logins: Option<Logins>,
    pub(crate) events: Events,
    /// Whether the metrics of the cluster and its nodes are on.
    pub(crate) metrics_enabled: Arc<AtomicBool>,
    /// The runtime that lives as long as the cluster. Commands may run in another one, which is driven only
    /// while they do.
    home: Option<Handle>,
}

impl Connector {
    pub(crate) fn new(config: ClusterConfig, transport: Arc<dyn Transport>) -> Self {
        let opener = Opener::new(transport, config.connect_timeout, config.cluster_name.clone());
        let logins = config
            .credentials
            .clone()
            .map(|credentials| Logins::new(credentials, config.login_timeout, opener.clone()));
        Self {
            opener,
            config,
            logins,
            events: Events::default(),
            metrics_enabled: Arc::default(),
            home: Handle::try_current().ok(),
        }
    }

    /// Spawns a task in the home runtime, where it can outlive the caller.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.home {
            Some(home) => home.spawn(future),
            None => tokio::spawn(future),
        }
    }

    /// Calls [`Connector::open`] in the home runtime, wherever the caller runs: connections outlive a command,
    /// and so do logins that several commands wait for.
    pub(crate) async fn open_in_home_runtime(
        self: &Arc<Self>,
        address: SocketAddr,
        tls_name: Option<&str>,
        timer: &mut Timer,
    ) -> Result<Connection, Fault> {
        match &self.home {
            Some(home) if Some(home.id()) != channel::current_runtime() => {}
            _ => return self.open(address, tls_name, timer).await,
        }
        let (connector, tls_name, mut task_timer) =
            (Arc::clone(self), tls_name.map(str::to_owned), timer.restarted());
        let mut opening = AbortOnDrop(
            self.spawn(async move { connector.open(address, tls_name.as_deref(), &mut task_timer).await }),
        );
        let opened = (&mut opening.0).await;
        timer.step();
        match opened {
            Ok(opened) => Ok(opened?.moved_here()?),
            Err(ended) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
            Err(_) => {
                Err(Fault::io(io::ErrorKind::NotConnected, "the runtime was shut down while connecting"))
            }
        }
    }

    pub(crate) fn pool(&self) -> Pool {
        Pool::new(self.config.max_conns_per_node, self.config.max_socket_idle)
    }

    /// Metrics that are on with all others of the cluster.
    pub(crate) fn metrics(&self) -> Metrics {
        Metrics::new(Arc::clone(&self.metrics_enabled))
    }

    pub(crate) fn health(&self) -> Health {
        let window = self.config.tend_interval.saturating_mul(self.config.error_rate_window.max(1));
        Health::new(self.config.max_error_rate, window)
    }

    /// Opens an authenticated connection for commands.
    pub(crate) async fn open(
        &self,
        address: SocketAddr,
        tls_name: Option<&str>,
        timer: &mut Timer,
    ) -> Result<Connection, Fault> {
        match &self.logins {
            Some(logins) => logins.open(address, tls_name, timer).await,
            None => self.opener.open(address, tls_name, timer).await,
        }
    }

    /// Opens an authenticated connection for watching a node, and returns it with the timer for the first
    /// exchange. Both together take the connect timeout; a login has its own timeout, and the exchange then
    /// starts anew.
    pub(crate) async fn open_for_watch(
        &self,
        address: SocketAddr,
        tls_name: Option<&str>,
    ) -> Result<(Connection, Timer), Fault> {
        let limit = self.config.connect_timeout;
        let Some(logins) = &self.logins else {
            let mut timer = Timer::within(limit);
            return Ok((self.opener.open(address, tls_name, &mut timer).await?, timer));
        };
        // The login opens a connection, too.
        let mut timer = Timer::within(limit.saturating_mul(2).saturating_add(self.config.login_timeout));
        let connection = logins.open(address, tls_name, &mut timer).await?;
        Ok((connection, Timer::within(limit)))
    }
}

/// Aborts a task when it is dropped.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
