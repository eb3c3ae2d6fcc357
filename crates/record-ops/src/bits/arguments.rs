//! The arguments of bit operations.

use crate::args::Args;
use crate::bits::MAX_BYTES;
use crate::error::OpError;

/// Flags of operations that change a bin.
pub(super) mod flags {
    pub(crate) const CREATE_ONLY: u64 = 1;
    pub(crate) const UPDATE_ONLY: u64 = 2;
    pub(crate) const NO_FAIL: u64 = 4;
    pub(crate) const PARTIAL: u64 = 8;
}

/// Flags of a resize.
pub(super) mod resize_flags {
    pub(crate) const FROM_FRONT: u64 = 1;
    pub(crate) const GROW_ONLY: u64 = 2;
    pub(crate) const SHRINK_ONLY: u64 = 4;
}

/// Flags of operations on integers.
pub(super) mod integer_flags {
    pub(crate) const SIGNED: u64 = 1;
    pub(crate) const SATURATE: u64 = 2;
    pub(crate) const WRAP: u64 = 4;
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Resize,
    Insert,
    Remove,
    Set,
    Or,
    Xor,
    And,
    Not,
    LeftShift,
    RightShift,
    Add,
    Subtract,
    SetInteger,
    Get,
    Count,
    LeftScan,
    RightScan,
    GetInteger,
}

/// An argument: what it means and which values it takes.
#[derive(Clone, Copy)]
enum Argument {
    /// An offset in bytes.
    ByteOffset,
    /// An offset in bits.
    BitOffset,
    /// A number of bytes; 0 only if `true`.
    Bytes(bool),
    Bits,
    /// The number of bits of an integer.
    IntegerBits,
    Integer,
    /// A number of bits to shift by.
    Shift,
    Bool,
    Buffer,
    Flags,
    ResizeFlags,
    IntegerFlags,
    /// Only whether the integer is signed.
    Signedness,
}

/// An operation with its arguments.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    pub(super) code: Code,
    /// In bits; negative from the end.
    pub(super) offset: i64,
    /// In bits.
    pub(super) size: usize,
    pub(super) value: u64,
    pub(super) buffer: &'a [u8],
    pub(super) flags: u64,
    pub(super) subflags: u64,
}

/// What became of an operation that was understood.
pub(super) enum Outcome {
    /// The new bytes.
    Done(Vec<u8>),
    /// There was nothing to do.
    Nothing,
    /// It does not fit the blob. The flag for no failures makes that nothing.
    Failed(OpError),
}

