//! HyperLogLog operations.
//!
//! [`modify`] and [`read`] take an operation as a client sends it. `sketch` has the registers, `estimate` what is
//! estimated from them.

mod estimate;
mod murmur3;
mod sketch;

use std::borrow::Cow;

use wire_protocol::ResultCode;
use wire_protocol::msgpack::{self, Token};
use wire_protocol::particle::particle_type;

use self::sketch::{Shape, Sketch, is_hash, is_index};
use crate::args::Args;
use crate::bin::{Applied, Bin, BinView, Change};
use crate::error::OpError;

/// Flags of operations that change a bin.
mod flags {
    pub(super) const CREATE_ONLY: u64 = 1;
    pub(super) const UPDATE_ONLY: u64 = 2;
    pub(super) const NO_FAIL: u64 = 4;
    pub(super) const ALLOW_FOLD: u64 = 8;
}

const WRONG_COUNT: OpError = OpError::parameter("wrong number of arguments of a HyperLogLog operation");
const NO_BIN: OpError = OpError::new(ResultCode::BIN_NOT_FOUND, "the bin does not exist");
const NO_INDEX_BITS: OpError =
    OpError::not_applicable("a HyperLogLog can be created only with a number of index bits");

/// Whether the bytes are a HyperLogLog that a bin may have.
#[must_use]
pub fn is_sketch(bytes: &[u8]) -> bool {
    Sketch::parse(bytes).is_some_and(|sketch| sketch.shape.is_valid())
}

/// The sketch of a bin.
fn sketch_of(bin: BinView<'_>) -> Result<Sketch<'_>, OpError> {
    if bin.particle_type != particle_type::HLL {
        return Err(OpError::bin_type("the bin is not a HyperLogLog"));
    }
    Sketch::parse(bin.bytes)
        .filter(|sketch| sketch.shape.is_valid())
        .ok_or(OpError::new(ResultCode::SERVER_ERROR, "the bytes of the bin are not a HyperLogLog"))
}

/// The arguments of an operation. A number of bits that is not given is `None`.
#[derive(Debug, Default)]
struct Arguments<'a> {
    index: Option<u8>,
    hash: Option<u8>,
    flags: u64,
    elements: Vec<Cow<'a, [u8]>>,
    sketches: Vec<Sketch<'a>>,
}

impl<'a> Arguments<'a> {
    fn take_index(&mut self, args: &mut Args<'a>) -> Result<(), OpError> {
        self.index = match args.integer()? {
            -1 => None,
            bits if is_index(bits) => Some(bits as u8),
            _ => return Err(OpError::parameter("the number of index bits is not 4 to 16")),
        };
        Ok(())
    }

    fn take_hash(&mut self, args: &mut Args<'a>) -> Result<(), OpError> {
        self.hash = match args.integer()? {
            -1 => None,
            bits if is_hash(bits) => Some(bits as u8),
            _ => return Err(OpError::parameter("the number of hash bits is not 0 or 4 to 51")),
        };
        match (self.index, self.hash) {
            (Some(index), Some(hash)) if !(Shape { index, hash }).is_valid() => {
                Err(OpError::parameter("the numbers of index and hash bits are larger than 64 together"))
            }
            _ => Ok(()),
        }
    }

    fn take_flags(&mut self, args: &mut Args<'a>, allowed: u64) -> Result<(), OpError> {
        self.flags = args.unsigned()?;
        let both = flags::CREATE_ONLY | flags::UPDATE_ONLY;
        if self.flags & !allowed != 0 || self.flags & both == both {
            return Err(OpError::parameter("invalid flags of a HyperLogLog operation"));
        }
        Ok(())
    }

    fn take_elements(&mut self, args: &mut Args<'a>) -> Result<(), OpError> {
        let len = args.list()?;
        if len == 0 {
            return Err(OpError::parameter("the list of elements is empty"));
        }
        for _ in 0..len {
            self.elements.push(args.shortest_scalar()?);
        }
        Ok(())
    }

    /// Takes a sketch or a list of sketches.
    fn take_sketches(&mut self, args: &mut Args<'a>) -> Result<(), OpError> {
        const INVALID: OpError = OpError::parameter("an argument is not a HyperLogLog");
        let len = match args.peek()? {
            Token::List { len: 0 } => return Err(INVALID),
            Token::List { .. } => args.list()?,
            _ => 1,
        };
        for _ in 0..len {
            let bytes = args.raw()?.get(1..).ok_or(INVALID)?;
            self.sketches.push(Sketch::parse(bytes).ok_or(INVALID)?);
        }
        Ok(())
    }

