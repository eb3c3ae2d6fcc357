//! The body of an info response.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::info;

fuzz_target!(|data: &[u8]| {
    let Ok(answers) = info::answers(data) else { return };
    for (command, value) in answers {
        assert!(info::answer(data, command).is_ok());
        let _ = info::error_of(value);
        if let Ok(indexes) = info::parse_indexes(value) {
            assert!(indexes.iter().all(|index| !index.name.is_empty()));
        }
        if let Ok(percent) = info::parse_load_percent(value) {
            assert!(percent <= 100);
        }
        if let Ok(job) = info::JobStatus::parse(value) {
            assert!((0.0..=100.0).contains(&job.progress));
        }
        if let Ok(addresses) = info::parse_service(value) {
            assert!(addresses.iter().all(|(host, port)| !host.is_empty() && *port != 0));
        }
    }
});
