//! Types as text: `int64`, `list<float32>`, `timestamp[ms, tz=UTC]`, `struct<a: int64, b: utf8>`.
//!
//! Takes what pyarrow prints for its types as well, such as `list<item: float>` and
//! `dictionary<values=string, indices=int32, ordered=0>`.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};

use crate::error::ColumnError;

/// How deep types may nest.
pub(crate) const MAX_NESTING: usize = 32;

/// The type that `text` names, for the column `name`.
///
/// # Errors
/// Text that names no type.
pub fn parse_type(name: &str, text: &str) -> Result<DataType, ColumnError> {
    let mut parser = Parser { rest: text };
    let outcome = parser.parse(MAX_NESTING).and_then(|kind| match parser.rest.trim_start() {
        "" => Ok(kind),
        rest => Err(format!("'{rest}' follows the type")),
    });
    outcome.map_err(|why| ColumnError::Unreadable { name: name.into(), text: text.into(), why: why.into() })
}

struct Parser<'a> {
    rest: &'a str,
}

type Parsed<T> = Result<T, String>;

impl<'a> Parser<'a> {
    /// Takes `mark` if it is next.
    fn takes(&mut self, mark: char) -> bool {
        match self.rest.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, mark: char) -> Parsed<()> {
        match self.takes(mark) {
            true => Ok(()),
            false if self.rest.trim().is_empty() => Err(format!("a '{mark}' is missing at its end")),
            false => Err(format!("'{mark}' is expected before '{}'", self.rest.trim_start())),
        }
    }

