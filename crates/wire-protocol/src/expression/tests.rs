use super::*;
use crate::collection::{ReturnType, list};
use crate::message::op;
use crate::operation::Context;
use crate::value::{Encoded, Value};

#[test]
fn what_is_refused_is_an_error_of_the_expressions_around_it() {
    let refused = [
        list::get_by_index(0, ReturnType::VALUE).of(exp::list_bin("l")),
        list::get_by_index(0, ReturnType::NONE).of(exp::list_bin("l")),
        list::size().at(Context::new()).of(exp::list_bin("l")),
        exp::and([]),
        exp::select_by_path(&Context::new(), ExpType::List, 0, exp::list_bin("l")),
        Expression::literal(Encoded(&[0x92, 1])),
    ];
    for expression in refused {
        let around = exp::not(exp::eq(exp::int_bin("a"), expression.clone()));
        assert_eq!(around.to_bytes(), expression.to_bytes(), "{expression:?}");
        assert!(around.to_base64().is_err());
        assert!(read("b", &around, 0).is_err());
        assert!(Context::new().children_where(&around).is_err());
        assert!(list::append(around, None).of(exp::list_bin("l")).to_bytes().is_err());
    }
    let typed = list::get_by_index(0, ReturnType::VALUE).returning(ExpType::Int).of(exp::list_bin("l"));
    assert!(typed.to_bytes().is_ok());
    let error = list::append(exp::int_bin("a"), None).on("l").unwrap_err();
    assert!(error.to_string().contains("takes values"), "{error}");
}

#[test]
fn operations_have_a_value_and_flags() {
    let operation = read("r", &exp::val(7), exp_flags::EVAL_NO_FAIL).unwrap();
    assert_eq!((operation.code(), operation.value()), (op::EXP_READ, &[0x92, 7, 16][..]));
    let operation = write("r", &exp::val("x"), 0).unwrap();
    assert_eq!((operation.code(), operation.value()), (op::EXP_MODIFY, &[0x92, 0xa2, 3, b'x', 0][..]));
}

#[test]
fn literals_are_quoted_and_sorted() {
    let pairs = || Value::map([("b", 1), ("a", 2)]);
    let sorted = [0x82, 0xa2, 3, b'a', 2, 0xa2, 3, b'b', 1];
    assert_eq!(exp::val(pairs()).to_bytes().unwrap(), sorted);
    let list = Expression::from(vec![pairs()]);
    assert_eq!(list.to_bytes().unwrap(), [&[0x92, exp_code::QUOTE, 0x91], &sorted[..]].concat());
    let mut encoded = Vec::new();
    crate::value::WriteValue::write_value(&Value::list([pairs()]), &mut encoded);
    assert_eq!(Expression::literal(Encoded(&encoded)), list);
}

#[test]
fn encoded_expressions_are_one_element() {
    let expression = exp::eq(exp::str_bin("name"), "x");
    let text = expression.to_base64().unwrap();
    assert_eq!(Expression::from_base64(&text), Ok(expression));
    for refused in ["", "*", "kw==", "AQE="] {
        assert!(Expression::from_base64(refused).is_err(), "{refused}");
    }
}

#[test]
fn types_have_numbers() {
    for code in 0..10 {
        assert_eq!(ExpType::from_code(code).map(ExpType::code), Some(code));
    }
    assert_eq!(ExpType::from_code(10), None);
}
