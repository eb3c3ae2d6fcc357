//! Records to read.

use aero_io::{Cluster, Key, WritePolicy};

use crate::batch_support::values;

/// Writes the first `n` records, 64 at a time.
pub(crate) async fn fill(cluster: &Cluster, n: usize, key: impl Fn(usize) -> Key) {
    let key = &key;
    let writers = (0..64).map(|part| async move {
        for i in (part..n).step_by(64) {
            cluster.write(&key(i), &values(i), &WritePolicy::default()).await.expect("a write");
        }
    });
    futures_util::future::join_all(writers).await;
}
