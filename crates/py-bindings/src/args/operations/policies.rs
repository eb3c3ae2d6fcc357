//! The policies inside operations and expressions: small dictionaries of orders and flags.

use pyo3::prelude::*;
use pyo3::types::PyString;
use wire_protocol::collection::{self, ListPolicy};
use wire_protocol::value::{ListOrder, MapOrder};

use super::arguments::{Place, as_dict, flag, integer};
use crate::python::errors::{param_error, with_official_text};
use crate::python::once::intern;

pub(super) const MAP_ORDERS: &[i64] = &[0, 1, 3];
pub(super) const MAP_ORDER: &str = "MAP_UNORDERED, MAP_KEY_ORDERED or MAP_KEY_VALUE_ORDERED";
/// Beside an order: the index of a list or map is stored with the bin.
pub(super) const PERSIST_INDEX: i64 = 0x10;

/// How pairs are written to maps.
#[derive(Default)]
pub(super) struct MapPolicy {
    pub(super) order: i64,
    pub(super) flags: i64,
    persists_index: bool,
}

impl MapPolicy {
    pub(super) fn attributes(&self) -> i64 {
        if self.persists_index { self.order | PERSIST_INDEX } else { self.order }
    }
}

/// The order and flags of a list policy.
pub(super) fn list(place: Place<'_>, argument: &str, policy: &Bound<'_, PyAny>) -> PyResult<(i64, i64)> {
    let (mut order, mut flags) = (0, 0);
    each(place, argument, policy, "list_order and write_flags", |key, value| {
        match key {
            "list_order" => order = within(place, argument, key, value, &[0, 1])?,
            "write_flags" => flags = masked(place, argument, key, value, 15)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((order, flags))
}

/// A map policy; the default one for None.
pub(super) fn map(
    place: Place<'_>,
    argument: &str,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<MapPolicy> {
    let mut read = MapPolicy::default();
    let Some(policy) = policy else { return Ok(read) };
    each(place, argument, policy, "map_order, map_write_flags and persist_index", |key, value| {
        match key {
            "map_order" => read.order = within(place, argument, key, value, MAP_ORDERS)?,
            "map_write_flags" => read.flags = masked(place, argument, key, value, 15)?,
            "persist_index" => read.persists_index = flag(place, &format!("{argument} {key:?}"), value)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(read)
}

/// The list policy of an expression; None for an empty one.
pub(crate) fn list_of_expression(what: &str, policy: &Bound<'_, PyAny>) -> PyResult<Option<ListPolicy>> {
    let place = Place { position: None, function: what };
    if policy.len().is_ok_and(|len| len == 0) {
        return Ok(None);
    }
    let (order, flags) = list(place, "list_policy", policy)?;
    Ok(Some(ListPolicy { order: ListOrder::from_bits(order).unwrap_or_default(), flags }))
}

/// The map policy of an expression; None for an empty one.
pub(crate) fn map_of_expression(
    what: &str,
    policy: &Bound<'_, PyAny>,
) -> PyResult<Option<collection::MapPolicy>> {
    let place = Place { position: None, function: what };
    if policy.len().is_ok_and(|len| len == 0) {
        return Ok(None);
    }
    let MapPolicy { order, flags, persists_index } = map(place, "map_policy", Some(policy))?;
    let order = MapOrder::from_bits(order).unwrap_or_default();
    Ok(Some(collection::MapPolicy { order, flags, persist_index: persists_index }))
}

/// The flags of a policy that has nothing else, 0 for None.
pub(super) fn flags(
    place: Place<'_>,
    argument: &str,
    policy: Option<&Bound<'_, PyAny>>,
    name: &str,
    mask: i64,
) -> PyResult<i64> {
    let mut flags = 0;
    let Some(policy) = policy else { return Ok(flags) };
    each(place, argument, policy, name, |key, value| {
        if key == name {
            flags = masked(place, argument, key, value, mask)?;
        }
        Ok(key == name)
    })?;
    Ok(flags)
}

/// The flags of a `StringPolicy`, 0 for None.
pub(super) fn text(place: Place<'_>, argument: &str, policy: Option<&Bound<'_, PyAny>>) -> PyResult<i64> {
    let Some(policy) = policy else { return Ok(0) };
    match policy.getattr_opt(intern!(policy.py(), "write_flags"))? {
        Some(flags) => masked(place, argument, "write_flags", &flags, 7),
        None => Err(place.wrong_type(argument, policy, "None or a StringPolicy")),
    }
}

/// Calls `take` with each entry of a policy; it says whether it knows the key.
fn each(
    place: Place<'_>,
    argument: &str,
    policy: &Bound<'_, PyAny>,
    known: &str,
    mut take: impl FnMut(&str, &Bound<'_, PyAny>) -> PyResult<bool>,
) -> PyResult<()> {
    let Some(policy) = as_dict(policy)? else {
        return Err(place.wrong_type(argument, policy, "None or a dict"));
    };
    for (key, value) in &policy {
        let name = key.cast::<PyString>().ok().and_then(|key| key.to_str().ok()).unwrap_or_default();
        if !value.is_none() && !take(name, &value)? {
            let message =
                format!("{} has an unknown key {}; known are {known}", place.of(argument), key.repr()?);
            let official = format!("\"{key}\" is an invalid policy dictionary key");
            return Err(with_official_text(policy.py(), param_error(policy.py(), message), &official));
        }
    }
    Ok(())
}

fn within(
    place: Place<'_>,
    argument: &str,
    key: &str,
    value: &Bound<'_, PyAny>,
    choices: &[i64],
) -> PyResult<i64> {
    let what = || format!("{argument} {key:?}");
    let number = integer(place, &what(), value)?;
    if choices.contains(&number) {
        return Ok(number);
    }
    let expected = if choices == MAP_ORDERS { MAP_ORDER } else { "LIST_UNORDERED or LIST_ORDERED" };
    Err(place.out_of_range(&what(), value, expected))
}

fn masked(place: Place<'_>, argument: &str, key: &str, value: &Bound<'_, PyAny>, mask: i64) -> PyResult<i64> {
    let what = || format!("{argument} {key:?}");
    let number = integer(place, &what(), value)?;
    if (0..=mask).contains(&number) {
        return Ok(number);
    }
    Err(place.out_of_range(&what(), value, &format!("a combination of flags, from 0 to {mask}")))
}

/// The flags of the `StringPolicy` of an expression.
pub(crate) fn text_of_expression(what: &str, policy: &Bound<'_, PyAny>) -> PyResult<i64> {
    text(Place { position: None, function: what }, "policy", Some(policy))
}
