//! A network in memory: addresses that refuse, stay silent, speak other protocols, or are nodes.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use aero_io::{BoxFuture, BoxStream, Target, Transport};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, ReadBuf, duplex,
};
use wire_protocol::compressed::inflate;
use wire_protocol::info::PartitionBitmap;
use wire_protocol::message::{FrameHeader, FrameType, MAX_FRAME, write_frame};

use super::wire::{self, Request};

/// What a node does on a request, in order. After that, it reads the next request.
pub enum Act {
    Send(Vec<u8>),
    Wait(Duration),
    Close,
    /// Sends no more, and drops what comes.
    HalfClose,
    Hang,
}

/// What an address does.
#[derive(Clone)]
pub enum Host {
    Node(Arc<Node>),
    /// No one listens.
    Refuses,
    /// Accepts connections and sends nothing.
    Silent,
    /// Never accepts a connection.
    Unreachable,
    /// Sends these bytes on every connection.
    Sends(Vec<u8>),
}

#[derive(Default)]
pub struct Net {
    hosts: Mutex<HashMap<SocketAddr, Host>>,
    names: Mutex<HashMap<String, Vec<SocketAddr>>>,
    opened: AtomicUsize,
    cut: Arc<Mutex<Option<usize>>>,
}

impl Net {
    pub fn set(&self, address: &str, host: Host) {
        self.hosts.lock().unwrap().insert(address.parse().unwrap(), host);
    }

    pub fn name(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.names.lock().unwrap().insert(name.into(), addresses);
    }

    /// Connections opened so far.
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// Lets the next write over any connection get through this many bytes, then breaks that connection.
    pub fn cut_next_write(&self, after: usize) {
        *self.cut.lock().unwrap() = Some(after);
    }

    /// A cluster of nodes `N1`, `N2` ... at `10.0.0.n:3000`: partition p of `test` has its master at
    /// node p mod n and its replica at the next one.
    pub fn cluster(n: usize) -> (Arc<Self>, Vec<Arc<Node>>) {
        let net = Arc::new(Self::default());
        let nodes: Vec<Arc<Node>> =
            (0..n).map(|i| Node::new(&format!("N{}", i + 1), &format!("10.0.0.{}:3000", i + 1))).collect();
        for (i, node) in nodes.iter().enumerate() {
            let bitmap = |shift: usize| PartitionBitmap::of((0..4096).filter(|p| (p + shift) % n == i));
            let replicas = if n == 1 { vec![bitmap(0)] } else { vec![bitmap(0), bitmap(1)] };
            node.claim("test", replicas);
            node.know(&nodes);
            net.set(&node.address, Host::Node(Arc::clone(node)));
        }
        (net, nodes)
    }
}

impl Transport for Net {
    fn connect<'a>(&'a self, target: Target<'a>) -> BoxFuture<'a, io::Result<BoxStream>> {
        Box::pin(async move {
            let host = self.hosts.lock().unwrap().get(&target.address).cloned().unwrap_or(Host::Refuses);
            let (ours, mut theirs) = duplex(256 * 1024);
            match host {
                Host::Refuses => return Err(io::ErrorKind::ConnectionRefused.into()),
                Host::Unreachable => std::future::pending().await,
                Host::Silent => drop(tokio::spawn(async move {
                    let _theirs = theirs;
                    std::future::pending::<()>().await;
                })),
                Host::Sends(bytes) => drop(tokio::spawn(async move {
                    _ = theirs.write_all(&bytes).await;
                    std::future::pending::<()>().await;
                })),
                Host::Node(node) => {
                    if node.is_down.load(Ordering::SeqCst) {
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    }
                    tokio::spawn(node.serve(theirs));
                }
            }
            self.opened.fetch_add(1, Ordering::SeqCst);
            Ok(Box::new(Cuttable { inner: ours, cut: Arc::clone(&self.cut), is_broken: false }) as BoxStream)
        })
    }

    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            if let Ok(ip) = host.parse() {
                return Ok(vec![SocketAddr::new(ip, port)]);
            }
            let names = self.names.lock().unwrap();
            names.get(host).cloned().ok_or_else(|| io::Error::other("no such name"))
        })
    }
}

/// The client's end of a connection.
struct Cuttable {
    inner: DuplexStream,
    cut: Arc<Mutex<Option<usize>>>,
    is_broken: bool,
}

