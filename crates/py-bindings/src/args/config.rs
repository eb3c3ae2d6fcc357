//! The client's configuration dictionary, by the official client's key names.

use std::time::Duration;

use aero_io::{AuthMode, BatchPolicy, ClusterConfig, EndPolicies, QueryPolicy, Replica, Seed, TlsConfig};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::args::auth::{Login, MODES};
use crate::args::convert::{items_of, whole_number};
use crate::args::hosts;
use crate::args::operations::ValueRules;
use crate::args::policy::{self, Operate, Read, Write};
use crate::args::settings::{NoOpValue, Settings, UnsupportedKey, not_yet, one_of, unsupported};
use crate::args::tls;
use crate::args::unused;
use crate::python::describe::describe;
use crate::python::errors::{param_error, with_official_text};
use crate::python::text::unicode;
use crate::values::Bools;

/// The default policies of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) batch: BatchPolicy,
    /// For batches that write, as a whole.
    pub(crate) batch_parent_write: BatchPolicy,
    /// For rows that write.
    pub(crate) batch_write: Write,
    /// For rows that remove.
    pub(crate) batch_remove: Write,
    pub(crate) read: Read,
    pub(crate) write: Write,
    pub(crate) remove: Write,
    pub(crate) operate: Operate,
    /// For functions on one record.
    pub(crate) apply: Write,
    /// For rows that apply functions.
    pub(crate) batch_apply: Write,
    pub(crate) query: QueryPolicy,
    /// For the ends of transactions.
    pub(crate) ends: EndPolicies,
    pub(crate) info: InfoTimeout,
    /// For commands on users and roles.
    pub(crate) admin: InfoTimeout,
}

/// The time that an info command, or a command on users and roles, may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InfoTimeout(pub(crate) Duration);

impl Default for InfoTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

/// The configuration of a client.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) cluster: ClusterConfig,
    /// None if connections are not encrypted.
    pub(crate) tls: Option<TlsConfig>,
    pub(crate) policies: Policies,
    pub(crate) login: Login,
    /// What bools are written as.
    pub(crate) bools: Bools,
    strict_types: bool,
}

/// Settings of the client that the official client's config has among the policies.
#[derive(Default)]
struct ClientSettings {
    auth_mode: Option<AuthMode>,
    login_timeout: Option<Duration>,
}

fn login_timeout(settings: &mut Settings<'_>, key: &'static str) -> PyResult<Option<Duration>> {
    let millis = settings.number(key, 1, u32::MAX.into())?;
    Ok(millis.map(|millis| Duration::from_millis(millis as u64)))
}

/// Keys of the official client for parts that this client does not have.
const IGNORED: &[UnsupportedKey] = &[
    unsupported("shm", NoOpValue::Never, "cluster state is not shared between processes"),
    unsupported("lua", NoOpValue::Never, "no Lua runs in the client"),
    THREAD_POOL_SIZE,
    MAX_THREADS,
    unsupported("use_shared_connection", NoOpValue::Flag(false), "each client has its own connections"),
    unsupported("serialization", NoOpValue::Never, "there are no serializers"),
    unsupported("validate_keys", NoOpValue::Flag(true), "keys are always validated"),
    unsupported(
        "fail_if_not_connected",
        NoOpValue::Flag(true),
        "connecting always fails if no host can be reached",
    ),
    unsupported("app_id", NoOpValue::Never, "it is not sent to the server"),
    unsupported("min_conns_per_node", NoOpValue::Zero, "connections are opened when they are needed"),
    unsupported("config_provider", NoOpValue::Never, "settings come from the config only"),
];

const THREAD_POOL_SIZE: UnsupportedKey =
    unsupported("thread_pool_size", NoOpValue::Never, "there is no thread pool");
const MAX_THREADS: UnsupportedKey = unsupported("max_threads", NoOpValue::Never, "there is no thread pool");

/// Keys that would change how the client works, and are refused.
const REFUSED: &[UnsupportedKey] = &[
    not_yet(
        "compression_threshold",
        NoOpValue::Zero,
        "\"compress\": True in a policy compresses requests of more than 128 bytes",
    ),
    not_yet(
        "force_single_node",
        NoOpValue::Flag(false),
        "the client talks to the nodes that own the records; if their published addresses cannot be reached, try \
         \"use_services_alternate\": True",
    ),
];

