//! Which bins a read asks for.

use crate::error::WireError;
use crate::message::{check_name, info1, op, op_count, write_op};

/// Which bins a read asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection<'a> {
    /// Every bin.
    All,
    /// No bins: only the header.
    Header,
    /// These bins, in this order.
    Bins(&'a [&'a [u8]]),
}

/// A projection as it is encoded in a request.
pub(crate) struct ProjectionParts<'a> {
    /// [`info1`] bits beside [`info1::READ`].
    pub(crate) info1: u8,
    /// The number of bins.
    pub(crate) n_ops: u16,
    bins: &'a [&'a [u8]],
}

impl<'a> Projection<'a> {
    pub(crate) fn parts(self) -> Result<ProjectionParts<'a>, WireError> {
        let (info1, bins): (u8, &[&[u8]]) = match self {
            Self::All => (info1::GET_ALL, &[]),
            Self::Header => (info1::NO_BINS, &[]),
            Self::Bins(bins) => (0, bins),
        };
        bins.iter().try_for_each(|bin| check_name(bin))?;
        Ok(ProjectionParts { info1, n_ops: op_count(bins.len())?, bins })
    }
}

/// A projection, encoded as the operations of a [batch row](crate::batch::BatchWriter::row).
#[derive(Clone, Debug)]
pub struct EncodedProjection {
    /// [`info1`] bits beside [`info1::READ`].
    pub info1: u8,
    /// The number of operations.
    pub count: usize,
    /// Their encoding.
    pub bytes: Vec<u8>,
}

impl Projection<'_> {
    /// Encodes the projection.
    ///
    /// # Errors
    /// Too many bins, or a bin name that is too long.
    pub fn encode(self) -> Result<EncodedProjection, WireError> {
        let parts = self.parts()?;
        let mut bytes = Vec::new();
        parts.write_ops(&mut bytes);
        Ok(EncodedProjection { info1: parts.info1, count: parts.n_ops.into(), bytes })
    }
}

impl ProjectionParts<'_> {
    /// Appends the operations that read the bins.
    pub(crate) fn write_ops(&self, out: &mut Vec<u8>) {
        for bin in self.bins {
            write_op(out, op::READ, 0, bin, &[]);
        }
    }
}
