//! Estimates from sketches.
//!
//! Counts: O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6. Similarities:
//! Y. Yu and G. Weber, "HyperMinHash", 2017. The order of the floating-point operations is the server's, so that the
//! results are the same in every bit.

use crate::hll::sketch::{Shape, Sketch};

/// One more than the largest rank: the index of saturated registers.
const MAX_RANK: usize = 64;

/// The number of elements.
pub(super) fn count(sketch: &Sketch<'_>) -> u64 {
    match sketch.cached() {
        0 => estimate(sketch),
        cached => cached,
    }
}

fn estimate(sketch: &Sketch<'_>) -> u64 {
    let registers = sketch.shape.registers();
    let m = registers as f64;
    let mut counts = [0u32; MAX_RANK + 1];
    for register in 0..registers {
        // A rank has 6 bits, so it is an index of `counts`.
        counts[sketch.rank(register) as usize % counts.len()] += 1;
    }
    let mut z = m * tau(f64::from(counts[MAX_RANK]) / m);
    for &count in counts[1..].iter().rev() {
        z = 0.5 * (z + f64::from(count));
    }
    z += m * sigma(f64::from(counts[0]) / m);
    whole(alpha(sketch.shape, m) * m * m / z)
}

/// A float as the nearest integer, halves away from zero. One that is too large becomes 2^63, as on the server's
/// machine.
fn whole(value: f64) -> u64 {
    const LIMIT: f64 = (1u64 << 63) as f64;
    let value = value.round();
    if value.is_nan() || value.abs() >= LIMIT { 1 << 63 } else { (value as i64).cast_unsigned() }
}

fn alpha(shape: Shape, m: f64) -> f64 {
    match shape.index {
        4 => 0.673,
        5 => 0.697,
        6 => 0.709,
        _ => 0.7213 / (1.0 + 1.079 / m),
    }
}

fn tau(mut value: f64) -> f64 {
    if value == 0.0 || value == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - value);
    loop {
        value = value.sqrt();
        let before = z;
        y *= 0.5;
        let rest = 1.0 - value;
        z -= rest * rest * y;
        if z == before {
            return z / 3.0;
        }
    }
}

fn sigma(mut value: f64) -> f64 {
    if value == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, value);
    loop {
        value *= value;
        let before = z;
        z += value * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// The number of elements of the union.
pub(super) fn union_count(sketches: &[Sketch<'_>]) -> u64 {
    count(&Sketch::union(sketches))
}

/// The number of elements that are in all sketches. Sketches without common hash bits must be at most three.
pub(super) fn intersect_count(sketches: &[Sketch<'_>]) -> u64 {
    if Shape::common(sketches).hash == 0 {
        return intersect_of_counts(sketches);
    }
    let similarity = similarity(sketches);
    if similarity.is_nan() { 0 } else { whole(union_count(sketches) as f64 * similarity) }
}

/// The size of the intersection by inclusion and exclusion.
fn intersect_of_counts(sketches: &[Sketch<'_>]) -> u64 {
    let union = union_count(sketches);
    let sum = sketches.iter().map(count).fold(0u64, u64::saturating_add);
    let [a, b, c] = sketches else {
        return sum.saturating_sub(union);
    };
    let pairs = [[a, b], [b, c], [a, c]];
    let intersections = pairs
        .map(|pair| intersect_count(&pair.map(Clone::clone)))
        .iter()
        .fold(0u64, |x, y| x.wrapping_add(*y));
    let signed = u64::cast_signed;
    let result = signed(union).wrapping_sub(signed(sum).wrapping_sub(signed(intersections)));
    u64::try_from(result).unwrap_or(0)
}

/// The Jaccard similarity.
pub(super) fn similarity(sketches: &[Sketch<'_>]) -> f64 {
    let shape = Shape::common(sketches);
    if shape.hash == 0 {
        let (intersect, union) = (intersect_of_counts(sketches), union_count(sketches));
        // Of two zeros, the server's machine makes a NaN with its sign bit set.
        return if intersect == 0 && union == 0 { NAN } else { intersect as f64 / union as f64 };
    }
    let with_elements = sketches.iter().filter(|sketch| sketch.has_elements()).count();
    if with_elements < sketches.len() {
        return if with_elements > 0 { 0.0 } else { f64::NAN };
    }
    let in_union = Sketch::union(sketches).used_registers();
    let mut common = Sketch::empty(shape);
    common.merge(&sketches[0]);
    for sketch in &sketches[1..] {
        common.keep_common(sketch);
    }
    let in_all = common.used_registers() as f64;
    let collisions = match sketches {
        [a, b] => collisions(shape, count(a), count(b)),
        _ => 0.0,
    };
    let result = (in_all - collisions) / in_union as f64;
    if result < 0.0 { 0.0 } else { result }
}

/// A NaN with its sign bit set.
const NAN: f64 = f64::from_bits(0xfff8 << 48);

/// The expected number of registers that are the same by chance.
fn collisions(shape: Shape, count0: u64, count1: u64) -> f64 {
    let m = shape.registers() as f64;
    let mut sum = 0.0;
    for rank in 1..=MAX_RANK as i32 {
        let low = if rank == MAX_RANK as i32 { 0.0 } else { 2f64.powi(-rank) / m };
        let high = 2f64.powi(1 - rank) / m;
        let chance = |count: u64| (1.0 - low).powf(count as f64) - (1.0 - high).powf(count as f64);
        sum += chance(count0) * chance(count1);
    }
    sum * m / 2f64.powi(shape.hash.into())
}
