//! Operations on all items of a list or map to which a path leads: `select_by_path` and `modify_by_path`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wire_protocol::collection::path_flags;
use wire_protocol::message::op;
use wire_protocol::msgpack;
use wire_protocol::operation::{BY_PATH, write_command};
use wire_protocol::particle::particle_type;

use super::arguments::{Place, integer};
use super::table::Key;
use super::{Buffers, Operations, context, push, scalar};
use crate::args::expression;
use crate::python::errors::param_error;
use crate::values::Bools;

/// Encodes such an operation.
pub(super) fn encode(
    position: usize,
    modifies: bool,
    dict: &Bound<'_, PyDict>,
    bools: Bools,
    operations: &mut Operations,
    buffers: &mut Buffers,
) -> PyResult<()> {
    let py = dict.py();
    let function = if modifies { "modify_by_path" } else { "select_by_path" };
    let place = Place { position: Some(position), function };
    let get = |key: Key| dict.get_item(key.get(py)).map(|value| value.filter(|value| !value.is_none()));
    let missing = |argument: &str| param_error(py, format!("{} is missing", place.of(argument)));
    let bin = get(Key::Bin)?.ok_or_else(|| missing("bin_name"))?;
    let bin = scalar::named(|| place.of("bin_name"), &bin)?;
    let steps = get(Key::Ctx)?.map(|ctx| context::steps(place, &ctx)).transpose()?.flatten();
    let steps = steps
        .ok_or_else(|| param_error(py, format!("{} has no steps; pass at least one", place.of("ctx"))))?;
    let flags = get(Key::CdtFlags)?.ok_or_else(|| missing("flags"))?;
    let number = integer(place, "flags", &flags)?;
    let allowed =
        if modifies { path_flags::NO_FAIL } else { path_flags::MAP_KEY_VALUE | path_flags::NO_FAIL };
    if number & !allowed != 0 {
        let names = if modifies { "EXP_PATH_MODIFY_*" } else { "EXP_PATH_SELECT_*" };
        return Err(place.out_of_range("flags", &flags, &format!("a combination of the {names} constants")));
    }
    let arguments = &mut buffers.arguments;
    arguments.clear();
    context::write(place, &steps, 0, bools, arguments)?;
    msgpack::write_int(arguments, if modifies { number | path_flags::APPLY } else { number });
    if modifies {
        let expression = get(Key::ModExp)?.ok_or_else(|| missing("expr"))?;
        arguments.extend_from_slice(&expression::encode(&place.of("expr"), &expression, bools)?);
    }
    buffers.value.clear();
    let count = 2 + usize::from(modifies);
    write_command(&mut buffers.value, None, BY_PATH, count, arguments);
    let code = if modifies { op::CDT_MODIFY } else { op::CDT_READ };
    push(operations, code, &bin, particle_type::BLOB, &buffers.value);
    Ok(())
}
