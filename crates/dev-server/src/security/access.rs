//! What a user may do, from the privileges of all the user's roles.

use std::net::IpAddr;

use wire_protocol::message::{info1, info2};
use wire_protocol::security::{Privilege, RoleInfo, privilege};

use crate::protocol::flags::Flags;
use crate::security::network::Network;

/// What commands need; a privilege has one or more of these.
pub(crate) mod permission {
    pub(crate) const READ: u16 = 1;
    pub(crate) const WRITE: u16 = 1 << 1;
    pub(crate) const TRUNCATE: u16 = 1 << 2;
    pub(crate) const SINDEX_ADMIN: u16 = 1 << 3;
    pub(crate) const UDF_APPLY: u16 = 1 << 4;
    pub(crate) const UDF_ADMIN: u16 = 1 << 5;
    pub(crate) const QUERY_ADMIN: u16 = 1 << 6;
    pub(crate) const SYS_ADMIN: u16 = 1 << 7;
    pub(crate) const USER_ADMIN: u16 = 1 << 8;
}

/// The permissions of a privilege; none for an unknown code.
pub(crate) fn permissions(code: u8) -> u16 {
    use permission::{
        QUERY_ADMIN, READ, SINDEX_ADMIN, SYS_ADMIN, TRUNCATE, UDF_ADMIN, UDF_APPLY, USER_ADMIN, WRITE,
    };
    match code {
        privilege::USER_ADMIN => USER_ADMIN,
        privilege::SYS_ADMIN => SYS_ADMIN,
        privilege::DATA_ADMIN => UDF_ADMIN | SINDEX_ADMIN | TRUNCATE | QUERY_ADMIN,
        privilege::UDF_ADMIN => UDF_ADMIN,
        privilege::SINDEX_ADMIN => SINDEX_ADMIN,
        privilege::READ => READ,
        privilege::READ_WRITE => READ | WRITE,
        privilege::READ_WRITE_UDF => READ | WRITE | UDF_APPLY,
        privilege::WRITE => WRITE,
        privilege::TRUNCATE => TRUNCATE,
        _ => 0,
    }
}

/// What a user may do, and from where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    /// Permissions for all namespaces.
    global: u16,
    scoped: Vec<(u16, Privilege)>,
    /// `None` allows all addresses.
    networks: Option<Vec<Network>>,
}

impl Access {
    pub(crate) fn new<'a>(roles: impl Iterator<Item = &'a RoleInfo>) -> Self {
        let mut access = Self::default();
        for role in roles {
            for privilege in &role.privileges {
                let permissions = permissions(privilege.code);
                if privilege.namespace.is_empty() {
                    access.global |= permissions;
                } else {
                    access.scoped.push((permissions, privilege.clone()));
                }
            }
            if !role.whitelist.is_empty() {
                let networks = role.whitelist.iter().filter_map(|text| Network::parse(text));
                access.networks.get_or_insert_default().extend(networks);
            }
        }
        access
    }

    /// Whether the user has all of these permissions for a set, which is empty for commands on a whole namespace.
    pub(crate) fn allows(&self, wanted: u16, namespace: &[u8], set: &[u8]) -> bool {
        let mut missing = wanted & !self.global;
        if missing == 0 {
            return true;
        }
        for (permissions, privilege) in &self.scoped {
            let is_in_set = privilege.set.is_empty() || privilege.set.as_bytes() == set;
            if is_in_set && privilege.namespace.as_bytes() == namespace {
                missing &= !permissions;
            }
        }
        missing == 0
    }

    /// Whether the user may send a request with these flags. A write that also reads needs both; a call of a function
    /// has a permission of its own.
    #[inline]
    pub(crate) fn may(&self, flags: Flags, is_call: bool, namespace: &[u8], set: &[u8]) -> bool {
        if is_call {
            return self.allows(permission::UDF_APPLY, namespace, set);
        }
        let mut wanted = 0;
        if flags.info2 & info2::WRITE != 0 {
            wanted |= permission::WRITE;
        }
        if flags.info1 & info1::READ != 0 {
            wanted |= permission::READ;
        }
        self.allows(wanted, namespace, set)
    }

    /// Whether the user may use the server from this address.
    pub(crate) fn allows_address(&self, address: IpAddr) -> bool {
        let Some(networks) = &self.networks else { return true };
        networks.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(privileges: &[(u8, &str, &str)], whitelist: &[&str]) -> RoleInfo {
        RoleInfo {
            privileges: privileges
                .iter()
                .map(|(code, namespace, set)| Privilege {
                    code: *code,
                    namespace: (*namespace).into(),
                    set: (*set).into(),
                })
                .collect(),
            whitelist: whitelist.iter().map(|text| (*text).into()).collect(),
            ..RoleInfo::default()
        }
    }

    #[test]
    fn privileges_have_scopes() {
        let roles = [
            role(&[(privilege::READ, "test", ""), (privilege::WRITE, "test", "s")], &[]),
            role(&[(privilege::TRUNCATE, "", "")], &["10.0.0.0/8"]),
        ];
        let access = Access::new(roles.iter());
        for (wanted, namespace, set, is_allowed) in [
            (permission::READ, "test", "", true),
            (permission::READ, "test", "t", true),
            (permission::READ, "bar", "s", false),
            (permission::WRITE, "test", "s", true),
            (permission::WRITE | permission::READ, "test", "s", true),
            (permission::WRITE, "test", "", false),
            (permission::WRITE, "test", "t", false),
            (permission::TRUNCATE, "bar", "", true),
            (permission::USER_ADMIN, "", "", false),
        ] {
            let found = access.allows(wanted, namespace.as_bytes(), set.as_bytes());
            assert_eq!(found, is_allowed, "{wanted} {namespace} {set}");
        }
        assert!(access.allows_address("10.1.1.1".parse().unwrap()));
        assert!(!access.allows_address("127.0.0.1".parse().unwrap()));
    }
}