impl AsyncRead for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, into)
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_broken {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let cut = self.cut.lock().unwrap().take();
        let Some(after) = cut else { return Pin::new(&mut self.inner).poll_write(cx, bytes) };
        self.is_broken = true;
        match bytes.get(..after).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => Pin::new(&mut self.inner).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

type Security = Box<dyn FnMut(&[u8]) -> Vec<Act> + Send>;

type Handler = Box<dyn FnMut(&Request) -> Vec<Act> + Send>;

type InfoHandler = Box<dyn FnMut(&str) -> Option<Vec<Act>> + Send>;

type Mangle = Box<dyn FnMut(Vec<u8>) -> Vec<u8> + Send>;

/// A namespace and its claimed partitions, replica by replica.
type Claim = (String, Vec<PartitionBitmap>);

pub struct Node {
    pub name: Mutex<String>,
    pub address: String,
    /// The answer to `cluster-name`.
    pub cluster_name: Mutex<String>,
    /// The answer to `build`.
    pub build: Mutex<String>,
    /// The addresses that the node announces.
    pub service: Mutex<String>,
    /// Refuses connections, and has closed the open ones.
    is_down: AtomicBool,
    /// Answers nothing, not even info commands.
    pub is_hung: AtomicBool,
    /// Connections open now.
    pub open: AtomicUsize,
    /// Requests being answered now, and the maximum.
    busy: AtomicUsize,
    pub most_busy: AtomicUsize,
    peers: Mutex<(u32, Vec<(String, String)>)>,
    replicas: Mutex<(u32, Vec<Claim>)>,
    handler: Mutex<Handler>,
    security: Mutex<Security>,
    /// Answers info commands before the node does.
    info_handler: Mutex<InfoHandler>,
    /// Changes its info answers.
    mangle: Mutex<Mangle>,
    requests: Mutex<Vec<Request>>,
    down: tokio::sync::Notify,
}

impl Node {
    /// A node that finds every record.
    pub fn new(name: &str, address: &str) -> Arc<Self> {
        Arc::new(Self {
            name: Mutex::new(name.into()),
            address: address.into(),
            cluster_name: Mutex::new("scripted".into()),
            build: Mutex::new("8.1.2.0".into()),
            service: Mutex::new(address.into()),
            is_down: AtomicBool::new(false),
            is_hung: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            busy: AtomicUsize::new(0),
            most_busy: AtomicUsize::new(0),
            peers: Mutex::default(),
            replicas: Mutex::default(),
            handler: Mutex::new(Box::new(|request| vec![Act::Send(wire::answer(request, |_| 0, 1))])),
            security: Mutex::new(Box::new(|_| vec![Act::Close])),
            info_handler: Mutex::new(Box::new(|_| None)),
            mangle: Mutex::new(Box::new(|answer| answer)),
            requests: Mutex::default(),
            down: tokio::sync::Notify::new(),
        })
    }

    /// Sets what the node does on a request.
    pub fn on_request(&self, handler: impl FnMut(&Request) -> Vec<Act> + Send + 'static) {
        *self.handler.lock().unwrap() = Box::new(handler);
    }

    /// Sets what the node does on a security message.
    pub fn on_security(&self, handler: impl FnMut(&[u8]) -> Vec<Act> + Send + 'static) {
        *self.security.lock().unwrap() = Box::new(handler);
    }

    /// Sets how the node answers info commands. If `handler` returns `None`, it answers as usual.
    pub fn on_info_request(&self, handler: impl FnMut(&str) -> Option<Vec<Act>> + Send + 'static) {
        *self.info_handler.lock().unwrap() = Box::new(handler);
    }

    /// Sets how the node changes its info answers.
    pub fn on_info(&self, mangle: impl FnMut(Vec<u8>) -> Vec<u8> + Send + 'static) {
        *self.mangle.lock().unwrap() = Box::new(mangle);
    }

    /// Sets the node's peers.
    pub fn know(&self, nodes: &[Arc<Node>]) {
        let mut peers = self.peers.lock().unwrap();
        peers.0 += 1;
        let others = nodes.iter().filter(|node| !std::ptr::eq(&***node, self));
        peers.1 = others.map(|node| (node.name.lock().unwrap().clone(), node.address.clone())).collect();
    }

    /// Sets the partitions of a namespace that the node claims.
    pub fn claim(&self, namespace: &str, bitmaps: Vec<PartitionBitmap>) {
        let mut replicas = self.replicas.lock().unwrap();
        replicas.0 += 1;
        replicas.1.retain(|(name, _)| name != namespace);
        replicas.1.push((namespace.into(), bitmaps));
    }

    /// Closes all connections and refuses new ones, or accepts them again.
    pub fn set_down(&self, down: bool) {
        self.is_down.store(down, Ordering::SeqCst);
        if down {
            self.drop_connections();
        }
    }

    pub fn drop_connections(&self) {
        self.down.notify_waiters();
    }

    /// Requests received so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    async fn serve(self: Arc<Self>, stream: DuplexStream) {
        self.open.fetch_add(1, Ordering::SeqCst);
        let down = self.down.notified();
        tokio::select! {
            () = down => {}
            _ = self.talk(stream) => {}
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
    }

    async fn talk(&self, mut stream: DuplexStream) -> io::Result<()> {
        loop {
            let mut header = [0; 8];
            stream.read_exact(&mut header).await?;
            let header = FrameHeader::parse(&header).unwrap();
            let mut body = vec![0; header.size];
            stream.read_exact(&mut body).await?;
            if self.is_hung.load(Ordering::SeqCst) {
                return wait_for_close(stream).await;
            }
            if header.kind == FrameType::Info {
                let commands = std::str::from_utf8(&body).unwrap();
                let acts = self.info_handler.lock().unwrap()(commands);
                if let Some(acts) = acts {
                    match act(&mut stream, acts).await? {
                        Next::Listen => continue,
                        Next::Close => return Ok(()),
                        Next::Hang => return wait_for_close(stream).await,
                    }
                }
                let answer = self.info(commands);
                let answer = self.mangle.lock().unwrap()(answer);
                stream.write_all(&answer).await?;
                continue;
            }
            if header.kind == FrameType::Security {
                let acts = self.security.lock().unwrap()(&body);
                match act(&mut stream, acts).await? {
                    Next::Listen => continue,
                    Next::Close => return Ok(()),
                    Next::Hang => return wait_for_close(stream).await,
                }
            }
            if header.kind == FrameType::Compressed {
                let mut frame = Vec::new();
                inflate(&body, MAX_FRAME, &mut frame).unwrap();
                body = frame.split_off(FrameHeader::LEN);
            }
            let request = Request::parse(&body);
            let acts = self.handler.lock().unwrap()(&request);
            self.requests.lock().unwrap().push(request);
            let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_busy.fetch_max(busy, Ordering::SeqCst);
            let outcome = act(&mut stream, acts).await;
            self.busy.fetch_sub(1, Ordering::SeqCst);
            match outcome? {
                Next::Listen => {}
                Next::Close => return Ok(()),
                Next::Hang => return wait_for_close(stream).await,
            }
        }
    }

    fn info(&self, commands: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write_frame(&mut out, FrameType::Info, |out| {
            for command in commands.lines() {
                out.extend_from_slice(format!("{command}\t{}\n", self.say(command)).as_bytes());
            }
        })
        .unwrap();
        out
    }

    fn say(&self, command: &str) -> String {
        let peers = self.peers.lock().unwrap();
        let replicas = self.replicas.lock().unwrap();
        match command {
            "node" => self.name.lock().unwrap().clone(),
            "build" => self.build.lock().unwrap().clone(),
            "cluster-name" => self.cluster_name.lock().unwrap().clone(),
            "partition-generation" => replicas.0.to_string(),
            "peers-generation" => peers.0.to_string(),
            "service-clear-std" => self.service.lock().unwrap().clone(),
            "peers-clear-std" => {
                let peer = |(name, address): &(String, String)| format!("[{name},,[{address}]]");
                let list: Vec<String> = peers.1.iter().map(peer).collect();
                format!("{},3000,[{}]", peers.0, list.join(","))
            }
            "replicas" => {
                let namespace = |(name, bitmaps): &Claim| {
                    let bits: Vec<String> = bitmaps.iter().map(PartitionBitmap::to_base64).collect();
                    format!("{name}:0,{},{}", bits.len(), bits.join(","))
                };
                replicas.1.iter().map(namespace).collect::<Vec<_>>().join(";")
            }
            _ => "ERROR:4:unrecognized command".into(),
        }
    }
}

enum Next {
    Listen,
    Close,
    Hang,
}

async fn act(stream: &mut DuplexStream, acts: Vec<Act>) -> io::Result<Next> {
    for act in acts {
        match act {
            Act::Send(bytes) => stream.write_all(&bytes).await?,
            Act::Wait(time) => tokio::time::sleep(time).await,
            Act::Close => return Ok(Next::Close),
            Act::HalfClose => {
                stream.shutdown().await?;
                return Ok(Next::Hang);
            }
            Act::Hang => return Ok(Next::Hang),
        }
    }
    Ok(Next::Listen)
}

/// Sends nothing until the peer closes.
async fn wait_for_close(mut stream: DuplexStream) -> io::Result<()> {
    while stream.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}
