//! Commands that manage users and roles: the requests, for clients and servers.

use std::fmt;

use crate::error::WireError;
use crate::result_code::ResultCode;

use super::privileges::{Privilege, parse_privileges, parse_roles, privileges_data, roles_data};
use super::text::text;
use super::{SecurityMessage, command, field, write_security};

/// A command that manages users or roles. Passwords are sent as hashes, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum AdminCommand {
    CreateUser {
        user: String,
        hash: Vec<u8>,
        roles: Vec<String>,
    },
    DropUser {
        user: String,
    },
    /// Sets the password of any user.
    SetPassword {
        user: String,
        hash: Vec<u8>,
    },
    /// Sets the password of the user who sends it.
    ChangePassword {
        user: String,
        old_hash: Vec<u8>,
        hash: Vec<u8>,
    },
    GrantRoles {
        user: String,
        roles: Vec<String>,
    },
    RevokeRoles {
        user: String,
        roles: Vec<String>,
    },
    /// Asks for one user, or for all.
    QueryUsers {
        user: Option<String>,
    },
    /// A quota of 0 is no limit.
    CreateRole {
        role: String,
        privileges: Vec<Privilege>,
        whitelist: Vec<String>,
        read_quota: u32,
        write_quota: u32,
    },
    DropRole {
        role: String,
    },
    GrantPrivileges {
        role: String,
        privileges: Vec<Privilege>,
    },
    RevokePrivileges {
        role: String,
        privileges: Vec<Privilege>,
    },
    /// An empty list allows all addresses.
    SetWhitelist {
        role: String,
        whitelist: Vec<String>,
    },
    SetQuotas {
        role: String,
        read_quota: u32,
        write_quota: u32,
    },
    /// Asks for one role, or for all.
    QueryRoles {
        role: Option<String>,
    },
}

impl fmt::Debug for AdminCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminCommand")
            .field("command", &self.code())
            .field("user", &self.user())
            .field("role", &self.role())
            .finish_non_exhaustive()
    }
}

