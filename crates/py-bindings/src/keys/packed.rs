//! The bytes and kinds of many keys, in little memory: they are kept for as long as a result lives.

use std::ops::Range;

use super::KeyKind;

/// Short keys of which each group's first has its place stored.
const GROUP: usize = 64;

/// Byte strings, one after the other.
#[derive(Debug, Default)]
pub(super) struct PackedBytes {
    bytes: Vec<u8>,
    places: Places,
    len: usize,
    /// Where the last string ends.
    end: usize,
}

/// Where each string is.
#[derive(Debug)]
enum Places {
    /// All have this length.
    Equal(usize),
    /// The length of each, and where the first of each [`GROUP`] begins.
    Short { lengths: Vec<u8>, starts: Vec<usize> },
    /// Where each ends.
    Long(Vec<usize>),
}

impl Default for Places {
    fn default() -> Self {
        Self::Equal(0)
    }
}

impl PackedBytes {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    #[inline]
    pub(super) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.end_value();
    }

    /// The bytes, to append those of the next string, which [`PackedBytes::end_value`] ends.
    pub(super) fn open(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    #[inline]
    pub(super) fn end_value(&mut self) {
        let length = self.bytes.len() - self.end;
        match (&mut self.places, u8::try_from(length)) {
            (Places::Equal(all), _) if *all == length => {}
            (Places::Equal(all), _) if self.len == 0 => *all = length,
            (Places::Short { lengths, starts }, Ok(length)) => {
                if self.len.is_multiple_of(GROUP) {
                    starts.push(self.end);
                }
                lengths.push(length);
            }
            (Places::Long(ends), _) => ends.push(self.bytes.len()),
            _ => self.widen(length),
        }
        self.end = self.bytes.len();
        self.len += 1;
    }

    /// Makes room for the place of the next string, whose length the present way to keep places does not have.
    #[cold]
    fn widen(&mut self, next: usize) {
        let short = |length: usize| u8::try_from(length).is_ok();
        let is_short = matches!(self.places, Places::Equal(all) if short(all)) && short(next);
        let all = (0..self.len).map(|at| self.range(at).len()).chain([next]);
        let mut end = 0;
        self.places = if is_short {
            let (mut lengths, mut starts) = (Vec::new(), Vec::new());
            for (at, length) in all.enumerate() {
                if at.is_multiple_of(GROUP) {
                    starts.push(end);
                }
                lengths.push(length as u8);
                end += length;
            }
            Places::Short { lengths, starts }
        } else {
            Places::Long(
                all.map(|length| {
                    end += length;
                    end
                })
                .collect(),
            )
        };
    }

    /// Where a string begins; the end of all for the one after the last.
    fn start(&self, at: usize) -> usize {
        match &self.places {
            Places::Equal(all) => at * all,
            Places::Short { lengths, starts } => {
                let group = at / GROUP;
                let before = lengths.get(group * GROUP..at).unwrap_or_default();
                let start = starts.get(group).copied().unwrap_or(self.end);
                start + before.iter().map(|&length| usize::from(length)).sum::<usize>()
            }
            Places::Long(ends) => at.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end),
        }
    }

    fn range(&self, at: usize) -> Range<usize> {
        let start = self.start(at);
        start..start + self.length(at, start)
    }

    /// The length of a string that begins at `start`.
    #[inline]
    fn length(&self, at: usize, start: usize) -> usize {
        match &self.places {
            Places::Equal(all) => *all,
            Places::Short { lengths, .. } => usize::from(lengths[at]),
            Places::Long(ends) => ends[at] - start,
        }
    }

    pub(super) fn get(&self, at: usize) -> &[u8] {
        &self.bytes[self.range(at)]
    }

    /// Some of the strings, in order.
    pub(super) fn iter(&self, rows: Range<usize>) -> impl ExactSizeIterator<Item = &[u8]> {
        let mut start = self.start(rows.start);
        rows.map(move |at| {
            let place = start..start + self.length(at, start);
            start = place.end;
            &self.bytes[place]
        })
    }
}

/// The kind of each key.
#[derive(Debug)]
pub(super) struct Kinds {
    first: KeyKind,
    /// Empty while all are as the first.
    each: Vec<KeyKind>,
}

impl Default for Kinds {
    fn default() -> Self {
        Self { first: KeyKind::Int, each: Vec::new() }
    }
}

impl Kinds {
    #[inline]
    pub(super) fn get(&self, at: usize) -> KeyKind {
        self.each.get(at).copied().unwrap_or(self.first)
    }

    /// Takes note that the keys from the `len`th on, `more` of them, have this kind.
    #[inline]
    pub(super) fn push(&mut self, len: usize, more: usize, kind: KeyKind) {
        if len == 0 {
            self.first = kind;
        } else if !self.each.is_empty() || self.first != kind {
            self.each.resize(len, self.first);
            self.each.resize(len + more, kind);
        }
    }

    pub(super) fn set(&mut self, len: usize, at: usize, kind: KeyKind) {
        if self.get(at) != kind {
            self.each.resize(len, self.first);
            self.each[at] = kind;
        }
    }
}
