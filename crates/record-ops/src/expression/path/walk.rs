//! Follows a path through lists and maps.

use std::cmp::Ordering;

use wire_protocol::ResultCode;
use wire_protocol::msgpack::{self, Reader, Token};
use wire_protocol::particle::particle_type;

use super::{By, INVALID, NO_COLLECTION, Path, Step, What};
use crate::args::Args;
use crate::error::OpError;
use crate::expression::Expression;
use crate::expression::evaluate::Evaluator;
use crate::expression::outcome::{Bytes, Outcome};
use crate::value::{self, LIST_ORDERED, MAX_VALUE};

const DAMAGED: OpError = OpError::new(ResultCode::SERVER_ERROR, "a list or map is damaged");
const UNKNOWN_VALUE: OpError =
    OpError::new(ResultCode::SERVER_ERROR, "the new value of an element is unknown");
const TOO_MUCH: OpError = OpError::not_applicable("the operation takes too much work");

/// A list or map, split into its elements.
struct Collection<'b> {
    is_map: bool,
    /// The extension that marks its order, as it is encoded, with its flags.
    marker: Option<(&'b [u8], i8)>,
    /// The key, empty in a list, and the value of each element.
    elements: Vec<[&'b [u8]; 2]>,
}

impl<'b> Collection<'b> {
    fn parse(bytes: &'b [u8]) -> Result<Self, OpError> {
        let mut args = Args::over(bytes);
        let (is_map, mut len) = match args.next_token() {
            Ok(Token::List { len }) => (false, len),
            Ok(Token::Map { len }) => (true, len),
            _ => return Err(NO_COLLECTION),
        };
        let mut marker = None;
        if len > 0
            && let Ok(Token::Ext { kind, .. }) = args.peek()
        {
            marker = Some((args.value()?, kind));
            if is_map {
                args.value()?;
            }
            len -= 1;
        }
        let mut elements = Vec::new();
        for _ in 0..len {
            let key = if is_map { args.value().map_err(|_| DAMAGED)? } else { &[] };
            elements.push([key, args.value().map_err(|_| DAMAGED)?]);
        }
        Ok(Self { is_map, marker, elements })
    }

    fn is_ordered_list(&self) -> bool {
        !self.is_map && self.marker.is_some_and(|(_, kind)| kind & LIST_ORDERED != 0)
    }

    /// Appends the header of a collection of `len` elements, with the marker of its order if wanted.
    fn write_header(&self, len: usize, with_marker: bool, out: &mut Vec<u8>) {
        let marker = self.marker.filter(|_| with_marker);
        let len = len + usize::from(marker.is_some());
        if self.is_map {
            msgpack::write_map_header(out, len);
        } else {
            msgpack::write_list_header(out, len);
        }
        if let Some((marker, _)) = marker {
            out.extend_from_slice(marker);
            if self.is_map {
                msgpack::write_nil(out);
            }
        }
    }

    /// The position of the element with a rank in the order of keys (`part` 0) or values (1).
    fn ranked(&self, rank: i64, part: usize) -> Option<usize> {
        let rank = position(rank, self.elements.len())?;
        if part == 1 && self.is_ordered_list() {
            return Some(rank);
        }
        let mut order: Vec<usize> = (0..self.elements.len()).collect();
        let compare = |&a: &usize, &b: &usize| value::compare(self.elements[a][part], self.elements[b][part]);
        order.sort_by(|a, b| compare(a, b).then(a.cmp(b)));
        order.get(rank).copied()
    }
}

/// A position that may count from the end. `None`: outside.
fn position(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
    usize::try_from(index).ok().filter(|&index| index < len)
}

fn is_collection(bytes: &[u8]) -> bool {
    matches!(Reader::new(bytes).token(), Ok(Token::List { .. } | Token::Map { .. }))
}

/// Follows one path through one bin.
pub(super) struct Walk<'p> {
    path: &'p Path<'p>,
    /// The work that is left.
    work: &'p mut usize,
    /// The number of leaves that were selected.
    selected: usize,
}

impl<'p> Walk<'p> {
    pub(super) fn new(path: &'p Path<'p>, work: &'p mut usize) -> Self {
        Self { path, work, selected: 0 }
    }

    fn charge(&mut self, work: usize) -> Result<(), OpError> {
        *self.work = self.work.saturating_sub(work.saturating_add(1));
        if *self.work == 0 { Err(TOO_MUCH) } else { Ok(()) }
    }

    /// The list of the selected parts, which were appended to `parts`.
    pub(super) fn into_list(self, parts: &[u8]) -> Vec<u8> {
        let per_element = if self.path.what == What::KeysAndValues { 2 } else { 1 };
        let mut list = Vec::with_capacity(parts.len() + 5);
        msgpack::write_list_header(&mut list, self.selected * per_element);
        list.extend_from_slice(parts);
        list
    }

