//! What is written is read back equal to the data it was written from, and truncated bytes are refused.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::value::Value;
use wire_protocol::ResultCode;
use wire_protocol::batch::{
    BatchAnswer, BatchAnswers, BatchReadHeader, BatchRequestRows, BatchRow, write_batch_read,
};
use wire_protocol::command::Projection;
use wire_protocol::command::{
    Exists, Generation, ReadOptions, RecordKey, WriteOp, WriteOptions, write_delete, write_read, write_write,
};
use wire_protocol::digest::UserKey;
use wire_protocol::info::{self, PartitionBitmap};
use wire_protocol::message::{
    FrameHeader, FrameType, Message, MessageHeader, field_type, info1, info2, info3, op, write_field,
    write_frame, write_op,
};
use wire_protocol::msgpack::{self, Reader};
use wire_protocol::particle::Particle;

/// Values as lists and maps hold them: `depth` levels of lists and maps, a few dozen values.
fn packed_value(depth: u32) -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-200i64..70000).prop_map(Value::Int),
        (1u64 << 63..).prop_map(Value::Uint),
        any::<u64>().prop_map(Value::Float),
        bytes(300).prop_map(Value::Str),
        bytes(40).prop_map(Value::Blob),
        bytes(40).prop_map(Value::GeoJson),
        // Without the kinds that mark an ordered map.
        (2i8.., bytes(20)).prop_map(|(kind, data)| Value::Ext(kind, data)),
    ];
    scalar.prop_recursive(depth, 48, 20, |inner| {
        let pairs = vec((inner.clone(), inner.clone()), 0..20);
        prop_oneof![
            vec(inner, 0..20).prop_map(Value::List),
            pairs.clone().prop_map(Value::Map),
            pairs.prop_map(Value::OrderedMap),
        ]
    })
}

/// Values as bins hold them.
fn bin_value() -> impl Strategy<Value = Value> {
    packed_value(2).prop_filter("no bin's value", |value| !matches!(value, Value::Uint(_) | Value::Ext(..)))
}

fn bytes(up_to: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..=up_to)
}

fn header() -> impl Strategy<Value = MessageHeader> {
    (any::<[u8; 4]>(), any::<u8>(), any::<[u32; 3]>()).prop_map(|(info, result_code, words)| MessageHeader {
        info1: info[0],
        info2: info[1],
        info3: info[2],
        info4: info[3],
        result_code: result_code.into(),
        generation: words[0],
        ttl: words[1],
        extra: words[2],
        n_fields: 0,
        n_ops: 0,
    })
}

type PlainField = (u8, Vec<u8>);
type PlainOp = (u8, u8, Vec<u8>, Vec<u8>);

fn fields() -> impl Strategy<Value = Vec<PlainField>> {
    vec((any::<u8>(), bytes(30)), 0..5)
}

fn ops() -> impl Strategy<Value = Vec<PlainOp>> {
    vec((any::<u8>(), any::<u8>(), bytes(255), bytes(60)), 0..5)
}

fn write_message(out: &mut Vec<u8>, header: MessageHeader, fields: &[PlainField], ops: &[PlainOp]) {
    MessageHeader { n_fields: fields.len() as u16, n_ops: ops.len() as u16, ..header }.write(out);
    fields.iter().for_each(|(kind, data)| write_field(out, *kind, data));
    ops.iter().for_each(|(code, kind, name, value)| write_op(out, *code, *kind, name, value));
}

fn plain_ops<'a>(ops: impl Iterator<Item = wire_protocol::message::Op<'a>>) -> Vec<PlainOp> {
    ops.map(|op| (op.code, op.particle_type, op.name.to_vec(), op.value.to_vec())).collect()
}

fn plain_fields<'a>(fields: impl Iterator<Item = wire_protocol::message::Field<'a>>) -> Vec<PlainField> {
    fields.map(|field| (field.kind, field.data.to_vec())).collect()
}

