//! The fields of commands that are part of a transaction, and those in their answers.

use crate::error::WireError;
use crate::message::{Fields, field_type, write_field};

/// A record's version within a transaction, as the server sends it.
pub type RecordVersion = [u8; 7];

/// The fields that make a command part of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionFields {
    /// The transaction. Verification of a version is not part of it, and has none.
    pub id: Option<u64>,
    /// The version of the record that the transaction has read.
    pub version: Option<RecordVersion>,
    /// When the server ends the transaction, as it has said itself. Only writes have one.
    pub deadline: Option<u32>,
}

impl TransactionFields {
    pub(crate) fn count(&self) -> u16 {
        u16::from(self.id.is_some()) + u16::from(self.version.is_some()) + u16::from(self.deadline.is_some())
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if let Some(id) = self.id {
            write_field(out, field_type::TRANSACTION_ID, &id.to_le_bytes());
        }
        if let Some(version) = self.version {
            write_field(out, field_type::RECORD_VERSION, &version);
        }
        if let Some(deadline) = self.deadline {
            write_field(out, field_type::TRANSACTION_DEADLINE, &deadline.to_le_bytes());
        }
    }
}

/// What an answer says about a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionAnswer {
    /// The version of the record.
    pub version: Option<RecordVersion>,
    /// When the server ends the transaction; in answers to writes of its monitor record.
    pub deadline: Option<u32>,
}

impl TransactionAnswer {
    /// Reads the fields of an answer.
    ///
    /// # Errors
    /// A field that has another size.
    pub fn parse(fields: Fields<'_>) -> Result<Self, WireError> {
        let mut answer = Self::default();
        for field in fields {
            let wrong = || WireError::malformed("transaction field", "it has another size");
            match field.kind {
                field_type::RECORD_VERSION => {
                    answer.version = Some(field.data.try_into().map_err(|_| wrong())?);
                }
                field_type::TRANSACTION_DEADLINE => {
                    let bytes = field.data.try_into().map_err(|_| wrong())?;
                    answer.deadline = Some(u32::from_le_bytes(bytes));
                }
                _ => {}
            }
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, MessageHeader};

    #[test]
    fn fields_are_read_as_they_are_written() {
        let sent =
            TransactionFields { id: Some(1), version: Some([1, 2, 3, 4, 5, 6, 7]), deadline: Some(258) };
        let mut body = Vec::new();
        MessageHeader { n_fields: sent.count(), ..MessageHeader::default() }.write(&mut body);
        sent.write(&mut body);
        let message = Message::parse_only(&body).unwrap();
        assert_eq!(message.field(field_type::TRANSACTION_ID), Some(&[1, 0, 0, 0, 0, 0, 0, 0][..]));
        assert_eq!(message.field(field_type::TRANSACTION_DEADLINE), Some(&[2, 1, 0, 0][..]));
        let answer = TransactionAnswer::parse(message.fields()).unwrap();
        assert_eq!(answer, TransactionAnswer { version: sent.version, deadline: sent.deadline });
        assert_eq!(TransactionFields::default().count(), 0);
    }

    #[test]
    fn fields_of_other_sizes_are_refused() {
        for (kind, size) in [(field_type::RECORD_VERSION, 8), (field_type::TRANSACTION_DEADLINE, 3)] {
            let mut body = Vec::new();
            MessageHeader { n_fields: 1, ..MessageHeader::default() }.write(&mut body);
            write_field(&mut body, kind, &vec![0; size]);
            let message = Message::parse_only(&body).unwrap();
            assert!(TransactionAnswer::parse(message.fields()).is_err(), "field {kind} of {size} bytes");
        }
    }
}
