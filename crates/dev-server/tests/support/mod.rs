//! A client with one connection, which encodes requests and decodes answers itself.

// Each test program uses only a part of this module.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire_protocol::batch::{BatchReadHeader, BatchRow, write_batch_read};
use wire_protocol::command::Projection;
use wire_protocol::command::{
    ReadOptions, RecordKey, WriteOp, WriteOptions, write_delete, write_read, write_write,
};
use wire_protocol::digest::{Digest, UserKey};
use wire_protocol::message::{FrameHeader, Message, MessageHeader, info3, op};
use wire_protocol::particle::Particle;

/// The longest time that a server may take to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The set of all test records.
pub(crate) const SET: &[u8] = b"set";

pub(crate) fn digest(key: &str) -> Digest {
    UserKey::Str(key.as_bytes()).digest(SET)
}

/// An answer of one message: its header, and its bins as operation code, name and value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) header: MessageHeader,
    pub(crate) bins: Vec<(u8, String, String)>,
}

impl Answer {
    pub(crate) fn code(&self) -> u8 {
        self.header.result_code.get()
    }

    /// Result code and generation.
    pub(crate) fn state(&self) -> (u8, u32) {
        (self.header.result_code.get(), self.header.generation)
    }

    /// The bins as `name=value`, separated by spaces.
    pub(crate) fn text(&self) -> String {
        self.bins.iter().map(|(_, name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    pub(crate) async fn frame(&mut self) -> Vec<u8> {
        let read = async {
            let mut frame = vec![0; FrameHeader::LEN];
            self.0.read_exact(&mut frame).await.unwrap();
            let header = FrameHeader::parse(frame.first_chunk().unwrap()).unwrap();
            frame.resize(FrameHeader::LEN + header.size, 0);
            self.0.read_exact(&mut frame[FrameHeader::LEN..]).await.unwrap();
            frame
        };
        tokio::time::timeout(PATIENCE, read).await.expect("the server answers")
    }

    pub(crate) async fn answer(&mut self) -> Answer {
        let frame = self.frame().await;
        let message = Message::parse_only(&frame[FrameHeader::LEN..]).unwrap();
        let bins = message
            .ops()
            .map(|op| (op.code, String::from_utf8_lossy(op.name).into(), text(&op.particle().unwrap())));
        Answer { header: message.header, bins: bins.collect() }
    }

    /// The answer to an info command.
    pub(crate) async fn info(&mut self, command: &str) -> String {
        let mut request = Vec::new();
        wire_protocol::info::write_request(&mut request, &[command]).unwrap();
        self.send(&request).await;
        let frame = self.frame().await;
        wire_protocol::info::answer(&frame[FrameHeader::LEN..], command).unwrap().to_owned()
    }

    /// Sends a batch. Returns index and result code of each row in the order of the answer, and the code at
    /// the end.
    pub(crate) async fn batch(&mut self, request: &[u8]) -> (Vec<(u32, u8)>, u8) {
        self.send(request).await;
        let mut rows = Vec::new();
        loop {
            let frame = self.frame().await;
            let mut rest = &frame[FrameHeader::LEN..];
            while let Ok((message, tail)) = Message::parse(rest) {
                if message.header.info3 & info3::LAST != 0 {
                    return (rows, message.header.result_code.get());
                }
                rows.push((message.header.extra, message.header.result_code.get()));
                rest = tail;
            }
        }
    }

    /// Whether the server has closed the connection.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut [0; 16])).await;
        matches!(read.expect("the server closes the connection"), Ok(0) | Err(_))
    }

    pub(crate) async fn get(&mut self, key: &str) -> Answer {
        self.read(key, Projection::All, &ReadOptions::default()).await
    }

    pub(crate) async fn read(
        &mut self,
        key: &str,
        bins: Projection<'_>,
        options: &ReadOptions<'_>,
    ) -> Answer {
        let mut request = Vec::new();
        write_read(&mut request, &record(&digest(key), None), bins, options).unwrap();
        self.send(&request).await;
        self.answer().await
    }

    pub(crate) async fn write(
        &mut self,
        key: &str,
        ops: &[WriteOp<'_>],
        options: &WriteOptions<'_>,
    ) -> Answer {
        let mut request = Vec::new();
        write_write(&mut request, &record(&digest(key), None), ops.iter().copied(), options).unwrap();
        self.send(&request).await;
        self.answer().await
    }

    /// Writes one integer bin `i`.
    pub(crate) async fn put(&mut self, key: &str, value: i64) -> Answer {
        self.put_with(key, value, &WriteOptions::default()).await
    }

    pub(crate) async fn put_with(&mut self, key: &str, value: i64, options: &WriteOptions<'_>) -> Answer {
        self.write(key, &[bin(op::WRITE, "i", Particle::Int(value))], options).await
    }

    pub(crate) async fn delete(&mut self, key: &str, options: &WriteOptions<'_>) -> Answer {
        let mut request = Vec::new();
        write_delete(&mut request, &record(&digest(key), None), options).unwrap();
        self.send(&request).await;
        self.answer().await
    }
}

/// A batch that reads these keys, with all bins.
pub(crate) fn batch_of(keys: &[String]) -> Vec<u8> {
    batch_with(keys, &BatchReadHeader { projection: Projection::All, ..BatchReadHeader::default() })
}

pub(crate) fn batch_with(keys: &[String], header: &BatchReadHeader<'_>) -> Vec<u8> {
    let digests: Vec<_> = keys.iter().map(|key| digest(key)).collect();
    let rows: Vec<_> = (0..)
        .zip(&digests)
        .map(|(index, digest)| BatchRow { index, digest, namespace: b"test", set: SET })
        .collect();
    let mut request = Vec::new();
    write_batch_read(&mut request, header, rows.into_iter()).unwrap();
    request
}

pub(crate) fn keys(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("key-{i}")).collect()
}

pub(crate) fn record<'a>(digest: &'a Digest, send_key: Option<UserKey<'a>>) -> RecordKey<'a> {
    RecordKey { namespace: b"test", set: SET, digest, send_key, transaction: None }
}

pub(crate) fn bin<'a>(code: u8, name: &'a str, value: Particle<'a>) -> WriteOp<'a> {
    WriteOp { code, name: name.as_bytes(), value }
}

fn text(value: &Particle<'_>) -> String {
    match value {
        Particle::Nil => "nil".into(),
        Particle::Int(value) => value.to_string(),
        Particle::Float(value) => format!("{value:?}"),
        Particle::Bool(value) => value.to_string(),
        Particle::Str(bytes) | Particle::GeoJson(bytes) => String::from_utf8_lossy(bytes).into(),
        Particle::Blob(bytes) | Particle::List(bytes) | Particle::Map(bytes) => format!("{bytes:02x?}"),
        other => format!("{other:?}"),
    }
}
