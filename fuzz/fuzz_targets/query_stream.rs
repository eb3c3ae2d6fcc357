//! The body of a frame of a query's answer, decoded into blocks of rows.
//!
//! The last bytes, read again, choose the rows of a block, the types of the fields and how often a lease ends. The
//! blocks are small, so that records find them full. Here, too, a sanitizer finds more
//! (`RUSTC_BOOTSTRAP=1 cargo fuzz run -s address query_stream`): rows are written through raw pointers.
#![no_main]

use std::sync::Arc;

use dtype_schema::{Element, Field, MAX_BIN_NAME, Schema};
use libfuzzer_sys::fuzz_target;
use record_decode::{BlockRows, Casting, Plan, RowBlock, RowMemory};
use wire_protocol::digest::PARTITIONS;
use wire_protocol::query::{QueryAnswer, QueryAnswers, QueryRecord};

const MOST_ROWS: usize = 4;
const GUARD: usize = 16;
const FILL: u8 = 0xa5;

fuzz_target!(|data: &[u8]| {
    let answers: Vec<_> = QueryAnswers::new(data).collect();
    let mut records = Vec::new();
    for (number, answer) in answers.iter().enumerate() {
        let is_last = number + 1 == answers.len();
        match answer {
            Ok(QueryAnswer::Record(record)) => {
                let again: Vec<_> = QueryAnswers::new(record.message).collect();
                let [Ok(QueryAnswer::Record(again))] = &again[..] else {
                    panic!("a kept message is a record")
                };
                assert_eq!(format!("{record:?}"), format!("{again:?}"));
                records.push(record);
            }
            Ok(QueryAnswer::Partition { partition, .. }) => assert!(usize::from(*partition) < PARTITIONS),
            Ok(QueryAnswer::End { .. }) | Err(_) => assert!(is_last, "nothing follows an end or an error"),
        }
    }

    let mut choices = data.iter().rev().copied().map(usize::from).chain(std::iter::repeat(0));
    let mut choose = || choices.next().unwrap_or(0);
    let (rows, per_lease, has_sets) = (1 + choose() % MOST_ROWS, 1 + choose() % 3, choose() % 2 == 0);
    let casting = if choose() % 2 == 0 { Casting::Unsafe } else { Casting::SameValue };
    let plan = Arc::new(Plan::new(schema(&records, choose), casting, None));
    for block in records.chunks(rows) {
        // The whole block, then each record alone: a cell does not depend on its neighbours.
        let (together, bytes) = fill(&plan, block, per_lease, has_sets);
        for (row, record) in block.iter().enumerate() {
            let (alone, alone_bytes) = fill(&plan, &[record], 1, has_sets);
            let itemsize = plan.schema().itemsize();
            assert_eq!(bytes[row * itemsize..][..itemsize], alone_bytes[..itemsize], "row {row}");
            let size = alone.summary.presence.len();
            assert_eq!(together.summary.presence[row * size..][..size], alone.summary.presence[..]);
        }
    }
});

/// Fills a block of exactly as many rows, and checks everything but the cells.
fn fill(
    plan: &Arc<Plan>,
    records: &[&QueryRecord<'_>],
    per_lease: usize,
    has_sets: bool,
) -> (BlockRows, Vec<u8>) {
    let (rows, itemsize) = (records.len(), plan.schema().itemsize());
    let mut bytes = vec![FILL; GUARD + rows * itemsize + GUARD];
    let mut digests = vec![FILL; GUARD + rows * 20 + GUARD];
    let (mut meta, mut codes) = (vec![FILL; GUARD + rows * 8 + GUARD], vec![FILL; GUARD + rows * 4 + GUARD]);
    let memory = RowMemory {
        data: bytes[GUARD..].as_mut_ptr(),
        stride: itemsize,
        meta: meta[GUARD..].as_mut_ptr(),
        result_codes: codes[GUARD..].as_mut_ptr(),
        len: rows,
    };
    let digests_start = digests[GUARD..].as_mut_ptr();
    // SAFETY: the memory is as long as it says, outlives the block and is not looked at before that is gone.
    let block = unsafe { RowBlock::new(Arc::clone(plan), memory, digests_start, 1, has_sets) };
    let mut completed = 0;
    for frame in records.chunks(per_lease) {
        let mut lease = block.lease().expect("the block is not finished");
        for record in frame {
            assert!(lease.append(record), "a free row");
        }
        completed += usize::from(lease.end());
    }
    assert!(completed == 1 && block.is_full() && block.len() == rows);
    if let (Some(mut lease), Some(record)) = (block.lease(), records.first()) {
        assert!(!lease.append(record), "a full block");
    }
    let filled = block.finish();
    assert!(block.lease().is_none(), "a finished block");
    drop(block);

    assert_eq!(filled.len, rows);
    let keys: Vec<_> = filled.labels.keys.iter().map(|(row, key)| (row, format!("{key:?}"))).collect();
    let expected =
        records.iter().enumerate().filter_map(|(row, record)| Some((row, format!("{:?}", record.key?))));
    assert_eq!(keys, expected.collect::<Vec<_>>());
    for &(row, at) in &filled.labels.set_of {
        assert_eq!(*filled.labels.sets[at as usize], *records[row].set);
    }
    assert_eq!(filled.labels.set_of.len(), if has_sets { rows } else { 0 });
    for (row, record) in records.iter().enumerate() {
        assert_eq!(digests[GUARD + row * 20..][..20], record.digest[..]);
    }
    for guarded in [&bytes, &digests, &meta, &codes] {
        let (before, after) = (&guarded[..GUARD], &guarded[guarded.len() - GUARD..]);
        assert!(before.iter().chain(after).all(|&byte| byte == FILL));
    }
    (filled, bytes[GUARD..GUARD + rows * itemsize].to_vec())
}

/// Fields with the names of the records' bins, and one that no record has.
fn schema(records: &[&QueryRecord<'_>], mut choose: impl FnMut() -> usize) -> Schema {
    let mut names = vec!["no such bin"];
    for op in records.iter().flat_map(|record| record.ops()) {
        match std::str::from_utf8(op.name) {
            Ok(name) if name.len() <= MAX_BIN_NAME && names.len() < 20 && !names.contains(&name) => {
                names.push(name)
            }
            _ => {}
        }
    }
    let mut end = 0;
    let fields = names.into_iter().map(|name| {
        let kinds =
            [('i', 1), ('i', 8), ('u', 2), ('f', 4), ('f', 8), ('b', 1), ('M', 8), ('S', 3), ('V', 5)];
        let (kind, width) = kinds[choose() % kinds.len()];
        let element = Element::from_numpy(name, kind, width, '<').expect("a kind that is taken");
        let shape: &[usize] = if choose() % 4 == 0 && kind.is_ascii_lowercase() { &[2] } else { &[] };
        let field = Field::new(name, end, element, shape).expect("a small field");
        end = field.end();
        field
    });
    let fields = fields.collect();
    Schema::new(fields, end).expect("fields one after the other")
}
