//! Users and roles. `command` has the arguments of each command as Python objects; the names are the official client's.

use aero_io::{AdminAnswer, AdminCommand, AdminRequest, Privilege, RoleInfo, UserInfo};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::args::convert::{secret_or_none, text, whole_number};
use crate::args::policy;
use crate::call::{Call, Completions, done, or_raise};
use crate::core::Core;
use crate::python::describe::describe;
use crate::python::errors::{param_error, type_error};

/// The longest lists and names that requests can hold.
const MAX_ITEMS: usize = 255;

/// The stored password of users who log in with a certificate. It grants no access: they must use `AUTH_PKI`.
const PKI_PASSWORD: &str = "nopassword";

type Object<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

#[pymethods]
impl Core {
    /// A command on users. `method` is the method's name.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn admin_user(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        method: &str,
        user: Option<&Bound<'_, PyAny>>,
        password: Option<&Bound<'_, PyAny>>,
        roles: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let user = || required_text("user", user, py);
        let hash = Vec::new;
        let secret = || required_password(password, py);
        let mut new_password = None;
        let (name, command) = match method {
            "create_user" => {
                let (user, roles) = (user()?, role_names(roles, py)?);
                new_password = Some(secret()?);
                ("admin_create_user", AdminCommand::CreateUser { user, hash: hash(), roles })
            }
            "create_pki_user" => {
                let (user, roles) = (user()?, role_names(roles, py)?);
                new_password = Some(PKI_PASSWORD.to_owned());
                ("admin_create_pki_user", AdminCommand::CreateUser { user, hash: hash(), roles })
            }
            "drop_user" => ("admin_drop_user", AdminCommand::DropUser { user: user()? }),
            "set_password" => {
                let user = user()?;
                new_password = Some(secret()?);
                ("admin_set_password", AdminCommand::SetPassword { user, hash: hash() })
            }
            "change_password" => {
                let user = user()?;
                new_password = Some(secret()?);
                let command = AdminCommand::ChangePassword { user, old_hash: hash(), hash: hash() };
                ("admin_change_password", command)
            }
            "grant_roles" => {
                let (user, roles) = (user()?, role_names(roles, py)?);
                ("admin_grant_roles", AdminCommand::GrantRoles { user, roles })
            }
            "revoke_roles" => {
                let (user, roles) = (user()?, role_names(roles, py)?);
                ("admin_revoke_roles", AdminCommand::RevokeRoles { user, roles })
            }
            "query_user_info" => ("admin_query_user_info", AdminCommand::QueryUsers { user: Some(user()?) }),
            _ => ("admin_query_users_info", AdminCommand::QueryUsers { user: None }),
        };
        self.admin(py, completions, AdminRequest { name, command, password: new_password }, policy)
    }

    /// A command on roles.
    #[allow(clippy::too_many_arguments)] // the command's own
    fn admin_role(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        method: &str,
        role: Option<&Bound<'_, PyAny>>,
        privileges: Option<&Bound<'_, PyAny>>,
        whitelist: Option<&Bound<'_, PyAny>>,
        read_quota: Option<&Bound<'_, PyAny>>,
        write_quota: Option<&Bound<'_, PyAny>>,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let role = || required_text("role", role, py);
        let quotas = || -> PyResult<(u32, u32)> {
            Ok((quota("read_quota", read_quota)?, quota("write_quota", write_quota)?))
        };
        let (name, command) = match method {
            "create_role" => {
                let role = role()?;
                let privileges = privileges_of(privileges, py)?;
                let (whitelist, (read_quota, write_quota)) = (addresses(whitelist, py)?, quotas()?);
                let command =
                    AdminCommand::CreateRole { role, privileges, whitelist, read_quota, write_quota };
                ("admin_create_role", command)
            }
            "drop_role" => ("admin_drop_role", AdminCommand::DropRole { role: role()? }),
            "grant_privileges" => {
                let (role, privileges) = (role()?, privileges_of(privileges, py)?);
                ("admin_grant_privileges", AdminCommand::GrantPrivileges { role, privileges })
            }
            "revoke_privileges" => {
                let (role, privileges) = (role()?, privileges_of(privileges, py)?);
                ("admin_revoke_privileges", AdminCommand::RevokePrivileges { role, privileges })
            }
            "set_whitelist" => {
                let (role, whitelist) = (role()?, addresses(whitelist, py)?);
                ("admin_set_whitelist", AdminCommand::SetWhitelist { role, whitelist })
            }
            "set_quotas" => {
                let (role, (read_quota, write_quota)) = (role()?, quotas()?);
                ("admin_set_quotas", AdminCommand::SetQuotas { role, read_quota, write_quota })
            }
            "get_role" => ("admin_get_role", AdminCommand::QueryRoles { role: Some(role()?) }),
            _ => ("admin_get_roles", AdminCommand::QueryRoles { role: None }),
        };
        self.admin(py, completions, AdminRequest { name, command, password: None }, policy)
    }
}

