//! Fields and rows: a structured dtype, validated.

use crate::element::Element;
use crate::error::SchemaError;
use crate::leaf::Leaf;

/// The maximum length of a bin name, in bytes of UTF-8.
pub const MAX_BIN_NAME: usize = 15;

/// How deep structs may nest: a leaf is inside at most this many structs, not counting the row.
pub const MAX_STRUCT_DEPTH: usize = 16;

/// A named field of a row or of a struct: an element, a sub-array of elements, or a struct of fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    name: Box<str>,
    offset: usize,
    size: usize,
    content: Content,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    /// An element; a sub-array of them if the shape is not empty.
    Elements { element: Element, shape: Box<[usize]> },
    /// Fields, and how many structs the innermost of them is in, counting this one.
    Struct { fields: Box<[Field]>, depth: usize },
}

impl Field {
    /// A field `name` at `offset` bytes into the row or struct that it is in. `shape` is empty for a scalar.
    ///
    /// # Errors
    /// A sub-array without elements, a sub-array of bytes or times.
    pub fn new(name: &str, offset: usize, element: Element, shape: &[usize]) -> Result<Self, SchemaError> {
        if !shape.is_empty() && !element.kind().is_numeric() {
            return Err(SchemaError::UnsupportedSubarray { field: name.into(), element: element.name() });
        }
        let size = shape.iter().try_fold(element.itemsize(), |size, &n| size.checked_mul(n));
        match size {
            Some(size) if size > 0 => {
                let content = Content::Elements { element, shape: shape.into() };
                Ok(Self { name: name.into(), offset, size, content })
            }
            // No elements, or a size that overflows, which NumPy does not produce.
            _ => Err(SchemaError::EmptySubarray { field: name.into(), shape: shape.into() }),
        }
    }

    /// A struct `name` of `itemsize` bytes with these `fields`, whose offsets count from its start.
    ///
    /// # Errors
    /// No fields; fields that overlap, repeat a name or reach beyond the struct; structs that nest deeper than
    /// [`MAX_STRUCT_DEPTH`].
    pub fn nested(
        name: &str,
        offset: usize,
        fields: Vec<Self>,
        itemsize: usize,
    ) -> Result<Self, SchemaError> {
        if fields.is_empty() {
            return Err(SchemaError::EmptyStruct { field: name.into() });
        }
        check_layout(&fields, itemsize, Some(name))?;
        let depth = 1 + fields.iter().map(Self::depth).max().unwrap_or(0);
        if depth > MAX_STRUCT_DEPTH {
            return Err(SchemaError::TooDeep { field: name.into() });
        }
        let content = Content::Struct { fields: fields.into(), depth };
        Ok(Self { name: name.into(), offset, size: itemsize, content })
    }

    /// The field's name. At the top it is also the name of its bin, unless a path says otherwise; inside a struct it
    /// is the key of a map.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The offset from the start of the row, or of the struct that the field is in, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
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

    /// The fields of a struct, in the dtype's order; `None` for other fields.
    #[must_use]
    pub fn fields(&self) -> Option<&[Self]> {
        match &self.content {
            Content::Struct { fields, .. } => Some(fields),
            Content::Elements { .. } => None,
        }
    }

    /// The number of structs that the innermost field is in, counting this one.
    fn depth(&self) -> usize {
        match self.content {
            Content::Struct { depth, .. } => depth,
            Content::Elements { .. } => 0,
        }
    }

    /// Appends the field's leaves; `start` is where the row or struct that the field is in starts, and `prefix` the
    /// dotted name of that struct. Recurses at most [`MAX_STRUCT_DEPTH`] times.
    fn push_leaves(&self, prefix: Option<&str>, start: usize, leaves: &mut Vec<Leaf>) {
        let name = dotted(prefix, &self.name);
        let offset = start + self.offset;
        match &self.content {
            Content::Elements { element, shape } => {
                leaves.push(Leaf { name, offset, element: *element, shape: shape.clone(), size: self.size });
            }
            Content::Struct { fields, .. } => {
                for field in fields {
                    field.push_leaves(Some(&name), offset, leaves);
                }
            }
        }
    }
}

/// The name of a field in a struct, as it appears outside of arrays.
fn dotted(prefix: Option<&str>, name: &str) -> Box<str> {
    match prefix {
        Some(prefix) => format!("{prefix}.{name}").into(),
        None => name.into(),
    }
}

