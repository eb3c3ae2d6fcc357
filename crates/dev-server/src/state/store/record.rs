//! Records, their bins kept as they go out.

use std::collections::HashMap;

use wire_protocol::message::{Op, Ops, op, write_op};

/// Most bins of a record.
pub(crate) const MAX_BINS: usize = 32_767;

/// A record. Its bins lie there as the operations of an answer, so a read copies them.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) generation: u16,
    /// The last second of its life; 0 = never ends.
    pub(crate) void_time: u32,
    /// When it was written or touched, in milliseconds.
    pub(crate) last_update: u64,
    /// Number of its set in the namespace.
    pub(crate) set: u16,
    pub(crate) n_bins: u16,
    pub(crate) bins: Box<[u8]>,
    /// Particle type and value of the user's key, where a write sent it.
    pub(crate) key: Option<Box<[u8]>>,
}

impl Record {
    pub(crate) fn is_expired(&self, now: u32) -> bool {
        self.void_time != 0 && self.void_time < now
    }

    /// The seconds that it had to live when it was written or touched last.
    pub(crate) fn life(&self) -> u32 {
        self.void_time.saturating_sub((self.last_update / 1000) as u32)
    }

    /// The bytes that its limits are counted in.
    pub(crate) fn size(&self) -> usize {
        stored_size(self.bins.len(), self.key.as_deref())
    }
}

/// What a record counts for: its bins, its key, and something for its place in the index.
pub(crate) fn stored_size(bins: usize, key: Option<&[u8]>) -> usize {
    64 + bins + key.map_or(0, <[u8]>::len)
}

/// Walks over bins in their wire form: each one whole, and taken apart.
#[inline]
pub(crate) fn bins(bytes: &[u8]) -> impl Iterator<Item = (&[u8], Op<'_>)> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (size, body) = rest.split_first_chunk::<4>()?;
        let (body, _) = body.split_at_checked(u32::from_be_bytes(*size) as usize)?;
        let (whole, tail) = rest.split_at_checked(4 + body.len())?;
        let (&[code, particle_type, _, name_size], body) = body.split_first_chunk::<4>()?;
        let (name, value) = body.split_at_checked(usize::from(name_size))?;
        rest = tail;
        Some((whole, Op { code, particle_type, name, value }))
    })
}

/// With more bins than this a draft keeps a table of their names.
const FEW: usize = 16;

/// Most bytes of values that were replaced and are still there, beside as many that are in use.
const WASTE: usize = 64 * 1024;

/// The bins of a record while it is being written: one after another in `bytes`, as they came, and their
/// places in the order that they have. Setting one costs the same however many there are.
#[derive(Debug, Default)]
pub(crate) struct BinsDraft {
    bytes: Vec<u8>,
    /// Start and end of each bin; one that was removed is empty.
    places: Vec<(usize, usize)>,
    /// Where in `places` a bin is, once there are many.
    numbers: HashMap<Box<[u8]>, usize>,
    count: usize,
    size: usize,
}

impl BinsDraft {
    pub(crate) fn of(record: &Record) -> Self {
        let mut draft = Self { bytes: record.bins.to_vec(), ..Self::default() };
        let mut start = 0;
        for (whole, _) in bins(&record.bins) {
            draft.places.push((start, start + whole.len()));
            start += whole.len();
        }
        draft.count = draft.places.len();
        draft.size = start;
        draft
    }