/// Settings for all commands at once, which the official client no longer accepts.
const FOR_ALL: &[UnsupportedKey] = &[
    for_all("total_timeout"),
    for_all("socket_timeout"),
    for_all("max_retries"),
    for_all("key"),
    for_all("exists"),
    for_all("replica"),
    for_all("commit_level"),
    for_all("read_mode_ap"),
];

const fn for_all(key: &'static str) -> UnsupportedKey {
    unsupported(
        key,
        NoOpValue::Never,
        "it cannot be set for all commands at once; set it for each kind, as in {\"read\": {...}, \"write\": {...}}",
    )
}

impl Config {
    /// Reads a config dictionary.
    pub(crate) fn read(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Some(mut settings) = Settings::new(py, "config", Some(object))? else {
            return Err(no_hosts(py));
        };
        let defaults = ClusterConfig::default();
        let seeds = match settings.take("hosts")? {
            Some(value) => seeds(&value)?,
            None => Vec::new(),
        };
        let (policies, client_settings) = match settings.take("policies")? {
            Some(value) => read_policies(py, &value)?,
            None => Default::default(),
        };
        let login = Login::read(py, &mut settings, client_settings.auth_mode)?;
        let login_timeout = login_timeout(&mut settings, "login_timeout_ms")?;
        let login_timeout = one_of(py, "login_timeout_ms", login_timeout, client_settings.login_timeout)?;
        let cluster = ClusterConfig {
            seeds,
            credentials: None,
            login_timeout: login_timeout.unwrap_or(defaults.login_timeout),
            cluster_name: settings.text("cluster_name")?.filter(|name| !name.is_empty()),
            tend_interval: settings
                .number("tend_interval", 1, u32::MAX.into())?
                .map_or(defaults.tend_interval, |millis| Duration::from_millis(millis as u64)),
            connect_timeout: settings
                .number("connect_timeout", 1, u32::MAX.into())?
                .map_or(defaults.connect_timeout, |millis| Duration::from_millis(millis as u64)),
            max_conns_per_node: settings
                .number("max_conns_per_node", 1, 100_000)?
                .map_or(defaults.max_conns_per_node, |count| count as usize),
            max_socket_idle: settings
                .count("max_socket_idle")?
                .map_or(defaults.max_socket_idle, |seconds| Duration::from_secs(seconds.into())),
            use_services_alternate: settings
                .flag("use_services_alternate")?
                .unwrap_or(defaults.use_services_alternate),
            racks: racks(py, &mut settings)?,
            max_error_rate: settings.count("max_error_rate")?.unwrap_or(defaults.max_error_rate),
            error_rate_window: settings
                .number("error_rate_window", 1, u32::MAX.into())?
                .map_or(defaults.error_rate_window, |windows| windows as u32),
        };
        let bools =
            settings.choice("send_bool_as", "INTEGER and AS_BOOL", &[Bools::AsInteger, Bools::AsBool])?;
        let strict_types = settings.flag("strict_types")?.unwrap_or(true);
        let tls = tls::read(py, settings.take("tls")?.as_ref())?;
        unused::check(py, &settings)?;
        settings.ignore(IGNORED)?;
        settings.refuse(REFUSED)?;
        // A misspelt key is reported before missing hosts: it may be the hosts.
        settings.finish().map_err(|error| match cluster.seeds.is_empty() {
            true => with_official_text(py, error, "Hosts must be a list"),
            false => error,
        })?;
        if cluster.seeds.is_empty() {
            return Err(no_hosts(py));
        }
        if tls.is_some() {
            tls::check_names(py, &cluster.seeds, cluster.cluster_name.as_deref())?;
        }
        let bools = bools.unwrap_or_default();
        let config = Self { cluster, tls, policies, login, bools, strict_types };
        config.check_replica(py, config.policies.batch.limits.replica)?;
        config.check_replica(py, config.policies.batch_parent_write.limits.replica)?;
        config.check_replica(py, config.policies.read.policy.limits.replica)?;
        config.check_replica(py, config.policies.operate.write.policy.limits.replica)?;
        config.check_replica(py, config.policies.query.limits.replica)?;
        Ok(config)
    }

