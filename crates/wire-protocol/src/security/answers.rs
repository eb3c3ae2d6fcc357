//! Answers to commands that ask for users and roles.
//!
//! An answer has one or more frames; the body of each is a sequence of messages, one per user or role. The last
//! message has a result code and no fields: [`ResultCode::QUERY_END`] after the last user or role, or an error.

use crate::error::WireError;
use crate::message::{FrameType, write_frame};
use crate::result_code::ResultCode;

use super::admin::parse_whitelist;
use super::privileges::{Privilege, parse_privileges, parse_roles, privileges_data, roles_data};
use super::text::text;
use super::{SecurityMessage, field, push_message};

/// A user, as a server describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserInfo {
    /// The user's name.
    pub name: String,
    /// The names of the user's roles.
    pub roles: Vec<String>,
    /// The quota for reads, reads of single records per second, records read by limited queries per second, and the
    /// number of queries without limit. Servers may send fewer or more numbers.
    pub read_info: Vec<u32>,
    /// The same for writes.
    pub write_info: Vec<u32>,
    /// Connections of the user to the node.
    pub connections: u32,
}

/// A role, as a server describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleInfo {
    /// The role's name.
    pub name: String,
    /// What the role allows.
    pub privileges: Vec<Privilege>,
    /// The addresses and networks from which it may be used; empty for all.
    pub whitelist: Vec<String>,
    /// Reads per second; 0 is no limit.
    pub read_quota: u32,
    /// Writes per second; 0 is no limit.
    pub write_quota: u32,
}

/// What an answer is about: a user or a role.
pub trait AdminItem: Sized {
    /// Reads the fields of one message.
    ///
    /// # Errors
    /// A field that cannot be read, or no name.
    fn read(message: &SecurityMessage<'_>) -> Result<Self, WireError>;

    /// The fields of a message.
    ///
    /// # Errors
    /// Names or lists that are too long.
    fn fields(&self) -> Result<Vec<(u8, Vec<u8>)>, WireError>;
}

impl AdminItem for UserInfo {
    fn read(message: &SecurityMessage<'_>) -> Result<Self, WireError> {
        let name = message.field(field::USER).ok_or(WireError::malformed("user", "it has no name"))?;
        let numbers = |kind| message.field(kind).map(parse_numbers).transpose();
        Ok(Self {
            name: text(name),
            roles: message.field(field::ROLES).map(parse_roles).transpose()?.unwrap_or_default(),
            read_info: numbers(field::READ_INFO)?.unwrap_or_default(),
            write_info: numbers(field::WRITE_INFO)?.unwrap_or_default(),
            connections: number(message, field::CONNECTIONS)?,
        })
    }

    fn fields(&self) -> Result<Vec<(u8, Vec<u8>)>, WireError> {
        Ok(vec![
            (field::USER, self.name.clone().into()),
            (field::ROLES, roles_data(&self.roles)?),
            (field::READ_INFO, numbers_data(&self.read_info)?),
            (field::WRITE_INFO, numbers_data(&self.write_info)?),
            (field::CONNECTIONS, self.connections.to_be_bytes().into()),
        ])
    }
}

impl AdminItem for RoleInfo {
    fn read(message: &SecurityMessage<'_>) -> Result<Self, WireError> {
        let name = message.field(field::ROLE).ok_or(WireError::malformed("role", "it has no name"))?;
        let privileges = message.field(field::PRIVILEGES).map(parse_privileges).transpose()?;
        Ok(Self {
            name: text(name),
            privileges: privileges.unwrap_or_default(),
            whitelist: parse_whitelist(message.field(field::WHITELIST).unwrap_or_default()),
            read_quota: number(message, field::READ_QUOTA)?,
            write_quota: number(message, field::WRITE_QUOTA)?,
        })
    }