    /// The bytes that the bins take.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn get(&mut self, name: &[u8]) -> Option<(&[u8], Op<'_>)> {
        let number = self.number(name)?;
        self.at(number)
    }

    /// Appends all bins.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.size);
        for &(start, end) in &self.places {
            out.extend_from_slice(self.bytes.get(start..end).unwrap_or_default());
        }
    }

    /// Sets a bin; one that is there keeps its place.
    pub(crate) fn put(&mut self, name: &[u8], particle_type: u8, value: &[u8]) {
        let number = self.number(name);
        let start = self.bytes.len();
        write_op(&mut self.bytes, op::READ, particle_type, name, value);
        let place = (start, self.bytes.len());
        self.size += place.1 - place.0;
        match number {
            Some(number) => {
                let (start, end) = std::mem::replace(&mut self.places[number], place);
                self.size -= end - start;
            }
            None => {
                self.count += 1;
                if !self.numbers.is_empty() {
                    self.numbers.insert(name.into(), self.places.len());
                }
                self.places.push(place);
            }
        }
        if self.bytes.len() > 2 * self.size + WASTE {
            self.compact();
        }
    }

    pub(crate) fn remove(&mut self, name: &[u8]) {
        if let Some(number) = self.number(name) {
            let (start, end) = std::mem::take(&mut self.places[number]);
            self.numbers.remove(name);
            self.size -= end - start;
            self.count -= 1;
            if self.count == 0 {
                self.clear();
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn into_bytes(self) -> Box<[u8]> {
        let mut end_before = 0;
        let is_in_order =
            self.places.iter().all(|&(start, end)| start == std::mem::replace(&mut end_before, end));
        if is_in_order && end_before == self.bytes.len() {
            return self.bytes.into_boxed_slice();
        }
        let mut bytes = Vec::with_capacity(self.size);
        self.write(&mut bytes);
        bytes.into_boxed_slice()
    }

    fn at(&self, number: usize) -> Option<(&[u8], Op<'_>)> {
        let &(start, end) = self.places.get(number)?;
        bins(self.bytes.get(start..end)?).next()
    }

    fn number(&mut self, name: &[u8]) -> Option<usize> {
        if self.places.len() <= FEW {
            return (0..self.places.len())
                .find(|&number| self.at(number).is_some_and(|(_, bin)| bin.name == name));
        }
        if self.numbers.is_empty() {
            let numbers = 0..self.places.len();
            let named = numbers.filter_map(|number| Some((Box::from(self.at(number)?.1.name), number)));
            self.numbers = named.collect();
        }
        self.numbers.get(name).copied()
    }

    /// Lets go of what was replaced. Places that are empty stay, as the numbers of the others do.
    fn compact(&mut self) {
        let mut bytes = Vec::with_capacity(self.size);
        for place in &mut self.places {
            let start = bytes.len();
            bytes.extend_from_slice(self.bytes.get(place.0..place.1).unwrap_or_default());
            *place = (start, bytes.len());
        }
        self.bytes = bytes;
    }
}

/// A record's bins by name, for reads that ask for many of them.
pub(crate) struct BinFinder<'r> {
    record: &'r Record,
    named: HashMap<&'r [u8], &'r [u8]>,
}

impl<'r> BinFinder<'r> {
    /// For a read with these operations.
    #[inline]
    pub(crate) fn new(record: &'r Record, ops: &Ops<'_>) -> Self {
        let named = if usize::from(record.n_bins) > FEW && ops.clone().nth(FEW).is_some() {
            bins(&record.bins).map(|(whole, bin)| (bin.name, whole)).collect()
        } else {
            HashMap::new()
        };
        Self { record, named }
    }

    /// The bin of that name, whole.
    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<&'r [u8]> {
        if self.named.is_empty() {
            return bins(&self.record.bins).find(|(_, bin)| bin.name == name).map(|(whole, _)| whole);
        }
        self.named.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(draft: &BinsDraft) -> Vec<String> {
        let mut bytes = Vec::new();
        draft.write(&mut bytes);
        assert_eq!(bytes.len(), draft.size());
        bins(&bytes).map(|(_, bin)| String::from_utf8_lossy(bin.name).into_owned()).collect()
    }

    #[test]
    fn bins_keep_their_places() {
        let mut draft = BinsDraft::default();
        for (name, value) in [(b"a", "1"), (b"b", "22"), (b"c", "333")] {
            draft.put(name, 3, value.as_bytes());
        }
        draft.put(b"b", 4, b"a longer one");
        assert_eq!(names(&draft), ["a", "b", "c"]);
        let (_, bin) = draft.get(b"b").unwrap();
        assert_eq!((bin.particle_type, bin.value), (4, &b"a longer one"[..]));
        draft.remove(b"a");
        draft.remove(b"nobin");
        assert_eq!((names(&draft), draft.count()), (vec!["b".to_owned(), "c".into()], 2));
        draft.clear();
        assert_eq!((draft.count(), draft.size()), (0, 0));
        assert_eq!(draft.into_bytes(), Box::default());
    }

    #[test]
    fn many_bins_are_set_replaced_and_removed() {
        let mut draft = BinsDraft::default();
        for round in 0..20u8 {
            for i in 0..100 {
                draft.put(format!("b{i}").as_bytes(), 4, &vec![round; 100 + usize::from(round)]);
            }
        }
        for i in 0..50 {
            draft.remove(format!("b{i}").as_bytes());
        }
        draft.put(b"b7", 4, b"again");
        assert_eq!(draft.count(), 51);
        assert!(draft.bytes.len() <= 2 * draft.size() + WASTE + 200);
        let names = names(&draft);
        assert_eq!((&*names[0], &*names[49], &*names[50]), ("b50", "b99", "b7"));
        assert_eq!(draft.get(b"b60").unwrap().1.value, [19; 119]);
        let record = Record {
            generation: 1,
            void_time: 0,
            last_update: 0,
            set: 0,
            n_bins: 51,
            bins: draft.into_bytes(),
            key: None,
        };
        let mut ops = Vec::new();
        for i in 0..60 {
            write_op(&mut ops, op::READ, 0, format!("b{i}").as_bytes(), &[]);
        }
        for ops in [&ops[..20], &ops] {
            let finder = BinFinder::new(&record, &Ops::over(ops));
            assert!(finder.find(b"b7").is_some() && finder.find(b"b8").is_none());
        }
        let mut draft = BinsDraft::of(&record);
        draft.put(b"b99", 3, b"x");
        assert_eq!((draft.count(), draft.get(b"b99").unwrap().1.value), (51, &b"x"[..]));
    }

    #[test]
    fn life_ends_after_the_void_time() {
        let mut record = Record {
            generation: 1,
            void_time: 0,
            last_update: 0,
            set: 0,
            n_bins: 0,
            bins: Box::default(),
            key: None,
        };
        assert!(!record.is_expired(u32::MAX));
        record.void_time = 10;
        assert!(!record.is_expired(10));
        assert!(record.is_expired(11));
    }
}
