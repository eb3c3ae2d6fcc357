//! A batch read as bytes: the request that asks for two records, and an answer that is read in place.
//!
//! `cargo run -p wire-protocol --example batch_in_bytes`

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use wire_protocol::ResultCode;
use wire_protocol::batch::{BatchAnswer, BatchAnswers, BatchReadHeader, BatchRow, write_batch_read};
use wire_protocol::command::Projection;
use wire_protocol::digest::UserKey;
use wire_protocol::message::{MessageHeader, info1, info3, op, write_op};
use wire_protocol::particle::Particle;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digests = ["sensor_1", "sensor_2"].map(|key| UserKey::Str(key.as_bytes()).digest(b"sensors"));
    let rows = digests.iter().enumerate().map(|(row, digest)| BatchRow {
        index: row as u32,
        digest,
        namespace: b"test",
        set: b"sensors",
    });
    let header = BatchReadHeader { projection: Projection::Bins(&[b"temperature"]), ..Default::default() };
    let mut request = Vec::new();
    write_batch_read(&mut request, &header, rows)?;
    println!("the request has {} bytes: {:02x?} ...", request.len(), &request[..8]);

    // What a server could answer: the first record, none for the second, the end.
    let mut answer = Vec::new();
    let found = MessageHeader { info1: info1::READ, generation: 3, n_ops: 1, ..Default::default() };
    found.write(&mut answer);
    let (value, mut bytes) = (Particle::Float(21.5), Vec::new());
    value.write(&mut bytes);
    write_op(&mut answer, op::READ, value.particle_type(), b"temperature", &bytes);
    MessageHeader { result_code: ResultCode::RECORD_NOT_FOUND, extra: 1, ..Default::default() }
        .write(&mut answer);
    MessageHeader { info3: info3::LAST, ..Default::default() }.write(&mut answer);

    // Nothing is copied: names and values are borrowed from the answer's bytes.
    for row in BatchAnswers::new(&answer) {
        match row? {
            BatchAnswer::Record(record) => {
                println!(
                    "row {}: result {}, generation {}",
                    record.index, record.result_code, record.generation
                );
                for bin in record.ops() {
                    println!("  {} = {:?}", String::from_utf8_lossy(bin.name), bin.particle()?);
                }
            }
            other => println!("the end: {other:?}"),
        }
    }
    Ok(())
}