    /// The text up to one of the marks.
    fn word(&mut self, marks: &[char]) -> &'a str {
        let rest = self.rest.trim_start();
        let (word, rest) = rest.split_at(rest.find(marks).unwrap_or(rest.len()));
        self.rest = rest;
        word.trim_end()
    }

    /// What is in brackets, if they are next.
    fn bracket(&mut self) -> Parsed<Option<&'a str>> {
        if !self.takes('[') {
            return Ok(None);
        }
        let inside = self.word(&[']']);
        self.expect(']')?;
        Ok(Some(inside))
    }

    fn parse(&mut self, depth: usize) -> Parsed<DataType> {
        let depth = depth.checked_sub(1).ok_or_else(|| format!("it nests more than {MAX_NESTING} types"))?;
        let name = self.word(&['<', '>', '[', ']', ',', ':', '(', ')', '=']);
        let lower = name.to_ascii_lowercase();
        Ok(match lower.as_str() {
            "" if self.rest.trim().is_empty() => return Err("a type is missing".into()),
            "bool" | "boolean" => DataType::Boolean,
            "int8" => DataType::Int8,
            "int16" => DataType::Int16,
            "int32" => DataType::Int32,
            "int64" => DataType::Int64,
            "uint8" => DataType::UInt8,
            "uint16" => DataType::UInt16,
            "uint32" => DataType::UInt32,
            "uint64" => DataType::UInt64,
            "float16" | "halffloat" => DataType::Float16,
            "float32" | "float" => DataType::Float32,
            "float64" | "double" => DataType::Float64,
            "utf8" | "string" => DataType::Utf8,
            "large_utf8" | "large_string" => DataType::LargeUtf8,
            "utf8_view" | "string_view" => DataType::Utf8View,
            "binary" => DataType::Binary,
            "large_binary" => DataType::LargeBinary,
            "binary_view" => DataType::BinaryView,
            "date32" => match self.bracket()? {
                None | Some("day") => DataType::Date32,
                Some(unit) => return Err(format!("dates of 32 bits count days, not '{unit}'")),
            },
            "date64" => match self.bracket()? {
                None | Some("ms") => DataType::Date64,
                Some(unit) => return Err(format!("dates of 64 bits count ms, not '{unit}'")),
            },
            "fixed_size_binary" => {
                let size = self.bracket()?.ok_or("its size is missing, as in fixed_size_binary[16]")?;
                DataType::FixedSizeBinary(positive(size)?)
            }
            "time32" => match self.unit("time32[ms]")? {
                unit @ (TimeUnit::Second | TimeUnit::Millisecond) => DataType::Time32(unit),
                _ => return Err("times of 32 bits count s or ms; use time64".into()),
            },
            "time64" => match self.unit("time64[us]")? {
                unit @ (TimeUnit::Microsecond | TimeUnit::Nanosecond) => DataType::Time64(unit),
                _ => return Err("times of 64 bits count us or ns; use time32".into()),
            },
            "duration" => DataType::Duration(self.unit("duration[ms]")?),
            "timestamp" => self.timestamp()?,
            "list" => DataType::List(self.item(depth)?),
            "large_list" => DataType::LargeList(self.item(depth)?),
            "fixed_size_list" => self.fixed_list(depth)?,
            "struct" => self.fields(depth)?,
            "map" => self.map(depth)?,
            "dictionary" => self.dictionary(depth)?,
            _ => return Err(format!("there is no type '{name}' for columns")),
        })
    }

    fn unit(&mut self, example: &str) -> Parsed<TimeUnit> {
        let unit = self.bracket()?.ok_or_else(|| format!("its unit is missing, as in {example}"))?;
        unit_of(unit)
    }

    fn timestamp(&mut self) -> Parsed<DataType> {
        let inside = self.bracket()?.ok_or("its unit is missing, as in timestamp[ms]")?;
        let (unit, zone) = match inside.split_once(',') {
            None => (inside, None),
            Some((unit, zone)) => {
                let zone = zone.trim();
                let zone = zone.strip_prefix("tz=").unwrap_or(zone);
                (unit.trim_end(), (!zone.is_empty()).then(|| Arc::from(zone)))
            }
        };
        Ok(DataType::Timestamp(unit_of(unit)?, zone))
    }

    /// The type in angle brackets, with or without a name before it.
    fn item(&mut self, depth: usize) -> Parsed<Arc<Field>> {
        self.expect('<')?;
        let item = self.named_item(depth)?;
        self.expect('>')?;
        Ok(item)
    }

    /// A type, maybe behind the name of the element: `item: float`.
    fn named_item(&mut self, depth: usize) -> Parsed<Arc<Field>> {
        let start = self.rest;
        let name = self.word(&['<', '>', '[', ']', ',', ':', '(', ')', '=']);
        if !name.is_empty() && self.takes(':') {
            return Ok(Arc::new(Field::new(name, self.parse(depth)?, true)));
        }
        self.rest = start;
        Ok(Arc::new(Field::new_list_field(self.parse(depth)?, true)))
    }

    fn fixed_list(&mut self, depth: usize) -> Parsed<DataType> {
        self.expect('<')?;
        let item = self.named_item(depth)?;
        let size = if self.takes(',') { Some(self.word(&['>'])) } else { None };
        self.expect('>')?;
        let size = match size {
            Some(size) => size,
            None => self.bracket()?.ok_or("its size is missing, as in fixed_size_list<float32>[3]")?,
        };
        Ok(DataType::FixedSizeList(item, positive(size)?))
    }

    fn fields(&mut self, depth: usize) -> Parsed<DataType> {
        self.expect('<')?;
        let mut fields = Vec::new();
        loop {
            let name = self.word(&[':', '>', '<', ',']);
            if name.is_empty() {
                return Err("the name of a field is missing, as in struct<a: int64>".into());
            }
            self.expect(':')?;
            fields.push(Field::new(name, self.parse(depth)?, true));
            if !self.takes(',') {
                break;
            }
        }
        self.expect('>')?;
        Ok(DataType::Struct(Fields::from(fields)))
    }

    fn map(&mut self, depth: usize) -> Parsed<DataType> {
        self.expect('<')?;
        let key = self.parse(depth)?;
        self.expect(',')?;
        let value = self.parse(depth)?;
        // What pyarrow adds: `, keys_sorted`, or the names of the fields.
        if self.takes(',') {
            self.word(&['>']);
        }
        self.expect('>')?;
        Ok(map_of(key, value))
    }

    fn dictionary(&mut self, depth: usize) -> Parsed<DataType> {
        self.expect('<')?;
        let start = self.rest;
        let (index, value) = if self.word(&['=', ',', '>']) == "values" && self.takes('=') {
            let value = self.parse(depth)?;
            self.expect(',')?;
            if self.word(&['=', '>']) != "indices" {
                return Err("indices=... is missing behind the values of the dictionary".into());
            }
            self.expect('=')?;
            let index = self.parse(depth)?;
            if self.takes(',') {
                self.word(&['>']);
            }
            (index, value)
        } else {
            self.rest = start;
            let index = self.parse(depth)?;
            self.expect(',')?;
            (index, self.parse(depth)?)
        };
        self.expect('>')?;
        Ok(DataType::Dictionary(Box::new(index), Box::new(value)))
    }
}

