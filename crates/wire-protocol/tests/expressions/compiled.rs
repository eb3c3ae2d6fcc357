//! The compiled form of the official client, encoded.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value as Json;
use wire_protocol::WireError;
use wire_protocol::collection::{ListPolicy, MapPolicy};
use wire_protocol::expression::compiled::{Entry, write_compiled};
use wire_protocol::operation::Context;
use wire_protocol::value::{ListOrder, MapOrder, Value, WriteValue};

use super::official;

/// An entry as the script writes it: operation, type, dictionary, number of children.
#[derive(Clone)]
pub(crate) struct Recorded(pub(crate) Json);

impl Recorded {
    fn fixed(&self, key: &str) -> Option<&Json> {
        self.0[2].get(key).filter(|plain| plain[0] != "nil")
    }

    /// Integers of a policy that is not empty.
    fn policy(&self, key: &str, names: [&str; 2]) -> Option<[i64; 2]> {
        let pairs = self.fixed(key)?[1].as_array().unwrap();
        let find = |name| pairs.iter().find(|pair| pair[0][1] == name).and_then(|pair| pair[1][1].as_i64());
        (!pairs.is_empty()).then(|| names.map(|name| find(name).unwrap_or_default()))
    }
}

impl Entry for Recorded {
    type Error = WireError;

    fn op(&self) -> i64 {
        self.0[0].as_i64().unwrap()
    }

    fn result_type(&self) -> Option<i64> {
        self.0[1].as_i64()
    }

    fn children(&self) -> usize {
        usize::try_from(self.0[3].as_u64().unwrap()).unwrap()
    }

    fn integer(&self, key: &'static str) -> Result<Option<i64>, WireError> {
        Ok(self.fixed(key).and_then(|plain| plain[1].as_i64()))
    }

    fn text(&self, key: &'static str) -> Result<Option<Cow<'_, str>>, WireError> {
        Ok(self.fixed(key).and_then(|plain| plain[1].as_str()).map(Cow::Borrowed))
    }

    fn write_value(&self, key: &'static str, out: &mut Vec<u8>) -> Result<(), WireError> {
        self.0[2].get(key).map_or(Value::Nil, official::value).write_value(out);
        Ok(())
    }

    fn write_context(&self, out: &mut Vec<u8>) -> Result<bool, WireError> {
        let Some(context) = self.fixed("ctx") else { return Ok(false) };
        out.extend(official::bytes(&context[1]));
        Ok(true)
    }

    fn write_expression(&self, key: &'static str, out: &mut Vec<u8>) -> Result<(), WireError> {
        out.extend(official::bytes(&self.fixed(key).unwrap()[1]));
        Ok(())
    }

    fn list_policy(&self) -> Result<Option<ListPolicy>, WireError> {
        Ok(self
            .policy("list_policy", ["list_order", "write_flags"])
            .map(|[order, flags]| ListPolicy { order: ListOrder::from_bits(order).unwrap(), flags }))
    }

    fn map_policy(&self) -> Result<Option<MapPolicy>, WireError> {
        Ok(self.policy("map_policy", ["map_order", "map_write_flags"]).map(|[order, flags]| MapPolicy {
            order: MapOrder::from_bits(order).unwrap(),
            flags,
            persist_index: false,
        }))
    }
}

fn entries(line: &Json) -> Vec<Recorded> {
    line["compiled"].as_array().unwrap().iter().cloned().map(Recorded).collect()
}

#[test]
fn every_class_is_encoded_as_by_the_official_client() {
    let mut classes = BTreeSet::new();
    let (mut equal, mut wrong) = (0, Vec::new());
    for line in official::lines() {
        let Some(class) = line["class"].as_str() else { continue };
        let mut out = vec![0xc1];
        let written = write_compiled(&mut out, &entries(&line));
        let official = official::bytes(&line["bytes"]);
        let has_policy = line["args"]["policy"][0] == "map";
        if class == "map.MapIncrement" && has_policy {
            // The official client sends order and flags but announces the order only, which no server reads.
            let without = |at: usize| [&official[..at], &official[at + 1..]].concat();
            let is_one_less = (0..official.len()).any(|at| without(at) == out[1..]);
            assert!(written.is_ok() && is_one_less, "{}: {:02x?}\n{official:02x?}", line["args"], &out[1..]);
        } else if (written.as_ref(), &out[1..]) != (Ok(&()), &official[..]) {
            wrong.push(format!("{class} {}: {written:?}\n{:02x?}\n{official:02x?}", line["args"], &out[1..]));
            continue;
        }
        equal += 1;
        classes.insert(class.to_owned());
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), equal + wrong.len(), wrong.join("\n"));
    assert!(equal >= 2210 && classes.len() >= 218, "{equal} expressions of {} classes", classes.len());
}

