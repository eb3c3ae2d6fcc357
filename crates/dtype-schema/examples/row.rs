//! A dtype as a schema: its fields, and what is refused before anything is sent.
//!
//! `cargo run -p dtype-schema --example row`

#![allow(clippy::print_stdout, reason = "a program that prints its findings")]

use dtype_schema::{Element, Field, Schema, SchemaError};

fn field(
    name: &str,
    offset: usize,
    kind: char,
    itemsize: usize,
    shape: &[usize],
) -> Result<Field, SchemaError> {
    Field::new(name, offset, Element::from_numpy(name, kind, itemsize, '<')?, shape)
}

fn main() -> Result<(), SchemaError> {
    // np.dtype([("temperature", "f8"), ("status", "u1"), ("vector", "f4", (4,))])
    let fields = vec![
        field("temperature", 0, 'f', 8, &[])?,
        field("status", 8, 'u', 1, &[])?,
        field("vector", 9, 'f', 4, &[4])?,
    ];
    let schema = Schema::new(fields, 25)?;
    for field in schema.fields() {
        println!(
            "{:12} {} at {}, {} bytes, shape {:?}",
            field.name(),
            field.element().name(),
            field.offset(),
            field.size(),
            field.shape()
        );
    }
    println!("{} bytes a row", schema.itemsize());

    for refused in [
        field("name", 0, 'U', 16, &[]).map(drop),
        field("longer_than_a_bin_name", 0, 'f', 8, &[]).map(drop),
        Schema::new(vec![field("a", 0, 'i', 8, &[])?, field("b", 4, 'i', 8, &[])?], 12).map(drop),
    ] {
        println!("refused: {}", refused.expect_err("each of these is refused"));
    }
    Ok(())
}
