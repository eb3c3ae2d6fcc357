//! Commands and their arguments as bytes.

use crate::message::op;
use crate::msgpack;
use crate::particle::particle_type;

/// The first element of an operation that has a context.
pub const WITH_CONTEXT: u8 = 0xff;

/// The command of an operation that selects or modifies elements by a path.
pub const BY_PATH: u8 = 0xfe;

/// A family of operations: the meaning of a command depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Lists and maps.
    Collection,
    /// Bits of blobs.
    Bits,
    /// HyperLogLog sketches.
    Hll,
    /// Text; since server 8.2.
    Text,
}

impl Family {
    /// The [operation](op) that reads, or the one that modifies.
    #[must_use]
    pub const fn op(self, modifies: bool) -> u8 {
        match (self, modifies) {
            (Self::Collection, false) => op::CDT_READ,
            (Self::Collection, true) => op::CDT_MODIFY,
            (Self::Bits, false) => op::BITS_READ,
            (Self::Bits, true) => op::BITS_MODIFY,
            (Self::Hll, false) => op::HLL_READ,
            (Self::Hll, true) => op::HLL_MODIFY,
            (Self::Text, false) => op::STRING_READ,
            (Self::Text, true) => op::STRING_MODIFY,
        }
    }

    /// The family of an [operation](op), and whether it modifies.
    #[must_use]
    pub const fn of_op(code: u8) -> Option<(Self, bool)> {
        Some(match code {
            op::CDT_READ => (Self::Collection, false),
            op::CDT_MODIFY => (Self::Collection, true),
            op::BITS_READ => (Self::Bits, false),
            op::BITS_MODIFY => (Self::Bits, true),
            op::HLL_READ => (Self::Hll, false),
            op::HLL_MODIFY => (Self::Hll, true),
            op::STRING_READ => (Self::Text, false),
            op::STRING_MODIFY => (Self::Text, true),
            _ => return None,
        })
    }

    /// The particle type of the operation's value.
    #[must_use]
    pub const fn particle_type(self) -> u8 {
        match self {
            Self::Collection | Self::Bits | Self::Hll => particle_type::BLOB,
            Self::Text => particle_type::STRING,
        }
    }
}

/// Appends the value of an operation: a command with arguments that are encoded already.
///
/// `context` is an encoded list of the types and arguments of its steps, as [`Context::write`](super::Context::write)
/// gives it; None for none. `args` has `n_args` elements of msgpack.
pub fn write_command(out: &mut Vec<u8>, context: Option<&[u8]>, command: u8, n_args: usize, args: &[u8]) {
    write_command_start(out, context, command, n_args);
    out.extend_from_slice(args);
}

/// Appends what precedes a command's arguments.
pub(crate) fn write_command_start(out: &mut Vec<u8>, context: Option<&[u8]>, command: u8, n_args: usize) {
    if let Some(context) = context {
        msgpack::write_list_header(out, 3);
        msgpack::write_uint(out, WITH_CONTEXT.into());
        out.extend_from_slice(context);
    }
    msgpack::write_list_header(out, n_args.saturating_add(1));
    msgpack::write_uint(out, command.into());
}
