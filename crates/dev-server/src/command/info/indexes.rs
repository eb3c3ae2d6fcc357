//! Info commands about secondary indexes: `sindex-create`, `sindex-delete`, `sindex-exists`, `sindex-list`,
//! `sindex-stat`, and `sindex`, their old form.
//!
//! All nodes share one store, so an index exists on all of them at once. Expressions are listed in base64, as clients
//! sent them; the real server lists them so only with `b64=true`.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use record_ops::collection::is_context;
use record_ops::expression::Expression;
use record_ops::value::{Rules, normalize};
use wire_protocol::ResultCode;
use wire_protocol::particle::particle_type;

use crate::command::info::index_context::text_of;
use crate::command::info::parameters::{
    MAX_SET, optional, optional_namespace, parameter, required, required_namespace,
};
use crate::command::info::{InfoSource, role_violation, share};
use crate::security::permission;
use crate::state::store::Store;
use crate::state::store::index::definition::{Definition, Elements, Source, ValueType};
use crate::state::store::index::registry::{Build, Creation, NamedIndex};
use crate::state::store::namespace::{Namespace, SHARDS};

/// Lengths of the longest values of parameters.
mod longest {
    pub(super) const NAME: usize = 63;
    pub(super) const INDEX_TYPE: usize = 9;
    pub(super) const VALUE_TYPE: usize = 11;
    pub(super) const BIN: usize = 15;
    pub(super) const OLD_DATA: usize = 26;
    pub(super) const CONTEXT: usize = 2047;
    pub(super) const EXPRESSION: usize = 16 * 1024 - 1;
}

/// Up to this many records, an index is built before the answer is sent; with more, in the background.
const BUILD_AT_ONCE: usize = 10_000;

const INDEX_TYPES: &str = "must be one of 'default', 'list', 'mapkeys', 'mapvalues'";
const VALUE_TYPES: &str = "must be one of 'numeric', 'string', 'blob', 'geo2dsphere'";

fn error(code: ResultCode, why: &str) -> String {
    format!("ERROR:{}:{why}", code.get())
}

fn invalid(why: &str) -> String {
    error(ResultCode::PARAMETER, why)
}

fn no_namespace() -> String {
    error(ResultCode::NAMESPACE_NOT_FOUND, "namespace not found on node")
}

fn no_index() -> String {
    error(ResultCode::INDEX_NOT_FOUND, "no index")
}

