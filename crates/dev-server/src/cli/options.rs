//! The options of the command line: one table, from which they are parsed and the help text is made.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::number::number;
use crate::config::{Config, TlsFiles};
use crate::error::DevServerError;
use crate::security::User;

/// What the command line asks for.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one value, made once")]
pub(super) enum Invocation {
    Run { config: Config, exit_with_stdin: bool },
    Print(String),
}

/// One option: its name, its line in the help text, and its effect.
struct CliOption {
    name: &'static str,
    /// Lines of the help text.
    help: &'static str,
    effect: Effect,
}

enum Effect {
    /// Sets something; takes no value.
    Switch(fn(&mut Settings)),
    /// Takes a value, which the help text calls `placeholder`.
    Value { placeholder: &'static str, set: fn(&mut Settings, Value<'_>) -> Result<(), DevServerError> },
    /// Prints a text instead of running the server.
    Print(fn() -> String),
}

/// What the options before have set.
#[derive(Default)]
struct Settings {
    config: Config,
    /// Replaces the default namespaces if there is any.
    namespaces: Vec<String>,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    tls_ca: Option<PathBuf>,
    tls_name: Option<String>,
    exit_with_stdin: bool,
}

/// The value of an option.
struct Value<'a> {
    option: &'a str,
    text: String,
}

impl Value<'_> {
    fn number<T: std::str::FromStr>(&self) -> Result<T, DevServerError> {
        number(self.option, "a number", &self.text)
    }

    /// Numbers separated by commas.
    fn numbers<T: std::str::FromStr>(&self) -> Result<Vec<T>, DevServerError> {
        self.text.split(',').map(|text| number(self.option, "a number", text)).collect()
    }
}

