//! Frames and messages: headers, fields and operations, which all requests and answers are made of.
//!
//! A frame is an eight-byte [`FrameHeader`] and a body. The body of a message frame is one [`Message`] (a request) or
//! several (an answer), each with a [`MessageHeader`], fields and operations. In answers, operations are bins or the
//! results of operations.

mod constants;
mod frame;
mod header;
mod read;
mod write;

pub use self::constants::{field_type, info1, info2, info3, info4, op};
pub use self::frame::{FrameHeader, FrameType, MAX_FRAME, write_frame};
pub use self::header::MessageHeader;
pub use self::read::{Field, Fields, Message, Op, Ops};
pub(crate) use self::read::{split_field, split_fields_and_ops};
pub(crate) use self::write::{check_name, op_count};
pub use self::write::{write_field, write_field_parts, write_op};

#[cfg(test)]
mod tests;
