//! dev-server.