impl InfoSource<'_> {
    pub(super) fn index_command(&self, name: &str, parameters: &str) -> String {
        let is_management = matches!(name, "sindex-create" | "sindex-delete" | "sindex-exists");
        if is_management && !self.allows(permission::SINDEX_ADMIN, b"", b"") {
            return role_violation();
        }
        let answer = match name {
            "sindex-create" => self.create_index(parameters),
            "sindex-delete" => self.delete_index(parameters),
            "sindex-exists" => self.named_index(parameters).map(|(_, named)| named.is_some().to_string()),
            "sindex-stat" => self.named_index(parameters).map(|(namespace, named)| {
                named.map_or_else(no_index, |named| self.index_statistics(namespace, &named))
            }),
            "sindex-list" => self.list_indexes(parameters),
            // The old form has the namespace after a slash, not a colon.
            _ if parameters.is_empty() => Ok(self.index_list(None, false)),
            _ => Ok("ns_type=unknown".into()),
        };
        answer.unwrap_or_else(|error| error)
    }

    /// The answer to `sindex/namespace` and `sindex/namespace/index`.
    pub(super) fn old_index_command(&self, of: &str) -> String {
        let (namespace, index) = match of.split_once('/') {
            Some((namespace, index)) => (namespace, Some(index)),
            None => (of, None),
        };
        let Some(namespace) = self.store.namespace(namespace.as_bytes()) else {
            return "ns_type=unknown".into();
        };
        match index {
            None => self.index_list(Some(namespace), false),
            Some(name) => match namespace.indexes.by_name(name.as_bytes()) {
                Some(named) => self.index_statistics(namespace, &named),
                None => no_index(),
            },
        }
    }

    /// The number of indexes of a set.
    pub(super) fn index_count(&self, namespace: &Namespace, set: &[u8]) -> usize {
        let number = namespace.known_set(set);
        namespace.indexes.all().iter().filter(|named| named.index.definition.set == number).count()
    }

    /// The namespace and the index that a command names.
    fn named_index(&self, parameters: &str) -> Result<(&Namespace, Option<NamedIndex>), String> {
        let name = required(parameters, "indexname", longest::NAME)?;
        let namespace = required_namespace(parameters)?;
        let namespace = self.store.namespace(namespace.as_bytes()).ok_or_else(no_namespace)?;
        Ok((namespace, namespace.indexes.by_name(name.as_bytes())))
    }

    fn create_index(&self, parameters: &str) -> Result<String, String> {
        let request = Request::parse(parameters)?;
        let ok = Ok("ok".to_owned());
        // Like the server, which remembers it for when the namespace is there, accept an unknown namespace.
        let Some(namespace) = self.store.namespace(request.namespace.as_bytes()) else { return ok };
        let set = match request.set {
            None => None,
            Some(set) => Some(
                namespace
                    .set_number(set.as_bytes())
                    .ok_or_else(|| invalid("the namespace has too many sets"))?,
            ),
        };
        let definition = Definition { set, ..request.definition };
        match namespace.create_index(request.name, request.text, definition) {
            Creation::Exists => ok,
            Creation::NameTaken => {
                Err(error(ResultCode::INDEX_FOUND, "'indexname' already exists with different definition"))
            }
            Creation::TooMany => {
                Err(error(ResultCode::INDEX_MAX_COUNT, "already at sindex definition limit"))
            }
            Creation::Created(index) => {
                build(self.store, namespace, Build::new(index));
                ok
            }
        }
    }

    fn delete_index(&self, parameters: &str) -> Result<String, String> {
        let name = required(parameters, "indexname", longest::NAME)?;
        let namespace = required_namespace(parameters)?;
        if let Some(namespace) = self.store.namespace(namespace.as_bytes()) {
            namespace.drop_index(name);
        }
        Ok("ok".into())
    }

    fn list_indexes(&self, parameters: &str) -> Result<String, String> {
        let namespace = match optional_namespace(parameters)? {
            None => None,
            Some(name) => match self.store.namespace(name.as_bytes()) {
                Some(namespace) => Some(namespace),
                // The server lists two kinds of indexes, and fails twice.
                None => return Err(format!("{0};{0}", no_namespace())),
            },
        };
        let in_base64 = match parameter(parameters, "b64") {
            None | Some("false") => false,
            Some("true") => true,
            Some("") => return Err(invalid("missing 'b64' value")),
            Some(_) => return Err(invalid("bad b64")),
        };
        Ok(self.index_list(namespace, in_base64))
    }

    /// The indexes of a namespace, or of all.
    fn index_list(&self, namespace: Option<&Namespace>, in_base64: bool) -> String {
        let all =
            self.store.namespaces.iter().filter(|one| namespace.is_none_or(|of| std::ptr::eq(of, *one)));
        let mut lines = Vec::new();
        for namespace in all {
            for named in namespace.indexes.all() {
                lines.push(line_of(namespace, &named, in_base64));
            }
        }
        lines.join(";")
    }

    fn index_statistics(&self, namespace: &Namespace, named: &NamedIndex) -> String {
        let sizes = namespace.index_sizes(&named.index);
        let entries: u64 = sizes.iter().map(|size| *size as u64).sum();
        let nodes: u64 = sizes.iter().map(|size| nodes_of(*size)).sum();
        let report = named.index.report();
        let (masters, others) = self.cluster.partition_counts(self.node);
        format!(
            "entries={};used_bytes={};entries_per_bval={};entries_per_rec={};load_pct={};load_time={};\
             stat_gc_recs=0",
            share(entries, masters + others),
            nodes.max(wire_protocol::digest::PARTITIONS as u64) * NODE_SIZE,
            report.entries_per_value,
            report.entries_per_record,
            named.index.progress(SHARDS),
            report.millis,
        )
    }
}

