use super::*;
use crate::error::WireError;
use crate::particle::Particle;

#[test]
fn frame_headers() {
    for (byte, kind) in
        [(1, FrameType::Info), (2, FrameType::Security), (3, FrameType::Message), (4, FrameType::Compressed)]
    {
        let bytes = [2, byte, 0, 0, 0, 1, 2, 3];
        let header = FrameHeader { kind, size: 0x01_02_03 };
        assert_eq!(FrameHeader::parse(&bytes), Ok(header));
        assert_eq!(header.to_bytes(), bytes);
    }
    let parse = |bytes: &[u8; 8]| FrameHeader::parse(bytes).unwrap_err();
    assert_eq!(parse(b"HTTP/1.1"), WireError::Version { found: b'H' });
    assert_eq!(parse(&[2, 0, 0, 0, 0, 0, 0, 0]), WireError::FrameType { found: 0 });
    assert_eq!(parse(&[2, 5, 0, 0, 0, 0, 0, 0]), WireError::FrameType { found: 5 });
    let limit = MAX_FRAME as u64;
    assert!(FrameHeader::parse(&[2, 3, 0, 0, 8, 0, 0, 0]).is_ok(), "the largest frame");
    let too_large = WireError::FrameTooLarge { size: limit + 1, limit };
    assert_eq!(parse(&[2, 3, 0, 0, 8, 0, 0, 1]), too_large);
}

#[test]
fn a_frame_that_is_too_large_is_not_written() {
    let mut out = vec![7];
    let written = write_frame(&mut out, FrameType::Message, |out| out.resize(out.len() + MAX_FRAME + 1, 0));
    assert_eq!(
        written,
        Err(WireError::TooLarge { what: "a message", size: MAX_FRAME + 1, limit: MAX_FRAME })
    );
    assert_eq!(out, [7]);
}

/// A message with one field and one operation.
fn message() -> Vec<u8> {
    let mut out = Vec::new();
    MessageHeader { n_fields: 1, n_ops: 1, generation: 3, ..MessageHeader::default() }.write(&mut out);
    write_field(&mut out, field_type::SET, b"set");
    write_op(&mut out, op::WRITE, 3, b"bin", b"value");
    out
}

#[test]
fn a_message_is_read_in_place() {
    let bytes = message();
    let read = Message::parse_only(&bytes).unwrap();
    assert_eq!(read.header.generation, 3);
    assert_eq!(read.fields().collect::<Vec<_>>(), [Field { kind: field_type::SET, data: b"set" }]);
    assert_eq!(read.field(field_type::SET), Some(&b"set"[..]));
    assert_eq!(read.field(field_type::KEY), None);
    let expected = Op { code: op::WRITE, particle_type: 3, name: b"bin", value: b"value" };
    assert_eq!(read.ops().collect::<Vec<_>>(), [expected]);
    assert_eq!(Ops::over(read.ops_bytes()).collect::<Vec<_>>(), [expected]);
    assert_eq!(expected.particle(), Ok(Particle::Str(b"value")));
}

#[test]
fn a_message_that_does_not_hold_together_is_refused() {
    let bytes = message();
    let truncated = |what| Err(WireError::Truncated { what });
    assert_eq!(Message::parse_only(&bytes[..21]), truncated("a message header"));
    assert_eq!(Message::parse_only(&bytes[..25]), truncated("a field"));
    assert_eq!(Message::parse_only(&bytes[..31]), truncated("an operation"));
    assert_eq!(Message::parse_only(&bytes[..bytes.len() - 1]), truncated("an operation"));
    let with = |at: usize, byte: u8| {
        let mut bytes = message();
        bytes[at] = byte;
        let error = Message::parse_only(&bytes).unwrap_err();
        assert!(matches!(error, WireError::Malformed { .. }), "{error}");
    };
    with(0, 23);
    // The field's size: nothing, not even its type.
    with(25, 0);
    // The operation's size: less than its header. Its name's: more than all of it.
    with(33, 3);
    with(37, 9);
    let mut more = bytes.clone();
    more.push(0);
    assert!(Message::parse_only(&more).is_err(), "bytes follow");
    assert_eq!(Message::parse(&more).map(|(_, rest)| rest), Ok(&[0][..]));
}

#[test]
#[should_panic(expected = "a bin name of 256 bytes")]
fn a_name_that_no_operation_has_room_for() {
    write_op(&mut Vec::new(), op::READ, 0, &[0; 256], &[]);
}
