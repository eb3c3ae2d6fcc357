//! The scalars of a dtype: kind, width and byte order.

use crate::error::SchemaError;

/// The kind of a scalar, as in `dtype.kind` of NumPy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `i1 i2 i4 i8`: two's complement.
    Int,
    /// `u1 u2 u4 u8`.
    Uint,
    /// `f2 f4 f8`: IEEE 754.
    Float,
    /// `?`: one byte, 0 or 1.
    Bool,
    /// `M8[unit]`: a count of units, 8 bytes.
    Datetime,
    /// `m8[unit]`: a count of units, 8 bytes.
    Timedelta,
    /// `S<n>`: bytes padded with zeros, which are not significant.
    Bytes,
    /// `V<n>`: bytes, all of them significant.
    Void,
}

impl Kind {
    /// Whether the kind is a number or bool. Sub-arrays have such elements only.
    #[must_use]
    pub fn is_numeric(self) -> bool {
        matches!(self, Self::Int | Self::Uint | Self::Float | Self::Bool)
    }
}

/// The order of a scalar's bytes in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// Lowest byte first (`<`).
    Little,
    /// Highest byte first (`>`).
    Big,
}

impl ByteOrder {
    /// The order of this machine (`=`).
    pub const NATIVE: Self = if cfg!(target_endian = "big") { Self::Big } else { Self::Little };
}

/// One scalar: kind, width in bytes and byte order.
///
/// Invariant: the width is valid for the kind (1, 2, 4, 8 for integers; 2, 4, 8 for floats; 1 for bools; 8 for times;
/// at least 1 for bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Element {
    kind: Kind,
    itemsize: usize,
    order: ByteOrder,
}

impl Element {
    /// The element of a scalar dtype, from its `dtype.kind`, `dtype.itemsize` and `dtype.byteorder`. `field` is the
    /// name of the field, for errors.
    ///
    /// # Errors
    /// A kind or width that no bin can fill: `U`, `O`, complex, long double, zero width.
    pub fn from_numpy(
        field: &str,
        kind: char,
        itemsize: usize,
        byteorder: char,
    ) -> Result<Self, SchemaError> {
        let refuse = |what: &'static str, instead: &'static str| {
            Err(SchemaError::UnsupportedElement { field: field.into(), what, instead })
        };
        let order = match byteorder {
            '<' => ByteOrder::Little,
            '>' => ByteOrder::Big,
            _ => ByteOrder::NATIVE,
        };
        let kind = match (kind, itemsize) {
            ('S' | 'V' | 'U', 0) => {
                return Err(SchemaError::ZeroWidth { field: field.into(), kind });
            }
            ('i', 1 | 2 | 4 | 8) => Kind::Int,
            ('u', 1 | 2 | 4 | 8) => Kind::Uint,
            ('f', 2 | 4 | 8) => Kind::Float,
            ('b', 1) => Kind::Bool,
            ('M', 8) => Kind::Datetime,
            ('m', 8) => Kind::Timedelta,
            ('S', _) => Kind::Bytes,
            ('V', _) => Kind::Void,
            ('f', _) => return refuse("long double", "f8"),
            ('U', _) => return refuse("a unicode string (U)", "S<n>, fixed bytes of UTF-8"),
            ('O', _) => {
                return refuse("a Python object (O)", "a fixed-size type such as f8, S<n> or V<n>");
            }
            ('c', _) => return refuse("complex", "two f8 fields, or V16 for raw bytes"),
            ('T', _) => return refuse("a variable-width string", "S<n>, fixed bytes of UTF-8"),
            _ => return refuse("of a kind that no bin can fill", "i, u, f, ?, M8, m8, S<n> or V<n>"),
        };
        Ok(Self { kind, itemsize, order })
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The width in bytes.
    #[must_use]
    pub fn itemsize(&self) -> usize {
        self.itemsize
    }

    /// The byte order; native for one-byte kinds and bytes.
    #[must_use]
    pub fn order(&self) -> ByteOrder {
        self.order
    }

    /// Whether the bytes must be reversed on this machine.
    #[must_use]
    pub fn is_swapped(&self) -> bool {
        self.order != ByteOrder::NATIVE && self.itemsize > 1 && !matches!(self.kind, Kind::Bytes | Kind::Void)
    }

    /// The name of the element in NumPy's notation: `<f4`, `S16`, `bool`.
    #[must_use]
    pub fn name(&self) -> String {
        let code = match self.kind {
            Kind::Int => 'i',
            Kind::Uint => 'u',
            Kind::Float => 'f',
            Kind::Bool => return "bool".into(),
            Kind::Datetime => 'M',
            Kind::Timedelta => 'm',
            Kind::Bytes => return format!("S{}", self.itemsize),
            Kind::Void => return format!("V{}", self.itemsize),
        };
        let order = match (self.itemsize, self.order) {
            (1, _) => "",
            (_, ByteOrder::Little) => "<",
            (_, ByteOrder::Big) => ">",
        };
        format!("{order}{code}{}", self.itemsize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(kind: char, itemsize: usize, order: char) -> Result<Element, SchemaError> {
        Element::from_numpy("f", kind, itemsize, order)
    }

    #[test]
    fn numeric_kinds_have_their_widths() {
        for (kind, widths) in [('i', &[1, 2, 4, 8][..]), ('u', &[1, 2, 4, 8]), ('f', &[2, 4, 8]), ('b', &[1])]
        {
            for width in 1..=16 {
                assert_eq!(element(kind, width, '=').is_ok(), widths.contains(&width), "{kind}{width}");
            }
        }
    }

    #[test]
    fn refusals_name_the_field_and_what_to_use_instead() {
        for (kind, width) in [('U', 40), ('O', 8), ('c', 16), ('f', 16), ('T', 16), ('x', 1)] {
            let message = element(kind, width, '=').unwrap_err().to_string();
            assert!(message.contains("'f'") && message.contains("use "), "{message}");
        }
        assert!(matches!(element('S', 0, '|'), Err(SchemaError::ZeroWidth { .. })));
        assert!(matches!(element('V', 0, '|'), Err(SchemaError::ZeroWidth { .. })));
    }

    #[test]
    fn byte_order_matters_for_numbers_alone() {
        let other = if ByteOrder::NATIVE == ByteOrder::Little { '>' } else { '<' };
        assert!(element('i', 4, other).unwrap().is_swapped());
        assert!(element('M', 8, other).unwrap().is_swapped());
        assert!(!element('i', 4, '=').unwrap().is_swapped());
        assert!(!element('u', 1, other).unwrap().is_swapped());
        assert!(!element('S', 4, other).unwrap().is_swapped());
        assert!(!element('V', 4, other).unwrap().is_swapped());
    }

    #[test]
    fn names_are_numpys() {
        assert_eq!(element('f', 4, '>').unwrap().name(), ">f4");
        assert_eq!(element('u', 1, '|').unwrap().name(), "u1");
        assert_eq!(element('S', 16, '|').unwrap().name(), "S16");
        assert_eq!(element('V', 3, '|').unwrap().name(), "V3");
        assert_eq!(element('b', 1, '|').unwrap().name(), "bool");
        assert_eq!(element('M', 8, '<').unwrap().name(), "<M8");
        assert_eq!(element('m', 8, '<').unwrap().name(), "<m8");
        assert_eq!(element('i', 8, '<').unwrap().name(), "<i8");
    }
}