/// The body of the one frame that `frame` is.
fn body(frame: &[u8], kind: FrameType) -> &[u8] {
    let (header, body) = frame.split_first_chunk().unwrap();
    assert_eq!(FrameHeader::parse(header), Ok(FrameHeader { kind, size: body.len() }));
    body
}

proptest! {
    #[test]
    fn messages((header, fields, ops) in (header(), fields(), ops())) {
        let mut frame = Vec::new();
        write_frame(&mut frame, FrameType::Message, |out| write_message(out, header, &fields, &ops)).unwrap();
        let body = body(&frame, FrameType::Message);
        let message = Message::parse_only(body).unwrap();
        let expected =
            MessageHeader { n_fields: fields.len() as u16, n_ops: ops.len() as u16, ..header };
        prop_assert_eq!(message.header, expected);
        prop_assert_eq!(plain_fields(message.fields()), fields.clone());
        prop_assert_eq!(plain_ops(message.ops()), ops);
        for (kind, _) in &fields {
            let first = fields.iter().find(|field| field.0 == *kind).map(|field| &field.1[..]);
            prop_assert_eq!(message.field(*kind), first);
        }
        for len in 0..body.len() {
            prop_assert!(Message::parse(&body[..len]).is_err());
        }
        let mut more = body.to_vec();
        more.push(0);
        prop_assert!(Message::parse_only(&more).is_err());
        prop_assert_eq!(Message::parse(&more).map(|(_, rest)| rest.len()), Ok(1));
    }

    #[test]
    fn batch_answers(
        records in vec((header(), ops()), 0..6),
        end in proptest::option::of(any::<u8>().prop_map(ResultCode::from)),
    ) {
        let mut body = Vec::new();
        for (header, ops) in &records {
            write_message(&mut body, MessageHeader { info3: header.info3 & !info3::LAST, ..*header }, &[], ops);
        }
        if let Some(result_code) = end {
            MessageHeader { info3: info3::LAST, result_code, ..MessageHeader::default() }.write(&mut body);
        }
        let mut answers = BatchAnswers::new(&body);
        for (header, ops) in &records {
            let Some(Ok(BatchAnswer::Record(record))) = answers.next() else { panic!("no record") };
            let expected = (header.extra, header.result_code, header.generation, header.ttl);
            prop_assert_eq!(
                (record.index, record.result_code, record.generation, record.void_time),
                expected
            );
            prop_assert_eq!(usize::from(record.n_ops), ops.len());
            prop_assert_eq!(&plain_ops(record.ops()), ops);
            prop_assert_eq!(plain_ops(wire_protocol::message::Ops::over(record.ops_bytes())), plain_ops(record.ops()));
        }
        let expected = end.map(|result_code| Ok(BatchAnswer::End { result_code }));
        prop_assert_eq!(answers.next(), expected);
        prop_assert_eq!(answers.next(), None);
    }

    #[test]
    fn batch_reads(
        rows in vec((any::<u32>(), any::<[u8; 20]>(), 0usize..2, 0usize..3), 0..40),
        bins in proptest::option::of(vec(bytes(15), 0..4)),
        words in any::<[u32; 2]>(),
        bits in any::<[u8; 4]>(),
        filter in bytes(10),
    ) {
        const NAMESPACES: [&[u8]; 2] = [b"test", b"bar"];
        const SETS: [&[u8]; 3] = [b"", b"a", b"other"];
        let names: Option<Vec<&[u8]>> = bins.as_ref().map(|bins| bins.iter().map(|bin| &bin[..]).collect());
        let (projection, read): (_, u8) = match &names {
            None => (Projection::All, info1::GET_ALL),
            Some(names) if names.is_empty() => (Projection::Header, info1::NO_BINS),
            Some(names) => (Projection::Bins(names), 0),
        };
        let header = BatchReadHeader {
            projection,
            flags: bits[0],
            timeout_ms: words[0],
            info1: bits[1],
            info3: bits[2],
            read_touch_ttl_percent: words[1],
            message_info1: bits[3],
            filter: &filter,
        };
        let mut frame = vec![0xaa];
        let written = rows.iter().map(|(index, digest, namespace, set)| BatchRow {
            index: *index,
            digest,
            namespace: NAMESPACES[*namespace],
            set: SETS[*set],
        });
        write_batch_read(&mut frame, &header, written).unwrap();
        prop_assert_eq!(frame[0], 0xaa, "what was in the buffer stays");
        let message = Message::parse_only(body(&frame[1..], FrameType::Message)).unwrap();
        prop_assert_eq!(message.header.info1, info1::BATCH | bits[3]);
        prop_assert_eq!(message.header.extra, words[0]);
        let expected = (!filter.is_empty()).then_some(&filter[..]);
        prop_assert_eq!(message.field(field_type::FILTER), expected);
        let field = message.field(field_type::BATCH).unwrap();
        let read_back = BatchRequestRows::parse(field).unwrap();
        prop_assert_eq!(read_back.flags(), bits[0]);
        prop_assert_eq!(read_back.len(), rows.len());
        for (row, (index, digest, namespace, set)) in read_back.zip(&rows) {
            prop_assert_eq!((row.index, row.digest), (*index, digest));
            prop_assert_eq!(row.field(field_type::NAMESPACE), Some(NAMESPACES[*namespace]));
            prop_assert_eq!(row.field(field_type::SET), Some(SETS[*set]));
            let info = [row.info1(), row.info2(), row.info3(), row.info4()];
            prop_assert_eq!(info, [info1::READ | bits[1] | read, 0, bits[2], 0]);
            prop_assert_eq!((row.ttl(), row.generation()), (words[1], 0));
            let expected: Vec<_> = bins.iter().flatten().map(|bin| (op::READ, 0, bin.clone(), vec![])).collect();
            prop_assert_eq!(plain_ops(row.ops()), expected);
        }
        for len in 0..field.len() {
            prop_assert!(BatchRequestRows::parse(&field[..len]).is_err());
        }
    }

    #[test]
    fn single_record_commands(
        digest in any::<[u8; 20]>(),
        key in proptest::option::of(prop_oneof![
            any::<i64>().prop_map(Value::Int),
            bytes(20).prop_map(Value::Str),
            bytes(20).prop_map(Value::Blob),
        ]),
        bins in vec((bytes(15), bin_value()), 1..5),
        words in any::<[u32; 3]>(),
        bits in any::<[u8; 2]>(),
        filter in bytes(10),
        policy in (0usize..5, 0usize..3, any::<bool>(), any::<bool>()),
    ) {
        let send_key = key.as_ref().map(|key| match key {
            Value::Int(value) => UserKey::Int(*value),
            Value::Str(bytes) => UserKey::Str(bytes),
            Value::Blob(bytes) => UserKey::Blob(bytes),
            other => panic!("{other:?}"),
        });
        let record = RecordKey { namespace: b"test", set: b"set", digest: &digest, send_key, transaction: None };
        let check_key = |message: &Message<'_>| {
            assert_eq!(message.field(field_type::NAMESPACE), Some(&b"test"[..]));
            assert_eq!(message.field(field_type::SET), Some(&b"set"[..]));
            assert_eq!(message.field(field_type::DIGEST), Some(&digest[..]));
            let sent = message.field(field_type::KEY).map(|field| {
                Value::of_particle(Particle::parse(field[0], &field[1..]).unwrap())
            });
            assert_eq!(sent, key);
            assert_eq!(message.field(field_type::FILTER), (!filter.is_empty()).then_some(&filter[..]));
            assert_eq!(message.header.extra, words[0]);
        };

        let names: Vec<_> = bins.iter().map(|(name, _)| &name[..]).collect();
        let options = ReadOptions {
            timeout_ms: words[0],
            info1: bits[0],
            info3: bits[1],
            read_touch_ttl_percent: words[1],
            filter: &filter,
        };
        for (projection, read, n_ops) in [
            (Projection::All, info1::GET_ALL, 0),
            (Projection::Header, info1::NO_BINS, 0),
            (Projection::Bins(&names), 0, names.len()),
        ] {
            let mut frame = Vec::new();
            write_read(&mut frame, &record, projection, &options).unwrap();
            let message = Message::parse_only(body(&frame, FrameType::Message)).unwrap();
            check_key(&message);
            prop_assert_eq!(message.header.info1, info1::READ | bits[0] | read);
            prop_assert_eq!((message.header.info3, message.header.ttl), (bits[1], words[1]));
            let expected: Vec<_> =
                names[..n_ops].iter().map(|name| (op::READ, 0, name.to_vec(), vec![])).collect();
            prop_assert_eq!(plain_ops(message.ops()), expected);
        }

        let (exists, exists2, exists3) = [
            (Exists::Ignore, 0, 0),
            (Exists::Create, info2::CREATE_ONLY, 0),
            (Exists::Update, 0, info3::UPDATE_ONLY),
            (Exists::Replace, 0, info3::REPLACE_ONLY),
            (Exists::CreateOrReplace, 0, info3::CREATE_OR_REPLACE),
        ][policy.0];
        let (generation, generation2, sent_generation) = [
            (Generation::Ignore, 0, 0),
            (Generation::Equal(words[2]), info2::GENERATION, words[2]),
            (Generation::Greater(words[2]), info2::GENERATION_GT, words[2]),
        ][policy.1];
        let options = WriteOptions {
            timeout_ms: words[0],
            ttl: words[1],
            exists,
            generation,
            commit_master: policy.2,
            durable_delete: policy.3,
            on_locking_only: false,
            filter: &filter,
        };
        let mut packed = Vec::new();
        for (name, value) in &bins {
            value.with_particle(|particle| {
                let mut bytes = Vec::new();
                particle.write(&mut bytes);
                packed.push((name, particle.particle_type(), bytes));
            });
        }
        let mut write = Vec::new();
        let ops = packed.iter().map(|(name, kind, bytes)| WriteOp {
            code: op::WRITE,
            name,
            value: Particle::parse(*kind, bytes).unwrap(),
        });
        write_write(&mut write, &record, ops, &options).unwrap();
        let mut delete = Vec::new();
        write_delete(&mut delete, &record, &options).unwrap();
        for (frame, delete_bit, bins) in [(write, 0, &bins[..]), (delete, info2::DELETE, &[])] {
            let message = Message::parse_only(body(&frame, FrameType::Message)).unwrap();
            check_key(&message);
            let durable = if policy.3 { info2::DURABLE_DELETE } else { 0 };
            let commit = if policy.2 { info3::COMMIT_MASTER } else { 0 };
            prop_assert_eq!(
                (message.header.info1, message.header.info2, message.header.info3),
                (0, info2::WRITE | delete_bit | exists2 | generation2 | durable, exists3 | commit)
            );
            prop_assert_eq!((message.header.generation, message.header.ttl), (sent_generation, words[1]));
            let read_back: Vec<_> = message
                .ops()
                .map(|op| (op.name.to_vec(), Value::of_particle(op.particle().unwrap())))
                .collect();
            prop_assert_eq!(&read_back, bins);
        }
    }

    #[test]
    fn msgpack_values(value in packed_value(4)) {
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        prop_assert_eq!(msgpack::check(&bytes), Ok(()));
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(Value::read(&mut reader), value);
        prop_assert!(reader.is_at_end());
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(reader.skip_value(), Ok(()));
        prop_assert_eq!(reader.remaining(), 0);
        for len in 0..bytes.len() {
            prop_assert!(msgpack::check(&bytes[..len]).is_err());
            prop_assert!(Reader::new(&bytes[..len]).skip_value().is_err());
        }
        bytes.push(0xc0);
        prop_assert!(msgpack::check(&bytes).is_err());
    }

    #[test]
    fn particles(value in bin_value()) {
        value.with_particle(|particle| {
            let mut bytes = Vec::new();
            particle.write(&mut bytes);
            let read_back = Particle::parse(particle.particle_type(), &bytes).unwrap();
            assert_eq!(Value::of_particle(read_back), value);
            assert_eq!(read_back.type_name(), particle.type_name());
        });
    }

    #[test]
    fn info_answers(lines in vec(("[a-z:=;-]{1,20}", "[ -~]{0,30}"), 0..5)) {
        let commands: Vec<_> = lines.iter().map(|(command, _)| command.as_str()).collect();
        let mut frame = Vec::new();
        info::write_request(&mut frame, &commands).unwrap();
        let request = std::str::from_utf8(body(&frame, FrameType::Info)).unwrap();
        prop_assert_eq!(request.lines().collect::<Vec<_>>(), commands);
        let text: String =
            lines.iter().map(|(command, answer)| format!("{command}\t{answer}\n")).collect();
        let read_back: Vec<_> = info::answers(text.as_bytes()).unwrap().collect();
        let expected: Vec<_> =
            lines.iter().map(|(command, answer)| (command.as_str(), answer.as_str())).collect();
        prop_assert_eq!(&read_back, &expected);
        for (command, _) in &expected {
            let first = expected.iter().find(|(name, _)| name == command).unwrap().1;
            prop_assert_eq!(info::answer(text.as_bytes(), command), Ok(first));
        }
    }

    #[test]
    fn replicas(
        namespaces in vec(
            ("[a-z]{1,8}", any::<u32>(), vec(vec(0usize..4096, 0..20), 0..3)),
            0..3,
        ),
    ) {
        let text: Vec<_> = namespaces
            .iter()
            .map(|(name, regime, replicas)| {
                let mut text = format!("{name}:{regime},{}", replicas.len());
                for partitions in replicas {
                    text.push(',');
                    text.push_str(&PartitionBitmap::of(partitions.iter().copied()).to_base64());
                }
                text
            })
            .collect();
        let read_back = info::parse_replicas(&text.join(";")).unwrap();
        prop_assert_eq!(read_back.len(), namespaces.len());
        for (read, (name, regime, replicas)) in read_back.iter().zip(&namespaces) {
            prop_assert_eq!((&read.namespace, read.regime), (name, *regime));
            let partitions: Vec<Vec<_>> = read.replicas.iter().map(|map| map.iter().collect()).collect();
            let expected: Vec<Vec<_>> = replicas
                .iter()
                .map(|partitions| {
                    let mut partitions = partitions.clone();
                    partitions.sort_unstable();
                    partitions.dedup();
                    partitions
                })
                .collect();
            prop_assert_eq!(partitions, expected);
        }
    }

    #[test]
    fn peers(
        generation in any::<u32>(),
        default_port in 1u16..,
        peers in vec(
            ("[A-Z0-9]{1,16}", "[a-z.]{0,10}", vec(
                (prop_oneof!["[a-z0-9.-]{1,20}", "[0-9a-f]{1,4}::[0-9a-f]{1,4}"], proptest::option::of(1u16..)),
                0..3,
            )),
            0..4,
        ),
    ) {
        let list: Vec<_> = peers
            .iter()
            .map(|(node, tls_name, addresses)| {
                let addresses: Vec<_> = addresses
                    .iter()
                    .map(|(host, port)| {
                        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
                        port.map_or(host.clone(), |port| format!("{host}:{port}"))
                    })
                    .collect();
                format!("[{node},{tls_name},[{}]]", addresses.join(","))
            })
            .collect();
        let read_back =
            info::parse_peers(&format!("{generation},{default_port},[{}]", list.join(","))).unwrap();
        prop_assert_eq!(read_back.generation, generation);
        prop_assert_eq!(read_back.peers.len(), peers.len());
        for (read, (node, tls_name, addresses)) in read_back.peers.iter().zip(&peers) {
            prop_assert_eq!((&read.node, &read.tls_name), (node, tls_name));
            let expected: Vec<_> = addresses
                .iter()
                .map(|(host, port)| (host.clone(), port.unwrap_or(default_port)))
                .collect();
            prop_assert_eq!(&read.addresses, &expected);
        }
    }
}
