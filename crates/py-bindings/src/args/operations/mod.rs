//! Operations on bins: the official client's dicts, encoded once into the bytes of a request.
//!
//! `scalar` has those on whole bins; `table` those on lists, maps, blobs, sketches and strings, which are in
//! `collections`, `blobs` and `text`, and whose entries `arguments`, `policies` and `context` read. `paths` has those on
//! all items to which a path leads. `made` makes the dicts. Start with [`encode_list`]. A new operation is a line of a table.

mod arguments;
mod blobs;
mod collections;
mod context;
mod made;
mod paths;
mod policies;
mod scalar;
mod table;
mod text;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wire_protocol::message::{self, Ops, op};
use wire_protocol::msgpack;
use wire_protocol::operation::write_command;
use wire_protocol::particle::particle_type;

use self::arguments::{Arguments, Place, as_dict};
use self::table::{Key, Spec, TO_STRING};
use crate::args::convert::{bin_names, items_of, whole_number};
use crate::args::expression;
use crate::python::describe::describe;
use crate::python::errors::{param_error, refused_request, type_error, with_official_text};
use crate::values::{Bools, OpBytes};

pub(crate) use self::context::{encode as encode_context, write_of_expression};
pub(crate) use self::made::{get_context_base64, only_read, operation};
pub(crate) use self::policies::{list_of_expression, map_of_expression, text_of_expression};
pub(crate) use self::scalar::encode_one;

/// Encoded operations, with what a request says about all of them.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    pub(crate) encoded: OpBytes,
    /// Whether any of them writes.
    pub(crate) writes: bool,
    /// Whether any of them reads.
    pub(crate) reads: bool,
    /// Whether the server is asked to answer each operation, also those without a result.
    pub(crate) responds_to_all: bool,
    /// Whether all bins are read; there are no operations then.
    pub(crate) all_bins: bool,
    /// The time to live that a `touch` among them sets, as a request holds it; None for that of the policy.
    pub(crate) ttl: Option<u32>,
}

impl Operations {
    /// The bin of each operation, empty for those that have none.
    pub(crate) fn bins(&self) -> impl Iterator<Item = String> {
        Ops::over(&self.encoded.bytes).map(|op| String::from_utf8_lossy(op.name).into_owned())
    }
}

/// What the config says about the values of operations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueRules {
    pub(crate) bools: Bools,
    /// Whether what cannot be appended, prepended or added is refused here. Otherwise the server decides: it refuses it
    /// where the bin has a value, and makes it the value of a missing bin.
    pub(crate) strict_types: bool,
}

/// Encodes a list of operations. An error names the position of the operation that is wrong.
pub(crate) fn encode_list(list: &Bound<'_, PyAny>, rules: ValueRules) -> PyResult<Operations> {
    let py = list.py();
    let Some(items) = items_of(list) else {
        return Err(type_error(
            py,
            format!(
                "operations are {}; they must be a list of dicts, made by aerospike_py.operations and its siblings",
                describe(list)
            ),
        ));
    };
    if items.is_empty() {
        return Err(param_error(py, "the list of operations is empty; at least one is needed".into()));
    }
    if items.len() > usize::from(u16::MAX) {
        let message = format!("there are {} operations; a request holds at most {}", items.len(), u16::MAX);
        return Err(param_error(py, message));
    }
    let mut operations = Operations::default();
    let mut buffers = Buffers::default();
    for (position, item) in items.iter().enumerate() {
        encode_item(position, item, rules, &mut operations, &mut buffers)?;
    }
    Ok(operations)
}

/// What operations are encoded in, before their length is known.
#[derive(Default)]
struct Buffers {
    arguments: Vec<u8>,
    context: Vec<u8>,
    value: Vec<u8>,
}

/// The numbers of operations that read and write the value of an expression.
const EXPRESSION_READ: i64 = 2200;
const EXPRESSION_WRITE: i64 = 2201;
/// Those of operations on all items to which a path leads.
const SELECT_BY_PATH: i64 = 2;
const MODIFY_BY_PATH: i64 = 3;

