//! The cluster's handle.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use wire_protocol::command::WriteOp;
use wire_protocol::info;

use crate::batch::keys::{self, BatchKeys, BatchRead, Bins, Key};
use crate::batch::request::{BatchOperate, Request};
use crate::batch::sink::RowSink;
use crate::batch::work;
use crate::command::answer::Answer;
use crate::command::operate;
use crate::command::single;
use crate::config::ClusterConfig;
use crate::error::{Error, Fault, Tried};
use crate::net::buffers::{Scratch, ScratchPool};
use crate::net::pool::Wanted;
use crate::net::timer::Timer;
use crate::net::transport::Transport;
use crate::node::Node;
use crate::node::events::Event;
use crate::node::hedge::Budget;
use crate::policy::{OperatePolicy, ReadPolicy, WritePolicy};
use crate::query::{Query, RecordStream};
use crate::stats::{ClusterStats, NodeStats};
use crate::topology::discovery::{Connector, INFO_TIMEOUT, exchange_info};
use crate::topology::partition_map::View;
use crate::topology::seeds;
use crate::topology::tend::Members;

/// How long a cluster that has just started is waited for: a node claims its partitions one to two seconds
/// after it has begun to answer.
const START_UP: Duration = Duration::from_secs(5);

/// Time between two looks at it.
const START_UP_PAUSE: Duration = Duration::from_millis(50);

/// A node's name and its answers to info commands, command and value each.
pub type InfoAnswers = (String, Result<Vec<(String, String)>, Error>);

/// A connected cluster. Clones are handles of the same one; the last that is dropped closes it.
#[derive(Clone)]
pub struct Cluster {
    handle: Arc<Handle>,
}

/// Closes the cluster when the last [`Cluster`] goes: the tasks that watch it hold [`Inner`] alone.
struct Handle {
    inner: Arc<Inner>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inner.close();
    }
}

/// What handles, commands and watches share.
pub(crate) struct Inner {
    pub(crate) connector: Arc<Connector>,
    pub(crate) closed: AtomicBool,
    pub(crate) scratch: ScratchPool,
    closing: Notify,
    pub(crate) hedges: Budget,
    view: RwLock<Arc<View>>,
    members: Mutex<Members>,
    turn: AtomicUsize,
    n_retries: AtomicU64,
    n_hedges: AtomicU64,
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
        let contacts = seeds::find_cluster(&connector).await?;
        let inner = Arc::new(Inner {
            connector,
            closed: AtomicBool::new(false),
            scratch: ScratchPool::default(),
            closing: Notify::new(),
            hedges: Budget::default(),
            view: RwLock::default(),
            members: Mutex::default(),
            turn: AtomicUsize::new(0),
            n_retries: AtomicU64::new(0),
            n_hedges: AtomicU64::new(0),
        });
        inner.admit(contacts);
        inner.await_partitions().await;
        Ok(Self { handle: Arc::new(Handle { inner }) })
    }

    /// Whether the cluster is open and any of its nodes answered when it was last looked at.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        !self.inner().closed.load(Ordering::Acquire) && self.inner().members().any_healthy()
    }

    /// Names of the nodes, sorted.
    #[must_use]
    pub fn node_names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.inner().view().nodes.iter().map(|node| node.name.to_string()).collect();
        names.sort();
        names
    }

    /// Whether any node has the namespace.
    #[must_use]
    pub fn has_namespace(&self, namespace: &str) -> bool {
        self.inner().view().namespace(namespace.as_bytes()).is_some()
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
        inner.until_closed(false, inner.info(node, commands, timeout)).await
    }

    /// The records of partitions, of which nothing is asked for before the first is. The stream keeps the
    /// cluster open.
    #[must_use]
    pub fn query(&self, query: Query) -> RecordStream {
        RecordStream::new(self.clone(), query)
    }

    /// Whether the cluster was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.inner().closed.load(Ordering::Acquire)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.handle.inner
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("nodes", &self.node_names())
            .field("closed", &self.inner().closed.load(Ordering::Acquire))
            .finish_non_exhaustive()
    }
}

