//! Result codes of the server: their names, and what follows from each.

use std::fmt;

/// The code with which a server ends a request or answers a row of a batch; 0 is success.
///
/// Any byte is a code: servers may send some that are not listed here. What a code means for a command is
/// decided by the methods ([`is_transient`](Self::is_transient) and so on), so that all commands agree.
///
/// ```
/// use wire_protocol::ResultCode;
///
/// assert_eq!(ResultCode::from(14), ResultCode::KEY_BUSY);
/// assert_eq!(ResultCode::KEY_BUSY.to_string(), "too many commands wait for the record (KEY_BUSY, code 14)");
/// assert_eq!(i32::from(ResultCode::KEY_BUSY), 14);
/// assert!(ResultCode::KEY_BUSY.is_transient());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct ResultCode(u8);

/// Declares codes with their names and texts, and the look-up over all of them.
macro_rules! codes {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        impl ResultCode {
            $(#[doc = $text] pub const $name: Self = Self($code);)*

            /// The code's name and what it means, for the codes listed here.
            const fn describe(self) -> Option<(&'static str, &'static str)> {
                match self.0 {
                    $($code => Some((stringify!($name), $text)),)*
                    _ => None,
                }
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

impl ResultCode {
    /// The code with this number.
    #[must_use]
    #[inline]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The code's number, as it is in a message.
    #[must_use]
    #[inline]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The name of the code's constant; `None` for a code that is not listed here.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self.describe() {
            Some((name, _)) => Some(name),
            None => None,
        }
    }

    /// What the code means, as error messages say it; `None` for a code that is not listed here.
    #[must_use]
    pub const fn text(self) -> Option<&'static str> {
        match self.describe() {
            Some((_, text)) => Some(text),
            None => None,
        }
    }

    /// Whether the command was applied.
    #[must_use]
    #[inline]
    pub const fn is_ok(self) -> bool {
        self.0 == Self::OK.0
    }

    /// Whether the code is an answer about a record: it was read or written, does not exist, or was filtered
    /// out. Any other code says why the record was not looked at, or what failed.
    #[must_use]
    #[inline]
    pub const fn is_about_record(self) -> bool {
        matches!(self, Self::OK | Self::RECORD_NOT_FOUND | Self::FILTERED_OUT)
    }

    /// Whether the same request may succeed later or on another node, so that a retry makes sense.
    #[must_use]
    #[inline]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::TIMEOUT
                | Self::PARTITION_UNAVAILABLE
                | Self::KEY_BUSY
                | Self::DEVICE_OVERLOAD
                | Self::BATCH_MAX_REQUESTS
                | Self::BATCH_QUEUES_FULL
        )
    }

    /// Whether a query that ended with the code may succeed later or on another node: as
    /// [`is_transient`](Self::is_transient), and also where the node runs too many queries already.
    #[must_use]
    pub const fn is_transient_for_query(self) -> bool {
        self.is_transient() || matches!(self, Self::QUERY_QUEUE_FULL)
    }

    /// Whether a server that ends a batch with the code, without answering any row, looked at none of its
    /// rows: nothing can have been written.
    #[must_use]
    pub const fn refuses_request(self) -> bool {
        matches!(
            self,
            Self::BATCH_DISABLED
                | Self::BATCH_MAX_REQUESTS
                | Self::BATCH_QUEUES_FULL
                | Self::ENTERPRISE_ONLY
                | Self::EXPIRED_SESSION
        ) || self.denies_access()
    }

    /// Whether the server did not let this user or address run the command: not authenticated, not allowed
    /// by a role, not on the allow-list, or over the quota.
    #[must_use]
    pub const fn denies_access(self) -> bool {
        Self::NOT_AUTHENTICATED.0 <= self.0 && self.0 <= Self::QUOTA_EXCEEDED.0
    }

    /// Whether the node no longer accepts the connection's session: the command was not looked at, and a new
    /// login is needed.
    #[must_use]
    #[inline]
    pub const fn ends_session(self) -> bool {
        matches!(self, Self::EXPIRED_SESSION | Self::NOT_AUTHENTICATED)
    }
}

impl fmt::Debug for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "ResultCode({})", self.0),
        }
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.describe() {
            Some((name, text)) => write!(f, "{text} ({name}, code {})", self.0),
            None => write!(f, "the server answered with code {}", self.0),
        }
    }
}

impl From<u8> for ResultCode {
    #[inline]
    fn from(number: u8) -> Self {
        Self(number)
    }
}

impl From<ResultCode> for u8 {
    #[inline]
    fn from(code: ResultCode) -> Self {
        code.0
    }
}

impl From<ResultCode> for i32 {
    #[inline]
    fn from(code: ResultCode) -> Self {
        Self::from(code.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = ResultCode> {
        (0..=u8::MAX).map(ResultCode::from)
    }

    /// The numbers of all codes that pass the judgement.
    fn numbers(judgement: fn(ResultCode) -> bool) -> Vec<u8> {
        all().filter(|&code| judgement(code)).map(u8::from).collect()
    }

    #[test]
    fn names_and_texts() {
        assert_eq!(ResultCode::RECORD_NOT_FOUND.name(), Some("RECORD_NOT_FOUND"));
        assert_eq!(ResultCode::RECORD_NOT_FOUND.text(), Some("there is no such record"));
        assert_eq!((ResultCode::from(255).name(), ResultCode::from(255).text()), (None, None));
        assert_eq!(all().filter_map(ResultCode::name).count(), 78);
        assert!(all().all(|code| code.name().is_some() == code.text().is_some()));
    }

    #[test]
    fn numbers_and_messages() {
        for number in 0..=u8::MAX {
            let code = ResultCode::from(number);
            assert_eq!((code, code.get(), u8::from(code)), (ResultCode::new(number), number, number));
            assert_eq!(i32::from(code), i32::from(number));
            let (debug, display) = match (code.name(), code.text()) {
                (Some(name), Some(text)) => {
                    (format!("{name} ({number})"), format!("{text} ({name}, code {number})"))
                }
                _ => (format!("ResultCode({number})"), format!("the server answered with code {number}")),
            };
            assert_eq!((format!("{code:?}"), code.to_string()), (debug, display));
        }
        assert_eq!(format!("{:?}", ResultCode::KEY_BUSY), "KEY_BUSY (14)");
        assert_eq!(ResultCode::default(), ResultCode::OK);
    }

    #[test]
    fn judgements() {
        assert_eq!(numbers(ResultCode::is_ok), [0]);
        assert_eq!(numbers(ResultCode::is_about_record), [0, 2, 27]);
        assert_eq!(numbers(ResultCode::is_transient), [9, 11, 14, 18, 151, 152]);
        assert_eq!(numbers(ResultCode::is_transient_for_query), [9, 11, 14, 18, 151, 152, 211]);
        assert_eq!(numbers(ResultCode::refuses_request), [25, 66, 80, 81, 82, 83, 150, 151, 152]);
        assert_eq!(numbers(ResultCode::denies_access), [80, 81, 82, 83]);
        assert_eq!(numbers(ResultCode::ends_session), [66, 80]);
    }
}
