//! Policies: dictionaries by the official client's key names, each over its defaults.
//!
//! Policies of commands on one record and of batches are here, those of queries in `query`, those of a batch's rows
//! in `rows`, those of commands that are not supported yet in `later`.

use std::sync::Arc;
use std::time::Duration;

use aero_io::{
    BatchPolicy, Exists, Generation, Hedge, Limits, OperatePolicy, ReadModeAp, ReadModeSc, ReadPolicy, Reads,
    Replica, WritePolicy,
};
use pyo3::prelude::*;

pub(crate) use self::rows::{RowPolicy, batch_with_row, row_read, row_remove, row_write};
use crate::args::convert::whole_number;
use crate::args::expression;
use crate::args::operations::Operations;
use crate::args::settings::{NoOpValue, Settings, UnsupportedKey, not_yet, unsupported};
use crate::args::transaction::PyTransaction;
use crate::python::describe::describe;
use crate::python::errors::{param_error, with_official_text};
use crate::values::Bools;

/// Keys of every policy that have no effect here.
const IGNORED: &[UnsupportedKey] = &[
    unsupported("timeout_delay", NoOpValue::Zero, "connections with late answers are closed, not kept"),
    unsupported("error_detail_verbosity", NoOpValue::Zero, "error messages always have all details"),
    unsupported("connect_timeout", NoOpValue::Zero, "set it in the client's config"),
];

/// The key of a transaction, where there can be none.
const TRANSACTION: UnsupportedKey = unsupported(
    "txn",
    NoOpValue::Never,
    "name the transaction in the policy of a command on one record, or in that of a whole batch",
);

const DESERIALIZE: UnsupportedKey =
    unsupported("deserialize", NoOpValue::Flag(true), "lists and maps are always read as Python objects");
const CONCURRENT: UnsupportedKey =
    unsupported("concurrent", NoOpValue::Flag(true), "the requests of a batch always run concurrently");
const ON_LOCKING_ONLY: UnsupportedKey =
    unsupported("on_locking_only", NoOpValue::Flag(false), "a background query is not part of a transaction");
const COMPRESSION_THRESHOLD: UnsupportedKey = not_yet(
    "compression_threshold",
    NoOpValue::Zero,
    "\"compress\": True compresses requests of more than 128 bytes",
);

const REPLICAS: [Replica; 5] =
    [Replica::Master, Replica::Any, Replica::Sequence, Replica::PreferRack, Replica::Any];
const MODES_AP: [ReadModeAp; 2] = [ReadModeAp::One, ReadModeAp::All];
const MODES_SC: [ReadModeSc; 4] =
    [ReadModeSc::Session, ReadModeSc::Linearize, ReadModeSc::AllowReplica, ReadModeSc::AllowUnavailable];
const EXISTS: [Exists; 5] =
    [Exists::Ignore, Exists::Create, Exists::Update, Exists::Replace, Exists::CreateOrReplace];

/// Takes the filter expression.
fn filter_setting(settings: &mut Settings<'_>, filter: &mut Vec<u8>) -> PyResult<()> {
    const KEY: &str = "expressions";
    if let Some(expression) = settings.take(KEY)? {
        *filter = expression::encode(&settings.what(KEY), &expression, Bools::default())?;
    }
    Ok(())
}

/// Takes the settings that every command has.
fn limit_settings(settings: &mut Settings<'_>, limits: &mut Limits) -> PyResult<()> {
    filter_setting(settings, &mut limits.filter)?;
    if let Some(timeout) = settings.millis("total_timeout")? {
        limits.total_timeout = Some(timeout);
    }
    set(&mut limits.socket_timeout, settings.millis("socket_timeout")?);
    set(&mut limits.max_retries, settings.count("max_retries")?);
    set(&mut limits.sleep_between_retries, settings.millis("sleep_between_retries")?);
    set(&mut limits.compress, settings.flag("compress")?);
    set(&mut limits.replica, settings.choice("replica", "POLICY_REPLICA_*", &REPLICAS)?);
    Ok(())
}

/// Takes the transaction that a command or batch is part of. A config has none: it is for all commands.
fn transaction_setting(settings: &mut Settings<'_>, limits: &mut Limits) -> PyResult<()> {
    const KEY: &str = "txn";
    if settings.is_config() {
        return Ok(());
    }
    let Some(value) = settings.take(KEY)? else { return Ok(()) };
    match value.cast::<PyTransaction>() {
        Ok(transaction) => limits.transaction = Some(Arc::clone(&transaction.get().transaction)),
        Err(_) => {
            let message = format!("{} is {}; it must be a Transaction", settings.what(KEY), describe(&value));
            let error = param_error(value.py(), message);
            let official = "txn is not of type aerospike.Transaction";
            return Err(with_official_text(value.py(), error, official));
        }
    }
    Ok(())
}

