//! Addresses and networks of allow-lists.

use std::net::IpAddr;

/// An address, or a network such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: u128,
    is_v6: bool,
    /// Bits of the network's part.
    prefix: u32,
}

impl Network {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => (address, Some(prefix.parse().ok()?)),
        };
        let address: IpAddr = address.parse().ok()?;
        let (address, is_v6, bits) = parts(address);
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then_some(Self { address, is_v6, prefix })
    }

    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let (address, is_v6, bits) = parts(address.to_canonical());
        let host = bits - self.prefix.min(bits);
        // A shift by all 128 bits is not one: no bit is compared then.
        is_v6 == self.is_v6
            && address.checked_shr(host).unwrap_or(0) == self.address.checked_shr(host).unwrap_or(0)
    }
}

/// The address as a number, whether it is of version 6, and how many bits it has.
fn parts(address: IpAddr) -> (u128, bool, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), false, 32),
        IpAddr::V6(address) => (u128::from(address), true, 128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_addresses() {
        for (network, address, contains) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("10.0.0.0/8", "10.200.3.4", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("127.0.0.1", "::ffff:127.0.0.1", true),
            ("::/0", "fe80::1", true),
            ("fe80::/10", "fe80::1", true),
            ("fe80::/10", "::1", false),
        ] {
            let found = Network::parse(network).unwrap().contains(address.parse().unwrap());
            assert_eq!(found, contains, "{network} {address}");
        }
        for text in
            ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "::1/129", "host", "10.0.0.0/-1", "1.2.3.4/8/8"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
