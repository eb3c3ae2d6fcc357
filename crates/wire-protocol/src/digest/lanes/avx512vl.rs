//! The variant for AVX-512VL: eight lanes.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_rol_epi32, _mm256_set1_epi32, _mm256_ternarylogic_epi32,
};

use super::compress::{START, compress, round, step};
use super::ternary::MIX;
use super::{Digest, Message, transpose};

/// Hashes eight messages.
#[target_feature(enable = "avx512f,avx512vl")]
pub(super) fn hash(messages: &[Message; 8], digests: &mut [Digest; 8]) {
    transpose::write(compress!(transpose::words(messages)), digests);
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn rotated<const LEFT: i32, const RIGHT: i32>(words: __m256i) -> __m256i {
    _mm256_rol_epi32::<LEFT>(words)
}

#[inline]
#[target_feature(enable = "avx512f,avx512vl")]
fn mix<const ROUND: usize>(x: __m256i, y: __m256i, z: __m256i) -> __m256i {
    match ROUND {
        0 => _mm256_ternarylogic_epi32::<{ MIX[0] }>(x, y, z),
        1 => _mm256_ternarylogic_epi32::<{ MIX[1] }>(x, y, z),
        2 => _mm256_ternarylogic_epi32::<{ MIX[2] }>(x, y, z),
        3 => _mm256_ternarylogic_epi32::<{ MIX[3] }>(x, y, z),
        _ => _mm256_ternarylogic_epi32::<{ MIX[4] }>(x, y, z),
    }
}