impl Inner {
    /// The cluster as it is now.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn publish(&self, view: View) {
        let before = std::mem::replace(
            &mut *self.view.write().unwrap_or_else(PoisonError::into_inner),
            Arc::new(view),
        );
        drop(before);
    }

    pub(crate) fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that grows with each call, for spreading load.
    pub(crate) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits a while for a cluster that claims no partition of any namespace: it has just started.
    async fn await_partitions(&self) {
        let deadline = Instant::now() + START_UP;
        while self.view().is_blank() && Instant::now() < deadline {
            self.view().nodes.iter().for_each(|node| node.look_now.notify_one());
            sleep(START_UP_PAUSE).await;
        }
    }

    /// Notes that so many requests were sent again.
    pub(crate) fn count_retries(&self, requests: usize) {
        self.n_retries.fetch_add(requests as u64, Ordering::Relaxed);
    }

    /// Notes that so many requests were sent because others had no answer.
    pub(crate) fn count_hedges(&self, requests: usize) {
        self.n_hedges.fetch_add(requests as u64, Ordering::Relaxed);
    }

    fn close(&self) {
        let mut members = self.members();
        self.closed.store(true, Ordering::Release);
        // First of all, so that calls under way end with that, and not with the pools that are closed next.
        self.closing.notify_waiters();
        members.clear();
        if let Some(logins) = &self.connector.logins {
            logins.close();
        }
        self.publish(View::default());
        keys::empty_spare();
    }

    /// An error that says that the view lacks something; of a closed cluster, that it is closed: its view is empty.
    pub(crate) fn unless_closed(&self, error: Error) -> Error {
        // Closing sets the flag before it empties the view.
        if self.closed.load(Ordering::Acquire) { Error::Closed { in_doubt: false } } else { error }
    }

    pub(crate) async fn until_closed<T>(
        &self,
        writes: bool,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let closing = self.closing.notified();
        tokio::pin!(closing);
        // In line before the look at the flag: a close between the two is not missed.
        closing.as_mut().enable();
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Closed { in_doubt: false });
        }
        tokio::select! {
            biased;
            () = closing => Err(Error::Closed { in_doubt: writes }),
            outcome = work => outcome,
        }
    }

    async fn info(
        &self,
        node: Option<&str>,
        commands: &[&str],
        timeout: Duration,
    ) -> Result<Vec<InfoAnswers>, Error> {
        let view = self.view();
        let nodes: Vec<&Arc<Node>> = match node {
            None => view.nodes.iter().collect(),
            Some(name) => vec![view.node(name).ok_or_else(|| Error::NoSuchNode {
                name: name.to_owned(),
                known: view.nodes.iter().map(|node| node.name.to_string()).collect(),
            })?],
        };
        let asked = nodes.iter().map(|node| async {
            let answers = self.info_of(node, commands, timeout).await;
            (node.name.to_string(), answers)
        });
        let mut answers = futures_util::future::join_all(asked).await;
        answers.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(answers)
    }

    async fn info_of(
        &self,
        node: &Node,
        commands: &[&str],
        timeout: Duration,
    ) -> Result<Vec<(String, String)>, Error> {
        let start = Instant::now();
        let mut timer = Timer::within(timeout);
        let mut scratch = self.scratch.take();
        let exchange = async {
            let (mut wanted, mut has_lost_session) = (Wanted::Open, false);
            let body = loop {
                let mut leased = node.acquire(&mut timer, wanted).await?;
                let Scratch { request, input, .. } = &mut *scratch;
                match exchange_info(&mut leased.connection, input, request, commands, &mut timer).await {
                    Ok(body) => {
                        leased.recycle();
                        break body;
                    }
                    Err(fault) if leased.reused && fault.is_stale() => wanted = Wanted::New,
                    Err(Fault::Login { code, .. })
                        if !has_lost_session && node.has_lost_session(code, &leased.connection) =>
                    {
                        (has_lost_session, wanted) = (true, Wanted::New);
                    }
                    Err(fault) => return Err(fault),
                }
            };
            let owned = |(command, value): (&str, &str)| (command.to_owned(), value.to_owned());
            Ok(info::answers(&body)?.map(owned).collect())
        };
        exchange.await.map_err(|fault: Fault| {
            node.observe(&fault, 1, Some(start));
            let tried = Tried {
                command: "info",
                node: Arc::clone(&node.name),
                address: node.address,
                attempts: 1,
                elapsed: start.elapsed(),
                in_doubt: false,
            };
            fault.into_error(node, tried)
        })
    }
}
