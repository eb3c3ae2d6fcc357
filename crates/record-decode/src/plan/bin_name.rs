//! Bin names that are compared without a loop.

use dtype_schema::MAX_BIN_NAME;

/// A bin name of up to 15 bytes as three numbers, which are equal if and only if the names are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BinName {
    length: u8,
    head: u64,
    tail: u64,
}

impl BinName {
    /// `None` if `name` is longer than bin names can be.
    #[inline]
    pub(crate) fn new(name: &[u8]) -> Option<Self> {
        let length = name.len();
        // Two overlapping loads cover every byte of a name that is at least as long as one of them.
        let (head, tail) = if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
        } else {
            match *name {
                [] => (0, 0),
                [a] => (a.into(), 0),
                [a, b] => (u16::from_le_bytes([a, b]).into(), 0),
                [a, b, c, ..] => (u16::from_le_bytes([a, b]).into(), c.into()),
            }
        };
        (length <= MAX_BIN_NAME).then_some(Self { length: length as u8, head, tail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        for length in 0..=MAX_BIN_NAME {
            let name: Vec<u8> = (1..=length as u8).collect();
            let key = BinName::new(&name).unwrap();
            assert_eq!(key, BinName::new(&name.clone()).unwrap());
            for at in 0..length {
                let mut other = name.clone();
                other[at] ^= 0x80;
                assert_ne!(Some(key), BinName::new(&other), "byte {at} of {length}");
            }
            assert_ne!(BinName::new(&[name.as_slice(), &[0]].concat()), Some(key));
        }
        assert_eq!(BinName::new(&[b'a'; 16]), None);
        assert_eq!(BinName::new(&[b'a'; 255]), None);
    }
}