#[test]
fn contexts_are_those_of_the_official_client() {
    let mut contexts = 0;
    for line in official::lines().iter().filter_map(|line| line.get("context")) {
        let bytes = official::bytes(line);
        let context = Context::from_bytes(&bytes).unwrap();
        assert_eq!(context.to_bytes(), bytes);
        assert_eq!(Context::from_base64(line.as_str().unwrap()).as_ref(), Ok(&context));
        contexts += 1;
    }
    assert!(contexts >= 11, "{contexts} contexts");
}

/// Whatever is done to an entry, the form is refused or encodes to one element; nothing panics.
#[test]
fn what_is_no_expression_is_refused() {
    let json = |text: &str| -> Vec<Recorded> {
        serde_json::from_str::<Vec<Json>>(text).unwrap().into_iter().map(Recorded).collect()
    };
    for refused in [
        "[]",
        r#"[[1, null, {}, 2]]"#,
        r#"[[0, null, {}, 0], [0, null, {}, 0]]"#,
        r#"[[1, null, {}, 1], [0, null, {}, 0]]"#,
        r#"[[16, null, {}, 0]]"#,
        r#"[[16, null, {}, 1], [150, null, {}, 0]]"#,
        r#"[[16, null, {}, 1], [0, null, {}, 0]]"#,
        r#"[[18, null, {}, 1], [150, null, {}, 0]]"#,
        r#"[[20, null, {}, 2], [126, null, {"val": ["text", "x"]}, 1], [0, null, {}, 0], [150, null, {}, 0]]"#,
        r#"[[140, null, {}, 0]]"#,
        r#"[[1001, null, {}, 3], [200, null, {}, 0], [200, null, {}, 0], [81, 4, {"bin": ["text", "l"]}, 0]]"#,
        r#"[[81, 2, {}, 0]]"#,
        r#"[[81, null, {"bin": ["text", "l"]}, 0]]"#,
        r#"[[1014, null, {"ctx": ["context", "kA=="]}, 1], [81, 4, {"bin": ["text", "l"]}, 0]]"#,
        r#"[[1020, null, {"return_type": ["int", 0]}, 2], [200, 0, {}, 0], [81, 4, {"bin": ["text", "l"]}, 0]]"#,
        r#"[[1020, null, {"return_type": ["int", 6]}, 2], [200, 0, {}, 0], [81, 4, {"bin": ["text", "l"]}, 0]]"#,
        r#"[[3010, null, {"value_type": ["int", 4], "cdt_flags": ["int", 1]}, 1], [0, null, {}, 0]]"#,
        r#"[[9999, null, {}, 0]]"#,
        r#"[[-1, null, {}, 0]]"#,
    ] {
        let mut out = vec![7];
        assert!(write_compiled(&mut out, &json(refused)).is_err(), "{refused}");
        assert_eq!(out, [7], "{refused}");
    }
    let mut encoded = 0;
    for line in official::lines().iter().filter(|line| line.get("class").is_some()).step_by(7) {
        let whole = entries(line);
        for at in 0..whole.len() {
            for op in [0, 16, 18, 125, 126, 140, 150, 200, 1001, 1016, 1102, 1221, 2000, 3010, 3011] {
                let mut changed = whole.clone();
                changed[at].0[0] = op.into();
                let mut out = Vec::new();
                if op != 3011 && write_compiled(&mut out, &changed).is_ok() {
                    wire_protocol::msgpack::check(&out).unwrap();
                    encoded += 1;
                }
            }
            let mut cut = whole.clone();
            cut.remove(at);
            let mut out = Vec::new();
            if write_compiled(&mut out, &cut).is_ok() {
                wire_protocol::msgpack::check(&out).unwrap();
            }
        }
    }
    assert!(encoded > 100, "{encoded}");
}
