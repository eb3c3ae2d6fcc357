//! aero-io.
