//! The variant for AVX2: eight lanes.

use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_or_si256, _mm256_set1_epi32,
    _mm256_slli_epi32, _mm256_srli_epi32, _mm256_xor_si256,
};

use super::compress::{START, compress, round, step};
use super::{Digest, Message, transpose};

/// Hashes eight messages.
#[target_feature(enable = "avx2")]
pub(super) fn hash(messages: &[Message; 8], digests: &mut [Digest; 8]) {
    transpose::write(compress!(transpose::words(messages)), digests);
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotated<const LEFT: i32, const RIGHT: i32>(words: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<LEFT>(words), _mm256_srli_epi32::<RIGHT>(words))
}

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
