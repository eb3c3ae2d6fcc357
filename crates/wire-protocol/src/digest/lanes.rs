//! RIPEMD-160 of eight short messages at a time, one in each lane of AVX2's vectors.
//!
//! Each step of the hash depends on the one before, so a single message leaves most of a core idle. Plain
//! arrays of eight words, left to the compiler, were tried first: it takes them apart into scalars and gains
//! a tenth. CPUs without AVX2 hash one message at a time.

/// Messages hashed at a time.
pub(super) const LANES: usize = 8;

/// One 32-bit word of each lane.
pub(super) type Words = [u32; LANES];

/// The sixteen words of one message block, of each lane.
pub(super) type Blocks = [Words; 16];

/// Vector instructions that this CPU has.
#[derive(Clone, Copy)]
pub(super) enum Vectors {
    /// Eight words each.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Vectors {
    /// What this CPU has, if it is something of use here.
    pub(super) fn detect() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Some(Self::Avx2);
        }
        None
    }

    /// The digests of messages that fit one block each, padded.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
    pub(super) fn compress(self, block: &Blocks) -> [Words; 5] {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` has made sure of AVX2, which is all that the function asks for.
            #[allow(unsafe_code)]
            Self::Avx2 => unsafe { avx2::one_block(block) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_extract_epi32,
        _mm256_or_si256, _mm256_set1_epi32, _mm256_setr_epi32, _mm256_slli_epi32, _mm256_srli_epi32,
        _mm256_xor_si256,
    };

    use super::{Blocks, Words};

    const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(word: u32) -> __m256i {
        _mm256_set1_epi32(word as i32)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn vector(words: &Words) -> __m256i {
        let [a, b, c, d, e, f, g, h] = words.map(|word| word as i32);
        _mm256_setr_epi32(a, b, c, d, e, f, g, h)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn words(vector: __m256i) -> Words {
        [
            _mm256_extract_epi32::<0>(vector),
            _mm256_extract_epi32::<1>(vector),
            _mm256_extract_epi32::<2>(vector),
            _mm256_extract_epi32::<3>(vector),
            _mm256_extract_epi32::<4>(vector),
            _mm256_extract_epi32::<5>(vector),
            _mm256_extract_epi32::<6>(vector),
            _mm256_extract_epi32::<7>(vector),
        ]
        .map(|word| word as u32)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(a: __m256i, b: __m256i) -> __m256i {
        _mm256_add_epi32(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn xor(a: __m256i, b: __m256i) -> __m256i {
        _mm256_xor_si256(a, b)
    }

    /// `a | !b`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn or_not(a: __m256i, b: __m256i) -> __m256i {
        _mm256_or_si256(a, xor(b, splat(u32::MAX)))
    }

    /// `yes` where `mask` has ones, else `no`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn select(mask: __m256i, yes: __m256i, no: __m256i) -> __m256i {
        _mm256_or_si256(_mm256_and_si256(mask, yes), _mm256_andnot_si256(mask, no))
    }

    /// The five functions of the rounds.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn mix<const ROUND: usize>(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
        match ROUND {
            0 => xor(xor(x, y), z),
            1 => select(x, y, z),
            2 => xor(or_not(x, y), z),
            3 => select(z, x, y),
            _ => xor(x, or_not(y, z)),
        }
    }

    /// Sixteen steps of one line: the function, the constant, and for each step the message word and the
    /// rotation.
    macro_rules! round {
        ($state:ident, $block:ident, $mix:literal, $constant:literal, [$($word:literal $by:literal),* $(,)?]) => {
            $(
                let [a, b, c, d, e] = $state;
                let sum = add(add(a, mix::<$mix>(b, c, d)), add($block[$word], splat($constant)));
                let turned = _mm256_or_si256(_mm256_slli_epi32::<$by>(sum), _mm256_srli_epi32::<{ 32 - $by }>(sum));
                let tenth = _mm256_or_si256(_mm256_slli_epi32::<10>(c), _mm256_srli_epi32::<22>(c));
                $state = [e, add(turned, e), b, tenth, d];
            )*
        };
    }

    /// The digests of messages that fit one block each, padded.
    #[rustfmt::skip]
    #[target_feature(enable = "avx2")]
    pub(super) fn one_block(block: &Blocks) -> [Words; 5] {
        let start: [__m256i; 5] = [splat(START[0]), splat(START[1]), splat(START[2]), splat(START[3]), splat(START[4])];
        let mut block_vectors = [splat(0); 16];
        for (words, place) in block.iter().zip(&mut block_vectors) {
            *place = vector(words);
        }
        let block = block_vectors;
        let mut left = start;
        round!(left, block, 0, 0x0000_0000, [0 11, 1 14, 2 15, 3 12, 4 5, 5 8, 6 7, 7 9, 8 11, 9 13, 10 14, 11 15, 12 6, 13 7, 14 9, 15 8]);
        round!(left, block, 1, 0x5a82_7999, [7 7, 4 6, 13 8, 1 13, 10 11, 6 9, 15 7, 3 15, 12 7, 0 12, 9 15, 5 9, 2 11, 14 7, 11 13, 8 12]);
        round!(left, block, 2, 0x6ed9_eba1, [3 11, 10 13, 14 6, 4 7, 9 14, 15 9, 8 13, 1 15, 2 14, 7 8, 0 13, 6 6, 13 5, 11 12, 5 7, 12 5]);
        round!(left, block, 3, 0x8f1b_bcdc, [1 11, 9 12, 11 14, 10 15, 0 14, 8 15, 12 9, 4 8, 13 9, 3 14, 7 5, 15 6, 14 8, 5 6, 6 5, 2 12]);
        round!(left, block, 4, 0xa953_fd4e, [4 9, 0 15, 5 5, 9 11, 7 6, 12 8, 2 13, 10 12, 14 5, 1 12, 3 13, 8 14, 11 11, 6 8, 15 5, 13 6]);
        let mut right = start;
        round!(right, block, 4, 0x50a2_8be6, [5 8, 14 9, 7 9, 0 11, 9 13, 2 15, 11 15, 4 5, 13 7, 6 7, 15 8, 8 11, 1 14, 10 14, 3 12, 12 6]);
        round!(right, block, 3, 0x5c4d_d124, [6 9, 11 13, 3 15, 7 7, 0 12, 13 8, 5 9, 10 11, 14 7, 15 7, 8 12, 12 7, 4 6, 9 15, 1 13, 2 11]);
        round!(right, block, 2, 0x6d70_3ef3, [15 9, 5 7, 1 15, 3 11, 7 8, 14 6, 6 6, 9 14, 11 12, 8 13, 12 5, 2 14, 10 13, 0 13, 4 7, 13 5]);
        round!(right, block, 1, 0x7a6d_76e9, [8 15, 6 5, 4 8, 1 11, 3 14, 11 14, 15 6, 0 14, 5 6, 12 9, 2 12, 13 9, 9 12, 7 5, 10 15, 14 8]);
        round!(right, block, 0, 0x0000_0000, [12 8, 15 5, 10 12, 4 9, 1 12, 5 5, 8 14, 7 6, 6 8, 2 13, 13 6, 14 5, 0 15, 3 13, 9 11, 11 11]);
        let [la, lb, lc, ld, le] = left;
        let [ra, rb, rc, rd, re] = right;
        let [sa, sb, sc, sd, se] = start;
        [
            words(add(sb, add(lc, rd))),
            words(add(sc, add(ld, re))),
            words(add(sd, add(le, ra))),
            words(add(se, add(la, rb))),
            words(add(sa, add(lb, rc))),
        ]
    }
}
