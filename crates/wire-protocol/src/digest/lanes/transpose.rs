//! Transposes eight messages into vectors with one word of each message, and the resulting vectors into digests.
//!
//! Uses AVX2, as all variants work on groups of eight.

use std::arch::x86_64::{
    __m256i, _mm256_extract_epi32, _mm256_extract_epi64, _mm256_permute2x128_si256, _mm256_setr_epi64x,
    _mm256_setzero_si256, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64,
};

use super::{Digest, Message};

/// The words of the messages: vector `i` has word `i` of each message.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn words(messages: &[Message; 8]) -> [__m256i; 16] {
    let zero = _mm256_setzero_si256();
    let (mut low, mut high) = ([zero; 8], [zero; 8]);
    for ((low, high), message) in low.iter_mut().zip(&mut high).zip(messages) {
        let (halves, _) = message.as_chunks::<32>();
        (*low, *high) = (load(&halves[0]), load(&halves[1]));
    }
    let mut block = [zero; 16];
    block[..8].copy_from_slice(&transposed(&low));
    block[8..].copy_from_slice(&transposed(&high));
    block
}

/// Writes the digests, given their words as vectors.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn write(state: [__m256i; 5], digests: &mut [Digest; 8]) {
    let [a, b, c, d, e] = state;
    let zero = _mm256_setzero_si256();
    for (digest, lane) in digests.iter_mut().zip(transposed(&[a, b, c, d, e, zero, zero, zero])) {
        digest[..8].copy_from_slice(&_mm256_extract_epi64::<0>(lane).to_le_bytes());
        digest[8..16].copy_from_slice(&_mm256_extract_epi64::<1>(lane).to_le_bytes());
        digest[16..].copy_from_slice(&_mm256_extract_epi32::<4>(lane).to_le_bytes());
    }
}

/// Loads eight words.
#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    let word = |at: usize| {
        let (words, _) = bytes.as_chunks::<8>();
        i64::from_le_bytes(words[at])
    };
    _mm256_setr_epi64x(word(0), word(1), word(2), word(3))
}

/// Transposes: word `i` of vector `k` becomes word `k` of vector `i`.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(rows: &[__m256i; 8]) -> [__m256i; 8] {
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
    let mut columns = [_mm256_setzero_si256(); 8];
    for at in 0..4 {
        columns[at] = _mm256_permute2x128_si256::<0x20>(first[at], second[at]);
        columns[at + 4] = _mm256_permute2x128_si256::<0x31>(first[at], second[at]);
    }
    columns
}
