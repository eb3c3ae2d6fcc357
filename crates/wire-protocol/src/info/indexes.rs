//! Info commands that create, remove and describe secondary indexes.

use std::fmt::Write as _;

use crate::error::WireError;

/// What a new index is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexSource<'a> {
    /// A bin, or what a context in it leads to.
    Bin {
        /// The bin's name.
        bin: &'a str,
        /// A context as base64; empty for none.
        context: &'a str,
        /// Which of the bin's values: `LIST`, `MAPKEYS` or `MAPVALUES`; empty for the bin's own value.
        values: &'a str,
        /// The type of the values: `NUMERIC`, `STRING`, `BLOB` or `GEO2DSPHERE`.
        data_type: &'a str,
    },
    /// The value of an expression.
    Expression {
        /// The expression as base64.
        expression: &'a str,
        /// As in [`IndexSource::Bin`].
        values: &'a str,
        /// As in [`IndexSource::Bin`].
        data_type: &'a str,
    },
    /// The records of the set.
    Set,
}

/// The command that creates an index. An empty `set` is the whole namespace.
#[must_use]
pub fn create_index(namespace: &str, set: &str, name: &str, source: &IndexSource<'_>) -> String {
    let mut command = format!("sindex-create:namespace={namespace}");
    let mut add = |key: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a string cannot fail.
            _ = write!(command, ";{key}={value}");
        }
    };
    add("set", set);
    add("indexname", name);
    match *source {
        IndexSource::Bin { bin, context, values, data_type } => {
            add("context", context);
            add("indextype", values);
            add("bin", bin);
            add("type", data_type);
        }
        IndexSource::Expression { expression, values, data_type } => {
            add("exp", expression);
            add("indextype", values);
            add("type", data_type);
        }
        IndexSource::Set => add("indextype", "SET"),
    }
    command
}

/// The command that removes an index. Servers answer `ok` also where there is none.
#[must_use]
pub fn remove_index(namespace: &str, name: &str) -> String {
    format!("sindex-delete:namespace={namespace};indexname={name}")
}

/// The command that lists the indexes of a namespace, with contexts and expressions as base64.
#[must_use]
pub fn list_indexes(namespace: &str) -> String {
    format!("sindex-list:namespace={namespace};b64=true")
}

/// The command for the statistics of an index.
#[must_use]
pub fn index_stat(namespace: &str, name: &str) -> String {
    format!("sindex-stat:namespace={namespace};indexname={name}")
}

/// How much of an index a node has built, in percent, from the answer to [`index_stat`]. It is ready at 100.
///
/// # Errors
/// An answer without a number from 0 to 100.
pub fn parse_load_percent(answer: &str) -> Result<u8, WireError> {
    let percent = answer.split(';').find_map(|pair| pair.strip_prefix("load_pct="));
    percent
        .and_then(|percent| percent.parse().ok())
        .filter(|&percent| percent <= 100)
        .ok_or(WireError::malformed("sindex-stat", "it does not say how much of the index is loaded"))
}

/// An index in the answer to [`list_indexes`]. What an index does not have is empty: the set of an index over the whole
/// namespace, the bin of one on an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexInfo<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The index's name.
    pub name: &'a str,
    /// The set.
    pub set: &'a str,
    /// The bin.
    pub bin: &'a str,
    /// `numeric`, `string`, `blob` or `geo2dsphere`; empty for an index of a set.
    pub data_type: &'a str,
    /// `default`, `list`, `mapkeys`, `mapvalues` or `set`.
    pub values: &'a str,
    /// The context as base64.
    pub context: &'a str,
    /// The expression as base64.
    pub expression: &'a str,
    /// `RW` if the index can be queried, `WO` while it is built, `ERROR` if it cannot be; empty for an index of a set.
    pub state: &'a str,
}

/// The indexes in the answer to [`list_indexes`]. Unknown properties are left out.
///
/// # Errors
/// A property without a value, an index without a name.
pub fn parse_indexes(answer: &str) -> Result<Vec<IndexInfo<'_>>, WireError> {
    let malformed = |why| WireError::malformed("sindex-list", why);
    let mut indexes = Vec::new();
    for entry in answer.split(';').filter(|entry| !entry.is_empty()) {
        let mut index = IndexInfo::default();
        for pair in entry.split(':') {
            // Base64 has `=` at its end.
            let (key, value) = pair.split_once('=').ok_or(malformed("a property has no value"))?;
            let value = if value == "null" { "" } else { value };
            match key {
                "ns" | "namespace" => index.namespace = value,
                "indexname" => index.name = value,
                "set" => index.set = value,
                "bin" => index.bin = value,
                "type" => index.data_type = value,
                "indextype" => index.values = value,
                "context" => index.context = value,
                "exp" => index.expression = value,
                "state" => index.state = value,
                _ => {}
            }
        }
        if index.name.is_empty() {
            return Err(malformed("an index has no name"));
        }
        indexes.push(index);
    }
    Ok(indexes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_read() {
        let answer = "ns=test:indexname=a:set=s:bin=n:type=numeric:indextype=default:context=null:exp=null:state=RW;\
                      ns=test:indexname=b:set=null:bin=null:type=string:indextype=list:context=null:exp=k1ECoW4=:state=WO;;\
                      ns=test:indexname=c:set=s:indextype=set";
        let indexes = parse_indexes(answer).unwrap();
        assert_eq!(indexes.iter().map(|index| index.name).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!((indexes[0].set, indexes[0].bin, indexes[0].state), ("s", "n", "RW"));
        assert_eq!((indexes[1].set, indexes[1].bin, indexes[1].expression), ("", "", "k1ECoW4="));
        assert_eq!((indexes[2].values, indexes[2].state), ("set", ""));
        assert_eq!(parse_indexes(""), Ok(vec![]));
        for wrong in ["ns=test", "indexname=a:state", "a"] {
            assert!(parse_indexes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn progress_is_read() {
        assert_eq!(parse_load_percent("entries=5;load_pct=55;load_time=0"), Ok(55));
        assert_eq!(parse_load_percent("entries=5;used_bytes=80;load_pct=100"), Ok(100));
        for wrong in ["", "entries=5", "load_pct=", "load_pct=101", "load_pct=x"] {
            assert!(parse_load_percent(wrong).is_err(), "{wrong}");
        }
    }
}