/// Checks that fields lie inside the `itemsize` bytes of their row or struct, do not overlap and have different names.
/// `parent` is the struct's name, for errors.
fn check_layout(fields: &[Field], itemsize: usize, parent: Option<&str>) -> Result<(), SchemaError> {
    let named = |field: &Field| dotted(parent, &field.name);
    for field in fields {
        // `end` saturates, so it cannot be used here.
        if field.offset.checked_add(field.size).is_none_or(|end| end > itemsize) {
            return Err(match parent {
                None => SchemaError::OutOfRow { field: named(field), end: field.end(), itemsize },
                Some(parent) => SchemaError::OutOfStruct {
                    field: named(field),
                    end: field.end(),
                    parent: parent.into(),
                    itemsize,
                },
            });
        }
    }
    let mut order: Vec<&Field> = fields.iter().collect();
    order.sort_by_key(|field| field.offset);
    for pair in order.windows(2) {
        if let [first, second] = pair
            && second.offset < first.end()
        {
            return Err(SchemaError::Overlap { first: named(first), second: named(second) });
        }
    }
    order.sort_by_key(|field| &field.name);
    for pair in order.windows(2) {
        if let [first, second] = pair
            && first.name == second.name
        {
            return Err(SchemaError::DuplicateName { field: named(first) });
        }
    }
    Ok(())
}

/// A row: its fields and its size.
///
/// Invariants: there is at least one field, also in each struct; the names of a row's fields are unique, and so are
/// those of a struct and those of the leaves; every leaf lies inside `0..itemsize`; leaves do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    fields: Box<[Field]>,
    leaves: Box<[Leaf]>,
    itemsize: usize,
}

impl Schema {
    /// A row of `itemsize` bytes with these `fields`, in the dtype's order; offsets may be in any order.
    ///
    /// # Errors
    /// No fields; fields that overlap, repeat a name or reach beyond the row; a name with dots that is equal to that
    /// of a leaf in a struct.
    pub fn new(fields: Vec<Field>, itemsize: usize) -> Result<Self, SchemaError> {
        if fields.is_empty() {
            return Err(SchemaError::NoFields);
        }
        check_layout(&fields, itemsize, None)?;
        let mut leaves = Vec::new();
        fields.iter().for_each(|field| field.push_leaves(None, 0, &mut leaves));
        let mut names: Vec<&str> = leaves.iter().map(Leaf::name).collect();
        names.sort_unstable();
        for pair in names.windows(2) {
            if let [first, second] = pair
                && first == second
            {
                return Err(SchemaError::DuplicateName { field: (*first).into() });
            }
        }
        Ok(Self { fields: fields.into(), leaves: leaves.into(), itemsize })
    }

    /// The fields in the dtype's order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The fields that are not structs, at any depth, in the dtype's order. Without structs, these are the fields.
    #[must_use]
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Bytes of a row, padding included.
    #[must_use]
    pub fn itemsize(&self) -> usize {
        self.itemsize
    }

