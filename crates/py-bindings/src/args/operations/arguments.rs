//! The arguments of an operation: entries of its dictionary, checked, and encoded in the order of the table.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyList, PyMapping, PyString, PyTuple};
use wire_protocol::msgpack;

use super::policies;
use super::table::{E, Key, Kind, Spec};
use crate::args::convert::{items_of, whole_number};
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};
use crate::values::{Bools, encode_operand};

/// The bit of a return type that selects all other items.
const INVERTED: i64 = 0x10000;

/// Where an argument is, for messages: in a list of operations, or in a context or policy elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) position: Option<usize>,
    pub(super) function: &'a str,
}

impl Place<'_> {
    pub(super) fn of(self, argument: &str) -> String {
        let Self { position, function } = self;
        match position {
            Some(position) => format!("operations[{position}]: {function}: {argument}"),
            None => format!("{function}: {argument}"),
        }
    }

    pub(super) fn must(self, argument: &str, value: &Bound<'_, PyAny>, expected: &str) -> String {
        format!("{} is {}; it must be {expected}", self.of(argument), describe(value))
    }

    /// The error for a value of the right type that is out of range.
    pub(super) fn out_of_range(self, argument: &str, value: &Bound<'_, PyAny>, expected: &str) -> PyErr {
        param_error(value.py(), self.must(argument, value, expected))
    }

    pub(super) fn wrong_type(self, argument: &str, value: &Bound<'_, PyAny>, expected: &str) -> PyErr {
        type_error(value.py(), self.must(argument, value, expected))
    }
}

/// The entries of a dictionary, read in the order of the table.
pub(super) struct Arguments<'a, 'py> {
    pub(super) place: Place<'a>,
    pub(super) dict: &'a Bound<'py, PyDict>,
    pub(super) bools: Bools,
    /// Where the arguments are encoded.
    pub(super) out: &'a mut Vec<u8>,
    pub(super) has_context: bool,
    /// The number of encoded arguments.
    pub(super) count: usize,
    /// The number of entries that were found.
    pub(super) found: usize,
    /// Bits for the last step of the context, if the operation creates a list or map.
    pub(super) creates: i64,
    /// Whether the integer of an [`Kind::Action`] is signed.
    signed: bool,
}

impl<'a, 'py> Arguments<'a, 'py> {
    pub(super) fn new(
        place: Place<'a>,
        dict: &'a Bound<'py, PyDict>,
        bools: Bools,
        out: &'a mut Vec<u8>,
        has_context: bool,
    ) -> Self {
        Self { place, dict, bools, out, has_context, count: 0, found: 0, creates: 0, signed: false }
    }

    pub(super) fn read(&mut self, spec: &'static Spec) -> PyResult<()> {
        spec.entries.iter().try_for_each(|entry| self.entry(entry))
    }