fn encode_item(
    position: usize,
    item: &Bound<'_, PyAny>,
    rules: ValueRules,
    operations: &mut Operations,
    buffers: &mut Buffers,
) -> PyResult<()> {
    let (py, bools) = (item.py(), rules.bools);
    let refuse = |what: String| param_error(py, format!("operations[{position}] {what}"));
    let Some(dict) = as_dict(item)? else {
        let found = describe(item);
        return Err(type_error(
            py,
            format!(
                "operations[{position}] is {found}; it must be a dict such as {{\"op\": OPERATOR_READ, \"bin\": \"a\"}}"
            ),
        ));
    };
    let Some(number) = dict.get_item(Key::Op.get(py))? else {
        let found = describe(item);
        return Err(refuse(format!("is {found}; it has no \"op\", one of the OPERATOR_* or OP_* constants")));
    };
    let Some(code) = whole_number(&number) else { return Err(unknown(&refuse, &number)) };
    if let Some(kind) = scalar::OpKind::of(code) {
        return scalar::encode(&format!("operations[{position}]"), kind, &dict, rules, operations);
    }
    if let Some(spec) = Spec::of(code) {
        return encode_spec(position, spec, &dict, bools, operations, buffers);
    }
    match code {
        SELECT_BY_PATH | MODIFY_BY_PATH => {
            let modifies = code == MODIFY_BY_PATH;
            paths::encode(position, modifies, &dict, bools, operations, buffers)
        }
        EXPRESSION_READ | EXPRESSION_WRITE => {
            encode_expression(position, code == EXPRESSION_WRITE, &dict, bools, operations, buffers)
        }
        _ => Err(unknown(&refuse, &number)),
    }
}

fn unknown(refuse: &dyn Fn(String) -> PyErr, number: &Bound<'_, PyAny>) -> PyErr {
    let number = describe(number);
    refuse(format!("has \"op\" {number}; it must be one of the OPERATOR_* or OP_* constants"))
}

/// Encodes an operation of the table.
fn encode_spec(
    position: usize,
    spec: &'static Spec,
    dict: &Bound<'_, PyDict>,
    bools: Bools,
    operations: &mut Operations,
    buffers: &mut Buffers,
) -> PyResult<()> {
    let place = Place { position: Some(position), function: spec.name };
    let Buffers { arguments, context, value } = buffers;
    arguments.clear();
    let ReadSpec { bin, steps, count, creates } = read_spec(place, spec, dict, bools, arguments)?;
    value.clear();
    operations.responds_to_all |= spec.responds_to_all();
    if spec.number == TO_STRING {
        push(operations, op::TO_STRING, &bin, particle_type::NIL, &[]);
        return Ok(());
    }
    let encoded_context = match &steps {
        None => None,
        Some(steps) => {
            context.clear();
            context::write(place, steps, creates, bools, context)?;
            Some(context.as_slice())
        }
    };
    write_command(value, encoded_context, spec.command, count, arguments);
    push(operations, spec.family.op(spec.modifies), &bin, spec.family.particle_type(), value);
    Ok(())
}

/// What reading the dictionary of an operation gives.
struct ReadSpec<'py> {
    bin: String,
    /// The steps of the context.
    steps: Option<Vec<Bound<'py, PyAny>>>,
    /// The number of encoded arguments.
    count: usize,
    /// Bits for the last step, if the operation creates a list or map.
    creates: i64,
}

