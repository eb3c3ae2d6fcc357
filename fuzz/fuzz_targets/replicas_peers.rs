//! Answers to `replicas`, to `peers-clear-std` and its variants, and to `rack-ids`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::info::{self, PartitionBitmap};

fuzz_target!(|text: &str| {
    if let Ok(namespaces) = info::parse_replicas(text) {
        for bitmap in namespaces.iter().flat_map(|namespace| &namespace.replicas) {
            assert_eq!(&PartitionBitmap::of(bitmap.iter()), bitmap);
        }
        let written: Vec<_> = namespaces
            .iter()
            .map(|namespace| {
                let count = namespace.replicas.len();
                let bitmaps = namespace.replicas.iter().map(|bitmap| format!(",{}", bitmap.to_base64()));
                format!("{}:{},{count}{}", namespace.namespace, namespace.regime, bitmaps.collect::<String>())
            })
            .collect();
        assert_eq!(info::parse_replicas(&written.join(";")), Ok(namespaces));
    }
    if let Ok(peers) = info::parse_peers(text) {
        for (host, port) in peers.peers.iter().flat_map(|peer| &peer.addresses) {
            assert!(!host.is_empty() && *port != 0);
        }
    }
    if let Ok(racks) = info::parse_rack_ids(text) {
        let written: Vec<_> = racks.iter().map(|(namespace, rack)| format!("{namespace}:{rack}")).collect();
        assert_eq!(info::parse_rack_ids(&written.join(";")), Ok(racks));
    }
});
