//! Hosts as text: `host`, `host:port`, `[address]:port`; and the names of hosts.

use std::net::Ipv6Addr;

/// The port of a host that names none.
const DEFAULT_PORT: u16 = 3000;

/// The host and port that `text` names. An error is what is wrong with it.
pub(super) fn parse(text: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        match rest.split_once(']') {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or(NO_ADDRESS)?)),
            None => return Err(NO_ADDRESS),
        }
    } else if text.matches(':').count() > 1 {
        // An IPv6 address without brackets: its last group cannot be told from a port.
        (text, None)
    } else {
        text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)))
    };
    if host.is_empty() || host.contains(char::is_whitespace) || host.contains(',') {
        return Err(NO_HOST);
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse().ok().filter(|&port| port > 0).ok_or(NO_PORT)?
        }
        Some(_) => return Err(NO_PORT),
    };
    Ok((host.to_owned(), port))
}

/// What is wrong with the name of a host. It is no URL, and its port is not part of it.
pub(super) fn wrong_name(name: &str) -> Option<String> {
    let is_address = |text: &str| text.split('%').next().unwrap_or_default().parse::<Ipv6Addr>().is_ok();
    if let Some(address) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return Some(format!("leave out the brackets of the address: {address:?}"));
    }
    if name.contains(|c: char| ":/[]".contains(c) || c.is_whitespace()) && !is_address(name) {
        return Some(
            "its host must be only a name or an address, such as \"db1\", \"127.0.0.1\" or \"::1\"".into(),
        );
    }
    None
}

const NO_HOST: &str = "it must be one host, as \"host\", \"host:port\" or \"[address]:port\"";
const NO_ADDRESS: &str = "an address in brackets must be \"[address]\" or \"[address]:port\"";
const NO_PORT: &str = "its port must be a number from 1 to 65535";
