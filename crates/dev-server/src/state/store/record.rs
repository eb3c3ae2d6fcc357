//! Records.

use record_ops::value::without_index;
use wire_protocol::message::{Op, write_op};
use wire_protocol::particle::particle_type;

/// Largest number of bins of a record.
pub(crate) const MAX_BINS: usize = 32_767;

/// A record. Its bins are stored as the operations of an answer, so that a read copies them.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) generation: u16,
    /// The last second before it expires; 0 means never.
    pub(crate) void_time: u32,
    /// The time at which it was written or touched, in milliseconds.
    pub(crate) last_update: u64,
    /// The number of its set in the namespace.
    pub(crate) set: u16,
    pub(crate) n_bins: u16,
    /// Whether a list or map has the flag of a persisted index, which clients do not see.
    pub(crate) has_index: bool,
    pub(crate) bins: Box<[u8]>,
    /// Particle type and value of the user key, if a write has sent it.
    pub(crate) key: Option<Box<[u8]>>,
}

impl Record {
    pub(crate) fn is_expired(&self, now: u32) -> bool {
        self.void_time != 0 && self.void_time < now
    }

    /// The time to live that it had when it was last written or touched.
    pub(crate) fn ttl(&self) -> u32 {
        self.void_time.saturating_sub((self.last_update / 1000) as u32)
    }

    /// Appends all bins.
    #[inline]
    pub(crate) fn write_bins(&self, out: &mut Vec<u8>) {
        if self.has_index {
            bins(&self.bins).for_each(|(whole, _)| write_bin(out, whole));
        } else {
            out.extend_from_slice(&self.bins);
        }
    }

    /// The size that counts against the largest record size.
    pub(crate) fn size(&self) -> usize {
        stored_size(self.bins.len(), self.key.as_deref())
    }
}

/// The size of a record with this many bytes of bins: its bins, its key, and a fixed share for the index.
pub(crate) fn stored_size(bins: usize, key: Option<&[u8]>) -> usize {
    64 + bins + key.map_or(0, <[u8]>::len)
}

/// Appends a stored bin as clients see it.
#[inline]
pub(crate) fn write_bin(out: &mut Vec<u8>, whole: &[u8]) {
    let is_collection = matches!(whole.get(5), Some(&(particle_type::LIST | particle_type::MAP)));
    if is_collection
        && let Some((_, bin)) = bins(whole).next()
        && let Some(value) = without_index(bin.value)
    {
        write_op(out, bin.code, bin.particle_type, bin.name, &value);
    } else {
        out.extend_from_slice(whole);
    }
}

/// Iterates over encoded bins: the bytes of each, and its parsed form.
#[inline]
pub(crate) fn bins(bytes: &[u8]) -> impl Iterator<Item = (&[u8], Op<'_>)> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (size, body) = rest.split_first_chunk::<4>()?;
        let (body, _) = body.split_at_checked(u32::from_be_bytes(*size) as usize)?;
        let (whole, tail) = rest.split_at_checked(4 + body.len())?;
        let (&[code, particle_type, _, name_size], body) = body.split_first_chunk::<4>()?;
        let (name, value) = body.split_at_checked(usize::from(name_size))?;
        rest = tail;
        Some((whole, Op { code, particle_type, name, value }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_expire_after_the_void_time() {
        let mut record = Record {
            generation: 1,
            void_time: 0,
            last_update: 0,
            set: 0,
            n_bins: 0,
            has_index: false,
            bins: Box::default(),
            key: None,
        };
        assert!(!record.is_expired(u32::MAX));
        record.void_time = 10;
        assert!(!record.is_expired(10));
        assert!(record.is_expired(11));
    }
}
