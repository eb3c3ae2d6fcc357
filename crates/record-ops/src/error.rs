//! Why an operation is refused.

use wire_protocol::ResultCode;

/// An operation that cannot be applied: the server's result code, and a reason for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why} ({code})")]
pub struct OpError {
    /// The code with which the server answers.
    pub code: ResultCode,
    /// What is wrong.
    pub why: &'static str,
}

impl OpError {
    /// An error with any code.
    #[must_use]
    pub const fn new(code: ResultCode, why: &'static str) -> Self {
        Self { code, why }
    }

    /// Code 4: the operation's own bytes are invalid.
    #[must_use]
    pub const fn parameter(why: &'static str) -> Self {
        Self::new(ResultCode::PARAMETER, why)
    }

    /// Code 12: the bin has a type that the operation does not take.
    #[must_use]
    pub const fn bin_type(why: &'static str) -> Self {
        Self::new(ResultCode::BIN_TYPE, why)
    }

    /// Code 26: the operation does not fit the bin's value.
    #[must_use]
    pub const fn not_applicable(why: &'static str) -> Self {
        Self::new(ResultCode::OP_NOT_APPLICABLE, why)
    }

    /// Code 23: the element that the operation needs does not exist.
    #[must_use]
    pub const fn element_not_found(why: &'static str) -> Self {
        Self::new(ResultCode::ELEMENT_NOT_FOUND, why)
    }

    /// Code 24: the element that the operation would create exists.
    #[must_use]
    pub const fn element_exists(why: &'static str) -> Self {
        Self::new(ResultCode::ELEMENT_EXISTS, why)
    }

    /// Code 13: the new value is larger than a record may be.
    #[must_use]
    pub const fn too_big(why: &'static str) -> Self {
        Self::new(ResultCode::RECORD_TOO_BIG, why)
    }
}

impl From<OpError> for ResultCode {
    fn from(error: OpError) -> Self {
        error.code
    }
}
