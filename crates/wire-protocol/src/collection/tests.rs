use super::*;
use crate::message::op;
use crate::operation::Context;
use crate::value::{ListOrder, MapOrder, Value};

#[test]
fn what_is_created_depends_on_the_context() {
    let context = || Context::new().map_key("a");
    let on = |call: crate::operation::Call| call.on("b").unwrap().value().to_vec();
    assert_eq!(on(list::create(ListOrder::Ordered, false, true)), [0x92, 0, 0x11]);
    assert_eq!(
        on(list::create(ListOrder::Unordered, true, true).at(context())),
        [0x93, 0xcc, 0xff, 0x92, 0xcc, 0xa2, 0xa2, 3, b'a', 0x92, 0, 0]
    );
    assert_eq!(on(map::create(MapOrder::KeyOrdered, true)), [0x92, 64, 0x11]);
    assert_eq!(
        on(map::create(MapOrder::KeyValueOrdered, true).at(context())),
        [0x93, 0xcc, 0xff, 0x92, 0xcc, 0xe2, 0xa2, 3, b'a', 0x92, 64, 3]
    );
}

#[test]
fn operations_say_what_they_are() {
    let append = list::append(Value::Nil, None).on("tags").unwrap();
    assert_eq!(
        (append.code(), append.modifies(), append.value()),
        (op::CDT_MODIFY, true, &[0x92, 1, 0xc0][..])
    );
    let size = list::size().on("tags").unwrap();
    assert_eq!((size.code(), size.modifies()), (op::CDT_READ, false));
    let mut out = Vec::new();
    size.write(&mut out);
    assert_eq!(out, [0, 0, 0, 10, 3, 4, 0, 4, b't', b'a', b'g', b's', 0x91, 16]);
}

#[test]
fn what_cannot_be_sent_is_refused() {
    assert!(list::size().on(&"b".repeat(256)).is_err());
    let error = list::size().at(Context::new()).on("b").unwrap_err();
    assert!(error.to_string().starts_with("Call::at: context has no steps"), "{error}");
    assert!(path::select("b", &Context::new(), path_flags::VALUE).is_err());
}
