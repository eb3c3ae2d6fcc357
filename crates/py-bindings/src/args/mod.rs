//! Python arguments, read and checked before anything is sent.
//!
//! | module | what |
//! | --- | --- |
//! | `settings` | dictionaries of settings: each key is checked, unknown ones are refused |
//! | `config`, `hosts`, `auth`, `tls` | the client's configuration |
//! | `policy` | the policies of commands |
//! | `operations`, `function`, `row_command` | operations on bins; functions; what a row of a batch does |
//! | `transaction` | transactions, which policies name |
//! | `expression` | filters and other expressions |
//! | `features` | the groups of a matrix |
//! | `casting`, `paths`, `convert` | single arguments |
//!
//! Keys and bin values have rooms of their own, `keys` and `values`. Everything else that a command takes belongs
//! here: expressions, contexts and index definitions too. Start with `settings`.

pub(crate) mod auth;
pub(crate) mod casting;
pub(crate) mod config;
pub(crate) mod convert;
pub(crate) mod expression;
pub(crate) mod features;
pub(crate) mod function;
mod hosts;
pub(crate) mod operations;
pub(crate) mod paths;
pub(crate) mod policy;
pub(crate) mod predicate;
pub(crate) mod row_command;
pub(crate) mod settings;
pub(crate) mod tls;
pub(crate) mod transaction;
pub(crate) mod unused;
