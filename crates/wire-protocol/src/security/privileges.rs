//! Privileges of roles, and the lists of them in messages.

use crate::error::WireError;

use super::text::{count, parse_texts, push_text, split_text, text};

/// The codes of privileges.
pub mod privilege {
    /// Manage users and roles.
    pub const USER_ADMIN: u8 = 0;
    /// Manage the configuration and the cluster.
    pub const SYS_ADMIN: u8 = 1;
    /// Manage indexes, functions and queries, and truncate.
    pub const DATA_ADMIN: u8 = 2;
    /// Manage user-defined functions.
    pub const UDF_ADMIN: u8 = 3;
    /// Manage secondary indexes.
    pub const SINDEX_ADMIN: u8 = 4;
    /// Read records. Codes from here on may be limited to a namespace or set.
    pub const READ: u8 = 10;
    /// Read and write records.
    pub const READ_WRITE: u8 = 11;
    /// Read and write records, and apply functions to them.
    pub const READ_WRITE_UDF: u8 = 12;
    /// Write records.
    pub const WRITE: u8 = 13;
    /// Truncate sets and namespaces.
    pub const TRUNCATE: u8 = 14;
}

/// A privilege of a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Privilege {
    /// One of [`privilege`], or another that a newer server has.
    pub code: u8,
    /// The namespace that it is limited to; empty for all.
    pub namespace: String,
    /// The set that it is limited to; empty for all.
    pub set: String,
}

impl Privilege {
    /// A privilege without limits.
    #[must_use]
    pub fn global(code: u8) -> Self {
        Self { code, namespace: String::new(), set: String::new() }
    }

    /// Whether privileges with this code may be limited to a namespace or set.
    #[must_use]
    pub const fn may_have_scope(code: u8) -> bool {
        code >= privilege::READ
    }
}

/// A list of privileges, as the data of a field.
///
/// # Errors
/// More than 255 of them, a name of more than 255 bytes, or a scope where none is allowed.
pub(super) fn privileges_data(privileges: &[Privilege]) -> Result<Vec<u8>, WireError> {
    let mut data = vec![count("a number of privileges", privileges.len())?];
    for privilege in privileges {
        data.push(privilege.code);
        if Privilege::may_have_scope(privilege.code) {
            push_text(&mut data, "a namespace", &privilege.namespace)?;
            push_text(&mut data, "a set", &privilege.set)?;
        } else if !privilege.namespace.is_empty() || !privilege.set.is_empty() {
            return Err(WireError::Malformed { what: "privilege", why: "it is always for all namespaces" });
        }
    }
    Ok(data)
}

/// Reads a list of privileges.
///
/// # Errors
/// It ends too early.
pub(super) fn parse_privileges(data: &[u8]) -> Result<Vec<Privilege>, WireError> {
    let truncated = WireError::Truncated { what: "a list of privileges" };
    let (&n, mut rest) = data.split_first().ok_or(truncated.clone())?;
    let mut privileges = Vec::new();
    for _ in 0..n {
        let (&code, after) = rest.split_first().ok_or(truncated.clone())?;
        rest = after;
        let mut privilege = Privilege::global(code);
        if Privilege::may_have_scope(code) {
            let (namespace, after) = split_text(rest)?;
            let (set, after) = split_text(after)?;
            (privilege.namespace, privilege.set, rest) = (text(namespace), text(set), after);
        }
        privileges.push(privilege);
    }
    Ok(privileges)
}

/// A list of names of roles, as the data of a field.
///
/// # Errors
/// More than 255 of them, or a name of more than 255 bytes.
pub(super) fn roles_data(roles: &[String]) -> Result<Vec<u8>, WireError> {
    let mut data = vec![count("a number of roles", roles.len())?];
    for role in roles {
        push_text(&mut data, "the name of a role", role)?;
    }
    Ok(data)
}

/// Reads a list of names of roles.
///
/// # Errors
/// It ends too early.
pub(super) fn parse_roles(data: &[u8]) -> Result<Vec<String>, WireError> {
    parse_texts(data)
}
