//! The records of a query as Python objects.

use aero_io::{QueryRecord, Space};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::keys::user_key_object;
use crate::python::errors::about_record;
use crate::results::{clock, records};
use crate::values::{BinNames, Unreadable, bins_dict};

/// Makes records into Python objects, keeping the strings that most records share.
#[derive(Default)]
pub(crate) struct RecordMaker<'py> {
    bins: BinNames<'py>,
    /// Namespace and set of the record before.
    space: Option<(Space, Bound<'py, PyAny>, Bound<'py, PyAny>)>,
}

impl<'py> RecordMaker<'py> {
    pub(crate) fn make(
        &mut self,
        py: Python<'py>,
        record: &QueryRecord<'_>,
        now: u32,
    ) -> Result<Bound<'py, PyAny>, Unreadable> {
        let (namespace, set) = self.space(py, record);
        // A str cannot hold the name of a set that is not UTF-8, and the server refuses any other name. Without the set
        // and the primary key, which is hashed with it, the digest identifies the record.
        let primary_key = record.key.filter(|_| std::str::from_utf8(record.set).is_ok());
        let key = (|| {
            let key = match primary_key {
                Some(key) => user_key_object(py, key)?,
                None => py.None().into_bound(py),
            };
            records::key_of(py, [namespace, set, key, PyBytes::new(py, record.digest).into_any()])
        })();
        let key = key.map_err(Unreadable::Python)?;
        let bins = bins_dict(py, &mut self.bins, record.ops()).map_err(|unreadable| match unreadable {
            Unreadable::Value(error) => Unreadable::Value(about_record(py, error, &key, None)),
            python => python,
        })?;
        let meta = records::meta(py, record.generation, clock::seconds_left(record.void_time, now))
            .map_err(Unreadable::Python)?;
        records::record(py, &key, meta.as_any(), bins.as_any()).map_err(Unreadable::Python)
    }

    fn space(&mut self, py: Python<'py>, record: &QueryRecord<'_>) -> (Bound<'py, PyAny>, Bound<'py, PyAny>) {
        if let Some((space, namespace, set)) = &self.space
            && *space.namespace == *record.namespace
            && *space.set == *record.set
        {
            return (namespace.clone(), set.clone());
        }
        let text = |bytes: &[u8]| PyString::new(py, &String::from_utf8_lossy(bytes)).into_any();
        let namespace = text(record.namespace);
        let set = match std::str::from_utf8(record.set) {
            Ok("") | Err(_) => py.None().into_bound(py),
            Ok(set) => PyString::new(py, set).into_any(),
        };
        let space = Space::new(record.namespace, record.set);
        self.space = Some((space, namespace.clone(), set.clone()));
        (namespace, set)
    }
}
