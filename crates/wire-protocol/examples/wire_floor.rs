//! The lower bound for clients: sends prepared batch requests or queries, then reads and drops the answers. The time that a client
//! needs beyond that is its own.
//!
//! `wire_floor host:port` takes orders, a line each, and answers each with a line of JSON:
//!
//! - `keys NAMESPACE COUNT BIN,BIN...`, followed by COUNT lines of set, tab, string key: make the requests;
//! - `query NAMESPACE SET BIN,BIN...`: make a query of the whole set instead, over one connection;
//! - `measure SAMPLES CALLS`: send them, the requests of keys over 1, 4 and 8 connections;
//! - `load BIN:KIND:BASE:STEP:MODULO ...`: write the records of the keys. Bin b of record n is
//!   `BASE + (n % MODULO) * STEP`, an integer (`i`) or a float (`f`); a modulo of 0 is none.
//!
//! One thread does it all: handing bytes that nobody looks at to other threads costs more than it gains. It
//! reads a node's answers in the order of its connections while the node fills the others.

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wire_protocol::ResultCode;
use wire_protocol::batch::{BatchReadHeader, BatchRow, write_batch_read};
use wire_protocol::command::Projection;
use wire_protocol::command::{RecordKey, WriteOp, WriteOptions, write_write};
use wire_protocol::digest::{Digest, PARTITIONS, UserKey, digests};
use wire_protocol::message::{FrameHeader, MessageHeader, info3, op};
use wire_protocol::particle::Particle;
use wire_protocol::query::{QueryDuration, QueryRequest, write_query};

const CONNECTIONS: [usize; 3] = [1, 4, 8];
/// Keys in a request at most: what a server takes unless it is told otherwise.
const CHUNK: usize = 5_000;
/// Requests of the loader that are under way at once.
const WRITERS: usize = 64;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A connection, and what of its answer is still to come.
struct Connection {
    stream: TcpStream,
    /// Requests in the order in which they are sent; the next one goes out when the last is answered.
    requests: Vec<Vec<u8>>,
    frame: Frames,
}

/// Walks the frames of an answer without looking into them, but for the end of each.
#[derive(Default)]
struct Frames {
    header: [u8; FrameHeader::LEN],
    have: usize,
    left: usize,
    /// The last bytes of the frame so far.
    tail: [u8; MessageHeader::LEN],
}

impl Frames {
    /// Takes bytes of an answer; true when its last frame has ended, which is when it must end, too.
    fn take(&mut self, mut bytes: &[u8]) -> Outcome<bool> {
        let mut last = false;
        while !bytes.is_empty() {
            if last {
                return Err("bytes follow the end of an answer".into());
            }
            if self.left == 0 {
                let n = bytes.len().min(FrameHeader::LEN - self.have);
                self.header[self.have..self.have + n].copy_from_slice(&bytes[..n]);
                self.have += n;
                bytes = &bytes[n..];
                if self.have == FrameHeader::LEN {
                    self.have = 0;
                    self.left = FrameHeader::parse(&self.header)?.size;
                }
                continue;
            }
            let n = bytes.len().min(self.left);
            let keep = n.min(self.tail.len());
            self.tail.rotate_left(keep);
            let start = self.tail.len() - keep;
            self.tail[start..].copy_from_slice(&bytes[n - keep..n]);
            self.left -= n;
            bytes = &bytes[n..];
            // The message that ends an answer has neither fields nor bins, so its header is the frame's end.
            let is_bare = self.left == 0
                && usize::from(self.tail[0]) == MessageHeader::LEN
                && self.tail[18..] == [0; 4];
            let code = self.tail[5];
            let is_refusal = code != 0 && !ResultCode::new(code).is_about_record();
            last = is_bare && (self.tail[3] & info3::LAST != 0 || is_refusal);
            // A refused query ends without the flag; a record of a batch that is not there looks alike.
            if last && code != 0 {
                return Err(format!("the server answers with code {code}").into());
            }
        }
        Ok(last)
    }
}

impl Connection {
    fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, requests: Vec::new(), frame: Frames::default() })
    }

    fn drop_answer(&mut self, buffer: &mut [u8]) -> Outcome<()> {
        loop {
            match self.stream.read(buffer)? {
                0 => return Err("the server has closed the connection".into()),
                n if self.frame.take(&buffer[..n])? => return Ok(()),
                _ => {}
            }
        }
    }
}

/// A batch, cut into requests for a number of connections.
struct Floor {
    connections: Vec<Connection>,
    buffer: Vec<u8>,
    /// The task id of a query, and where it is in the request.
    task: Option<(u64, usize)>,
}