    /// Takes sketches to intersect: more than two must have the same number of hash bits, and some.
    fn take_intersected(&mut self, args: &mut Args<'a>) -> Result<(), OpError> {
        self.take_sketches(args)?;
        let is_valid = match &self.sketches[..] {
            [] | [_] | [_, _] => true,
            [first, rest @ ..] => {
                first.shape.hash != 0 && rest.iter().all(|other| other.shape.hash == first.shape.hash)
            }
        };
        let error = OpError::parameter("more than two sketches need the same number of hash bits");
        if is_valid { Ok(()) } else { Err(error) }
    }
}

/// Applies an operation that changes a HyperLogLog.
///
/// # Errors
/// Code 1: the bin's bytes are damaged. 4: invalid arguments. 5 and 17: the flags refuse a bin that exists or does not,
/// or the operation needs one. 12: the bin is no HyperLogLog. 26: the operation does not fit the bin.
pub fn modify(bin: Option<BinView<'_>>, operation: &[u8]) -> Result<Applied, OpError> {
    let (code, count, mut args) = Args::parse(operation)?;
    if code > 4 {
        return Err(OpError::parameter("unknown HyperLogLog operation"));
    }
    let old = bin.map(sketch_of).transpose()?;
    let args = parse_modify(code, count, &mut args)?;
    let refusal = match old {
        Some(_) if args.flags & flags::CREATE_ONLY != 0 => {
            Some(OpError::new(ResultCode::BIN_EXISTS, "the bin exists, and the flags say create only"))
        }
        None if args.flags & flags::UPDATE_ONLY != 0 => Some(NO_BIN),
        _ => None,
    };
    match refusal {
        Some(_) if args.flags & flags::NO_FAIL != 0 => {
            return Ok(Applied { change: Change::Keep, result: None });
        }
        Some(error) => return Err(error),
        None => {}
    }
    let (new, result) = match code {
        0 => (init(&args, old.as_ref())?, None),
        1 => {
            let (sketch, added) = add(&args, old)?;
            (sketch, Some(Bin::int(added)))
        }
        2 => (set_union(args, old)?, None),
        3 => {
            let mut sketch = old.ok_or(NO_BIN)?;
            let count = estimate::count(&sketch);
            sketch.set_cached(count);
            (sketch, Some(Bin::int(count.cast_signed())))
        }
        _ => (fold(&args, old.ok_or(NO_BIN)?)?, None),
    };
    let change = Change::Set(Bin::new(particle_type::HLL, new.into_bytes()));
    Ok(Applied { change, result })
}

fn parse_modify<'a>(code: u64, count: usize, args: &mut Args<'a>) -> Result<Arguments<'a>, OpError> {
    use flags::{ALLOW_FOLD, CREATE_ONLY, NO_FAIL, UPDATE_ONLY};
    let (least, most) = match code {
        0 => (0, 3),
        1 => (1, 4),
        2 => (1, 2),
        3 => (0, 0),
        _ => (1, 1),
    };
    if count < least || count > most {
        return Err(WRONG_COUNT);
    }
    let mut found = Arguments::default();
    for at in 0..count {
        match (code, at) {
            (0, 0) | (1, 1) | (4, _) => found.take_index(args)?,
            (0, 1) | (1, 2) => found.take_hash(args)?,
            (0, _) => found.take_flags(args, CREATE_ONLY | UPDATE_ONLY | NO_FAIL)?,
            (1, 0) => found.take_elements(args)?,
            (1, _) => found.take_flags(args, CREATE_ONLY | NO_FAIL)?,
            (2, 0) => found.take_sketches(args)?,
            _ => found.take_flags(args, CREATE_ONLY | UPDATE_ONLY | NO_FAIL | ALLOW_FOLD)?,
        }
    }
    Ok(found)
}

fn init<'a>(args: &Arguments<'_>, old: Option<&Sketch<'_>>) -> Result<Sketch<'a>, OpError> {
    let index = args.index.or(old.map(|old| old.shape.index)).ok_or(NO_INDEX_BITS)?;
    let hash = args.hash.or(old.map(|old| old.shape.hash)).unwrap_or(0);
    let shape = Shape { index, hash };
    if !shape.is_valid() {
        return Err(OpError::not_applicable("the numbers of index and hash bits do not fit together"));
    }
    Ok(Sketch::empty(shape))
}

