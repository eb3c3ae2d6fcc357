//! Operations of a write: what each does to the bins, and what it answers.

use wire_protocol::ResultCode;
use wire_protocol::message::{MAX_FRAME, Op, Ops, info1, info2, info3, op, write_op};
use wire_protocol::particle::{Particle, particle_type};

use crate::collection;
use crate::geojson;
use crate::record::BinsDraft;

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
fn check_code(code: u8) -> Result<(), ResultCode> {
    match code {
        op::READ | op::WRITE | op::INCREMENT | op::APPEND | op::PREPEND | op::TOUCH | op::DELETE => Ok(()),
        op::CDT_READ
        | op::CDT_MODIFY
        | op::EXP_READ
        | op::EXP_MODIFY
        | op::BITS_READ
        | op::BITS_MODIFY
        | op::HLL_READ
        | op::HLL_MODIFY => Err(ResultCode::UNSUPPORTED_FEATURE),
        _ => Err(ResultCode::PARAMETER),
    }
}

/// Whether a read can have the operation.
pub(crate) fn check_read(op: &Op<'_>) -> Result<(), ResultCode> {
    match check_code(op.code) {
        Ok(()) if op.code == op::READ => Ok(()),
        Ok(()) => Err(ResultCode::PARAMETER),
        Err(code) => Err(code),
    }
}

/// Refuses names that no bin can have.
pub(crate) fn check_name(op: &Op<'_>) -> Result<(), ResultCode> {
    if op.name.len() > MAX_BIN_NAME || op.name.contains(&0) {
        return Err(ResultCode::BIN_NAME);
    }
    Ok(())
}

/// Most operations of a write.
const MAX_OPS: usize = 32 * 1024;

/// What a write's operations ask for before any is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The record must be there: one that is touched.
    pub(crate) needs_record: bool,
}

/// Looks at a write's operations before the record is looked for, as the server does.
pub(crate) fn plan(ops: Ops<'_>, flags: Flags) -> Result<Plan, ResultCode> {
    let mut plan = Plan::default();
    let (mut count, mut reads, mut reads_all) = (0, 0, 0);
    for op in ops {
        count += 1;
        check_code(op.code)?;
        if op.code != op::TOUCH {
            check_name(&op)?;
        }
        match op.code {
            op::TOUCH if flags.replaces() => return Err(ResultCode::PARAMETER),
            op::TOUCH => plan.needs_record = true,
            op::READ if flags.reads_all(&op) => reads_all += 1,
            op::READ => reads += 1,
            op::WRITE if op.particle_type == particle_type::NIL && flags.replaces() => {
                return Err(ResultCode::PARAMETER);
            }
            op::INCREMENT | op::APPEND | op::PREPEND | op::DELETE if flags.replaces() => {
                return Err(ResultCode::PARAMETER);
            }
            _ => {}
        }
    }
    let is_wrong = count == 0
        || count > MAX_OPS
        || reads + reads_all > 0 && flags.info1 & info1::READ == 0
        || reads_all > 1
        || reads_all > 0 && (reads > 0 || flags.responds_to_all())
        || reads_all == 0 && flags.info1 & info1::GET_ALL != 0;
    if is_wrong { Err(ResultCode::PARAMETER) } else { Ok(plan) }
}

/// Counts what is answered, within what a message can hold.
struct Answers<'o> {
    out: &'o mut Vec<u8>,
    limit: usize,
    count: u16,
}

impl Answers<'_> {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>), count: usize) -> Result<(), ResultCode> {
        let count = usize::from(self.count) + count;
        self.count = u16::try_from(count).map_err(|_| ResultCode::RECORD_TOO_BIG)?;
        write(self.out);
        if self.out.len() > self.limit { Err(ResultCode::RECORD_TOO_BIG) } else { Ok(()) }
    }

    fn nothing(&mut self, op: &Op<'_>) -> Result<(), ResultCode> {
        self.push(|out| write_op(out, op.code, particle_type::NIL, op.name, &[]), 1)
    }
}

/// What a namespace takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// No bin may become larger.
    pub(crate) size: usize,
    pub(crate) any_map_keys: bool,
}