    fn entry(&mut self, &E(key, argument, kind): &'static E) -> PyResult<()> {
        let value = self.get(key)?;
        self.found += usize::from(value.is_some());
        let given = value.as_ref().filter(|value| !value.is_none());
        match (kind, given) {
            (Kind::Value, _) => {
                let value = value.as_ref().ok_or_else(|| self.missing(key))?;
                self.value(argument, value)
            }
            (Kind::RangeBegin, None) => {
                self.nil();
                Ok(())
            }
            (Kind::RangeBegin | Kind::RangeEnd, Some(value)) => self.value(argument, value),
            // The begin of a range belongs to a range without an end too.
            (Kind::RangeEnd, None) | (Kind::Inverted | Kind::FlagOfCreate, _) => Ok(()),
            (Kind::OptionalInt | Kind::OptionalSize | Kind::OptionalText, None) => Ok(()),
            (Kind::OptionalText | Kind::Text, Some(value)) => self.text(argument, value),
            (Kind::ListPolicy | Kind::ListFlags, None) => Ok(()),
            (Kind::ListPolicy | Kind::ListFlags, Some(policy)) => {
                let (order, flags) = policies::list(self.place, argument, policy)?;
                if kind == Kind::ListPolicy {
                    self.int(order);
                }
                self.int(flags);
                Ok(())
            }
            (Kind::MapPolicy | Kind::MapOrder, policy) => {
                let policy = policies::map(self.place, argument, policy)?;
                self.int(policy.attributes());
                if kind == Kind::MapPolicy && policy.flags != 0 {
                    self.int(policy.flags);
                }
                Ok(())
            }
            (Kind::BitPolicy, policy) => {
                let flags = policies::flags(self.place, argument, policy, "bit_write_flags", 15)?;
                self.int(flags);
                Ok(())
            }
            (Kind::HllPolicy, policy) => {
                let flags = policies::flags(self.place, argument, policy, "flags", 15)?;
                self.int(flags);
                Ok(())
            }
            (Kind::TextPolicy | Kind::PolicyOfSnip, policy) => {
                let flags = policies::text(self.place, argument, policy)?;
                if kind == Kind::TextPolicy || self.get(Key::End)?.is_some_and(|end| !end.is_none()) {
                    self.int(flags);
                }
                Ok(())
            }
            (Kind::Ignored, None) => Ok(()),
            // A dictionary of the official client may leave it out: nothing is returned.
            (Kind::MapReturn, None) if value.is_none() => {
                let nothing = 0i64.into_pyobject(self.dict.py())?.into_any();
                self.required(argument, kind, &nothing)
            }
            (_, None) => match value {
                Some(none) => Err(self.place.wrong_type(argument, &none, expected(kind))),
                None => Err(self.missing(key)),
            },
            (_, Some(value)) => self.required(argument, kind, value),
        }
    }

