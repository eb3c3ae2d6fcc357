//! Info requests and answers: text commands, and what a cluster says of itself.

use base64::Engine as _;

use crate::digest::PARTITIONS;
use crate::message::{FrameType, write_frame};
use crate::{ResultCode, WireError};

/// Appends an info request of `commands`.
///
/// # Errors
/// A request larger than a frame may be.
pub fn write_request(out: &mut Vec<u8>, commands: &[&str]) -> Result<(), WireError> {
    write_frame(out, FrameType::Info, |out| {
        for command in commands {
            out.extend_from_slice(command.as_bytes());
            out.push(b'\n');
        }
    })
}

/// The answers in the body of an info response: command and value, in order.
///
/// # Errors
/// Text that is not UTF-8.
pub fn answers(body: &[u8]) -> Result<impl Iterator<Item = (&str, &str)>, WireError> {
    let text =
        std::str::from_utf8(body).map_err(|_| WireError::malformed("info response", "it is not UTF-8"))?;
    Ok(text
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| line.split_once('\t').unwrap_or((line, ""))))
}

/// The answer to one command.
///
/// # Errors
/// Text that is not UTF-8, or no answer to that command.
pub fn answer<'a>(body: &'a [u8], command: &str) -> Result<&'a str, WireError> {
    answers(body)?
        .find(|(name, _)| *name == command)
        .map(|(_, value)| value)
        .ok_or(WireError::malformed("info response", "a command was not answered"))
}

/// The code and text of an answer that is an error: `ERROR:25:enterprise only`, `FAIL:4:text`, `ERROR`, in letters of
/// either case.
#[must_use]
pub fn error_of(value: &str) -> Option<(ResultCode, &str)> {
    let rest = ["ERROR", "FAIL"].iter().find_map(|word| {
        let (start, rest) = value.split_at_checked(word.len())?;
        start.eq_ignore_ascii_case(word).then_some(rest)
    })?;
    let rest = match rest.strip_prefix(':').or_else(|| rest.strip_prefix('=')) {
        Some(rest) => rest,
        None if rest.is_empty() => return Some((ResultCode::SERVER_ERROR, "")),
        None => return None,
    };
    match rest.split_once(':') {
        Some((code, text)) => Some((code.parse().map_or(ResultCode::SERVER_ERROR, ResultCode::new), text)),
        None => match rest.parse() {
            Ok(code) => Some((ResultCode::new(code), "")),
            Err(_) => Some((ResultCode::SERVER_ERROR, rest)),
        },
    }
}

/// The code of an answer that is one error instead of an answer to each command, as whoever has not logged in
/// gets it.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<ResultCode> {
    let line = std::str::from_utf8(body).ok()?.trim_end_matches('\n');
    if line.contains(['\n', '\t']) {
        return None;
    }
    error_of(line).map(|(code, _)| code)
}

/// Which partitions of a namespace a node holds, as one bitmap for each replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceReplicas {
    /// The namespace.
    pub namespace: String,
    /// The regime (strong consistency's term; 0 without).
    pub regime: u32,
    /// Bitmaps: the first says which partitions the node is master of.
    pub replicas: Vec<PartitionBitmap>,
}

/// A bit a partition.
#[derive(Clone, PartialEq, Eq)]
pub struct PartitionBitmap(Box<[u8; PARTITIONS / 8]>);

impl PartitionBitmap {
    /// Whether the partition's bit is set. A partition beyond the last has none.
    #[must_use]
    pub fn contains(&self, partition: usize) -> bool {
        self.0.get(partition / 8).is_some_and(|byte| byte & (0x80 >> (partition % 8)) != 0)
    }

    /// The partitions whose bit is set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..PARTITIONS).filter(|&partition| self.contains(partition))
    }

    /// A bitmap of these partitions, for answering.
    #[must_use]
    pub fn of(partitions: impl IntoIterator<Item = usize>) -> Self {
        let mut bits = Box::new([0; PARTITIONS / 8]);
        for partition in partitions {
            if let Some(byte) = bits.get_mut(partition / 8) {
                *byte |= 0x80 >> (partition % 8);
            }
        }
        Self(bits)
    }

    /// The bitmap as the server sends it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(&self.0[..])
    }
}

impl std::fmt::Debug for PartitionBitmap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PartitionBitmap({} partitions)", self.iter().count())
    }
}

