//! Values that scripts share, as the server's Lua has them: a list that is read from a bin twice is one list.
//!
//! [`Val`] is a value; [`List`], [`Map`] and [`Bytes`] are shared and can change. `encode` has their bytes, `text` how they
//! print. What they hold counts against the [`Meter`], and is freed when the last one who holds it is gone; lists and maps
//! that contain each other are freed by [`Heap`].

mod encode;
mod text;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

pub(crate) use self::encode::{from_bin, from_wire, to_bin, to_reply, to_wire};
use crate::limits::Meter;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Val {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Rc<[u8]>),
    GeoJson(Rc<[u8]>),
    Bytes(Bytes),
    List(List),
    Map(Map),
}

impl Val {
    pub(crate) fn text(text: &[u8]) -> Self {
        Self::Str(until_nul(text).into())
    }

    /// What it counts as part of a list or map.
    fn cost(&self) -> usize {
        const ONE: usize = 40;
        match self {
            Self::Str(text) | Self::GeoJson(text) => ONE + text.len(),
            _ => ONE,
        }
    }
}

/// Text ends where a C string ends.
pub(crate) fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A key of a map, in the server's order of keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum MapKey {
    Int(i64),
    Str(Rc<[u8]>),
    Bytes(Rc<[u8]>),
}

impl MapKey {
    /// The key; `None` for a value that cannot be one.
    pub(crate) fn of(value: &Val) -> Option<Self> {
        match value {
            Val::Int(number) => Some(Self::Int(*number)),
            Val::Str(text) => Some(Self::Str(Rc::clone(text))),
            Val::Bytes(bytes) => bytes.with(|data| {
                (data.kind == wire_protocol::particle::particle_type::BLOB)
                    .then(|| Self::Bytes(data.bytes().into()))
            }),
            _ => None,
        }
    }

    pub(crate) fn to_val(&self, heap: &Heap) -> Val {
        match self {
            Self::Int(number) => Val::Int(*number),
            Self::Str(text) => Val::Str(Rc::clone(text)),
            Self::Bytes(bytes) => Val::Bytes(heap.bytes(bytes.to_vec())),
        }
    }

    fn cost(&self) -> usize {
        match self {
            Self::Int(_) => 40,
            Self::Str(bytes) | Self::Bytes(bytes) => 40 + bytes.len(),
        }
    }
}

/// Contents that count against a meter.
#[derive(Debug)]
struct Counted<T> {
    meter: Rc<Meter>,
    counted: Cell<usize>,
    contents: RefCell<T>,
}

impl<T> Counted<T> {
    fn new(meter: &Rc<Meter>, contents: T, cost: usize) -> Rc<Self> {
        let counted = Rc::new(Self {
            meter: Rc::clone(meter),
            counted: Cell::new(0),
            contents: RefCell::new(contents),
        });
        counted.count(cost.saturating_add(OBJECT));
        counted
    }

    fn count(&self, bytes: usize) {
        self.meter.allocate(bytes);
        self.counted.set(self.counted.get().saturating_add(bytes));
    }

    fn discount(&self, bytes: usize) {
        let bytes = bytes.min(self.counted.get());
        self.meter.free(bytes);
        self.counted.set(self.counted.get() - bytes);
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        self.meter.free(self.counted.get());
    }
}

impl Drop for ListData {
    fn drop(&mut self) {
        drop_values(std::mem::take(&mut self.items));
    }
}

impl Drop for MapData {
    fn drop(&mut self) {
        drop_values(std::mem::take(&mut self.pairs).into_values());
    }
}

thread_local! {
    /// Values that a drop further out will drop; `None` if there is none.
    static DROPPED: RefCell<Option<Vec<Val>>> = const { RefCell::new(None) };
}

/// Drops values one after the other instead of one inside the other: scripts can nest lists so deep that the stack would
/// not suffice.
fn drop_values(values: impl IntoIterator<Item = Val>) {
    let is_outermost = DROPPED.with_borrow_mut(|dropped| {
        let is_outermost = dropped.is_none();
        let nested = values.into_iter().filter(|value| matches!(value, Val::List(_) | Val::Map(_)));
        dropped.get_or_insert_default().extend(nested);
        is_outermost
    });
    if !is_outermost {
        return;
    }
    while let Some(value) = DROPPED.with_borrow_mut(|dropped| dropped.as_mut().and_then(Vec::pop)) {
        drop(value);
    }
    DROPPED.set(None);
}

