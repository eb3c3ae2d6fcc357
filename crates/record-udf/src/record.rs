//! The record that a function works on: what a script reads and sets, and what it has asked the server to write.
//!
//! Like the server, a bin that a script sets is kept aside until the script calls `create`, `update` or `remove`. A script
//! reads what it has set, and a list or map that it reads twice is one value.

use record_ops::Bin;
use wire_protocol::ResultCode;
use wire_protocol::digest::Digest;

use crate::value::{Heap, Val, from_bin, to_bin};

/// Largest number of bins of a record that functions work on.
const MAX_BINS: usize = 512;

/// Largest number of bins that a function reads and sets.
const MAX_CACHED: usize = 1024;

/// Length of the longest bin name.
const MAX_NAME: usize = 15;

/// A record as the store has it.
#[derive(Clone, Debug, Default)]
pub struct StoredRecord {
    /// Name and value of each bin.
    pub bins: Vec<(Box<[u8]>, Bin)>,
    /// Particle type and value of the user key.
    pub key: Option<Box<[u8]>>,
    /// Its generation.
    pub generation: u16,
    /// Seconds until it expires; 0 means never.
    pub ttl: u32,
    /// When it was last written, in milliseconds since 2010.
    pub last_update: u64,
    /// Its size in the server's storage.
    pub size: usize,
}

/// The record that a function is applied to.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// Its digest.
    pub digest: Digest,
    /// The name of its set; empty for none.
    pub set: Box<[u8]>,
    /// The user key that the request sends: particle type and value.
    pub key: Option<Box<[u8]>>,
    /// The record; `None` if there is none.
    pub stored: Option<StoredRecord>,
    /// The time, in milliseconds since 2010.
    pub now: u64,
}

/// What a function wants written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// All bins of the record; none if it is to be removed.
    pub bins: Vec<(Box<[u8]>, Bin)>,
    /// The time to live that the function has set, as a request would.
    pub ttl: Option<u32>,
    /// The record loses its user key.
    pub drops_key: bool,
    /// The number of bins before.
    pub old_bins: usize,
}

/// A bin that the script has read or set.
#[derive(Debug)]
struct Cached {
    name: Box<[u8]>,
    value: Option<Val>,
    is_changed: bool,
}

impl Cached {
    fn has_value(&self) -> bool {
        !matches!(self.value, None | Some(Val::Nil))
    }
}

/// The record while a function works on it.
#[derive(Debug)]
pub(crate) struct RecordState {
    subject: Subject,
    bins: Vec<(Box<[u8]>, Bin)>,
    old_bins: Vec<(Box<[u8]>, Bin)>,
    cached: Vec<Cached>,
    inserts: usize,
    has_too_many: bool,
    has_updates: bool,
    /// The record exists, or the function has created it.
    pub(crate) is_open: bool,
    /// The record has no more bins than a function may see.
    is_readable: bool,
    pub(crate) result_code: ResultCode,
    ttl: Option<u32>,
    drops_key: bool,
}

impl RecordState {
    pub(crate) fn new(mut subject: Subject) -> Self {
        let bins = subject.stored.as_mut().map(|stored| std::mem::take(&mut stored.bins));
        Self {
            is_readable: bins.as_ref().is_none_or(|bins| bins.len() <= MAX_BINS),
            is_open: bins.is_some(),
            bins: bins.unwrap_or_default(),
            subject,
            old_bins: Vec::new(),
            cached: Vec::new(),
            inserts: 0,
            has_too_many: false,
            has_updates: false,
            result_code: ResultCode::OK,
            ttl: None,
            drops_key: false,
        }
    }

    /// What is to be written, if anything.
    pub(crate) fn into_changes(self) -> Option<Changes> {
        self.has_updates.then_some(Changes {
            bins: self.bins,
            ttl: self.ttl,
            drops_key: self.drops_key,
            old_bins: self.old_bins.len(),
        })
    }

    pub(crate) fn get(&mut self, heap: &Heap, name: &[u8]) -> Val {
        if name.len() > MAX_NAME {
            return Val::Nil;
        }
        if let Some(value) =
            self.cached.iter().find(|bin| *bin.name == *name).and_then(|bin| bin.value.clone())
        {
            return value;
        }
        if !self.is_open || !self.is_readable {
            return Val::Nil;
        }
        let Some((_, bin)) = self.bins.iter().find(|(bin, _)| **bin == *name) else {
            return Val::Nil;
        };
        let value = from_bin(heap, bin);
        self.cache(name, value.clone(), false);
        value
    }

    /// Sets a bin; one whose name is too long is ignored, as by the server.
    pub(crate) fn set(&mut self, name: &[u8], value: Val) {
        if name.len() <= MAX_NAME {
            self.cache(name, value, true);
        }
    }

