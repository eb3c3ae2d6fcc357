//! Operations on the bins of a record.
//!
//! [`check`] refuses a list of operations before the record is looked up; [`apply`] applies them to its bins,
//! in order, and appends their results. `scalars` has the operations on scalar values, `values` the rules for
//! values of each type. `computed` has the operations of `record-ops`: on lists, maps, bits and HyperLogLogs, and with
//! expressions, which see a record as `record_view` shows it. `reads` has what operations read.

mod computed;
pub(crate) mod reads;
mod record_view;
mod scalars;
mod values;

use wire_protocol::ResultCode;
use wire_protocol::message::{MAX_FRAME, Op, Ops, info1, op};
use wire_protocol::particle::particle_type;

use crate::command::operations::reads::ReadResult;
pub(crate) use crate::command::operations::record_view::{Seen, Subject, filter};
use crate::command::operations::scalars::{modify, write};
pub(crate) use crate::command::operations::values::Limits;
use crate::protocol::flags::Flags;
use crate::state::store::bins::BinsBuilder;

/// Length of the longest bin name.
const MAX_BIN_NAME: usize = 15;

/// Refuses unknown operations.
fn check_code(code: u8) -> Result<(), ResultCode> {
    match code {
        op::READ | op::WRITE | op::INCREMENT | op::APPEND | op::PREPEND | op::TOUCH | op::DELETE => Ok(()),
        op::CDT_MODIFY | op::EXP_MODIFY | op::BITS_MODIFY | op::HLL_MODIFY => Ok(()),
        code if is_computed_read(code) => Ok(()),
        _ => Err(ResultCode::PARAMETER),
    }
}

/// Whether an operation reads, with a result that is computed.
fn is_computed_read(code: u8) -> bool {
    matches!(code, op::CDT_READ | op::EXP_READ | op::BITS_READ | op::HLL_READ)
}

/// Refuses an operation that a read or query cannot have.
pub(crate) fn check_read(op: &Op<'_>) -> Result<(), ResultCode> {
    match check_code(op.code) {
        Ok(()) if op.code == op::READ || is_computed_read(op.code) => Ok(()),
        Ok(()) => Err(ResultCode::PARAMETER),
        Err(code) => Err(code),
    }
}

/// Refuses an invalid bin name.
pub(crate) fn check_name(op: &Op<'_>) -> Result<(), ResultCode> {
    if op.name.len() > MAX_BIN_NAME || op.name.contains(&0) {
        return Err(ResultCode::BIN_NAME);
    }
    Ok(())
}

/// Largest number of operations of a write or a query.
pub(crate) const MAX_OPS: usize = 32 * 1024;

/// What a write's operations require of the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Requirements {
    /// The record must exist, as for a touch.
    pub(crate) record: bool,
}

/// Checks a write's operations. Like the server, do this before looking the record up: it decides which code
/// a client gets.
pub(crate) fn check(ops: Ops<'_>, flags: Flags) -> Result<Requirements, ResultCode> {
    let mut requirements = Requirements::default();
    let (mut count, mut reads, mut reads_all, mut results) = (0, 0, 0, 0);
    for op in ops {
        count += 1;
        check_code(op.code)?;
        if op.code != op::TOUCH {
            check_name(&op)?;
        }
        match op.code {
            op::TOUCH if flags.replaces() => return Err(ResultCode::PARAMETER),
            op::TOUCH => requirements.record = true,
            op::READ if flags.reads_all(&op) => reads_all += 1,
            op::READ => reads += 1,
            op::WRITE if op.particle_type == particle_type::NIL && flags.replaces() => {
                return Err(ResultCode::PARAMETER);
            }
            op::INCREMENT | op::APPEND | op::PREPEND | op::DELETE | op::CDT_MODIFY if flags.replaces() => {
                return Err(ResultCode::PARAMETER);
            }
            op::BITS_MODIFY | op::HLL_MODIFY if flags.replaces() => return Err(ResultCode::PARAMETER),
            op::CDT_MODIFY | op::HLL_MODIFY => results += 1,
            code if is_computed_read(code) => reads += 1,
            _ => {}
        }
    }
    let is_invalid = count == 0
        || count > MAX_OPS
        || reads + reads_all > 0 && flags.info1 & info1::READ == 0
        || reads_all > 1
        || reads_all > 0 && (reads + results > 0 || flags.responds_to_all())
        || reads_all == 0 && flags.info1 & info1::GET_ALL != 0;
    if is_invalid { Err(ResultCode::PARAMETER) } else { Ok(requirements) }
}

/// Appends and counts the results of operations, up to the size of a message.
struct Results<'o> {
    out: &'o mut Vec<u8>,
    limit: usize,
    count: u16,
}

