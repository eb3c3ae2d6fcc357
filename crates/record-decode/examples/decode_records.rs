//! Decodes records into the rows of an array, and shows what is present, what changed and what failed.
//!
//! `cargo run -p record-decode --example decode_records`

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::sync::Arc;

use dtype_schema::{Element, Field, Schema};
use record_decode::{Casting, Plan, RowBuffer, RowMemory};
use wire_protocol::batch::{BatchAnswer, BatchAnswers};
use wire_protocol::message::{MessageHeader, info1, op, write_op};
use wire_protocol::particle::Particle;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // np.dtype([("temperature", "f8"), ("humidity", "i1")])
    let fields = vec![
        Field::new("temperature", 0, Element::from_numpy("temperature", 'f', 8, '<')?, &[])?,
        Field::new("humidity", 8, Element::from_numpy("humidity", 'i', 1, '|')?, &[])?,
    ];
    let plan = Arc::new(Plan::new(Schema::new(fields, 9)?, Casting::Unsafe, None));

    // Two records as a server sends them, in another order than their rows; 300 does not fit an i1.
    let mut answer = Vec::new();
    for (row, temperature, humidity) in [(1, 22.5, 300), (0, 21.25, 40)] {
        MessageHeader { info1: info1::READ, extra: row, n_ops: 2, ..Default::default() }.write(&mut answer);
        for (name, value) in
            [("temperature", Particle::Float(temperature)), ("humidity", Particle::Int(humidity))]
        {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            write_op(&mut answer, op::READ, value.particle_type(), name.as_bytes(), &bytes);
        }
    }

    let (mut data, mut meta, mut codes) = ([0u8; 2 * 9], [0u8; 2 * 8], [0u8; 2 * 4]);
    let memory = RowMemory {
        data: data.as_mut_ptr(),
        stride: 9,
        meta: meta.as_mut_ptr(),
        result_codes: codes.as_mut_ptr(),
        len: 2,
    };
    // SAFETY: the arrays have room for two rows, outlive the buffer, and are not accessed before `finish`.
    let rows = unsafe { RowBuffer::new(plan, memory, 0) };
    let mut lease = rows.lease().ok_or("the buffer is sealed")?;
    for record in BatchAnswers::new(&answer) {
        if let BatchAnswer::Record(record) = record? {
            println!("row {}: {:?}", record.index, lease.write(record.index as usize, &record));
        }
    }
    drop(lease);
    let summary = rows.finish();
    drop(rows);

    for (row, bytes) in data.chunks(9).enumerate() {
        let temperature = f64::from_le_bytes(bytes[..8].try_into()?);
        println!("row {row}: temperature {temperature}, humidity {}", bytes[8].cast_signed());
    }
    println!("{summary:?}");
    Ok(())
}
