//! One exchange with a node: a request and its answer over one connection.
//!
//! All commands send their requests with [`run`]. What differs between them is in their [`Exchange`]: how the
//! request is written, what becomes of each frame of the answer, and whether the request may be sent twice.
//!
//! | state | event | next state |
//! | --- | --- | --- |
//! | waiting for a permit | permit granted, [`Exchange::begin`] agrees | leasing |
//! | | [`Exchange::begin`] declines | ended, nothing sent |
//! | | time up, too many waiting, circuit breaker open, node gone | ended, nothing sent |
//! | leasing | idle or new connection | sending |
//! | | cannot connect or log in, time up | ended, nothing sent |
//! | sending | request cannot be encoded | ended, nothing sent |
//! | | whole request sent | receiving |
//! | | *stale connection*: nothing sent, or may repeat | waiting, for a new connection |
//! | | any other fault | ended; says whether any byte was sent |
//! | receiving | frame, more to come | receiving |
//! | | *stale connection*: no byte of an answer, and may repeat | waiting, for a new connection |
//! | | *lost session*, the first time, [`Exchange::can_restart`] | waiting, for a new connection |
//! | | last frame | answered; the connection goes back to the pool if no bytes are left |
//! | | any other fault, or [`Exchange::frame`] fails | ended, sent |
//!
//! *Stale connection*: it came from the pool, and the peer had closed it. A peer that closes an idle
//! connection has not seen the request, so another connection costs the caller no attempt. Where the request
//! may be sent only once, this is certain only if nothing went out; such requests take a connection that was
//! checked just before ([`Wanted::Open`]). A new connection is never stale, so this happens once.
//!
//! *Lost session*: the node answers that it does not know the connection's user any more. It has not executed
//! the request. A new connection logs in first, which costs the caller no attempt either. The second time the
//! code is the answer.
//!
//! A connection whose answer was not read to its end is closed: the rest may be on its way
//! ([`Exchange::may_go_on`]).
//!
//! What the node's health learns: each whole frame is a sign of life, the code of an answer may count as a
//! failure, and the time of an answer counts if the node did the work ([`is_work`]). What follows from a fault
//! is up to the caller ([`Node::observe`]), which knows when its attempt began.

use std::future::Future;

use tokio::time::Instant;
use wire_protocol::ResultCode;
use wire_protocol::message::{FrameType, MAX_FRAME};

use crate::error::{Error, Fault};
use crate::metrics::{CANCELLED, Counts, trace};
use crate::net::buffers::Buffers;
use crate::net::pool::Wanted;
use crate::net::timer::Timer;
use crate::node::Node;

/// What differs between the exchanges of the commands.
pub(crate) trait Exchange: Send {
    /// What the end of the answer yields.
    type Answer: Send;

    /// Why there is no answer: a fault, a request that cannot be encoded, or a reason of the command's own.
    type Failure: From<Fault> + From<Error> + Send;

    /// The type of the answer's frames.
    const FRAME_TYPE: FrameType = FrameType::Message;

    /// The largest accepted body of a frame.
    const MAX_BODY: usize = MAX_FRAME;

    /// What the request is for ("read", "write", "batch", "query", "info"), and the namespace, if it has one.
    fn purpose(&self) -> (&'static str, &[u8]);

    /// Whether the request may be sent again though the node may have carried it out.
    fn may_repeat(&self) -> bool;

    /// Whether to compress the request and accept a compressed answer.
    fn compress(&self) -> bool;

    /// The number of rows that the node works on; `None` if the time until the answer does not say how fast the
    /// node is.
    fn timed_rows(&self) -> Option<usize>;

    /// Called each time there is a permit, before there is a connection. An error ends the exchange.
    fn begin(&mut self, _now: Instant) -> Result<(), Self::Failure> {
        Ok(())
    }

    /// Appends the request to `out`. `timeout_ms` is the time that is left, 0 for no limit.
    ///
    /// Called only when there is a connection, so that requests that wait for one take no memory.
    fn encode(&mut self, out: &mut Vec<u8>, timeout_ms: u32) -> Result<(), Error>;

    /// Processes the body of one frame. The socket timeout does not count the time that this takes.
    fn frame(
        &mut self,
        body: &[u8],
    ) -> impl Future<Output = Result<Received<Self::Answer>, Self::Failure>> + Send;

    /// Whether the answer that has ended may be followed by more bytes, although none have arrived. Its connection is
    /// closed.
    fn may_go_on(&self) -> bool {
        false
    }

    /// Whether `failure` means that the caller wanted no more of the answer. Metrics count such a request as
    /// [`CANCELLED`].
    fn is_stop(_failure: &Self::Failure) -> bool {
        false
    }

    /// Whether the request may be sent again after a lost session, although frames before the last were
    /// processed.
    fn can_restart(&self) -> bool {
        true
    }
}

pub(crate) enum Received<A> {
    /// A part of the answer.
    Part,
    /// The end of the answer, with the code for the whole request.
    End(ResultCode, A),
}

/// An exchange that ended without an answer.
#[derive(Debug)]
pub(crate) struct Unanswered<F> {
    pub(crate) why: F,
    /// Whether any byte of the request was sent that the node may still act on.
    pub(crate) any_sent: bool,
}

impl<F> Unanswered<F> {
    fn unsent(why: impl Into<F>) -> Self {
        Self { why: why.into(), any_sent: false }
    }

