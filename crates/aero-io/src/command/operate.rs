//! Several operations on one record as one command.

use wire_protocol::command::{OperateReads, WriteOp, write_operate};
use wire_protocol::message::op;

use crate::command::answer::Answer;
use crate::command::single::{Command, check_ops, write_options};
use crate::error::{Error, of_operations};
use crate::key::Key;
use crate::policy::OperatePolicy;
use crate::topology::state::Inner;

pub(crate) fn is_write(op: &WriteOp<'_>) -> bool {
    op::modifies(op.code)
}

/// Whether applying an operation twice may have another effect than applying it once.
fn adds_up(op: &WriteOp<'_>) -> bool {
    is_write(op) && !matches!(op.code, op::WRITE | op::TOUCH | op::DELETE)
}

pub(crate) async fn operate(
    inner: &Inner,
    name: &'static str,
    key: &Key,
    ops: &[WriteOp<'_>],
    policy: &OperatePolicy,
) -> Result<Answer, Error> {
    check_ops(ops)?;
    let writes = ops.iter().any(is_write);
    let mut command = Command::new(name, key, &policy.write.limits);
    command.is_write = writes;
    // With such operations, a repeated command could also return other values: later reads show how often they
    // were applied.
    command.is_repeatable = !ops.iter().any(adds_up);
    command.read_mode_sc = policy.reads.mode_sc;
    if !writes {
        command.hedge = policy.reads.hedge;
    }
    let reads = OperateReads {
        reads: ops.iter().any(|op| !is_write(op)),
        writes,
        responds_to_all: policy.responds_to_all,
        info1: policy.reads.info1() | policy.write.limits.info1(),
        info3: policy.reads.info3(),
        read_touch_ttl_percent: policy.reads.touch_ttl_percent as u32,
    };
    command
        .run(inner, &|out, timeout_ms| {
            let options = write_options(&policy.write, timeout_ms);
            write_operate(out, &command.record_key(), ops.iter().copied(), &options, &reads)
        })
        .await
        .map_err(|error| of_operations(error, ops))
}
