//! The users that may log in, and the roles.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use wire_protocol::ResultCode;
use wire_protocol::security::{AdminCommand, Privilege, RoleInfo, SecurityMessage, UserInfo, field};

use crate::security::access::{Access, permission, permissions};
use crate::security::network::Network;
use crate::security::user::{MAX_NAME, PREDEFINED, User, is_hash};

/// A user, and who it is: a user that was removed and added again is another one.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) user: User,
    pub(crate) id: u64,
}

#[derive(Debug)]
struct State {
    users: BTreeMap<String, Account>,
    roles: BTreeMap<String, RoleInfo>,
    next_id: u64,
}

/// The users and roles of the cluster.
#[derive(Debug)]
pub(crate) struct Users {
    /// `None` without security: clients do not log in.
    state: RwLock<Option<State>>,
    /// Changes with every change of users and roles.
    generation: AtomicU64,
    /// Seconds that a session lasts.
    pub(crate) session_ttl: u32,
}

impl State {
    fn new(users: &[User]) -> Self {
        let predefined = |(name, code): &(&str, u8)| {
            let privileges = vec![Privilege::global(*code)];
            ((*name).to_owned(), RoleInfo { name: (*name).into(), privileges, ..RoleInfo::default() })
        };
        let roles = PREDEFINED.iter().map(predefined).collect();
        let mut state = Self { users: BTreeMap::new(), roles, next_id: 0 };
        users.iter().for_each(|user| state.set(user.clone()));
        state
    }

    fn set(&mut self, user: User) {
        match self.users.get_mut(user.name()) {
            Some(account) => account.user = user,
            None => {
                self.next_id += 1;
                self.users.insert(user.name().to_owned(), Account { user, id: self.next_id });
            }
        }
    }

    fn roles_of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a RoleInfo> {
        user.roles().iter().filter_map(|role| self.roles.get(role))
    }

    fn account(&mut self, user: &str) -> Result<&mut Account, ResultCode> {
        self.users.get_mut(user).ok_or(ResultCode::INVALID_USER)
    }

    /// A role that may be changed.
    fn own_role(&mut self, role: &str) -> Result<&mut RoleInfo, ResultCode> {
        self.roles.get_mut(role).filter(|_| !is_predefined(role)).ok_or(ResultCode::INVALID_ROLE)
    }

    fn check_roles(&self, roles: &[String]) -> Result<(), ResultCode> {
        if roles.is_empty() || roles.iter().any(|role| !self.roles.contains_key(role)) {
            return Err(ResultCode::INVALID_ROLE);
        }
        Ok(())
    }

    fn apply(&mut self, command: AdminCommand) -> Result<(), ResultCode> {
        match command {
            AdminCommand::CreateUser { user, hash, roles } => {
                if !is_name(&user) {
                    return Err(ResultCode::INVALID_USER);
                }
                if self.users.contains_key(&user) {
                    return Err(ResultCode::USER_EXISTS);
                }
                if !is_hash(&hash) {
                    return Err(ResultCode::INVALID_PASSWORD);
                }
                self.check_roles(&roles)?;
                self.set(User::with_hash(user, hash, roles));
            }
            AdminCommand::DropUser { user } => {
                self.users.remove(&user).ok_or(ResultCode::INVALID_USER)?;
            }
            AdminCommand::SetPassword { user, hash } => {
                let account = self.account(&user)?;
                account.user.set_hash(hash)?;
            }
            AdminCommand::ChangePassword { user, old_hash, hash } => {
                let account = self.account(&user)?;
                if !account.user.has_hash(&old_hash) {
                    return Err(ResultCode::INVALID_CREDENTIAL);
                }
                account.user.set_hash(hash)?;
            }
            AdminCommand::GrantRoles { user, roles } => {
                self.account(&user)?;
                self.check_roles(&roles)?;
                self.account(&user)?.user.roles_mut().extend(roles);
            }
            AdminCommand::RevokeRoles { user, roles } => {
                self.account(&user)?;
                self.check_roles(&roles)?;
                self.account(&user)?.user.roles_mut().retain(|role| !roles.contains(role));
            }
            AdminCommand::CreateRole { role, privileges, whitelist, read_quota, write_quota } => {
                if !is_name(&role) {
                    return Err(ResultCode::INVALID_ROLE);
                }
                if self.roles.contains_key(&role) {
                    return Err(ResultCode::ROLE_EXISTS);
                }
                if !privileges.is_empty() {
                    check_privileges(&privileges)?;
                }
                check_whitelist(&whitelist)?;
                let info = RoleInfo { name: role.clone(), privileges, whitelist, read_quota, write_quota };
                self.roles.insert(role, info);
            }
            AdminCommand::DropRole { role } => {
                self.own_role(&role)?;
                self.roles.remove(&role);
                self.users.values_mut().for_each(|account| _ = account.user.roles_mut().remove(&role));
            }
            AdminCommand::GrantPrivileges { role, privileges } => {
                let info = self.own_role(&role)?;
                check_privileges(&privileges)?;
                for privilege in privileges {
                    if !info.privileges.contains(&privilege) {
                        info.privileges.push(privilege);
                    }
                }
                if info.privileges.len() > usize::from(u8::MAX) {
                    info.privileges.truncate(usize::from(u8::MAX));
                    return Err(ResultCode::INVALID_PRIVILEGE);
                }
            }
            AdminCommand::RevokePrivileges { role, privileges } => {
                let info = self.own_role(&role)?;
                check_privileges(&privileges)?;
                info.privileges.retain(|privilege| !privileges.contains(privilege));
            }
            AdminCommand::SetWhitelist { role, whitelist } => {
                check_whitelist(&whitelist)?;
                self.own_role(&role)?.whitelist = whitelist;
            }
            AdminCommand::SetQuotas { role, read_quota, write_quota } => {
                let info = self.own_role(&role)?;
                (info.read_quota, info.write_quota) = (read_quota, write_quota);
            }
            AdminCommand::QueryUsers { .. } | AdminCommand::QueryRoles { .. } => {
                return Err(ResultCode::INVALID_COMMAND);
            }
        }
        Ok(())
    }
}