const fn value(
    name: &'static str,
    placeholder: &'static str,
    help: &'static str,
    set: fn(&mut Settings, Value<'_>) -> Result<(), DevServerError>,
) -> CliOption {
    CliOption { name, help, effect: Effect::Value { placeholder, set } }
}

const fn switch(name: &'static str, help: &'static str, set: fn(&mut Settings)) -> CliOption {
    CliOption { name, help, effect: Effect::Switch(set) }
}

const fn print(name: &'static str, help: &'static str, text: fn() -> String) -> CliOption {
    CliOption { name, help, effect: Effect::Print(text) }
}

/// All options, in the order of the help text.
static OPTIONS: &[CliOption] = &[
    value("--host", "HOST", "address or host name to listen on [127.0.0.1]", |settings, value| {
        settings.config.host = value.text;
        Ok(())
    }),
    value(
        "--port",
        "PORT",
        "port of the first node, the others use the ports after it;\n0: free ports [3000]",
        |settings, value| {
            settings.config.port = value.number()?;
            Ok(())
        },
    ),
    value("--nodes", "N", "number of nodes in the cluster [1]", |settings, value| {
        settings.config.nodes = value.number()?;
        Ok(())
    }),
    value("--namespace", "NAME", "a namespace; repeat for more [test, bar]", |settings, value| {
        settings.namespaces.push(value.text);
        Ok(())
    }),
    value(
        "--replication-factor",
        "N",
        "nodes that hold each partition [2, or 1 if there is one node]",
        |settings, value| {
            settings.config.replication_factor = Some(value.number()?);
            Ok(())
        },
    ),
    value("--cluster-name", "NAME", "name of the cluster [dev-server]", |settings, value| {
        settings.config.cluster_name = value.text;
        Ok(())
    }),
    value(
        "--default-ttl",
        "SECONDS",
        "time to live of records written without one; 0: they never expire [0]",
        |settings, value| {
            settings.config.default_ttl = value.number()?;
            Ok(())
        },
    ),
    value("--max-record-size", "BYTES", "size of the largest record [1048576]", |settings, value| {
        settings.config.max_record_size = value.number()?;
        Ok(())
    }),
    value(
        "--batch-max-requests",
        "N",
        "largest number of rows in a batch; 0: no limit [0]",
        |settings, value| {
            settings.config.batch_max_requests = value.number()?;
            Ok(())
        },
    ),
    value(
        "--failure-detection",
        "MS",
        "time until the other nodes notice that a node is dead or hangs;\n\
         0: they notice a death at once and a hang never [0]",
        |settings, value| {
            settings.config.failure_detection = Duration::from_millis(value.number()?);
            Ok(())
        },
    ),
    value("--racks", "N,N,...", "rack of each node", |settings, value| {
        settings.config.racks = value.numbers()?;
        Ok(())
    }),
    switch("--strong-consistency", "make the namespaces strongly consistent", |settings| {
        settings.config.strong_consistency = true;
    }),
    value("--access-host", "HOST", "host that the nodes advertise to clients", |settings, value| {
        settings.config.access_host = Some(value.text);
        Ok(())
    }),
    value(
        "--alternate-host",
        "HOST",
        "host that the nodes advertise to clients that use alternate addresses",
        |settings, value| {
            settings.config.alternate_host = Some(value.text);
            Ok(())
        },
    ),
    switch("--any-map-keys", "accept map keys of any type, as servers before 7.1 did", |settings| {
        settings.config.any_map_keys = true;
    }),
    switch(
        "--compression",
        "accept compressed requests and compress answers, as the Enterprise\nEdition does",
        |settings| settings.config.compression = true,
    ),
    value(
        "--tls-cert",
        "FILE",
        "accept TLS connections only, with this certificate (PEM) ...",
        |settings, value| {
            settings.tls_cert = Some(value.text.into());
            Ok(())
        },
    ),
    value("--tls-key", "FILE", "... its private key (PEM, not encrypted) ...", |settings, value| {
        settings.tls_key = Some(value.text.into());
        Ok(())
    }),
    value(
        "--tls-name",
        "NAME",
        "... and the name in the certificate, which the nodes advertise",
        |settings, value| {
            settings.tls_name = Some(value.text);
            Ok(())
        },
    ),
    value(
        "--tls-ca",
        "FILE",
        "require client certificates, signed by one of these authorities (PEM)",
        |settings, value| {
            settings.tls_ca = Some(value.text.into());
            Ok(())
        },
    ),
    value(
        "--user",
        "NAME:PASSWORD[:ROLE,ROLE]",
        "a user; repeat for more. All clients have to log in then. Other users of this\n\
         machine can see the password: use the control command `user` if that matters",
        |settings, value| {
            settings.config.users.push(User::parse(&value.text)?);
            Ok(())
        },
    ),
    value(
        "--external-user",
        "NAME:PASSWORD[:ROLE,ROLE]",
        "a user who authenticates externally",
        |settings, value| {
            settings.config.users.push(User::parse(&value.text)?.external());
            Ok(())
        },
    ),
    switch("--security", "require logins even if there are no users", |settings| {
        settings.config.security = true;
    }),
    value("--session-ttl", "SECONDS", "time that a login stays valid [86400]", |settings, value| {
        settings.config.session_ttl = value.number()?;
        Ok(())
    }),
    switch(
        "--exit-with-stdin",
        "read control commands from standard input, and exit when it ends",
        |settings| settings.exit_with_stdin = true,
    ),
    print("--version", "print the version and exit", || concat!(env!("CARGO_PKG_VERSION"), "\n").into()),
    print("--help", "print this help and exit", help_text),
];

const CONTROL_COMMANDS: &str = "\
Prints `listening on HOST:PORT` for each node when ready. SIGINT and SIGTERM stop the server.

Control commands on standard input, one per line, nodes counted from 0:
  kill N, restart N, pause N, refuse N, resume N, move PARTITIONS, advance SECONDS, counters N,
  fault N|all FAULT [command=batch|query|read|write|info] [times=N], clear N|all,
  user NAME PASSWORD ROLE,ROLE [external] (name and password in hexadecimal)
FAULT is close, close-mid-frame, late MS, silent, garbage, wrong-row-index, row-twice, huge-frame, code N
or row-code N. The answer to each is `ok COMMAND` (and its result, if it has one) or
`error COMMAND: reason`; to `user`, the answer repeats only that word.
";

/// The column in which the descriptions of options start.
const HELP_COLUMN: usize = 28;

fn help_text() -> String {
    let mut text =
        String::from("A small in-memory server that speaks the Aerospike wire protocol.\n\nOptions:\n");
    for option in OPTIONS {
        let usage = match option.effect {
            Effect::Value { placeholder, .. } => format!("  {} {placeholder}", option.name),
            Effect::Switch(_) | Effect::Print(_) => format!("  {}", option.name),
        };
        // A usage that is too long for its column has a line of its own.
        let mut start = if usage.len() < HELP_COLUMN { usage } else { format!("{usage}\n") };
        for line in option.help.lines() {
            let padding =
                if start.ends_with('\n') { HELP_COLUMN } else { HELP_COLUMN.saturating_sub(start.len()) };
            // Writing to a string does not fail.
            _ = writeln!(text, "{start}{:padding$}{line}", "");
            start.clear();
        }
    }
    text.push('\n');
    text.push_str(CONTROL_COMMANDS);
    text
}

fn find(name: &str) -> Option<&'static CliOption> {
    let name = if name == "-h" { "--help" } else { name };
    OPTIONS.iter().find(|option| option.name == name)
}

