//! The answer to a command on one record.

use wire_protocol::digest::UserKey;
use wire_protocol::message::{Message, Ops, field_type};
use wire_protocol::{ResultCode, WireError};

/// The answer to a command on one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Always 0; other codes are errors.
    pub result_code: ResultCode,
    pub generation: u32,
    /// Expiration in seconds since 2010-01-01 UTC; 0 for never.
    pub void_time: u32,
    /// Number of bins or results.
    pub n_ops: u16,
    ops: Box<[u8]>,
    key: Option<Box<[u8]>>,
}

impl Answer {
    /// Parses the body of an answer, which must be a single message.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, WireError> {
        let message = Message::parse_only(body)?;
        let header = message.header;
        Ok(Self {
            result_code: header.result_code,
            generation: header.generation,
            void_time: header.ttl,
            n_ops: header.n_ops,
            ops: message.ops_bytes().into(),
            key: message.field(field_type::KEY).map(Into::into),
        })
    }

    /// The bins, or the results of operations, in the server's order.
    #[must_use]
    pub fn ops(&self) -> Ops<'_> {
        Ops::over(&self.ops)
    }

    /// The user's key that is stored with the record, if the server sent it.
    #[must_use]
    pub fn key(&self) -> Option<UserKey<'_>> {
        UserKey::parse(self.key.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire_protocol::message::{MessageHeader, op, write_field, write_op};
    use wire_protocol::particle::particle_type;

    #[test]
    fn the_message_is_kept() {
        let mut body = Vec::new();
        let header = MessageHeader { generation: 3, ttl: 9, n_fields: 1, n_ops: 1, ..Default::default() };
        header.write(&mut body);
        write_field(&mut body, field_type::KEY, b"\x03k");
        write_op(&mut body, op::READ, particle_type::INTEGER, b"a", &7i64.to_be_bytes());
        let answer = Answer::parse(&body).unwrap();
        assert_eq!((answer.generation, answer.void_time, answer.n_ops), (3, 9, 1));
        assert_eq!(answer.key(), Some(UserKey::Str(b"k")));
        assert_eq!(answer.ops().next().unwrap().name, b"a");
        assert!(Answer::parse(&body[..body.len() - 1]).is_err());
    }
}
