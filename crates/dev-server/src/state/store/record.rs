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

/// The size of a record in the server's storage, which expressions can ask for: a header, the name of the set, the
/// key, the time of expiry, the bins and an end mark, rounded up to blocks.
pub(crate) fn storage_size(record_bins: &[u8], set: &[u8], key: Option<&[u8]>, void_time: u32) -> usize {
    const HEADER: usize = 35;
    const END_MARK: usize = 4;
    const BLOCK: usize = 16;
    /// The length of a number in groups of seven bits.
    fn varint(number: usize) -> usize {
        (usize::BITS - number.leading_zeros()).div_ceil(7).max(1) as usize
    }
    let optional = |size: usize, overhead: usize| if size == 0 { 0 } else { size + overhead };
    let key = key.map_or(0, <[u8]>::len);
    let mut n_bins = 0;
    let mut size = HEADER + END_MARK + optional(set.len(), 1) + optional(key, varint(key));
    size += if void_time == 0 { 0 } else { 4 };
    for (_, bin) in bins(record_bins) {
        n_bins += 1;
        size += 1 + bin.name.len() + stored_value_size(bin.particle_type, bin.value);
    }
    (size + varint(n_bins)).next_multiple_of(BLOCK)
}

/// The size of a value in the server's storage.
fn stored_value_size(kind: u8, value: &[u8]) -> usize {
    match kind {
        particle_type::INTEGER => match value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)) {
            Some(0..=0xff) => 3,
            Some(0x100..=0xffff) => 4,
            Some(0x1_0000..=0xffff_ffff) => 6,
            _ => 10,
        },
        particle_type::FLOAT => 9,
        particle_type::BOOL => 2,
        _ => 5 + value.len(),
    }
}

/// Appends a stored bin as clients see it.
#[inline]
pub(crate) fn write_bin(out: &mut Vec<u8>, whole: &[u8]) {
    if is_collection(whole.get(5).copied().unwrap_or_default())
        && let Some((_, bin)) = bins(whole).next()
    {
        write_value(out, bin.code, bin.name, bin.particle_type, bin.value);
    } else {
        out.extend_from_slice(whole);
    }
}

fn is_collection(kind: u8) -> bool {
    matches!(kind, particle_type::LIST | particle_type::MAP)
}

/// Appends a value as clients see it: a list or map without its index.
pub(crate) fn write_value(out: &mut Vec<u8>, code: u8, name: &[u8], kind: u8, value: &[u8]) {
    match without_index(value).filter(|_| is_collection(kind)) {
        Some(value) => write_op(out, code, kind, name, &value),
        None => write_op(out, code, kind, name, value),
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
