//! The body of a security frame: an answer to a login, or a login that a node reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_protocol::security::{LoginAnswer, SecurityMessage, result_code_of};

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = SecurityMessage::parse(data) {
        assert_eq!(result_code_of(data), Ok(message.result_code));
        for kind in 0..=u8::MAX {
            assert!(message.field(kind).is_none_or(|field| field.len() < data.len()));
        }
    }
    if let Ok(answer) = LoginAnswer::parse(data) {
        assert_eq!(answer.result_code.is_ok(), answer.token.is_some_and(|token| !token.is_empty()));
    }
});
