//! The body of an info response.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::info;

fuzz_target!(|data: &[u8]| {
    let Ok(answers) = info::answers(data) else { return };
    for (command, value) in answers {
        assert!(info::answer(data, command).is_ok());
        let _ = info::error_of(value);
        if let Ok(addresses) = info::parse_service(value) {
            assert!(addresses.iter().all(|(host, port)| !host.is_empty() && *port != 0));
        }
    }
});
