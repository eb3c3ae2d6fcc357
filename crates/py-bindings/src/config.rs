//! The client's configuration dictionary, by the official client's key names.

use std::time::Duration;

use aero_io::{AuthMode, BatchPolicy, ClusterConfig, QueryPolicy, Replica, Seed, TlsConfig};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::auth::{Login, MODES};
use crate::errors::param_error;
use crate::keys::described;
use crate::policy::{self, Operate, Read, Write};
use crate::settings::{Anyway, Foreign, Settings, foreign, whole_number};
use crate::tls;
use crate::values::Bools;

/// Default policies of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    pub(crate) batch: BatchPolicy,
    /// Batches that write, as a whole.
    pub(crate) batch_parent_write: BatchPolicy,
    /// Rows of batches that write.
    pub(crate) batch_write: Write,
    /// Rows of batches that delete.
    pub(crate) batch_remove: Write,
    pub(crate) read: Read,
    pub(crate) write: Write,
    pub(crate) remove: Write,
    pub(crate) operate: Operate,
    pub(crate) query: QueryPolicy,
    /// The time that an info command may take.
    pub(crate) info: InfoTimeout,
}

/// The time that an info command may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InfoTimeout(pub(crate) Duration);

impl Default for InfoTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(1))
    }
}

/// What a client was made with.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) cluster: ClusterConfig,
    /// None where connections are not encrypted.
    pub(crate) tls: Option<TlsConfig>,
    pub(crate) policies: Policies,
    pub(crate) login: Login,
    /// What bools are written as.
    pub(crate) bools: Bools,
}

/// What the official client's config has among the policies, though it is about the client.
#[derive(Default)]
struct OfPolicies {
    auth_mode: Option<AuthMode>,
    login_timeout: Option<Duration>,
}

fn login_timeout(settings: &mut Settings<'_>, key: &'static str) -> PyResult<Option<Duration>> {
    let millis = settings.number(key, 1, u32::MAX.into())?;
    Ok(millis.map(|millis| Duration::from_millis(millis as u64)))
}

/// The value of a key that may stand in two places.
pub(crate) fn one_of<T: PartialEq>(
    py: Python<'_>,
    key: &str,
    config: Option<T>,
    policies: Option<T>,
) -> PyResult<Option<T>> {
    match (config, policies) {
        (Some(one), Some(other)) if one != other => Err(param_error(
            py,
            format!("config {key:?} and config \"policies\" {key:?} differ; set one of them"),
        )),
        (one, other) => Ok(one.or(other)),
    }
}

/// Keys that the official client has for machinery that is not here.
const WITHOUT_MEANING: &[Foreign] = &[
    foreign("shm", Anyway::Nothing, "cluster state is not shared between processes"),
    foreign("lua", Anyway::Nothing, "no Lua runs in the client"),
    THREAD_POOL_SIZE,
    MAX_THREADS,
    foreign("use_shared_connection", Anyway::Flag(false), "every client has connections of its own"),
    foreign("serialization", Anyway::Nothing, "there are no serializers"),
    foreign("strict_types", Anyway::Flag(true), "types are always strict"),
    foreign("validate_keys", Anyway::Flag(true), "keys are always validated"),
    foreign(
        "fail_if_not_connected",
        Anyway::Flag(true),
        "connecting always fails where no host can be reached",
    ),
    foreign("app_id", Anyway::Nothing, "the server is not told"),
    foreign("min_conns_per_node", Anyway::Zero, "connections are opened when they are needed"),
    foreign("config_provider", Anyway::Nothing, "settings come from the config alone"),
];

const THREAD_POOL_SIZE: Foreign = foreign("thread_pool_size", Anyway::Nothing, "there is no thread pool");
const MAX_THREADS: Foreign = foreign("max_threads", Anyway::Nothing, "there is no thread pool");

/// Keys that would change how the client works.
const NOT_SUPPORTED: &[Foreign] = &[
    foreign(
        "compression_threshold",
        Anyway::Zero,
        "\"compress\": True in a policy compresses requests of more than 128 bytes",
    ),
    foreign(
        "force_single_node",
        Anyway::Flag(false),
        "the client reads from the nodes that have the records; where they cannot be reached at the addresses that \
         they give out, \"use_services_alternate\" may help",
    ),
];

/// Policies of commands that this version does not have.
const OTHER_POLICIES: &[Foreign] = &[
    no_such_command("apply"),
    no_such_command("scan"),
    no_such_command("batch_apply"),
    no_such_command("admin"),
    no_such_command("txn_verify"),
    no_such_command("txn_roll"),
    no_such_command("metrics"),
];

const fn no_such_command(key: &'static str) -> Foreign {
    foreign(key, Anyway::Nothing, "the commands that it is for are not there yet; leave it out")
}

/// Settings for all commands at once, which the official client has given up.
const FOR_ALL: &[Foreign] = &[
    for_all("total_timeout"),
    for_all("socket_timeout"),
    for_all("max_retries"),
    for_all("key"),
    for_all("exists"),
    for_all("replica"),
    for_all("commit_level"),
    for_all("read_mode_ap"),
];

const fn for_all(key: &'static str) -> Foreign {
    foreign(
        key,
        Anyway::Nothing,
        "there is none for all commands at once; set it for each kind, as in {\"read\": {...}, \"write\": {...}}",
    )
}

