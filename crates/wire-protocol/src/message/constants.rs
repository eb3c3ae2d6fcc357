//! Bits of the info bytes, types of fields, codes of operations.

/// Bits of the first info byte.
pub mod info1 {
    /// The command reads.
    pub const READ: u8 = 1;
    /// Read all bins.
    pub const GET_ALL: u8 = 1 << 1;
    /// A short query.
    pub const SHORT_QUERY: u8 = 1 << 2;
    /// The command is a batch.
    pub const BATCH: u8 = 1 << 3;
    /// The client is XDR, which ships records to another data centre.
    pub const XDR: u8 = 1 << 4;
    /// Read only the header, no bins.
    pub const NO_BINS: u8 = 1 << 5;
    /// Read from all replicas, in AP mode.
    pub const READ_MODE_AP_ALL: u8 = 1 << 6;
    /// The answer may be compressed.
    pub const COMPRESS_RESPONSE: u8 = 1 << 7;
}

/// Bits of the second info byte.
pub mod info2 {
    /// The command writes.
    pub const WRITE: u8 = 1;
    /// The record is deleted.
    pub const DELETE: u8 = 1 << 1;
    /// Apply only if the record has the given generation.
    pub const GENERATION: u8 = 1 << 2;
    /// Apply only if the given generation is greater than the record's.
    pub const GENERATION_GT: u8 = 1 << 3;
    /// A deletion leaves a tombstone.
    pub const DURABLE_DELETE: u8 = 1 << 4;
    /// Create only.
    pub const CREATE_ONLY: u8 = 1 << 5;
    /// A long query may leave out records while partitions migrate, in AP mode.
    pub const RELAX_AP_LONG_QUERY: u8 = 1 << 6;
    /// Answer every operation, also those without a result.
    pub const RESPOND_ALL_OPS: u8 = 1 << 7;
}

/// Bits of the third info byte.
pub mod info3 {
    /// The last message of an answer.
    pub const LAST: u8 = 1;
    /// Commit to the master only.
    pub const COMMIT_MASTER: u8 = 1 << 1;
    /// A query's partition is complete, or unavailable.
    pub const PARTITION_DONE: u8 = 1 << 2;
    /// Update only.
    pub const UPDATE_ONLY: u8 = 1 << 3;
    /// Create or replace.
    pub const CREATE_OR_REPLACE: u8 = 1 << 4;
    /// Replace only.
    pub const REPLACE_ONLY: u8 = 1 << 5;
    /// Strong-consistency read type, low bit.
    pub const SC_READ_TYPE: u8 = 1 << 6;
    /// Strong-consistency read, relaxed.
    pub const SC_READ_RELAX: u8 = 1 << 7;
}

/// Bits of the fourth info byte.
pub mod info4 {
    /// Fail if the record has another version than the one that is sent.
    pub const VERIFY_READ: u8 = 1;
    /// Make what the transaction has written to the record its new state.
    pub const ROLL_FORWARD: u8 = 1 << 1;
    /// Drop what the transaction has written to the record.
    pub const ROLL_BACK: u8 = 1 << 2;
    /// A write fails if the transaction has written the record before.
    pub const ON_LOCKING_ONLY: u8 = 1 << 4;
}

/// Types of fields.
pub mod field_type {
    /// Namespace: text.
    pub const NAMESPACE: u8 = 0;
    /// Set: text.
    pub const SET: u8 = 1;
    /// The user's key: particle type and value.
    pub const KEY: u8 = 2;
    /// The version of a record that a transaction has read: 7 bytes.
    pub const RECORD_VERSION: u8 = 3;
    /// The record's digest: 20 bytes.
    pub const DIGEST: u8 = 4;
    /// Identifier of a transaction: u64, little endian.
    pub const TRANSACTION_ID: u8 = 5;
    /// When the server ends a transaction: u32, little endian.
    pub const TRANSACTION_DEADLINE: u8 = 6;
    /// Identifier of a query: u64.
    pub const TASK_ID: u8 = 7;
    /// Socket timeout in milliseconds: u32.
    pub const SOCKET_TIMEOUT: u8 = 9;
    /// Records per second: u32.
    pub const RECORDS_PER_SECOND: u8 = 10;
    /// Partition numbers: u16 each, little endian.
    pub const PARTITION_IDS: u8 = 11;
    /// Digests to continue after: 20 bytes each.
    pub const DIGESTS: u8 = 12;
    /// Maximum number of records: u64.
    pub const MAX_RECORDS: u8 = 13;
    /// Index values: 8 bytes each, little endian. That of a record in an answer, or those to continue after.
    pub const INDEX_VALUES: u8 = 15;
    /// The name of a secondary index: text.
    pub const INDEX_NAME: u8 = 21;
    /// The values that a query looks for in a secondary index, and the index's bin.
    pub const INDEX_RANGE: u8 = 22;
    /// The context of a secondary index.
    pub const INDEX_CONTEXT: u8 = 23;
    /// The expression of a secondary index.
    pub const INDEX_EXPRESSION: u8 = 24;
    /// Which values of a bin a secondary index has: u8.
    pub const INDEX_TYPE: u8 = 26;
    /// The module of a user-defined function: text.
    pub const UDF_MODULE: u8 = 30;
    /// The name of a user-defined function: text.
    pub const UDF_FUNCTION: u8 = 31;
    /// The arguments of a user-defined function: a list.
    pub const UDF_ARGUMENTS: u8 = 32;
    /// How a query applies a user-defined function: u8.
    pub const UDF_KIND: u8 = 33;
    /// The rows of a batch.
    pub const BATCH: u8 = 41;
    /// A filter expression.
    pub const FILTER: u8 = 43;
}

/// Codes of operations.
pub mod op {
    /// Read a bin; all bins if the name is empty.
    pub const READ: u8 = 1;
    /// Write a bin.
    pub const WRITE: u8 = 2;
    /// Read by a collection operation.
    pub const CDT_READ: u8 = 3;
    /// Modify by a collection operation.
    pub const CDT_MODIFY: u8 = 4;
    /// Add to a number.
    pub const INCREMENT: u8 = 5;
    /// Read by an expression.
    pub const EXP_READ: u8 = 7;
    /// Modify by an expression.
    pub const EXP_MODIFY: u8 = 8;
    /// Append to a string or blob.
    pub const APPEND: u8 = 9;
    /// Prepend to a string or blob.
    pub const PREPEND: u8 = 10;
    /// Touch the record.
    pub const TOUCH: u8 = 11;
    /// Read by a bit operation.
    pub const BITS_READ: u8 = 12;
    /// Modify by a bit operation.
    pub const BITS_MODIFY: u8 = 13;
    /// Delete the record.
    pub const DELETE: u8 = 14;
    /// Read by a HyperLogLog operation.
    pub const HLL_READ: u8 = 15;
    /// Modify by a HyperLogLog operation.
    pub const HLL_MODIFY: u8 = 16;
    /// Read by an operation on text; since server 8.2.
    pub const STRING_READ: u8 = 17;
    /// Modify by an operation on text; since server 8.2.
    pub const STRING_MODIFY: u8 = 18;
    /// Read a bin as text; since server 8.2.
    pub const TO_STRING: u8 = 19;

    /// Whether an operation writes. Unknown codes are taken to.
    #[must_use]
    pub const fn modifies(code: u8) -> bool {
        !matches!(code, READ | CDT_READ | EXP_READ | BITS_READ | HLL_READ | STRING_READ | TO_STRING)
    }
}
