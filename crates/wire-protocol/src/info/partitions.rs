//! Which partitions a node holds: the answer to `replicas`.

use base64::Engine as _;

use crate::digest::PARTITIONS;
use crate::error::WireError;

/// The partitions of a namespace that a node holds, as one bitmap per replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceReplicas {
    /// The namespace.
    pub namespace: String,
    /// The regime of the partition map; 0 without strong consistency.
    pub regime: u32,
    /// The bitmaps. The first has the partitions that the node is master of.
    pub replicas: Vec<PartitionBitmap>,
}

/// A set of partitions, one bit for each.
#[derive(Clone, PartialEq, Eq)]
pub struct PartitionBitmap(Box<[u8; PARTITIONS / 8]>);

impl PartitionBitmap {
    /// Whether the set contains the partition.
    #[must_use]
    pub fn contains(&self, partition: usize) -> bool {
        self.0.get(partition / 8).is_some_and(|byte| byte & (0x80 >> (partition % 8)) != 0)
    }

    /// The partitions in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..PARTITIONS).filter(|&partition| self.contains(partition))
    }

    /// The set of these partitions; numbers out of range are ignored.
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
/// Text of another form.
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
    // The decoder wants room for its estimate, which may be up to three bytes above the bitmap's size.
    let mut buffer = [0; PARTITIONS / 8 + 4];
    let size =
        base64::engine::general_purpose::STANDARD.decode_slice(text, &mut buffer).map_err(|_| bad())?;
    let bits: [u8; PARTITIONS / 8] =
        buffer.get(..size).and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
    Ok(PartitionBitmap(Box::new(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_bitmap_shows_how_many_it_has() {
        assert_eq!(format!("{:?}", PartitionBitmap::of([1, 2, 5000])), "PartitionBitmap(2 partitions)");
    }
}