    /// Whether every byte of a row is a field's.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        // No two leaves share a byte.
        self.leaves.iter().map(Leaf::size).sum::<usize>() == self.itemsize
    }

    /// The position of the field of that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name() == name)
    }

    /// Checks that the names of the fields for which `is_bin` is true can be names of bins: those of fields whose
    /// values come from, or go to, the bin of their name.
    ///
    /// # Errors
    /// A name longer than [`MAX_BIN_NAME`].
    pub fn check_bin_names(&self, is_bin: impl Fn(&str) -> bool) -> Result<(), SchemaError> {
        let too_long = |field: &&Field| field.name.len() > MAX_BIN_NAME && is_bin(&field.name);
        match self.fields.iter().find(too_long) {
            Some(field) => {
                Err(SchemaError::NameTooLong { field: field.name.clone(), length: field.name.len() })
            }
            None => Ok(()),
        }
    }

    /// Checks that there are no structs.
    ///
    /// # Errors
    /// A field that is a struct.
    pub fn check_flat(&self) -> Result<(), SchemaError> {
        match self.fields.iter().find(|field| field.fields().is_some()) {
            Some(field) => Err(SchemaError::NestedStruct { field: field.name.clone() }),
            None => Ok(()),
        }
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
        let schema = Schema::new(vec![field("a", 43, 1), vector.clone()], 48).unwrap();
        assert_eq!(schema.itemsize(), 48);
        assert_eq!(schema.position("v"), Some(1));
        assert_eq!(schema.position("x"), None);
        assert_eq!(schema.fields()[1], vector);
        assert!(!schema.is_dense());
        assert!(Schema::new(vec![field("a", 40, 3), Field { offset: 0, ..vector }], 43).unwrap().is_dense());
        let leaf = &schema.leaves()[1];
        assert_eq!((leaf.name(), leaf.offset(), leaf.size(), leaf.end()), ("v", 3, 40, 43));
        assert_eq!((leaf.shape(), leaf.element()), (&[2, 5][..], element('f', 4)));
    }

    #[test]
    fn names_fit_a_bin() {
        let schema = |name| Schema::new(vec![field(name, 0, 4)], 4).unwrap();
        assert_eq!(schema("fifteen_chars_x").check_bin_names(|_| true), Ok(()));
        let error = schema("sixteen_chars_xy").check_bin_names(|_| true).unwrap_err();
        assert!(!error.is_type_error());
        assert_eq!(schema("sixteen_chars_xy").check_bin_names(|name| name.len() < 16), Ok(()));
        // Bytes count, not characters.
        assert!(schema("üüüüüüüü").check_bin_names(|_| true).is_err());
        // Inside a struct, a name is a key.
        let inner = Field::nested("a", 0, vec![field("sixteen_chars_xy", 0, 4)], 4).unwrap();
        assert_eq!(Schema::new(vec![inner], 4).unwrap().check_bin_names(|_| true), Ok(()));
    }

    #[test]
    fn structs_have_leaves() {
        let inner = Field::nested("y", 4, vec![field("b", 3, 2), field("a", 0, 3)], 6).unwrap();
        let outer = Field::nested("x", 8, vec![field("p", 0, 4), inner, field("q", 10, 1)], 12).unwrap();
        assert_eq!((outer.size(), outer.end()), (12, 20));
        assert_eq!(outer.fields().map(<[Field]>::len), Some(3));
        let schema = Schema::new(vec![outer, field("z", 0, 8)], 20).unwrap();
        let leaves: Vec<_> = schema.leaves().iter().map(|leaf| (leaf.name(), leaf.offset())).collect();
        assert_eq!(leaves, [("x.p", 8), ("x.y.b", 15), ("x.y.a", 12), ("x.q", 18), ("z", 0)]);
        assert_eq!((schema.position("x"), schema.position("x.p")), (Some(0), None));
        assert!(!schema.is_dense());
        assert!(matches!(schema.check_flat(), Err(SchemaError::NestedStruct { .. })));
        let flat = Schema::new(vec![field("z", 0, 8)], 8).unwrap();
        assert_eq!((flat.check_flat(), flat.fields()[0].fields()), (Ok(()), None));
    }

    #[test]
    fn every_level_is_checked() {
        let nested = |fields, size| Field::nested("x", 0, fields, size).unwrap_err();
        assert_eq!(nested(vec![], 4), SchemaError::EmptyStruct { field: "x".into() });
        assert_eq!(
            nested(vec![field("b", 2, 4), field("a", 0, 3)], 8),
            SchemaError::Overlap { first: "x.a".into(), second: "x.b".into() }
        );
        assert_eq!(
            nested(vec![field("a", 4, 4), field("a", 0, 3)], 8),
            SchemaError::DuplicateName { field: "x.a".into() }
        );
        let out = nested(vec![field("a", 1, 4)], 4);
        assert!(matches!(&out, SchemaError::OutOfStruct { end: 5, itemsize: 4, .. }), "{out}");
        assert!(!out.is_type_error() && out.to_string().contains("'x.a'"), "{out}");
        // Two leaves that would have one name outside of the array.
        let inner = Field::nested("x", 0, vec![field("a", 0, 4)], 4).unwrap();
        assert_eq!(
            Schema::new(vec![inner, field("x.a", 4, 4)], 8),
            Err(SchemaError::DuplicateName { field: "x.a".into() })
        );
    }

    #[test]
    fn structs_nest_to_a_bounded_depth() {
        let mut nested = field("leaf", 0, 4);
        for _ in 0..MAX_STRUCT_DEPTH {
            nested = Field::nested("x", 0, vec![nested], 4).unwrap();
        }
        let schema = Schema::new(vec![nested.clone()], 4).unwrap();
        assert_eq!(schema.leaves()[0].name(), format!("{}leaf", "x.".repeat(MAX_STRUCT_DEPTH)));
        let error = Field::nested("x", 0, vec![nested], 4).unwrap_err();
        assert_eq!(error, SchemaError::TooDeep { field: "x".into() });
        assert!(error.is_type_error());
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
