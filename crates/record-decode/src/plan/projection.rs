//! Projections: operations that have the server pick the values of a plan's fields out of maps and lists.

use std::sync::Arc;

use dtype_schema::Field;
use wire_protocol::WireError;
use wire_protocol::collection::{ReturnType, list, map};
use wire_protocol::message::{op, write_op};
use wire_protocol::msgpack::{MAX_DEPTH, Reader, Token};
use wire_protocol::operation::{Call, Context};
use wire_protocol::particle::{Particle, particle_type};
use wire_protocol::value::Value;

use super::{Path, Plan, Step};

/// What an integer step goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Container {
    /// A map, whose key it is.
    Map,
    /// A list, whose index it is.
    List,
}

/// Read operations whose results fill the fields of a plan.
///
/// A server refuses a record in which a step finds no container of the type that its operation is for. Such a record is
/// to be read with the bins of the plan itself: see [`Plan::bin_names`].
#[derive(Debug)]
pub struct Projection {
    /// The operations, encoded.
    pub ops: Vec<u8>,
    /// The number of operations.
    pub count: u16,
    /// The plan for their results: the result of operation `n` is the bin `n`. Its fields are those of the plan that
    /// the projection is of.
    pub plan: Arc<Plan>,
}

/// The bin of fields that are not read; no result has its name.
const NONE: &str = "-";

impl Plan {
    /// The operations that read the plan's fields; `None` if whole bins are all that there is to read, or if there are
    /// more fields than operations in a request.
    ///
    /// `container` tells what the integer step after `steps` in `bin` goes into.
    ///
    /// # Errors
    /// Bin names that the protocol refuses.
    pub fn projection(
        &self,
        container: impl Fn(&str, &[Step]) -> Option<Container>,
    ) -> Result<Option<Projection>, WireError> {
        let (mut ops, mut count, mut is_whole) = (Vec::new(), 0_u16, true);
        let mut results: Vec<Box<str>> = Vec::new();
        let mut paths = Vec::with_capacity(self.fields.len());
        for ((field, leaves), path) in self.schema.fields().iter().zip(&self.fields).zip(&self.paths) {
            let is_read = self.wanted.binary_search(&leaves.start).is_ok();
            let mut bin: Box<str> = NONE.into();
            if is_read {
                let (from, steps) = match path {
                    Some(path) => (&*path.bin, &*path.steps),
                    None => (field.name(), Default::default()),
                };
                is_whole &= steps.is_empty() && field.fields().is_none();
                write_read(&mut ops, field, from, steps, &container)?;
                bin = count.to_string().into();
                results.push(bin.clone());
                let Some(next) = count.checked_add(1) else { return Ok(None) };
                count = next;
            }
            paths.push(Some(Path { bin, steps: Box::default() }));
        }
        if is_whole {
            return Ok(None);
        }
        let results: Vec<&str> = results.iter().map(|name| &**name).collect();
        let plan = Self::compile(self.schema.clone(), self.casting, Some(&results), paths);
        Ok(Some(Projection { ops, count, plan: Arc::new(plan) }))
    }
}

/// Writes the operation that reads a field.
fn write_read(
    out: &mut Vec<u8>,
    field: &Field,
    bin: &str,
    steps: &[Step],
    container: &impl Fn(&str, &[Step]) -> Option<Container>,
) -> Result<(), WireError> {
    let way = |steps: &[Step]| {
        let number = 0..steps.len();
        number.zip(steps).fold(Context::new(), |context, (number, step)| match key_of(step) {
            Ok(key) => context.map_key(key),
            Err(index) => match guess(container(bin, steps.get(..number).unwrap_or_default()), index) {
                Container::List => context.list_index(index),
                Container::Map => context.map_key(index),
            },
        })
    };
    let mut on = |call: Call, steps: &[Step]| {
        let call = if steps.is_empty() { call } else { call.at(way(steps)) };
        call.on(bin).map(|operation| operation.write(out))
    };
    if let Some(fields) = field.fields() {
        // Only the keys of the struct's fields.
        let names = Value::list(fields.iter().map(Field::name));
        return on(map::get_by_key_list(names, ReturnType::KEY_VALUE), steps);
    }
    let Some((last, before)) = steps.split_last() else {
        write_op(out, op::READ, particle_type::NIL, bin.as_bytes(), &[]);
        return Ok(());
    };
    let call = match key_of(last) {
        Ok(key) => map::get_by_key(key, ReturnType::VALUE),
        Err(index) => match guess(container(bin, before), index) {
            Container::List => list::get_by_index(index, ReturnType::VALUE),
            Container::Map => map::get_by_key(index, ReturnType::VALUE),
        },
    };
    on(call, before)
}

/// The key of a map that a step is, or the integer that may also be an index.
fn key_of(step: &Step) -> Result<Value, i64> {
    match step {
        Step::Str(text) => Ok(Value::from(&**text)),
        Step::Blob(bytes) => Ok(Value::from(&**bytes)),
        Step::Int(number) => Err(*number),
    }
}

/// What an integer step goes into, where that is not known: small numbers are mostly indexes.
fn guess(known: Option<Container>, index: i64) -> Container {
    known.unwrap_or(if (-100..100).contains(&index) { Container::List } else { Container::Map })
}