impl Core {
    fn admin(
        &self,
        py: Python<'_>,
        completions: Option<&Completions>,
        request: AdminRequest,
        policy: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let cluster = self.cluster(py)?;
        let timeout = policy::admin(py, self.config.policies.admin.0, "admin policy", policy)?;
        let is_single = match &request.command {
            AdminCommand::QueryUsers { user } => user.is_some(),
            AdminCommand::QueryRoles { role } => role.is_some(),
            _ => false,
        };
        let writes = !request.command.is_query();
        let future = async move { cluster.get().await?.admin(request, timeout).await };
        let finish = or_raise(move |py, answer: AdminAnswer| match answer {
            AdminAnswer::Done => done(py),
            AdminAnswer::Users(users) => {
                let all = PyDict::new(py);
                for user in &users {
                    let info = user_dict(py, user)?;
                    if is_single {
                        return Ok(info.into_any().unbind());
                    }
                    all.set_item(&user.name, info)?;
                }
                Ok(all.into_any().unbind())
            }
            AdminAnswer::Roles(roles) => {
                let all = PyDict::new(py);
                for role in &roles {
                    let info = role_dict(py, role)?;
                    if is_single {
                        return Ok(info.into_any().unbind());
                    }
                    all.set_item(&role.name, info)?;
                }
                Ok(all.into_any().unbind())
            }
        });
        Call::new(future, finish).that_writes(writes).run(py, completions)
    }
}

fn user_dict<'py>(py: Python<'py>, user: &UserInfo) -> PyResult<Bound<'py, PyDict>> {
    let info = PyDict::new(py);
    info.set_item("read_info", &user.read_info)?;
    info.set_item("write_info", &user.write_info)?;
    info.set_item("conns_in_use", user.connections)?;
    info.set_item("roles", &user.roles)?;
    Ok(info)
}

fn role_dict<'py>(py: Python<'py>, role: &RoleInfo) -> PyResult<Bound<'py, PyDict>> {
    let privileges = PyList::empty(py);
    for privilege in &role.privileges {
        let item = PyDict::new(py);
        item.set_item("ns", &privilege.namespace)?;
        item.set_item("set", &privilege.set)?;
        item.set_item("code", privilege.code)?;
        privileges.append(item)?;
    }
    let info = PyDict::new(py);
    info.set_item("privileges", privileges)?;
    info.set_item("whitelist", &role.whitelist)?;
    info.set_item("read_quota", role.read_quota)?;
    info.set_item("write_quota", role.write_quota)?;
    Ok(info)
}

fn required_text(what: &str, value: Object<'_, '_>, py: Python<'_>) -> PyResult<String> {
    let value = value.ok_or_else(|| type_error(py, format!("{what} is missing; it must be a str")))?;
    text(what, value)
}

fn required_password(value: Object<'_, '_>, py: Python<'_>) -> PyResult<String> {
    secret_or_none("password", value)?
        .ok_or_else(|| type_error(py, "password is None; it must be a str".into()))
}

/// The items of a list, checked for their number.
fn items<'py>(
    what: &str,
    value: Object<'_, 'py>,
    py: Python<'py>,
    of: &str,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let wrong = |found: String| type_error(py, format!("{what} is {found}; it must be a list of {of}"));
    let value = value.ok_or_else(|| wrong("None".into()))?;
    let is_list = value.is_instance_of::<PyList>() || value.is_instance_of::<pyo3::types::PyTuple>();
    if !is_list {
        return Err(wrong(describe(value)));
    }
    let items: Vec<_> = value.try_iter()?.collect::<PyResult<_>>()?;
    if items.len() > MAX_ITEMS {
        let message = format!("{what} has {} items; a command takes at most {MAX_ITEMS}", items.len());
        return Err(param_error(py, message));
    }
    Ok(items)
}

