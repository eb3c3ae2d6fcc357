use super::*;
use crate::digest::UserKey;
use crate::error::WireError;
use crate::message::{FrameHeader, MAX_FRAME, Message, field_type, info1, info2, info3, info4, op};
use crate::particle::Particle;

const KEY: RecordKey<'_> = RecordKey {
    namespace: b"test",
    set: b"set",
    digest: &[7; 20],
    send_key: Some(UserKey::Int(5)),
    transaction: None,
};

#[test]
fn a_write_says_what_its_options_say() {
    let options = WriteOptions {
        timeout_ms: 250,
        ttl: 60,
        exists: Exists::Replace,
        generation: Generation::Greater(9),
        commit_master: true,
        durable_delete: true,
        on_locking_only: true,
        filter: b"f",
    };
    let op = WriteOp { code: op::WRITE, name: b"a", value: Particle::Bool(true) };
    let mut out = Vec::new();
    write_write(&mut out, &KEY, [op].into_iter(), &options).unwrap();
    let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
    let header = message.header;
    assert_eq!(header.info2, info2::WRITE | info2::GENERATION_GT | info2::DURABLE_DELETE);
    assert_eq!(header.info3, info3::REPLACE_ONLY | info3::COMMIT_MASTER);
    assert_eq!(header.info4, info4::ON_LOCKING_ONLY);
    assert_eq!((header.generation, header.ttl, header.extra), (9, 60, 250));
    let kinds: Vec<_> = message.fields().map(|field| field.kind).collect();
    let expected =
        [field_type::NAMESPACE, field_type::SET, field_type::DIGEST, field_type::KEY, field_type::FILTER];
    assert_eq!(kinds, expected);
    assert_eq!(message.field(field_type::KEY), Some(&[1, 0, 0, 0, 0, 0, 0, 0, 5][..]));
    assert_eq!(message.ops().next().unwrap().particle(), Ok(Particle::Bool(true)));
}

#[test]
fn an_operate_reads_and_writes_by_what_it_holds() {
    let read = WriteOp { code: op::READ, name: b"a", value: Particle::Nil };
    let options =
        WriteOptions { timeout_ms: 9, ttl: 60, generation: Generation::Equal(4), ..WriteOptions::default() };
    let bytes = |reads| {
        let mut out = vec![1, 2];
        write_operate(&mut out, &KEY, [read].into_iter(), &options, &reads).unwrap();
        let message = Message::parse_only(&out[2 + FrameHeader::LEN..]).unwrap();
        message.header
    };
    let both =
        OperateReads { reads: true, writes: true, info1: info1::READ_MODE_AP_ALL, ..Default::default() };
    let header = bytes(both);
    assert_eq!(
        (header.info1, header.info2),
        (info1::READ | info1::READ_MODE_AP_ALL, info2::WRITE | info2::GENERATION)
    );
    assert_eq!((header.generation, header.ttl, header.extra, header.n_ops), (4, 60, 9, 1));
    let header =
        bytes(OperateReads { writes: false, info3: info3::SC_READ_TYPE, read_touch_ttl_percent: 5, ..both });
    assert_eq!((header.info2, header.info3), (0, info3::SC_READ_TYPE));
    assert_eq!((header.generation, header.ttl, header.extra), (0, 5, 9));
    let header = bytes(OperateReads { reads: false, ..both });
    assert_eq!((header.info1, header.info2), (0, info2::WRITE | info2::GENERATION));
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_nothing_behind() {
    let mut out = vec![1];
    let read = ReadOptions::default();
    let long = [b'x'; 256];
    let refused = write_read(&mut out, &KEY, Projection::Bins(&[&long]), &read);
    assert_eq!(refused, Err(WireError::TooLarge { what: "a bin name", size: 256, limit: 255 }));
    let many = vec![&b"x"[..]; 65536];
    let refused = write_read(&mut out, &KEY, Projection::Bins(&many), &read);
    assert_eq!(refused, Err(WireError::TooLarge { what: "a number of bins", size: 65536, limit: 65535 }));

    let write = WriteOptions::default();
    let op = |name, value| WriteOp { code: op::WRITE, name, value };
    let ops = [op(b"a", Particle::Nil), op(&long, Particle::Nil)];
    assert!(write_write(&mut out, &KEY, ops.into_iter(), &write).is_err());
    let ops = vec![op(b"a", Particle::Nil); 65536];
    assert!(write_write(&mut out, &KEY, ops.into_iter(), &write).is_err());
    let huge = vec![0; MAX_FRAME];
    let ops = [op(b"a", Particle::Blob(&huge))];
    assert!(write_write(&mut out, &KEY, ops.into_iter(), &write).is_err());
    assert_eq!(out, [1]);

    write_read(&mut out, &KEY, Projection::Bins(&many[..65535]), &read).unwrap();
    let message = Message::parse_only(&out[1 + FrameHeader::LEN..]).unwrap();
    assert_eq!(message.ops().count(), 65535);
}

#[test]
fn the_fields_of_a_transaction_follow_the_digest() {
    let transaction = TransactionFields { id: Some(9), version: None, deadline: Some(0) };
    let key = RecordKey { transaction: Some(transaction), ..KEY };
    let mut out = Vec::new();
    write_delete(&mut out, &key, &WriteOptions { filter: b"f", ..WriteOptions::default() }).unwrap();
    let message = Message::parse_only(&out[FrameHeader::LEN..]).unwrap();
    let kinds: Vec<_> = message.fields().map(|field| field.kind).collect();
    assert_eq!(
        kinds,
        [
            field_type::NAMESPACE,
            field_type::SET,
            field_type::DIGEST,
            field_type::TRANSACTION_ID,
            field_type::TRANSACTION_DEADLINE,
            field_type::KEY,
            field_type::FILTER
        ]
    );
}