/// Applies operations in order to `bins` and appends what they answer; gives the number of answers. After an error `bins` and `out` are to be thrown away.
pub(crate) fn apply(
    ops: Ops<'_>,
    flags: Flags,
    limits: Limits,
    bins: &mut BinsDraft,
    out: &mut Vec<u8>,
) -> Result<u16, ResultCode> {
    let limit = out.len() + MAX_FRAME / 2;
    let mut answers = Answers { out, limit, count: 0 };
    for op in ops {
        match op.code {
            op::READ if flags.reads_all(&op) => {
                answers.push(|out| bins.write(out), bins.count())?;
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
                if op.value.len() > limits.size || bins.size() > limits.size {
                    return Err(ResultCode::RECORD_TOO_BIG);
                }
                match code {
                    op::WRITE => write(bins, &op, limits)?,
                    op::INCREMENT | op::APPEND | op::PREPEND => modify(bins, &op, limits)?,
                    op::DELETE => bins.clear(),
                    _ => return Err(ResultCode::PARAMETER),
                }
                if flags.responds_to_all() {
                    answers.nothing(&op)?;
                }
            }
        }
    }
    Ok(answers.count)
}

fn write(bins: &mut BinsDraft, op: &Op<'_>, limits: Limits) -> Result<(), ResultCode> {
    match check_value(op.particle_type, op.value, limits.any_map_keys)? {
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

/// A particle type of which the server knows no more than that it is bytes.
const VECTOR: u8 = 16;

/// Whether a type is of those that languages' own serializations have: Java, C#, Python, Ruby, PHP, Erlang.
fn is_language_blob(kind: u8) -> bool {
    matches!(kind, 7..=12)
}

/// Whether the bytes are a HyperLogLog sketch: flags (none are known), bits of an index and of a hash, a
/// cached count, registers.
fn is_sketch(bytes: &[u8]) -> bool {
    const HEADER: usize = 11;
    const REGISTER: usize = 6;
    let [0, index, hash, ..] = *bytes else {
        return false;
    };
    let registers = (REGISTER + usize::from(hash)) << index.min(16);
    matches!(index, 4..=16)
        && matches!(hash, 0 | 4..=51)
        && index + hash <= 64
        && bytes.len() == HEADER + registers.div_ceil(8)
}

fn check_value(kind: u8, value: &[u8], any_map_keys: bool) -> Result<Stored, ResultCode> {
    use particle_type as t;
    let fits = match kind {
        t::NIL => return Ok(Stored::Nothing),
        t::INTEGER => {
            return match *value {
                [a] => Ok(Stored::Integer(i64::from(a))),
                [a, b] => Ok(Stored::Integer(i64::from(u16::from_be_bytes([a, b])))),
                [a, b, c, d] => Ok(Stored::Integer(i64::from(u32::from_be_bytes([a, b, c, d])))),
                [_, _, _, _, _, _, _, _] => Ok(Stored::AsIs),
                _ => Err(ResultCode::PARAMETER),
            };
        }
        t::FLOAT => value.len() == 8,
        t::BOOL => matches!(value, [0 | 1]),
        t::STRING | t::BLOB | VECTOR => true,
        t::HLL => is_sketch(value),
        t::GEOJSON => {
            return match Particle::parse(kind, value) {
                Ok(Particle::GeoJson(text)) if geojson::is_valid(text) => Ok(Stored::AsIs),
                _ => Err(ResultCode::GEO_INVALID_GEOJSON),
            };
        }
        t::LIST | t::MAP => {
            return collection::in_order(kind, value, any_map_keys)
                .map(Stored::Collection)
                .ok_or(ResultCode::SERVER_ERROR);
        }
        _ => is_language_blob(kind),
    };
    if fits { Ok(Stored::AsIs) } else { Err(ResultCode::PARAMETER) }
}

/// An operation that changes a value: on a bin that is not there it sets it, whatever the value's type.
fn modify(bins: &mut BinsDraft, op: &Op<'_>, limits: Limits) -> Result<(), ResultCode> {
    if op.particle_type == particle_type::NIL {
        return Err(ResultCode::PARAMETER);
    }
    let (kind, changed) = match bins.get(op.name) {
        None => return write(bins, op, limits),
        Some((_, old)) if op.code == op::INCREMENT => (old.particle_type, increment(&old, op)?.to_vec()),
        Some((_, old)) => (old.particle_type, join(&old, op)?),
    };
    bins.put(op.name, kind, &changed);
    Ok(())
}

fn increment(old: &Op<'_>, op: &Op<'_>) -> Result<[u8; 8], ResultCode> {
    use particle_type as t;
    // Refused before the type is looked at.
    check_type(op.particle_type)?;
    let is_number = matches!(old.particle_type, t::INTEGER | t::FLOAT);
    if !is_number || op.particle_type != old.particle_type {
        return Err(not_for(old));
    }
    let before = old.value.try_into().map_err(|_| ResultCode::BIN_TYPE)?;
    let added = match check_value(op.particle_type, op.value, false)? {
        Stored::Integer(value) => value.to_be_bytes(),
        _ => op.value.try_into().map_err(|_| ResultCode::PARAMETER)?,
    };
    Ok(if old.particle_type == t::INTEGER {
        i64::from_be_bytes(before).wrapping_add(i64::from_be_bytes(added)).to_be_bytes()
    } else {
        (f64::from_be_bytes(before) + f64::from_be_bytes(added)).to_be_bytes()
    })
}

fn join(old: &Op<'_>, op: &Op<'_>) -> Result<Vec<u8>, ResultCode> {
    use particle_type as t;
    check_type(op.particle_type)?;
    let kind = old.particle_type;
    let is_joined = matches!(kind, t::STRING | t::BLOB | VECTOR) || is_language_blob(kind);
    match op.code {
        _ if !is_joined || op.particle_type != kind => Err(not_for(old)),
        op::APPEND => Ok([old.value, op.value].concat()),
        _ => Ok([op.value, old.value].concat()),
    }
}

/// Whether there is such a type.
fn check_type(kind: u8) -> Result<(), ResultCode> {
    use particle_type as t;
    let is_known = matches!(kind, t::INTEGER..=t::BLOB | VECTOR..=t::LIST | t::GEOJSON);
    if is_known || is_language_blob(kind) { Ok(()) } else { Err(ResultCode::PARAMETER) }
}

/// The code for an operation that a value does not have; GeoJSON has one of its own.
fn not_for(old: &Op<'_>) -> ResultCode {
    if old.particle_type == particle_type::GEOJSON { ResultCode::SERVER_ERROR } else { ResultCode::BIN_TYPE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use particle_type as t;

    const LIMITS: Limits = Limits { size: 1024, any_map_keys: false };

    /// What a bin of the first type and value is after the operation: its type and value.
    fn after(
        bin: Option<(u8, &[u8])>,
        code: u8,
        particle_type: u8,
        value: &[u8],
    ) -> Result<(u8, Vec<u8>), ResultCode> {
        let mut bins = BinsDraft::default();
        if let Some((kind, value)) = bin {
            bins.put(b"x", kind, value);
        }
        modify(&mut bins, &Op { code, particle_type, name: b"x", value }, LIMITS)?;
        let (_, bin) = bins.get(b"x").ok_or(0)?;
        Ok((bin.particle_type, bin.value.to_vec()))
    }

    #[test]
    fn a_bin_that_is_missing_becomes_what_was_sent() {
        for code in [op::INCREMENT, op::APPEND, op::PREPEND] {
            assert_eq!(after(None, code, t::STRING, b"s"), Ok((t::STRING, b"s".to_vec())));
            assert_eq!(after(None, code, t::INTEGER, &[7]), Ok((t::INTEGER, vec![0, 0, 0, 0, 0, 0, 0, 7])));
            assert_eq!(after(None, code, t::LIST, b"\x91\x01"), Ok((t::LIST, b"\x91\x01".to_vec())));
            assert_eq!(after(None, code, t::NIL, b""), Err(ResultCode::PARAMETER));
            assert_eq!(after(None, code, 99, b""), Err(ResultCode::PARAMETER));
        }
    }

    #[test]
    fn values_change_by_their_own_type_only() {
        let seven = 7i64.to_be_bytes();
        let half = 0.5f64.to_be_bytes();
        let sum = after(Some((t::INTEGER, &seven)), op::INCREMENT, t::INTEGER, &[0, 2]);
        assert_eq!(sum, Ok((t::INTEGER, 9i64.to_be_bytes().to_vec())));
        let sum = after(Some((t::FLOAT, &half)), op::INCREMENT, t::FLOAT, &half);
        assert_eq!(sum, Ok((t::FLOAT, 1f64.to_be_bytes().to_vec())));
        let joined = after(Some((t::BLOB, b"a")), op::PREPEND, t::BLOB, b"b");
        assert_eq!(joined, Ok((t::BLOB, b"ba".to_vec())));
        let (wrong, refused) = (Err(ResultCode::BIN_TYPE), Err(ResultCode::SERVER_ERROR));
        for (bin, value, code, kind, expected) in [
            (t::INTEGER, &seven[..], op::INCREMENT, t::FLOAT, &wrong),
            (t::FLOAT, &half, op::INCREMENT, t::INTEGER, &wrong),
            (t::BOOL, &[1], op::INCREMENT, t::BOOL, &wrong),
            (t::STRING, b"a", op::INCREMENT, t::INTEGER, &wrong),
            (t::STRING, b"a", op::APPEND, t::BLOB, &wrong),
            (t::INTEGER, &seven, op::APPEND, t::INTEGER, &wrong),
            (t::LIST, b"\x90", op::APPEND, t::LIST, &wrong),
            (t::GEOJSON, b"\0\0\0{}", op::APPEND, t::STRING, &refused),
            (t::GEOJSON, b"\0\0\0{}", op::INCREMENT, t::INTEGER, &refused),
            (t::STRING, b"a", op::APPEND, 99, &Err(ResultCode::PARAMETER)),
        ] {
            assert_eq!(&after(Some((bin, value)), code, kind, &half), expected, "{bin} {code} {kind}");
        }
    }

    #[test]
    fn sketches_and_shapes_are_looked_at() {
        let mut sketch = vec![0, 4, 0];
        sketch.resize(11 + 12, 0);
        assert!(is_sketch(&sketch));
        for (at, byte) in [(0, 1), (1, 3), (1, 17), (2, 3), (2, 52), (2, 4)] {
            let mut sketch = sketch.clone();
            sketch[at] = byte;
            assert!(!is_sketch(&sketch), "{at} {byte}");
        }
        assert!(!is_sketch(&sketch[..22]) && !is_sketch(b""));
        assert_eq!(check_value(t::HLL, b"x", false), Err(ResultCode::PARAMETER));
        assert_eq!(check_value(t::GEOJSON, b"\0\0\0{}", false), Err(ResultCode::GEO_INVALID_GEOJSON));
        assert_eq!(check_value(t::GEOJSON, b"", false), Err(ResultCode::GEO_INVALID_GEOJSON));
        assert_eq!(check_value(t::MAP, b"\x81\xc0\x01", false), Err(ResultCode::SERVER_ERROR));
        assert!(matches!(check_value(t::MAP, b"\x81\xc0\x01", true), Ok(Stored::Collection(_))));
    }

    #[test]
    fn operations_that_do_not_go_together_are_refused() {
        let plan_of = |ops: &[(u8, &str)], flags: Flags| {
            let mut bytes = Vec::new();
            for (code, name) in ops {
                write_op(&mut bytes, *code, t::STRING, name.as_bytes(), b"v");
            }
            plan(Ops::over(&bytes), flags).map(|plan| plan.needs_record)
        };
        let none = Flags { info1: 0, info2: info2::WRITE, info3: 0 };
        let reads = Flags { info1: info1::READ, ..none };
        let reads_all = Flags { info1: info1::READ | info1::GET_ALL, ..none };
        let replaces = Flags { info3: info3::REPLACE_ONLY, ..none };
        assert_eq!(plan_of(&[(op::WRITE, "a"), (op::TOUCH, "")], none), Ok(true));
        assert_eq!(plan_of(&[(op::WRITE, "a"), (op::READ, "a")], reads), Ok(false));
        assert_eq!(plan_of(&[(op::WRITE, "a"), (op::READ, "")], reads_all), Ok(false));
        for (ops, flags) in [
            (&[][..], none),
            (&[(op::WRITE, "a"), (op::READ, "a")], none),
            (&[(op::READ, ""), (op::READ, "")], reads_all),
            (&[(op::READ, ""), (op::READ, "a")], reads_all),
            (&[(op::WRITE, "a")], reads_all),
            (&[(op::TOUCH, "")], replaces),
            (&[(op::APPEND, "a")], replaces),
        ] {
            assert_eq!(plan_of(ops, flags), Err(ResultCode::PARAMETER), "{ops:?} {flags:?}");
        }
        assert_eq!(plan_of(&[(op::WRITE, "a\0b")], none), Err(ResultCode::BIN_NAME));
    }
}