    fn is_leaf(&self, level: usize) -> bool {
        level + 1 == self.path.steps.len()
    }

    /// Appends what the path makes of a list or map: the reduced or changed one, or the selected parts.
    pub(super) fn collection(
        &mut self,
        bytes: &[u8],
        level: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), OpError> {
        let path = self.path;
        let what = path.what;
        self.charge(bytes.len())?;
        let all = Collection::parse(bytes)?;
        if all.elements.is_empty() {
            match what {
                What::Tree | What::Change => all.write_header(0, true, out),
                _ => {}
            }
            return Ok(());
        }
        if !all.is_map && self.is_leaf(level) && what.has_keys() {
            let error = OpError::bin_type("a path asks for the keys of a list");
            return if path.no_fail { Ok(()) } else { Err(error) };
        }
        let step = path.steps.get(level).ok_or(INVALID)?;
        let kind = step.flags & if all.is_map { 0xf0 } else { 0x30 };
        if kind != 0 && kind != if all.is_map { 0x20 } else { 0x10 } {
            return Err(OpError::parameter("a step of a path is for the other kind of collection"));
        }
        let selection = self.selection(step, &all)?;
        let mut kept: Vec<Vec<u8>> = Vec::new();
        for (at, (element, is_selected)) in all.elements.iter().zip(selection).enumerate() {
            let mut part = Vec::new();
            let is_kept = if is_selected {
                self.element(&all, at, level, &mut part)?
            } else if what == What::Change {
                part.extend(element.concat());
                true
            } else {
                false
            };
            match what {
                What::Tree | What::Change if is_kept => kept.push(part),
                What::Tree | What::Change => {}
                _ => out.append(&mut part),
            }
            if out.len() > MAX_VALUE {
                return Err(OpError::too_big("the result of a path is larger than a record"));
            }
        }
        if matches!(what, What::Tree | What::Change) {
            let is_change = what == What::Change;
            if is_change && all.is_ordered_list() {
                kept.sort_by(|a, b| value::compare(a, b));
            }
            if out.len() + kept.iter().map(Vec::len).sum::<usize>() > MAX_VALUE {
                return Err(OpError::too_big("the collection grows larger than a record"));
            }
            all.write_header(kept.len(), is_change, out);
            out.extend(kept.into_iter().flatten());
        }
        Ok(())
    }

