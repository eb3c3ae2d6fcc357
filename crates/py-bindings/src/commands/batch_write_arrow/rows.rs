//! The rows of one batch, as `aero-io` takes them.

use std::ops::Range;
use std::sync::Arc;

use aero_io::{BatchWriter, Digest, DigestSource, OperateRow, RowAttributes, RowHead, RowOps, Space};
use arrow_columns::encode::RowsToWrite;
use wire_protocol::digest::{UserKey, digests_into};

use crate::call::runtime::is_worker;
use crate::python::gil_threads::MayTakeGil;

/// The rows of one or more record batches.
pub(super) struct WrittenRows {
    parts: Vec<RowsToWrite>,
    /// The number of rows before each part.
    starts: Vec<usize>,
    len: usize,
    attributes: RowAttributes<'static>,
    send_key: bool,
}

impl WrittenRows {
    pub(super) fn new(parts: Vec<RowsToWrite>, attributes: RowAttributes<'static>, send_key: bool) -> Self {
        let mut len = 0;
        let mut starts = Vec::with_capacity(parts.len());
        for part in &parts {
            starts.push(len);
            len += part.len();
        }
        Self { parts, starts, len, attributes, send_key }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The part that a row is in, and its place there.
    #[inline]
    fn find(&self, row: usize) -> (&RowsToWrite, usize) {
        match &*self.parts {
            [only] => (only, row),
            parts => {
                let at = self.starts.partition_point(|&start| start <= row).saturating_sub(1);
                (&parts[at], row - self.starts[at])
            }
        }
    }

    pub(super) fn key(&self, row: usize) -> UserKey<'_> {
        let (part, row) = self.find(row);
        part.key(row)
    }
}

impl Drop for WrittenRows {
    fn drop(&mut self) {
        // A call that was cancelled drops its rows on a thread of the runtime. Releasing an array may take the GIL, for
        // which the runtime's threads never wait.
        if is_worker() {
            let parts = std::mem::take(&mut self.parts);
            let release = move || match MayTakeGil::enter() {
                Some(_may_take_gil) => drop(parts),
                None => std::mem::forget(parts),
            };
            // Without a thread, the closure and the arrays in it are released here.
            _ = std::thread::Builder::new().name("aerospike-arrow".into()).spawn(release);
        }
    }
}

impl RowOps for WrittenRows {
    fn head(&self, row: usize) -> RowHead<'_> {
        let send_key = if self.send_key { Some(self.key(row)) } else { None };
        RowHead { attributes: self.attributes, send_key }
    }

    fn writes(&self, _row: usize) -> bool {
        true
    }

    fn is_empty(&self, row: usize) -> bool {
        let (part, row) = self.find(row);
        part.has_no_values(row)
    }

    fn size(&self, row: usize) -> usize {
        let (part, row) = self.find(row);
        let key = if self.send_key { key_size(part.key(row)) } else { 0 };
        part.max_size(row).saturating_add(key)
    }

    fn write<'r>(
        &'r self,
        row: usize,
        head: &OperateRow<'r>,
        writer: &mut BatchWriter<'_, 'r>,
    ) -> Result<(), aero_io::Error> {
        let (part, row) = self.find(row);
        writer.row_with(head, |out| {
            part.write_row(row, out).map_err(|error| aero_io::Error::Param { what: format!("data: {error}") })
        })
    }
}

/// The most bytes that a key takes in a request.
fn key_size(key: UserKey<'_>) -> usize {
    16 + match key {
        UserKey::Int(_) => 8,
        UserKey::Str(bytes) | UserKey::Blob(bytes) => bytes.len(),
    }
}

/// The digests of the rows' keys.
pub(super) struct KeyDigests {
    rows: Arc<WrittenRows>,
    set: Vec<u8>,
}

impl KeyDigests {
    pub(super) fn new(rows: &Arc<WrittenRows>, space: &Space) -> Self {
        Self { rows: Arc::clone(rows), set: space.set.to_vec() }
    }
}

impl DigestSource for KeyDigests {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn digests(&self, rows: Range<usize>, into: &mut Vec<Digest>) -> Result<(), aero_io::Error> {
        digests_into(rows.map(|row| (self.set.as_slice(), self.rows.key(row))), into);
        Ok(())
    }
}
