//! The eighty steps of RIPEMD-160, for vectors of any width.
//!
//! They are macros, because each variant expands them in a function that is compiled for its instructions. The macros
//! expect these functions, for the variant's type of vector, in scope:
//!
//! - `splat(word)`: the word in every lane,
//! - `add(a, b)`: sums,
//! - `mix::<ROUND>(x, y, z)`: the five functions of the rounds,
//! - `rotated::<LEFT, RIGHT>(words)`: words rotated left by `LEFT` bits, which is right by `RIGHT`.

/// The initial state.
pub(super) const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// One step of a line: the function, the constant, the message word and the rotation.
macro_rules! step {
    ($state:ident, $block:ident, $mix:literal, $constant:literal, $word:literal, $by:literal) => {
        let [a, b, c, d, e] = $state;
        let sum = add(add(a, add($block[$word], splat($constant))), mix::<$mix>(b, c, d));
        $state = [e, add(rotated::<$by, { 32 - $by }>(sum), e), b, rotated::<10, 22>(c), d];
    };
}

/// Sixteen steps of both lines, interleaved: a step depends on the previous step of its own line, not on the other
/// line.
macro_rules! round {
    ($block:ident;
     $left:ident, $lmix:literal, $lconstant:literal, [$($lword:literal $lby:literal),*];
     $right:ident, $rmix:literal, $rconstant:literal, [$($rword:literal $rby:literal),*]) => {
        $(
            step!($left, $block, $lmix, $lconstant, $lword, $lby);
            step!($right, $block, $rmix, $rconstant, $rword, $rby);
        )*
    };
}

/// The five words of each digest, from the sixteen words of each message.
macro_rules! compress {
    ($words:expr) => {{
        let block = $words;
        let start = START.map(|word| splat(word));
        let (mut left, mut right) = (start, start);
        round!(block;
            left, 0, 0x0000_0000,
            [0 11, 1 14, 2 15, 3 12, 4 5, 5 8, 6 7, 7 9, 8 11, 9 13, 10 14, 11 15, 12 6, 13 7, 14 9, 15 8];
            right, 4, 0x50a2_8be6,
            [5 8, 14 9, 7 9, 0 11, 9 13, 2 15, 11 15, 4 5, 13 7, 6 7, 15 8, 8 11, 1 14, 10 14, 3 12, 12 6]);
        round!(block;
            left, 1, 0x5a82_7999,
            [7 7, 4 6, 13 8, 1 13, 10 11, 6 9, 15 7, 3 15, 12 7, 0 12, 9 15, 5 9, 2 11, 14 7, 11 13, 8 12];
            right, 3, 0x5c4d_d124,
            [6 9, 11 13, 3 15, 7 7, 0 12, 13 8, 5 9, 10 11, 14 7, 15 7, 8 12, 12 7, 4 6, 9 15, 1 13, 2 11]);
        round!(block;
            left, 2, 0x6ed9_eba1,
            [3 11, 10 13, 14 6, 4 7, 9 14, 15 9, 8 13, 1 15, 2 14, 7 8, 0 13, 6 6, 13 5, 11 12, 5 7, 12 5];
            right, 2, 0x6d70_3ef3,
            [15 9, 5 7, 1 15, 3 11, 7 8, 14 6, 6 6, 9 14, 11 12, 8 13, 12 5, 2 14, 10 13, 0 13, 4 7, 13 5]);
        round!(block;
            left, 3, 0x8f1b_bcdc,
            [1 11, 9 12, 11 14, 10 15, 0 14, 8 15, 12 9, 4 8, 13 9, 3 14, 7 5, 15 6, 14 8, 5 6, 6 5, 2 12];
            right, 1, 0x7a6d_76e9,
            [8 15, 6 5, 4 8, 1 11, 3 14, 11 14, 15 6, 0 14, 5 6, 12 9, 2 12, 13 9, 9 12, 7 5, 10 15, 14 8]);
        round!(block;
            left, 4, 0xa953_fd4e,
            [4 9, 0 15, 5 5, 9 11, 7 6, 12 8, 2 13, 10 12, 14 5, 1 12, 3 13, 8 14, 11 11, 6 8, 15 5, 13 6];
            right, 0, 0x0000_0000,
            [12 8, 15 5, 10 12, 4 9, 1 12, 5 5, 8 14, 7 6, 6 8, 2 13, 13 6, 14 5, 0 15, 3 13, 9 11, 11 11]);
        let [la, lb, lc, ld, le] = left;
        let [ra, rb, rc, rd, re] = right;
        let [sa, sb, sc, sd, se] = start;
        [
            add(sb, add(lc, rd)),
            add(sc, add(ld, re)),
            add(sd, add(le, ra)),
            add(se, add(la, rb)),
            add(sa, add(lb, rc)),
        ]
    }};
}

pub(super) use {compress, round, step};
