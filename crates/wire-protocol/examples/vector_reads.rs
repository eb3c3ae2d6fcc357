//! What it costs to get vectors of 1,024 float32 from sockets into rows, in five ways: for DESIGN.md.
//!
//! `vector_reads [SAMPLES]` prints nanoseconds of CPU per record, medians, for batches of 1,000 records in frames of about
//! 128 KiB over 8 connections, which another process sends. The rows are those of the batch before, as if its result had
//! been dropped.

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::io::{self, BufRead as _, BufReader, IoSliceMut, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::process::{Command, Stdio};
use std::thread;

const VECTOR: usize = 4 * 1_024;
/// The header of a record, and that of its one bin, whose name has nine bytes.
const BETWEEN: usize = 22 + 8 + 9;
const RECORD: usize = BETWEEN + VECTOR;
const PER_FRAME: usize = 31;
const FRAME: usize = PER_FRAME * RECORD;
const FRAMES: usize = 4;
const CONNECTIONS: usize = 8;
/// Batches of a sample.
const BATCHES: usize = 5;
const RECORDS: usize = PER_FRAME * FRAMES * CONNECTIONS;

#[derive(Clone, Copy)]
enum Way {
    /// Into one buffer, as the wire floor does.
    Drop,
    /// Into a buffer per connection, and from there into rows, as this package does.
    Copy,
    /// Into one buffer, and from there into rows.
    CopyFromOne,
    /// Into rows, with a buffer for what is between the values: two buffers a record.
    Vectored,
    /// Into memory as large as the rows, without regard to records: a bound, not a way.
    Into,
}

const WAYS: [(&str, Way); 5] = [
    ("one buffer, dropped", Way::Drop),
    ("copied from a buffer per connection", Way::Copy),
    ("copied from one buffer", Way::CopyFromOne),
    ("vectored reads", Way::Vectored),
    ("read into memory of that size", Way::Into),
];

/// Prints an address, and answers each byte that comes there with the frames of a connection.
fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?);
    for _ in 0..CONNECTIONS {
        let mut stream = listener.accept()?.0;
        thread::spawn(move || {
            let frame = vec![1; FRAME];
            while let Ok(1) = stream.read(&mut [0]) {
                for _ in 0..FRAMES {
                    let _ = stream.write_all(&frame);
                }
            }
        });
    }
    // Until the parent ends.
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// CPU nanoseconds of the main thread.
fn cpu() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// The values of a frame.
fn values() -> impl Iterator<Item = Range<usize>> {
    (0..PER_FRAME).map(|record| record * RECORD + BETWEEN..(record + 1) * RECORD)
}

fn read_vectored(mut stream: &TcpStream, rows: &mut [u8], between: &mut [u8]) -> io::Result<()> {
    let parts = between.chunks_exact_mut(BETWEEN).zip(rows.chunks_exact_mut(VECTOR));
    let mut parts: Vec<IoSliceMut<'_>> =
        parts.flat_map(|(between, row)| [IoSliceMut::new(between), IoSliceMut::new(row)]).collect();
    let mut rest = &mut parts[..];
    while !rest.is_empty() {
        let n = stream.read_vectored(rest)?;
        IoSliceMut::advance_slices(&mut rest, n);
    }
    Ok(())
}

fn read_frame(mut stream: &TcpStream, way: Way, buffer: &mut [u8], rows: &mut [u8]) -> io::Result<()> {
    match way {
        Way::Drop => stream.read_exact(buffer),
        Way::Into => stream.read_exact(rows),
        Way::Vectored => read_vectored(stream, rows, buffer),
        Way::Copy | Way::CopyFromOne => {
            stream.read_exact(buffer)?;
            for (value, row) in values().zip(rows.chunks_exact_mut(VECTOR)) {
                row.copy_from_slice(&buffer[value]);
            }
            Ok(())
        }
    }
}

fn main() -> io::Result<()> {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument == "serve" {
        return serve();
    }
    let samples: usize = argument.parse().unwrap_or(100);
    let mut server = Command::new(std::env::current_exe()?);
    let mut server = server.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    BufReader::new(server.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut address)?;
    let streams = (0..CONNECTIONS).map(|_| TcpStream::connect(address.trim()));
    let streams = streams.collect::<io::Result<Vec<_>>>()?;
    let mut buffers = vec![vec![1; FRAME]; CONNECTIONS];
    let mut rows = vec![1; RECORDS * VECTOR];
    let mut taken = [const { Vec::new() }; WAYS.len()];
    for _ in 0..samples {
        for (&(_, way), taken) in WAYS.iter().zip(&mut taken) {
            let start = cpu()?;
            for _ in 0..BATCHES {
                for mut stream in &streams {
                    stream.write_all(&[0])?;
                }
                let mut rows = rows.chunks_exact_mut(PER_FRAME * VECTOR);
                for (at, stream) in streams.iter().enumerate() {
                    let buffer = &mut buffers[if matches!(way, Way::Copy) { at } else { 0 }];
                    for rows in rows.by_ref().take(FRAMES) {
                        read_frame(stream, way, buffer, rows)?;
                    }
                }
            }
            taken.push((cpu()? - start) / (RECORDS * BATCHES) as u64);
        }
    }
    for ((name, _), mut taken) in WAYS.into_iter().zip(taken) {
        taken.sort_unstable();
        println!("{name:36} {:>6} ns of CPU per record", taken[taken.len() / 2]);
    }
    server.kill()
}
