//! Whether and when a failed command is retried, and where.

use std::time::Duration;

use wire_protocol::ResultCode;

use crate::error::Error;
use crate::policy::Replica;

/// Whether the attempt after one that failed with `cause` goes to the next replica, like that of the official
/// client.
///
/// Reads that any replica may answer do, unless the policy says master. Linearized reads and writes do only for
/// errors that may mean that the partition has moved: not after timeouts, and not if the node could not be
/// used.
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

/// How long to wait before attempt `attempt + 1`. `moves`: it goes to another replica.
///
/// As in the official client, the first retry does not wait if it goes to another replica. If the server is
/// busy, every retry waits, longer each time: attempts within the same microseconds would all find the server
/// in the same state.
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
    fn delays_grow_while_a_server_is_busy() {
        let cause = |code| Error::Server {
            code,
            tried: Box::new(Tried {
                command: "read",
                bins: String::new(),
                is_filtered: false,
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
