//! Sets of fields: the fields that are present in a row.

/// A set of fields, in the layout of [`numpy.unpackbits`]: field 0 is the highest bit of byte 0.
///
/// [`numpy.unpackbits`]: https://numpy.org/doc/stable/reference/generated/numpy.unpackbits.html
pub(crate) trait FieldSet {
    /// Adds a field; returns whether it is new.
    fn insert(&mut self, field: usize) -> bool;
    fn contains(&self, field: usize) -> bool;
    fn clear(&mut self);
    /// Whether the set contains the first `fields` fields, which are all that there are.
    fn is_full(&self, fields: usize) -> bool;
    /// Removes the fields in `other`.
    fn remove(&mut self, other: &Self);
    /// Byte `at` of the layout.
    fn byte(&self, at: usize) -> u8;
}

/// A set for schemas of at most [`NarrowSet::FIELDS`] fields, kept in a register.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NarrowSet(u64);

impl NarrowSet {
    pub(crate) const FIELDS: usize = u64::BITS as usize;

    fn bit(field: usize) -> u64 {
        debug_assert!(field < Self::FIELDS);
        1 << 63 >> (field as u32 % u64::BITS)
    }
}

impl FieldSet for NarrowSet {
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

/// A set for schemas of any number of fields.
#[derive(Clone, Debug)]
pub(crate) struct WideSet(Box<[u8]>);

impl WideSet {
    pub(crate) fn new(fields: usize) -> Self {
        Self(vec![0; fields.div_ceil(8)].into())
    }
}

impl FieldSet for WideSet {
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

    fn check(set: &mut (impl FieldSet + Clone), fields: usize) {
        for field in (0..fields).step_by(3) {
            assert!(!set.contains(field) && !set.is_full(field + 1));
            assert!(set.insert(field));
            assert!(!set.insert(field));
        }
        assert!(set.is_full(1) && !set.is_full(2));
        for field in 0..fields {
            assert_eq!(set.contains(field), field % 3 == 0);
            assert_eq!(set.byte(field / 8) >> (7 - field % 8) & 1 == 1, field % 3 == 0);
        }
        let mut rest = set.clone();
        set.clear();
        set.insert(3);
        rest.remove(set);
        assert!(rest.contains(0) && !rest.contains(3) && rest.contains(6));
        set.clear();
        (0..fields).for_each(|field| assert!(set.insert(field) && set.is_full(field + 1)));
        assert!(set.is_full(fields));
        set.clear();
        assert!((0..fields).all(|field| !set.contains(field)));
    }

    #[test]
    fn both_sets_have_one_layout() {
        check(&mut NarrowSet::default(), 64);
        check(&mut WideSet::new(64), 64);
        check(&mut WideSet::new(131), 131);
        assert!(!WideSet::new(8).insert(8));
        assert!(!WideSet::new(8).contains(8));
    }
}
