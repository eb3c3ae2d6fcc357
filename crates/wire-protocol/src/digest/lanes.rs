//! RIPEMD-160 of eight short messages at a time, one in each lane of AVX2's vectors.
//!
//! Each step of the hash depends on the one before, so a single message leaves most of a core idle. Plain
//! arrays of eight words, left to the compiler, were tried first: it takes them apart into scalars and gains
//! a tenth. CPUs without AVX2 hash one message at a time.

/// Messages hashed at a time.
pub(super) const LANES: usize = 8;

/// A message that fits one block, padded, in each lane.
pub(super) type Messages = [[u8; 64]; LANES];

/// The digest of each lane.
pub(super) type Digests = [[u8; 20]; LANES];

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
    pub(super) fn digests(self, messages: &Messages) -> Digests {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `detect` has made sure of AVX2, which is all that the function asks for.
            #[allow(unsafe_code)]
            Self::Avx2 => unsafe { avx2::digests(messages) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_extract_epi32,
        _mm256_extract_epi64, _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set1_epi32,
        _mm256_setr_epi64x, _mm256_setzero_si256, _mm256_slli_epi32, _mm256_srli_epi32,
        _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
        _mm256_xor_si256,
    };

    use super::{Digests, LANES, Messages};

    const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

    /// A vector of each lane's word, or of each word of a lane.
    type Vectors = [__m256i; LANES];

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(word: u32) -> __m256i {
        _mm256_set1_epi32(word as i32)
    }

    /// Eight words as they are in memory.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(bytes: &[u8; 32]) -> __m256i {
        let word = |at: usize| {
            let (words, _) = bytes.as_chunks::<8>();
            i64::from_le_bytes(words[at])
        };
        _mm256_setr_epi64x(word(0), word(1), word(2), word(3))
    }

    /// Rows become columns: word `i` of vector `k` becomes word `k` of vector `i`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn transposed(rows: &Vectors) -> Vectors {
        let [a, b, c, d, e, f, g, h] = *rows;
        let (ab, cd) = (_mm256_unpacklo_epi32(a, b), _mm256_unpacklo_epi32(c, d));
        let (ef, gh) = (_mm256_unpacklo_epi32(e, f), _mm256_unpacklo_epi32(g, h));
        let (ab_high, cd_high) = (_mm256_unpackhi_epi32(a, b), _mm256_unpackhi_epi32(c, d));
        let (ef_high, gh_high) = (_mm256_unpackhi_epi32(e, f), _mm256_unpackhi_epi32(g, h));
        let first = [
            _mm256_unpacklo_epi64(ab, cd),
            _mm256_unpackhi_epi64(ab, cd),
            _mm256_unpacklo_epi64(ab_high, cd_high),
            _mm256_unpackhi_epi64(ab_high, cd_high),
        ];
        let second = [
            _mm256_unpacklo_epi64(ef, gh),
            _mm256_unpackhi_epi64(ef, gh),
            _mm256_unpacklo_epi64(ef_high, gh_high),
            _mm256_unpackhi_epi64(ef_high, gh_high),
        ];
        let mut columns = [_mm256_setzero_si256(); LANES];
        for at in 0..4 {
            columns[at] = _mm256_permute2x128_si256::<0x20>(first[at], second[at]);
            columns[at + 4] = _mm256_permute2x128_si256::<0x31>(first[at], second[at]);
        }
        columns
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

    /// One step of a line: the function, the constant, the message word and the rotation.
    macro_rules! step {
        ($state:ident, $block:ident, $mix:literal, $constant:literal, $word:literal, $by:literal) => {
            let [a, b, c, d, e] = $state;
            let sum = add(add(a, mix::<$mix>(b, c, d)), add($block[$word], splat($constant)));
            let turned =
                _mm256_or_si256(_mm256_slli_epi32::<$by>(sum), _mm256_srli_epi32::<{ 32 - $by }>(sum));
            let tenth = _mm256_or_si256(_mm256_slli_epi32::<10>(c), _mm256_srli_epi32::<22>(c));
            $state = [e, add(turned, e), b, tenth, d];
        };
    }

    /// Sixteen steps of both lines, in turn: each step of a line waits for the one before, and neither for the
    /// other line.
    macro_rules! rounds {
        ($left:ident, $lmix:literal, $lconstant:literal, [$($lword:literal $lby:literal),*];
         $right:ident, $rmix:literal, $rconstant:literal, [$($rword:literal $rby:literal),*]; $block:ident) => {
            $(
                step!($left, $block, $lmix, $lconstant, $lword, $lby);
                step!($right, $block, $rmix, $rconstant, $rword, $rby);
            )*
        };
    }

    /// The digests of messages that fit one block each, padded.
    #[rustfmt::skip]
    #[target_feature(enable = "avx2")]
    pub(super) fn digests(messages: &Messages) -> Digests {
        let zero = _mm256_setzero_si256();
        let (mut low, mut high) = ([zero; LANES], [zero; LANES]);
        for ((low, high), message) in low.iter_mut().zip(&mut high).zip(messages) {
            let (halves, _) = message.as_chunks::<32>();
            (*low, *high) = (load(&halves[0]), load(&halves[1]));
        }
        let (low, high) = (transposed(&low), transposed(&high));
        let mut block = [zero; 16];
        block[..LANES].copy_from_slice(&low);
        block[LANES..].copy_from_slice(&high);
        let start: [__m256i; 5] = [splat(START[0]), splat(START[1]), splat(START[2]), splat(START[3]), splat(START[4])];
        let (mut left, mut right) = (start, start);
        rounds!(left, 0, 0x0000_0000, [0 11, 1 14, 2 15, 3 12, 4 5, 5 8, 6 7, 7 9, 8 11, 9 13, 10 14, 11 15, 12 6, 13 7, 14 9, 15 8];
                right, 4, 0x50a2_8be6, [5 8, 14 9, 7 9, 0 11, 9 13, 2 15, 11 15, 4 5, 13 7, 6 7, 15 8, 8 11, 1 14, 10 14, 3 12, 12 6]; block);
        rounds!(left, 1, 0x5a82_7999, [7 7, 4 6, 13 8, 1 13, 10 11, 6 9, 15 7, 3 15, 12 7, 0 12, 9 15, 5 9, 2 11, 14 7, 11 13, 8 12];
                right, 3, 0x5c4d_d124, [6 9, 11 13, 3 15, 7 7, 0 12, 13 8, 5 9, 10 11, 14 7, 15 7, 8 12, 12 7, 4 6, 9 15, 1 13, 2 11]; block);
        rounds!(left, 2, 0x6ed9_eba1, [3 11, 10 13, 14 6, 4 7, 9 14, 15 9, 8 13, 1 15, 2 14, 7 8, 0 13, 6 6, 13 5, 11 12, 5 7, 12 5];
                right, 2, 0x6d70_3ef3, [15 9, 5 7, 1 15, 3 11, 7 8, 14 6, 6 6, 9 14, 11 12, 8 13, 12 5, 2 14, 10 13, 0 13, 4 7, 13 5]; block);
        rounds!(left, 3, 0x8f1b_bcdc, [1 11, 9 12, 11 14, 10 15, 0 14, 8 15, 12 9, 4 8, 13 9, 3 14, 7 5, 15 6, 14 8, 5 6, 6 5, 2 12];
                right, 1, 0x7a6d_76e9, [8 15, 6 5, 4 8, 1 11, 3 14, 11 14, 15 6, 0 14, 5 6, 12 9, 2 12, 13 9, 9 12, 7 5, 10 15, 14 8]; block);
        rounds!(left, 4, 0xa953_fd4e, [4 9, 0 15, 5 5, 9 11, 7 6, 12 8, 2 13, 10 12, 14 5, 1 12, 3 13, 8 14, 11 11, 6 8, 15 5, 13 6];
                right, 0, 0x0000_0000, [12 8, 15 5, 10 12, 4 9, 1 12, 5 5, 8 14, 7 6, 6 8, 2 13, 13 6, 14 5, 0 15, 3 13, 9 11, 11 11]; block);
        let [la, lb, lc, ld, le] = left;
        let [ra, rb, rc, rd, re] = right;
        let [sa, sb, sc, sd, se] = start;
        let lanes = transposed(&[
            add(sb, add(lc, rd)),
            add(sc, add(ld, re)),
            add(sd, add(le, ra)),
            add(se, add(la, rb)),
            add(sa, add(lb, rc)),
            zero, zero, zero,
        ]);
        lanes.map(|lane| {
            let mut digest = [0; 20];
            digest[..8].copy_from_slice(&_mm256_extract_epi64::<0>(lane).to_le_bytes());
            digest[8..16].copy_from_slice(&_mm256_extract_epi64::<1>(lane).to_le_bytes());
            digest[16..].copy_from_slice(&_mm256_extract_epi32::<4>(lane).to_le_bytes());
            digest
        })
    }
}