    /// What the config says about the values of operations.
    pub(crate) fn values(&self) -> ValueRules {
        ValueRules { bools: self.bools, strict_types: self.strict_types }
    }

    /// Refuses reads by rack if the client has no rack: they would silently go to any node.
    pub(crate) fn check_replica(&self, py: Python<'_>, replica: Replica) -> PyResult<()> {
        if replica == Replica::PreferRack && self.cluster.racks.is_empty() {
            return Err(param_error(
                py,
                "policy \"replica\" is POLICY_REPLICA_PREFER_RACK, but the client has no rack; add \"rack_aware\": \
                 True and \"rack_id\" or \"rack_ids\" to its config"
                    .into(),
            ));
        }
        Ok(())
    }
}

/// The racks to read from, in order of preference; none unless the client is `rack_aware`.
fn racks(py: Python<'_>, settings: &mut Settings<'_>) -> PyResult<Vec<u32>> {
    let is_aware = settings.flag("rack_aware")?;
    let one = settings.count("rack_id")?;
    let several = settings.take("rack_ids")?;
    if is_aware.is_none() && (one.is_some() || several.is_some()) {
        return Err(param_error(
            py,
            "config \"rack_id\" and \"rack_ids\" have no effect without \"rack_aware\": True".into(),
        ));
    }
    let racks = match several {
        Some(value) => {
            Some(value.extract::<Vec<u32>>().ok().filter(|racks| !racks.is_empty()).ok_or_else(|| {
                let found = describe(&value);
                param_error(py, format!("config \"rack_ids\" is {found}; it must be a list of whole numbers"))
            })?)
        }
        None => None,
    };
    match (is_aware, racks, one) {
        (Some(true), Some(racks), _) => Ok(racks),
        (Some(true), None, rack) => Ok(vec![rack.unwrap_or(0)]),
        _ => Ok(Vec::new()),
    }
}

fn no_hosts(py: Python<'_>) -> PyErr {
    let message = "config has no \"hosts\"; name at least one, such as {\"hosts\": [(\"127.0.0.1\", 3000)]}";
    with_official_text(py, param_error(py, message.into()), "Hosts must be a list")
}

