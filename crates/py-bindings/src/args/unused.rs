//! Parts of the config that have no effect here.
//!
//! Their contents are checked like those of other parts, so that a config can be shared with the official client.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::args::convert::{items_of, whole_number};
use crate::args::settings::Settings;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error, with_official_text};
use crate::python::once::intern;

/// The longest path of Lua modules that the official client takes.
const MAX_PATH: usize = 255;

/// Checks the parts.
pub(crate) fn check(py: Python<'_>, config: &Settings<'_>) -> PyResult<()> {
    if let Some(value) = config.peek("lua")? {
        lua(py, &value)?;
    }
    if let Some(value) = config.peek("serialization")? {
        serializers(&value)?;
    }
    if let Some(value) = config.peek("shm")?
        && let Some(mut shm) = Settings::new(py, "config \"shm\"", Some(&value))?
    {
        for key in SHM {
            shm.count(key)?;
        }
        shm.finish()?;
    }
    if let Some(value) = config.peek("app_id")?
        && !value.is_instance_of::<PyString>()
    {
        return Err(type_error(py, format!("config \"app_id\" is {}; it must be a str", describe(&value))));
    }
    if let Some(value) = config.peek("compression_threshold")?
        && whole_number(&value).is_some_and(|threshold| threshold < 0)
    {
        let message =
            format!("config \"compression_threshold\" is {}; it must not be negative", describe(&value));
        let error = param_error(py, message);
        return Err(with_official_text(py, error, "Compression value must not be negative"));
    }
    if let Some(value) = config.peek("config_provider")?
        && !value.hasattr(intern!(py, "interval"))?
    {
        let message = format!(
            "config \"config_provider\" is {}; it must be a ConfigProvider of the official client, which has no \
             effect here",
            describe(&value)
        );
        let error = type_error(py, message);
        return Err(with_official_text(
            py,
            error,
            &not_an_instance("config_provider", CONFIG_PROVIDER, &value)?,
        ));
    }
    Ok(())
}

/// The keys of `shm`; the official client takes some by two names.
const SHM: [&str; 7] = [
    "max_nodes",
    "shm_max_nodes",
    "max_namespaces",
    "shm_max_namespaces",
    "takeover_threshold_sec",
    "shm_takeover_threshold_sec",
    "shm_key",
];

const CONFIG_PROVIDER: &str = "aerospike.ConfigProvider";

/// The official client's text about an object of another class.
pub(crate) fn not_an_instance(key: &str, class: &str, found: &Bound<'_, PyAny>) -> PyResult<String> {
    let found = found.get_type().name()?;
    Ok(format!("{key} must be an {class} class instance. But a {found} was received instead"))
}

fn lua(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let Some(mut lua) = Settings::new(py, "config \"lua\"", Some(value))? else { return Ok(()) };
    for (key, what) in [("system_path", "system"), ("user_path", "user")] {
        if lua.text(key)?.is_some_and(|path| path.len() > MAX_PATH) {
            let error = param_error(py, format!("config \"lua\" {key:?} is longer than {MAX_PATH} bytes"));
            return Err(with_official_text(py, error, &format!("Lua {what} path too long")));
        }
    }
    lua.finish()
}

/// A pair of functions, or of None.
fn serializers(value: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = value.py();
    let Some(parts) = items_of(value).filter(|parts| parts.len() == 2) else { return Ok(()) };
    for (part, name) in parts.iter().zip(["Serializer", "Deserializer"]) {
        if !part.is_none() && !part.is_callable() {
            let message =
                format!("config \"serialization\" has {}; it must be a function or None", describe(part));
            return Err(with_official_text(py, type_error(py, message), &format!("{name} must be callable")));
        }
    }
    Ok(())
}
