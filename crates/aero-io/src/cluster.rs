//! The cluster's handle.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use wire_protocol::command::WriteOp;

use crate::batch::keys::BatchKeys;
use crate::batch::request::{BatchOperate, BatchRead, Request};
use crate::batch::sink::RowSink;
use crate::batch::work;
use crate::command::answer::Answer;
use crate::command::info::{self, INFO_TIMEOUT, InfoAnswers};
use crate::command::{operate, single};
use crate::config::ClusterConfig;
use crate::error::Error;
use crate::key::{Bins, Key};
use crate::net::transport::Transport;
use crate::node::connector::Connector;
use crate::node::events::Event;
use crate::policy::{OperatePolicy, ReadPolicy, WritePolicy};
use crate::query::{Query, RecordStream};
use crate::stats::{ClusterStats, NodeStats};
use crate::topology::seeds;
use crate::topology::state::{Handle, Inner};

/// A connected cluster. Clones are handles of the same one; the last that is dropped closes it.
#[derive(Clone)]
pub struct Cluster {
    handle: Arc<Handle>,
}

impl Cluster {
    /// Connects to a cluster: every address of every seed is tried, the nodes that the first one to
    /// answer knows of are contacted, and each is watched from then on. Must be called within a tokio
    /// runtime, which the watches live on.
    ///
    /// Takes a few connect timeouts at most. A cluster that has just started and claims no partition yet is
    /// given five seconds more.
    ///
    /// # Errors
    /// [`Error::Connect`] names every address that was tried and why it failed; [`Error::ClusterName`]
    /// for a cluster of another name; [`Error::Login`] where a node refuses the user.
    pub async fn connect(config: ClusterConfig, transport: Arc<dyn Transport>) -> Result<Self, Error> {
        if let Some(credentials) = config.credentials.clone() {
            credentials.check(&*transport)?;
            // Long work, done once for all logins; a runtime that ends meanwhile needs no hash.
            _ = tokio::task::spawn_blocking(move || credentials.prepare()).await;
        }
        let connector = Arc::new(Connector::new(config, transport));
        let found_nodes = seeds::find_cluster(&connector).await?;
        let inner = Arc::new(Inner::new(connector));
        inner.admit(found_nodes);
        inner.await_partitions().await;
        Ok(Self { handle: Arc::new(Handle { inner }) })
    }

