//! The flags of a request.

use wire_protocol::message::{Op, info1, info2, info3, op};

/// The three info bytes of a request or of a batch row. They say whether it reads or writes, and how its
/// operations are to be applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flags {
    pub(crate) info1: u8,
    pub(crate) info2: u8,
    pub(crate) info3: u8,
}

impl Flags {
    /// Every operation returns a result, not only reads.
    pub(crate) fn responds_to_all(self) -> bool {
        self.info2 & info2::RESPOND_ALL_OPS != 0
    }

    /// The write discards the bins that the record has.
    pub(crate) fn replaces(self) -> bool {
        self.info3 & (info3::CREATE_OR_REPLACE | info3::REPLACE_ONLY) != 0
    }

    /// The operation reads all bins: a read without a name, in a request that asks for all bins.
    pub(crate) fn reads_all(self, op: &Op<'_>) -> bool {
        op.code == op::READ && op.name.is_empty() && self.info1 & info1::GET_ALL != 0
    }
}
