//! A server's build number.

/// A server's build, as in the answer to `build`: `8.1.2.0`, or `8.1.2.0-rc1`.
///
/// Builds compare by their first three numbers; the fourth counts corrections, which add no features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Build([u32; 3]);

impl Build {
    /// The first build that carries out read operations in a query. Earlier ones take them for a list of bins.
    pub const QUERY_OPS: Self = Self([8, 1, 2]);

    /// `None` for text that does not start with three numbers.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-']).map(|part| part.parse().ok());
        Some(Self([parts.next()??, parts.next()??, parts.next()??]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_are_compared() {
        let build = |text| Build::parse(text).unwrap();
        for text in ["8.1.2.0", "8.1.2", "8.1.2.0-rc1", "8.1.10.3", "8.2.0.0", "10.0.0.1"] {
            assert!(build(text) >= Build::QUERY_OPS, "{text}");
        }
        for text in ["8.1.1.9", "8.0.0.15", "7.2.0.17", "8.1.1.2-5-g1234567"] {
            assert!(build(text) < Build::QUERY_OPS, "{text}");
        }
        for text in ["", "8", "8.1", "8.x.2", "ERROR:4:unrecognized command", "8.1.99999999999"] {
            assert_eq!(Build::parse(text), None, "{text}");
        }
    }
}