/// Size of a node of the server's trees in bytes, which its statistics count.
const NODE_SIZE: u64 = 4096;

/// Number of entries in such a node on average.
const ENTRIES_PER_NODE: usize = 200;

/// About as many nodes as the server's tree has with this number of entries.
fn nodes_of(entries: usize) -> u64 {
    entries.div_ceil(ENTRIES_PER_NODE).max(1) as u64
}

/// An index in the answer to `sindex-list`.
fn line_of(namespace: &Namespace, named: &NamedIndex, in_base64: bool) -> String {
    let NamedIndex { name, text, index } = named;
    let Definition { set, source, context, elements, kind } = &index.definition;
    let set = set.map(|set| namespace.set_name(set));
    let text = text.as_deref().unwrap_or("null");
    let (bin, expression) = match source {
        Source::Bin(bin) => (String::from_utf8_lossy(bin), "null"),
        Source::Expression(_) => ("null".into(), text),
    };
    let context = match context {
        None => "null".to_owned(),
        Some(_) if in_base64 => text.to_owned(),
        Some(context) => text_of(context),
    };
    let mut line = String::new();
    // Writing to a string does not fail.
    _ = write!(
        line,
        "ns={}:indexname={name}:set={}:bin={bin}:type={}:indextype={}:context={context}:exp={expression}:state={}",
        namespace.name,
        set.as_deref().map_or("null".into(), String::from_utf8_lossy),
        kind.name(),
        elements.name(),
        if index.is_ready() { "RW" } else { "WO" },
    );
    line
}

/// Builds an index: at once if there are few records, else step by step in a task of its own.
fn build(store: &Arc<Store>, namespace: &Namespace, build: Build) {
    let mut next = Some(build);
    let at = store.namespaces.iter().position(|one| std::ptr::eq(one, namespace));
    match (tokio::runtime::Handle::try_current(), at) {
        (Ok(runtime), Some(at)) if namespace.record_count() > BUILD_AT_ONCE => {
            let store = Arc::clone(store);
            runtime.spawn(async move {
                for shard in 0..SHARDS {
                    let (Some(build), Some(namespace)) = (next.take(), store.namespaces.get(at)) else {
                        return;
                    };
                    next = namespace.build_index(build, shard);
                    tokio::task::yield_now().await;
                }
            });
        }
        _ => {
            for shard in 0..SHARDS {
                next = next.and_then(|build| namespace.build_index(build, shard));
            }
        }
    }
}

/// A request to create an index.
struct Request<'a> {
    namespace: &'a str,
    set: Option<&'a str>,
    name: &'a str,
    /// The context or the expression, as it was sent.
    text: Option<&'a str>,
    /// Without the set.
    definition: Definition,
}

