use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// IPv4 addresses that are not on the public internet, as IANA lists them.
const SPECIAL_V4: [(Ipv4Addr, u8); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Groups, what is reserved, and everybody.
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// IPv6 addresses that look public and are not: protocols' own, examples, and IPv4 in disguise.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// All that is public is in here.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// The rest of such an address is one of IPv4, which a translator on the way reaches.
const TRANSLATED: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// Where the host itself may connect to when it downloads something: the public internet, and what is allowed beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Networks that are not public and are allowed all the same.
    pub networks: Vec<IpNet>,
}

impl Outbound {
    /// Whether this address may be connected to.
    pub fn admits(&self, address: IpAddr) -> bool {
        // What is written as IPv6 and reaches IPv4 is judged as the latter.
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|network| network.contains(&address))
    }
}

/// Whether an address belongs to somebody on the public internet, rather than to this machine or its neighbours.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !SPECIAL_V4.iter().any(|(network, length)| within_v4(address, *network, *length))
        }
        IpAddr::V6(address) if within_v6(address, TRANSLATED) => {
            let [.., a, b, c, d] = address.octets();
            is_public(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            within_v6(address, GLOBAL_V6) && !SPECIAL_V6.iter().any(|network| within_v6(address, *network))
        }
    }
}

fn within_v4(address: Ipv4Addr, network: Ipv4Addr, length: u8) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length.into()
}

fn within_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u8)) -> bool {
    (address.to_bits() ^ network.to_bits()).leading_zeros() >= length.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outbound(networks: &[&str]) -> Outbound {
        Outbound { networks: networks.iter().map(|network| network.parse().unwrap()).collect() }
    }

    #[test]
    fn c10_this_machine_and_its_neighbours_are_not_public() {
        let outbound = Outbound::default();
        for inside in [
            "0.0.0.0",
            "127.0.0.1",
            "127.255.255.255",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.8",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "::127.0.0.1",
        ] {
            assert!(!outbound.admits(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "172.32.0.1",
            "172.15.255.255",
            "9.255.255.255",
            "126.0.0.1",
            "2606:4700::1111",
            "64:ff9b::1.1.1.1",
        ] {
            assert!(outbound.admits(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn c10_a_network_that_is_allowed_opens_itself_and_no_other() {
        let outbound = outbound(&["10.1.0.0/16", "::1/128"]);
        for (address, admitted) in [
            ("10.1.255.1", true),
            ("::ffff:10.1.255.1", true),
            ("10.2.0.1", false),
            ("::1", true),
            ("127.0.0.1", false),
        ] {
            assert_eq!(outbound.admits(address.parse().unwrap()), admitted, "{address}");
        }
    }

    proptest! {
        #[test]
        fn c10_an_address_is_judged_the_same_however_it_is_written(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let outbound = outbound(&["10.1.0.0/16"]);
            let plain = outbound.admits(address.into());
            prop_assert_eq!(plain, outbound.admits(address.to_ipv6_mapped().into()));
            if address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast() {
                prop_assert_eq!(plain, address.octets()[..2] == [10, 1]);
            }
        }
    }
}
