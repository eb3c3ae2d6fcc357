//! Expressions and contexts, compared with what other clients send.
//!
//! `data/official_expressions.jsonl.gz` has what the official Python client sends for every class of its expressions;
//! `data/official_expressions.py` writes it.

mod classes;
mod compiled;
mod generated;
mod official;
