//! Why bytes are refused.

/// What a peer that expects TLS answers clear text with begins so.
const TLS_ALERT: u8 = 0x15;

/// Why bytes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The frame is of a protocol version other than 2: the peer speaks another protocol.
    #[error(
        "the peer does not speak the Aerospike protocol (frame version {found}, expected 2){}",
        if *found == TLS_ALERT { "; it may be a port for TLS" } else { "" }
    )]
    Version {
        /// The version byte.
        found: u8,
    },
    /// The frame is of a type that does not belong here.
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
    /// The bytes end inside something.
    #[error("the bytes end inside {what}")]
    Truncated {
        /// What was being read.
        what: &'static str,
    },
    /// A size, count or tag contradicts its surroundings.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A request would not fit the protocol.
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