impl Config {
    /// Reads a config dictionary.
    pub(crate) fn read(py: Python<'_>, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let Some(mut settings) = Settings::new(py, "config", Some(object))? else {
            return Err(param_error(py, no_hosts()));
        };
        let defaults = ClusterConfig::default();
        let seeds = match settings.take("hosts")? {
            Some(value) => hosts(&value)?,
            None => Vec::new(),
        };
        let (policies, of_policies) = match settings.take("policies")? {
            Some(value) => read_policies(py, &value)?,
            None => Default::default(),
        };
        let login = Login::read(py, &mut settings, of_policies.auth_mode)?;
        let login_timeout = login_timeout(&mut settings, "login_timeout_ms")?;
        let login_timeout = one_of(py, "login_timeout_ms", login_timeout, of_policies.login_timeout)?;
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
        let tls = tls::read(py, settings.take("tls")?.as_ref())?;
        settings.without_meaning(WITHOUT_MEANING)?;
        settings.not_supported(NOT_SUPPORTED)?;
        // A misspelt key first: it may be the hosts.
        settings.finish()?;
        if cluster.seeds.is_empty() {
            return Err(param_error(py, no_hosts()));
        }
        if tls.is_some() {
            tls::check_names(py, &cluster.seeds, cluster.cluster_name.as_deref())?;
        }
        let config = Self { cluster, tls, policies, login, bools: bools.unwrap_or_default() };
        config.check_replica(py, config.policies.batch.limits.replica)?;
        config.check_replica(py, config.policies.batch_parent_write.limits.replica)?;
        config.check_replica(py, config.policies.read.policy.limits.replica)?;
        config.check_replica(py, config.policies.operate.write.policy.limits.replica)?;
        config.check_replica(py, config.policies.query.limits.replica)?;
        Ok(config)
    }

    /// Refuses reads by rack where no rack is known: they would go anywhere, and nobody would see it.
    pub(crate) fn check_replica(&self, py: Python<'_>, replica: Replica) -> PyResult<()> {
        if replica == Replica::PreferRack && self.cluster.racks.is_empty() {
            return Err(param_error(
                py,
                "policy \"replica\" is POLICY_REPLICA_PREFER_RACK, but the client knows no rack of its own; \
                 make it with \"rack_aware\": True and \"rack_id\" or \"rack_ids\""
                    .into(),
            ));
        }
        Ok(())
    }
}

/// Racks to read from, the nearest first; none unless the client is `rack_aware`.
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
                let found = described(&value);
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

fn no_hosts() -> String {
    "config has no \"hosts\"; name at least one, such as {\"hosts\": [(\"127.0.0.1\", 3000)]}".into()
}

fn read_policies(py: Python<'_>, value: &Bound<'_, PyAny>) -> PyResult<(Policies, OfPolicies)> {
    let mut policies = Policies::default();
    let Some(mut settings) = Settings::new(py, "config \"policies\"", Some(value))? else {
        return Ok(Default::default());
    };
    let of_policies = OfPolicies {
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
    let query = settings.take("query")?;
    policies.query = policy::query_defaults(py, &policies.query, "config policy \"query\"", query.as_ref())?;
    let info = settings.take("info")?;
    policies.info.0 = policy::info(py, policies.info.0, "config policy \"info\"", info.as_ref())?;
    settings.not_supported(OTHER_POLICIES)?;
    settings.not_supported(FOR_ALL)?;
    settings.without_meaning(&[THREAD_POOL_SIZE, MAX_THREADS])?;
    settings.finish()?;
    Ok((policies, of_policies))
}

/// Hosts: `(name, port)` or `(name, port, tls_name)` each.
fn hosts(value: &Bound<'_, PyAny>) -> PyResult<Vec<Seed>> {
    let py = value.py();
    let items: Vec<Bound<'_, PyAny>> = if let Ok(list) = value.cast::<PyList>() {
        list.iter().collect()
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        tuple.iter().collect()
    } else {
        return Err(param_error(
            py,
            format!("config \"hosts\" is {}; it must be a list of (host, port)", described(value)),
        ));
    };
    items.iter().enumerate().map(|(position, item)| host(item, position)).collect()
}

fn host(item: &Bound<'_, PyAny>, position: usize) -> PyResult<Seed> {
    let wrong = || {
        param_error(
            item.py(),
            format!(
                "config \"hosts\"[{position}] is {}; it must be (host, port) or (host, port, tls_name), \
                 such as (\"127.0.0.1\", 3000)",
                described(item)
            ),
        )
    };
    let parts: Vec<Bound<'_, PyAny>> = if let Ok(tuple) = item.cast::<PyTuple>() {
        tuple.iter().collect()
    } else if let Ok(list) = item.cast::<PyList>() {
        list.iter().collect()
    } else {
        return Err(wrong());
    };
    let (name, port, tls_name) = match parts.as_slice() {
        [name, port] => (name, port, None),
        [name, port, tls_name] => (name, port, Some(tls_name)),
        _ => return Err(wrong()),
    };
    let name = name.extract::<String>().map_err(|_| wrong())?;
    let port = whole_number(port).and_then(|port| u16::try_from(port).ok());
    let port = port.filter(|&port| port > 0).ok_or_else(wrong)?;
    let tls_name = match tls_name {
        Some(name) if !name.is_none() => Some(name.extract::<String>().map_err(|_| wrong())?),
        _ => None,
    };
    if name.is_empty() {
        return Err(wrong());
    }
    Ok(Seed { host: name, port, tls_name: tls_name.filter(|name| !name.is_empty()) })
}