/// What an empty list, map or bytes counts.
const OBJECT: usize = 120;

/// A list.
#[derive(Clone, Debug)]
pub(crate) struct List(Rc<Counted<ListData>>);

#[derive(Debug, Default)]
pub(crate) struct ListData {
    pub(crate) items: Vec<Val>,
    /// Kept sorted when it is stored.
    pub(crate) is_ordered: bool,
}

impl List {
    /// Reads the list. `read` must not change it.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&ListData) -> R) -> R {
        read(&self.0.contents.borrow())
    }

    pub(crate) fn len(&self) -> usize {
        self.with(|data| data.items.len())
    }

    /// Changes the elements; `change` may not run scripts.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Vec<Val>) -> R) -> R {
        let (result, before, after) = {
            let items = &mut self.0.contents.borrow_mut().items;
            let before = items.capacity();
            let result = change(items);
            (result, before, items.capacity())
        };
        let size = size_of::<Val>();
        if after > before {
            self.0.count((after - before).saturating_mul(size));
        } else {
            self.0.discount((before - after).saturating_mul(size));
        }
        result
    }

    /// Counts a value that was put into the list.
    pub(crate) fn gained(&self, value_cost: usize) {
        self.0.count(value_cost);
    }

    pub(crate) fn lost(&self, value_cost: usize) {
        self.0.discount(value_cost);
    }
}

/// A map.
#[derive(Clone, Debug)]
pub(crate) struct Map(Rc<Counted<MapData>>);

#[derive(Debug, Default)]
pub(crate) struct MapData {
    pub(crate) pairs: BTreeMap<MapKey, Val>,
    /// How it is ordered when it is stored.
    pub(crate) order: wire_protocol::value::MapOrder,
}

impl Map {
    /// Reads the map. `read` must not change it.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&MapData) -> R) -> R {
        read(&self.0.contents.borrow())
    }

    pub(crate) fn len(&self) -> usize {
        self.with(|data| data.pairs.len())
    }

    pub(crate) fn get(&self, key: &MapKey) -> Option<Val> {
        self.with(|data| data.pairs.get(key).cloned())
    }

    pub(crate) fn set(&self, key: MapKey, value: Val) {
        self.0.count(key.cost() + value.cost());
        let key_cost = key.cost();
        // Dropped outside of the borrow, since it may be the last to hold other values.
        let old = self.0.contents.borrow_mut().pairs.insert(key, value);
        if let Some(old) = old {
            self.0.discount(key_cost + old.cost());
        }
    }

    pub(crate) fn remove(&self, key: &MapKey) {
        let old = self.0.contents.borrow_mut().pairs.remove(key);
        if let Some(old) = old {
            self.0.discount(key.cost() + old.cost());
        }
    }

    /// The first pair after `key`.
    pub(crate) fn after(&self, key: Option<&MapKey>) -> Option<(MapKey, Val)> {
        use std::ops::Bound;
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.with(|data| {
            let next = data.pairs.range::<MapKey, _>((from, Bound::Unbounded)).next();
            next.map(|(key, value)| (key.clone(), value.clone()))
        })
    }
}

/// Bytes.
#[derive(Clone, Debug)]
pub(crate) struct Bytes(Rc<Counted<BytesData>>);

/// A buffer, and how much of it is in use.
#[derive(Debug)]
pub(crate) struct BytesData {
    buffer: Vec<u8>,
    size: usize,
    pub(crate) kind: u8,
}

impl BytesData {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.size).unwrap_or_default()
    }

    /// All of the buffer.
    pub(crate) fn buffer(&self) -> &[u8] {
        &self.buffer
    }
}

/// Size of the longest bytes.
const MAX_BYTES: usize = 16 * 1024 * 1024;