/// Finds what the integer steps of a path go into, in the value of its bin. Calls `found` with the number of steps
/// before each. Stops where the path leads nowhere or the value is malformed.
pub fn find_containers(value: &Particle<'_>, steps: &[Step], mut found: impl FnMut(usize, Container)) {
    let (Particle::Map(bytes) | Particle::List(bytes)) = *value else { return };
    let mut reader = Reader::new(bytes);
    for (number, step) in steps.iter().take(MAX_DEPTH).enumerate() {
        let Ok(token) = reader.token() else { return };
        let container = match token {
            Token::Map { .. } => Container::Map,
            Token::List { .. } => Container::List,
            _ => return,
        };
        if matches!(step, Step::Int(_)) {
            found(number, container);
        }
        let is_there = match token {
            Token::Map { len } => go_to_key(&mut reader, len, step),
            Token::List { len } => go_to_index(&mut reader, len, step),
            _ => return,
        };
        if is_there != Some(true) {
            return;
        }
    }
}

/// Moves to the value of a key. `None`: the map is malformed.
fn go_to_key(reader: &mut Reader<'_>, pairs: usize, step: &Step) -> Option<bool> {
    for _ in 0..pairs {
        let key = reader.clone().token().ok()?;
        let is_wanted = match (step, key) {
            (Step::Str(wanted), Token::Str(key)) => wanted.as_bytes() == key,
            (Step::Blob(wanted), Token::Blob(key)) => **wanted == *key,
            (Step::Int(wanted), Token::Int(key)) => *wanted == key,
            _ => false,
        };
        reader.skip_value().ok()?;
        if is_wanted {
            return Some(true);
        }
        reader.skip_value().ok()?;
    }
    Some(false)
}

/// Moves to the element at an index. `None`: the list is malformed.
fn go_to_index(reader: &mut Reader<'_>, len: usize, step: &Step) -> Option<bool> {
    let Step::Int(index) = *step else { return Some(false) };
    // An ordered list starts with an extension that says so.
    let len = if reader.is_at_ext() {
        reader.skip_value().ok()?;
        len - 1
    } else {
        len
    };
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    let at = if index < 0 { len.checked_sub(from_end) } else { Some(from_end).filter(|&at| at < len) };
    let Some(at) = at else { return Some(false) };
    for _ in 0..at {
        reader.skip_value().ok()?;
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::Casting;
    use dtype_schema::{Element, Schema};
    use wire_protocol::message::Ops;
    use wire_protocol::value::WriteValue as _;

    fn number(name: &str, offset: usize) -> Field {
        Field::new(name, offset, Element::from_numpy(name, 'i', 8, '<').unwrap(), &[]).unwrap()
    }

    fn path(bin: &str, steps: &[Step]) -> Path {
        Path { bin: bin.into(), steps: steps.into() }
    }

    fn text(step: &str) -> Step {
        Step::Str(step.into())
    }

    fn plan(paths: Vec<(&str, Path)>, bins: Option<&[&str]>) -> Plan {
        let schema = Schema::new(vec![number("a", 0), number("b", 8), number("0", 16)], 24).unwrap();
        Plan::with_paths(schema, Casting::Unsafe, bins, paths).unwrap()
    }

    #[test]
    fn whole_bins_need_no_projection() {
        assert!(plan(Vec::new(), None).projection(|_, _| None).unwrap().is_none());
        let whole = plan(vec![("a", path("x", &[]))], None);
        assert!(whole.projection(|_, _| None).unwrap().is_none());
    }

    #[test]
    fn each_field_that_is_read_has_an_operation() {
        let steps = [text("m"), Step::Int(-1)];
        let plan = plan(vec![("a", path("x", &steps)), ("b", path("y", &[]))], Some(&["x", "y"]));
        let made = plan.projection(|_, _| None).unwrap().unwrap();
        let ops: Vec<_> = Ops::over(&made.ops).map(|op| (op.code, op.name.to_vec())).collect();
        assert_eq!(ops, [(op::CDT_READ, b"x".to_vec()), (op::READ, b"y".to_vec())]);
        assert_eq!(made.count, 2);
        // The field "0" is not filled by the result of the operation 0.
        assert_eq!(made.plan.bin_names().collect::<Vec<_>>(), ["0", "1"]);
        let list = list::get_by_index(-1, ReturnType::VALUE).at(Context::new().map_key("m"));
        let first = Ops::over(&made.ops).next().unwrap();
        assert_eq!(first.value, list.on("x").unwrap().value());

        let known =
            plan.projection(|bin, steps| (bin == "x" && steps == [text("m")]).then_some(Container::Map));
        let map = map::get_by_key(-1, ReturnType::VALUE).at(Context::new().map_key("m"));
        let known = known.unwrap().unwrap();
        assert_eq!(Ops::over(&known.ops).next().unwrap().value, map.on("x").unwrap().value());
    }

    fn containers(value: &Value, steps: &[Step]) -> Vec<(usize, Container)> {
        let mut bytes = Vec::new();
        value.write_value(&mut bytes);
        let mut all = Vec::new();
        let particle = match value {
            Value::Map { .. } => Particle::Map(&bytes),
            _ => Particle::List(&bytes),
        };
        find_containers(&particle, steps, |number, container| all.push((number, container)));
        for end in 0..bytes.len() {
            find_containers(&Particle::List(&bytes[..end]), steps, |_, _| {});
        }
        all
    }

    #[test]
    fn containers_of_integer_steps_are_found() {
        let one = Value::list([Value::from(1), Value::list([7, 8])]);
        let steps = [Step::Int(-1), Step::Int(0), Step::Int(0)];
        assert_eq!(containers(&one, &steps), [(0, Container::List), (1, Container::List)]);
        assert_eq!(containers(&one, &[Step::Int(2), Step::Int(0)]), [(0, Container::List)]);
        assert_eq!(containers(&one, &[text("a"), Step::Int(0)]), []);
    }
}