/// Parses the arguments: options as `--name`, `--name value` or `--name=value`.
pub(super) fn parse(mut args: impl Iterator<Item = String>) -> Result<Invocation, DevServerError> {
    let mut settings = Settings { config: Config { port: 3000, ..Config::default() }, ..Settings::default() };
    while let Some(arg) = args.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (&*arg, None),
        };
        let option = find(name).ok_or_else(|| {
            DevServerError::config(format!("unknown option {name}; --help lists the options"))
        })?;
        match option.effect {
            Effect::Switch(set) => set(&mut settings),
            Effect::Value { set, .. } => {
                let text = attached
                    .or_else(|| args.next())
                    .ok_or_else(|| DevServerError::config(format!("{name} needs a value")))?;
                set(&mut settings, Value { option: name, text })?;
            }
            Effect::Print(text) => return Ok(Invocation::Print(text())),
        }
    }
    settings.finish()
}

impl Settings {
    /// Checks what can be checked only once all options are known.
    fn finish(self) -> Result<Invocation, DevServerError> {
        let Self { mut config, namespaces, exit_with_stdin, .. } = self;
        if !namespaces.is_empty() {
            config.namespaces = namespaces;
        }
        config.tls = match (self.tls_cert, self.tls_key, self.tls_name) {
            (Some(cert), Some(key), Some(name)) => Some(TlsFiles { cert, key, ca: self.tls_ca, name }),
            (None, None, None) if self.tls_ca.is_none() => None,
            _ => {
                let what = "TLS needs --tls-cert, --tls-key and --tls-name together";
                return Err(DevServerError::config(what));
            }
        };
        config.check()?;
        Ok(Invocation::Run { config, exit_with_stdin })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Invocation, DevServerError> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn options() {
        let Ok(Invocation::Run { config, exit_with_stdin }) = parse_line("") else { panic!() };
        assert_eq!((config.port, config.nodes, exit_with_stdin), (3000, 1, false));
        assert_eq!(config.namespaces, ["test", "bar"]);
        let line = "--port 0 --nodes=3 --namespace a --namespace b --host ::1 --exit-with-stdin";
        let Ok(Invocation::Run { config, exit_with_stdin }) = parse_line(line) else { panic!() };
        assert_eq!((config.port, config.nodes, exit_with_stdin), (0, 3, true));
        assert_eq!((config.namespaces, config.host), (vec!["a".into(), "b".into()], "::1".into()));
        let line = "--nodes 3 --racks 1,2,1 --failure-detection 1500 --strong-consistency --access-host a.b \
                    --alternate-host ::2";
        let Ok(Invocation::Run { config, .. }) = parse_line(line) else { panic!() };
        assert_eq!((config.racks, config.strong_consistency), (vec![1, 2, 1], true));
        assert_eq!(config.failure_detection, Duration::from_millis(1500));
        assert_eq!((config.access_host, config.alternate_host), (Some("a.b".into()), Some("::2".into())));
        let line = "--tls-cert c.pem --tls-key=k.pem --tls-ca a.pem --tls-name node.test";
        let Ok(Invocation::Run { config, .. }) = parse_line(line) else { panic!() };
        let (cert, key, ca) = ("c.pem".into(), "k.pem".into(), Some("a.pem".into()));
        assert_eq!(config.tls, Some(TlsFiles { cert, key, ca, name: "node.test".into() }));
        assert!(matches!(parse_line("--help"), Ok(Invocation::Print(text)) if text.contains("--nodes")));
        assert!(matches!(parse_line("--version"), Ok(Invocation::Print(_))));
    }

    #[test]
    fn errors_name_the_option_and_the_value() {
        for (line, what) in [
            ("--prot 3000", "unknown option --prot; --help lists the options"),
            ("--port", "--port needs a value"),
            ("--port x", "--port takes a number, not \"x\""),
            ("--port 70000", "--port takes a number, not \"70000\""),
            ("--nodes 0", "nodes must be 1 to 64, not 0"),
            ("--port 65535 --nodes 2", "port 65535 is too high: 2 nodes need consecutive ports, up to 65535"),
            ("--namespace a --namespace a", "the namespace \"a\" is given twice"),
            (
                "--namespace a;b",
                "\"a;b\" is not a namespace name: use 1 to 31 letters, digits, '-', '_' or '.'",
            ),
            ("--racks 1,x", "--racks takes a number, not \"x\""),
            ("--racks 1,2", "racks must have one entry per node: 2 racks, 1 nodes"),
            ("--user s3cret", "a user must be NAME:PASSWORD or NAME:PASSWORD:ROLE,ROLE"),
            ("--user a:b --user a:c", "the user \"a\" is given twice"),
            ("--session-ttl 0", "the session TTL must be at least 1 second"),
            ("--access-host a,b", "\"a,b\" is neither an IP address nor a host name"),
            ("--tls-ca a.pem", "TLS needs --tls-cert, --tls-key and --tls-name together"),
            (
                "--tls-cert a --tls-key b --tls-name a,b",
                "\"a,b\" is not a valid TLS name: use a host name or an IP address",
            ),
            ("--replication-factor 2", "the replication factor must be 1 to the number of nodes (1), not 2"),
        ] {
            assert_eq!(parse_line(line).unwrap_err().to_string(), what, "{line}");
        }
    }
}