impl Bytes {
    /// Reads the bytes. `read` must not change them.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&BytesData) -> R) -> R {
        read(&self.0.contents.borrow())
    }

    pub(crate) fn size(&self) -> usize {
        self.with(|data| data.size)
    }

    pub(crate) fn set_kind(&self, kind: u8) {
        self.0.contents.borrow_mut().kind = kind;
    }

    /// How many bytes more the buffer needs for `size`; `None` if that is too many.
    pub(crate) fn missing(&self, size: usize) -> Option<usize> {
        (size <= MAX_BYTES).then(|| size.saturating_sub(self.with(|data| data.buffer.len())))
    }

    /// Makes the buffer at least this large.
    pub(crate) fn reserve(&self, size: usize) {
        let mut data = self.0.contents.borrow_mut();
        let more = size.saturating_sub(data.buffer.len());
        if more > 0 {
            data.buffer.resize(size, 0);
            self.0.count(more);
        }
    }

    /// Overwrites bytes of the buffer; those beyond its end are dropped.
    pub(crate) fn write(&self, at: usize, bytes: &[u8]) {
        let mut data = self.0.contents.borrow_mut();
        let end = at.saturating_add(bytes.len());
        if let Some(room) = data.buffer.get_mut(at..end) {
            room.copy_from_slice(bytes);
            data.size = data.size.max(end);
        }
    }

    /// Overwrites bytes without making them part of the value.
    pub(crate) fn write_beyond(&self, at: usize, bytes: &[u8]) {
        let mut data = self.0.contents.borrow_mut();
        if let Some(room) = data.buffer.get_mut(at..at.saturating_add(bytes.len())) {
            room.copy_from_slice(bytes);
        }
    }
}

/// Makes values, and frees those that contain each other.
#[derive(Debug)]
pub(crate) struct Heap {
    pub(crate) meter: Rc<Meter>,
    lists: RefCell<Vec<Weak<Counted<ListData>>>>,
    maps: RefCell<Vec<Weak<Counted<MapData>>>>,
    /// The number of lists and maps at which dead ones are dropped.
    sweep_at: Cell<usize>,
}

impl Heap {
    pub(crate) fn new(meter: Rc<Meter>) -> Self {
        Self { meter, lists: RefCell::default(), maps: RefCell::default(), sweep_at: Cell::new(1024) }
    }

    pub(crate) fn list(&self, items: Vec<Val>, is_ordered: bool) -> List {
        let cost = items.iter().map(Val::cost).sum::<usize>();
        let cost = cost.saturating_add(items.capacity().saturating_mul(size_of::<Val>()));
        let list = Counted::new(&self.meter, ListData { items, is_ordered }, cost);
        self.sweep();
        self.lists.borrow_mut().push(Rc::downgrade(&list));
        List(list)
    }

    pub(crate) fn map(&self) -> Map {
        let map = Counted::new(&self.meter, MapData::default(), 0);
        self.sweep();
        self.maps.borrow_mut().push(Rc::downgrade(&map));
        Map(map)
    }

    pub(crate) fn map_with_order(&self, order: wire_protocol::value::MapOrder) -> Map {
        let map = self.map();
        map.0.contents.borrow_mut().order = order;
        map
    }

    pub(crate) fn bytes(&self, buffer: Vec<u8>) -> Bytes {
        self.bytes_of(buffer, wire_protocol::particle::particle_type::BLOB)
    }

    pub(crate) fn bytes_of(&self, buffer: Vec<u8>, kind: u8) -> Bytes {
        let size = buffer.len();
        Bytes(Counted::new(&self.meter, BytesData { buffer, size, kind }, size))
    }

    /// Empty bytes with a buffer.
    pub(crate) fn empty_bytes(&self, capacity: usize) -> Bytes {
        let kind = wire_protocol::particle::particle_type::BLOB;
        Bytes(Counted::new(&self.meter, BytesData { buffer: vec![0; capacity], size: 0, kind }, capacity))
    }

    fn sweep(&self) {
        let count = self.lists.borrow().len() + self.maps.borrow().len();
        if count >= self.sweep_at.get() {
            self.lists.borrow_mut().retain(|list| list.strong_count() > 0);
            self.maps.borrow_mut().retain(|map| map.strong_count() > 0);
            let left = self.lists.borrow().len() + self.maps.borrow().len();
            self.sweep_at.set((left * 2).max(1024));
        }
    }

    /// Empties all lists and maps, so that those that contain each other are freed. Not recursive: each value is emptied
    /// before it is dropped.
    pub(crate) fn clear(&self) {
        let mut rest = Vec::new();
        for list in self.lists.take().iter().filter_map(Weak::upgrade) {
            rest.append(&mut list.contents.borrow_mut().items);
        }
        for map in self.maps.take().iter().filter_map(Weak::upgrade) {
            rest.extend(std::mem::take(&mut map.contents.borrow_mut().pairs).into_values());
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What a value counts as part of a list.
pub(crate) fn cost(value: &Val) -> usize {
    value.cost()
}
