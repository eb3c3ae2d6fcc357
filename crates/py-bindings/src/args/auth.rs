//! Who a client logs in as: the config's keys and the arguments of `connect`.

use std::fmt;

use aero_io::{AuthMode, Credentials};
use pyo3::prelude::*;

use crate::args::settings::{Settings, one_of};
use crate::python::errors::param_error;

/// The modes in the order of their constants.
pub(crate) const MODES: [AuthMode; 4] =
    [AuthMode::Internal, AuthMode::External, AuthMode::ExternalInsecure, AuthMode::Pki];

/// What the config says about logging in. Its password is never shown.
#[derive(Clone, Default)]
pub(crate) struct Login {
    mode: AuthMode,
    user: Option<String>,
    password: Option<String>,
}

impl Login {
    /// Takes the keys of a config. Whether they fit together is seen when all keys are known to be right.
    /// `mode` is the one that stands among the policies.
    pub(crate) fn read(
        py: Python<'_>,
        settings: &mut Settings<'_>,
        mode: Option<AuthMode>,
    ) -> PyResult<Self> {
        Ok(Self {
            user: settings.text("user")?,
            password: settings.text("password")?,
            mode: one_of(py, "auth_mode", settings.choice("auth_mode", "AUTH_*", &MODES)?, mode)?
                .unwrap_or_default(),
        })
    }

    /// The credentials of `connect(username, password)`; what is None is as in the config.
    pub(crate) fn with(
        &self,
        py: Python<'_>,
        user: Option<&str>,
        password: Option<&str>,
    ) -> PyResult<Option<Credentials>> {
        let given = |new: Option<&str>, old: &Option<String>| new.map(str::to_owned).or_else(|| old.clone());
        Self { mode: self.mode, user: given(user, &self.user), password: given(password, &self.password) }
            .credentials(py)
    }

    /// What to log in with; none where there is no user.
    pub(crate) fn credentials(&self, py: Python<'_>) -> PyResult<Option<Credentials>> {
        let refused = |what: &str| Err(param_error(py, what.into()));
        let user = self.user.as_deref().filter(|user| !user.is_empty());
        if self.mode == AuthMode::Pki {
            if user.is_some() || self.password.as_deref().is_some_and(|password| !password.is_empty()) {
                return refused(
                    "config \"auth_mode\" is AUTH_PKI: the client certificate says who it is; leave \"user\" and \
                     \"password\" out",
                );
            }
            return Ok(Some(Credentials::pki()));
        }
        match (user, self.password.as_deref()) {
            (Some(user), Some(password)) => Credentials::new(self.mode, user, password)
                .map(Some)
                .map_err(|error| param_error(py, error.to_string())),
            (Some(_), None) => refused("config has a \"user\" and no \"password\""),
            (None, Some(password)) if !password.is_empty() => {
                refused("config has a \"password\" and no \"user\"")
            }
            (None, _) => Ok(None),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("mode", &self.mode).field("user", &self.user).finish_non_exhaustive()
    }
}
