//! The users that may log in.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use wire_protocol::ResultCode;
use wire_protocol::security::{SecurityMessage, field};

use crate::security::user::User;

/// The users of the cluster.
#[derive(Debug, Default)]
pub(crate) struct Users {
    /// `None` without security: clients do not log in.
    by_name: RwLock<Option<HashMap<String, Arc<User>>>>,
    /// Seconds that a session lasts.
    pub(crate) session_ttl: u32,
}

impl Users {
    pub(crate) fn new(is_secure: bool, users: &[User], session_ttl: u32) -> Self {
        let by_name = users.iter().map(|user| (user.name().to_owned(), Arc::new(user.clone()))).collect();
        let by_name = (is_secure || !users.is_empty()).then_some(by_name);
        Self { by_name: RwLock::new(by_name), session_ttl }
    }

    /// Adds a user or replaces the one of the same name. Returns `false` without security.
    pub(crate) fn set(&self, user: User) -> bool {
        match &mut *self.by_name.write().unwrap_or_else(PoisonError::into_inner) {
            Some(users) => {
                users.insert(user.name().to_owned(), Arc::new(user));
                true
            }
            None => false,
        }
    }

    pub(crate) fn is_secure(&self) -> bool {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The user that a security message names.
    pub(crate) fn find(&self, message: &SecurityMessage<'_>) -> Result<Arc<User>, ResultCode> {
        let name = message.field(field::USER).and_then(|name| std::str::from_utf8(name).ok());
        let users = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let found = name.and_then(|name| users.as_ref()?.get(name));
        found.cloned().ok_or(ResultCode::INVALID_USER)
    }
}
