//! How long to wait before a command is tried again.

use std::time::Duration;

use wire_protocol::ResultCode;

use crate::error::Error;
use crate::policy::Replica;

/// Whether a try that ended with `cause` is followed by one at the next replica, as with the official client:
/// reads go on to it, unless the master must answer or takes part in the answer (linearized reads); these and
/// writes stay where time was up or the node could not be used, which says nothing of a partition that moves.
pub(crate) fn moves_on(replica: Replica, is_free_read: bool, cause: &Error) -> bool {
    let may_be_elsewhere = !matches!(
        cause,
        Error::Timeout { .. }
            | Error::Saturated { .. }
            | Error::ErrorRate { .. }
            | Error::Server { code: ResultCode::TIMEOUT, .. }
    );
    replica != Replica::Master && (is_free_read || may_be_elsewhere)
}

/// The wait before `attempt + 1`, after `cause`; `moves` says whether another replica is asked then.
///
/// As with the official client, the first retry does not wait where it goes to another replica. What says that
/// a server is busy is waited for all the same, for longer each time: tries within the same microseconds would
/// all meet the same state.
pub(crate) fn retry_delay(sleep: Duration, moves: bool, attempt: u32, cause: &Error) -> Duration {
    let busy = match cause {
        Error::Server { code, .. } => match *code {
            ResultCode::KEY_BUSY => Duration::from_millis(1),
            ResultCode::DEVICE_OVERLOAD | ResultCode::PARTITION_UNAVAILABLE => Duration::from_millis(5),
            ResultCode::BATCH_QUEUES_FULL => Duration::from_millis(10),
            _ => Duration::ZERO,
        },
        _ => Duration::ZERO,
    };
    let busy = busy.saturating_mul(1 << attempt.min(6));
    let sleep = if attempt == 0 && moves { Duration::ZERO } else { sleep };
    sleep.max(busy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Tried;

    #[test]
    fn waits_grow_where_a_server_is_busy() {
        let cause = |code| Error::Server {
            code,
            tried: Box::new(Tried {
                command: "read",
                node: "A".into(),
                address: ([127, 0, 0, 1], 3000).into(),
                attempts: 1,
                elapsed: Duration::ZERO,
                in_doubt: false,
            }),
        };
        let wait = |sleep, moves, attempt, code| {
            retry_delay(Duration::from_millis(sleep), moves, attempt, &cause(code)).as_millis()
        };
        assert_eq!(wait(50, true, 0, ResultCode::TIMEOUT), 0);
        assert_eq!(wait(50, true, 1, ResultCode::TIMEOUT), 50);
        assert_eq!(wait(50, false, 0, ResultCode::TIMEOUT), 50);
        assert_eq!(wait(0, true, 0, ResultCode::BATCH_QUEUES_FULL), 10);
        assert_eq!(wait(0, true, 2, ResultCode::BATCH_QUEUES_FULL), 40);
        assert_eq!(wait(7, true, 1, ResultCode::KEY_BUSY), 7);
        assert!(moves_on(Replica::Sequence, true, &cause(ResultCode::TIMEOUT)));
        assert!(!moves_on(Replica::Master, true, &cause(ResultCode::TIMEOUT)));
        assert!(!moves_on(Replica::Sequence, false, &cause(ResultCode::TIMEOUT)));
        assert!(moves_on(Replica::Sequence, false, &cause(ResultCode::PARTITION_UNAVAILABLE)));
    }
}
