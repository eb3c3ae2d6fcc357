//! Fields and rows: a structured dtype, validated.

use crate::element::Element;
use crate::error::SchemaError;

/// The maximum length of a bin name, in bytes of UTF-8.
pub const MAX_BIN_NAME: usize = 15;

/// A named element, or a sub-array of elements, at an offset in the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    name: Box<str>,
    offset: usize,
    element: Element,
    shape: Box<[usize]>,
    size: usize,
}

impl Field {
    /// A field `name` at `offset` bytes into the row. `shape` is empty for a scalar.
    ///
    /// # Errors
    /// A name that bins cannot have, a sub-array without elements, a sub-array of bytes or times.
    pub fn new(name: &str, offset: usize, element: Element, shape: &[usize]) -> Result<Self, SchemaError> {
        if name.len() > MAX_BIN_NAME {
            return Err(SchemaError::NameTooLong { field: name.into(), length: name.len() });
        }
        if !shape.is_empty() && !element.kind().is_numeric() {
            return Err(SchemaError::UnsupportedSubarray { field: name.into(), element: element.name() });
        }
        let size = shape.iter().try_fold(element.itemsize(), |size, &n| size.checked_mul(n));
        match size {
            Some(size) if size > 0 => {
                Ok(Self { name: name.into(), offset, element, shape: shape.into(), size })
            }
            // No elements, or a size that overflows, which NumPy does not produce.
            _ => Err(SchemaError::EmptySubarray { field: name.into(), shape: shape.into() }),
        }
    }

    /// The field's name, which is also the name of its bin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The offset from the start of the row, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The scalar, or the element of the sub-array.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// The shape of the sub-array; empty for a scalar.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The size of the field in bytes, at least 1.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The offset of the first byte after the field.
    #[must_use]
    pub fn end(&self) -> usize {
        self.offset.saturating_add(self.size)
    }
}

/// A row: its fields and its size.
///
/// Invariants: there is at least one field; names are unique and at most [`MAX_BIN_NAME`] bytes long; every field lies
/// inside `0..itemsize`; fields do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    fields: Box<[Field]>,
    itemsize: usize,
}

impl Schema {
    /// A row of `itemsize` bytes with these `fields`, in the dtype's order; offsets may be in any order.
    ///
    /// # Errors
    /// No fields, fields that overlap, repeat a name or reach beyond the row.
    pub fn new(fields: Vec<Field>, itemsize: usize) -> Result<Self, SchemaError> {
        if fields.is_empty() {
            return Err(SchemaError::NoFields);
        }
        for field in &fields {
            // `end` saturates, so it cannot be used here.
            if field.offset.checked_add(field.size).is_none_or(|end| end > itemsize) {
                return Err(SchemaError::OutOfRow { field: field.name.clone(), end: field.end(), itemsize });
            }
        }
        let mut order: Vec<&Field> = fields.iter().collect();
        order.sort_by_key(|field| field.offset);
        for pair in order.windows(2) {
            if let [first, second] = pair
                && second.offset < first.end()
            {
                return Err(SchemaError::Overlap { first: first.name.clone(), second: second.name.clone() });
            }
        }
        order.sort_by_key(|field| &field.name);
        for pair in order.windows(2) {
            if let [first, second] = pair
                && first.name == second.name
            {
                return Err(SchemaError::DuplicateName { field: first.name.clone() });
            }
        }
        Ok(Self { fields: fields.into(), itemsize })
    }

    /// The fields in the dtype's order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Bytes of a row, padding included.
    #[must_use]
    pub fn itemsize(&self) -> usize {
        self.itemsize
    }

    /// Whether every byte of a row is a field's.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        // No two fields share a byte.
        self.fields.iter().map(Field::size).sum::<usize>() == self.itemsize
    }

    /// The position of the field of that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(kind: char, itemsize: usize) -> Element {
        Element::from_numpy("f", kind, itemsize, '=').unwrap()
    }

    fn field(name: &str, offset: usize, itemsize: usize) -> Field {
        Field::new(name, offset, element('V', itemsize), &[]).unwrap()
    }

    #[test]
    fn sizes_and_ends() {
        let vector = Field::new("v", 3, element('f', 4), &[2, 5]).unwrap();
        assert_eq!((vector.size(), vector.end()), (40, 43));
        assert_eq!(vector.shape(), [2, 5]);
        let schema = Schema::new(vec![field("a", 43, 1), vector.clone()], 48).unwrap();
        assert_eq!(schema.itemsize(), 48);
        assert_eq!(schema.position("v"), Some(1));
        assert_eq!(schema.position("x"), None);
        assert_eq!(schema.fields()[1], vector);
        assert!(!schema.is_dense());
        assert!(Schema::new(vec![field("a", 40, 3), Field { offset: 0, ..vector }], 43).unwrap().is_dense());
    }

    #[test]
    fn names_fit_a_bin() {
        assert!(Field::new("fifteen_chars_x", 0, element('i', 4), &[]).is_ok());
        let error = Field::new("sixteen_chars_xy", 0, element('i', 4), &[]).unwrap_err();
        assert!(!error.is_type_error());
        // Bytes count, not characters.
        assert!(Field::new("üüüüüüüü", 0, element('i', 4), &[]).is_err());
    }

    #[test]
    fn sub_arrays_hold_numbers() {
        for (kind, width) in [('S', 4), ('V', 4), ('M', 8), ('m', 8)] {
            let error = Field::new("v", 0, element(kind, width), &[2]).unwrap_err();
            assert!(error.is_type_error(), "{error}");
        }
        assert!(Field::new("v", 0, element('b', 1), &[2]).is_ok());
        assert!(matches!(
            Field::new("v", 0, element('f', 4), &[2, 0]),
            Err(SchemaError::EmptySubarray { .. })
        ));
        assert!(Field::new("v", 0, element('f', 8), &[usize::MAX, 2]).is_err());
    }

    #[test]
    fn rows_are_checked() {
        assert_eq!(Schema::new(vec![], 8), Err(SchemaError::NoFields));
        let overlap = Schema::new(vec![field("b", 2, 4), field("a", 0, 3)], 8).unwrap_err();
        assert_eq!(overlap, SchemaError::Overlap { first: "a".into(), second: "b".into() });
        assert!(!overlap.is_type_error());
        let twice = Schema::new(vec![field("a", 4, 4), field("a", 0, 3)], 8).unwrap_err();
        assert!(matches!(twice, SchemaError::DuplicateName { .. }));
        let out = Schema::new(vec![field("a", 5, 4)], 8).unwrap_err();
        assert!(matches!(out, SchemaError::OutOfRow { end: 9, itemsize: 8, .. }));
        for itemsize in [8, usize::MAX] {
            let wrapped = Schema::new(vec![field("a", usize::MAX, 4)], itemsize).unwrap_err();
            assert!(matches!(wrapped, SchemaError::OutOfRow { .. }));
        }
        assert!(Schema::new(vec![field("b", 4, 4), field("a", 0, 4)], 8).is_ok());
    }
}
