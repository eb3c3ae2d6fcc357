//! Contexts: the way to a list or map inside others, and back to the bin with what an operation made of it.

use std::borrow::Cow;

use wire_protocol::msgpack::{KEY_ORDERED, KEY_VALUE_ORDERED, MAX_DEPTH, Reader, Token};
use wire_protocol::operation::context_type as x;

use crate::collection::list::{List, TOO_LARGE};
use crate::collection::map::Map;
use crate::collection::request::{Step, Steps, has_nonstorage};
use crate::collection::select::{by_rank, range};
use crate::error::OpError;
use crate::value::{LIST_ORDERED, MAX_VALUE, PERSIST_INDEX, Rules, compare, normalize};

const NO_ELEMENT: OpError = OpError::not_applicable("the context leads to an element that does not exist");
const BAD_STEP: OpError =
    OpError::not_applicable("the context has a step that the list or map does not take");
const TOO_DEEP: OpError = OpError::not_applicable("the context leads deeper than lists and maps may nest");

/// What a step looks at: the part of its type that is the same for lists and maps.
const INDEX: u64 = 0;
const RANK: u64 = 1;
const KEY: u64 = 2;
const VALUE: u64 = 3;

/// The bits of a step's type.
const BASE: u64 = 0x0f;
const IS_LIST: u64 = 0x10;
const IS_MAP: u64 = 0x20;
const CREATE: u64 = x::CREATE as u64;
const CREATE_INDEX: u64 = 0x100;
const LIST_INDEX: u64 = x::LIST_INDEX as u64;
const MAP_KEY: u64 = x::MAP_KEY as u64;

/// A list or map on the way, and the element through which the way goes on.
#[derive(Clone, Debug)]
struct Level<'a> {
    container: Container<'a>,
    at: usize,
}

#[derive(Clone, Debug)]
enum Container<'a> {
    List(List<'a>),
    Map(Map<'a>),
}

/// A list or map that the way creates. It has one element, after `pads` nils if it is a list.
#[derive(Clone, Debug)]
enum New<'a> {
    List { flags: i8, pads: usize },
    Map { flags: i8, key: Cow<'a, [u8]> },
}

/// Where a context leads.
#[derive(Clone, Debug)]
pub(super) struct Way<'a> {
    levels: Vec<Level<'a>>,
    end: End<'a>,
}

#[derive(Clone, Debug)]
enum End<'a> {
    Found(&'a [u8]),
    /// The element does not exist, and the operation may create it: in the last level, with this key or after these
    /// nils, and inside of these lists and maps.
    Missing {
        key: Option<Cow<'a, [u8]>>,
        pads: usize,
        inner: Vec<New<'a>>,
    },
}

impl<'a> Way<'a> {
    /// Follows the steps from a bin, which may not exist. Sets `nonstorage` if the last value that a step compares with
    /// exists in comparisons only.
    pub(super) fn find(
        bin: Option<&'a [u8]>,
        steps: &mut Steps<'a>,
        is_modify: bool,
        nonstorage: &mut bool,
    ) -> Result<Self, OpError> {
        if steps.len() > MAX_DEPTH {
            return Err(TOO_DEEP);
        }
        let mut way = Self { levels: Vec::new(), end: End::Found(bin.unwrap_or_default()) };
        while let Some(step) = steps.next() {
            let step = step?;
            check_step(&step)?;
            let can_create = step.kind & CREATE != 0;
            let End::Found(bytes) = way.end else { break };
            if bin.is_none() {
                if !can_create {
                    return Err(NO_ELEMENT);
                }
                let mut inner = vec![new_level(&step, true)?];
                new_levels(steps, &mut inner)?;
                way.end = End::Missing { key: None, pads: 0, inner };
                break;
            }
            let container = Container::parse(bytes)?;
            let (at, end) = match &container {
                Container::List(list) if step.kind & IS_MAP == 0 => list_step(list, &step, nonstorage)?,
                Container::Map(map) if step.kind & IS_LIST == 0 => map_step(map, &step, nonstorage)?,
                _ => return Err(BAD_STEP),
            };
            way.levels.push(Level { container, at });
            way.end = end;
            if let End::Missing { inner, .. } = &mut way.end {
                if !is_modify {
                    return Err(NO_ELEMENT);
                }
                new_levels(steps, inner)?;
                break;
            }
        }
        Ok(way)
    }