    /// Whether the cluster is open and any of its nodes answered when it was last looked at.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.inner().is_closed() && self.inner().members().any_healthy()
    }

    /// Names of the nodes, sorted.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.inner().view().nodes.iter().map(|node| node.name.to_string()).collect();
        names.sort();
        names
    }

    /// The state of the nodes and their connections.
    #[must_use]
    pub fn stats(&self) -> ClusterStats {
        let inner = self.inner();
        let mut nodes: Vec<_> = inner.view().nodes.iter().map(|node| NodeStats::of(node)).collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        ClusterStats {
            nodes,
            retries: inner.n_retries.load(Ordering::Relaxed),
            hedges: inner.n_hedges.load(Ordering::Relaxed),
        }
    }

    /// Whether something has happened since [`Cluster::take_events`] was last called.
    #[must_use]
    pub fn has_events(&self) -> bool {
        self.inner().connector.events.has_any()
    }

    /// What happened since the last time, and when. What is not fetched is kept up to an end, and then counted.
    #[must_use]
    pub fn take_events(&self) -> Vec<(SystemTime, Event)> {
        self.inner().connector.events.take()
    }

    /// Sets whether retries are among the events from now on.
    pub fn note_retries(&self, verbose: bool) {
        self.inner().connector.events.set_verbose(verbose);
    }

    /// Stops watching the cluster and closes its connections. Commands under way end with
    /// [`Error::Closed`], as do later ones.
    pub fn close(&self) {
        self.inner().close();
    }

    /// Reads the rows of `keys` into `sink`.
    ///
    /// The future does all the work itself: dropping it stops the call at once, and closes connections
    /// with answers that nobody read.
    ///
    /// # Errors
    /// If no row got an answer about its record (found, not found, filtered out): the most frequent
    /// cause. Otherwise each row's own code went to the sink.
    pub async fn batch_read<S: RowSink>(
        &self,
        keys: Arc<BatchKeys>,
        request: Arc<BatchRead>,
        sink: Arc<S>,
    ) -> Result<(), Error> {
        let inner = Arc::clone(self.inner());
        let request = Request::Read(request);
        inner.until_closed(false, work::run(&inner, keys, request, sink)).await
    }

    /// Carries out the operations of the rows of `keys`, and hands what they answered to `sink`. A row that may
    /// have been applied is not sent again.
    ///
    /// The future does all the work itself: dropping it stops the call at once; what was sent may be applied.
    ///
    /// # Errors
    /// If no row got an answer: the most frequent cause. Otherwise each row's own code went to the sink.
    pub async fn batch_operate<S: RowSink>(
        &self,
        keys: Arc<BatchKeys>,
        batch: BatchOperate,
        sink: Arc<S>,
    ) -> Result<(), Error> {
        let inner = Arc::clone(self.inner());
        let request = Request::operate(batch, keys.len())?;
        inner.until_closed(request.may_write(), work::run(&inner, keys, request, sink)).await
    }

    /// Reads one record: bins by `bins`, or its header alone.
    ///
    /// # Errors
    /// Every result code but 0 is an [`Error::Server`], that of a record that is not there (2) too.
    pub async fn read(&self, key: &Key, bins: &Bins, policy: &ReadPolicy) -> Result<Answer, Error> {
        let inner = self.inner();
        inner.until_closed(false, single::read(inner, key, bins, policy)).await
    }

    /// Applies operations to one record; with [`op::WRITE`](wire_protocol::message::op::WRITE) they set
    /// its bins.
    ///
    /// # Errors
    /// As [`Cluster::read`]; [`Error::in_doubt`] says whether the write may have been applied.
    pub async fn write(&self, key: &Key, ops: &[WriteOp<'_>], policy: &WritePolicy) -> Result<Answer, Error> {
        let inner = self.inner();
        inner.until_closed(true, single::write(inner, key, ops, policy)).await
    }

    /// Applies operations, reads among them, to one record in order and as one. `name` is what errors call the
    /// command. Where all of them read, it is a read: any replica may answer, and it may be hedged. Operations
    /// that add to what is there are not sent again once they may have been applied.
    ///
    /// # Errors
    /// As [`Cluster::write`].
    pub async fn operate(
        &self,
        name: &'static str,
        key: &Key,
        ops: &[WriteOp<'_>],
        policy: &OperatePolicy,
    ) -> Result<Answer, Error> {
        let inner = self.inner();
        inner
            .until_closed(ops.iter().any(operate::is_write), operate::operate(inner, name, key, ops, policy))
            .await
    }

    /// Deletes one record.
    ///
    /// # Errors
    /// As [`Cluster::write`].
    pub async fn delete(&self, key: &Key, policy: &WritePolicy) -> Result<Answer, Error> {
        let inner = self.inner();
        inner.until_closed(true, single::delete(inner, key, policy)).await
    }

    /// Sends info commands to one node, or to all of them side by side.
    ///
    /// # Errors
    /// A node that there is not, or a closed cluster. What goes wrong at a node is told beside its name.
    pub async fn info(&self, node: Option<&str>, commands: &[&str]) -> Result<Vec<InfoAnswers>, Error> {
        self.info_within(node, commands, INFO_TIMEOUT).await
    }

    /// [`Cluster::info`] that gives up on a node after `timeout`.
    ///
    /// # Errors
    /// As [`Cluster::info`].
    pub async fn info_within(
        &self,
        node: Option<&str>,
        commands: &[&str],
        timeout: Duration,
    ) -> Result<Vec<InfoAnswers>, Error> {
        let inner = self.inner();
        inner.until_closed(false, info::send(inner, node, commands, timeout)).await
    }

    /// The records of partitions, of which nothing is asked for before the first is. The stream keeps the
    /// cluster open.
    #[must_use]
    pub fn query(&self, query: Query) -> RecordStream {
        RecordStream::new(Arc::clone(&self.handle), query)
    }

    fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("nodes", &self.node_names())
            .field("closed", &self.inner().is_closed())
            .finish_non_exhaustive()
    }
}