/// Reads the answer to `replicas`: `ns:regime,count,base64,...;ns:...`.
///
/// # Errors
/// Anything else.
pub fn parse_replicas(value: &str) -> Result<Vec<NamespaceReplicas>, WireError> {
    let bad = |why| WireError::malformed("replicas answer", why);
    value
        .split(';')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (namespace, rest) = part.split_once(':').ok_or(bad("a namespace without replicas"))?;
            let mut items = rest.split(',');
            let mut number = || items.next().and_then(|text| text.parse::<u32>().ok());
            let regime = number().ok_or(bad("no regime"))?;
            let count = number().ok_or(bad("no replica count"))?;
            let replicas = items.map(parse_bitmap).collect::<Result<Vec<_>, _>>()?;
            if replicas.len() != count as usize {
                return Err(bad("the replica count is not the number of bitmaps"));
            }
            Ok(NamespaceReplicas { namespace: namespace.into(), regime, replicas })
        })
        .collect()
}

fn parse_bitmap(text: &str) -> Result<PartitionBitmap, WireError> {
    let bad = || WireError::malformed("replicas answer", "a bitmap is not 512 bytes of base64");
    // The decoder estimates the size from the text's, which may be three bytes above the bitmap's.
    let mut buffer = [0; PARTITIONS / 8 + 4];
    let size =
        base64::engine::general_purpose::STANDARD.decode_slice(text, &mut buffer).map_err(|_| bad())?;
    let bits: [u8; PARTITIONS / 8] =
        buffer.get(..size).and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
    Ok(PartitionBitmap(Box::new(bits)))
}

/// What a node says of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peers {
    /// Changes when the peers do.
    pub generation: u32,
    /// The nodes.
    pub peers: Vec<Peer>,
}

/// Another node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name.
    pub node: String,
    /// Its name in its certificate; empty without TLS.
    pub tls_name: String,
    /// Hosts and ports that it can be reached at.
    pub addresses: Vec<(String, u16)>,
}

/// Reads the answer to `peers-clear-std` and its kin: `generation,port,[[node,tls,[address,...]],...]`.
///
/// # Errors
/// Anything else.
pub fn parse_peers(value: &str) -> Result<Peers, WireError> {
    let bad = |why| WireError::malformed("peers answer", why);
    let (generation, rest) = value.split_once(',').ok_or(bad("no generation"))?;
    let (port, list) = rest.split_once(',').ok_or(bad("no default port"))?;
    let generation = generation.parse().map_err(|_| bad("the generation is not a number"))?;
    // A server without that kind of access point leaves its port empty.
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

/// Reads the answer to `service-clear-std` and its kin: addresses, comma separated.
///
/// # Errors
/// An address that is not one.
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
/// Anything else.
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

/// Splits at commas that stand in no brackets.
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
    fn one_line_instead_of_answers() {
        assert_eq!(refusal(b"ERROR:80:not authenticated\n"), Some(ResultCode::NOT_AUTHENTICATED));
        for answers in ["", "\n", "node\tERROR:80:x\n", "ERROR:80:x\nnode\tA\n", "node\tA\n", "ERR"] {
            assert_eq!(refusal(answers.as_bytes()), None, "{answers}");
        }
        assert_eq!(refusal(b"ERROR:80\xff"), None);
    }

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
    fn replicas_round_trip() {
        let bitmap = PartitionBitmap::of([0, 9, 4095]);
        let text = format!("test:7,2,{0},{0};bar:0,1,{0}", bitmap.to_base64());
        let replicas = parse_replicas(&text).unwrap();
        assert_eq!(replicas.len(), 2);
        assert_eq!((replicas[0].namespace.as_str(), replicas[0].regime), ("test", 7));
        assert_eq!(replicas[0].replicas[1].iter().collect::<Vec<_>>(), [0, 9, 4095]);
        assert!(!bitmap.contains(4096));
        for bad in ["test", "test:", "test:0", "test:0,1", "test:0,1,AAAA", "test:0,2,", "test:x,0"] {
            assert!(parse_replicas(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_replicas("").unwrap(), []);
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

    #[test]
    fn a_bitmap_shows_how_many_it_has() {
        assert_eq!(format!("{:?}", PartitionBitmap::of([1, 2, 5000])), "PartitionBitmap(2 partitions)");
    }

    #[test]
    fn errors_in_answers() {
        assert_eq!(error_of("ERROR:25:enterprise only"), Some((ResultCode::new(25), "enterprise only")));
        assert_eq!(error_of("FAIL:4"), Some((ResultCode::new(4), "")));
        assert_eq!(error_of("ERROR"), Some((ResultCode::new(1), "")));
        assert_eq!(error_of("error=what"), Some((ResultCode::new(1), "what")));
        assert_eq!(error_of("8.1.2.0"), None);
        assert_eq!(error_of("errors_total=5"), None);
    }

    #[test]
    fn answers_by_command() {
        let body = b"node\tA9\nbuild\t8.1\nempty\n";
        assert_eq!(answer(body, "build"), Ok("8.1"));
        assert_eq!(answer(body, "empty"), Ok(""));
        assert!(answer(body, "other").is_err());
        assert!(answers(b"\xff").is_err());
    }
}