    /// The bytes of the element, if it exists.
    pub(super) fn found(&self) -> Option<&'a [u8]> {
        match self.end {
            End::Found(bytes) => Some(bytes),
            End::Missing { .. } => None,
        }
    }

    /// Number of lists and maps around the element.
    pub(super) fn depth(&self) -> usize {
        let new = match &self.end {
            End::Found(_) => 0,
            End::Missing { inner, .. } => inner.len(),
        };
        self.levels.len() + new
    }

    /// Whether the bin is a map; `None` if it is the element itself.
    pub(super) fn is_map(&self) -> Option<bool> {
        match (self.levels.first(), &self.end) {
            (Some(level), _) => Some(matches!(level.container, Container::Map(_))),
            (None, End::Missing { inner, .. }) => inner.first().map(|new| matches!(new, New::Map { .. })),
            (None, End::Found(_)) => None,
        }
    }

    /// The bin with this element.
    pub(super) fn rebuild(self, element: Vec<u8>) -> Result<Vec<u8>, OpError> {
        let mut levels = self.levels;
        let mut bytes = element;
        if let End::Missing { key, pads, inner } = self.end {
            for new in inner.into_iter().rev() {
                bytes = match new {
                    New::List { flags, pads } => {
                        let mut items = nils(pads)?;
                        items.push(&bytes);
                        List::encode(flags, &items)?
                    }
                    New::Map { flags, key } => Map::encode(flags, &[(&key, &bytes)])?,
                };
            }
            if let Some(level) = levels.pop() {
                bytes = level.inserted(key.as_deref().unwrap_or_default(), pads, &bytes)?;
            }
        }
        for level in levels.into_iter().rev() {
            bytes = level.replaced(&bytes)?;
        }
        Ok(bytes)
    }
}

fn nils<'n>(count: usize) -> Result<Vec<&'n [u8]>, OpError> {
    if count > MAX_VALUE {
        return Err(TOO_LARGE);
    }
    Ok(vec![&[0xc0]; count])
}

impl Level<'_> {
    /// The list or map with another element in the place of this one.
    fn replaced(self, element: &[u8]) -> Result<Vec<u8>, OpError> {
        let at = self.at;
        match self.container {
            Container::List(list) => {
                let mut items = list.items.clone();
                if let Some(item) = items.get_mut(at) {
                    *item = element;
                }
                if list.is_ordered() && items.len() > 1 {
                    // Before the first element that is not less; its own old place counts as this one.
                    let start = list.lower_bound(element);
                    if start != at && start != at + 1 {
                        let item = items.remove(at);
                        items.insert(if start > at { start - 1 } else { start }, item);
                    }
                }
                List::encode(list.flags, &items)
            }
            Container::Map(map) => {
                let mut pairs = map.pairs;
                if let Some((_, value)) = pairs.get_mut(at) {
                    *value = element;
                }
                Map::encode(map.flags, &pairs)
            }
        }
    }

    /// The list or map with one more element.
    fn inserted(self, key: &[u8], pads: usize, element: &[u8]) -> Result<Vec<u8>, OpError> {
        match self.container {
            Container::List(list) => {
                let mut items = list.items.clone();
                if list.is_ordered() {
                    items.insert(list.lower_bound(element), element);
                } else {
                    items.extend(nils(pads)?);
                    items.push(element);
                }
                List::encode(list.flags, &items)
            }
            Container::Map(map) => {
                let mut pairs = map.pairs;
                pairs.insert(self.at.min(pairs.len()), (key, element));
                Map::encode(map.flags, &pairs)
            }
        }
    }
}

impl<'a> Container<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, OpError> {
        match Reader::new(bytes).token() {
            Ok(Token::List { .. }) => List::parse(bytes).map(Self::List),
            Ok(Token::Map { .. }) => Map::parse(bytes).map(Self::Map),
            _ => Err(OpError::not_applicable("the context leads through an element that is no list or map")),
        }
    }
}

/// Refuses unknown steps, and steps that create neither a list nor a map.
fn check_step(step: &Step<'_>) -> Result<(), OpError> {
    let is_typed = step.kind & (IS_LIST | IS_MAP) != 0;
    if step.kind & BASE > VALUE || !is_typed && step.kind & (CREATE | CREATE_INDEX) != 0 {
        return Err(BAD_STEP);
    }
    Ok(())
}

fn list_step<'a>(
    list: &List<'a>,
    step: &Step<'a>,
    nonstorage: &mut bool,
) -> Result<(usize, End<'a>), OpError> {
    let len = list.len();
    let at = match step.kind & BASE {
        RANK if !list.is_ordered() => {
            let ranks = range(step.index().ok_or(BAD_STEP)?, 1, len, false).ok_or(NO_ELEMENT)?;
            *by_rank(&ranks, len, |a, b| list.compare(a, b)).first().ok_or(NO_ELEMENT)?
        }
        INDEX | RANK => {
            let index = step.index().ok_or(BAD_STEP)?;
            match range(index, 1, len, false) {
                Some(found) => found.start,
                None => return Ok((len, missing_item(list, step, index)?)),
            }
        }
        VALUE => {
            *nonstorage |= has_nonstorage(step.value);
            let position = if list.is_ordered() {
                let start = list.lower_bound(step.value);
                list.items.get(start).filter(|item| compare(item, step.value).is_eq()).map(|_| start)
            } else {
                list.items.iter().position(|item| compare(item, step.value).is_eq())
            };
            position.ok_or(NO_ELEMENT)?
        }
        _ => return Err(BAD_STEP),
    };
    Ok((at, End::Found(list.items.get(at).ok_or(NO_ELEMENT)?)))
}