/// Takes the settings that every read has, including the rows of a batch.
fn read_mode_settings(settings: &mut Settings<'_>, reads: &mut Reads) -> PyResult<()> {
    set(&mut reads.mode_ap, settings.choice("read_mode_ap", "POLICY_READ_MODE_AP_*", &MODES_AP)?);
    set(&mut reads.mode_sc, settings.choice("read_mode_sc", "POLICY_READ_MODE_SC_*", &MODES_SC)?);
    let touch = settings.number("read_touch_ttl_percent", -1, 100)?;
    set(&mut reads.touch_ttl_percent, touch.map(|percent| percent as i32));
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// When to ask another node as well. This key is the only one that the official client does not have.
fn hedge(py: Python<'_>, settings: &mut Settings<'_>, hedge: &mut Hedge) -> PyResult<()> {
    let Some(value) = settings.take("hedge_delay")? else { return Ok(()) };
    let text = value.extract::<String>().ok();
    *hedge = match (text.as_deref(), whole_number(&value)) {
        (Some("adaptive"), _) => Hedge::Adaptive,
        (Some("off"), _) => Hedge::Off,
        (None, Some(millis @ 1..=0xFFFF_FFFF)) => Hedge::After(Duration::from_millis(millis as u64)),
        _ => {
            return Err(param_error(
                py,
                format!(
                    "policy \"hedge_delay\" is {}; it must be \"adaptive\", \"off\" or a number of \
                     milliseconds of at least 1",
                    describe(&value)
                ),
            ));
        }
    };
    Ok(())
}

/// Takes the keys of every policy that are ignored or refused, and refuses unknown ones.
fn finish_policy(mut settings: Settings<'_>) -> PyResult<()> {
    settings.ignore(IGNORED)?;
    settings.refuse(&[TRANSACTION])?;
    settings.finish()
}

/// A policy over its defaults. `take` takes the policy's own keys; then come those of every policy, and unknown ones.
fn over<P: Clone>(
    py: Python<'_>,
    defaults: &P,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
    take: impl FnOnce(&mut Settings<'_>, &mut P) -> PyResult<()>,
) -> PyResult<P> {
    let mut policy = defaults.clone();
    if let Some(mut settings) = Settings::new(py, name, object)? {
        take(&mut settings, &mut policy)?;
        finish_policy(settings)?;
    }
    Ok(policy)
}

/// Takes whether the user's key is sent.
fn send_key(settings: &mut Settings<'_>, send: &mut bool) -> PyResult<()> {
    set(send, settings.choice("key", "POLICY_KEY_*", &[false, true])?);
    Ok(())
}

/// A batch policy over its defaults.
pub(crate) fn batch(
    py: Python<'_>,
    defaults: &BatchPolicy,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<BatchPolicy> {
    over(py, defaults, name, object, |settings, policy| {
        batch_settings(py, settings, policy)?;
        settings.ignore(&[unsupported(
            "key",
            NoOpValue::Zero,
            "a batch read sends digests only, and rows that write have a policy of their own",
        )])
    })
}

mod later;
mod query;
mod rows;

pub(crate) use later::check_later_policies;
pub(crate) use query::{QueryArgs, query, query_defaults};

/// A read policy, and whether the user's key is sent along.
#[derive(Clone, Debug, Default)]
pub(crate) struct Read {
    pub(crate) policy: ReadPolicy,
    pub(crate) send_key: bool,
}

/// A read policy over its defaults.
pub(crate) fn read(
    py: Python<'_>,
    defaults: &Read,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Read> {
    over(py, defaults, name, object, |settings, read| {
        let policy = &mut read.policy;
        limit_settings(settings, &mut policy.limits)?;
        transaction_setting(settings, &mut policy.limits)?;
        read_mode_settings(settings, &mut policy.reads)?;
        hedge(py, settings, &mut policy.reads.hedge)?;
        send_key(settings, &mut read.send_key)?;
        settings.ignore(&[DESERIALIZE])
    })
}

/// How generations are compared. The number to compare with comes with the call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CompareGeneration {
    #[default]
    Ignore,
    Equal,
    Greater,
}

/// A write policy, before the call's `meta` completes it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Write {
    pub(crate) policy: WritePolicy,
    pub(crate) send_key: bool,
    pub(crate) compare: CompareGeneration,
    /// The number to compare with if the call has none.
    pub(crate) generation: Option<u32>,
}

impl Write {
    /// Completes the policy by `meta`: the generation to compare with and the time to live.
    pub(crate) fn with_meta(
        mut self,
        py: Python<'_>,
        meta: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<WritePolicy> {
        let mut generation = self.generation;
        if let Some(mut settings) = Settings::new(py, "meta", meta)? {
            generation = settings.count("gen")?.or(generation);
            set(&mut self.policy.ttl, settings.time_to_live("ttl")?);
            settings.finish()?;
        }
        self.policy.generation = match (self.compare, generation) {
            (CompareGeneration::Ignore, _) => Generation::Ignore,
            (CompareGeneration::Equal, Some(number)) => Generation::Equal(number),
            (CompareGeneration::Greater, Some(number)) => Generation::Greater(number),
            (_, None) => {
                return Err(param_error(
                    py,
                    "policy \"gen\" compares generations, but there is none to compare with; pass \
                     meta={\"gen\": ...}, or \"generation\" in a remove policy or in the policy of a batch's rows"
                        .into(),
                ));
            }
        };
        Ok(self.policy)
    }
}

/// A write policy over its defaults.
pub(crate) fn write(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    over(py, defaults, name, object, |settings, write| {
        write_settings(settings, write)?;
        change_settings(settings, write)?;
        locking_setting(settings, write)?;
        transaction_setting(settings, &mut write.policy.limits)?;
        settings.refuse(&[COMPRESSION_THRESHOLD])
    })
}

/// The write policy of a background query over its defaults. Nodes only change records that exist, whatever their
/// generation.
pub(crate) fn background(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<WritePolicy> {
    // What the config says about conditions is for writes of one record.
    let policy = WritePolicy { exists: Exists::Ignore, on_locking_only: false, ..defaults.policy.clone() };
    let defaults = Write { policy, compare: CompareGeneration::Ignore, generation: None, ..defaults.clone() };
    let write = over(py, &defaults, name, object, |settings, write| {
        write_settings(settings, write)?;
        change_settings(settings, write)?;
        settings.refuse(&[ON_LOCKING_ONLY, COMPRESSION_THRESHOLD])
    })?;
    let refused = |what: &str| {
        let message = format!(
            "{name} {what}, but a background query changes all records that it finds; choose among them with a filter \
             expression (\"expressions\")"
        );
        Err(param_error(py, message))
    };
    if write.compare != CompareGeneration::Ignore {
        return refused("\"gen\" compares generations");
    }
    if write.policy.exists == Exists::Create {
        return refused("\"exists\" is for new records only");
    }
    Ok(write.policy)
}

/// A policy of user-defined functions over its defaults.
pub(crate) fn apply(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    over(py, defaults, name, object, |settings, write| {
        limit_settings(settings, &mut write.policy.limits)?;
        apply_settings(settings, write)
    })
}

/// A policy of rows that apply functions over its defaults.
pub(crate) fn row_apply(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    over(py, defaults, name, object, |settings, write| {
        filter_setting(settings, &mut write.policy.limits.filter)?;
        apply_settings(settings, write)
    })
}

/// Takes the settings of user-defined functions on records.
fn apply_settings(settings: &mut Settings<'_>, write: &mut Write) -> PyResult<()> {
    durability_settings(settings, &mut write.policy)?;
    set(&mut write.policy.ttl, settings.time_to_live("ttl")?);
    send_key(settings, &mut write.send_key)?;
    settings.refuse(&[ON_LOCKING_ONLY])
}

/// A remove policy over its defaults.
pub(crate) fn remove(
    py: Python<'_>,
    defaults: &Write,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Write> {
    over(py, defaults, name, object, |settings, write| {
        write_settings(settings, write)?;
        transaction_setting(settings, &mut write.policy.limits)?;
        generation(settings, write)
    })
}

/// An operate policy: a write policy, and the read settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Operate {
    pub(crate) write: Write,
    /// Its own `write` is not used: `with_meta` replaces it.
    pub(crate) reads: OperatePolicy,
}

impl Operate {
    /// Completes the policy by `meta` and by what the operations say.
    pub(crate) fn with_meta(
        self,
        py: Python<'_>,
        meta: Option<&Bound<'_, PyAny>>,
        operations: &Operations,
    ) -> PyResult<OperatePolicy> {
        let mut write = self.write.with_meta(py, meta)?;
        set(&mut write.ttl, operations.ttl);
        Ok(OperatePolicy { write, responds_to_all: operations.responds_to_all, ..self.reads })
    }
}

/// An operate policy over its defaults.
pub(crate) fn operate(
    py: Python<'_>,
    defaults: &Operate,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Operate> {
    over(py, defaults, name, object, |settings, operate| {
        write_settings(settings, &mut operate.write)?;
        change_settings(settings, &mut operate.write)?;
        locking_setting(settings, &mut operate.write)?;
        transaction_setting(settings, &mut operate.write.policy.limits)?;
        let reads = &mut operate.reads.reads;
        read_mode_settings(settings, reads)?;
        hedge(py, settings, &mut reads.hedge)?;
        settings.ignore(&[DESERIALIZE])
    })
}

/// The timeout of an info command, over its default.
pub(crate) fn info(
    py: Python<'_>,
    default: Duration,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Duration> {
    let Some(mut settings) = Settings::new(py, name, object)? else { return Ok(default) };
    let timeout = settings.number("timeout", 1, u32::MAX.into())?;
    settings.ignore(&[
        unsupported("send_as_is", NoOpValue::Flag(true), "info commands are always sent as they are"),
        unsupported("check_bounds", NoOpValue::Flag(true), "the size of an answer is always checked"),
    ])?;
    settings.finish()?;
    Ok(timeout.map_or(default, |millis| Duration::from_millis(millis as u64)))
}

/// The timeout of a command on users and roles, over its default.
pub(crate) fn admin(
    py: Python<'_>,
    default: Duration,
    name: &'static str,
    object: Option<&Bound<'_, PyAny>>,
) -> PyResult<Duration> {
    let Some(mut settings) = Settings::new(py, name, object)? else { return Ok(default) };
    let timeout = settings.number("timeout", 1, u32::MAX.into())?;
    settings.finish()?;
    Ok(timeout.map_or(default, |millis| Duration::from_millis(millis as u64)))
}

/// Takes the generation to compare with if the call has none.
fn generation(settings: &mut Settings<'_>, write: &mut Write) -> PyResult<()> {
    write.generation = settings.count("generation")?.or(write.generation);
    Ok(())
}

/// Takes the settings of writes that are not removals.
fn change_settings(settings: &mut Settings<'_>, write: &mut Write) -> PyResult<()> {
    set(&mut write.policy.ttl, settings.time_to_live("ttl")?);
    set(&mut write.policy.exists, settings.choice("exists", "POLICY_EXISTS_*", &EXISTS)?);
    Ok(())
}

/// Takes whether a write fails if its transaction has written the record before.
fn locking_setting(settings: &mut Settings<'_>, write: &mut Write) -> PyResult<()> {
    set(&mut write.policy.on_locking_only, settings.flag("on_locking_only")?);
    Ok(())
}

/// Takes the settings of every write, removals included.
fn write_settings(settings: &mut Settings<'_>, write: &mut Write) -> PyResult<()> {
    limit_settings(settings, &mut write.policy.limits)?;
    row_settings(settings, write)
}

/// Takes the settings that rows of a batch and commands on one record share.
fn row_settings(settings: &mut Settings<'_>, write: &mut Write) -> PyResult<()> {
    durability_settings(settings, &mut write.policy)?;
    set(
        &mut write.compare,
        settings.choice(
            "gen",
            "POLICY_GEN_*",
            &[CompareGeneration::Ignore, CompareGeneration::Equal, CompareGeneration::Greater],
        )?,
    );
    send_key(settings, &mut write.send_key)
}

/// Takes the settings of how a write is kept.
fn durability_settings(settings: &mut Settings<'_>, policy: &mut WritePolicy) -> PyResult<()> {
    set(&mut policy.commit_master, settings.choice("commit_level", "POLICY_COMMIT_LEVEL_*", &[false, true])?);
    set(&mut policy.durable_delete, settings.flag("durable_delete")?);
    Ok(())
}

/// Takes the settings of a batch as a whole.
fn batch_settings(py: Python<'_>, settings: &mut Settings<'_>, policy: &mut BatchPolicy) -> PyResult<()> {
    limit_settings(settings, &mut policy.limits)?;
    transaction_setting(settings, &mut policy.limits)?;
    read_mode_settings(settings, &mut policy.reads)?;
    hedge(py, settings, &mut policy.reads.hedge)?;
    set(&mut policy.allow_inline, settings.flag("allow_inline")?);
    set(&mut policy.allow_inline_ssd, settings.flag("allow_inline_ssd")?);
    set(&mut policy.respond_all_keys, settings.flag("respond_all_keys")?);
    settings.ignore(&[DESERIALIZE, CONCURRENT])
}