    /// An argument that must be there, and is.
    fn required(&mut self, argument: &'static str, kind: Kind, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let place = self.place;
        match kind {
            Kind::Int | Kind::OptionalInt => {
                let number = integer(place, argument, value)?;
                self.int(number);
            }
            Kind::Ignored => {
                integer(place, argument, value)?;
            }
            Kind::Size | Kind::OptionalSize => {
                let number = self.within(argument, value, 0, u32::MAX.into(), expected(kind))?;
                self.int(number);
            }
            Kind::BitCount => {
                let number = self.within(argument, value, -1, 64, expected(kind))?;
                self.int(number);
            }
            Kind::Flags(mask) => {
                let number = self.within(argument, value, 0, mask, &format!("flags from 0 to {mask}"))?;
                self.int(number);
            }
            Kind::Number => {
                if let Ok(number) = value.cast::<PyFloat>() {
                    self.write(|out| msgpack::write_float(out, number.value()));
                } else if value.is_instance_of::<PyBool>() {
                    return Err(place.wrong_type(argument, value, expected(kind)));
                } else if let Some(number) = whole_number(value) {
                    self.int(number);
                } else if let Some(number) = float_of(value) {
                    self.write(|out| msgpack::write_float(out, number));
                } else {
                    return Err(place.wrong_type(argument, value, expected(kind)));
                }
            }
            Kind::Bool => {
                let flag = flag(place, argument, value)?;
                self.write(|out| msgpack::write_bool(out, flag));
            }
            Kind::Signed => {
                let signed = flag(place, argument, value)?;
                if signed {
                    self.int(1);
                }
            }
            Kind::SignOfAction => self.signed = flag(place, argument, value)?,
            Kind::Action => {
                let action =
                    self.one_of(argument, value, &[0, 2, 4], "one of the BIT_OVERFLOW_* constants")?;
                self.int(action | i64::from(self.signed));
            }
            Kind::InvertSize => {
                let inverts = flag(place, argument, value)?;
                if inverts && self.get(Key::ByteSize)?.is_some_and(|size| !size.is_none()) {
                    self.int(1);
                }
            }
            Kind::ListReturn | Kind::MapReturn => {
                let (choices, names): (&[i64], _) = match kind {
                    Kind::ListReturn => (&[0, 1, 2, 3, 4, 5, 7, 13], "one of the LIST_RETURN_* constants"),
                    _ => (&[0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 16, 17], "one of the MAP_RETURN_* constants"),
                };
                let number = whole_number(value).ok_or_else(|| place.wrong_type(argument, value, names))?;
                if !choices.contains(&(number & !INVERTED)) {
                    return Err(place.out_of_range(argument, value, names));
                }
                let inverted = match self.get(Key::Inverted)?.filter(|value| !value.is_none()) {
                    Some(inverted) => flag(place, "inverted", &inverted)?,
                    None => false,
                };
                self.int(if inverted { number | INVERTED } else { number });
            }
            Kind::ListOrder => {
                let order = self.one_of(argument, value, &[0, 1], "LIST_UNORDERED or LIST_ORDERED")?;
                self.int(order);
            }
            Kind::Created => self.created(argument, value)?,
            Kind::SetPolicy => {
                let policy = policies::map(place, argument, Some(value))?;
                // The index belongs to the bin.
                self.int(if self.has_context { policy.order } else { policy.attributes() });
            }
            Kind::Text => self.text(argument, value)?,
            Kind::PairFirst => {
                msgpack::write_list_header(self.out, 2);
                self.text(argument, value)?;
            }
            Kind::PairSecond => {
                self.text(argument, value)?;
                // Both are one argument.
                self.count -= 1;
            }
            Kind::Bytes => {
                let bytes = bytes_of(value).ok_or_else(|| place.wrong_type(argument, value, "bytes"))?;
                self.write(|out| msgpack::write_blob(out, &bytes));
            }
            Kind::List => {
                let is_list = value.is_instance_of::<PyList>()
                    || value.is_instance_of::<PyTuple>()
                    || value.get_type().fully_qualified_name()? == "numpy.ndarray";
                if !is_list {
                    return Err(place.wrong_type(argument, value, "a list"));
                }
                self.value(argument, value)?;
            }
            Kind::Map => {
                if value.cast::<PyDict>().is_err() {
                    return Err(place.wrong_type(argument, value, "a dict"));
                }
                self.value(argument, value)?;
            }
            Kind::Texts => {
                let texts = items_of(value)
                    .filter(|items| items.iter().all(PyAnyMethods::is_instance_of::<PyString>))
                    .ok_or_else(|| place.wrong_type(argument, value, "a list of str"))?;
                drop(texts);
                self.value(argument, value)?;
            }
            // Those that may be missing are above.
            _ => {}
        }
        Ok(())
    }

    /// The order of a list or map that the operation creates.
    fn created(&mut self, argument: &'static str, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let flag_at = |key: Key| match self.get(key)? {
            Some(value) => flag(self.place, key.text(), &value),
            None => Ok(false),
        };
        let (pad, persists) = (flag_at(Key::Pad)?, flag_at(Key::PersistIndex)?);
        let is_list = argument == Key::ListOrder.text();
        let order = if is_list {
            self.one_of(argument, value, &[0, 1], "LIST_UNORDERED or LIST_ORDERED")?
        } else {
            self.one_of(argument, value, policies::MAP_ORDERS, policies::MAP_ORDER)?
        };
        self.creates = match (is_list, order) {
            (true, 0) if !pad => 0x40,
            (true, 0) | (false, 1) => 0x80,
            (false, 0) => 0x40,
            _ => 0xc0,
        };
        self.int(if persists && !self.has_context { order | policies::PERSIST_INDEX } else { order });
        Ok(())
    }

    pub(super) fn get(&self, key: Key) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.dict.get_item(key.get(self.dict.py()))
    }

    pub(super) fn missing(&self, key: Key) -> PyErr {
        let Place { position, function } = self.place;
        let place = position.map_or_else(String::new, |position| format!("operations[{position}]: "));
        param_error(self.dict.py(), format!("{place}{function} has no {:?}", key.text()))
    }

    fn value(&mut self, argument: &str, value: &Bound<'py, PyAny>) -> PyResult<()> {
        self.count += 1;
        encode_operand(value, self.bools, self.out)
            .map_err(|bad| bad.raise_at(self.dict.py(), &self.place.of(argument)))
    }

    fn text(&mut self, argument: &str, value: &Bound<'py, PyAny>) -> PyResult<()> {
        if !value.is_instance_of::<PyString>() {
            return Err(self.place.wrong_type(argument, value, "a str"));
        }
        self.value(argument, value)
    }

    fn nil(&mut self) {
        self.write(msgpack::write_nil);
    }

    fn int(&mut self, number: i64) {
        self.write(|out| msgpack::write_int(out, number));
    }

    fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.count += 1;
        write(self.out);
    }

    fn within(
        &self,
        argument: &str,
        value: &Bound<'py, PyAny>,
        least: i64,
        most: i64,
        expected: &str,
    ) -> PyResult<i64> {
        match whole_number(value) {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            Some(_) => Err(self.place.out_of_range(argument, value, expected)),
            None => Err(self.place.wrong_type(argument, value, expected)),
        }
    }

    fn one_of(
        &self,
        argument: &str,
        value: &Bound<'py, PyAny>,
        choices: &[i64],
        expected: &str,
    ) -> PyResult<i64> {
        match whole_number(value) {
            Some(number) if choices.contains(&number) => Ok(number),
            Some(_) => Err(self.place.out_of_range(argument, value, expected)),
            None => Err(self.place.wrong_type(argument, value, expected)),
        }
    }
}

