//! How transactions end.
//!
//! [`commit`] verifies what a transaction has read, marks its monitor record, keeps what it has written and deletes the
//! monitor record; [`abort`] drops what it has written. `rows` has the batches of both. What a transaction has read and
//! written is in room `transaction`, writes of the monitor record are in `command/monitor.rs`.
//!
//! | state before | step | succeeds | fails |
//! | --- | --- | --- | --- |
//! | `Open` | verify | `Verified` | `Aborted`: roll back, close, error |
//! | `Verified`, `CommitFailed` | mark the monitor record, if there is one | `Committed` | see below |
//! | `Committed` | roll forward | | `RollForwardAbandoned`: the server does it |
//! | `Committed` | close | `Ok` | `CloseAbandoned`: the server does it |
//!
//! If marking certainly failed, the state stays `Verified`, so the transaction can be committed again or aborted; if the
//! server says that it was aborted, it becomes `Aborted`; if it may have been applied, `CommitFailed`: then only another
//! commit can tell, and abort is refused.

mod rows;

use std::sync::Arc;
use std::time::Duration;

use wire_protocol::ResultCode;

use crate::command::monitor;
use crate::error::Error;
use crate::policy::{BatchPolicy, Limits, ReadModeSc, Reads, Replica};
use crate::topology::state::Inner;
use crate::transaction::{Ending, Transaction, TransactionState};

/// How a commit ended. The numbers are the official client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitStatus {
    Ok = 0,
    AlreadyCommitted = 1,
    /// The transaction is committed. The server will make what it has written visible.
    RollForwardAbandoned = 5,
    /// The transaction is committed. The server will delete the monitor record.
    CloseAbandoned = 6,
}

/// How an abort ended. The numbers are the official client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AbortStatus {
    Ok = 0,
    AlreadyAborted = 1,
    /// The transaction is aborted. The server will drop what it has written.
    RollBackAbandoned = 3,
    /// The transaction is aborted. The server will delete the monitor record.
    CloseAbandoned = 4,
}

/// How the end of a transaction is carried out. Both batches go to the masters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndPolicies {
    /// Of the batch that verifies what was read.
    pub verify: BatchPolicy,
    /// Of the batch that keeps or drops what was written, and of the writes of the monitor record.
    pub roll: BatchPolicy,
}

impl Default for EndPolicies {
    fn default() -> Self {
        let limits = Limits {
            total_timeout: Some(Duration::from_secs(10)),
            socket_timeout: Duration::from_secs(3),
            max_retries: 5,
            sleep_between_retries: Duration::from_secs(1),
            replica: Replica::Master,
            ..Limits::default()
        };
        let roll = BatchPolicy { limits, ..BatchPolicy::default() };
        let reads = Reads { mode_sc: ReadModeSc::Linearize, ..Reads::default() };
        Self { verify: BatchPolicy { reads, ..roll.clone() }, roll }
    }
}

pub(crate) async fn commit(
    inner: &Arc<Inner>,
    transaction: &Arc<Transaction>,
    policies: &EndPolicies,
) -> Result<CommitStatus, Error> {
    let ending = transaction.begin_ending()?;
    match transaction.state() {
        TransactionState::Open => verify(inner, transaction, policies, &ending).await?,
        TransactionState::Verified | TransactionState::CommitFailed => {}
        TransactionState::Committed => return Ok(CommitStatus::AlreadyCommitted),
        TransactionState::Aborted => {
            return Err(Error::TransactionEnded { id: transaction.id(), is_committed: false });
        }
    }
    if transaction.has_monitor() {
        mark(inner, transaction, policies, &ending).await?;
    }
    ending.set_state(TransactionState::Committed);
    if rows::roll(inner, transaction, &policies.roll, ending.to_roll(), true).await.is_err() {
        return Ok(CommitStatus::RollForwardAbandoned);
    }
    if close(inner, transaction, policies, &ending).await.is_err() {
        return Ok(CommitStatus::CloseAbandoned);
    }
    ending.forget_records();
    Ok(CommitStatus::Ok)
}

