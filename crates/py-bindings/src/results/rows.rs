//! The rows of a batch as Python objects.

use pyo3::prelude::*;

use crate::keys::KeyArena;
use crate::python::errors::{BATCH_FAILED, CLIENT, about_record, is_about_record};
use crate::results::clock;
use crate::results::records::{self, Row, SpaceNames};
use crate::results::sinks::RawState;
use crate::values::{BinNames, Unreadable, bins_dict};

/// Passes the result of each row to `take`, in order. `writes` says which rows write. Returns the result code of the
/// batch as a whole: that of a failed batch if the code of a row says more than whether there is a record.
pub(crate) fn for_each<'py>(
    py: Python<'py>,
    arena: &KeyArena,
    digests: Option<&aero_io::BatchKeys>,
    state: &RawState,
    writes: impl Fn(usize) -> bool,
    mut take: impl FnMut(usize, Row<'py>) -> PyResult<()>,
) -> PyResult<i32> {
    let now = clock::now();
    let (names, mut bin_names) = (SpaceNames::new(py, arena), BinNames::default());
    let mut result = 0;
    for (index, row) in state.rows().iter().enumerate() {
        let digest = digests.and_then(|digests| digests.digest(index)).unwrap_or_else(|| arena.digest(index));
        let key = records::key(py, &names, arena, index, &digest)?;
        let (mut code, mut record, mut error) = (row.code, py.None().into_bound(py), None);
        let mut in_doubt = row.in_doubt;
        if row.code == 0 {
            let meta = records::meta(py, row.generation, clock::seconds_left(row.void_time, now))?;
            match bins_dict(py, &mut bin_names, state.bins(row)) {
                Ok(bins) => record = records::record(py, &key, meta.as_any(), bins.as_any())?,
                // A map with a list as a key, or text that is not UTF-8: only this row fails.
                Err(Unreadable::Value(unreadable)) => {
                    code = CLIENT;
                    // The row's operations were applied; only their results cannot be read.
                    in_doubt = writes(index);
                    error = Some(about_record(py, unreadable, &key, None));
                }
                Err(Unreadable::Python(other)) => return Err(other),
            }
        }
        if !is_about_record(code) {
            result = BATCH_FAILED;
        }
        take(index, Row { key, code, record, in_doubt, error })?;
    }
    Ok(result)
}