/// Reads the dictionary of an operation of the table, and encodes its arguments.
fn read_spec<'py>(
    place: Place<'_>,
    spec: &'static Spec,
    dict: &Bound<'py, PyDict>,
    bools: Bools,
    out: &mut Vec<u8>,
) -> PyResult<ReadSpec<'py>> {
    let py = dict.py();
    let context = dict.get_item(Key::Ctx.get(py))?;
    let has_ctx = context.is_some();
    let steps = match context {
        Some(context) => context::steps(place, &context)?,
        None => None,
    };
    if steps.is_some() && !spec.has_context() {
        let message = format!("{} is given; {} has no context", place.of("ctx"), spec.name);
        return Err(param_error(py, message));
    }
    let mut arguments = Arguments::new(place, dict, bools, out, steps.is_some());
    arguments.read(spec)?;
    let bin = match arguments.get(Key::Bin)? {
        Some(bin) => scalar::named(|| place.of("bin_name"), &bin)?,
        None => return Err(arguments.missing(Key::Bin)),
    };
    let known = arguments.found + 2 + usize::from(has_ctx);
    if dict.len() > known {
        refuse_unknown(place, spec, dict)?;
    }
    Ok(ReadSpec { bin, steps, count: arguments.count, creates: arguments.creates })
}

/// Refuses the entry that an operation does not have. One that is None asks for nothing.
fn refuse_unknown(place: Place<'_>, spec: &Spec, dict: &Bound<'_, PyDict>) -> PyResult<()> {
    for (key, value) in dict {
        let text = key.extract::<String>().unwrap_or_default();
        let is_known = ["op", "bin", "ctx"].contains(&text.as_str())
            || spec.entries.iter().any(|entry| entry.0.text() == text);
        if !is_known && !value.is_none() {
            let message =
                format!("{} is an entry that {} does not have", place.of(&describe(&key)), spec.name);
            return Err(param_error(dict.py(), message));
        }
    }
    Ok(())
}

/// Encodes an operation that reads or writes the value of an expression.
fn encode_expression(
    position: usize,
    writes: bool,
    dict: &Bound<'_, PyDict>,
    bools: Bools,
    operations: &mut Operations,
    buffers: &mut Buffers,
) -> PyResult<()> {
    let place = Place { position: Some(position), function: made::expression_name(writes) };
    let value = &mut buffers.value;
    value.clear();
    let (bin, expression, flags) = made::read_expression(place, writes, dict)?;
    let encoded = expression::encode(&place.of("expression"), &expression, bools)?;
    msgpack::write_list_header(value, 2);
    value.extend_from_slice(&encoded);
    msgpack::write_int(value, flags);
    let code = if writes { op::EXP_MODIFY } else { op::EXP_READ };
    push(operations, code, &bin, particle_type::BLOB, value);
    operations.responds_to_all = true;
    Ok(())
}

fn push(operations: &mut Operations, code: u8, bin: &str, particle: u8, value: &[u8]) {
    message::write_op(&mut operations.encoded.bytes, code, particle, bin.as_bytes(), value);
    operations.encoded.count += 1;
    let modifies = op::modifies(code);
    operations.writes |= modifies;
    operations.reads |= !modifies;
}

/// Encodes a touch that sets this time to live.
pub(crate) fn encode_touch(ttl: Option<u32>) -> Operations {
    let mut operations = Operations { ttl, ..Operations::default() };
    push(&mut operations, op::TOUCH, "", particle_type::NIL, &[]);
    operations
}

/// Encodes writes that remove these bins.
pub(crate) fn encode_removals(bins: &Bound<'_, PyAny>) -> PyResult<Operations> {
    let py = bins.py();
    let mut operations = Operations::default();
    let Some(names) = bin_names(Some(bins))? else {
        let message = "the list of bins is None; name at least one to remove, such as [\"bin\"]";
        return Err(with_official_text(py, type_error(py, message.into()), "Bins should be a list"));
    };
    if names.is_empty() {
        return Err(refused_request(py, "the list of bins is empty; name at least one to remove".into()));
    }
    for name in names {
        if operations.encoded.count == u16::MAX {
            return Err(param_error(
                py,
                format!("there are too many bins; a request holds at most {}", u16::MAX),
            ));
        }
        push(&mut operations, op::WRITE, &name, particle_type::NIL, &[]);
    }
    Ok(operations)
}
