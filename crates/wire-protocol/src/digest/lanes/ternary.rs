//! The functions of the rounds as truth tables of three operands, for AVX-512's ternary logic.

// The truth tables of the operands themselves. Applying a function to them gives the function's table.
const X: u8 = 0b1111_0000;
const Y: u8 = 0b1100_1100;
const Z: u8 = 0b1010_1010;

/// The table of each round.
pub(super) const MIX: [i32; 5] = [
    (X ^ Y ^ Z) as i32,
    ((X & Y) | (!X & Z)) as i32,
    ((X | !Y) ^ Z) as i32,
    ((Z & X) | (!Z & Y)) as i32,
    (X ^ (Y | !Z)) as i32,
];
