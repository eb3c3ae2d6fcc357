//! The cluster handle.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use wire_protocol::command::WriteOp;

use crate::batch::any_sink::AnySink;
use crate::batch::keys::BatchKeys;
use crate::batch::request::{BatchOperate, BatchRead, Request};
use crate::batch::sink::RowSink;
use crate::batch::work;
use crate::command::admin::{self, AdminAnswer, AdminRequest};
use crate::command::answer::Answer;
use crate::command::apply::{self, Function};
use crate::command::info::{self, INFO_TIMEOUT, InfoAnswers};
use crate::command::{index, operate, single};
use crate::commit::{self, AbortStatus, CommitStatus, EndPolicies};
use crate::config::ClusterConfig;
use crate::error::Error;
use crate::key::{Bins, Key};
use crate::metrics::CommandMetrics;
use crate::net::transport::{BoxFuture, Transport};
use crate::node::connector::Connector;
use crate::node::events::{Event, NodeName};
use crate::policy::{OperatePolicy, ReadPolicy, WritePolicy};
use crate::query::{self, BackgroundJob, Query, QueryStopper, RecordSink, RecordStream, background};
use crate::stats::{ClusterStats, NodeStats};
use crate::topology::seeds;
use crate::topology::state::{Handle, Inner};
use crate::transaction::Transaction;

/// A connected cluster. Clones share one cluster, which is closed when the last of them is dropped.
///
/// Commands return boxed futures. The body of an `async fn` is compiled again in each crate that awaits it, and in each
/// test of this one; a box is compiled here. It also spares a caller that boxes or spawns the command the move of
/// one to two kilobytes.
#[derive(Clone)]
pub struct Cluster {
    handle: Arc<Handle>,
}

