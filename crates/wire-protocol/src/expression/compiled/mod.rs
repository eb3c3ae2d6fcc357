//! The flat form in which the official Python client compiles expressions, as bytes.
//!
//! Its expressions compile to a list of entries in prefix order: an operation, a type, a dictionary of fixed arguments
//! and the number of children, whose entries follow. [`write_compiled`] encodes such a list; callers implement
//! [`Entry`] for theirs. `table` says how an operation is encoded. The result is what the official client sends, with
//! one exception: [`map::increment`](crate::collection::map::increment) with a policy, which that client encodes with
//! one argument too many, so that no server takes it.

mod table;

use std::borrow::Cow;

use self::table::{CALLS, CallForm, CallSpec, Fixed, NODES, Policy, VARIADIC};
use super::call::write_call_start;
use super::program::write_node;
use super::{exp_code as c, exp_type};
use crate::collection::{ListPolicy, MapPolicy, ReturnType, path_flags};
use crate::error::WireError;
use crate::msgpack::{self, Reader, Token};
use crate::operation::{BY_PATH, Family, Returns, write_command_start, write_encoded_literal};
use crate::particle::particle_type;

/// Operations of entries that are not in the table.
mod special {
    pub(super) const REGEX: i64 = 7;
    pub(super) const DIGEST_MODULO: i64 = 64;
    pub(super) const KEY: i64 = 80;
    pub(super) const BIN: i64 = 81;
    pub(super) const BIN_TYPE: i64 = 82;
    pub(super) const BIN_EXISTS: i64 = 83;
    pub(super) const VAR: i64 = 124;
    pub(super) const DEF: i64 = 126;
    pub(super) const LITERAL: i64 = 128;
    pub(super) const POLICIES: std::ops::RangeInclusive<i64> = 140..=144;
    pub(super) const END: i64 = 150;
    pub(super) const FLAGS: i64 = 153;
    pub(super) const VALUE: i64 = 200;
    pub(super) const LOOP_VARS: std::ops::RangeInclusive<i64> = 3000..=3009;
    pub(super) const SELECT: i64 = 3010;
    pub(super) const MODIFY: i64 = 3011;
}

/// The types of loop variables, in the order of their operations.
const LOOP_VAR_TYPES: [i64; 10] = [
    exp_type::FLOAT,
    exp_type::INT,
    exp_type::LIST,
    exp_type::MAP,
    exp_type::STR,
    exp_type::BLOB,
    exp_type::BOOL,
    exp_type::NIL,
    exp_type::GEOJSON,
    exp_type::HLL,
];

/// An entry of a compiled expression.
///
/// The keys are those of the entry's dictionary. A key that is missing, or has the value `None`, is None.
pub trait Entry {
    /// Why an entry cannot be read.
    type Error: From<WireError>;

    /// The operation.
    fn op(&self) -> i64;

    /// The type.
    fn result_type(&self) -> Option<i64>;

    /// The number of children.
    fn children(&self) -> usize;

