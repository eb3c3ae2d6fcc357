//! Operations on lists and maps.
//!
//! [`read`] and [`modify`] apply the bytes of an operation to a bin. `request` reads these bytes, `context` finds the
//! list or map inside others, `list` and `map` have the commands, `select` and `result` what they have in common:
//! which elements are selected, and what is returned of them. Operations with paths evaluate expressions:
//! see [`crate::expression::select`].
//!
//! Lists and maps stay encoded: an operation splits the one that it works on into elements and joins them again. That
//! costs time in proportion to the size of the bin, and no recursion.

mod context;
mod edit;
mod list;
mod map;
mod number;
mod request;
mod result;
mod select;

use wire_protocol::ResultCode;
use wire_protocol::msgpack::{MAX_DEPTH, Reader, Token};
use wire_protocol::particle::particle_type;

use crate::bin::{Applied, Bin, BinView, Change};
use crate::collection::context::Way;
use crate::collection::edit::{Base, Edit, Effect, Scope};
pub(in crate::collection) use crate::collection::list::param;
use crate::collection::request::{Args, Command, Request, head};
use crate::error::OpError;

/// The first number of a command on maps; those below are for lists.
const FIRST_MAP_COMMAND: u32 = 64;

const NO_LIST: OpError = OpError::bin_type("the operation is for lists");
const NO_MAP: OpError = OpError::bin_type("the operation is for maps");
const NO_CONTEXT: OpError = OpError::parameter("a bin that is no list or map takes no context");
const NO_PATHS: OpError = OpError::new(
    ResultCode::UNSUPPORTED_FEATURE,
    "an operation with a path is not one on a list or map alone",
);

fn is_list(code: u32) -> bool {
    code < FIRST_MAP_COMMAND
}

fn is_collection(bin: BinView<'_>) -> bool {
    matches!(bin.particle_type, particle_type::LIST | particle_type::MAP)
}

/// The code for a list or map that is not one that the command takes.
fn check_type(code: u32, is_map: bool) -> Result<(), OpError> {
    match is_list(code) {
        true if is_map => Err(NO_LIST),
        false if !is_map => Err(NO_MAP),
        _ => Ok(()),
    }
}

/// Applies an operation that reads to the value of a bin. Returns its result; `None` is nil.
///
/// # Errors
/// The code with which a server refuses the operation.
pub fn read(bin: BinView<'_>, op: &[u8]) -> Result<Option<Bin>, OpError> {
    let request = Request::parse(op)?;
    let Command::Plain(code, mut args) = request.command else { return Err(NO_PATHS) };
    let Some(mut steps) = request.context else {
        if !is_collection(bin) {
            return Err(if is_list(code) { NO_LIST } else { NO_MAP });
        }
        check_type(code, bin.particle_type == particle_type::MAP)?;
        return dispatch_read(code, args, bin.bytes);
    };
    if !is_collection(bin) {
        return Err(NO_CONTEXT);
    }
    let way = Way::find(Some(bin.bytes), &mut steps, false, &mut args.has_nonstorage)?;
    let code = inner_command(&mut args)?;
    let bytes = way.found().unwrap_or_default();
    check_element(code, bytes)?;
    dispatch_read(code, args, bytes)
}

fn dispatch_read(code: u32, args: Args<'_>, bytes: &[u8]) -> Result<Option<Bin>, OpError> {
    if is_list(code) { list::read(code, args, bytes) } else { map::read(code, args, bytes) }
}

/// Reads the command that follows a context.
fn inner_command(args: &mut Args<'_>) -> Result<u32, OpError> {
    let (code, count) = head(&mut args.reader)?;
    args.left = count - 1;
    Ok(code)
}

/// Refuses an element of another type than the command takes.
fn check_element(code: u32, bytes: &[u8]) -> Result<(), OpError> {
    match Reader::new(bytes).token() {
        Ok(Token::List { .. }) if is_list(code) => Ok(()),
        Ok(Token::Map { .. }) if !is_list(code) => Ok(()),
        _ => Err(if is_list(code) { NO_LIST } else { NO_MAP }),
    }
}

/// Applies an operation that modifies to the value of a bin, or to a bin that does not exist.
///
/// # Errors
/// The code with which a server refuses the operation.
pub fn modify(bin: Option<BinView<'_>>, op: &[u8]) -> Result<Applied, OpError> {
    let request = Request::parse(op)?;
    let Command::Plain(code, mut args) = request.command else { return Err(NO_PATHS) };
    let Some(mut steps) = request.context else {
        let base = match bin {
            None => Base::NoBin,
            Some(bin) if !is_collection(bin) => return Err(if is_list(code) { NO_LIST } else { NO_MAP }),
            Some(bin) => {
                check_type(code, bin.particle_type == particle_type::MAP)?;
                Base::Existing(bin.bytes)
            }
        };
        let scope = Scope { has_bin: bin.is_some(), drops_index: false, depth: MAX_DEPTH - 1 };
        let edit = dispatch_modify(code, args, base, &scope)?;
        let kind = if is_list(code) { particle_type::LIST } else { particle_type::MAP };
        return Ok(applied(edit, kind));
    };
    if bin.is_some_and(|bin| !is_collection(bin)) {
        return Err(NO_CONTEXT);
    }
    let bytes = bin.map(|bin| bin.bytes);
    let way = Way::find(bytes, &mut steps, true, &mut args.has_nonstorage)?;
    let code = inner_command(&mut args)?;
    let base = match way.found() {
        Some(bytes) => {
            check_element(code, bytes)?;
            Base::Existing(bytes)
        }
        None => Base::Created,
    };
    let depth = MAX_DEPTH
        .checked_sub(way.depth() + 1)
        .ok_or(OpError::not_applicable("the context leads deeper than lists and maps may nest"))?;
    let edit = dispatch_modify(
        code,
        args,
        base,
        &Scope { has_bin: bin.is_some(), drops_index: bin.is_some(), depth },
    )?;
    let kind = if way.is_map() == Some(true) { particle_type::MAP } else { particle_type::LIST };
    let effect = match edit.effect {
        Effect::Write(element) => Effect::Write(way.rebuild(element)?),
        other => other,
    };
    Ok(applied(Edit { effect, ..edit }, kind))
}

fn dispatch_modify(code: u32, args: Args<'_>, base: Base<'_>, scope: &Scope) -> Result<Edit, OpError> {
    if is_list(code) { list::modify(code, args, base, scope) } else { map::modify(code, args, base, scope) }
}

fn applied(edit: Edit, kind: u8) -> Applied {
    let change = match edit.effect {
        Effect::Write(bytes) => Change::Set(Bin::new(kind, bytes)),
        Effect::Nothing | Effect::Keep => Change::Keep,
    };
    Applied { change, result: edit.result }
}