impl<'a> Request<'a> {
    /// Parses the parameters, in the order of the server: the first one that is wrong decides the error.
    fn parse(parameters: &'a str) -> Result<Self, String> {
        let name = required(parameters, "indexname", longest::NAME)?;
        let namespace = required_namespace(parameters)?;
        let set = optional(parameters, "set", MAX_SET)?;
        let context = optional(parameters, "context", longest::CONTEXT)?;
        let way = context.map(parse_context).transpose()?;
        let elements = match optional(parameters, "indextype", longest::INDEX_TYPE)? {
            None => Elements::Whole,
            Some(name) => Elements::from_name(name)
                .ok_or_else(|| invalid(&format!("bad 'indextype' - {INDEX_TYPES}")))?,
        };
        let old_data = optional(parameters, "indexdata", longest::OLD_DATA)?;
        let kind = optional(parameters, "type", longest::VALUE_TYPE)?;
        let mut text = context;
        let (source, kind) = match (old_data, kind) {
            (None, None) => return Err(invalid("both 'indexdata' and 'type' are missing")),
            (Some(_), Some(_)) => return Err(invalid("both 'indexdata' and 'type' are specified")),
            (Some(data), None) => parse_old_data(data)?,
            (None, Some(kind)) => {
                let kind = ValueType::from_name(kind)
                    .ok_or_else(|| invalid(&format!("bad 'type' - {VALUE_TYPES}")))?;
                let bin = optional(parameters, "bin", longest::BIN)?;
                let expression = optional(parameters, "exp", longest::EXPRESSION)?;
                let source = match (bin, expression) {
                    (Some(_), Some(_)) => return Err(invalid("both 'bin' and 'exp' are specified")),
                    (None, None) => return Err(invalid("both 'bin' and 'exp' are missing")),
                    (Some(bin), None) => Source::Bin(bin.as_bytes().into()),
                    (None, Some(_)) if context.is_some() => {
                        return Err(invalid("both 'context' and 'exp' are specified"));
                    }
                    (None, Some(expression)) => {
                        text = Some(expression);
                        Source::Expression(parse_expression(expression, elements, kind)?)
                    }
                };
                (source, kind)
            }
        };
        if elements == Elements::MapKeys && kind == ValueType::Geo {
            return Err(invalid(
                "bad 'indexdata' bin type for 'indextype' 'mapkeys' - must be one of 'numeric', 'string', 'blob'",
            ));
        }
        let definition = Definition { set: None, source, context: way, elements, kind };
        Ok(Self { namespace, set, name, text, definition })
    }
}

/// `BIN,TYPE`, as old clients send it.
fn parse_old_data(data: &str) -> Result<(Source, ValueType), String> {
    let (bin, kind) = data.split_once(',').ok_or_else(|| invalid("'indexdata' missing bin type"))?;
    if bin.is_empty() {
        return Err(invalid("'indexdata' missing bin name"));
    }
    if bin.len() > longest::BIN {
        return Err(invalid("'indexdata' bin name too long"));
    }
    let kind = ValueType::from_name(kind)
        .ok_or_else(|| invalid(&format!("bad 'indexdata' bin type - {VALUE_TYPES}")))?;
    Ok((Source::Bin(bin.as_bytes().into()), kind))
}

fn parse_context(text: &str) -> Result<Box<[u8]>, String> {
    let bytes = STANDARD.decode(text).map_err(|_| invalid("'context' invalid base64"))?;
    // Bytes after the context are allowed, and do not count.
    let mut rest = wire_protocol::msgpack::Reader::new(&bytes);
    let end = rest.skip_value().map(|()| bytes.len() - rest.remaining());
    let context = end.ok().and_then(|end| bytes.get(..end)).filter(|context| is_context(context));
    let context = context.ok_or_else(|| invalid("'context' invalid cdt context"))?;
    match normalize(context, Rules::default()) {
        Some(normal) if *normal != *context => Err(invalid("'context' not normalized msgpack")),
        // Values that exist in comparisons only have no normal form.
        _ => Ok(context.into()),
    }
}

fn parse_expression(text: &str, elements: Elements, kind: ValueType) -> Result<Box<[u8]>, String> {
    let bad = || invalid("bad 'exp'");
    let bytes = STANDARD.decode(text).map_err(|_| bad())?;
    let expression = Expression::parse(&bytes).map_err(|_| bad())?;
    let inputs = expression.inputs();
    if inputs.metadata || inputs.key || !(inputs.bins || inputs.digest) {
        return Err(bad());
    }
    let wanted = match elements {
        Elements::Whole => kind.particle_type(),
        Elements::List => particle_type::LIST,
        Elements::MapKeys | Elements::MapValues => particle_type::MAP,
    };
    let found = expression.result_type().ok_or_else(bad)?;
    if found != wanted {
        return Err(invalid(&format!(
            "bad 'exp' - expression type '{}' does not match expected type '{}'",
            type_name(found),
            type_name(wanted),
        )));
    }
    Ok(bytes.into())
}

