//! Whose an IP address is: [`Place`]. What a name resolves to is judged before anything is sent there, and what stands in a
//! configuration is judged by the same rule.
//!
//! Guarantees: an address is [`Place::Public`] only if it is known to be, with the wrappers (mapped, compatible, NAT64, 6to4,
//! Teredo) that would carry another past a check of its outer form. Of the wrappers only two are looked into: mapped
//! addresses, and those of the well-known NAT64 prefix, which networks without IPv4 give to every platform that has no IPv6.
//! All others are refused whole; no platform is behind them.
//!
//! Leaves to `host` and `config` which places are good for what.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the public internet.
    Public,
    /// In somebody's own network, where an operator may have events sent to.
    OwnNetwork,
    /// What a machine or its cloud keeps for itself (link-local, the metadata of clouds), what is no address of one machine
    /// (multicast, unspecified), and what nobody has been given. Nothing is ever sent there.
    Nobodys,
}

impl Place {
    /// Of an address in any form; an IPv4 address mapped into IPv6 is that IPv4 address.
    pub fn of(address: IpAddr) -> Place {
        let address = address.to_canonical();
        if OF_CLOUDS.contains(&address) {
            return Place::Nobodys;
        }
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

/// Where clouds answer their machines, in the midst of addresses that are public or somebody's own otherwise.
const OF_CLOUDS: [IpAddr; 7] = [
    v4([100, 100, 100, 200]),
    v4([168, 63, 129, 16]),
    v6(0xfd00_0ec2_0000_0000_0000_0000_0000_0254),
    v6(0xfd00_0ec2_0000_0000_0000_0000_0000_0023),
    v6(0xfd20_00ce_0000_0000_0000_0000_0000_0254),
    v6(0xfd00_00c1_0000_0000_0000_0000_a9fe_a9fe),
    v6(0xfd00_0042_0000_0000_0000_0000_0000_0042),
];

const fn v4([a, b, c, d]: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(bits: u128) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(bits))
}

fn of_v4(address: Ipv4Addr) -> Place {
    match address.octets() {
        // private, loopback, carrier-grade NAT and private tunnels
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Place::OwnNetwork,
        // this network, multicast and beyond, link-local, where most clouds keep their metadata
        [0 | 224.., ..] | [169, 254, ..]
        // protocol assignments, documentation, 6to4 relays, benchmarks
        | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            Place::Nobodys
        }
        _ => Place::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Place {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] | [0xfc00..=0xfdff, ..] => Place::OwnNetwork,
        // NAT64 64:ff9b::/96 leads where the IPv4 address in it leads, but into nobody's own network: it is the network's gate
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            match Place::of(v4([a, b, c, d])) {
                Place::Public => Place::Public,
                Place::OwnNetwork | Place::Nobodys => Place::Nobodys,
            }
        }
        // protocol assignments with Teredo (2001::/23), documentation, 6to4
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => Place::Nobodys,
        // global unicast; all else is link-local, multicast, compatible (::a.b.c.d), translated (64:ff9b:1::) or unassigned
        [0x2000..=0x3fff, ..] => Place::Public,
        _ => Place::Nobodys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_networks_are_reachable_where_somebody_says_so_and_metadata_never_is() {
        let own = |text: &str| Place::of(text.parse().unwrap()) == Place::OwnNetwork;
        for text in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "100.64.0.7",
            "::1",
            "fd12::7",
            "::ffff:10.0.0.1",
        ] {
            assert!(own(text), "{text}");
        }
        for text in [
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "8.8.8.8",
            "2606:4700::1111",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:a00:1::",
        ] {
            assert!(!own(text), "{text}");
        }
    }

    fn check(addresses: &[&str], expect: bool) {
        for text in addresses {
            assert_eq!(Place::of(text.parse().unwrap()) == Place::Public, expect, "{text}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        check(&["1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.20.0.1"], true);
        check(&["192.0.1.1", "192.167.255.255", "192.169.0.0", "169.253.0.1", "223.255.255.255"], true);
        check(&["2606:4700::1111", "2400:3200::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"], true);
        check(&["64:ff9b::808:808"], true);
    }

    #[test]
    fn what_a_cloud_keeps_for_its_machines_is_nowhere_public() {
        check(&["168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::a83f:8110", "100.100.100.200"], false);
        check(&["168.63.129.15", "168.63.129.17"], true);
    }

    #[test]
    fn inner_addresses_do_not() {
        check(
            &["0.0.0.0", "0.1.2.3", "10.1.2.3", "127.0.0.1", "127.1.2.3", "172.16.0.1", "192.168.1.1"],
            false,
        );
        check(
            &["100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.0.192", "198.18.0.1", "198.19.255.255"],
            false,
        );
        check(&["192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"], false);
        check(&["224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"], false);
        check(&["::", "::1", "fe80::1", "fec0::1", "fc00::1", "fdff::1", "ff02::1", "ff0e::1"], false);
        check(
            &[
                "2001:db8::1",
                "3fff::1",
                "2001:2::1",
                "2001:10::1",
                "2001:20::1",
                "100::1",
                "5f00::1",
                "4000::1",
            ],
            false,
        );
    }

    #[test]
    fn addresses_where_clouds_keep_secrets_do_not() {
        check(
            &["169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254", "fe80::a9fe:a9fe"],
            false,
        );
        check(
            &["::ffff:169.254.169.254", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"],
            false,
        );
    }

    #[test]
    fn wrapped_inner_addresses_do_not() {
        check(&["::ffff:10.0.0.1", "::ffff:7f00:1", "::10.0.0.1", "::7f00:1", "::ffff:0:7f00:1"], false);
        check(
            &[
                "64:ff9b::a00:1",
                "64:ff9b::7f00:1",
                "64:ff9b::6440:1",
                "64:ff9b:1::808:808",
                "64:ff9b:0:1::808:808",
            ],
            false,
        );
        check(
            &[
                "2002:a00:1::",
                "2002:7f00:1::1",
                "2002:808:808::1",
                "2001:0:a00:1::",
                "2001:0:4136:e378:8000:63bf:80ff:fffe",
            ],
            false,
        );
    }
}