pub(crate) async fn abort(
    inner: &Arc<Inner>,
    transaction: &Arc<Transaction>,
    policies: &EndPolicies,
) -> Result<AbortStatus, Error> {
    let ending = transaction.begin_ending()?;
    match transaction.state() {
        TransactionState::Open | TransactionState::Verified => {}
        TransactionState::Committed => {
            return Err(Error::TransactionEnded { id: transaction.id(), is_committed: true });
        }
        TransactionState::CommitFailed => {
            let what = format!(
                "transaction {} cannot be aborted: a commit may have been applied; commit it again to find out",
                transaction.id()
            );
            return Err(Error::TransactionFailed { what, source: None });
        }
        TransactionState::Aborted => return Ok(AbortStatus::AlreadyAborted),
    }
    ending.set_state(TransactionState::Aborted);
    if rows::roll(inner, transaction, &policies.roll, ending.to_roll(), false).await.is_err() {
        return Ok(AbortStatus::RollBackAbandoned);
    }
    if close(inner, transaction, policies, &ending).await.is_err() {
        return Ok(AbortStatus::CloseAbandoned);
    }
    ending.forget_records();
    Ok(AbortStatus::Ok)
}

/// Verifies what was read. If that fails, aborts the transaction and returns why.
async fn verify(
    inner: &Arc<Inner>,
    transaction: &Arc<Transaction>,
    policies: &EndPolicies,
    ending: &Ending,
) -> Result<(), Error> {
    let Err(failure) = rows::verify(inner, transaction, &policies.verify, ending.to_verify()).await else {
        ending.set_state(TransactionState::Verified);
        return Ok(());
    };
    ending.set_state(TransactionState::Aborted);
    let rolled = rows::roll(inner, transaction, &policies.roll, ending.to_roll(), false).await;
    let left = match rolled {
        Err(error) => format!("; the server will drop its writes, because doing so failed ({error})"),
        Ok(()) => match close(inner, transaction, policies, ending).await {
            Err(error) => format!("; the server will close it, because doing so failed ({error})"),
            Ok(()) => {
                ending.forget_records();
                String::new()
            }
        },
    };
    let id = transaction.id();
    Err(match failure {
        rows::Failure::Rows(what) => Error::TransactionFailed {
            what: format!("transaction {id} was aborted: {what}{left}"),
            source: None,
        },
        rows::Failure::Error(source) => Error::TransactionFailed {
            what: format!(
                "transaction {id} was aborted: what it has read could not be verified ({source}){left}"
            ),
            source: Some(Box::new(source)),
        },
    })
}

/// Marks the transaction as committed.
async fn mark(
    inner: &Inner,
    transaction: &Transaction,
    policies: &EndPolicies,
    ending: &Ending,
) -> Result<(), Error> {
    let was_in_doubt = transaction.in_doubt();
    let marking = ending.marking();
    let error = match monitor::mark_forward(inner, transaction, &policies.roll.limits).await {
        Ok(()) => {
            marking.settle();
            return Ok(());
        }
        // An earlier attempt, or an earlier commit, was applied.
        Err(error) if error.code() == i32::from(ResultCode::MRT_COMMITTED) => {
            marking.settle();
            return Ok(());
        }
        Err(error) => error,
    };
    let is_aborted = error.code() == i32::from(ResultCode::MRT_ABORTED);
    let in_doubt = !is_aborted && (was_in_doubt || error.in_doubt());
    if !in_doubt {
        marking.settle();
    }
    if is_aborted {
        ending.set_state(TransactionState::Aborted);
    }
    Err(Error::CommitFailed { id: transaction.id(), source: Box::new(error), in_doubt, is_aborted })
}

/// Deletes the monitor record, unless there is none or the server still needs it.
async fn close(
    inner: &Inner,
    transaction: &Transaction,
    policies: &EndPolicies,
    ending: &Ending,
) -> Result<(), Error> {
    if !ending.closes_monitor() {
        return Ok(());
    }
    match monitor::close(inner, transaction, &policies.roll.limits).await {
        // The server, or an earlier attempt, has deleted it.
        Err(error) if error.code() == i32::from(ResultCode::RECORD_NOT_FOUND) => Ok(()),
        outcome => outcome,
    }
}