/// The code, the number of arguments that must be there, all arguments, and the flags that are allowed.
type Entry = (Code, usize, &'static [Argument], u64);

fn modify_entry(code: u64) -> Option<Entry> {
    use Argument as A;
    const BASIC: u64 = flags::UPDATE_ONLY | flags::NO_FAIL;
    const CREATES: u64 = BASIC | flags::CREATE_ONLY;
    const PARTIAL: u64 = BASIC | flags::PARTIAL;
    const BUFFER: &[Argument] = &[A::BitOffset, A::Bits, A::Buffer, A::Flags];
    const SHIFT: &[Argument] = &[A::BitOffset, A::Bits, A::Shift, A::Flags];
    const SUM: &[Argument] = &[A::BitOffset, A::IntegerBits, A::Integer, A::Flags, A::IntegerFlags];
    Some(match code {
        0 => (Code::Resize, 1, &[A::Bytes(true), A::Flags, A::ResizeFlags], CREATES),
        1 => (Code::Insert, 2, &[A::ByteOffset, A::Buffer, A::Flags], CREATES),
        2 => (Code::Remove, 2, &[A::ByteOffset, A::Bytes(false), A::Flags], PARTIAL),
        3 => (Code::Set, 3, BUFFER, PARTIAL),
        4 => (Code::Or, 3, BUFFER, PARTIAL),
        5 => (Code::Xor, 3, BUFFER, PARTIAL),
        6 => (Code::And, 3, BUFFER, PARTIAL),
        7 => (Code::Not, 2, &[A::BitOffset, A::Bits, A::Flags], PARTIAL),
        8 => (Code::LeftShift, 3, SHIFT, PARTIAL),
        9 => (Code::RightShift, 3, SHIFT, PARTIAL),
        10 => (Code::Add, 3, SUM, BASIC),
        11 => (Code::Subtract, 3, SUM, BASIC),
        12 => (Code::SetInteger, 3, &[A::BitOffset, A::IntegerBits, A::Integer, A::Flags], BASIC),
        _ => return None,
    })
}

fn read_entry(code: u64) -> Option<Entry> {
    use Argument as A;
    const SCAN: &[Argument] = &[A::BitOffset, A::Bits, A::Bool];
    Some(match code {
        50 => (Code::Get, 2, &[A::BitOffset, A::Bits], 0),
        51 => (Code::Count, 2, &[A::BitOffset, A::Bits], 0),
        52 => (Code::LeftScan, 3, SCAN, 0),
        53 => (Code::RightScan, 3, SCAN, 0),
        54 => (Code::GetInteger, 2, &[A::BitOffset, A::IntegerBits, A::Signedness], 0),
        _ => return None,
    })
}

impl<'a> Operation<'a> {
    pub(super) fn parse_modify(bytes: &'a [u8]) -> Result<Self, OpError> {
        Self::parse(bytes, modify_entry)
    }

    pub(super) fn parse_read(bytes: &'a [u8]) -> Result<Self, OpError> {
        Self::parse(bytes, read_entry)
    }

    fn parse(bytes: &'a [u8], entry: impl Fn(u64) -> Option<Entry>) -> Result<Self, OpError> {
        let (code, count, mut args) = Args::parse(bytes)?;
        let (code, least, arguments, allowed) =
            entry(code).ok_or(OpError::parameter("unknown bit operation"))?;
        if count < least || count > arguments.len() {
            return Err(OpError::parameter("wrong number of arguments of a bit operation"));
        }
        let mut operation = Self { code, offset: 0, size: 0, value: 0, buffer: &[], flags: 0, subflags: 0 };
        for argument in &arguments[..count] {
            operation.take(*argument, &mut args, allowed)?;
        }
        Ok(operation)
    }

    fn take(&mut self, argument: Argument, args: &mut Args<'a>, allowed: u64) -> Result<(), OpError> {
        const TOO_LARGE: OpError = OpError::parameter("an offset or size of a bit operation is out of range");
        const MAX_BITS: u64 = MAX_BYTES * 8;
        match argument {
            Argument::ByteOffset => {
                let offset = args.integer()?;
                if offset.unsigned_abs() > MAX_BYTES {
                    return Err(TOO_LARGE);
                }
                self.offset = offset * 8;
            }
            Argument::BitOffset => {
                self.offset = args.integer()?;
                if self.offset.unsigned_abs() > MAX_BITS {
                    return Err(TOO_LARGE);
                }
            }
            Argument::Bytes(may_be_zero) => {
                let bytes = args.unsigned()?;
                if bytes > MAX_BYTES || bytes == 0 && !may_be_zero {
                    return Err(TOO_LARGE);
                }
                self.size = bytes as usize * 8;
            }
            Argument::Bits | Argument::IntegerBits => {
                let bits = args.unsigned()?;
                let most = if matches!(argument, Argument::Bits) { MAX_BITS } else { 64 };
                if bits == 0 || bits > most {
                    return Err(TOO_LARGE);
                }
                self.size = bits as usize;
            }
            Argument::Integer => self.value = args.unsigned()?,
            Argument::Shift => {
                self.value = args.unsigned()?;
                if self.value > MAX_BITS {
                    return Err(TOO_LARGE);
                }
            }
            Argument::Bool => self.value = args.bool()?.into(),
            Argument::Buffer => {
                // The type byte is ignored.
                self.buffer = args.raw()?.get(1..).unwrap_or_default();
                let bits = self.buffer.len() * 8;
                if bits == 0 || bits < self.size {
                    return Err(OpError::parameter("the buffer of a bit operation is too short"));
                }
                if self.size == 0 {
                    self.size = bits;
                }
            }
            Argument::Flags => {
                self.flags = args.unsigned()?;
                check_flags(self.flags, allowed, flags::CREATE_ONLY | flags::UPDATE_ONLY)?;
            }
            Argument::ResizeFlags => {
                use resize_flags::{FROM_FRONT, GROW_ONLY, SHRINK_ONLY};
                self.subflags = args.unsigned()?;
                check_flags(self.subflags, FROM_FRONT | GROW_ONLY | SHRINK_ONLY, GROW_ONLY | SHRINK_ONLY)?;
            }
            Argument::IntegerFlags => {
                use integer_flags::{SATURATE, SIGNED, WRAP};
                self.subflags = args.unsigned()?;
                check_flags(self.subflags, SIGNED | SATURATE | WRAP, SATURATE | WRAP)?;
            }
            Argument::Signedness => {
                self.subflags = args.unsigned()?;
                check_flags(self.subflags, integer_flags::SIGNED, u64::MAX)?;
            }
        }
        Ok(())
    }

    /// Whether the operation can make a bin that does not exist.
    pub(super) fn can_create(&self) -> bool {
        matches!(self.code, Code::Resize | Code::Insert)
    }

    /// The first bit of the operation in a blob of this many bytes. It may be past the end.
    pub(super) fn start(&self, len: usize) -> Result<usize, OpError> {
        match usize::try_from(self.offset) {
            Ok(offset) => Ok(offset),
            Err(_) => (len * 8)
                .checked_sub(self.offset.unsigned_abs() as usize)
                .ok_or(OpError::parameter("the offset of a bit operation is before the start of the blob")),
        }
    }
}

/// Refuses flags that are not allowed, and all `exclusive` ones at once.
fn check_flags(flags: u64, allowed: u64, exclusive: u64) -> Result<(), OpError> {
    if flags & !allowed != 0 || flags & exclusive == exclusive {
        return Err(OpError::parameter("invalid flags of a bit operation"));
    }
    Ok(())
}
