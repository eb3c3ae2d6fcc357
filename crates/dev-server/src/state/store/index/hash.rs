//! wyhash, final version 3, by Wang Yi (public domain): the server's hash of texts and bytes.

const SECRET: [u64; 4] =
    [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3];

/// The seed that servers use.
const SEED: u64 = 0x0002_9fbb_14cc_886f;

/// Multiplies, and folds the product to half its size.
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

/// Eight bytes at a position; bytes beyond the end count as 0.
fn eight(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn four(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

/// The hash of bytes.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let mut seed = SEED ^ SECRET[0];
    let (a, b) = match bytes {
        [] => (0, 0),
        [first, .., last] | [first @ last] if len < 4 => {
            let middle = bytes.get(len / 2).copied().unwrap_or_default();
            (u64::from(*first) << 16 | u64::from(middle) << 8 | u64::from(*last), 0)
        }
        _ if len <= 16 => {
            let step = (len >> 3) << 2;
            (
                four(bytes, 0) << 32 | four(bytes, step),
                four(bytes, len - 4) << 32 | four(bytes, len - 4 - step),
            )
        }
        _ => {
            let mut at = 0;
            if len > 48 {
                let (mut second, mut third) = (seed, seed);
                while len - at > 48 {
                    seed = mix(eight(bytes, at) ^ SECRET[1], eight(bytes, at + 8) ^ seed);
                    second = mix(eight(bytes, at + 16) ^ SECRET[2], eight(bytes, at + 24) ^ second);
                    third = mix(eight(bytes, at + 32) ^ SECRET[3], eight(bytes, at + 40) ^ third);
                    at += 48;
                }
                seed ^= second ^ third;
            }
            while len - at > 16 {
                seed = mix(eight(bytes, at) ^ SECRET[1], eight(bytes, at + 8) ^ seed);
                at += 16;
            }
            (eight(bytes, len - 16), eight(bytes, len - 8))
        }
    };
    mix(SECRET[1] ^ len as u64, mix(a ^ SECRET[1], b ^ seed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_recorded_answers() {
        // From the index values in recorded answers to queries.
        assert_eq!(hash(b"s1"), u64::from_le_bytes([0x98, 0xe8, 0x53, 0x7c, 0xd6, 0xbd, 0xd8, 0x1f]));
    }

    #[test]
    fn every_length_is_hashed() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut seen: Vec<u64> = (0..=bytes.len()).map(|len| hash(&bytes[..len])).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), bytes.len() + 1);
    }
}