    fn fields(&self) -> Result<Vec<(u8, Vec<u8>)>, WireError> {
        let mut fields = vec![
            (field::ROLE, self.name.clone().into()),
            (field::PRIVILEGES, privileges_data(&self.privileges)?),
        ];
        if !self.whitelist.is_empty() {
            fields.push((field::WHITELIST, self.whitelist.join(",").into()));
        }
        fields.push((field::READ_QUOTA, self.read_quota.to_be_bytes().into()));
        fields.push((field::WRITE_QUOTA, self.write_quota.to_be_bytes().into()));
        Ok(fields)
    }
}

/// Appends the items of one frame of an answer to `items`. Returns the code that ends the answer, `None` if more
/// frames follow.
///
/// # Errors
/// A malformed message.
pub fn read_items<T: AdminItem>(body: &[u8], items: &mut Vec<T>) -> Result<Option<ResultCode>, WireError> {
    let mut rest = body;
    while !rest.is_empty() {
        let (message, after) = SecurityMessage::split(rest)?;
        if !message.result_code.is_ok() {
            return Ok(Some(message.result_code));
        }
        items.push(T::read(&message)?);
        rest = after;
    }
    Ok(None)
}

/// Appends an answer: frames with the items, and the end. Frames have about `frame_size` bytes.
///
/// # Errors
/// Names or lists that are too long.
pub fn write_items<T: AdminItem>(out: &mut Vec<u8>, items: &[T], frame_size: usize) -> Result<(), WireError> {
    let mut body = Vec::new();
    for item in items {
        let fields = item.fields()?;
        let fields: Vec<(u8, &[u8])> = fields.iter().map(|(kind, data)| (*kind, &data[..])).collect();
        push_message(&mut body, ResultCode::OK, 0, &fields)?;
        if body.len() >= frame_size {
            write_frame(out, FrameType::Security, |out| out.append(&mut body))?;
        }
    }
    push_message(&mut body, ResultCode::QUERY_END, 0, &[])?;
    write_frame(out, FrameType::Security, |out| out.append(&mut body))
}

/// A number of 32 bits; 0 if there is no such field.
fn number(message: &SecurityMessage<'_>, kind: u8) -> Result<u32, WireError> {
    match message.field(kind) {
        None => Ok(0),
        Some(data) => data
            .try_into()
            .map(u32::from_be_bytes)
            .map_err(|_| WireError::malformed("user or role", "a number has not 32 bits")),
    }
}

fn numbers_data(numbers: &[u32]) -> Result<Vec<u8>, WireError> {
    let mut data = vec![super::text::count("a number of counters", numbers.len())?];
    data.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    Ok(data)
}

/// A list of numbers: how many, then 32 bits each. Bytes after them are ignored.
fn parse_numbers(data: &[u8]) -> Result<Vec<u32>, WireError> {
    let truncated = || WireError::Truncated { what: "a list of counters" };
    let (&count, rest) = data.split_first().ok_or_else(truncated)?;
    let numbers = rest.get(..usize::from(count) * 4).ok_or_else(truncated)?;
    Ok(numbers
        .chunks_exact(4)
        .map(|bytes| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::FrameHeader;

    fn users() -> Vec<UserInfo> {
        (0u32..3)
            .map(|number| UserInfo {
                name: format!("user{number}"),
                roles: vec!["read".into(); number as usize],
                read_info: vec![number; 4],
                write_info: vec![7; number as usize],
                connections: number,
            })
            .collect()
    }

    fn bodies(mut frames: &[u8]) -> Vec<&[u8]> {
        let mut bodies = Vec::new();
        while !frames.is_empty() {
            let header = FrameHeader::parse(frames.first_chunk().unwrap()).unwrap();
            let (frame, rest) = frames.split_at(FrameHeader::LEN + header.size);
            bodies.push(&frame[FrameHeader::LEN..]);
            frames = rest;
        }
        bodies
    }

    #[test]
    fn lists_are_read_from_any_number_of_frames() {
        let roles = vec![
            RoleInfo { name: "none".into(), ..RoleInfo::default() },
            RoleInfo {
                name: "all".into(),
                privileges: vec![
                    Privilege::global(2),
                    Privilege { code: 10, namespace: "test".into(), set: "s".into() },
                ],
                whitelist: vec!["10.0.0.0/8".into(), "::1".into()],
                read_quota: 10,
                write_quota: u32::MAX,
            },
        ];
        for size in [1, 100, 10_000] {
            let (mut out, mut read) = (Vec::new(), Vec::<UserInfo>::new());
            write_items(&mut out, &users(), size).unwrap();
            let ends: Vec<_> = bodies(&out).iter().map(|body| read_items(body, &mut read).unwrap()).collect();
            assert_eq!((read, ends.last()), (users(), Some(&Some(ResultCode::QUERY_END))));
            let (mut out, mut read) = (Vec::new(), Vec::<RoleInfo>::new());
            write_items(&mut out, &roles, size).unwrap();
            bodies(&out).iter().for_each(|body| _ = read_items(body, &mut read).unwrap());
            assert_eq!(read, roles);
        }
    }

    #[test]
    fn bad_lists_are_refused() {
        let mut out = Vec::new();
        write_items(&mut out, &users(), usize::MAX).unwrap();
        let body = &out[FrameHeader::LEN..];
        for at in 0..body.len() {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut wrong = body.to_vec();
                wrong[at] = value;
                _ = read_items::<UserInfo>(&wrong, &mut Vec::new());
                _ = read_items::<RoleInfo>(&wrong, &mut Vec::new());
            }
            let mut users = Vec::new();
            if let Ok(end) = read_items::<UserInfo>(&body[..at], &mut users) {
                assert_eq!(end, None, "the end is missing");
            }
        }
        let mut nameless = Vec::new();
        push_message(&mut nameless, ResultCode::OK, 0, &[]).unwrap();
        assert!(read_items::<UserInfo>(&nameless, &mut Vec::new()).is_err());
        let mut refused = Vec::new();
        push_message(&mut refused, ResultCode::INVALID_USER, 0, &[]).unwrap();
        assert_eq!(read_items::<UserInfo>(&refused, &mut Vec::new()), Ok(Some(ResultCode::INVALID_USER)));
    }
}
