//! Which record a command is about.

use crate::digest::{Digest, UserKey};
use crate::message::{field_type, write_field, write_field_parts};

use super::TransactionFields;

/// Which record a command is about.
#[derive(Clone, Copy, Debug)]
pub struct RecordKey<'a> {
    /// The record's namespace.
    pub namespace: &'a [u8],
    /// The record's set; empty for none.
    pub set: &'a [u8],
    /// The record's digest.
    pub digest: &'a Digest,
    /// The user's key, if it is to be sent; a write stores it.
    pub send_key: Option<UserKey<'a>>,
    /// The transaction that the command is part of.
    pub transaction: Option<TransactionFields>,
}

impl RecordKey<'_> {
    pub(super) fn n_fields(&self, filter: &[u8]) -> u16 {
        let transaction = self.transaction.map_or(0, |transaction| transaction.count());
        3 + transaction + u16::from(self.send_key.is_some()) + u16::from(!filter.is_empty())
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_field(out, field_type::NAMESPACE, self.namespace);
        write_field(out, field_type::SET, self.set);
        write_field(out, field_type::DIGEST, self.digest);
        if let Some(transaction) = &self.transaction {
            transaction.write(out);
        }
        if let Some(key) = self.send_key {
            write_user_key(out, key);
        }
    }
}

/// Appends a field with the user's key.
pub(crate) fn write_user_key(out: &mut Vec<u8>, key: UserKey<'_>) {
    let kind = [key.particle_type()];
    match key {
        UserKey::Int(value) => write_field_parts(out, field_type::KEY, &[&kind, &value.to_be_bytes()]),
        UserKey::Str(bytes) | UserKey::Blob(bytes) => {
            write_field_parts(out, field_type::KEY, &[&kind, bytes]);
        }
    }
}
