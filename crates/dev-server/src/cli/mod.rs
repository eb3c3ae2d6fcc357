//! The server as a program: options, signals, and orders on its standard input.

mod control;

use std::io::{self, BufRead as _, Write as _};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::cli::control::obey;
use crate::{Config, DevServer, DevServerError, TlsFiles, User};

const USAGE: &str = "\
A small in-memory server that speaks the Aerospike wire protocol.

Options:
  --host HOST               listen on this address or name [127.0.0.1]
  --port PORT               the first node's port, the others follow; 0: free ones [3000]
  --nodes N                 nodes of the cluster [1]
  --namespace NAME          a namespace, may be given several times [test, bar]
  --replication-factor N    nodes that hold each partition [2, at most the nodes]
  --cluster-name NAME       [dev-server]
  --default-ttl SECONDS     life of records whose write names none; 0: for ever [0]
  --max-record-size BYTES   [1048576]
  --batch-max-requests N    most rows of a batch; 0: no limit [0]
  --failure-detection MS    how long the others take to notice that a node is dead or hung;
                            0: death at once, hanging never [0]
  --racks N,N,...           the rack of each node
  --strong-consistency      namespaces are strongly consistent
  --access-host HOST        what nodes say to be reached at
  --alternate-host HOST     what they say to those who ask for alternate addresses
  --any-map-keys            take maps with keys of any type, as servers before 7.1 did
  --compression             take compressed requests and compress answers, as the Enterprise Edition
  --tls-cert FILE           listen for TLS only, with this certificate (PEM) ...
  --tls-key FILE            ... this key of it, not encrypted ...
  --tls-name NAME           ... and this name of it, which nodes tell clients to expect
  --tls-ca FILE             clients need a certificate, too, signed by one of these authorities
  --user NAME:PASSWORD[:ROLE,ROLE]
                            a user, may be given several times; everybody has to log in then. Other users
                            of the machine can see it; the order `user` is for passwords that matter
  --external-user NAME:PASSWORD[:ROLE,ROLE]
                            one that external authentication is for
  --security                everybody has to log in even without users
  --session-ttl SECONDS     how long a login is good for [86400]
  --exit-with-stdin         take orders on standard input and exit when it ends
  --version                 print the version and exit
  --help                    print this and exit

Prints `listening on HOST:PORT` for each node when ready; SIGINT and SIGTERM end it.
Orders, each a line, nodes counted from 0:
  kill N, restart N, pause N, refuse N, resume N, move PARTITIONS, advance SECONDS, counters N,
  fault N|all FAULT [command=batch|query|read|write|info] [times=N], clear N|all,
  user NAME PASSWORD ROLE,ROLE [external] (name and password in hexadecimal digits)
FAULT is close, close-mid-frame, late MS, silent, garbage, wrong-row-index, row-twice, huge-frame, code N
or row-code N. Each is answered with `ok ORDER` (and what was asked for) or `error ORDER: why`, where of
the order `user` only that word is told.
";

/// What the command line asks for.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one, once")]
enum Asked {
    Run { config: Config, exit_with_stdin: bool },
    Print(String),
}

/// Runs the program with these arguments (its own name not among them) until it is told to end; gives its
/// exit code: 0, 1 when it could not start, 2 for wrong arguments.
pub fn main_with(args: impl Iterator<Item = String>) -> i32 {
    let (config, exit_with_stdin) = match parse(args) {
        Ok(Asked::Run { config, exit_with_stdin }) => (config, exit_with_stdin),
        Ok(Asked::Print(text)) => {
            print(&text);
            return 0;
        }
        Err(error) => {
            complain(&error);
            return 2;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return 1;
        }
    };
    let result = runtime.block_on(run(config, exit_with_stdin));
    // The thread that reads standard input may still wait for a line.
    runtime.shutdown_background();
    match result {
        Ok(()) => 0,
        Err(error) => {
            complain(&error);
            1
        }
    }
}

