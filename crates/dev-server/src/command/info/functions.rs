//! The modules of user-defined functions: `udf-put`, `udf-list`, `udf-get`, `udf-remove`.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::command::info::parameters::parameter;
use crate::state::functions::{Functions, PutError};

/// Length of the longest name of a file.
const MAX_FILE: usize = 127;

/// Size of the largest module.
const MAX_SOURCE: usize = 1024 * 1024;

/// Answers a command about modules.
pub(super) fn answer(functions: &Functions, command: &str, parameters: &str) -> String {
    let answer = match command {
        "udf-put" => put(functions, parameters),
        "udf-list" => Ok(list(functions)),
        "udf-get" => get(functions, parameters),
        "udf-remove" => file(parameters).map(|file| {
            functions.remove(file);
            "ok".into()
        }),
        // Nothing is cached.
        _ => Ok("ok".into()),
    };
    answer.unwrap_or_else(|reason| format!("error={reason}"))
}

fn file(parameters: &str) -> Result<&str, &'static str> {
    parameter(parameters, "filename")
        .filter(|file| !file.is_empty() && file.len() <= MAX_FILE)
        .ok_or("invalid_filename")
}

/// The number of bytes that follow as base64.
fn content_len(parameters: &str) -> Option<usize> {
    let len = parameter(parameters, "content-len").filter(|text| text.len() <= 10)?;
    len.parse::<u32>().ok().filter(|len| len % 4 == 0).map(|len| len as usize)
}

fn put(functions: &Functions, parameters: &str) -> Result<String, &'static str> {
    let file = file(parameters)?;
    // The ending is all that follows the first dot.
    if !file.split_once('.').is_some_and(|(name, ending)| !name.is_empty() && !ending.is_empty()) {
        return Err("invalid_filename");
    }
    if parameter(parameters, "content-len").is_none() {
        return Err("invalid_content_len");
    }
    if parameter(parameters, "udf-type").is_some_and(|kind| kind != "LUA") {
        return Err("invalid_udf_type");
    }
    let len = content_len(parameters).ok_or("invalid_content_len")?;
    let content =
        parameter(parameters, "content").filter(|content| content.len() == len).ok_or("invalid_content")?;
    if len / 4 * 3 > MAX_SOURCE {
        return Err("invalid_udf_content_len,>1M");
    }
    let source =
        STANDARD.decode(content).ok().filter(|source| !source.is_empty()).ok_or("invalid_base64_content")?;
    Ok(match functions.put(file, &source, content) {
        Ok(()) => "ok".into(),
        Err(PutError::Full) => return Err("timeout"),
        Err(PutError::Compile(error)) => format!(
            "error=compile_error;file={};line={};message={}",
            error.file,
            error.line,
            STANDARD.encode(error.message)
        ),
    })
}

fn list(functions: &Functions) -> String {
    functions.list().iter().fold(String::new(), |mut answer, (file, hash)| {
        // Writing to a string does not fail.
        _ = write!(answer, "filename={},hash={hash},type=LUA;", file.replace(char::is_control, "?"));
        answer
    })
}

fn get(functions: &Functions, parameters: &str) -> Result<String, &'static str> {
    let file = file(parameters)?;
    let modules = functions.modules();
    let source = modules.get(file).ok_or("not_found")?;
    Ok(format!("type=LUA;content={};", STANDARD.encode(source)))
}