/// The server's name of a type.
fn type_name(kind: u8) -> &'static str {
    use particle_type as t;
    match kind {
        t::INTEGER => "numeric",
        t::FLOAT => "float",
        t::STRING => "string",
        t::BLOB => "blob",
        t::BOOL => "bool",
        t::HLL => "HLL",
        t::MAP => "map",
        t::LIST => "list",
        t::GEOJSON => "geojson",
        _ => "nil",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(parameters: &str) -> String {
        Request::parse(parameters).map(|_| "ok".to_owned()).unwrap_or_else(|error| error)
    }

    #[test]
    fn errors_are_those_of_the_server() {
        let with = |rest: &str| error_of(&format!("indexname=w;ns=test;set=s;{rest}"));
        assert_eq!(error_of("ns=test"), "ERROR:4:missing 'indexname'");
        assert_eq!(error_of(&format!("indexname={:064}", 0)), "ERROR:4:'indexname' value too long");
        assert_eq!(error_of("indexname=w"), "ERROR:20:missing 'namespace'");
        assert_eq!(with("bin=a"), "ERROR:4:both 'indexdata' and 'type' are missing");
        assert_eq!(with("type=numeric"), "ERROR:4:both 'bin' and 'exp' are missing");
        assert_eq!(with("type=foo;bin=a"), format!("ERROR:4:bad 'type' - {VALUE_TYPES}"));
        assert_eq!(with("type=numeric;bin=aaaaaaaaaaaaaaaa"), "ERROR:4:'bin' value too long");
        assert_eq!(
            with("type=numeric;bin=a;indextype=foo"),
            format!("ERROR:4:bad 'indextype' - {INDEX_TYPES}")
        );
        assert_eq!(with("type=numeric;bin=a;indextype=mapvaluesx"), "ERROR:4:'indextype' value too long");
        assert_eq!(
            with("type=geo2dsphere;bin=a;indextype=mapkeys"),
            "ERROR:4:bad 'indexdata' bin type for 'indextype' 'mapkeys' - must be one of 'numeric', 'string', 'blob'"
        );
        assert_eq!(
            with("indexdata=a,numeric;type=numeric"),
            "ERROR:4:both 'indexdata' and 'type' are specified"
        );
        assert_eq!(with("indexdata=a"), "ERROR:4:'indexdata' missing bin type");
        assert_eq!(with("indexdata=,numeric"), "ERROR:4:'indexdata' missing bin name");
        assert_eq!(with("type=numeric;bin=a;context=!!"), "ERROR:4:'context' invalid base64");
        assert_eq!(with("type=numeric;bin=a;context=kA=="), "ERROR:4:'context' invalid cdt context");
        assert_eq!(with("type=numeric;bin=a;context=kswQAA=="), "ERROR:4:'context' not normalized msgpack");
        assert_eq!(with("type=numeric;bin=a;context=khAAAA=="), "ok");
        assert_eq!(with("type=numeric;bin=a;exp=k1ECoWE="), "ERROR:4:both 'bin' and 'exp' are specified");
        assert_eq!(with("type=numeric;exp=kA=="), "ERROR:4:bad 'exp'");
        assert_eq!(with("type=numeric;exp=kUI="), "ERROR:4:bad 'exp'");
        assert_eq!(
            with("type=numeric;exp=k1ECoWE=;context=khAA"),
            "ERROR:4:both 'context' and 'exp' are specified"
        );
        assert_eq!(
            with("type=string;exp=k1ECoWE="),
            "ERROR:4:bad 'exp' - expression type 'numeric' does not match expected type 'string'"
        );
        assert_eq!(
            with("type=numeric;indextype=list;exp=k1ECoWE="),
            "ERROR:4:bad 'exp' - expression type 'numeric' does not match expected type 'list'"
        );
        assert_eq!(with("type=numeric;exp=k1ECoWE="), "ok");
        assert_eq!(with("type=String;bin=a;indextype=MapValues;context=lhAAIqMDYWITKg=="), "ok");
        assert_eq!(with("indexdata=a,STRING"), "ok");
    }
}