impl Cluster {
    /// Connects to a cluster: tries every address of every seed, contacts the nodes that the first one to
    /// answer knows, and watches each of them from then on. Must be called in a tokio runtime, in which the
    /// watches run.
    ///
    /// Takes at most a few connect timeouts. If the cluster has just started and claims no partitions yet,
    /// waits for up to five more seconds.
    ///
    /// # Errors
    /// [`Error::Connect`] names every address that was tried and why it failed. [`Error::ClusterName`] for a
    /// cluster with another name, [`Error::Login`] if a node refuses the user.
    pub fn connect(
        config: ClusterConfig,
        transport: Arc<dyn Transport>,
    ) -> BoxFuture<'static, Result<Self, Error>> {
        Box::pin(Self::open(config, transport))
    }

    async fn open(config: ClusterConfig, transport: Arc<dyn Transport>) -> Result<Self, Error> {
        if let Some(credentials) = config.credentials.clone() {
            credentials.check(&*transport)?;
            // Slow, and done once for all logins. If the runtime shuts down meanwhile, no hash is needed.
            _ = tokio::task::spawn_blocking(move || credentials.prepare()).await;
        }
        let connector = Arc::new(Connector::new(config, transport));
        let found_nodes = seeds::find_cluster(&connector).await?;
        let inner = Arc::new(Inner::new(connector));
        inner.admit(found_nodes);
        inner.await_partitions().await;
        Ok(Self { handle: Arc::new(Handle { inner }) })
    }

    /// Whether the cluster is open and the last check of any node succeeded.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.inner().is_closed() && self.inner().members().any_healthy()
    }

    /// Sorted.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.inner().view().nodes.iter().map(|node| node.name.to_string()).collect();
        names.sort();
        names
    }

    /// Statistics of the nodes and their connections.
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

    /// Sets whether calls and requests are counted and timed from now on; off at first. What was counted stays.
    pub fn enable_metrics(&self, enabled: bool) {
        self.inner().connector.metrics_enabled.store(enabled, Ordering::Relaxed);
    }

    /// Whether calls and requests are counted and timed.
    #[must_use]
    pub fn has_metrics(&self) -> bool {
        self.inner().metrics.is_enabled()
    }

    /// The calls so far, by command, namespace and outcome.
    #[must_use]
    pub fn metrics(&self) -> Vec<CommandMetrics> {
        self.inner().metrics.snapshot()
    }

    /// The requests to each node so far, by what they were for, namespace and outcome; -1 is no answer.
    #[must_use]
    pub fn node_metrics(&self) -> Vec<(NodeName, Vec<CommandMetrics>)> {
        let view = self.inner().view();
        view.nodes.iter().map(|node| (node.as_named(), node.metrics.snapshot())).collect()
    }

    /// Whether there are events for [`Cluster::take_events`].
    #[must_use]
    pub fn has_events(&self) -> bool {
        self.inner().connector.events.has_any()
    }

    /// The events since the last call, with their times. Events that do not fit the queue are counted.
    #[must_use]
    pub fn take_events(&self) -> Vec<(SystemTime, Event)> {
        self.inner().connector.events.take()
    }

    /// Sets whether retries are recorded as events.
    pub fn record_retries(&self, enabled: bool) {
        self.inner().connector.events.set_verbose(enabled);
    }

    /// Stops watching the cluster and closes its connections. Commands in flight, and later ones, end with
    /// [`Error::Closed`].
    pub fn close(&self) {
        self.inner().close();
    }

    /// Reads the rows of `keys` into `sink`.
    ///
    /// All work happens in the future: dropping it stops the command at once and closes connections with unread
    /// answers.
    ///
    /// # Errors
    /// The most frequent error, if no row got an answer about its record (found, not found, filtered out).
    /// Otherwise each row's code is in the sink.
    pub fn batch_read<S: RowSink>(
        &self,
        keys: Arc<BatchKeys>,
        request: Arc<BatchRead>,
        sink: Arc<S>,
    ) -> BoxFuture<'_, Result<(), Error>> {
        self.batch(request.name, keys, Ok(Request::Read(request)), sink)
    }

    /// Carries out the operations of the rows of `keys`, and delivers the answers to `sink`. A row that may
    /// have been applied is not sent again.
    ///
    /// All work happens in the future: dropping it stops the command at once; what was sent may be applied.
    ///
    /// # Errors
    /// The most frequent error, if no row got an answer. Otherwise each row's code is in the sink.
    pub fn batch_operate<S: RowSink>(
        &self,
        keys: Arc<BatchKeys>,
        batch: BatchOperate,
        sink: Arc<S>,
    ) -> BoxFuture<'_, Result<(), Error>> {
        let name = batch.name;
        let request = Request::operate(batch, keys.len());
        self.batch(name, keys, request, sink)
    }

    /// Reads one record: its bins, or only its header.
    ///
    /// # Errors
    /// [`Error::Server`] for every result code but 0, including that for a missing record (2).
    pub fn read<'a>(
        &'a self,
        key: &'a Key,
        bins: &'a Bins,
        policy: &'a ReadPolicy,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let name = match bins {
                Bins::All => "get",
                Bins::Names(_) => "select",
                Bins::Header => "exists",
            };
            let timer = inner.metrics.time(name, || &key.space.namespace, 1);
            timer.finish(inner.until_closed(false, single::read(inner, key, bins, policy)).await)
        })
    }

    /// Applies operations to one record. [`op::WRITE`](wire_protocol::message::op::WRITE) sets a bin.
    ///
    /// # Errors
    /// Those of [`Cluster::read`]. [`Error::in_doubt`] says whether the write may have been applied.
    pub fn write<'a>(
        &'a self,
        key: &'a Key,
        ops: &'a [WriteOp<'a>],
        policy: &'a WritePolicy,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("put", || &key.space.namespace, 1);
            timer.finish(inner.until_closed(true, single::write(inner, key, ops, policy)).await)
        })
    }

    /// Applies operations, which may include reads, to one record atomically and in order. `name` is the
    /// command's name in errors.
    ///
    /// If all operations read, any replica may answer, and the command may be hedged. Operations whose effect
    /// depends on how often they are applied are not sent again once they may have been applied.
    ///
    /// # Errors
    /// Those of [`Cluster::write`].
    pub fn operate<'a>(
        &'a self,
        name: &'static str,
        key: &'a Key,
        ops: &'a [WriteOp<'a>],
        policy: &'a OperatePolicy,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time(name, || &key.space.namespace, 1);
            let writes = ops.iter().any(operate::is_write);
            timer.finish(inner.until_closed(writes, operate::operate(inner, name, key, ops, policy)).await)
        })
    }

    /// Deletes one record.
    ///
    /// # Errors
    /// Those of [`Cluster::write`].
    pub fn delete<'a>(
        &'a self,
        key: &'a Key,
        policy: &'a WritePolicy,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("remove", || &key.space.namespace, 1);
            timer.finish(inner.until_closed(true, single::delete(inner, key, policy)).await)
        })
    }

    /// Applies a user-defined function to one record. It is not sent again once it may have been applied.
    ///
    /// # Errors
    /// Those of [`Cluster::write`]; [`Error::Function`] with the text if the function fails.
    pub fn apply<'a>(
        &'a self,
        key: &'a Key,
        function: &'a Function,
        policy: &'a WritePolicy,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("apply", || &key.space.namespace, 1);
            timer.finish(inner.until_closed(true, apply::apply(inner, key, function, policy)).await)
        })
    }

    /// Waits until all nodes have the same version of a module, or, if not `is_there`, until none has it.
    ///
    /// # Errors
    /// [`Error::ModuleNotReady`] names the nodes that are late.
    pub fn wait_for_module<'a>(
        &'a self,
        file: &'a str,
        is_there: bool,
        timeout: Option<Duration>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let inner = self.inner();
            inner.until_closed(false, apply::wait(inner, file, is_there, timeout)).await
        })
    }

    /// Commits a transaction: all of its writes are applied, or none.
    ///
    /// If the future is dropped while the server decides, the commit is in doubt.
    ///
    /// # Errors
    /// [`Error::TransactionFailed`] if a record that it has read has changed: it is aborted then.
    /// [`Error::CommitFailed`] if it was not committed, or may not have been; commit it again.
    /// [`Error::TransactionEnded`] if it was aborted before. [`Error::Param`] while its commands are running.
    pub fn commit<'a>(
        &'a self,
        transaction: &'a Arc<Transaction>,
        policies: &'a EndPolicies,
    ) -> BoxFuture<'a, Result<CommitStatus, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("commit", || &[], 0);
            timer.finish(inner.until_closed(true, commit::commit(inner, transaction, policies)).await)
        })
    }

    /// Aborts a transaction: none of its writes is applied.
    ///
    /// # Errors
    /// [`Error::TransactionEnded`] if it was committed before, [`Error::TransactionFailed`] if it may have been.
    /// [`Error::Param`] while its commands are running.
    pub fn abort<'a>(
        &'a self,
        transaction: &'a Arc<Transaction>,
        policies: &'a EndPolicies,
    ) -> BoxFuture<'a, Result<AbortStatus, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("abort", || &[], 0);
            timer.finish(inner.until_closed(true, commit::abort(inner, transaction, policies)).await)
        })
    }

    /// Sends info commands to one node, or to all nodes concurrently.
    ///
    /// # Errors
    /// There is no such node, or the cluster is closed. Errors of single nodes are in the result.
    pub fn info<'a>(
        &'a self,
        node: Option<&'a str>,
        commands: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<InfoAnswers>, Error>> {
        self.info_within(node, commands, INFO_TIMEOUT)
    }

    /// Like [`Cluster::info`], but gives up on a node after `timeout`.
    ///
    /// # Errors
    /// Those of [`Cluster::info`].
    pub fn info_within<'a>(
        &'a self,
        node: Option<&'a str>,
        commands: &'a [&'a str],
        timeout: Duration,
    ) -> BoxFuture<'a, Result<Vec<InfoAnswers>, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("info", || &[], 0);
            timer.finish(inner.until_closed(false, info::send(inner, node, commands, timeout)).await)
        })
    }

    /// Waits until every node has built a secondary index; without a timeout, for as long as that takes. `is_new`: the
    /// index was created just before, so that nodes may not know it yet.
    ///
    /// # Errors
    /// [`Error::IndexNotReady`] names the nodes that are not ready in time, [`Error::NoSuchIndex`] an index that no node
    /// knows.
    pub fn wait_for_index<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
        timeout: Option<Duration>,
        is_new: bool,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let inner = self.inner();
            inner.until_closed(false, index::wait(inner, namespace, name, timeout, is_new)).await
        })
    }

    /// Manages users and roles. The command goes to one node, which passes it on to the others; another node is asked
    /// if the first got nothing of it, or if it only asks for users or roles.
    ///
    /// # Errors
    /// [`Error::Admin`] for every result code but 0; those of other commands if there is no answer in time.
    pub fn admin<'a>(
        &'a self,
        request: AdminRequest,
        timeout: Duration,
    ) -> BoxFuture<'a, Result<AdminAnswer, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("admin", || &[], 0);
            timer.finish(
                inner.until_closed(!request.command.is_query(), admin::run(inner, request, timeout)).await,
            )
        })
    }

    /// Queries the records of partitions. Nothing is sent before the first record is requested. The stream
    /// keeps the cluster open.
    #[must_use]
    pub fn query(&self, query: Query) -> RecordStream {
        RecordStream::new(Arc::clone(&self.handle), query)
    }

    /// Queries the records of partitions, and writes them into `sink` where they are read from the sockets. The
    /// query also ends when the sink accepts no more.
    ///
    /// # Errors
    /// Why the query failed. All records before the failure are in the sink.
    pub async fn query_into<S: RecordSink>(&self, query: Query, sink: Arc<S>) -> Result<(), Error> {
        query::into_sink(Arc::clone(self.inner()), query, sink).await
    }

    /// [`Cluster::query_into`] as a task of its own, which the stopper ends. `end` is called with the outcome;
    /// not if the query was stopped.
    pub fn spawn_query_into<S: RecordSink>(
        &self,
        query: Query,
        sink: Arc<S>,
        end: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> QueryStopper {
        let (inner, stopper) = (Arc::clone(self.inner()), QueryStopper::default());
        let task = async move { end(query::into_sink(inner, query, sink).await) };
        stopper.drive(self.inner().connector.spawn(task).abort_handle());
        stopper
    }

    /// Makes every node apply operations to records, and returns the job's identifier once all of them have begun.
    ///
    /// A node that may have begun does not get the job again.
    ///
    /// # Errors
    /// [`Error::Background`] if nodes have begun, or may have; other errors if no node has.
    pub fn execute_background<'a>(&'a self, job: &'a BackgroundJob) -> BoxFuture<'a, Result<u64, Error>> {
        Box::pin(async move {
            let inner = self.inner();
            let timer = inner.metrics.time("execute_background", || &job.space.namespace, 0);
            timer.finish(inner.until_closed(true, background::start(inner, job)).await)
        })
    }

    fn batch(
        &self,
        name: &'static str,
        keys: Arc<BatchKeys>,
        request: Result<Request, Error>,
        sink: Arc<dyn AnySink>,
    ) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let request = request?;
            let inner = Arc::clone(self.inner());
            let (all, records) = (Arc::clone(&keys), keys.len());
            let mut timer = inner.metrics.time(name, || all.only_namespace(), records);
            let may_write = request.may_write();
            let outcome = inner.until_closed(may_write, work::run(&inner, keys, request, sink)).await;
            let (missing, failed) =
                outcome.as_ref().map_or((0, records), |totals| (totals.missing, totals.failed));
            timer.note_rows(missing, failed);
            timer.finish(outcome).map(|_| ())
        })
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
