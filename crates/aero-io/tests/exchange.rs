//! Each way in which an exchange with a node ends, for each command that exchanges messages with one.
//!
//! A case says what the node does. For each command, the table has the result, the number of requests that
//! the node received, which connection is left, whether a write is in doubt, and what the client learned of
//! the node.

mod support;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aero_io::{Cluster, ClusterConfig};
use support::callers::CALLERS;
use support::callers::Caller::{Get, Info, Operate, Put, ReadBatch, RunQuery, WriteBatch};
use support::callers::{Caller, call, outcome_of};
use support::exchanges::{
    Asked, CASE, Case, OVERDUE, SLOW, Script, Scripted, Seen, USUAL, answered, broken, check, check_for,
    compare, first, lines, quiet, slowly,
};
use support::net::{Act, Net};
use support::wire::{end, frame};
use support::{MS, config, digest};
use wire_protocol::info::PartitionBitmap;
use wire_protocol::message::{FrameType, write_frame};

#[tokio::test(start_paused = true)]
async fn an_answer_is_timed_and_its_connection_used_again() {
    let case = Case { name: "answer over a connection that was used", ..CASE };
    check(case, |caller, case| answered(caller, case, 1, 0)).await;
    let case = Case { name: "answer over a new connection", is_reused: false, ..CASE };
    check(case, |caller, case| answered(caller, case, 1, 1)).await;
}

/// Refusals come at once: if they were timed, the adaptive delay would shrink.
#[tokio::test(start_paused = true)]
async fn refusals_are_not_timed() {
    const CODES: [(u8, Script); 5] = [
        (18, |_, asked| vec![Act::Send(asked.refused(18))]),
        (14, |_, asked| vec![Act::Send(asked.refused(14))]),
        (9, |_, asked| vec![Act::Send(asked.refused(9))]),
        (83, |_, asked| vec![Act::Send(asked.refused(83))]),
        (80, |_, asked| vec![Act::Send(asked.refused(80))]),
    ];
    for (code, script) in CODES {
        let case = Case { name: "refusal", script, ..CASE };
        check(case, |caller, case| {
            let is_code = caller != Info || code == 80;
            Seen {
                // Other errors of info commands are text.
                code: if is_code { i32::from(code) } else { 0 },
                // Such a batch may have applied some rows; a single write says itself whether it was applied.
                in_doubt: match caller {
                    WriteBatch => matches!(code, 9 | 14 | 18),
                    Put | Operate => code == 9,
                    _ => false,
                },
                requests: 1,
                idle: 1,
                errors: u64::from(code == 18 && is_code),
                busy: u64::from(code == 14 && is_code),
                timeouts: u64::from(code == 9 && is_code),
                failures: u32::from((code == 18 || code == 9) && is_code),
                ..first(caller, case)
            }
        })
        .await;
    }
}