impl AdminCommand {
    /// The command's code, one of [`command`].
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::CreateUser { .. } => command::CREATE_USER,
            Self::DropUser { .. } => command::DROP_USER,
            Self::SetPassword { .. } => command::SET_PASSWORD,
            Self::ChangePassword { .. } => command::CHANGE_PASSWORD,
            Self::GrantRoles { .. } => command::GRANT_ROLES,
            Self::RevokeRoles { .. } => command::REVOKE_ROLES,
            Self::QueryUsers { .. } => command::QUERY_USERS,
            Self::CreateRole { .. } => command::CREATE_ROLE,
            Self::DropRole { .. } => command::DROP_ROLE,
            Self::GrantPrivileges { .. } => command::GRANT_PRIVILEGES,
            Self::RevokePrivileges { .. } => command::REVOKE_PRIVILEGES,
            Self::SetWhitelist { .. } => command::SET_WHITELIST,
            Self::SetQuotas { .. } => command::SET_QUOTAS,
            Self::QueryRoles { .. } => command::QUERY_ROLES,
        }
    }

    /// The user that the command is about.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::CreateUser { user, .. }
            | Self::DropUser { user }
            | Self::SetPassword { user, .. }
            | Self::ChangePassword { user, .. }
            | Self::GrantRoles { user, .. }
            | Self::RevokeRoles { user, .. } => Some(user),
            Self::QueryUsers { user } => user.as_deref(),
            _ => None,
        }
    }

    /// The role that the command is about.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        match self {
            Self::CreateRole { role, .. }
            | Self::DropRole { role }
            | Self::GrantPrivileges { role, .. }
            | Self::RevokePrivileges { role, .. }
            | Self::SetWhitelist { role, .. }
            | Self::SetQuotas { role, .. } => Some(role),
            Self::QueryRoles { role } => role.as_deref(),
            _ => None,
        }
    }

    /// Whether the command only asks.
    #[must_use]
    pub fn is_query(&self) -> bool {
        matches!(self, Self::QueryUsers { .. } | Self::QueryRoles { .. })
    }

    /// Appends the request. Lists and quotas that are empty have no field, as in other clients; the list of a user's
    /// roles always has one.
    ///
    /// # Errors
    /// Names or lists that are too long, and an administrative privilege with a scope.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<(), WireError> {
        let mut fields: Vec<(u8, Vec<u8>)> = Vec::new();
        if let Some(user) = self.user() {
            fields.push((field::USER, user.into()));
        }
        if let Some(role) = self.role() {
            fields.push((field::ROLE, role.into()));
        }
        match self {
            Self::ChangePassword { old_hash, hash, .. } => {
                fields.push((field::OLD_PASSWORD, old_hash.clone()));
                fields.push((field::PASSWORD, hash.clone()));
            }
            Self::SetPassword { hash, .. } => fields.push((field::PASSWORD, hash.clone())),
            Self::CreateUser { hash, roles, .. } => {
                fields.push((field::PASSWORD, hash.clone()));
                fields.push((field::ROLES, roles_data(roles)?));
            }
            Self::GrantRoles { roles, .. } | Self::RevokeRoles { roles, .. } => {
                fields.push((field::ROLES, roles_data(roles)?));
            }
            Self::CreateRole { privileges, whitelist, read_quota, write_quota, .. } => {
                push_privileges(&mut fields, privileges)?;
                push_whitelist(&mut fields, whitelist);
                for (kind, quota) in [(field::READ_QUOTA, read_quota), (field::WRITE_QUOTA, write_quota)] {
                    if *quota > 0 {
                        fields.push((kind, quota.to_be_bytes().into()));
                    }
                }
            }
            Self::GrantPrivileges { privileges, .. } | Self::RevokePrivileges { privileges, .. } => {
                push_privileges(&mut fields, privileges)?;
            }
            Self::SetWhitelist { whitelist, .. } => push_whitelist(&mut fields, whitelist),
            Self::SetQuotas { read_quota, write_quota, .. } => {
                fields.push((field::READ_QUOTA, read_quota.to_be_bytes().into()));
                fields.push((field::WRITE_QUOTA, write_quota.to_be_bytes().into()));
            }
            Self::DropUser { .. }
            | Self::QueryUsers { .. }
            | Self::DropRole { .. }
            | Self::QueryRoles { .. } => {}
        }
        let fields: Vec<(u8, &[u8])> = fields.iter().map(|(kind, data)| (*kind, &data[..])).collect();
        write_security(out, ResultCode::OK, self.code(), &fields)
    }

    /// Reads a request. Fields that are missing are empty.
    ///
    /// # Errors
    /// The code with which a server refuses it: for an unknown command, or for a field that cannot be read.
    pub fn parse(message: &SecurityMessage<'_>) -> Result<Self, ResultCode> {
        let bytes = |kind| message.field(kind).unwrap_or_default().to_vec();
        let name = |kind, code: ResultCode| match message.field(kind) {
            None => Ok(None),
            Some(name) => String::from_utf8(name.to_vec()).map(Some).map_err(|_| code),
        };
        let user = || name(field::USER, ResultCode::INVALID_USER).map(Option::unwrap_or_default);
        let role = || name(field::ROLE, ResultCode::INVALID_ROLE).map(Option::unwrap_or_default);
        let roles = || match message.field(field::ROLES) {
            None => Ok(Vec::new()),
            Some(data) => parse_roles(data).map_err(|_| ResultCode::INVALID_ROLE),
        };
        let privileges = || match message.field(field::PRIVILEGES) {
            None => Ok(Vec::new()),
            Some(data) => parse_privileges(data).map_err(|_| ResultCode::INVALID_PRIVILEGE),
        };
        let whitelist = || parse_whitelist(message.field(field::WHITELIST).unwrap_or_default());
        let quota = |kind| match message.field(kind) {
            None => Ok(0),
            Some(data) => data.try_into().map(u32::from_be_bytes).map_err(|_| ResultCode::INVALID_QUOTA),
        };
        Ok(match message.command {
            command::CREATE_USER => {
                Self::CreateUser { user: user()?, hash: bytes(field::PASSWORD), roles: roles()? }
            }
            command::DROP_USER => Self::DropUser { user: user()? },
            command::SET_PASSWORD => Self::SetPassword { user: user()?, hash: bytes(field::PASSWORD) },
            command::CHANGE_PASSWORD => Self::ChangePassword {
                user: user()?,
                old_hash: bytes(field::OLD_PASSWORD),
                hash: bytes(field::PASSWORD),
            },
            command::GRANT_ROLES => Self::GrantRoles { user: user()?, roles: roles()? },
            command::REVOKE_ROLES => Self::RevokeRoles { user: user()?, roles: roles()? },
            command::QUERY_USERS => Self::QueryUsers { user: name(field::USER, ResultCode::INVALID_USER)? },
            command::CREATE_ROLE => Self::CreateRole {
                role: role()?,
                privileges: privileges()?,
                whitelist: whitelist(),
                read_quota: quota(field::READ_QUOTA)?,
                write_quota: quota(field::WRITE_QUOTA)?,
            },
            command::DROP_ROLE => Self::DropRole { role: role()? },
            command::GRANT_PRIVILEGES => Self::GrantPrivileges { role: role()?, privileges: privileges()? },
            command::REVOKE_PRIVILEGES => Self::RevokePrivileges { role: role()?, privileges: privileges()? },
            command::SET_WHITELIST => Self::SetWhitelist { role: role()?, whitelist: whitelist() },
            command::SET_QUOTAS => Self::SetQuotas {
                role: role()?,
                read_quota: quota(field::READ_QUOTA)?,
                write_quota: quota(field::WRITE_QUOTA)?,
            },
            command::QUERY_ROLES => Self::QueryRoles { role: name(field::ROLE, ResultCode::INVALID_ROLE)? },
            _ => return Err(ResultCode::INVALID_COMMAND),
        })
    }
}

