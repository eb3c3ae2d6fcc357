//! How long to wait before a command is tried again.

use std::time::Duration;

use wire_protocol::result_code;

use crate::error::Error;
use crate::policy::Replica;

/// The wait before `attempt + 1`, after `cause`.
///
/// As with the official client, the first retry of a read does not wait where it goes to another replica.
/// What says that a server is busy is waited for all the same, for longer each time: tries within the same
/// microseconds would all meet the same state.
pub(crate) fn retry_delay(sleep: Duration, replica: Replica, attempt: u32, cause: &Error) -> Duration {
    let busy = match cause {
        Error::Server { code, .. } => match *code {
            result_code::KEY_BUSY => Duration::from_millis(1),
            result_code::DEVICE_OVERLOAD | result_code::PARTITION_UNAVAILABLE => Duration::from_millis(5),
            result_code::BATCH_QUEUES_FULL => Duration::from_millis(10),
            _ => Duration::ZERO,
        },
        _ => Duration::ZERO,
    };
    let busy = busy.saturating_mul(1 << attempt.min(6));
    let sleep = if attempt == 0 && replica != Replica::Master { Duration::ZERO } else { sleep };
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
        let wait = |sleep, replica, attempt, code| {
            retry_delay(Duration::from_millis(sleep), replica, attempt, &cause(code)).as_millis()
        };
        assert_eq!(wait(50, Replica::Sequence, 0, result_code::TIMEOUT), 0);
        assert_eq!(wait(50, Replica::Sequence, 1, result_code::TIMEOUT), 50);
        assert_eq!(wait(50, Replica::Master, 0, result_code::TIMEOUT), 50);
        assert_eq!(wait(0, Replica::Sequence, 0, result_code::BATCH_QUEUES_FULL), 10);
        assert_eq!(wait(0, Replica::Sequence, 2, result_code::BATCH_QUEUES_FULL), 40);
        assert_eq!(wait(7, Replica::Sequence, 1, result_code::KEY_BUSY), 7);
    }
}
