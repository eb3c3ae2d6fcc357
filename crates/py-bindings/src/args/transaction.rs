//! Transactions, as Python holds them.

use std::sync::Arc;

use aero_io::Transaction;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::args::convert::whole_number;
use crate::python::describe::describe;

/// The official client's capacities, which size its hash tables. Nothing here needs a size.
const CAPACITY: u32 = 128;

/// Several commands on records of one namespace that are applied together or not at all.
///
/// Pass it as ``txn`` in the policies of commands and batches, and end it with ``client.commit()`` or ``client.abort()``.
/// It needs an Enterprise server with a strongly consistent namespace.
///
/// Args:
///     reads_capacity: for the official client, the expected number of records read; has no effect here.
///     writes_capacity: the same for records written.
///
/// Example:
///     >>> txn = aerospike_py.Transaction()
///     >>> client.put(("test", "users", 1), {"visits": 1}, policy={"txn": txn})
///     0
///     >>> client.put(("test", "users", 2), {"visits": 0}, policy={"txn": txn})
///     0
///     >>> client.commit(txn)
///     0
#[pyclass(frozen, name = "Transaction", module = "aerospike_py")]
pub(crate) struct PyTransaction {
    pub(crate) transaction: Arc<Transaction>,
}

/// A whole number that fits 32 bits.
fn count(name: &str, value: &Bound<'_, PyAny>) -> PyResult<u32> {
    let what = || format!("{name} is {}; it must be a whole number from 0 to 4294967295", describe(value));
    let number = whole_number(value).ok_or_else(|| PyTypeError::new_err(what()))?;
    u32::try_from(number).map_err(|_| PyValueError::new_err(what()))
}

#[pymethods]
impl PyTransaction {
    #[new]
    #[pyo3(
        signature = (reads_capacity = None, writes_capacity = None),
        text_signature = "(reads_capacity=128, writes_capacity=128)"
    )]
    fn new(
        reads_capacity: Option<&Bound<'_, PyAny>>,
        writes_capacity: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        for (name, value) in [("reads_capacity", reads_capacity), ("writes_capacity", writes_capacity)] {
            value.map_or(Ok(CAPACITY), |value| count(name, value))?;
        }
        Ok(Self { transaction: Arc::new(Transaction::new()) })
    }

    /// The random identifier.
    #[getter]
    fn id(&self) -> u64 {
        self.transaction.id()
    }

    /// Whether the outcome of a commit is unknown. Commit again to find out.
    #[getter]
    fn in_doubt(&self) -> bool {
        self.transaction.in_doubt()
    }

    /// How far the transaction is: one of the ``TXN_STATE_*`` constants.
    #[getter]
    fn state(&self) -> u8 {
        self.transaction.state() as u8
    }

    /// Seconds after which the server ends the transaction, counted from its first write; 0 is the server's default.
    #[getter]
    fn timeout(&self) -> u32 {
        self.transaction.timeout()
    }

    #[setter]
    fn set_timeout(&self, timeout: &Bound<'_, PyAny>) -> PyResult<()> {
        self.transaction.set_timeout(count("timeout", timeout)?);
        Ok(())
    }

    fn __repr__(&self) -> String {
        let Self { transaction } = self;
        format!("<Transaction {}: {:?}>", transaction.id(), transaction.state())
    }
}