impl Floor {
    fn new(address: &str, batch: &Batch, connections: usize) -> Outcome<Self> {
        let bins: Vec<&[u8]> = batch.bins.iter().map(|bin| bin.as_bytes()).collect();
        let header = BatchReadHeader { projection: Projection::Bins(&bins), ..Default::default() };
        let mut floor = Self { connections: Vec::new(), buffer: vec![0; 256 * 1024], task: None };
        for _ in 0..connections {
            floor.connections.push(Connection::open(address)?);
        }
        // Sorted by set, as every client that means well sends them.
        let mut order: Vec<usize> = (0..batch.keys.len()).collect();
        order.sort_by_key(|&row| &batch.keys[row].0);
        let size = order.len().div_ceil(connections).clamp(1, CHUNK);
        for (number, rows) in order.chunks(size).enumerate() {
            let rows = rows.iter().map(|&row| BatchRow {
                index: row as u32,
                digest: &batch.digests[row],
                namespace: batch.namespace.as_bytes(),
                set: batch.keys[row].0.as_bytes(),
            });
            let mut request = Vec::new();
            write_batch_read(&mut request, &header, rows)?;
            floor.connections[number % connections].requests.push(request);
        }
        Ok(floor)
    }

    /// A query of all records of a set, as clients send it that read every record into an array.
    fn query(address: &str, words: [&str; 3]) -> Outcome<Self> {
        let [namespace, set, bins] = words;
        let bins: Vec<&[u8]> = bins.split(',').map(str::as_bytes).collect();
        let partitions: Vec<u16> = (0..PARTITIONS as u16).collect();
        let task_id = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
        let mut request = Vec::new();
        write_query(
            &mut request,
            &QueryRequest {
                namespace: namespace.as_bytes(),
                set: set.as_bytes(),
                projection: Projection::Bins(&bins),
                every_record: true,
                operations: None,
                predicate: None,
                index_values: &[],
                partitions: &partitions,
                after: &[],
                max_records: 0,
                records_per_second: 0,
                socket_timeout_ms: 30_000,
                task_id,
                duration: QueryDuration::Long,
                info1: 0,
                info3: 0,
                ttl: QueryRequest::DONT_TOUCH,
                filter: &[],
            },
        )?;
        let mut connection = Connection::open(address)?;
        let at = request
            .windows(8)
            .position(|bytes| *bytes == task_id.to_be_bytes())
            .ok_or("a query without its task id")?;
        connection.requests.push(request);
        Ok(Self { connections: vec![connection], buffer: vec![0; 256 * 1024], task: Some((task_id, at)) })
    }

    fn run(&mut self) -> Outcome<()> {
        let Self { connections, buffer, task } = self;
        if let (Some((task_id, at)), Some(connection)) = (task, connections.first_mut()) {
            // A server remembers its last queries and refuses their task ids.
            *task_id += 1;
            connection.requests[0][*at..*at + 8].copy_from_slice(&task_id.to_be_bytes());
        }
        let rounds = connections.iter().map(|connection| connection.requests.len()).max().unwrap_or(0);
        for connection in connections.iter_mut() {
            if let Some(request) = connection.requests.first() {
                connection.stream.write_all(request)?;
            }
        }
        for round in 1..=rounds {
            for connection in connections.iter_mut() {
                if connection.requests.len() < round {
                    continue;
                }
                connection.drop_answer(buffer)?;
                if let Some(request) = connection.requests.get(round) {
                    connection.stream.write_all(request)?;
                }
            }
        }
        Ok(())
    }

    /// Processor time and wall time of a call, in microseconds.
    fn sample(&mut self, calls: u32) -> Outcome<(f64, f64)> {
        let (cpu, start) = (cpu_time()?, Instant::now());
        for _ in 0..calls {
            self.run()?;
        }
        let (wall, cpu) = (start.elapsed(), cpu_time()?.saturating_sub(cpu));
        Ok((cpu.as_secs_f64() * 1e6 / f64::from(calls), wall.as_secs_f64() * 1e6 / f64::from(calls)))
    }
}

/// Processor time of this process, which has one thread.
fn cpu_time() -> Outcome<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    let nanoseconds = text.split(' ').next().ok_or("an empty schedstat")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

#[derive(Default)]
struct Batch {
    namespace: String,
    bins: Vec<String>,
    /// Set and primary key.
    keys: Vec<(String, String)>,
    digests: Vec<Digest>,
}

impl Batch {
    fn read(input: &mut impl Iterator<Item = io::Result<String>>, words: &[&str]) -> Outcome<Self> {
        let [namespace, count, bins] = *words else { return Err("keys NAMESPACE COUNT BINS".into()) };
        let mut keys = Vec::new();
        for _ in 0..count.parse::<usize>()? {
            let line = input.next().ok_or("too few keys")??;
            let (set, key) = line.split_once('\t').ok_or("a key without a set")?;
            keys.push((set.to_owned(), key.to_owned()));
        }
        let digests = digests(keys.iter().map(|(set, key)| (set.as_bytes(), UserKey::Str(key.as_bytes()))));
        let bins = bins.split(',').map(str::to_owned).collect();
        Ok(Self { namespace: namespace.to_owned(), bins, keys, digests })
    }
}

