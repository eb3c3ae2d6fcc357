//! Result codes of the server and their names.

/// Declares codes with their names and texts, and the look-up over all of them.
macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $code:literal, $text:literal;)*) => {
        $($(#[doc = $doc])* #[doc = $text] pub const $name: u8 = $code;)*

        /// The code's name and what it means, for codes that the server documents.
        #[must_use]
        pub fn describe(code: u8) -> Option<(&'static str, &'static str)> {
            match code {
                $($code => Some((stringify!($name), $text)),)*
                _ => None,
            }
        }
    };
}

codes! {
    OK = 0, "the command was applied";
    SERVER_ERROR = 1, "the server failed for a reason that it does not name";
    RECORD_NOT_FOUND = 2, "there is no such record";
    GENERATION = 3, "the record's generation is not the expected one";
    PARAMETER = 4, "the server refused the request's parameters";
    RECORD_EXISTS = 5, "the record exists already";
    BIN_EXISTS = 6, "the bin exists already";
    CLUSTER_KEY_MISMATCH = 7, "the cluster changed while the command ran";
    SERVER_MEMORY = 8, "the server has no room left";
    TIMEOUT = 9, "the server ran out of time";
    ALWAYS_FORBIDDEN = 10, "the operation is not allowed in this configuration";
    PARTITION_UNAVAILABLE = 11, "the partition is unavailable";
    BIN_TYPE = 12, "the operation does not fit the bin's type";
    RECORD_TOO_BIG = 13, "the record is too big";
    KEY_BUSY = 14, "too many commands wait for the record";
    SCAN_ABORT = 15, "the scan was aborted";
    UNSUPPORTED_FEATURE = 16, "the server does not support the feature";
    BIN_NOT_FOUND = 17, "there is no such bin";
    DEVICE_OVERLOAD = 18, "the server's storage cannot keep up";
    KEY_MISMATCH = 19, "the stored key is not the one sent";
    NAMESPACE_NOT_FOUND = 20, "there is no such namespace";
    BIN_NAME = 21, "the bin name is too long, or there are too many bins";
    FORBIDDEN = 22, "the operation is not possible now";
    ELEMENT_NOT_FOUND = 23, "there is no such element";
    ELEMENT_EXISTS = 24, "the element exists already";
    ENTERPRISE_ONLY = 25, "the feature belongs to the Enterprise Edition";
    OP_NOT_APPLICABLE = 26, "the operation cannot be applied to the bin's value";
    FILTERED_OUT = 27, "the filter expression was false";
    LOST_CONFLICT = 28, "the write lost against another data centre's";
    XDR_KEY_BUSY = 32, "a write waits to be shipped to another data centre";
    QUERY_END = 50, "the query has ended";
    SECURITY_NOT_SUPPORTED = 51, "the server has no security feature";
    SECURITY_NOT_ENABLED = 52, "security is not enabled on the server";
    SECURITY_SCHEME_NOT_SUPPORTED = 53, "the server does not support the security scheme";
    INVALID_COMMAND = 54, "the administration command is invalid";
    INVALID_FIELD = 55, "the administration field is invalid";
    ILLEGAL_STATE = 56, "the security protocol was not followed";
    INVALID_USER = 60, "the user name is invalid";
    USER_EXISTS = 61, "the user exists already";
    INVALID_PASSWORD = 62, "the password is invalid";
    EXPIRED_PASSWORD = 63, "the password has expired";
    FORBIDDEN_PASSWORD = 64, "the password may not be used again";
    INVALID_CREDENTIAL = 65, "the credential is invalid";
    EXPIRED_SESSION = 66, "the login session has expired";
    INVALID_ROLE = 70, "the role name is invalid";
    ROLE_EXISTS = 71, "the role exists already";
    INVALID_PRIVILEGE = 72, "the privilege is invalid";
    INVALID_WHITELIST = 73, "the list of allowed addresses is invalid";
    QUOTAS_NOT_ENABLED = 74, "quotas are not enabled";
    INVALID_QUOTA = 75, "the quota is invalid";
    NOT_AUTHENTICATED = 80, "the connection is not authenticated";
    ROLE_VIOLATION = 81, "the user's roles do not allow the command";
    NOT_WHITELISTED = 82, "the client's address is not allowed";
    QUOTA_EXCEEDED = 83, "the user's quota is exceeded";
    UDF_BAD_RESPONSE = 100, "the user-defined function failed";
    MRT_BLOCKED = 120, "another transaction holds the record";
    MRT_VERSION_MISMATCH = 121, "the record changed since the transaction read it";
    MRT_EXPIRED = 122, "the transaction's time is over";
    MRT_TOO_MANY_WRITES = 123, "the transaction writes too many records";
    MRT_COMMITTED = 124, "the transaction was committed already";
    MRT_ABORTED = 125, "the transaction was aborted already";
    MRT_ALREADY_LOCKED = 126, "the record is locked by this transaction already";
    MRT_MONITOR_EXISTS = 127, "the transaction's monitor record exists already";
    BATCH_DISABLED = 150, "batches are switched off";
    BATCH_MAX_REQUESTS = 151, "the batch has more keys than the server takes";
    BATCH_QUEUES_FULL = 152, "the server's batch queues are full";
    GEO_INVALID_GEOJSON = 160, "the GeoJSON is invalid or not supported";
    INDEX_FOUND = 200, "the index exists already";
    INDEX_NOT_FOUND = 201, "there is no such index";
    INDEX_OOM = 202, "the index has no room left";
    INDEX_NOT_READABLE = 203, "the index is not readable yet";
    INDEX_GENERIC = 204, "the index failed for a reason that the server does not name";
    INDEX_NAME_MAX_LENGTH = 205, "the index name is too long";
    INDEX_MAX_COUNT = 206, "there are too many indexes";
    QUERY_ABORTED = 210, "the query was aborted";
    QUERY_QUEUE_FULL = 211, "the server's query queue is full";
    QUERY_TIMEOUT = 212, "the query ran out of time on the server";
    QUERY_GENERIC = 213, "the query failed for a reason that the server does not name";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts() {
        assert_eq!(describe(RECORD_NOT_FOUND), Some(("RECORD_NOT_FOUND", "there is no such record")));
        assert_eq!(describe(255), None);
        assert_eq!((0..=255).filter_map(describe).count(), 78);
    }
}