    /// Appends what the path makes of a selected element. Returns whether it stays.
    fn element(
        &mut self,
        all: &Collection<'_>,
        at: usize,
        level: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, OpError> {
        let [key, value] = all.elements[at];
        let what = self.path.what;
        if !self.is_leaf(level) {
            let is_whole = matches!(what, What::Tree | What::Change);
            if is_whole {
                out.extend_from_slice(key);
            }
            if is_collection(value) {
                self.collection(value, level + 1, out)?;
            } else if is_whole {
                out.extend_from_slice(value);
            }
            return Ok(true);
        }
        self.selected += 1;
        match what {
            What::Tree => {
                out.extend_from_slice(key);
                out.extend_from_slice(value);
            }
            What::Change => return self.changed(all, at, out),
            _ => {
                if what.has_keys() {
                    out.extend_from_slice(key);
                }
                if what.has_values() {
                    out.extend_from_slice(value);
                }
            }
        }
        Ok(true)
    }

    /// Appends an element with its new value. Returns `false` if it is removed.
    fn changed(&mut self, all: &Collection<'_>, at: usize, out: &mut Vec<u8>) -> Result<bool, OpError> {
        let [key, value] = all.elements[at];
        let expression = self.path.value.as_ref().ok_or(INVALID)?;
        out.extend_from_slice(key);
        let start = out.len();
        let (is_removed, is_known) = self.evaluate(expression, all, at, |outcome| match outcome {
            Outcome::Remove => (true, true),
            value => (false, value.write_packed(out).is_some()),
        })?;
        if !is_known {
            if !self.path.no_fail {
                return Err(UNKNOWN_VALUE);
            }
            out.truncate(start);
            out.extend_from_slice(value);
        } else if has_comparison_only(&out[start..]) {
            return Err(OpError::bin_type("the new value of an element is a wildcard or infinity"));
        }
        self.charge(out.len())?;
        Ok(!is_removed)
    }

    /// Which elements a step selects.
    fn selection(&mut self, step: &Step<'_>, all: &Collection<'_>) -> Result<Vec<bool>, OpError> {
        let len = all.elements.len();
        let mut selection = vec![false; len];
        let found = match &step.by {
            By::Index(index) if all.is_map => Some(all.ranked(*index, 0)),
            By::Index(index) => Some(position(*index, len)),
            By::Rank(rank) => Some(all.ranked(*rank, 1)),
            _ => None,
        };
        if let Some(found) = found {
            if let Some(at) = found {
                // Here, unlike below, an unknown condition is no error.
                selection[at] = match &step.and {
                    None => true,
                    Some(and) => self.condition(and, all, at)? == Some(true),
                };
            }
            return Ok(selection);
        }
        let keys = match step.by {
            By::KeysIn(keys) if all.is_map => Some(keys_of(keys)?),
            _ => None,
        };
        for (at, is_selected) in selection.iter_mut().enumerate() {
            let [key, element] = all.elements[at];
            let mut matches = match &step.by {
                By::Expression(None) => Some(true),
                By::Expression(Some(expression)) => self.condition(expression, all, at)?,
                By::Value(wanted) => Some(value::compare(element, wanted).is_eq()),
                By::Key(wanted) if all.is_map => Some(value::compare(key, wanted).is_eq()),
                By::KeysIn(_) => keys
                    .as_ref()
                    .map(|keys| keys.binary_search_by(|wanted| value::compare(wanted, key)).is_ok()),
                _ => None,
            };
            if matches == Some(true)
                && let Some(and) = &step.and
            {
                matches = self.condition(and, all, at)?;
            }
            *is_selected = match matches {
                Some(matches) => matches,
                None if self.path.no_fail => false,
                None => return Err(OpError::parameter("a condition of a path is unknown")),
            };
            if *is_selected && matches!(step.by, By::Key(_)) {
                break;
            }
        }
        Ok(selection)
    }

    /// Whether a condition holds for an element; `None` if that is unknown. A value that is no bool does not hold.
    fn condition(
        &mut self,
        expression: &Expression<'_>,
        all: &Collection<'_>,
        at: usize,
    ) -> Result<Option<bool>, OpError> {
        self.evaluate(expression, all, at, |outcome| match outcome {
            Outcome::Unknown => None,
            outcome => Some(matches!(outcome, Outcome::Bool(true))),
        })
    }

    /// Evaluates an expression for an element and passes the value on.
    fn evaluate<T>(
        &mut self,
        expression: &Expression<'_>,
        all: &Collection<'_>,
        at: usize,
        use_value: impl FnOnce(Outcome<'_>) -> T,
    ) -> Result<T, OpError> {
        let [key, value] = all.elements[at];
        let (key, index) = match all.is_map {
            true => (outcome(key), Outcome::Unknown),
            false => (Outcome::Unknown, Outcome::Int(at as i64)),
        };
        let mut evaluator = Evaluator::inside([key, outcome(value), index], expression.variables, *self.work);
        let found = evaluator.value(&expression.root);
        let found = use_value(found);
        *self.work = evaluator.work();
        evaluator.finish().map(|()| found)
    }
}

/// The keys of an encoded list, sorted.
fn keys_of(list: &[u8]) -> Result<Vec<&[u8]>, OpError> {
    let keys = Collection::parse(list).map_err(|_| INVALID)?;
    let is_ordered = keys.is_ordered_list();
    let mut sorted: Vec<&[u8]> = keys.elements.iter().map(|&[_, key]| key).collect();
    let compare = |a: &&[u8], b: &&[u8]| value::compare(a, b);
    if keys.is_map || is_ordered && !sorted.is_sorted_by(|a, b| compare(a, b) != Ordering::Greater) {
        return Err(INVALID);
    }
    sorted.sort_by(compare);
    Ok(sorted)
}

/// An encoded element as a value of an expression.
fn outcome(bytes: &[u8]) -> Outcome<'_> {
    match Reader::new(bytes).token() {
        Ok(Token::Nil) => Outcome::Nil,
        Ok(Token::Bool(value)) => Outcome::Bool(value),
        Ok(Token::Int(value)) => Outcome::Int(value),
        Ok(Token::Uint(value)) => Outcome::Int(value.cast_signed()),
        Ok(Token::Float(value)) => Outcome::Float(value),
        Ok(Token::Str(text)) => Outcome::Str(Bytes::Borrowed(text)),
        Ok(Token::GeoJson(text)) => Outcome::Geo(Bytes::Borrowed(text), None),
        Ok(Token::List { .. } | Token::Map { .. }) => Outcome::Packed(Bytes::Borrowed(bytes)),
        Ok(Token::Blob(_)) => match Args::over(bytes).raw().ok().and_then(<[u8]>::split_first) {
            Some((&particle_type::BLOB, blob)) => Outcome::Blob(Bytes::Borrowed(blob)),
            Some((&particle_type::HLL, sketch)) => Outcome::Hll(Bytes::Borrowed(sketch)),
            _ => Outcome::Unknown,
        },
        _ => Outcome::Unknown,
    }
}

/// Whether an encoded value is or contains one that exists in comparisons only.
fn has_comparison_only(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    while let Ok(token) = reader.token() {
        if matches!(token, Token::Ext { kind: value::COMPARISON, data } if matches!(data.len(), 1..=3)) {
            return true;
        }
    }
    false
}
