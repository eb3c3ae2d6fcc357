//! The body of a security frame about users and roles: a list that a client reads, or a command that a node reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::security::{AdminCommand, RoleInfo, SecurityMessage, UserInfo, read_items};

fuzz_target!(|data: &[u8]| {
    let (mut users, mut roles) = (Vec::<UserInfo>::new(), Vec::<RoleInfo>::new());
    _ = read_items(data, &mut users);
    _ = read_items(data, &mut roles);
    assert!(users.len().max(roles.len()) <= data.len() / 16, "each has a header");
    if let Ok(message) = SecurityMessage::parse(data)
        && let Ok(command) = AdminCommand::parse(&message)
    {
        let mut out = Vec::new();
        if command.write(&mut out).is_ok() {
            let again = SecurityMessage::parse(&out[8..]).expect("its own bytes are read");
            assert_eq!(AdminCommand::parse(&again), Ok(command));
        }
    }
});
