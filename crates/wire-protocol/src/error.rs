//! Errors of reading and writing messages.

/// First byte of the alert with which a TLS port answers clear text.
const TLS_ALERT: u8 = 0x15;

/// Why a message cannot be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The frame's protocol version is not 2: the peer speaks another protocol.
    #[error(
        "the peer does not speak the Aerospike protocol (frame version {found}, expected 2){}",
        if *found == TLS_ALERT { "; it may be a port for TLS" } else { "" }
    )]
    Version {
        /// The version byte.
        found: u8,
    },
    /// The frame's type is unknown.
    #[error("unexpected frame type {found}")]
    FrameType {
        /// The type byte.
        found: u8,
    },
    /// The frame announces more bytes than the protocol allows.
    #[error("a frame of {size} bytes is beyond the protocol's limit of {limit}")]
    FrameTooLarge {
        /// The announced size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The bytes end too early.
    #[error("the bytes end inside {what}")]
    Truncated {
        /// What was being read.
        what: &'static str,
    },
    /// A size, count or tag is wrong.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An argument of an operation or expression is refused.
    #[error("{function}: {argument} {why}")]
    Argument {
        /// The function that was given the argument.
        function: &'static str,
        /// The argument's name.
        argument: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A part of a request is too large to be encoded.
    #[error("{what} of {size} does not fit the protocol's limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
}

impl WireError {
    pub(crate) fn malformed(what: &'static str, why: &'static str) -> Self {
        Self::Malformed { what, why }
    }
}