impl Users {
    pub(crate) fn new(is_secure: bool, users: &[User], session_ttl: u32) -> Self {
        let state = (is_secure || !users.is_empty()).then(|| State::new(users));
        Self { state: RwLock::new(state), generation: AtomicU64::new(0), session_ttl }
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<State>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks for a change, after which connections look their users up again.
    fn write(&self) -> RwLockWriteGuard<'_, Option<State>> {
        let state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.generation.fetch_add(1, Ordering::Release);
        state
    }

    /// Adds a user or replaces the one of the same name. Returns `false` without security.
    pub(crate) fn set(&self, user: User) -> bool {
        self.write().as_mut().map(|state| state.set(user)).is_some()
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.read().is_some()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The user that a security message names.
    pub(crate) fn find(&self, message: &SecurityMessage<'_>) -> Result<Account, ResultCode> {
        let name = message.field(field::USER).and_then(|name| std::str::from_utf8(name).ok());
        let state = self.read();
        let found = name.and_then(|name| state.as_ref()?.users.get(name));
        found.cloned().ok_or(ResultCode::INVALID_USER)
    }

    /// What a user may do now, and the generation of that. `None` for a user that was removed.
    pub(crate) fn access(&self, name: &str, id: u64) -> Option<(u64, Arc<Access>)> {
        let state = self.read();
        let generation = self.generation();
        let state = state.as_ref()?;
        let account = state.users.get(name).filter(|account| account.id == id)?;
        Some((generation, Arc::new(Access::new(state.roles_of(&account.user)))))
    }

    /// Carries out a command that changes users or roles.
    pub(crate) fn apply(&self, command: AdminCommand) -> Result<(), ResultCode> {
        self.write().as_mut().ok_or(ResultCode::SECURITY_NOT_ENABLED)?.apply(command)
    }

    /// One user or all, without their connections, which each node counts. With the identifier of each.
    pub(crate) fn user_infos(&self, name: Option<&str>) -> Result<Vec<(u64, UserInfo)>, ResultCode> {
        let state = self.read();
        let state = state.as_ref().ok_or(ResultCode::SECURITY_NOT_ENABLED)?;
        let info = |account: &Account| {
            let quota = |of: fn(&RoleInfo) -> u32| {
                vec![state.roles_of(&account.user).map(of).max().unwrap_or(0), 0, 0, 0]
            };
            let info = UserInfo {
                name: account.user.name().into(),
                roles: account.user.roles().iter().cloned().collect(),
                read_info: quota(|role| role.read_quota),
                write_info: quota(|role| role.write_quota),
                connections: 0,
            };
            (account.id, info)
        };
        match name {
            None => Ok(state.users.values().map(info).collect()),
            Some(name) => Ok(vec![info(state.users.get(name).ok_or(ResultCode::INVALID_USER)?)]),
        }
    }

    /// One role or all.
    pub(crate) fn role_infos(&self, name: Option<&str>) -> Result<Vec<RoleInfo>, ResultCode> {
        let state = self.read();
        let state = state.as_ref().ok_or(ResultCode::SECURITY_NOT_ENABLED)?;
        match name {
            None => Ok(state.roles.values().cloned().collect()),
            Some(name) => Ok(vec![state.roles.get(name).ok_or(ResultCode::INVALID_ROLE)?.clone()]),
        }
    }
}

/// Whether a user with this access may send a command. Users may change their own password and ask about themselves.
pub(crate) fn may_administrate(access: &Access, name: &str, command: &AdminCommand) -> bool {
    match command {
        AdminCommand::ChangePassword { .. } => true,
        AdminCommand::QueryUsers { user: Some(user) } if user == name => true,
        _ => access.allows(permission::USER_ADMIN, b"", b""),
    }
}

/// Whether a user may connect from an address.
pub(crate) fn check_address(access: &Access, address: IpAddr) -> Result<(), ResultCode> {
    if access.allows_address(address) { Ok(()) } else { Err(ResultCode::NOT_WHITELISTED) }
}

fn is_predefined(role: &str) -> bool {
    PREDEFINED.iter().any(|(name, _)| *name == role)
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && !name.contains(char::is_control)
}

fn check_privileges(privileges: &[Privilege]) -> Result<(), ResultCode> {
    let is_known = |privilege: &Privilege| {
        permissions(privilege.code) != 0 && (privilege.set.is_empty() || !privilege.namespace.is_empty())
    };
    if privileges.is_empty() || !privileges.iter().all(is_known) {
        return Err(ResultCode::INVALID_PRIVILEGE);
    }
    Ok(())
}

fn check_whitelist(whitelist: &[String]) -> Result<(), ResultCode> {
    if whitelist.iter().all(|text| Network::parse(text).is_some()) {
        Ok(())
    } else {
        Err(ResultCode::INVALID_WHITELIST)
    }
}
