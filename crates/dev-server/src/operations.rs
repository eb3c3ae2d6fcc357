//! Operations of a write: what each does to the bins, and what it answers.

use wire_protocol::message::{MAX_FRAME, Op, Ops, info1, info2, info3, op, write_op};
use wire_protocol::particle::particle_type;
use wire_protocol::result_code;

use crate::collection;
use crate::record::{BinsDraft, MAX_BINS};

/// Most bytes of a bin's name.
const MAX_BIN_NAME: usize = 15;

/// Info bytes of a request that say how its operations are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    pub(crate) info1: u8,
    pub(crate) info2: u8,
    pub(crate) info3: u8,
}

impl Flags {
    fn responds_to_all(self) -> bool {
        self.info2 & info2::RESPOND_ALL_OPS != 0
    }

    /// The write starts from a record without bins.
    pub(crate) fn replaces(self) -> bool {
        self.info3 & (info3::CREATE_OR_REPLACE | info3::REPLACE_ONLY) != 0
    }

    fn reads_all(self, op: &Op<'_>) -> bool {
        op.code == op::READ && op.name.is_empty() && self.info1 & info1::GET_ALL != 0
    }
}

/// Whether this server has the operation, and if it has not, the code that says so.
fn check_code(code: u8) -> Result<(), u8> {
    match code {
        op::READ | op::WRITE | op::INCREMENT | op::APPEND | op::PREPEND | op::TOUCH | op::DELETE => Ok(()),
        op::CDT_READ
        | op::CDT_MODIFY
        | op::EXP_READ
        | op::EXP_MODIFY
        | op::BITS_READ
        | op::BITS_MODIFY
        | op::HLL_READ
        | op::HLL_MODIFY => Err(result_code::UNSUPPORTED_FEATURE),
        _ => Err(result_code::PARAMETER),
    }
}

/// Whether a read can have the operation.
pub(crate) fn check_read(op: &Op<'_>) -> Result<(), u8> {
    match check_code(op.code) {
        Ok(()) if op.code == op::READ => Ok(()),
        Ok(()) => Err(result_code::PARAMETER),
        Err(code) => Err(code),
    }
}

/// What a write's operations ask for before any is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The record must be there: one that is touched.
    pub(crate) needs_record: bool,
}

/// Looks at a write's operations before the record is looked for, as the server does.
pub(crate) fn plan(ops: Ops<'_>, flags: Flags) -> Result<Plan, u8> {
    let mut plan = Plan::default();
    let mut any = false;
    for op in ops {
        any = true;
        check_code(op.code)?;
        if op.name.len() > MAX_BIN_NAME {
            return Err(result_code::BIN_NAME);
        }
        match op.code {
            op::TOUCH => plan.needs_record = true,
            op::READ if flags.reads_all(&op) && flags.responds_to_all() => {
                return Err(result_code::PARAMETER);
            }
            op::WRITE if op.particle_type == particle_type::NIL && flags.replaces() => {
                return Err(result_code::PARAMETER);
            }
            op::INCREMENT | op::APPEND | op::PREPEND | op::DELETE if flags.replaces() => {
                return Err(result_code::PARAMETER);
            }
            _ => {}
        }
    }
    if any { Ok(plan) } else { Err(result_code::PARAMETER) }
}

/// Counts what is answered, within what a message can hold.
struct Answers<'o> {
    out: &'o mut Vec<u8>,
    limit: usize,
    count: u16,
}

impl Answers<'_> {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>), count: usize) -> Result<(), u8> {
        let count = usize::from(self.count) + count;
        self.count = u16::try_from(count).map_err(|_| result_code::RECORD_TOO_BIG)?;
        write(self.out);
        if self.out.len() > self.limit { Err(result_code::RECORD_TOO_BIG) } else { Ok(()) }
    }

    fn nothing(&mut self, op: &Op<'_>) -> Result<(), u8> {
        self.push(|out| write_op(out, op.code, particle_type::NIL, op.name, &[]), 1)
    }
}