/// A record that is not there, or is filtered out, is found by the same work as one that is. A batch that
/// ends with such a code stopped before its last row.
#[tokio::test(start_paused = true)]
async fn answers_about_the_record_are_timed() {
    const CODES: [(u8, Script); 2] = [
        (2, |_, asked| vec![Act::Wait(SLOW), Act::Send(asked.refused(2))]),
        (27, |_, asked| vec![Act::Wait(SLOW), Act::Send(asked.refused(27))]),
    ];
    for (code, script) in CODES {
        let case = Case { name: "answer about the record", script, ..CASE };
        check(case, |caller, case| Seen {
            code: match caller {
                ReadBatch | WriteBatch => -15,
                Info => 0,
                _ => i32::from(code),
            },
            in_doubt: caller == WriteBatch,
            usual: if caller.is_batch() { Some(USUAL) } else { answered(caller, case, 1, 0).usual },
            ..answered(caller, case, 1, 0)
        })
        .await;
    }
    let script: Script = |_, asked| vec![Act::Send(asked.refused(3))];
    let case = Case { name: "generation", script, ..CASE };
    check_for(&[Put, Operate], case, |caller, case| Seen {
        code: 3,
        requests: 1,
        idle: 1,
        ..first(caller, case)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_costs_no_attempt() {
    // Used so recently that reads do not check it, and long ago.
    for before in [Duration::ZERO, MS * 100] {
        let case = Case { name: "closed while idle", closed: Some(before), ..CASE };
        check(case, |caller, case| answered(caller, case, 1, 1)).await;
    }
    // The request can still be sent, and is lost: only the look at the connection protects a write from doubt.
    let case = Case { name: "half-closed while idle", is_half_closed: true, ..CASE };
    check(case, |caller, case| answered(caller, case, 1, 1)).await;
    // Closed between the check and the request: nothing was sent.
    let case = Case { name: "closed before the first byte", cut: Some(0), ..CASE };
    check(case, |caller, case| answered(caller, case, 1, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn only_what_may_be_repeated_is_sent_again_after_a_part_of_it() {
    let case = Case { name: "closed after a part of the request", cut: Some(10), ..CASE };
    check(case, |caller, case| match caller.may_repeat() {
        true => answered(caller, case, 1, 1),
        false => broken(caller, case, 0, true),
    })
    .await;
    let script: Script = |n, asked| if n == 0 { vec![Act::Close] } else { slowly(asked) };
    let case = Case { name: "closed after the request", script, ..CASE };
    check(case, |caller, case| match caller.may_repeat() {
        true => answered(caller, case, 2, 1),
        false => broken(caller, case, 1, true),
    })
    .await;
}

/// A new connection was never idle, so it is not stale.
#[tokio::test(start_paused = true)]
async fn a_new_connection_that_breaks_is_a_failure() {
    for (cut, any_sent) in [(0, false), (10, true)] {
        let case = Case { name: "new connection, request cut", is_reused: false, cut: Some(cut), ..CASE };
        check(case, |caller, case| broken(caller, case, 0, any_sent && !caller.may_repeat())).await;
    }
    let script: Script = |_, _| vec![Act::Close];
    let case = Case { name: "new connection closed after the request", is_reused: false, script, ..CASE };
    check(case, |caller, case| broken(caller, case, 1, !caller.may_repeat())).await;
    // The new connection after a stale one is new, too.
    let case = Case { name: "every connection closed after the request", script, ..CASE };
    check(case, |caller, case| match caller.may_repeat() {
        true => Seen { opened: 1, ..broken(caller, case, 2, false) },
        false => broken(caller, case, 1, true),
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_is_not_asked_for_again() {
    let script: Script = |_, asked| vec![Act::Send(asked.parts()[0][..12].to_vec()), Act::Close];
    let case = Case { name: "closed in the first frame", script, ..CASE };
    check(case, |caller, case| broken(caller, case, 1, !caller.may_repeat())).await;
    let script: Script = |_, _| vec![Act::Send(vec![2]), Act::Close];
    let case = Case { name: "closed after the first byte", script, ..CASE };
    check(case, |caller, case| broken(caller, case, 1, !caller.may_repeat())).await;
}

/// Only the end of the answer is missing. Rows have their answers, but a query's partition is not complete.
#[tokio::test(start_paused = true)]
async fn a_connection_closed_between_frames_is_not_stale() {
    let script: Script = |_, asked| vec![Act::Send(asked.parts().swap_remove(0)), Act::Close];
    let case = Case { name: "closed between frames", script, ..CASE };
    check_for(&[ReadBatch, WriteBatch, RunQuery], case, |caller, case| Seen {
        code: if caller == RunQuery { -10 } else { 0 },
        ..broken(caller, case, 1, false)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_session_costs_a_login_and_no_attempt() {
    let script: Script = |n, asked| if n == 0 { vec![Act::Send(asked.refused(80))] } else { slowly(asked) };
    let case = Case { name: "session lost once", has_user: true, script, ..CASE };
    check(case, |caller, case| Seen { logins: 1, ..answered(caller, case, 2, 1) }).await;
    let script: Script = |n, asked| if n == 0 { vec![Act::Send(asked.refused(66))] } else { slowly(asked) };
    let case = Case { name: "session ended once", has_user: true, script, ..CASE };
    check(case, |caller, case| Seen { logins: 1, ..answered(caller, case, 2, 1) }).await;
}

/// Each of the two is repaired once; what follows is final.
#[tokio::test(start_paused = true)]
async fn a_session_lost_twice_is_the_answer() {
    let script: Script = |_, asked| vec![Act::Send(asked.refused(80))];
    let lost = |requests, caller, case: &Case| Seen {
        code: 80,
        requests,
        opened: 1,
        idle: 1,
        logins: 1,
        ..first(caller, case)
    };
    let case = Case { name: "session lost twice", has_user: true, script, ..CASE };
    check(case, |caller, case| lost(2, caller, case)).await;
    let case = Case { name: "closed while idle, session lost twice", closed: Some(Duration::ZERO), ..case };
    check(case, |caller, case| Seen { opened: 2, ..lost(2, caller, case) }).await;
    // The request before the lost session was not executed; the one after it may have been.
    let script: Script =
        |n, asked| if n == 0 { vec![Act::Send(asked.refused(80))] } else { vec![Act::Close] };
    let case = Case { name: "session lost, then closed", has_user: true, script, ..CASE };
    check(case, |caller, case| Seen {
        opened: 1,
        logins: 1,
        ..broken(caller, case, 2, !caller.may_repeat())
    })
    .await;
}

/// A session that ends after a part of the answer: rows are not sent again, a query continues after its last
/// record.
#[tokio::test(start_paused = true)]
async fn a_session_lost_in_the_middle_of_an_answer() {
    let script: Script = |n, asked| match (n, asked) {
        (0, asked) => vec![Act::Send(asked.parts().swap_remove(0)), Act::Send(asked.refused(80))],
        (_, Asked::Message(request)) if request.query.is_some() => {
            let scope = request.query.as_ref().unwrap();
            assert_eq!((&*scope.partitions, &*scope.after), (&[][..], &[digest(5, 1)][..]));
            vec![Act::Send(frame(&[end(0)]))]
        }
        (_, asked) => slowly(asked),
    };
    let case = Case { name: "session lost behind records", has_user: true, script, ..CASE };
    check_for(&[ReadBatch, WriteBatch, RunQuery], case, |caller, case| match caller {
        RunQuery => Seen { logins: 1, ..answered(caller, case, 2, 1) },
        _ => Seen { requests: 1, idle: 1, ..first(caller, case) },
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn time_that_is_up_closes_the_connection() {
    let silent = |caller: Caller, case: &Case| Seen {
        // A batch checks a request that takes four times as long as usual, and records its time.
        usual: if caller.is_batch() { Some(OVERDUE) } else { first(caller, case).usual },
        code: 9,
        in_doubt: !caller.may_repeat(),
        requests: 1,
        suspect: true,
        timeouts: 1,
        failures: 1,
        ..first(caller, case)
    };
    let script: Script = |_, _| vec![Act::Hang];
    let socket_timeout = MS * 200;
    let case = Case { name: "socket timeout", script, socket_timeout, ..CASE };
    check(case, silent).await;
    let case = Case { name: "deadline", script, total_timeout: MS * 200, ..CASE };
    check(case, silent).await;
    // A node that sent something is not silent.
    let script: Script = |_, asked| vec![Act::Wait(MS), Act::Send(asked.parts().swap_remove(0)), Act::Hang];
    let case = Case { name: "socket timeout between frames", script, socket_timeout, ..CASE };
    check_for(&[RunQuery], case, |caller, case| Seen { suspect: false, ..silent(caller, case) }).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_answer_close_the_connection() {
    let malformed = |caller: Caller, case: &Case| Seen {
        code: -1,
        in_doubt: !caller.may_repeat(),
        requests: 1,
        errors: 1,
        failures: 1,
        ..first(caller, case)
    };
    let script: Script = |_, _| vec![Act::Send(vec![9; 30])];
    check(Case { name: "another protocol", script, ..CASE }, malformed).await;
    let script: Script = |_, asked| match asked {
        Asked::Message(_) => vec![Act::Send(frame(&[vec![7; 30]]))],
        Asked::Info => {
            let mut out = Vec::new();
            write_frame(&mut out, FrameType::Info, |out| out.push(0xff)).unwrap();
            vec![Act::Send(out)]
        }
    };
    check(Case { name: "malformed body", script, ..CASE }, malformed).await;
    let script: Script = |_, asked| match asked {
        Asked::Message(_) => vec![Act::Send(lines("status\tok\n"))],
        Asked::Info => vec![Act::Send(frame(&[end(0)]))],
    };
    check(Case { name: "frame of another type", script, ..CASE }, malformed).await;
}

/// The next request must not take the surplus for its answer.
#[tokio::test(start_paused = true)]
async fn a_connection_with_bytes_left_is_not_used_again() {
    for (name, script) in [
        (
            "surplus byte",
            (|_, asked| vec![Act::Wait(SLOW), Act::Send([asked.ok(), vec![2]].concat())]) as Script,
        ),
        ("surplus answer", |_, asked| vec![Act::Wait(SLOW), Act::Send([asked.ok(), asked.ok()].concat())]),
    ] {
        check(Case { name, script, ..CASE }, |caller, case| Seen { idle: 0, ..answered(caller, case, 1, 0) })
            .await;
    }
    let script: Script = |_, asked| vec![Act::Send([asked.refused(18), vec![2]].concat())];
    let case = Case { name: "surplus byte behind a refusal", script, ..CASE };
    check_for(&[Get, Put, Operate, RunQuery], case, |caller, case| Seen {
        code: 18,
        requests: 1,
        errors: 1,
        failures: 1,
        ..first(caller, case)
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_request_that_cannot_be_written_is_not_the_nodes_failure() {
    let case = Case { name: "unwritable row", is_unwritable: true, ..CASE };
    check_for(&[WriteBatch], case, |caller, case| Seen { code: -2, ..first(caller, case) }).await;
}

/// Nothing is sent, and nothing is learned of the node, while all connections are in use.
#[tokio::test(start_paused = true)]
async fn without_a_permit_nothing_is_sent() {
    let mut cells = Vec::new();
    for caller in CALLERS {
        let (net, nodes) = Net::cluster(1);
        let scripted = Scripted::new(&nodes[0], |_, _| vec![Act::Hang]);
        let cluster = Cluster::connect(quiet(1), net as _).await.unwrap();
        let twin = cluster.clone();
        let holder = tokio::spawn(async move { call(Get, &twin, &CASE).await });
        tokio::time::sleep(MS).await;
        let outcome = call(caller, &cluster, &Case { total_timeout: MS * 300, ..CASE }).await;
        holder.abort();
        let node = &cluster.stats().nodes[0];
        let learned = (node.suspect, node.errors, node.timeouts, node.error_rate, node.usual_time);
        let found = (outcome, scripted.seen(), node.connections_opened, learned);
        cells.push((format!("{caller:?}"), found, ((-7, false), 1, 1, (false, 0, 0, 0, None))));
    }
    compare(cells);
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_breaker_is_open_is_not_asked() {
    let mut cells = Vec::new();
    for caller in CALLERS {
        let (net, nodes) = Net::cluster(1);
        let scripted = Scripted::new(&nodes[0], |_, _| vec![Act::Send(vec![9; 30])]);
        let config = ClusterConfig { max_error_rate: 1, ..quiet(100) };
        let cluster = Cluster::connect(config, net as _).await.unwrap();
        for _ in 0..2 {
            assert_eq!(call(Get, &cluster, &CASE).await, (-1, false));
        }
        let outcome = call(caller, &cluster, &CASE).await;
        let node = &cluster.stats().nodes[0];
        let learned = (node.suspect, node.errors, node.timeouts, node.error_rate);
        assert_eq!((node.circuit_open, node.circuit_opened), (true, 1));
        let found = (outcome, scripted.seen(), node.connections_opened, learned);
        cells.push((format!("{caller:?}"), found, ((-14, false), 2, 2, (false, 2, 0, 2))));
    }
    compare(cells);
}

/// A node leaves the cluster while a command waits for a connection to it: nothing was sent, so the command
/// goes to the node that has the record now. Info commands are for that node alone.
#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_before_the_request_costs_no_attempt() {
    let mut cells = Vec::new();
    for caller in CALLERS {
        let (net, nodes) = Net::cluster(3);
        let scripted: Vec<Scripted> =
            nodes.iter().map(|node| Scripted::new(node, |_, asked| slowly(asked))).collect();
        scripted[0].set(|_, _| vec![Act::Hang]);
        // All partitions are the first node's, then all the second's.
        let (all, none) = (|| PartitionBitmap::of(0..4096), || PartitionBitmap::of(0..0));
        nodes[0].claim("test", vec![all(), none()]);
        nodes[1].claim("test", vec![none(), all()]);
        nodes[2].claim("test", vec![none(), none()]);
        let config = ClusterConfig { max_conns_per_node: 1, ..config(&["10.0.0.2:3000"]) };
        let cluster = Cluster::connect(config, net as _).await.unwrap();
        let twin = cluster.clone();
        let long = Case { total_timeout: MS * 60_000, socket_timeout: Duration::ZERO, ..CASE };
        let holder = tokio::spawn(async move { call(Get, &twin, &long).await });
        tokio::time::sleep(MS).await;
        nodes[0].is_hung.store(true, Ordering::SeqCst);
        nodes[1].know(&nodes[1..]);
        nodes[2].know(&nodes[1..]);
        nodes[1].claim("test", vec![all(), none()]);
        let outcome = match caller {
            Info => {
                let answers = cluster.info_within(Some("N1"), &["status"], long.total_timeout).await;
                outcome_of(answers.unwrap().remove(0).1)
            }
            _ => call(caller, &cluster, &long).await,
        };
        holder.abort();
        let seen: Vec<usize> = scripted.iter().map(Scripted::seen).collect();
        let found = (outcome, seen, cluster.stats().retries);
        let expected = match caller {
            Info => ((-10, false), vec![1, 0, 0], 0),
            _ => ((0, false), vec![1, 1, 0], 0),
        };
        cells.push((format!("{caller:?}"), found, expected));
    }
    compare(cells);
}
