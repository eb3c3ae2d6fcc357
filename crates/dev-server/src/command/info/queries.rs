//! Info commands about queries: `query-show`, `query-abort`, `query-abort-all`.

use wire_protocol::ResultCode;

use crate::command::info::parameters::{optional, parameter, query_id};
use crate::command::info::{InfoSource, role_violation};
use crate::security::permission;

/// Length of the longest identifier.
const MAX_ID: usize = 25;

impl InfoSource<'_> {
    pub(super) fn query_command(&self, name: &str, parameters: &str) -> String {
        if name != "query-show" && !self.allows(permission::QUERY_ADMIN, b"", b"") {
            return role_violation();
        }
        if name == "query-abort-all" {
            return format!("number-of-queries-killed:{}", self.jobs.abort_all());
        }
        let id = match id_of(parameters) {
            Ok(id) => id,
            Err(error) => return error,
        };
        let not_found = |why: &str| format!("ERROR:{}:{why}", ResultCode::RECORD_NOT_FOUND.get());
        match (name, id) {
            ("query-show", None) => self.jobs.all_info(),
            ("query-show", Some(id)) => self.jobs.info(id).unwrap_or_else(|| not_found("job not found")),
            (_, None) => format!("ERROR:{}:missing 'id'", ResultCode::PARAMETER.get()),
            (_, Some(id)) if self.jobs.abort(id) => "ok".into(),
            (_, Some(_)) => not_found("id not active"),
        }
    }
}

/// The identifier of a query, by its present or its old name.
fn id_of(parameters: &str) -> Result<Option<u64>, String> {
    let name = if parameter(parameters, "id").is_some() { "id" } else { "trid" };
    // Errors have the present name.
    let text = optional(parameters, name, MAX_ID).map_err(|error| error.replace("'trid'", "'id'"))?;
    let bad = || format!("ERROR:{}:bad id", ResultCode::PARAMETER.get());
    text.map(|text| query_id(text).ok_or_else(bad)).transpose()
}
