//! Security messages: what is written is read back, what is random or damaged is read or refused.

use proptest::collection::vec;
use proptest::prelude::*;

use wire_protocol::ResultCode;
use wire_protocol::message::FrameHeader;
use wire_protocol::security::{
    Login, LoginAnswer, Proof, SecurityMessage, field, result_code_of, write_authenticate, write_login,
    write_security,
};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

fn read(body: &[u8]) {
    if let Ok(message) = SecurityMessage::parse(body) {
        assert_eq!(result_code_of(body), Ok(message.result_code));
        for kind in 0..=u8::MAX {
            assert!(message.field(kind).is_none_or(|data| data.len() < body.len()));
        }
    }
    if let Ok(answer) = LoginAnswer::parse(body) {
        assert_eq!(answer.result_code.is_ok(), answer.token.is_some_and(|token| !token.is_empty()));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(user in ".{0,40}", hash in bytes(), password in bytes()) {
        let mut out = Vec::new();
        write_login(&mut out, &Login::External { user: &user, hash: &hash, password: &password }).unwrap();
        let message = SecurityMessage::parse(&out[FrameHeader::LEN..]).unwrap();
        prop_assert_eq!(message.field(field::USER), Some(user.as_bytes()));
        prop_assert_eq!(message.field(field::CREDENTIAL), Some(&hash[..]));
        prop_assert_eq!(message.field(field::CLEAR_PASSWORD), Some(&password[..]));
        prop_assert_eq!(message.field(field::SESSION_TOKEN), None);

        out.clear();
        write_authenticate(&mut out, Some(&user), Proof::Token(&hash)).unwrap();
        let message = SecurityMessage::parse(&out[FrameHeader::LEN..]).unwrap();
        prop_assert_eq!(message.field(field::SESSION_TOKEN), Some(&hash[..]));
    }

    #[test]
    fn answers_are_read_back(token in vec(any::<u8>(), 1..200), ttl in any::<u32>(), other in bytes()) {
        let mut out = Vec::new();
        let ttl_bytes = ttl.to_be_bytes();
        let fields =
            [(77, &other[..]), (field::SESSION_TTL, &ttl_bytes[..]), (field::SESSION_TOKEN, &token[..])];
        write_security(&mut out, ResultCode::OK, 0, &fields).unwrap();
        let body = &out[FrameHeader::LEN..];
        let answer = LoginAnswer::parse(body).unwrap();
        prop_assert_eq!((answer.token, answer.ttl), (Some(&token[..]), Some(ttl)));
        for end in 0..body.len() {
            prop_assert!(LoginAnswer::parse(&body[..end]).is_err());
        }
    }

    #[test]
    fn random_bodies(n_fields in 0u8..5, fields in vec((any::<u8>(), bytes()), 0..4), tail in bytes()) {
        let fields: Vec<_> = fields.iter().map(|(kind, data)| (*kind, &data[..])).collect();
        let mut out = Vec::new();
        write_security(&mut out, ResultCode::OK, 20, &fields).unwrap();
        out.extend(&tail);
        out[FrameHeader::LEN + 3] = n_fields;
        read(&out[FrameHeader::LEN..]);
        read(&tail);
    }
}