fn role_names(value: Object<'_, '_>, py: Python<'_>) -> PyResult<Vec<String>> {
    let roles = items("roles", value, py, "names of roles")?;
    roles.iter().enumerate().map(|(index, role)| short_text(&format!("roles[{index}]"), role)).collect()
}

fn short_text(what: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = text(what, value)?;
    if text.len() > MAX_ITEMS {
        let message = format!("{what} has {} bytes; a name has at most {MAX_ITEMS}", text.len());
        return Err(param_error(value.py(), message));
    }
    Ok(text)
}

/// Addresses and networks; None allows all.
fn addresses(value: Object<'_, '_>, py: Python<'_>) -> PyResult<Vec<String>> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(Vec::new()) };
    let addresses = items("whitelist", Some(value), py, "addresses and networks such as \"10.0.0.0/8\"")?;
    let mut texts = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        let text = short_text(&format!("whitelist[{index}]"), address)?;
        if text.is_empty() || text.contains(',') {
            let message = format!("whitelist[{index}] is {text:?}; it must be one address or network");
            return Err(param_error(py, message));
        }
        texts.push(text);
    }
    Ok(texts)
}

/// Privileges: dicts with `code`, and with `ns` and `set` where they are limited.
fn privileges_of(value: Object<'_, '_>, py: Python<'_>) -> PyResult<Vec<Privilege>> {
    let of = "dicts such as {\"code\": PRIV_READ, \"ns\": \"test\"}";
    let mut privileges = Vec::new();
    for (index, item) in items("privileges", value, py, of)?.iter().enumerate() {
        let Ok(item) = item.cast::<PyDict>() else {
            let message = format!("privileges[{index}] is {}; it must be a dict", describe(item));
            return Err(type_error(py, message));
        };
        let wrong = |what: String| param_error(py, format!("privileges[{index}]: {what}"));
        let mut privilege = None;
        let (mut namespace, mut set) = (String::new(), String::new());
        for (key, value) in item.iter() {
            match key.extract::<String>().as_deref() {
                Ok("code") => privilege = Some(code(index, &value)?),
                Ok("ns") => namespace = short_text(&format!("privileges[{index}][\"ns\"]"), &value)?,
                Ok("set") => set = short_text(&format!("privileges[{index}][\"set\"]"), &value)?,
                _ => {
                    return Err(wrong(format!("unknown key {}; use code, ns and set", describe(&key))));
                }
            }
        }
        let code = privilege.ok_or_else(|| wrong("\"code\" is missing; use a PRIV_* constant".into()))?;
        let has_scope = !namespace.is_empty() || !set.is_empty();
        if has_scope && !Privilege::may_have_scope(code) {
            let message = format!("the privilege {code} is for all namespaces; leave \"ns\" and \"set\" out");
            return Err(wrong(message));
        }
        if namespace.is_empty() && !set.is_empty() {
            return Err(wrong("it has a \"set\" but no \"ns\"; add the namespace".into()));
        }
        privileges.push(Privilege { code, namespace, set });
    }
    Ok(privileges)
}

fn code(index: usize, value: &Bound<'_, PyAny>) -> PyResult<u8> {
    whole_number(value).and_then(|code| u8::try_from(code).ok()).ok_or_else(|| {
        let message = format!(
            "privileges[{index}][\"code\"] is {}; it must be one of the PRIV_* constants",
            describe(value)
        );
        param_error(value.py(), message)
    })
}

/// A number per second; 0 and None are no limit.
fn quota(what: &str, value: Object<'_, '_>) -> PyResult<u32> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(0) };
    match whole_number(value) {
        Some(number) => u32::try_from(number).map_err(|_| {
            param_error(value.py(), format!("{what} is {number}; it must be 0 (no limit) to {}", u32::MAX))
        }),
        None => {
            let message = format!("{what} is {}; it must be an int", describe(value));
            Err(type_error(value.py(), message))
        }
    }
}