fn read_policies(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<(Policies, ClientSettings)> {
    let mut policies = Policies::default();
    let Some(mut settings) = Settings::new(py, "config \"policies\"", Some(value))? else {
        return Ok(Default::default());
    };
    let client_settings = ClientSettings {
        auth_mode: settings.choice("auth_mode", "AUTH_*", &MODES)?,
        login_timeout: login_timeout(&mut settings, "login_timeout_ms")?,
    };
    let batch = settings.take("batch")?;
    policies.batch = policy::batch(py, &policies.batch, "config policy \"batch\"", batch.as_ref())?;
    let parent = settings.take("batch_parent_write")?;
    policies.batch_parent_write = policy::batch(
        py,
        &policies.batch_parent_write,
        "config policy \"batch_parent_write\"",
        parent.as_ref(),
    )?;
    let rows = settings.take("batch_write")?;
    policies.batch_write =
        policy::row_write(py, &Write::default(), "config policy \"batch_write\"", rows.as_ref())?;
    let rows = settings.take("batch_remove")?;
    policies.batch_remove =
        policy::row_remove(py, &Write::default(), "config policy \"batch_remove\"", rows.as_ref())?;
    let read = settings.take("read")?;
    policies.read = policy::read(py, &policies.read, "config policy \"read\"", read.as_ref())?;
    let write = settings.take("write")?;
    policies.write = policy::write(py, &policies.write, "config policy \"write\"", write.as_ref())?;
    let remove = settings.take("remove")?;
    policies.remove = policy::remove(py, &policies.remove, "config policy \"remove\"", remove.as_ref())?;
    let operate = settings.take("operate")?;
    policies.operate = policy::operate(py, &policies.operate, "config policy \"operate\"", operate.as_ref())?;
    let apply = settings.take("apply")?;
    policies.apply = policy::apply(py, &policies.apply, "config policy \"apply\"", apply.as_ref())?;
    let rows = settings.take("batch_apply")?;
    policies.batch_apply =
        policy::row_apply(py, &policies.batch_apply, "config policy \"batch_apply\"", rows.as_ref())?;
    let query = settings.take("query")?;
    policies.query = policy::query_defaults(py, &policies.query, "config policy \"query\"", query.as_ref())?;
    let info = settings.take("info")?;
    policies.info.0 = policy::info(py, policies.info.0, "config policy \"info\"", info.as_ref())?;
    let admin = settings.take("admin")?;
    policies.admin.0 = policy::admin(py, policies.admin.0, "config policy \"admin\"", admin.as_ref())?;
    let verify = settings.take("txn_verify")?;
    policies.ends.verify =
        policy::batch(py, &policies.ends.verify, "config policy \"txn_verify\"", verify.as_ref())?;
    let roll = settings.take("txn_roll")?;
    policies.ends.roll = policy::batch(py, &policies.ends.roll, "config policy \"txn_roll\"", roll.as_ref())?;
    policy::check_later_policies(py, &mut settings)?;
    settings.refuse(FOR_ALL)?;
    settings.ignore(&[THREAD_POOL_SIZE, MAX_THREADS])?;
    settings.finish()?;
    Ok((policies, client_settings))
}

/// Hosts, each as `(name, port)`, `(name, port, tls_name)` or text such as `"name:port"`.
fn seeds(value: &Bound<'_, PyAny>) -> PyResult<Vec<Seed>> {
    let py = value.py();
    let Some(items) = items_of(value) else {
        let found = describe(value);
        let message =
            format!("config \"hosts\" is {found}; it must be a list of (host, port) or \"host:port\"");
        return Err(with_official_text(py, param_error(py, message), "Hosts must be a list"));
    };
    if items.is_empty() {
        // The official client takes no tuple.
        let official =
            if value.is_instance_of::<PyList>() { "Hosts must not be empty" } else { "Hosts must be a list" };
        return Err(with_official_text(py, no_hosts(py), official));
    }
    items.iter().enumerate().map(|(position, item)| seed(item, position)).collect()
}

fn seed(item: &Bound<'_, PyAny>, position: usize) -> PyResult<Seed> {
    let invalid = |official: &str| {
        let found = describe(item);
        let message = format!(
            "config \"hosts\"[{position}] is {found}; it must be (host, port) or (host, port, tls_name), such as \
             (\"127.0.0.1\", 3000), or a str such as \"127.0.0.1:3000\""
        );
        with_official_text(item.py(), param_error(item.py(), message), official)
    };
    let wrong = || invalid("Invalid host");
    let refused = |why: &str| {
        param_error(item.py(), format!("config \"hosts\"[{position}] is {}; {why}", describe(item)))
    };
    let check_name = |name: &str| hosts::wrong_name(name).map_or(Ok(()), |why| Err(refused(&why)));
    if let Ok(text) = item.cast::<PyString>() {
        let text = unicode(text, format_args!("config \"hosts\"[{position}]"))?;
        let (host, port) = hosts::parse(&text).map_err(refused)?;
        check_name(&host)?;
        return Ok(Seed { host, port, tls_name: None });
    }
    let parts = items_of(item).ok_or_else(wrong)?;
    let (name, port, tls_name) = match parts.as_slice() {
        [name, port] => (name, port, None),
        [name, port, tls_name] => (name, port, Some(tls_name)),
        _ => return Err(wrong()),
    };
    let name = name.extract::<String>().map_err(|_| wrong())?;
    let port = whole_number(port).and_then(|port| u16::try_from(port).ok());
    let port = port.filter(|&port| port > 0);
    let port = port.ok_or_else(|| invalid("Invalid host -> The host port must be an integer"))?;
    check_name(&name)?;
    let tls_name = match tls_name {
        Some(name) if !name.is_none() => Some(name.extract::<String>().map_err(|_| wrong())?),
        _ => None,
    };
    if name.is_empty() {
        return Err(wrong());
    }
    Ok(Seed { host: name, port, tls_name: tls_name.filter(|name| !name.is_empty()) })
}