/// Applies operations in order to `bins` and appends what they answer; gives the number of answers. No bin
/// may become larger than `max_size`. After an error `bins` and `out` are to be thrown away.
pub(crate) fn apply(
    ops: Ops<'_>,
    flags: Flags,
    max_size: usize,
    bins: &mut BinsDraft,
    out: &mut Vec<u8>,
) -> Result<u16, u8> {
    let limit = out.len() + MAX_FRAME / 2;
    let mut answers = Answers { out, limit, count: 0 };
    for op in ops {
        match op.code {
            op::READ if flags.reads_all(&op) => {
                answers.push(|out| out.extend_from_slice(bins.bytes()), bins.count())?;
            }
            op::READ if op.name.is_empty() && flags.info1 & info1::NO_BINS != 0 => {}
            op::READ => match bins.get(op.name) {
                Some((whole, _)) => answers.push(|out| out.extend_from_slice(whole), 1)?,
                None if flags.responds_to_all() => answers.nothing(&op)?,
                None => {}
            },
            // A touch is what every write does to generation and life; it is never answered.
            op::TOUCH => {}
            code => {
                // Before anything looks into the value.
                if op.value.len() > max_size || bins.bytes().len() > max_size {
                    return Err(result_code::RECORD_TOO_BIG);
                }
                match code {
                    op::WRITE => write(bins, &op)?,
                    op::INCREMENT => increment(bins, &op)?,
                    op::APPEND => splice(bins, &op, |old, new| [old, new].concat())?,
                    op::PREPEND => splice(bins, &op, |old, new| [new, old].concat())?,
                    op::DELETE => bins.clear(),
                    _ => return Err(result_code::PARAMETER),
                }
                if bins.count() > MAX_BINS {
                    return Err(result_code::BIN_NAME);
                }
                if flags.responds_to_all() {
                    answers.nothing(&op)?;
                }
            }
        }
    }
    Ok(answers.count)
}

fn write(bins: &mut BinsDraft, op: &Op<'_>) -> Result<(), u8> {
    match check_value(op.particle_type, op.value)? {
        Stored::Nothing => bins.remove(op.name),
        Stored::AsIs => bins.put(op.name, op.particle_type, op.value),
        Stored::Integer(value) => bins.put(op.name, op.particle_type, &value.to_be_bytes()),
        Stored::Collection(value) => bins.put(op.name, op.particle_type, &value),
    }
    Ok(())
}

/// How a value is kept.
#[derive(Debug, PartialEq, Eq)]
enum Stored {
    Nothing,
    AsIs,
    /// An integer that was sent with fewer than eight bytes.
    Integer(i64),
    /// A list or map.
    Collection(Vec<u8>),
}

fn check_value(kind: u8, value: &[u8]) -> Result<Stored, u8> {
    use particle_type as t;
    /// The blob types of languages' own serializations: Java, C#, Python, Ruby, PHP, Erlang.
    const LANGUAGE_BLOBS: std::ops::RangeInclusive<u8> = 7..=12;
    let fits = match kind {
        t::NIL => return Ok(Stored::Nothing),
        t::INTEGER => {
            return match *value {
                [a] => Ok(Stored::Integer(i64::from(a))),
                [a, b] => Ok(Stored::Integer(i64::from(u16::from_be_bytes([a, b])))),
                [a, b, c, d] => Ok(Stored::Integer(i64::from(u32::from_be_bytes([a, b, c, d])))),
                [_, _, _, _, _, _, _, _] => Ok(Stored::AsIs),
                _ => Err(result_code::PARAMETER),
            };
        }
        t::FLOAT => value.len() == 8,
        t::BOOL => matches!(value, [0 | 1]),
        t::STRING | t::BLOB | t::HLL => true,
        t::GEOJSON => wire_protocol::particle::Particle::parse(kind, value).is_ok(),
        t::LIST | t::MAP => {
            return collection::in_order(kind, value).map(Stored::Collection).ok_or(result_code::PARAMETER);
        }
        _ => LANGUAGE_BLOBS.contains(&kind),
    };
    if fits { Ok(Stored::AsIs) } else { Err(result_code::PARAMETER) }
}

fn increment(bins: &mut BinsDraft, op: &Op<'_>) -> Result<(), u8> {
    use particle_type as t;
    if !matches!(op.particle_type, t::INTEGER | t::FLOAT) {
        return Err(result_code::BIN_TYPE);
    }
    let added = match check_value(op.particle_type, op.value)? {
        Stored::Integer(value) => value.to_be_bytes(),
        _ => op.value.try_into().map_err(|_| result_code::PARAMETER)?,
    };
    let sum = match bins.get(op.name) {
        None => added,
        Some((_, old)) if old.particle_type != op.particle_type => return Err(result_code::BIN_TYPE),
        Some((_, old)) => {
            let old = old.value.try_into().map_err(|_| result_code::BIN_TYPE)?;
            if op.particle_type == t::INTEGER {
                i64::from_be_bytes(old).wrapping_add(i64::from_be_bytes(added)).to_be_bytes()
            } else {
                (f64::from_be_bytes(old) + f64::from_be_bytes(added)).to_be_bytes()
            }
        }
    };
    bins.put(op.name, op.particle_type, &sum);
    Ok(())
}

fn splice(bins: &mut BinsDraft, op: &Op<'_>, join: impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Result<(), u8> {
    use particle_type as t;
    if !matches!(op.particle_type, t::STRING | t::BLOB) {
        return Err(result_code::BIN_TYPE);
    }
    let joined = match bins.get(op.name) {
        None => op.value.to_vec(),
        Some((_, old)) if old.particle_type == op.particle_type => join(old.value, op.value),
        Some(_) => return Err(result_code::BIN_TYPE),
    };
    bins.put(op.name, op.particle_type, &joined);
    Ok(())
}
