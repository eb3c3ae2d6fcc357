//! Batch reads into arrays in which the server picks values out of maps and lists: `project="server"`.
//!
//! A first request has the server pick. It refuses a record as a whole when a step of a path finds no map or list where
//! one should be. Such records are read again, whole, within the time of the call; the client then finds out what is
//! missing and what is of another type.

use std::sync::Arc;
use std::time::Instant;

use aero_io::{BatchKeys, BatchOperate, BatchPolicy, BatchRead, Cluster, Error, Limits};
use pyo3::prelude::*;
use record_decode::{Plan, Projection, Step};

use crate::args::operations::Operations;
use crate::args::row_command::RowCommand;
use crate::commands::batch_operate::RowCommands;
use crate::core::containers::{KnownContainers, Place};
use crate::keys::KeyArena;
use crate::python::errors::{param_error, request_error};
use crate::results::projected_rows::{IntPath, PickedRows, WholeRows};
use crate::results::sinks::{NO_RESPONSE, NumpyRows};
use crate::values::OpBytes;

/// Makes the reads of a call.
pub(super) struct Projector {
    containers: Arc<KnownContainers>,
}

impl Projector {
    pub(super) fn new(
        py: Python<'_>,
        policy: &BatchPolicy,
        containers: &Arc<KnownContainers>,
    ) -> PyResult<Self> {
        let percent = policy.reads.touch_ttl_percent;
        if percent != 0 {
            let message = format!(
                "project is \"server\" and read_touch_ttl_percent {percent}: records that are read twice would be \
                 touched twice; use project=\"client\", or leave read_touch_ttl_percent at 0"
            );
            return Err(param_error(py, message));
        }
        Ok(Self { containers: Arc::clone(containers) })
    }

    /// The read of a plan's fields; None if there is nothing to pick.
    pub(super) fn read(
        &self,
        py: Python<'_>,
        plan: &Plan,
        arena: &Arc<KeyArena>,
        request: &BatchRead,
    ) -> PyResult<Option<ProjectedRead>> {
        let known = |bin: &str, steps: &[Step]| self.containers.get(Place::new(arena.spaces(), bin, steps));
        let projection = plan.projection(known).map_err(|error| request_error(py, &error))?;
        let Some(projection) = projection else { return Ok(None) };
        let encoded = OpBytes { count: projection.count, bytes: projection.ops.clone() };
        let operations = Operations { encoded, reads: true, responds_to_all: true, ..Operations::default() };
        let command = RowCommand::read(operations, &request.policy, Vec::new());
        let ops = Arc::new(RowCommands::one(Arc::clone(arena), command));
        let has_int = |steps: &[Step]| steps.iter().any(|step| matches!(step, Step::Int(_)));
        let paths = plan.paths().filter(|(_, path)| has_int(&path.steps));
        let paths = paths.map(|(_, path)| (path.bin.clone(), path.steps.clone())).collect();
        let (arena, containers) = (Arc::clone(arena), Arc::clone(&self.containers));
        Ok(Some(ProjectedRead { projection, ops, paths, arena, containers }))
    }
}

/// A read in which the server picks.
pub(super) struct ProjectedRead {
    projection: Projection,
    ops: Arc<RowCommands>,
    paths: Vec<IntPath>,
    arena: Arc<KeyArena>,
    containers: Arc<KnownContainers>,
}

impl ProjectedRead {
    /// Reads the records into `rows`. `request` asks for whole bins.
    pub(super) async fn run(
        self,
        cluster: Cluster,
        keys: Arc<BatchKeys>,
        request: BatchRead,
        rows: &Arc<NumpyRows>,
    ) -> Result<(), Error> {
        let start = Instant::now();
        let picked = Arc::new(PickedRows::new(Arc::clone(rows), self.projection));
        // A record that is refused must not end the batch.
        let policy = BatchPolicy { respond_all_keys: true, ..request.policy.clone() };
        let batch = BatchOperate { name: request.name, ops: self.ops, policy };
        let outcome = cluster.batch_operate(Arc::clone(&keys), batch, Arc::clone(&picked)).await;
        let open = picked.take_open();
        if open.is_empty() || outcome.is_err() {
            return outcome;
        }
        let is_all = open.len() == keys.len();
        let again = subset(&keys, &open)?;
        let request = BatchRead { policy: remaining(&request.policy, keys.len(), start), ..request };
        let whole = Arc::new(WholeRows::new(Arc::clone(rows), open, self.paths));
        let outcome = cluster.batch_read(Arc::new(again), Arc::new(request), Arc::clone(&whole)).await;
        for (path, before, container) in whole.take_found() {
            let Some((bin, steps)) = whole.paths().get(path) else { continue };
            let steps = steps.get(..before).unwrap_or_default();
            self.containers.add(Place::new(self.arena.spaces(), bin, steps), container);
        }
        match outcome {
            // Other rows were answered.
            Err(error) if !is_all && !matches!(error, Error::Sealed) => {
                whole.fail_rest(error.code());
                Ok(())
            }
            outcome => {
                whole.fail_rest(NO_RESPONSE);
                outcome
            }
        }
    }
}

/// The keys of some rows.
fn subset(keys: &BatchKeys, rows: &[u32]) -> Result<BatchKeys, Error> {
    let digests: Vec<_> = rows.iter().filter_map(|&row| keys.digest(row as usize)).collect();
    let spaces = rows.iter().filter_map(|&row| keys.space_of(row as usize)).map(|space| space as u32);
    BatchKeys::mixed(keys.spaces().to_vec(), spaces.collect(), digests)
}

/// The policy with the time that is left of a call.
fn remaining(policy: &BatchPolicy, rows: usize, start: Instant) -> BatchPolicy {
    let total = policy.total_timeout(rows);
    let total_timeout = match total.is_zero() {
        true => total,
        // Zero would be no limit.
        false => total.saturating_sub(start.elapsed()).max(std::time::Duration::from_millis(1)),
    };
    let limits = Limits { total_timeout: Some(total_timeout), ..policy.limits.clone() };
    BatchPolicy { limits, ..policy.clone() }
}
