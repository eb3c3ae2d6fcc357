//! Batches: many rows, sent as requests to several nodes side by side.
//!
//! Start reading at [`work`]: it holds the loop that sends requests, handles their answers and retries what
//! failed. [`call`] is what all requests of a batch share, [`attempt`] one try at some rows. [`grouping`]
//! decides which rows go to which node, [`chunk`] is one request, [`in_flight`] and [`retry_queue`] keep track
//! of rows without an answer, [`progress`] of rows with one. [`any_sink`] hands answers to the
//! sink. [`keys`], [`request`] and [`sink`] are what a
//! caller provides. May use every room below it; it knows nothing of queries.

mod alarm;
pub(crate) mod any_sink;
mod attempt;
mod call;
mod chunk;
mod finished;
mod grouping;
mod in_flight;
pub(crate) mod keys;
mod overdue;
mod progress;
pub(crate) mod request;
mod retry_queue;
pub(crate) mod sink;
pub(crate) mod work;
