//! The variant for AVX-512F: sixteen lanes.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_castsi256_si512, _mm512_castsi512_si256, _mm512_extracti64x4_epi64,
    _mm512_inserti64x4, _mm512_rol_epi32, _mm512_set1_epi32, _mm512_ternarylogic_epi32,
};

use super::compress::{START, compress, round, step};
use super::ternary::MIX;
use super::{Digests, Messages, transpose};

/// Hashes sixteen messages.
#[target_feature(enable = "avx512f")]
pub(super) fn hash(messages: &Messages, digests: &mut Digests) {
    let [low, high] = [transpose::words(&messages[0]), transpose::words(&messages[1])];
    let words: [__m512i; 16] =
        std::array::from_fn(|at| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low[at]), high[at]));
    let state = compress!(words);
    transpose::write(state.map(|words| _mm512_castsi512_si256(words)), &mut digests[0]);
    transpose::write(state.map(|words| _mm512_extracti64x4_epi64::<1>(words)), &mut digests[1]);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotated<const LEFT: i32, const RIGHT: i32>(words: __m512i) -> __m512i {
    _mm512_rol_epi32::<LEFT>(words)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mix<const ROUND: usize>(x: __m512i, y: __m512i, z: __m512i) -> __m512i {
    match ROUND {
        0 => _mm512_ternarylogic_epi32::<{ MIX[0] }>(x, y, z),
        1 => _mm512_ternarylogic_epi32::<{ MIX[1] }>(x, y, z),
        2 => _mm512_ternarylogic_epi32::<{ MIX[2] }>(x, y, z),
        3 => _mm512_ternarylogic_epi32::<{ MIX[3] }>(x, y, z),
        _ => _mm512_ternarylogic_epi32::<{ MIX[4] }>(x, y, z),
    }
}
