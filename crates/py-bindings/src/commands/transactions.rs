//! The ends of transactions.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::args::transaction::PyTransaction;
use crate::call::{Call, Completions, or_raise};
use crate::core::Core;
use crate::python::describe::describe;
use crate::python::errors::type_error;

fn transaction_of<'a>(object: &'a Bound<'_, PyAny>) -> PyResult<&'a Arc<aero_io::Transaction>> {
    match object.cast::<PyTransaction>() {
        Ok(transaction) => Ok(&transaction.get().transaction),
        Err(_) => {
            let found = describe(object);
            Err(type_error(object.py(), format!("transaction is {found}; it must be a Transaction")))
        }
    }
}

#[pymethods]
impl Core {
    fn commit(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        transaction: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let transaction = Arc::clone(transaction_of(transaction)?);
        let (cluster, policies) = (self.cluster(py)?, self.config.policies.ends.clone());
        let future = async move { cluster.get().await?.commit(&transaction, &policies).await };
        let finish = or_raise(|py, status| Ok((status as u8).into_pyobject(py)?.into_any().unbind()));
        Call::new(future, finish).that_writes(true).run(py, completions)
    }

    fn abort(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        transaction: &Bound<'_, PyAny>,
    ) -> PyResult<Py<PyAny>> {
        let transaction = Arc::clone(transaction_of(transaction)?);
        let (cluster, policies) = (self.cluster(py)?, self.config.policies.ends.clone());
        let future = async move { cluster.get().await?.abort(&transaction, &policies).await };
        let finish = or_raise(|py, status| Ok((status as u8).into_pyobject(py)?.into_any().unbind()));
        Call::new(future, finish).that_writes(true).run(py, completions)
    }
}
