//! Numbers of partitions in messages.

use std::fmt;

/// Ranges that a message names.
const NAMED: usize = 20;

/// Formats partitions in ascending order as ranges: `1, 3-5`.
pub(super) struct Ranges<'a>(pub(super) &'a [u16]);

impl fmt::Display for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = || self.0.chunk_by(|one, next| one + 1 == *next);
        for (place, range) in ranges().take(NAMED).enumerate() {
            f.write_str(if place == 0 { "" } else { ", " })?;
            match range {
                [first, .., last] => write!(f, "{first}-{last}")?,
                range => range.iter().try_for_each(|only| write!(f, "{only}"))?,
            }
        }
        match ranges().count().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more ranges"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ranges_are_counted() {
        let odd: Vec<u16> = (0..100).map(|half| 2 * half + 1).collect();
        let text = Ranges(&odd).to_string();
        assert!(text.starts_with("1, 3, 5, ") && text.ends_with("39 and 80 more ranges"), "{text}");
    }
}