fn parse(args: impl Iterator<Item = String>) -> Result<Asked, DevServerError> {
    let mut config = Config { port: 3000, ..Config::default() };
    let mut namespaces = Vec::new();
    let mut exit_with_stdin = false;
    let (mut cert, mut key, mut ca, mut tls_name) = (None, None, None, None);
    let mut args = args;
    while let Some(arg) = args.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (arg, None),
        };
        let mut value = || {
            attached
                .clone()
                .or_else(|| args.next())
                .ok_or_else(|| DevServerError::config(format!("{name} needs a value")))
        };
        match name.as_str() {
            "--host" => config.host = value()?,
            "--port" => config.port = number(&name, &value()?)?,
            "--nodes" => config.nodes = number(&name, &value()?)?,
            "--namespace" => namespaces.push(value()?),
            "--replication-factor" => config.replication_factor = Some(number(&name, &value()?)?),
            "--cluster-name" => config.cluster_name = value()?,
            "--default-ttl" => config.default_ttl = number(&name, &value()?)?,
            "--max-record-size" => config.max_record_size = number(&name, &value()?)?,
            "--batch-max-requests" => config.batch_max_requests = number(&name, &value()?)?,
            "--failure-detection" => {
                config.failure_detection = Duration::from_millis(number(&name, &value()?)?);
            }
            "--racks" => {
                config.racks =
                    value()?.split(',').map(|rack| number(&name, rack)).collect::<Result<_, _>>()?;
            }
            "--strong-consistency" => config.strong_consistency = true,
            "--access-host" => config.access_host = Some(value()?),
            "--alternate-host" => config.alternate_host = Some(value()?),
            "--compression" => config.compression = true,
            "--any-map-keys" => config.any_map_keys = true,
            "--tls-cert" => cert = Some(value()?.into()),
            "--tls-key" => key = Some(value()?.into()),
            "--tls-ca" => ca = Some(value()?.into()),
            "--tls-name" => tls_name = Some(value()?),
            "--user" => config.users.push(User::parse(&value()?)?),
            "--external-user" => config.users.push(User::parse(&value()?)?.external()),
            "--security" => config.security = true,
            "--session-ttl" => config.session_ttl = number(&name, &value()?)?,
            "--exit-with-stdin" => exit_with_stdin = true,
            "--version" => return Ok(Asked::Print(concat!(env!("CARGO_PKG_VERSION"), "\n").into())),
            "--help" | "-h" => return Ok(Asked::Print(USAGE.into())),
            _ => {
                return Err(DevServerError::config(format!("{name} is no option; --help lists them")));
            }
        }
    }
    if !namespaces.is_empty() {
        config.namespaces = namespaces;
    }
    config.tls = match (cert, key, tls_name) {
        (Some(cert), Some(key), Some(name)) => Some(TlsFiles { cert, key, ca, name }),
        (None, None, None) if ca.is_none() => None,
        _ => {
            let what = "TLS takes --tls-cert, --tls-key and --tls-name together";
            return Err(DevServerError::config(what));
        }
    };
    config.check()?;
    Ok(Asked::Run { config, exit_with_stdin })
}

pub(crate) fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, DevServerError> {
    text.parse().map_err(|_| DevServerError::config(format!("{name} takes a number, not {text:?}")))
}

async fn run(config: Config, exit_with_stdin: bool) -> Result<(), DevServerError> {
    // Before anybody is told that the server is ready: who then sends a signal must not kill it unheard.
    let mut ends = Signals::new()?;
    let server = DevServer::start(config).await?;
    let lines: String =
        server.addresses().iter().map(|address| format!("listening on {address}\n")).collect();
    print(&lines);
    let mut orders = exit_with_stdin.then(read_orders);
    loop {
        tokio::select! {
            () = ends.next() => break,
            order = next_order(&mut orders) => match order {
                Some(order) => print(&obey(&server, order.trim()).await),
                None => break,
            },
        }
    }
    server.stop().await;
    Ok(())
}

/// The next line of standard input, `None` at its end; waits for ever when nobody listens to it.
async fn next_order(orders: &mut Option<mpsc::UnboundedReceiver<String>>) -> Option<String> {
    match orders {
        Some(orders) => orders.recv().await,
        None => std::future::pending().await,
    }
}

