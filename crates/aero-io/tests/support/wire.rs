//! Requests as a node reads them, and answers as it writes them.

use aero_io::Digest;
use wire_protocol::batch::row_flags;
use wire_protocol::message::{
    FrameType, Message, MessageHeader, field_type, info1, info2, info3, op, write_field, write_frame,
    write_op,
};
use wire_protocol::particle::particle_type;
use wire_protocol::query::QueryScope;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRow {
    pub index: u32,
    pub digest: Digest,
    pub namespace: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Request {
    /// Whether it is a batch. Otherwise it has one row.
    pub is_batch: bool,
    pub timeout_ms: u32,
    pub rows: Vec<RequestRow>,
    /// The scope of a query, which has no rows.
    pub query: Option<QueryScope>,
    /// The names in its operations.
    pub bins: Vec<String>,
    /// Whether it asks for the result of each operation.
    pub responds_to_all: bool,
    /// Bytes of the whole frame.
    pub size: usize,
    /// The message.
    pub body: Vec<u8>,
}

impl Request {
    pub fn parse(body: &[u8]) -> Self {
        let message = Message::parse_only(body).unwrap();
        let is_batch = message.header.info1 & info1::BATCH != 0;
        let scope = QueryScope::parse(&message).unwrap();
        let is_query = !(scope.partitions.is_empty() && scope.after.is_empty());
        let rows = if is_query {
            Vec::new()
        } else if is_batch {
            batch_rows(message.field(field_type::BATCH).unwrap())
        } else {
            vec![RequestRow {
                index: 0,
                digest: message.field(field_type::DIGEST).unwrap().try_into().unwrap(),
                namespace: message.field(field_type::NAMESPACE).unwrap().into(),
            }]
        };
        Self {
            is_batch,
            timeout_ms: message.header.extra,
            rows,
            query: is_query.then_some(scope),
            bins: message.ops().map(|op| String::from_utf8_lossy(op.name).into()).collect(),
            responds_to_all: message.header.info2 & info2::RESPOND_ALL_OPS != 0,
            size: body.len() + 8,
            body: body.into(),
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], n: usize) -> &'a [u8] {
    let (taken, after) = rest.split_at(n);
    *rest = after;
    taken
}

fn take_u32(rest: &mut &[u8]) -> u32 {
    u32::from_be_bytes(take(rest, 4).try_into().unwrap())
}

fn take_u16(rest: &mut &[u8]) -> u16 {
    u16::from_be_bytes(take(rest, 2).try_into().unwrap())
}

fn batch_rows(mut rest: &[u8]) -> Vec<RequestRow> {
    let count = take_u32(&mut rest);
    take(&mut rest, 1);
    let mut namespace = Vec::new();
    let rows = (0..count)
        .map(|_| {
            let index = take_u32(&mut rest);
            let digest = take(&mut rest, 20).try_into().unwrap();
            let flags = take(&mut rest, 1)[0];
            if flags & row_flags::REPEAT == 0 {
                // Rows that write have a generation, too.
                let with_generation = flags & row_flags::GENERATION != 0;
                // Rows that end a transaction have a fourth info byte and no time to live.
                let is_end = flags == row_flags::INFO | row_flags::INFO4;
                assert!(is_end || flags & !row_flags::GENERATION == row_flags::INFO | row_flags::TTL);
                take(&mut rest, if is_end { 4 } else { 3 + 4 + if with_generation { 2 } else { 0 } });
                let (fields, ops) = (take_u16(&mut rest), take_u16(&mut rest));
                for place in 0..fields + ops {
                    let size = take_u32(&mut rest) as usize;
                    let data = take(&mut rest, size);
                    if place < fields && data[0] == field_type::NAMESPACE {
                        namespace = data[1..].to_vec();
                    }
                }
            }
            RequestRow { index, digest, namespace: namespace.clone() }
        })
        .collect();
    assert!(rest.is_empty());
    rows
}

/// A message with an index, a code, a generation and, with code 0, one integer bin.
pub fn record(index: u32, code: u8, generation: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let n_ops = u16::from(code == 0);
    MessageHeader { extra: index, result_code: code.into(), generation, n_ops, ..Default::default() }
        .write(&mut out);
    if code == 0 {
        write_op(&mut out, op::READ, particle_type::INTEGER, b"v", &i64::from(generation).to_be_bytes());
    }
    out
}

/// A record's message in the answer to a query of `test`.
pub fn query_record(digest: &Digest) -> Vec<u8> {
    record_of(b"test", digest)
}

/// A record's message in the answer to a query.
pub fn record_of(namespace: &[u8], digest: &Digest) -> Vec<u8> {
    let mut out = Vec::new();
    MessageHeader { generation: 1, n_fields: 2, ..MessageHeader::default() }.write(&mut out);
    write_field(&mut out, field_type::NAMESPACE, namespace);
    write_field(&mut out, field_type::DIGEST, digest);
    out
}

/// The last message of an answer.
pub fn end(code: u8) -> Vec<u8> {
    let mut out = Vec::new();
    MessageHeader { info3: info3::LAST, result_code: code.into(), ..Default::default() }.write(&mut out);
    out
}

/// A frame of messages.
pub fn frame(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    write_frame(&mut out, FrameType::Message, |out| {
        messages.iter().for_each(|message| out.extend_from_slice(message));
    })
    .unwrap();
    out
}

/// A whole answer: a record with that code for each row, and the end.
pub fn answer(request: &Request, code: impl Fn(&RequestRow) -> u8, generation: u32) -> Vec<u8> {
    let records: Vec<Vec<u8>> =
        request.rows.iter().map(|row| record(row.index, code(row), generation)).collect();
    let mut out = frame(&records);
    if request.is_batch {
        out.extend(frame(&[end(0)]));
    }
    out
}
