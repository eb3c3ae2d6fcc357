//! The hot loops of a batch read, one at a time, for counting their instructions (`make instructions`).
//!
//! `hot_loops LOOP PASSES` runs a loop over 10,000 rows the given number of times. The difference between two numbers
//! of passes is the cost of the loop alone, without its preparation.

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use std::hint::black_box;
use std::sync::Arc;

use wire_protocol::batch::{BatchReadHeader, BatchRow, write_batch_read};
use wire_protocol::command::Projection;
use wire_protocol::digest::{Digest, UserKey, digests};

#[path = "../benches/sample/mod.rs"]
mod sample;

use record_decode::Plan;
use sample::{
    Array, Bin, FEATURES, NARROW, NATURAL, ROWS, decode, frames, nested_frames, nested_plan, plan, records,
};

const LOOPS: &str = "digest request parse decode-natural decode-some-missing decode-converted decode-twelve \
                     decode-nested";

fn digest(keys: &[String]) -> Vec<Digest> {
    digests(keys.iter().map(|key| (&b"sensors"[..], UserKey::Str(black_box(key).as_bytes()))))
}

fn decode_all(bins: &[Bin], lack: usize, passes: usize) {
    decode_frames(&plan(bins), &frames(bins, lack), passes);
}

fn decode_frames(plan: &Arc<Plan>, frames: &[Vec<u8>], passes: usize) {
    let mut array = Array::new(plan);
    for _ in 0..passes {
        decode(plan, &mut array, frames.iter().map(|frame| records(black_box(frame))));
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let passes: usize = arguments.next().and_then(|passes| passes.parse().ok()).unwrap_or(0);
    let keys: Vec<String> = (0..ROWS).map(|i| format!("sensor_{i}")).collect();
    match name.as_str() {
        "rows" => println!("{ROWS}"),
        "loops" => println!("{LOOPS}"),
        "digest" => {
            for _ in 0..passes {
                black_box(digest(&keys));
            }
        }
        "request" => {
            let digests = digest(&keys);
            let bins: Vec<&[u8]> = NATURAL.iter().map(|bin| bin.0.as_bytes()).collect();
            let header =
                BatchReadHeader { projection: Projection::Bins(&bins), ..BatchReadHeader::default() };
            let mut out = Vec::new();
            for _ in 0..passes {
                out.clear();
                let rows = digests.iter().enumerate().map(|(index, digest)| BatchRow {
                    index: index as u32,
                    digest,
                    namespace: b"test",
                    set: b"sensors",
                });
                write_batch_read(&mut out, &header, black_box(rows)).expect("a request that fits");
                black_box(&out);
            }
        }
        "parse" => {
            let frames = frames(&NATURAL, ROWS);
            for _ in 0..passes {
                let walked = frames.iter().flat_map(|frame| records(black_box(frame)));
                black_box(walked.map(|record| record.ops().count()).sum::<usize>());
            }
        }
        "decode-natural" => decode_all(&NATURAL, ROWS, passes),
        "decode-some-missing" => decode_all(&NATURAL, 3, passes),
        "decode-converted" => decode_all(&NARROW, ROWS, passes),
        "decode-twelve" => decode_all(&FEATURES, ROWS, passes),
        "decode-nested" => decode_frames(&nested_plan(), &nested_frames(), passes),
        _ => {
            println!("hot_loops LOOP PASSES, with one of {LOOPS}");
            std::process::exit(2);
        }
    }
}
