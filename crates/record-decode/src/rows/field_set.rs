//! Sets of fields, one a row.

/// A set of fields, laid out as [`numpy.unpackbits`] expects: field 0 is the highest bit of byte 0.
///
/// [`numpy.unpackbits`]: https://numpy.org/doc/stable/reference/generated/numpy.unpackbits.html
pub(crate) trait Marks {
    /// Adds a field; whether it was not there before.
    fn insert(&mut self, field: usize) -> bool;
    fn contains(&self, field: usize) -> bool;
    fn clear(&mut self);
    /// Whether the first `fields` are there, of no more in all.
    fn is_full(&self, fields: usize) -> bool;
    /// Removes every field that `other` has.
    fn remove(&mut self, other: &Self);
    /// Byte `at` of the set.
    fn byte(&self, at: usize) -> u8;
}

/// A set for schemas of at most [`Narrow::FIELDS`] fields: a register.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Narrow(u64);

impl Narrow {
    pub(crate) const FIELDS: usize = u64::BITS as usize;

    fn bit(field: usize) -> u64 {
        debug_assert!(field < Self::FIELDS);
        1 << 63 >> (field as u32 % u64::BITS)
    }
}

impl Marks for Narrow {
    #[inline]
    fn insert(&mut self, field: usize) -> bool {
        let new = !self.contains(field);
        self.0 |= Self::bit(field);
        new
    }

    #[inline]
    fn contains(&self, field: usize) -> bool {
        self.0 & Self::bit(field) != 0
    }

    #[inline]
    fn clear(&mut self) {
        self.0 = 0;
    }

    #[inline]
    fn is_full(&self, fields: usize) -> bool {
        self.0.leading_ones() as usize >= fields
    }

    #[inline]
    fn remove(&mut self, other: &Self) {
        self.0 &= !other.0;
    }

    #[inline]
    fn byte(&self, at: usize) -> u8 {
        debug_assert!(at < 8);
        (self.0 >> (56 - 8 * (at as u32 % 8))) as u8
    }
}

/// A set for any schema.
#[derive(Clone, Debug)]
pub(crate) struct Wide(Box<[u8]>);

impl Wide {
    pub(crate) fn new(fields: usize) -> Self {
        Self(vec![0; fields.div_ceil(8)].into())
    }
}

impl Marks for Wide {
    fn insert(&mut self, field: usize) -> bool {
        let bit = 0x80 >> (field % 8);
        self.0.get_mut(field / 8).is_some_and(|byte| {
            let new = *byte & bit == 0;
            *byte |= bit;
            new
        })
    }

    fn contains(&self, field: usize) -> bool {
        self.byte(field / 8) & 0x80 >> (field % 8) != 0
    }

    fn clear(&mut self) {
        self.0.fill(0);
    }

    fn is_full(&self, fields: usize) -> bool {
        (0..fields).all(|field| self.contains(field))
    }

    fn remove(&mut self, other: &Self) {
        for (byte, other) in self.0.iter_mut().zip(&other.0) {
            *byte &= !other;
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(marks: &mut (impl Marks + Clone), fields: usize) {
        for field in (0..fields).step_by(3) {
            assert!(!marks.contains(field) && !marks.is_full(field + 1));
            assert!(marks.insert(field));
            assert!(!marks.insert(field));
        }
        assert!(marks.is_full(1) && !marks.is_full(2));
        for field in 0..fields {
            assert_eq!(marks.contains(field), field % 3 == 0);
            assert_eq!(marks.byte(field / 8) >> (7 - field % 8) & 1 == 1, field % 3 == 0);
        }
        let mut rest = marks.clone();
        marks.clear();
        marks.insert(3);
        rest.remove(marks);
        assert!(rest.contains(0) && !rest.contains(3) && rest.contains(6));
        marks.clear();
        (0..fields).for_each(|field| assert!(marks.insert(field) && marks.is_full(field + 1)));
        assert!(marks.is_full(fields));
        marks.clear();
        assert!((0..fields).all(|field| !marks.contains(field)));
    }

    #[test]
    fn both_sets_have_one_layout() {
        check(&mut Narrow::default(), 64);
        check(&mut Wide::new(64), 64);
        check(&mut Wide::new(131), 131);
        assert!(!Wide::new(8).insert(8));
        assert!(!Wide::new(8).contains(8));
    }
}