    fn cache(&mut self, name: &[u8], value: Val, is_changed: bool) {
        if self.has_too_many {
            return;
        }
        let is_insert = !matches!(value, Val::Nil);
        if let Some(bin) = self.cached.iter_mut().find(|bin| *bin.name == *name) {
            self.inserts -= usize::from(bin.has_value());
            self.inserts += usize::from(is_insert);
            (bin.value, bin.is_changed) = (Some(value), is_changed);
            return;
        }
        if self.cached.len() >= MAX_CACHED || is_insert && self.inserts >= MAX_BINS {
            self.has_too_many = true;
            return;
        }
        self.cached.push(Cached { name: name.into(), value: Some(value), is_changed });
        self.inserts += usize::from(is_insert);
    }

    /// Creates the record. Returns the server's number: 0 for success.
    pub(crate) fn create(&mut self) -> i64 {
        if self.is_open {
            return if self.is_readable && self.bins.is_empty() { self.execute() } else { 1 };
        }
        let result = self.execute();
        self.is_open = result == 0;
        result
    }

    /// Updates the record. Returns the server's number: 0 for success.
    pub(crate) fn update(&mut self) -> i64 {
        if self.is_open && self.is_readable { self.execute() } else { -2 }
    }

    /// Removes the record. Returns the server's number: 0 for success.
    pub(crate) fn remove(&mut self) -> i64 {
        if !self.is_open || !self.is_readable {
            return 1;
        }
        self.forget_cached();
        self.cached = self
            .bins
            .iter()
            .map(|(name, _)| Cached { name: name.clone(), value: None, is_changed: true })
            .collect();
        self.execute()
    }

    fn execute(&mut self) -> i64 {
        if !self.has_updates {
            self.old_bins.clone_from(&self.bins);
        }
        match self.write_cached() {
            Ok(()) => {
                self.cached.retain(|bin| !bin.is_changed || bin.has_value());
                self.cached.iter_mut().for_each(|bin| bin.is_changed = false);
                self.result_code = ResultCode::OK;
                self.has_updates = true;
                0
            }
            Err(code) => {
                self.result_code = code;
                self.has_updates = false;
                self.bins = std::mem::take(&mut self.old_bins);
                self.forget_cached();
                -1
            }
        }
    }

    fn write_cached(&mut self) -> Result<(), ResultCode> {
        if self.has_too_many {
            return Err(ResultCode::BIN_NAME);
        }
        for bin in self.cached.iter().filter(|bin| bin.is_changed) {
            let position = self.bins.iter().position(|(name, _)| *name == bin.name);
            let Some(value) = bin.value.as_ref().filter(|_| bin.has_value()) else {
                if let Some(position) = position {
                    self.bins.remove(position);
                }
                continue;
            };
            let value = to_bin(value).ok_or(ResultCode::BIN_TYPE)?;
            match position {
                Some(position) => self.bins[position].1 = value,
                None if self.bins.len() >= MAX_BINS => return Err(ResultCode::BIN_NAME),
                None => self.bins.push((bin.name.clone(), value)),
            }
        }
        Ok(())
    }

    fn forget_cached(&mut self) {
        self.cached.clear();
        self.inserts = 0;
        self.has_too_many = false;
    }

    pub(crate) fn digest(&self) -> Digest {
        self.subject.digest
    }

    pub(crate) fn now(&self) -> u64 {
        self.subject.now
    }

    /// The name of the set; `None` if the record does not exist or has none.
    pub(crate) fn set_name(&self) -> Option<&[u8]> {
        Some(&*self.subject.set).filter(|set| self.is_open && !set.is_empty())
    }

    /// The user key: particle type and value.
    pub(crate) fn key(&self) -> Option<&[u8]> {
        if !self.is_open || self.drops_key {
            return None;
        }
        let stored = self.subject.stored.as_ref().and_then(|stored| stored.key.as_deref());
        stored.or(self.subject.key.as_deref())
    }

    pub(crate) fn stored(&self) -> Option<&StoredRecord> {
        self.subject.stored.as_ref()
    }

    /// The names of the bins; `None` if the record does not exist.
    pub(crate) fn bin_names(&self) -> Option<impl Iterator<Item = &[u8]>> {
        self.is_open.then(|| self.bins.iter().map(|(name, _)| &**name))
    }

    pub(crate) fn bin_count(&self) -> usize {
        if self.is_open { self.bins.len() } else { 0 }
    }

    pub(crate) fn set_ttl(&mut self, ttl: u32) {
        self.ttl = Some(ttl);
    }

    pub(crate) fn drop_key(&mut self) {
        self.drops_key = self.drops_key || self.is_open;
    }
}