    fn sent(why: impl Into<F>) -> Self {
        Self { why: why.into(), any_sent: true }
    }
}

/// Why there is no answer, for commands without reasons of their own.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The node or the connection failed.
    Fault(Fault),
    /// The request cannot be sent.
    Refused(Error),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// Sends a request to `node` and reads the answer; see the table above. Returns the answer with its code,
/// which may be any code.
pub(crate) async fn run<X: Exchange>(
    exchange: &mut X,
    node: &Node,
    buffers: &mut Buffers,
    timer: &mut Timer,
) -> Result<(ResultCode, X::Answer), Unanswered<X::Failure>> {
    let mut request = CountedRequest { exchange, node, traffic: Traffic::default(), code: CANCELLED };
    let outcome = send(request.exchange, node, buffers, timer, &mut request.traffic).await;
    request.code = match &outcome {
        Ok((code, _)) => i32::from(*code),
        Err(unanswered) if X::is_stop(&unanswered.why) => CANCELLED,
        Err(_) => FAILED,
    };
    outcome
}

/// Adds a request to the metrics of its node when it is dropped, which may be before it ends: hedges that are too
/// late, and requests of calls that are cancelled.
struct CountedRequest<'a, X: Exchange> {
    exchange: &'a mut X,
    node: &'a Node,
    traffic: Traffic,
    code: i32,
}

impl<X: Exchange> Drop for CountedRequest<'_, X> {
    fn drop(&mut self) {
        if let Some(start) = self.traffic.start
            && self.node.metrics.is_enabled()
        {
            let (purpose, namespace) = self.exchange.purpose();
            let counts = Counts::of_request(start.elapsed(), self.traffic.sent, self.traffic.received);
            self.node.metrics.add(purpose, namespace, self.code, &counts);
        }
    }
}

/// What went over the network for a request.
#[derive(Default)]
struct Traffic {
    /// When it began, if there was a connection.
    start: Option<Instant>,
    sent: usize,
    received: usize,
}

/// The code of requests without an answer in the metrics of nodes.
const FAILED: i32 = -1;

async fn send<X: Exchange>(
    exchange: &mut X,
    node: &Node,
    buffers: &mut Buffers,
    timer: &mut Timer,
    traffic: &mut Traffic,
) -> Result<(ResultCode, X::Answer), Unanswered<X::Failure>> {
    let may_repeat = exchange.may_repeat();
    let mut wanted = if may_repeat { Wanted::Any } else { Wanted::Open };
    let mut has_lost_session = false;
    'connection: loop {
        let permit = node.permit(timer).await.map_err(Unanswered::unsent)?;
        let start = Instant::now();
        exchange.begin(start).map_err(Unanswered::unsent)?;
        let mut leased = node.lease(permit, timer, wanted).await.map_err(Unanswered::unsent)?;
        buffers.request.clear();
        exchange
            .encode(&mut buffers.request, timer.remaining_ms())
            .and_then(|()| Ok(buffers.prepare(exchange.compress())?))
            .map_err(Unanswered::unsent)?;
        traffic.start = Some(start);
        traffic.sent += buffers.request.len();
        trace::note_request(&node.name, node.address);
        if let Err((fault, any_sent)) = leased.connection.send(&buffers.request, timer).await {
            if leased.reused && fault.is_stale() && (may_repeat || !any_sent) {
                wanted = Wanted::New;
                continue;
            }
            return Err(Unanswered { why: fault.into(), any_sent });
        }
        let mut is_first = true;
        loop {
            let input = &mut buffers.input;
            let body = match input.frame(&mut leased.connection, timer, X::FRAME_TYPE, X::MAX_BODY).await {
                Ok(body) => body,
                Err(fault) => {
                    let is_unanswered = is_first && input.is_empty();
                    if may_repeat && is_unanswered && leased.reused && fault.is_stale() {
                        wanted = Wanted::New;
                        continue 'connection;
                    }
                    return Err(Unanswered::sent(fault));
                }
            };
            is_first = false;
            node.health.note_answer();
            traffic.received += body.len();
            let received = exchange.frame(input.body(body)).await.map_err(Unanswered::sent)?;
            let Received::End(code, answer) = received else {
                timer.step();
                continue;
            };
            if !has_lost_session
                && exchange.can_restart()
                && node.forget_lost_session(code, &leased.connection)
            {
                timer.step();
                (has_lost_session, wanted) = (true, Wanted::New);
                continue 'connection;
            }
            if input.is_empty() && !exchange.may_go_on() {
                leased.recycle();
            }
            node.observe_code(code);
            if let Some(rows) = exchange.timed_rows().filter(|&rows| is_work(code, rows)) {
                node.health.note_time(rows, start.elapsed());
            }
            return Ok((code, answer));
        }
    }
}

/// Whether the time until an answer with `code` is what the node takes for `rows`.
///
/// The adaptive delay before a hedge is a multiple of that time. A refusal (overload, a busy record, a quota,
/// no rights) comes quickly because no work was done: if it counted, a node that sheds load would seem fast
/// and be hedged too early. That a record is not there or is filtered out is found by the same work as the
/// record itself, so for one row it counts. A request for many rows that ends with any code but OK may have
/// stopped at the first of them. Codes of a write that found its record but did not apply are left out, too:
/// writes are not hedged, and a missing sample does no harm.
fn is_work(code: ResultCode, rows: usize) -> bool {
    if rows == 1 { code.is_about_record() } else { code.is_ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_no_work() {
        let codes = |rows| -> Vec<u8> { (0..=u8::MAX).filter(|&code| is_work(code.into(), rows)).collect() };
        assert_eq!(codes(1), [0, 2, 27]);
        assert_eq!(codes(300), [0]);
    }
}