impl Results<'_> {
    /// Appends `count` results with `write`.
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>), count: usize) -> Result<(), ResultCode> {
        let count = usize::from(self.count) + count;
        self.count = u16::try_from(count).map_err(|_| ResultCode::RECORD_TOO_BIG)?;
        write(self.out);
        if self.out.len() > self.limit { Err(ResultCode::RECORD_TOO_BIG) } else { Ok(()) }
    }

    /// Appends a nil result.
    fn push_nil(&mut self, op: &Op<'_>) -> Result<(), ResultCode> {
        self.push(|out| reads::write_nil(out, op), 1)
    }

    /// Appends what an operation reads.
    fn push_read(&mut self, op: &Op<'_>, result: ReadResult<'_>, flags: Flags) -> Result<(), ResultCode> {
        // A write answers an operation that reads part of a bin even if that is nil.
        let is_written = result.write(op, flags.responds_to_all(), true, self.out);
        self.push(|_| {}, usize::from(is_written))
    }
}

/// Applies operations to `bins`, in order, and appends their results to `out`. Returns the number of results.
/// After an error, `bins` and `out` are in an undefined state and must be discarded.
pub(crate) fn apply(
    ops: Ops<'_>,
    flags: Flags,
    limits: Limits,
    subject: &Subject<'_>,
    bins: &mut BinsBuilder,
    out: &mut Vec<u8>,
) -> Result<u16, ResultCode> {
    let limit = out.len() + MAX_FRAME / 2;
    let mut results = Results { out, limit, count: 0 };
    for op in ops {
        match op.code {
            op::READ if flags.reads_all(&op) => {
                results.push(|out| bins.write(out), bins.count())?;
            }
            op::READ if op.name.is_empty() && flags.info1 & info1::NO_BINS != 0 => {}
            code if code == op::READ || is_computed_read(code) => {
                bins.index();
                let result =
                    reads::read(&op, bins.find(op.name).map(|(whole, _)| whole), &Seen { subject, bins })?;
                results.push_read(&op, result, flags)?;
            }
            // Every write updates generation and void time, so a touch does nothing more. It never has a
            // result.
            op::TOUCH => {}
            code => {
                // Checked first, so that no operation works on a value that is too large.
                if op.value.len() > limits.size || bins.size() > limits.size {
                    return Err(ResultCode::RECORD_TOO_BIG);
                }
                let result = match code {
                    op::WRITE => write(bins, &op, limits).map(|()| None)?,
                    op::INCREMENT | op::APPEND | op::PREPEND => modify(bins, &op, limits).map(|()| None)?,
                    op::CDT_MODIFY | op::BITS_MODIFY | op::HLL_MODIFY | op::EXP_MODIFY => {
                        computed::modify(&op, subject, bins)?
                    }
                    op::DELETE => {
                        bins.clear();
                        None
                    }
                    _ => return Err(ResultCode::PARAMETER),
                };
                match result {
                    Some(result) => results.push(|out| reads::write_result(out, &op, &result), 1)?,
                    None if flags.responds_to_all() => results.push_nil(&op)?,
                    None => {}
                }
            }
        }
    }
    Ok(results.count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use particle_type as t;
    use wire_protocol::message::{info2, info3, write_op};

    #[test]
    fn invalid_combinations_are_refused() {
        let check_ops = |ops: &[(u8, &str)], flags: Flags| {
            let mut bytes = Vec::new();
            for (code, name) in ops {
                write_op(&mut bytes, *code, t::STRING, name.as_bytes(), b"v");
            }
            check(Ops::over(&bytes), flags).map(|requirements| requirements.record)
        };
        let none = Flags { info1: 0, info2: info2::WRITE, info3: 0 };
        let reads = Flags { info1: info1::READ, ..none };
        let reads_all = Flags { info1: info1::READ | info1::GET_ALL, ..none };
        let replaces = Flags { info3: info3::REPLACE_ONLY, ..none };
        assert_eq!(check_ops(&[(op::WRITE, "a"), (op::TOUCH, "")], none), Ok(true));
        assert_eq!(check_ops(&[(op::WRITE, "a"), (op::READ, "a")], reads), Ok(false));
        assert_eq!(check_ops(&[(op::WRITE, "a"), (op::READ, "")], reads_all), Ok(false));
        for (ops, flags) in [
            (&[][..], none),
            (&[(op::WRITE, "a"), (op::READ, "a")], none),
            (&[(op::READ, ""), (op::READ, "")], reads_all),
            (&[(op::READ, ""), (op::READ, "a")], reads_all),
            (&[(op::WRITE, "a")], reads_all),
            (&[(op::TOUCH, "")], replaces),
            (&[(op::APPEND, "a")], replaces),
        ] {
            assert_eq!(check_ops(ops, flags), Err(ResultCode::PARAMETER), "{ops:?} {flags:?}");
        }
        assert_eq!(check_ops(&[(op::WRITE, "a\0b")], none), Err(ResultCode::BIN_NAME));
    }
}
