//! Whether a node answers.

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Running,
    /// The node hangs: it accepts connections and sends nothing.
    Paused,
}

/// Waits until the node runs. Returns `false` if it has stopped.
pub(super) async fn until_running(mode: &mut watch::Receiver<Mode>) -> bool {
    mode.wait_for(|mode| *mode == Mode::Running).await.is_ok()
}