fn push_privileges(fields: &mut Vec<(u8, Vec<u8>)>, privileges: &[Privilege]) -> Result<(), WireError> {
    if !privileges.is_empty() {
        fields.push((field::PRIVILEGES, privileges_data(privileges)?));
    }
    Ok(())
}

fn push_whitelist(fields: &mut Vec<(u8, Vec<u8>)>, whitelist: &[String]) {
    if !whitelist.is_empty() {
        fields.push((field::WHITELIST, whitelist.join(",").into()));
    }
}

/// Addresses and networks, separated by commas.
pub(super) fn parse_whitelist(data: &[u8]) -> Vec<String> {
    data.split(|&byte| byte == b',').filter(|part| !part.is_empty()).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::FrameHeader;

    fn all() -> Vec<AdminCommand> {
        let (user, role, hash) = (|| "ann".to_owned(), || "r1".to_owned(), || vec![b'h'; 60]);
        let roles = || vec!["read".to_owned(), "sys-admin".to_owned()];
        let privileges = || {
            let scoped = |namespace: &str, set: &str| Privilege {
                code: 11,
                namespace: namespace.into(),
                set: set.into(),
            };
            vec![Privilege::global(1), scoped("", ""), scoped("test", ""), scoped("test", "demo")]
        };
        let whitelist = || vec!["127.0.0.1".to_owned(), "10.0.0.0/8".to_owned()];
        vec![
            AdminCommand::CreateUser { user: user(), hash: hash(), roles: roles() },
            AdminCommand::CreateUser { user: user(), hash: hash(), roles: Vec::new() },
            AdminCommand::DropUser { user: user() },
            AdminCommand::SetPassword { user: user(), hash: hash() },
            AdminCommand::ChangePassword { user: user(), old_hash: hash(), hash: vec![b'n'; 60] },
            AdminCommand::GrantRoles { user: user(), roles: roles() },
            AdminCommand::RevokeRoles { user: user(), roles: roles() },
            AdminCommand::QueryUsers { user: Some(user()) },
            AdminCommand::QueryUsers { user: None },
            AdminCommand::CreateRole {
                role: role(),
                privileges: privileges(),
                whitelist: whitelist(),
                read_quota: 1,
                write_quota: u32::MAX,
            },
            AdminCommand::CreateRole {
                role: role(),
                privileges: Vec::new(),
                whitelist: Vec::new(),
                read_quota: 0,
                write_quota: 0,
            },
            AdminCommand::DropRole { role: role() },
            AdminCommand::GrantPrivileges { role: role(), privileges: privileges() },
            AdminCommand::RevokePrivileges { role: role(), privileges: privileges() },
            AdminCommand::SetWhitelist { role: role(), whitelist: whitelist() },
            AdminCommand::SetWhitelist { role: role(), whitelist: Vec::new() },
            AdminCommand::SetQuotas { role: role(), read_quota: 5, write_quota: 0 },
            AdminCommand::QueryRoles { role: Some(role()) },
            AdminCommand::QueryRoles { role: None },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        for command in all() {
            let mut out = Vec::new();
            command.write(&mut out).unwrap();
            let body = &out[FrameHeader::LEN..];
            assert_eq!(AdminCommand::parse(&SecurityMessage::parse(body).unwrap()), Ok(command));
        }
    }

    #[test]
    fn bytes_that_end_early_do_not_panic() {
        for command in all() {
            let mut out = Vec::new();
            command.write(&mut out).unwrap();
            let body = &out[FrameHeader::LEN..];
            for end in 0..body.len() {
                assert!(SecurityMessage::parse(&body[..end]).is_err());
            }
            // Lengths inside fields that go beyond them.
            for at in 16..body.len() {
                let mut wrong = body.to_vec();
                wrong[at] = 0xFF;
                if let Ok(message) = SecurityMessage::parse(&wrong) {
                    _ = AdminCommand::parse(&message);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut out = Vec::new();
        let roles = vec!["r".repeat(256)];
        assert!(AdminCommand::GrantRoles { user: "u".into(), roles }.write(&mut out).is_err());
        let roles = vec![String::new(); 256];
        assert!(AdminCommand::GrantRoles { user: "u".into(), roles }.write(&mut out).is_err());
        let privileges = vec![Privilege { namespace: "test".into(), ..Privilege::global(0) }];
        assert!(AdminCommand::GrantPrivileges { role: "r".into(), privileges }.write(&mut out).is_err());
    }

    #[test]
    fn hashes_are_not_shown() {
        let shown = format!("{:?}", all());
        assert!(!shown.contains("104") && shown.contains("ann"), "{shown}");
    }
}