/// A map type, with the names of fields that Arrow gives them.
#[must_use]
pub(crate) fn map_of(key: DataType, value: DataType) -> DataType {
    let pair = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(pair), false)), false)
}

fn unit_of(unit: &str) -> Parsed<TimeUnit> {
    Ok(match unit.trim() {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        other => return Err(format!("'{other}' is no unit; units are s, ms, us and ns")),
    })
}

fn positive(size: &str) -> Parsed<i32> {
    let number = size.trim().parse().ok().filter(|&number: &i32| number > 0);
    number.ok_or_else(|| format!("'{size}' is no size; it must be a whole number of at least 1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::type_name;

    #[test]
    fn names_are_read_back() {
        for text in [
            "bool",
            "int8",
            "uint64",
            "float16",
            "float32",
            "float64",
            "utf8",
            "large_utf8",
            "utf8_view",
            "binary",
            "large_binary",
            "binary_view",
            "date32",
            "date64",
            "fixed_size_binary[16]",
            "time32[s]",
            "time64[ns]",
            "duration[us]",
            "timestamp[ms]",
            "timestamp[ns, tz=Europe/Berlin]",
            "list<float32>",
            "large_list<list<utf8>>",
            "fixed_size_list<float32>[3]",
            "struct<a: int64, b b: list<utf8>>",
            "map<utf8, struct<x: float64>>",
            "dictionary<int32, utf8>",
        ] {
            assert_eq!(type_name(&parse_type("c", text).unwrap()), text);
        }
    }

    #[test]
    fn what_pyarrow_prints_is_read() {
        for (text, same) in [
            ("double", "float64"),
            ("date32[day]", "date32"),
            ("list<item: float>", "list<float32>"),
            ("fixed_size_list<item: halffloat>[2]", "fixed_size_list<float16>[2]"),
            ("fixed_size_list<int8, 4>", "fixed_size_list<int8>[4]"),
            ("dictionary<values=string, indices=int8, ordered=0>", "dictionary<int8, utf8>"),
            ("map<string, int64, keys_sorted>", "map<utf8, int64>"),
            (" struct< a : string > ", "struct<a: utf8>"),
        ] {
            assert_eq!(type_name(&parse_type("c", text).unwrap()), same);
        }
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for (text, why) in [
            ("", "a type is missing"),
            ("int65", "there is no type 'int65'"),
            ("list", "a '<' is missing"),
            ("list<int8", "a '>' is missing"),
            ("list<>", "there is no type ''"),
            ("int8 int8", "there is no type 'int8 int8'"),
            ("int8>", "'>' follows"),
            ("timestamp", "its unit is missing"),
            ("timestamp[min]", "'min' is no unit"),
            ("time32[ns]", "use time64"),
            ("fixed_size_binary[0]", "'0' is no size"),
            ("fixed_size_list<int8>[-1]", "'-1' is no size"),
            ("struct<>", "the name of a field"),
            ("struct<a>", "':' is expected"),
            ("map<utf8>", "',' is expected"),
        ] {
            let error = parse_type("c", text).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("column 'c'"), "{text}: {error}");
        }
        let deep = "list<".repeat(100) + "int8" + &">".repeat(100);
        assert!(parse_type("c", &deep).is_err());
    }
}
