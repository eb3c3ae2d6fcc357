//! Contexts: the way from a bin to a list, map or string inside it.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wire_protocol::msgpack;
use wire_protocol::operation::context_type as t;

use super::arguments::{Place, flag, integer};
use super::policies::MAP_ORDERS;
use crate::args::convert::items_of;
use crate::args::expression;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};
use crate::python::once::intern;
use crate::values::{Bools, encode_operand};

/// The ids of steps, by the official client's `CDT_CTX_*` constants, apart from those that are types on the wire.
const LIST_INDEX_CREATE: i64 = 20;
const MAP_KEY_CREATE: i64 = 36;

/// The steps of a context; None for a missing or empty one.
pub(super) fn steps<'py>(
    place: Place<'_>,
    context: &Bound<'py, PyAny>,
) -> PyResult<Option<Vec<Bound<'py, PyAny>>>> {
    if context.is_none() {
        return Ok(None);
    }
    match items_of(context) {
        Some(steps) => Ok(Some(steps).filter(|steps| !steps.is_empty())),
        None => {
            let expected = "None or a list of steps, made by aerospike_py.cdt_ctx";
            Err(place.wrong_type("ctx", context, expected))
        }
    }
}

/// Appends steps as an encoded context. `creates` are bits for the type of the last one.
pub(super) fn write(
    place: Place<'_>,
    steps: &[Bound<'_, PyAny>],
    creates: i64,
    bools: Bools,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    msgpack::write_list_header(out, steps.len().saturating_mul(2));
    for (position, step) in steps.iter().enumerate() {
        let bits = if position + 1 == steps.len() { creates } else { 0 };
        write_step(place, position, step, bits, bools, out)?;
    }
    Ok(())
}

/// The context of an argument of a command, such as `get_cdtctx_base64`.
pub(crate) fn encode(function: &str, context: &Bound<'_, PyAny>, bools: Bools) -> PyResult<Vec<u8>> {
    let place = Place { position: None, function };
    let Some(steps) = steps(place, context)? else {
        return Err(param_error(context.py(), format!("{function}: ctx has no steps; pass at least one")));
    };
    let mut out = Vec::new();
    write(place, &steps, 0, bools, &mut out)?;
    Ok(out)
}

/// The context of an expression.
pub(crate) fn write_of_expression(
    what: &str,
    context: &Bound<'_, PyAny>,
    bools: Bools,
    out: &mut Vec<u8>,
) -> PyResult<bool> {
    let place = Place { position: None, function: what };
    let Some(steps) = steps(place, context)? else { return Ok(false) };
    write(place, &steps, 0, bools, out)?;
    Ok(true)
}

fn write_step(
    place: Place<'_>,
    position: usize,
    step: &Bound<'_, PyAny>,
    bits: i64,
    bools: Bools,
    out: &mut Vec<u8>,
) -> PyResult<()> {
    let py = step.py();
    let argument = || format!("ctx[{position}]");
    let attribute = |name| Ok::<_, PyErr>(step.getattr_opt(name)?.filter(|value| !value.is_none()));
    let id = attribute(intern!(py, "id"))?.map(|id| integer(place, &argument(), &id)).transpose()?;
    let Some(id) = id else {
        let expected = "a step, made by aerospike_py.cdt_ctx";
        return Err(type_error(py, place.must(&argument(), step, expected)));
    };
    let value = step.getattr_opt(intern!(py, "value"))?;
    let extra = attribute(intern!(py, "extra_args"))?;
    let extra = |key: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        let Some(extra) = extra.as_ref().and_then(|extra| extra.cast::<PyDict>().ok()) else {
            return Ok(None);
        };
        extra.get_item(key)
    };
    let order = || match extra("order_key")? {
        Some(order) => integer(place, &format!("the order of {}", argument()), &order),
        None => Ok(0),
    };
    let unknown = || {
        let message = format!("{} has the id {id}, which is none of a step", place.of(&argument()));
        param_error(py, message)
    };
    let step_type = match id {
        t::LIST_INDEX | t::LIST_RANK | t::MAP_INDEX | t::MAP_RANK => id,
        t::LIST_VALUE | t::MAP_KEY | t::MAP_VALUE | t::MAP_KEYS_IN => id,
        LIST_INDEX_CREATE => {
            let pad = match extra("pad_key")? {
                Some(pad) => flag(place, &format!("pad of {}", argument()), &pad)?,
                None => false,
            };
            t::LIST_INDEX
                | match (order()?, pad) {
                    (0, false) => t::CREATE_LIST,
                    (0, true) => t::CREATE_LIST_PADDED,
                    (1, _) => t::CREATE_LIST_ORDERED,
                    _ => return Err(unknown_order(py, place, &argument())),
                }
        }
        MAP_KEY_CREATE => {
            t::MAP_KEY
                | match order()? {
                    0 => t::CREATE_MAP,
                    1 => t::CREATE_MAP_KEY_ORDERED,
                    order if MAP_ORDERS.contains(&order) => t::CREATE_MAP_KEY_VALUE_ORDERED,
                    _ => return Err(unknown_order(py, place, &argument())),
                }
        }
        t::EXPRESSION => id,
        id if id == t::AND | t::EXPRESSION => id,
        _ => return Err(unknown()),
    };
    msgpack::write_int(out, step_type | bits);
    if id & 0x30 == 0 {
        let Some(filter) = extra("filter_expr")?.filter(|filter| !filter.is_none()) else {
            msgpack::write_bool(out, true);
            return Ok(());
        };
        out.extend_from_slice(&expression::encode(&place.of(&argument()), &filter, bools)?);
        return Ok(());
    }
    let Some(value) = value else { return Err(unknown()) };
    match id {
        t::LIST_INDEX | t::LIST_RANK | t::MAP_INDEX | t::MAP_RANK | LIST_INDEX_CREATE => {
            msgpack::write_int(out, integer(place, &argument(), &value)?);
        }
        t::MAP_KEYS_IN if items_of(&value).is_none() => {
            let message =
                format!("{} has the keys {}; they must be a list", place.of(&argument()), describe(&value));
            return Err(type_error(py, message));
        }
        _ => encode_operand(&value, bools, out).map_err(|bad| bad.raise_at(py, &place.of(&argument())))?,
    }
    Ok(())
}

fn unknown_order(py: Python<'_>, place: Place<'_>, argument: &str) -> PyErr {
    let what = "has an unknown order; it must be one of the LIST_* or MAP_* constants for orders";
    param_error(py, format!("{} {what}", place.of(argument)))
}