/// What becomes of a step to an index that a list does not have.
fn missing_item<'a>(list: &List<'_>, step: &Step<'_>, index: i64) -> Result<End<'a>, OpError> {
    let len = i64::try_from(list.len()).unwrap_or(i64::MAX);
    if step.kind & CREATE == 0 {
        return Err(NO_ELEMENT);
    }
    let pads = if len == 0 && index == -1 || index == len || list.is_ordered() {
        0
    } else if step.kind & (CREATE | CREATE_INDEX) == x::CREATE_LIST_PADDED as u64 {
        // A negative index is not refused, but no list is so long.
        usize::try_from(index.saturating_sub(len)).unwrap_or(usize::MAX)
    } else {
        return Err(NO_ELEMENT);
    };
    Ok(End::Missing { key: None, pads, inner: Vec::new() })
}

fn map_step<'a>(map: &Map<'a>, step: &Step<'a>, nonstorage: &mut bool) -> Result<(usize, End<'a>), OpError> {
    let len = map.len();
    let at = match step.kind & BASE {
        INDEX => range(step.index().ok_or(BAD_STEP)?, 1, len, false).ok_or(NO_ELEMENT)?.start,
        RANK => {
            let ranks = range(step.index().ok_or(BAD_STEP)?, 1, len, false).ok_or(NO_ELEMENT)?;
            *map.by_value().get(ranks.start).ok_or(NO_ELEMENT)?
        }
        KEY => {
            *nonstorage = false;
            let key = normalize(step.value, Rules::default()).ok_or(BAD_STEP)?;
            match map.find(&key) {
                Ok(at) => at,
                Err(at) if step.kind & CREATE != 0 => {
                    return Ok((at, End::Missing { key: Some(key), pads: 0, inner: Vec::new() }));
                }
                Err(_) => return Err(NO_ELEMENT),
            }
        }
        _ => {
            *nonstorage |= has_nonstorage(step.value);
            (0..len)
                .filter(|&at| compare(map.pairs[at].1, step.value).is_eq())
                .min_by(|&a, &b| map.compare_values(a, b))
                .ok_or(NO_ELEMENT)?
        }
    };
    Ok((at, End::Found(map.pairs.get(at).ok_or(NO_ELEMENT)?.1)))
}

/// The lists and maps that the remaining steps create.
fn new_levels<'a>(steps: &mut Steps<'a>, inner: &mut Vec<New<'a>>) -> Result<(), OpError> {
    while let Some(step) = steps.next() {
        let step = step.map_err(|_| BAD_STEP)?;
        check_step(&step)?;
        inner.push(new_level(&step, false)?);
    }
    Ok(())
}

/// The list or map that a step creates.
fn new_level<'a>(step: &Step<'a>, is_bin: bool) -> Result<New<'a>, OpError> {
    if step.kind & CREATE_INDEX != 0 && !is_bin {
        return Err(BAD_STEP);
    }
    let persisted = if step.kind & CREATE_INDEX != 0 { PERSIST_INDEX } else { 0 };
    let create = (step.kind & CREATE).cast_signed();
    match step.kind & (BASE | IS_LIST | IS_MAP) {
        MAP_KEY => {
            let key = normalize(step.value, Rules::default()).ok_or(BAD_STEP)?;
            let order = match create {
                x::CREATE_MAP_KEY_ORDERED => KEY_ORDERED,
                x::CREATE_MAP_KEY_VALUE_ORDERED => KEY_VALUE_ORDERED,
                _ => 0,
            };
            Ok(New::Map { flags: order | persisted, key })
        }
        LIST_INDEX => {
            let index = step.index().filter(|&index| index >= -1).ok_or(BAD_STEP)?;
            match create {
                x::CREATE_LIST_PADDED => {
                    let pads = usize::try_from(index).unwrap_or_default();
                    Ok(New::List { flags: persisted, pads })
                }
                x::CREATE_LIST_ORDERED => Ok(New::List { flags: LIST_ORDERED | persisted, pads: 0 }),
                _ if persisted != 0 || index <= 0 => Ok(New::List { flags: persisted, pads: 0 }),
                _ => Err(NO_ELEMENT),
            }
        }
        _ => Err(BAD_STEP),
    }
}
