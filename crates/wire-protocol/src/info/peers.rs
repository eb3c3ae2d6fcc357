//! What a node says about itself and the other nodes: peers, addresses, racks.

use crate::error::WireError;

/// The other nodes of the cluster, as a node reports them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peers {
    /// A number that changes with the list of peers.
    pub generation: u32,
    /// The other nodes.
    pub peers: Vec<Peer>,
}

/// Another node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The node's name.
    pub node: String,
    /// The node's name in its TLS certificate; empty without TLS.
    pub tls_name: String,
    /// Hosts and ports of the node.
    pub addresses: Vec<(String, u16)>,
}

/// Reads the answer to `peers-clear-std` and its variants: `generation,port,[[node,tls,[address,...]],...]`.
///
/// # Errors
/// Text of another form.
pub fn parse_peers(value: &str) -> Result<Peers, WireError> {
    let bad = |why| WireError::malformed("peers answer", why);
    let (generation, rest) = value.split_once(',').ok_or(bad("no generation"))?;
    let (port, list) = rest.split_once(',').ok_or(bad("no default port"))?;
    let generation = generation.parse().map_err(|_| bad("the generation is not a number"))?;
    // The port is empty if the server has no such access point.
    let default_port: u16 = if port.is_empty() {
        0
    } else {
        port.parse().map_err(|_| bad("the default port is not a number"))?
    };
    let list = strip_brackets(list).ok_or(bad("no list of peers"))?;
    let mut peers = Vec::new();
    for item in split_top_level(list) {
        let item = strip_brackets(item).ok_or(bad("a peer is not a list"))?;
        let mut parts = item.splitn(3, ',');
        let (Some(node), Some(tls_name), Some(addresses)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(bad("a peer without three parts"));
        };
        let addresses = strip_brackets(addresses).ok_or(bad("a peer's addresses are not a list"))?;
        let addresses = split_top_level(addresses)
            .map(|address| parse_address(address, default_port).ok_or(bad("an address is not host:port")))
            .collect::<Result<_, _>>()?;
        peers.push(Peer { node: node.into(), tls_name: tls_name.into(), addresses });
    }
    Ok(Peers { generation, peers })
}

/// Reads the answer to `service-clear-std` and its variants: addresses, separated by commas.
///
/// # Errors
/// An address that is not `host` or `host:port`.
pub fn parse_service(value: &str) -> Result<Vec<(String, u16)>, WireError> {
    value
        .split(',')
        .filter(|address| !address.is_empty())
        .map(|address| {
            parse_address(address, 0)
                .ok_or(WireError::malformed("service answer", "an address is not host:port"))
        })
        .collect()
}

/// Reads the answer to `rack-ids`: `ns:rack;ns:rack`, the node's rack in each namespace.
///
/// # Errors
/// Text of another form.
pub fn parse_rack_ids(value: &str) -> Result<Vec<(String, u32)>, WireError> {
    value
        .split(';')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (namespace, rack) = part.split_once(':')?;
            Some((namespace.to_owned(), rack.parse().ok()?))
        })
        .collect::<Option<_>>()
        .ok_or(WireError::malformed("rack-ids answer", "a part is not namespace:rack"))
}

fn strip_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// Splits at commas outside brackets.
fn split_top_level(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    text.split(move |c| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return true,
            _ => {}
        }
        false
    })
    .filter(|part| !part.is_empty())
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
fn parse_address(text: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None if rest.is_empty() => default_port,
        None => return None,
    };
    (!host.is_empty() && port != 0).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn racks() {
        assert_eq!(parse_rack_ids("test:1;bar:20").unwrap(), [("test".into(), 1), ("bar".into(), 20)]);
        assert_eq!(parse_rack_ids("").unwrap(), []);
        for bad in ["test", "test:", "test:-1", "test:1:2", "test:99999999999"] {
            assert!(parse_rack_ids(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn peers_of_the_recorded_cluster() {
        let peers = parse_peers(
            "4,3000,[[C2,,[127.0.0.1:3200]],[C3,tls.c3,[127.0.0.1:3300,[::1]:3301,[fe80::1],h]]]",
        )
        .unwrap();
        assert_eq!(peers.generation, 4);
        assert_eq!(peers.peers[0].addresses, [("127.0.0.1".into(), 3200)]);
        assert_eq!(peers.peers[1].tls_name, "tls.c3");
        assert_eq!(
            peers.peers[1].addresses,
            [("127.0.0.1".into(), 3300), ("::1".into(), 3301), ("fe80::1".into(), 3000), ("h".into(), 3000)]
        );
        assert_eq!(parse_peers("0,3000,[]").unwrap().peers, []);
        assert_eq!(parse_peers("0,,[]").unwrap().peers, []);
        for bad in [
            "",
            "4",
            "4,3000",
            "x,3000,[]",
            "4,y,[]",
            "4,3000,[[C2]]",
            "4,3000,[[C2,,[a:b]]]",
            "4,0,[[C,,[a]]]",
        ] {
            assert!(parse_peers(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_a_service() {
        let service = parse_service("127.0.0.1:3000,[::1]:3001").unwrap();
        assert_eq!(service, [("127.0.0.1".into(), 3000), ("::1".into(), 3001)]);
        assert_eq!(parse_service(""), Ok(vec![]));
        for bad in ["127.0.0.1", ":3000", "[::1:3000", "[::1]3000", "a:0", "a:65536"] {
            assert!(parse_service(bad).is_err(), "{bad}");
        }
    }
}