    /// An integer of the dictionary. Of a policy for text (`str_policy`), its flags.
    ///
    /// # Errors
    /// Another type.
    fn integer(&self, key: &'static str) -> Result<Option<i64>, Self::Error>;

    /// Text of the dictionary.
    ///
    /// # Errors
    /// Another type.
    fn text(&self, key: &'static str) -> Result<Option<Cow<'_, str>>, Self::Error>;

    /// Appends a value of the dictionary as msgpack. Lists need not be quoted, nor maps sorted.
    ///
    /// # Errors
    /// A value that has no encoding.
    fn write_value(&self, key: &'static str, out: &mut Vec<u8>) -> Result<(), Self::Error>;

    /// Appends the context (`ctx`) as [`Context::write`](crate::operation::Context::write) does, and returns true; or
    /// returns false if there is none.
    ///
    /// # Errors
    /// Something that is no context.
    fn write_context(&self, out: &mut Vec<u8>) -> Result<bool, Self::Error>;

    /// Appends an expression of the dictionary, compiled or not, encoded.
    ///
    /// # Errors
    /// Something that is no expression.
    fn write_expression(&self, key: &'static str, out: &mut Vec<u8>) -> Result<(), Self::Error>;

    /// The policy for lists (`list_policy`); None for an empty one.
    ///
    /// # Errors
    /// Something that is no policy.
    fn list_policy(&self) -> Result<Option<ListPolicy>, Self::Error>;

    /// The policy for maps (`map_policy`); None for an empty one.
    ///
    /// # Errors
    /// Something that is no policy.
    fn map_policy(&self) -> Result<Option<MapPolicy>, Self::Error>;
}

/// Appends a compiled expression, encoded.
///
/// # Errors
/// Entries that are not one expression; an entry whose operation is unknown, whose number of children is not that of
/// its operation, or whose dictionary lacks an argument; an error of an [`Entry`]. `out` is then unchanged.
pub fn write_compiled<E: Entry>(out: &mut Vec<u8>, entries: &[E]) -> Result<(), E::Error> {
    let start = out.len();
    let written = Writer::new(entries).and_then(|mut writer| writer.write(out));
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn refused(argument: &'static str, why: &'static str) -> WireError {
    WireError::Argument { function: "expression", argument, why }
}

/// The writing of one compiled expression. Entries are written in the order in which they are.
struct Writer<'e, E> {
    entries: &'e [E],
    /// The number of entries of an entry and everything below it.
    sizes: Vec<usize>,
    /// The arguments of a policy, for the entry that stands for it, or the marker of the end of a variadic operation.
    expected: Vec<Option<Expected>>,
    scratch: Vec<u8>,
}

/// What an entry is, besides an expression.
#[derive(Clone, Copy)]
enum Expected {
    End,
    Policy([Option<i64>; 2]),
    /// Of a variable.
    Definition,
}

impl<'e, E: Entry> Writer<'e, E> {
    fn new(entries: &'e [E]) -> Result<Self, E::Error> {
        let broken =
            || refused("the compiled form", "is not one expression: the numbers of children do not add up");
        let mut sizes = vec![0; entries.len()];
        // Sizes of the trees that begin at or after an entry, the next one last.
        let mut trees: Vec<usize> = Vec::new();
        for (at, entry) in entries.iter().enumerate().rev() {
            let first = trees.len().checked_sub(entry.children()).ok_or_else(broken)?;
            sizes[at] = 1 + trees.drain(first..).sum::<usize>();
            trees.push(sizes[at]);
        }
        if trees.len() != 1 {
            return Err(broken().into());
        }
        Ok(Self { entries, sizes, expected: vec![None; entries.len()], scratch: Vec::new() })
    }

    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), E::Error> {
        (0..self.entries.len()).try_for_each(|at| self.write_entry(out, at))
    }

    /// The positions of an entry's children.
    fn children(&self, at: usize) -> Vec<usize> {
        let next = |child: &usize| Some(*child + self.sizes[*child]);
        std::iter::successors(Some(at + 1), next).take(self.entries[at].children()).collect()
    }

    fn expect_children(&self, at: usize, count: usize) -> Result<(), WireError> {
        if self.entries[at].children() != count {
            return Err(refused("an operation", "has a wrong number of children"));
        }
        Ok(())
    }

    fn integer(&self, at: usize, key: &'static str) -> Result<i64, E::Error> {
        Ok(self.entries[at].integer(key)?.ok_or_else(|| refused(key, "is missing"))?)
    }

    fn text(&self, at: usize, key: &'static str) -> Result<Cow<'e, str>, E::Error> {
        Ok(self.entries[at].text(key)?.ok_or_else(|| refused(key, "is missing"))?)
    }

    /// Appends what precedes an entry's children.
    fn write_entry(&mut self, out: &mut Vec<u8>, at: usize) -> Result<(), E::Error> {
        let op = self.entries[at].op();
        match self.expected[at] {
            Some(Expected::End) => return Ok(()),
            Some(Expected::Policy(arguments)) => {
                arguments.iter().flatten().for_each(|argument| msgpack::write_int(out, *argument));
                return Ok(());
            }
            Some(Expected::Definition) => {
                self.expect_children(at, 1)?;
                msgpack::write_name(out, self.text(at, "val")?.as_bytes());
                return Ok(());
            }
            None => {}
        }
        if let Ok(found) = NODES.binary_search_by_key(&op, |node| node.0.into()) {
            let (_, code, children) = NODES[found];
            self.expect_children(at, children.into())?;
            write_node(out, code, children.into());
            return Ok(());
        }
        if let Ok(found) = CALLS.binary_search_by_key(&op, |call| call.op.into()) {
            return self.write_call(out, at, &CALLS[found]);
        }
        if VARIADIC.iter().any(|code| i64::from(*code) == op) {
            return Ok(self.write_variadic(out, at, op as u8)?);
        }
        self.write_special(out, at, op)
    }

    fn write_variadic(&mut self, out: &mut Vec<u8>, at: usize, code: u8) -> Result<(), WireError> {
        let children = self.children(at);
        let Some((&end, expressions @ [_, ..])) = children.split_last() else {
            return Err(refused("an operation", "has no arguments"));
        };
        if self.entries[end].op() != special::END {
            return Err(refused("an operation", "has no end of its arguments"));
        }
        self.expected[end] = Some(Expected::End);
        // A definition is a name and a value.
        let mut definitions = 0;
        if let (c::LET, [variables @ .., _scope]) = (code, expressions) {
            for &child in variables.iter().filter(|child| self.entries[**child].op() == special::DEF) {
                self.expected[child] = Some(Expected::Definition);
                definitions += 1;
            }
        }
        write_node(out, code, expressions.len() + definitions);
        Ok(())
    }

    fn write_special(&mut self, out: &mut Vec<u8>, at: usize, op: i64) -> Result<(), E::Error> {
        let entry = &self.entries[at];
        let children = match op {
            special::REGEX | special::DEF | special::SELECT | special::MODIFY => 1,
            _ => 0,
        };
        self.expect_children(at, children)?;
        match op {
            special::VALUE | special::LITERAL => {
                self.scratch.clear();
                entry.write_value("val", &mut self.scratch)?;
                write_encoded_literal(out, &self.scratch)?;
            }
            special::BIN => {
                write_node(out, c::BIN, 2);
                let result_type = entry.result_type().ok_or_else(|| refused("a bin", "has no type"))?;
                msgpack::write_int(out, result_type);
                msgpack::write_name(out, self.text(at, "bin")?.as_bytes());
            }
            special::BIN_TYPE | special::BIN_EXISTS => {
                if op == special::BIN_EXISTS {
                    write_node(out, c::NE, 2);
                }
                write_node(out, c::BIN_TYPE, 1);
                msgpack::write_name(out, self.text(at, "bin")?.as_bytes());
                if op == special::BIN_EXISTS {
                    msgpack::write_int(out, particle_type::NIL.into());
                }
            }
            special::KEY => {
                write_node(out, c::KEY, 1);
                msgpack::write_int(out, entry.result_type().ok_or_else(|| refused("a key", "has no type"))?);
            }
            special::DIGEST_MODULO => {
                write_node(out, c::DIGEST_MODULO, 1);
                msgpack::write_int(out, self.integer(at, "val")?);
            }
            special::REGEX => {
                write_node(out, c::CMP_REGEX, 3);
                msgpack::write_int(out, self.integer(at, "regex_options")?);
                msgpack::write_name(out, self.text(at, "val")?.as_bytes());
            }
            special::VAR => {
                write_node(out, c::VAR, 1);
                msgpack::write_name(out, self.text(at, "val")?.as_bytes());
            }
            special::DEF => {
                return Err(refused("a definition", "is not in Let, before its last argument").into());
            }
            special::FLAGS => msgpack::write_int(out, self.integer(at, "val")?),
            special::SELECT | special::MODIFY => self.write_path(out, at, op == special::MODIFY)?,
            _ if special::LOOP_VARS.contains(&op) => {
                write_node(out, c::LOOP_VAR, 2);
                msgpack::write_int(out, LOOP_VAR_TYPES[(op - special::LOOP_VARS.start()) as usize]);
                msgpack::write_int(out, self.integer(at, "val")?);
            }
            special::END => return Err(refused("an end of arguments", "is not at the end").into()),
            _ if special::POLICIES.contains(&op) => {
                return Err(refused("a policy", "is not before the bin of an operation that has one").into());
            }
            _ => return Err(refused("an operation", "is unknown").into()),
        }
        Ok(())
    }

    fn write_path(&mut self, out: &mut Vec<u8>, at: usize, modifies: bool) -> Result<(), E::Error> {
        let entry = &self.entries[at];
        write_call_start(out, self.integer(at, "value_type")?, Family::Collection, modifies);
        write_command_start(out, None, BY_PATH, 2 + usize::from(modifies));
        self.scratch.clear();
        if !entry.write_context(&mut self.scratch)? {
            return Err(refused("ctx", "is missing").into());
        }
        first_step(&self.scratch)?;
        out.extend_from_slice(&self.scratch);
        let flags = self.integer(at, "cdt_flags")?;
        msgpack::write_int(out, flags | if modifies { path_flags::APPLY } else { 0 });
        if modifies {
            entry.write_expression("mod_exp", out)?;
        }
        Ok(())
    }

    fn write_call(&mut self, out: &mut Vec<u8>, at: usize, call: &CallSpec) -> Result<(), E::Error> {
        let entry = &self.entries[at];
        self.expect_children(at, call.children.into())?;
        let policy = match call.policy {
            Policy::None => [None, None],
            Policy::List => entry
                .list_policy()?
                .map_or([None, None], |policy| [Some(i64::from(policy.order.bits())), Some(policy.flags)]),
            Policy::ListFlags => [entry.list_policy()?.map(|policy| policy.flags), None],
            Policy::Map => entry
                .map_policy()?
                .map_or([None, None], |policy| [Some(policy.attributes()), Some(policy.flags)]),
            Policy::MapOrder => [entry.map_policy()?.map(|policy| policy.attributes()), None],
        };
        let mut arguments = usize::from(call.children) - 1 + call.fixed.len();
        if !matches!(call.policy, Policy::None) {
            // Before the bin.
            let children = self.children(at);
            let policy_at = children[children.len() - 2];
            if !special::POLICIES.contains(&self.entries[policy_at].op()) {
                return Err(refused("an operation", "has no policy before its bin").into());
            }
            self.expect_children(policy_at, 0)?;
            self.expected[policy_at] = Some(Expected::Policy(policy));
            arguments = arguments - 1 + policy.iter().flatten().count();
        }
        let return_type = match call.form {
            CallForm::Removes(_) | CallForm::Selects { .. } => Some(self.integer(at, "return_type")?),
            CallForm::RemovesOne(_) => Some(ReturnType::NONE.bits()),
            CallForm::Modifies(_) | CallForm::Reads(_) => None,
        };
        self.scratch.clear();
        let has_context = call.family == Family::Collection && entry.write_context(&mut self.scratch)?;
        let step = if has_context { Some(first_step(&self.scratch)?) } else { None };
        let context = has_context.then_some(&self.scratch[..]);
        let modifies = !matches!(call.form, CallForm::Reads(_) | CallForm::Selects { .. });
        let result_type = match call.form {
            CallForm::Reads(result_type) => result_type,
            CallForm::Modifies(bin) | CallForm::Removes(bin) | CallForm::RemovesOne(bin) => match step {
                Some(step) if step & 0x10 != 0 => exp_type::LIST,
                Some(_) => exp_type::MAP,
                None => bin,
            },
            CallForm::Selects { is_single, is_map } => {
                let return_type = ReturnType::from_bits(return_type.unwrap_or_default());
                let value_type = if is_single { Some(self.integer(at, "value_type")?) } else { None };
                selected_type(return_type, is_single, is_map, value_type)?
            }
        };
        write_call_start(out, result_type, call.family, modifies);
        write_command_start(out, context, call.command, arguments + usize::from(return_type.is_some()));
        return_type.iter().for_each(|return_type| msgpack::write_int(out, *return_type));
        call.fixed.iter().try_for_each(|fixed| self.write_fixed(out, at, *fixed))
    }

    /// Appends an argument that is not an expression.
    fn write_fixed(&self, out: &mut Vec<u8>, at: usize, fixed: Fixed) -> Result<(), E::Error> {
        match fixed {
            Fixed::Int(key) => msgpack::write_int(out, self.integer(at, key)?),
            Fixed::Flags(key) => msgpack::write_int(out, self.entries[at].integer(key)?.unwrap_or_default()),
            Fixed::Text(key) => msgpack::write_str(out, self.text(at, key)?.as_bytes()),
            Fixed::Pair(first, second) => {
                write_node(out, c::QUOTE, 1);
                msgpack::write_list_header(out, 2);
                msgpack::write_str(out, self.text(at, first)?.as_bytes());
                msgpack::write_str(out, self.text(at, second)?.as_bytes());
            }
            Fixed::List(key) => {
                let mut value = Vec::new();
                self.entries[at].write_value(key, &mut value)?;
                write_encoded_literal(out, &value)?;
            }
        }
        Ok(())
    }
}

/// The type of an encoded context's first step.
fn first_step(context: &[u8]) -> Result<i64, WireError> {
    let mut reader = Reader::new(context);
    match (reader.token()?, reader.token()) {
        (Token::List { len: 2.. }, Ok(Token::Int(step))) => Ok(step),
        _ => Err(refused("ctx", "has no steps")),
    }
}

/// The type of what is selected.
fn selected_type(
    return_type: ReturnType,
    is_single: bool,
    is_map: bool,
    value_type: Option<i64>,
) -> Result<i64, WireError> {
    let maps_only =
        [ReturnType::KEY, ReturnType::KEY_VALUE, ReturnType::UNORDERED_MAP, ReturnType::ORDERED_MAP];
    if !is_map && maps_only.iter().any(|kind| *kind == return_type || kind.inverted() == return_type) {
        return Err(refused("return_type", "is for maps only"));
    }
    match (return_type.returns(is_single), value_type) {
        (Returns::Type(result), None) => Ok(result),
        (Returns::Type(result), Some(given)) if given == result => Ok(result),
        (Returns::Type(_), Some(_)) => Err(refused("value_type", "is not what return_type gives")),
        (Returns::Element, Some(given)) => Ok(given),
        _ => Err(refused("return_type", "returns nothing that an expression could use")),
    }
}