/// A bin as a formula.
struct Column {
    name: String,
    float: bool,
    base: f64,
    step: f64,
    modulo: u64,
}

impl Column {
    fn parse(text: &str) -> Outcome<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [name, kind, base, step, modulo] = parts[..] else {
            return Err("BIN:KIND:BASE:STEP:MODULO".into());
        };
        Ok(Self {
            name: name.to_owned(),
            float: kind == "f",
            base: base.parse()?,
            step: step.parse()?,
            modulo: modulo.parse()?,
        })
    }

    fn value(&self, n: usize) -> Particle<'static> {
        let n = if self.modulo == 0 { n as u64 } else { n as u64 % self.modulo };
        let value = self.base + n as f64 * self.step;
        if self.float { Particle::Float(value) } else { Particle::Int(value as i64) }
    }
}

fn load(address: &str, batch: &Batch, columns: &[Column]) -> Outcome<()> {
    let mut connections = (0..WRITERS).map(|_| Connection::open(address)).collect::<Outcome<Vec<_>>>()?;
    let rows: Vec<usize> = (0..batch.keys.len()).collect();
    let mut request = Vec::new();
    for rows in rows.chunks(WRITERS) {
        for (&row, connection) in rows.iter().zip(&mut connections) {
            let ops: Vec<WriteOp<'_>> = columns
                .iter()
                .map(|column| WriteOp {
                    code: op::WRITE,
                    name: column.name.as_bytes(),
                    value: column.value(row),
                })
                .collect();
            let key = RecordKey {
                namespace: batch.namespace.as_bytes(),
                set: batch.keys[row].0.as_bytes(),
                digest: &batch.digests[row],
                send_key: None,
                transaction: None,
            };
            request.clear();
            write_write(&mut request, &key, ops.iter().copied(), &WriteOptions::default())?;
            connection.stream.write_all(&request)?;
        }
        for (row, connection) in rows.iter().zip(&mut connections) {
            let mut header = [0; FrameHeader::LEN];
            connection.stream.read_exact(&mut header)?;
            let mut body = vec![0; FrameHeader::parse(&header)?.size];
            connection.stream.read_exact(&mut body)?;
            match body.get(5) {
                Some(0) => {}
                code => return Err(format!("record {row} was not written: code {code:?}").into()),
            }
        }
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let address = std::env::args().nth(1).ok_or("wire_floor host:port")?;
    let mut input = io::stdin().lock().lines();
    let mut batch = Batch::default();
    let mut floors = Vec::new();
    while let Some(line) = input.next().transpose()? {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["keys", ref words @ ..] => {
                batch = Batch::read(&mut input, words)?;
                floors.clear();
                println!("{{\"keys\": {}}}", batch.keys.len());
            }
            ["query", namespace, set, bins] => {
                let mut floor = Floor::query(&address, [namespace, set, bins])?;
                floor.run()?;
                floors = vec![(1, floor)];
                println!("{{}}");
            }
            ["load", ref words @ ..] => {
                let columns = words.iter().map(|text| Column::parse(text)).collect::<Outcome<Vec<_>>>()?;
                load(&address, &batch, &columns)?;
                println!("{{\"written\": {}}}", batch.keys.len());
            }
            ["measure", samples, calls] => {
                if floors.is_empty() {
                    for connections in CONNECTIONS {
                        let mut floor = Floor::new(&address, &batch, connections)?;
                        floor.run()?;
                        floors.push((connections, floor));
                    }
                }
                let (samples, calls) = (samples.parse::<usize>()?, calls.parse()?);
                let mut answers = Vec::new();
                for (connections, floor) in &mut floors {
                    let taken = (0..samples).map(|_| floor.sample(calls)).collect::<Outcome<Vec<_>>>()?;
                    let list = |pick: fn(&(f64, f64)) -> f64| {
                        let figures: Vec<String> =
                            taken.iter().map(|sample| format!("{:.1}", pick(sample))).collect();
                        figures.join(", ")
                    };
                    let (cpu, wall) = (list(|sample| sample.0), list(|sample| sample.1));
                    answers.push(format!("\"{connections}\": {{\"cpu\": [{cpu}], \"wall\": [{wall}]}}"));
                }
                println!("{{{}}}", answers.join(", "));
            }
            _ => return Err(format!("not an order: {line}").into()),
        }
        io::stdout().flush()?;
    }
    Ok(())
}
