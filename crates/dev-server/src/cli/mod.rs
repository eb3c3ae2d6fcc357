//! The server as a program: its options, its control commands on standard input, and the signals that stop
//! it.
//!
//! Uses [`server`](crate::server) to run the nodes. Start with [`main_with`]; the table of options is in
//! [`options`], the control commands are in [`control`].

mod control;
mod fault_rule;
mod number;
mod options;
mod signals;

use std::io::{self, BufRead as _, Write as _};

use tokio::sync::mpsc;

use crate::cli::options::{Invocation, parse};
use crate::cli::signals::StopSignals;
use crate::config::Config;
use crate::error::DevServerError;
use crate::server::DevServer;

/// Runs the program with the given arguments, without its own name, until it is stopped. Returns its exit
/// code: 0, 1 when it could not start, 2 when the arguments are wrong.
pub fn main_with(args: impl Iterator<Item = String>) -> i32 {
    let (config, exit_with_stdin) = match parse(args) {
        Ok(Invocation::Run { config, exit_with_stdin }) => (config, exit_with_stdin),
        Ok(Invocation::Print(text)) => {
            print(&text);
            return 0;
        }
        Err(error) => {
            print_error(&error);
            return 2;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            print_error(&error);
            return 1;
        }
    };
    let result = runtime.block_on(run(config, exit_with_stdin));
    // Do not wait for the thread that reads standard input: it may block for ever.
    runtime.shutdown_background();
    match result {
        Ok(()) => 0,
        Err(error) => {
            print_error(&error);
            1
        }
    }
}

async fn run(config: Config, exit_with_stdin: bool) -> Result<(), DevServerError> {
    // Before the server says that it is ready: a signal sent right after that must stop it properly.
    let mut signals = StopSignals::new()?;
    let server = DevServer::start(config).await?;
    let lines: String =
        server.addresses().iter().map(|address| format!("listening on {address}\n")).collect();
    print(&lines);
    if !exit_with_stdin {
        // Someone at a terminal. A process that reads standard output gets the addresses only.
        _ = io::stderr().write_all(what_to_try(&server.addresses()[0].to_string()).as_bytes());
    }
    let mut commands = exit_with_stdin.then(read_lines);
    loop {
        tokio::select! {
            () = signals.next() => break,
            command = next_line(&mut commands) => match command {
                Some(command) => print(&control::execute(&server, command.trim()).await),
                None => break,
            },
        }
    }
    server.stop().await;
    Ok(())
}

/// What a newcomer can do with a server that has just started.
fn what_to_try(address: &str) -> String {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "3000"));
    let host = host.trim_matches(['[', ']']);
    format!(
        "in another terminal:  aerospike-py info {address}\n\
         \x20                     aerospike-py bench {address}\n\
         in Python:            import aerospike_py\n\
         \x20                     client = aerospike_py.client({{\"hosts\": [(\"{host}\", {port})]}}).connect()\n\
         Ctrl-C stops the server; its records are gone then.\n"
    )
}

/// The next line of standard input, `None` at its end. Pending for ever if standard input is not read.
async fn next_line(lines: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads lines from standard input on a thread of its own, since such a read cannot be cancelled.
fn read_lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Prints and flushes, since the parent process waits for the line. Errors are ignored: the server keeps
/// running when standard output is closed.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn print_error(error: &dyn std::error::Error) {
    _ = writeln!(io::stderr(), "dev-server: {error}");
}