/// Returns the sketch, and how many elements changed it.
fn add<'a>(args: &Arguments<'_>, old: Option<Sketch<'a>>) -> Result<(Sketch<'a>, i64), OpError> {
    let mut sketch = match old {
        Some(old) => old,
        None => {
            let index = args.index.ok_or(NO_INDEX_BITS)?;
            Sketch::empty(Shape { index, hash: args.hash.unwrap_or(0) })
        }
    };
    let mut added = 0;
    for element in &args.elements {
        added += i64::from(sketch.add(element));
    }
    Ok((sketch, added))
}

fn set_union<'a>(args: Arguments<'a>, old: Option<Sketch<'a>>) -> Result<Sketch<'a>, OpError> {
    let Arguments { mut sketches, flags, .. } = args;
    if let Some(old) = old {
        let common = Shape::common(&sketches);
        let loses = old.shape.index > common.index || old.shape.hash != 0 && old.shape.hash != common.hash;
        if flags & flags::ALLOW_FOLD == 0 && loses {
            return Err(OpError::not_applicable(
                "the union would have fewer index or hash bits than the bin",
            ));
        }
        sketches.push(old);
    }
    Ok(Sketch::union(&sketches))
}

fn fold<'a>(args: &Arguments<'_>, old: Sketch<'a>) -> Result<Sketch<'a>, OpError> {
    // Without a number of bits: larger than any.
    let index = args.index.unwrap_or(u8::MAX);
    if old.shape.hash > 0 || old.shape.index < index {
        return Err(OpError::not_applicable("the HyperLogLog has hash bits or too few index bits to fold"));
    }
    if index == old.shape.index {
        return Ok(old);
    }
    let mut folded = Sketch::empty(Shape { index, hash: 0 });
    folded.merge(&old);
    Ok(folded)
}

/// Applies an operation that reads a HyperLogLog.
///
/// # Errors
/// Code 1: the bin's bytes are damaged. 4: invalid arguments. 12: the bin is no HyperLogLog. 26: the sketches do not
/// fit together.
pub fn read(bin: BinView<'_>, operation: &[u8]) -> Result<Bin, OpError> {
    let (code, count, mut args) = Args::parse(operation)?;
    if !matches!(code, 50..=56) {
        return Err(OpError::parameter("unknown HyperLogLog operation"));
    }
    let sketch = sketch_of(bin)?;
    if count != usize::from(!matches!(code, 50 | 55)) {
        return Err(WRONG_COUNT);
    }
    let mut found = Arguments::default();
    match code {
        51 | 52 => found.take_sketches(&mut args)?,
        53 | 54 => found.take_intersected(&mut args)?,
        56 => found.take_elements(&mut args)?,
        _ => {}
    }
    let hash_of_bin = sketch.shape.hash;
    let is_intersection = matches!(code, 53 | 54);
    if is_intersection && found.sketches.len() > 2 && found.sketches[0].shape.hash != hash_of_bin {
        return Err(OpError::not_applicable("the bin has another number of hash bits than the sketches"));
    }
    let may_contain_all = found.elements.iter().all(|element| sketch.may_contain(element));
    let shape = sketch.shape;
    let sketches = {
        found.sketches.push(sketch);
        found.sketches
    };
    Ok(match code {
        50 => Bin::int(estimate::count(&sketches[0]).cast_signed()),
        51 => Bin::new(particle_type::HLL, Sketch::union(&sketches).into_bytes()),
        52 => Bin::int(estimate::union_count(&sketches).cast_signed()),
        53 => Bin::int(estimate::intersect_count(&sketches).cast_signed()),
        54 => Bin::float(estimate::similarity(&sketches)),
        55 => {
            let mut bytes = Vec::new();
            msgpack::write_list_header(&mut bytes, 2);
            msgpack::write_int(&mut bytes, shape.index.into());
            msgpack::write_int(&mut bytes, shape.hash.into());
            Bin::new(particle_type::LIST, bytes)
        }
        _ => Bin::int(may_contain_all.into()),
    })
}

#[cfg(test)]
mod tests;
