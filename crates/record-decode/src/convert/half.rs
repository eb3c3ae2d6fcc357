//! IEEE 754 half precision, for which Rust has no stable type.

/// Bits of the infinite half.
const INFINITY: u16 = 0x7c00;

/// The number of bits of a double's fraction that a half lacks.
const DROPPED: u32 = 52 - 10;

/// Rounds a double to the nearest half, ties to even, in one step. Returns the bits of the half and whether the value
/// is the same.
///
/// From 65520 on, the nearest half is infinite. NaN becomes a quiet NaN with the same sign and the upper bits of the
/// payload.
pub(crate) fn from_f64(value: f64) -> (u16, bool) {
    let bits = value.to_bits();
    let sign = (bits >> 48) as u16 & 0x8000;
    let exponent = value_exponent(bits);
    if exponent >= 16 {
        return if value.is_nan() {
            (sign | INFINITY | 0x0200 | (bits >> DROPPED) as u16 & 0x03ff, true)
        } else {
            (sign | INFINITY, value.is_infinite())
        };
    }
    // The smallest subnormal half is 2^-24; anything below half of it rounds to zero.
    if exponent < -25 {
        return (sign, value == 0.0);
    }
    let significand = bits & ((1 << 52) - 1) | 1 << 52;
    // The last bit of a subnormal half is 2^-24 for every exponent, so more of the fraction is dropped.
    let dropped = DROPPED + (-14 - exponent).max(0) as u32;
    let kept = significand >> dropped;
    let rest = significand & ((1 << dropped) - 1);
    let tie = 1 << (dropped - 1);
    let up = rest > tie || (rest == tie && kept & 1 == 1);
    // `kept` of a normal half includes the leading one at bit 10, which adds 1 to the exponent, so that is one too low
    // here. A carry from rounding moves on into the exponent, and from the largest half to infinity.
    let base = ((exponent + 14).max(0) as u64) << 10;
    (sign | (base + kept + u64::from(up)) as u16, rest == 0)
}

/// The value of a half, exactly. NaN keeps its sign and payload, so [`from_f64`] returns the same bits, except that a
/// signalling NaN becomes quiet.
pub(crate) fn to_f64(bits: u16) -> f64 {
    let sign = u64::from(bits >> 15) << 63;
    let fraction = u64::from(bits & 0x3ff);
    match bits >> 10 & 0x1f {
        // Subnormal: the fraction counts units of 2^-24, exactly.
        0 => f64::from_bits(sign | (fraction as f64 / f64::from(1 << 24)).to_bits()),
        31 => f64::from_bits(sign | 0x7ff << 52 | fraction << DROPPED),
        exponent => f64::from_bits(sign | (u64::from(exponent) + 1023 - 15) << 52 | fraction << DROPPED),
    }
}

/// The exponent of a double's leading bit. Subnormal doubles need no care: they are far below every half.
fn value_exponent(bits: u64) -> i32 {
    (bits >> 52 & 0x7ff) as i32 - 1023
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A power of two that is a normal double, exactly, which [`f64::powi`] does not guarantee.
    fn two_to(exponent: i32) -> f64 {
        f64::from_bits(((exponent + 1023) as u64) << 52)
    }

    /// The value of a half, from its definition.
    fn by_definition(bits: u16) -> f64 {
        let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
        let exponent = i32::from(bits >> 10 & 0x1f);
        let fraction = f64::from(bits & 0x3ff);
        sign * match exponent {
            0 => fraction * two_to(-24),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1024.0 + fraction) * two_to(exponent - 25),
        }
    }

    /// The nearest half by search in the ordered table of all finite ones: shares nothing with the
    /// conversion but the definition.
    struct Table(Vec<f64>);

    impl Table {
        fn new() -> Self {
            // The value after the largest half stands for infinity: it is where that rounding begins to
            // tie, and its bits are infinity's.
            Self((0..INFINITY).map(by_definition).chain([65536.0]).collect())
        }

        fn nearest(&self, value: f64) -> u16 {
            let sign = if value.is_sign_negative() { 0x8000 } else { 0 };
            let size = value.abs();
            let above = self.0.partition_point(|&half| half < size);
            let Some(&high) = self.0.get(above) else { return sign | INFINITY };
            let bits = if above == 0 {
                0
            } else {
                // Both differences are exact: neighbours have nearly the same exponent.
                let low = self.0[above - 1];
                match (size - low).total_cmp(&(high - size)) {
                    std::cmp::Ordering::Less => above - 1,
                    std::cmp::Ordering::Greater => above,
                    std::cmp::Ordering::Equal => above - 1 + (above - 1) % 2,
                }
            };
            sign | bits as u16
        }
    }

    #[test]
    fn every_half_has_its_value() {
        for bits in 0..=u16::MAX {
            let (value, expected) = (to_f64(bits), by_definition(bits));
            assert!(value == expected || value.is_nan() && expected.is_nan(), "{bits:#06x}");
            assert_eq!(value.is_sign_negative(), bits >> 15 == 1);
            let quiet = if value.is_nan() { bits | 0x0200 } else { bits };
            assert_eq!(from_f64(value), (quiet, true), "{bits:#06x}");
        }
    }

    #[test]
    fn every_half_comes_back() {
        for bits in 0..=u16::MAX {
            let value = by_definition(bits);
            let (back, exact) = from_f64(value);
            assert!(exact, "{bits:#06x}");
            if value.is_nan() {
                assert!(by_definition(back).is_nan());
            } else {
                assert_eq!(back, bits, "{value}");
            }
        }
    }

    #[test]
    fn between_halves_the_nearest_wins() {
        let table = Table::new();
        let check = |value: f64| {
            for value in [value, -value] {
                let (bits, exact) = from_f64(value);
                assert_eq!(bits, table.nearest(value), "{value:e}");
                assert_eq!(exact, by_definition(bits) == value, "{value:e}");
            }
        };
        for pair in table.0.windows(2) {
            let middle = f64::midpoint(pair[0], pair[1]);
            for value in [pair[0], middle, pair[1]] {
                check(value);
                check(value.next_up());
                if value > 0.0 {
                    check(value.next_down());
                }
            }
            check(f64::midpoint(pair[0], middle));
            check(f64::midpoint(middle, pair[1]));
        }
        for value in [65519.99, 65520.0, 65536.0, 1e5, 1e300, f64::MAX, f64::MIN_POSITIVE, 5e-324, 2e-8] {
            check(value);
        }
    }

    #[test]
    fn doubles_round_once() {
        // Through a single-precision step the tie's low bit would be lost and the half rounded down.
        let value = 1.0 + two_to(-11) + two_to(-40);
        assert_eq!(from_f64(value), (0x3c01, false));
        assert_eq!(from_f64(f64::from(value as f32)).0, 0x3c00);
    }

    #[test]
    fn infinities_and_nans() {
        assert_eq!(from_f64(f64::INFINITY), (0x7c00, true));
        assert_eq!(from_f64(f64::NEG_INFINITY), (0xfc00, true));
        assert_eq!(from_f64(f64::from_bits(0x7ff8 << 48)), (0x7e00, true));
        // A payload that lies in the dropped bits alone must not turn into infinity.
        assert_eq!(from_f64(f64::from_bits(0xfff0_0000_0000_0001)), (0xfe00, true));
    }
}
