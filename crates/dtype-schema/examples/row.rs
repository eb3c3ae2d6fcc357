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
    // np.dtype([("temperature", "f8"), ("status", "u1"), ("vector", "f4", (4,)), ("wind", [("x", "f4"), ("y", "f4")])])
    let fields = vec![
        field("temperature", 0, 'f', 8, &[])?,
        field("status", 8, 'u', 1, &[])?,
        field("vector", 9, 'f', 4, &[4])?,
        Field::nested("wind", 25, vec![field("x", 0, 'f', 4, &[])?, field("y", 4, 'f', 4, &[])?], 8)?,
    ];
    let schema = Schema::new(fields, 33)?;
    for leaf in schema.leaves() {
        println!(
            "{:12} {} at {}, {} bytes, shape {:?}",
            leaf.name(),
            leaf.element().name(),
            leaf.offset(),
            leaf.size(),
            leaf.shape()
        );
    }
    println!("{} bytes a row", schema.itemsize());

    for refused in [
        field("name", 0, 'U', 16, &[]).map(drop),
        Schema::new(vec![field("longer_than_a_bin_name", 0, 'f', 8, &[])?], 8)?.check_bin_names(|_| true),
        Schema::new(vec![field("a", 0, 'i', 8, &[])?, field("b", 4, 'i', 8, &[])?], 12).map(drop),
    ] {
        println!("refused: {}", refused.expect_err("each of these is refused"));
    }
    Ok(())
}
