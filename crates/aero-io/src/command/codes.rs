//! What result codes say about a command.

use wire_protocol::result_code;

/// Whether a code is an answer about a record.
pub(crate) fn is_about_record(code: u8) -> bool {
    matches!(code, result_code::OK | result_code::RECORD_NOT_FOUND | result_code::FILTERED_OUT)
}

/// Whether a code says that the same may succeed later or elsewhere.
pub(crate) fn is_passing(code: u8) -> bool {
    matches!(
        code,
        result_code::TIMEOUT
            | result_code::PARTITION_UNAVAILABLE
            | result_code::KEY_BUSY
            | result_code::DEVICE_OVERLOAD
            | result_code::BATCH_MAX_REQUESTS
            | result_code::BATCH_QUEUES_FULL
    )
}

/// Whether a code that ends an answer without rows says that the server looked at none of them.
pub(crate) fn refuses_request(code: u8) -> bool {
    matches!(
        code,
        result_code::BATCH_DISABLED
            | result_code::BATCH_MAX_REQUESTS
            | result_code::BATCH_QUEUES_FULL
            | result_code::ENTERPRISE_ONLY
            | result_code::EXPIRED_SESSION
            | result_code::NOT_AUTHENTICATED..=result_code::QUOTA_EXCEEDED
    )
}
