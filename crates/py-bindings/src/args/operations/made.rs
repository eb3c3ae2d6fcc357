//! Makes the dictionaries of operations, for the functions of the package. They are checked by the command that sends
//! them, like the dictionaries of other origin.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};
use wire_protocol::operation::Context;

use super::arguments::Place;
use super::table::{Key, Kind, Spec};
use super::{EXPRESSION_WRITE, MODIFY_BY_PATH, scalar};
use crate::args::convert::whole_number;
use crate::python::errors::param_error;
use crate::values::Bools;

/// Makes the dictionary of an operation. `policy` and `ctx` become entries if there is something in them; an optional
/// entry that is None, or an `inverted` that the official functions leave out, does not.
#[pyfunction]
#[pyo3(signature = (number, bin_name, ctx = None, policy = None, /, **entries))]
pub(crate) fn operation<'py>(
    py: Python<'py>,
    number: i64,
    bin_name: Bound<'py, PyAny>,
    ctx: Option<Bound<'py, PyAny>>,
    policy: Option<Bound<'py, PyAny>>,
    entries: Option<Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let made = PyDict::new(py);
    made.set_item(Key::Op.get(py), number)?;
    made.set_item(Key::Bin.get(py), bin_name)?;
    let Some(spec) = Spec::of(number) else {
        if let Some(entries) = entries {
            made.update(entries.as_mapping())?;
        }
        return Ok(made);
    };
    if let Some(entries) = entries {
        for (key, value) in &entries {
            // Most are neither None nor False, and cannot be left out.
            let may_be_left_out = value.is_none() || value.is(&*PyBool::new(py, false));
            if !may_be_left_out || !is_left_out(spec, &key, &value) {
                made.set_item(key, value)?;
            }
        }
    }
    if let Some(policy) = policy.filter(is_given) {
        let key = match number {
            1001..1100 => Key::ListPolicy,
            1100..1200 => Key::MapPolicy,
            _ => Key::HllPolicy,
        };
        made.set_item(key.get(py), policy)?;
    }
    if let Some(ctx) = ctx.filter(is_given) {
        made.set_item(Key::Ctx.get(py), ctx)?;
    }
    Ok(made)
}

/// Whether an argument is neither None nor empty. One that is no collection counts, so that it is refused.
fn is_given(value: &Bound<'_, PyAny>) -> bool {
    !value.is_none() && !value.len().is_ok_and(|len| len == 0)
}

/// Whether an entry that is None or False is left out of the dictionary.
fn is_left_out(spec: &Spec, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> bool {
    let Some(entry) = spec.entries.iter().find(|entry| key.is(entry.0.get(key.py()))) else {
        return false;
    };
    match entry.2 {
        Kind::OptionalInt => value.is_none() && entry.0 == Key::Count,
        Kind::RangeBegin | Kind::RangeEnd => value.is_none(),
        // The official functions leave it out of relative ranges of maps.
        Kind::Inverted => !value.is_none() && (1128..1132).contains(&spec.number),
        _ => false,
    }
}

pub(super) fn expression_name(writes: bool) -> &'static str {
    if writes { "expression_write" } else { "expression_read" }
}

/// The bin, the expression and the flags of an operation with an expression.
pub(super) fn read_expression<'py>(
    place: Place<'_>,
    writes: bool,
    dict: &Bound<'py, PyDict>,
) -> PyResult<(String, Bound<'py, PyAny>, i64)> {
    let py = dict.py();
    let get = |key: Key| dict.get_item(key.get(py));
    let missing = |key: Key| {
        let position =
            place.position.map_or_else(String::new, |position| format!("operations[{position}]: "));
        param_error(py, format!("{position}{} has no {:?}", place.function, key.text()))
    };
    let bin = get(Key::Bin)?.ok_or_else(|| missing(Key::Bin))?;
    let bin = scalar::named(|| place.of("bin_name"), &bin)?;
    let expression = get(Key::Expr)?.ok_or_else(|| missing(Key::Expr))?;
    let argument = if writes { "expression_write_flags" } else { "expression_read_flags" };
    let (mask, names) = match writes {
        true => (31, "a combination of the EXP_WRITE_* constants"),
        false => (16, "one of the EXP_READ_* constants"),
    };
    let flags = match get(Key::ExprFlags)?.filter(|flags| !flags.is_none()) {
        None => 0,
        Some(flags) => match whole_number(&flags) {
            Some(number) if number >= 0 && number & !mask == 0 => number,
            Some(_) => return Err(place.out_of_range(argument, &flags, names)),
            None => return Err(place.wrong_type(argument, &flags, names)),
        },
    };
    if get(Key::Ctx)?.is_some_and(|ctx| !ctx.is_none()) {
        let message = format!("{} is given; {} has no context", place.of("ctx"), place.function);
        return Err(param_error(py, message));
    }
    Ok((bin, expression, flags))
}

/// The base64 of a context, as info commands take it.
#[pyfunction]
pub(crate) fn get_context_base64(ctx: &Bound<'_, PyAny>) -> PyResult<String> {
    let bytes = super::context::encode("get_cdtctx_base64", ctx, Bools::default())?;
    Context::from_bytes(&bytes)
        .map(|context| context.to_base64())
        .map_err(|error| param_error(ctx.py(), format!("get_cdtctx_base64: ctx cannot be encoded: {error}")))
}

/// Whether none of these operations writes. They have been checked.
#[pyfunction]
pub(crate) fn only_read(operations: &Bound<'_, PyAny>) -> PyResult<bool> {
    for operation in operations.try_iter()? {
        let number = operation?.get_item(Key::Op.get(operations.py()))?.extract::<i64>()?;
        let writes = match Spec::of(number) {
            Some(spec) => spec.modifies,
            None if number == MODIFY_BY_PATH => true,
            None => {
                number == EXPRESSION_WRITE || scalar::OpKind::of(number).is_some_and(scalar::OpKind::writes)
            }
        };
        if writes {
            return Ok(false);
        }
    }
    Ok(true)
}
