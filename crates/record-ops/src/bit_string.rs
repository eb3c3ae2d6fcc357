//! Bits of byte strings, numbered from the highest bit of the first byte.

/// The largest number of bits that is read or written at once.
pub(crate) const WORD: usize = 64;

/// The `len` lowest bits set.
pub(crate) fn low_bits(len: usize) -> u64 {
    match len {
        0 => 0,
        1..WORD => u64::MAX >> (WORD - len),
        _ => u64::MAX,
    }
}

/// The bytes that hold bits, as one number, and how many bits follow the wanted ones in the last byte.
fn window(bytes: &[u8], at: usize, len: usize) -> (u128, usize) {
    let end = (at + len).div_ceil(8);
    let window = bytes.get(at / 8..end).unwrap_or_default();
    let word = window.iter().fold(0, |word, &byte| word << 8 | u128::from(byte));
    (word, end * 8 - at - len)
}

/// Reads `len` bits, at most [`WORD`], from bit `at`. Bits past the end are 0.
pub(crate) fn read_bits(bytes: &[u8], at: usize, len: usize) -> u64 {
    debug_assert!(len <= WORD);
    let (word, unused) = window(bytes, at, len);
    (word >> unused) as u64 & low_bits(len)
}

/// Writes the `len` lowest bits of `value`, at most [`WORD`], to bit `at`. Bits past the end are dropped.
pub(crate) fn write_bits(bytes: &mut [u8], at: usize, len: usize, value: u64) {
    debug_assert!(len <= WORD);
    let (word, unused) = window(bytes, at, len);
    let mask = u128::from(low_bits(len)) << unused;
    let word = word & !mask | u128::from(value) << unused & mask;
    let end = (at + len).div_ceil(8);
    let Some(window) = bytes.get_mut(at / 8..end) else {
        return;
    };
    for (byte, shift) in window.iter_mut().rev().zip((0..).step_by(8)) {
        *byte = (word >> shift) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_are_what_single_bits_say(
            mut bytes in prop::collection::vec(any::<u8>(), 9..24),
            at in 0usize..64,
            len in 0usize..=64,
            value: u64,
        ) {
            let bit = |bytes: &[u8], at: usize| u64::from(bytes[at / 8] >> (7 - at % 8) & 1);
            prop_assume!(at + len <= bytes.len() * 8);
            let before = bytes.clone();
            let wanted = (at..at + len).fold(0, |word, at| word << 1 | bit(&before, at));
            prop_assert_eq!(read_bits(&bytes, at, len), wanted);
            write_bits(&mut bytes, at, len, value);
            prop_assert_eq!(read_bits(&bytes, at, len), value & low_bits(len));
            for other in (0..bytes.len() * 8).filter(|other| !(at..at + len).contains(other)) {
                prop_assert_eq!(bit(&bytes, other), bit(&before, other));
            }
        }
    }
}