/// An int of 64 bits.
pub(super) fn integer(place: Place<'_>, argument: &str, value: &Bound<'_, PyAny>) -> PyResult<i64> {
    const EXPECTED: &str = "an int of 64 bits";
    match whole_number(value) {
        Some(number) => Ok(number),
        None if value.is_instance_of::<pyo3::types::PyInt>() && !value.is_instance_of::<PyBool>() => {
            Err(place.out_of_range(argument, value, EXPECTED))
        }
        None => Err(place.wrong_type(argument, value, EXPECTED)),
    }
}

/// A bool, also NumPy's, or one of 0 and 1.
pub(super) fn flag(place: Place<'_>, argument: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(flag.is_true());
    }
    if value.get_type().fully_qualified_name()? == "numpy.bool" {
        return value.is_truthy();
    }
    Err(place.wrong_type(argument, value, "True or False"))
}

/// The value of a NumPy float.
fn float_of(value: &Bound<'_, PyAny>) -> Option<f64> {
    let name = value.get_type().fully_qualified_name().ok()?;
    if name.to_str().ok()?.starts_with("numpy.float") { value.extract().ok() } else { None }
}

fn bytes_of(value: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(bytes.as_bytes().to_vec());
    }
    value.cast::<PyByteArray>().ok().map(|bytes| bytes.to_vec())
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Int | Kind::OptionalInt => "an int of 64 bits",
        Kind::Size | Kind::OptionalSize => "an int from 0 to 2**32 - 1",
        Kind::BitCount => "None or a number of bits",
        Kind::Number => "an int or a float",
        Kind::Bool | Kind::Signed | Kind::SignOfAction | Kind::InvertSize => "True or False",
        Kind::Text | Kind::PairFirst | Kind::PairSecond => "a str",
        Kind::Texts => "a list of str",
        Kind::Bytes => "bytes",
        Kind::List => "a list",
        Kind::Map => "a dict",
        Kind::SetPolicy => "a dict",
        Kind::ListReturn => "one of the LIST_RETURN_* constants",
        Kind::MapReturn => "one of the MAP_RETURN_* constants",
        Kind::Action => "one of the BIT_OVERFLOW_* constants",
        Kind::Flags(_) => "flags",
        _ => "an int",
    }
}

/// A mapping as a dict.
pub(super) fn as_dict<'py>(item: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if let Ok(dict) = item.cast::<PyDict>() {
        return Ok(Some(dict.clone()));
    }
    let Ok(mapping) = item.cast::<PyMapping>() else { return Ok(None) };
    let dict = PyDict::new(item.py());
    dict.update(mapping)?;
    Ok(Some(dict))
}