/// Reads lines from standard input on a thread of its own: such a read cannot be cancelled.
fn read_orders() -> mpsc::UnboundedReceiver<String> {
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

/// The signals that end the program.
#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal, tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, DevServerError> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| DevServerError::config(format!("no signals: {error}")));
        Ok(Self(listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?))
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Result<Self, DevServerError> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Prints and flushes: whoever started this waits for the line. Nobody may be reading; that is no reason
/// to end.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn complain(error: &dyn std::error::Error) {
    _ = writeln!(io::stderr(), "dev-server: {error}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Asked, DevServerError> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn options() {
        let Ok(Asked::Run { config, exit_with_stdin }) = parse_line("") else { panic!() };
        assert_eq!((config.port, config.nodes, exit_with_stdin), (3000, 1, false));
        assert_eq!(config.namespaces, ["test", "bar"]);
        let line = "--port 0 --nodes=3 --namespace a --namespace b --host ::1 --exit-with-stdin";
        let Ok(Asked::Run { config, exit_with_stdin }) = parse_line(line) else { panic!() };
        assert_eq!((config.port, config.nodes, exit_with_stdin), (0, 3, true));
        assert_eq!((config.namespaces, config.host), (vec!["a".into(), "b".into()], "::1".into()));
        let line = "--nodes 3 --racks 1,2,1 --failure-detection 1500 --strong-consistency --access-host a.b \
                    --alternate-host ::2";
        let Ok(Asked::Run { config, .. }) = parse_line(line) else { panic!() };
        assert_eq!((config.racks, config.strong_consistency), (vec![1, 2, 1], true));
        assert_eq!(config.failure_detection, Duration::from_millis(1500));
        assert_eq!((config.access_host, config.alternate_host), (Some("a.b".into()), Some("::2".into())));
        let line = "--tls-cert c.pem --tls-key=k.pem --tls-ca a.pem --tls-name node.test";
        let Ok(Asked::Run { config, .. }) = parse_line(line) else { panic!() };
        let (cert, key, ca) = ("c.pem".into(), "k.pem".into(), Some("a.pem".into()));
        assert_eq!(config.tls, Some(TlsFiles { cert, key, ca, name: "node.test".into() }));
        assert!(matches!(parse_line("--help"), Ok(Asked::Print(text)) if text.contains("--nodes")));
        assert!(matches!(parse_line("--version"), Ok(Asked::Print(_))));
    }

    #[test]
    fn wrong_options_say_what_is_wrong() {
        for (line, what) in [
            ("--prot 3000", "--prot is no option; --help lists them"),
            ("--port", "--port needs a value"),
            ("--port x", "--port takes a number, not \"x\""),
            ("--port 70000", "--port takes a number, not \"70000\""),
            ("--nodes 0", "a cluster has 1 to 64 nodes, not 0"),
            ("--port 65535 --nodes 2", "there are no 2 ports from 65535 on"),
            ("--namespace a --namespace a", "the namespace \"a\" is named twice"),
            ("--namespace a;b", "\"a;b\" is no namespace name: 1 to 31 letters, digits, '-', '_' or '.'"),
            ("--racks 1,x", "--racks takes a number, not \"x\""),
            ("--racks 1,2", "there is a rack for each node or none: 2 racks, 1 nodes"),
            ("--user s3cret", "a user is NAME:PASSWORD or NAME:PASSWORD:ROLE,ROLE"),
            ("--user a:b --user a:c", "the user \"a\" is named twice"),
            ("--session-ttl 0", "a session lasts at least a second"),
            ("--access-host a,b", "\"a,b\" is no address and no host name"),
            ("--tls-ca a.pem", "TLS takes --tls-cert, --tls-key and --tls-name together"),
            ("--tls-cert a --tls-key b --tls-name a,b", "\"a,b\" is no name of a certificate"),
            ("--replication-factor 2", "the replication factor is 1 to the number of nodes, not 2"),
        ] {
            assert_eq!(parse_line(line).unwrap_err().to_string(), what, "{line}");
        }
    }
}
