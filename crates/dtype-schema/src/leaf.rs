//! Leaves: the fields of a row that hold values.

use crate::element::Element;

/// A field that is not a struct, at any depth: an element or a sub-array of elements at an offset in the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub(crate) name: Box<str>,
    pub(crate) offset: usize,
    pub(crate) element: Element,
    pub(crate) shape: Box<[usize]>,
    pub(crate) size: usize,
}

impl Leaf {
    /// The names of the structs that the leaf is in and its own, with dots between them.
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

    /// The size of the leaf in bytes, at least 1.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The offset of the first byte after the leaf.
    #[must_use]
    pub fn end(&self) -> usize {
        self.offset.saturating_add(self.size)
    }
}
