//! Credentials, from the config and the arguments of `connect`.

use std::fmt;

use aero_io::{AuthMode, Credentials};
use pyo3::prelude::*;

use crate::args::settings::{Settings, one_of};
use crate::python::errors::param_error;

/// The authentication modes, in the order of the `AUTH_*` constants.
pub(crate) const MODES: [AuthMode; 4] =
    [AuthMode::Internal, AuthMode::External, AuthMode::ExternalInsecure, AuthMode::Pki];

/// The config's settings for logging in. Its `Debug` does not show the password.
#[derive(Clone, Default)]
pub(crate) struct Login {
    mode: AuthMode,
    user: Option<String>,
    password: Option<String>,
}

impl Login {
    /// Takes the keys of a config; `mode` is the one given among its policies. Whether they fit together is checked
    /// by [`Login::credentials`], once unknown keys have been reported.
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

    /// The credentials of `connect(username, password)`; None means the config's value.
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

    /// What to log in with; None if there is no user.
    pub(crate) fn credentials(&self, py: Python<'_>) -> PyResult<Option<Credentials>> {
        let refused = |what: &str| Err(param_error(py, what.into()));
        let user = self.user.as_deref().filter(|user| !user.is_empty());
        if self.mode == AuthMode::Pki {
            if user.is_some() || self.password.as_deref().is_some_and(|password| !password.is_empty()) {
                return refused(
                    "config \"auth_mode\" is AUTH_PKI, which takes the user from the client certificate; leave \
                     \"user\" and \"password\" out",
                );
            }
            return Ok(Some(Credentials::pki()));
        }
        match (user, self.password.as_deref()) {
            (Some(user), Some(password)) => Credentials::new(self.mode, user, password)
                .map(Some)
                .map_err(|error| param_error(py, error.to_string())),
            (Some(_), None) => refused("config has a \"user\" but no \"password\"; add one"),
            (None, Some(password)) if !password.is_empty() => {
                refused("config has a \"password\" but no \"user\"; add one")
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
