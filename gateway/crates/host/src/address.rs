//! Which addresses a name may resolve to: public ones. What is refused is what lies inside somebody's network, with
//! the wrappers (mapped, compatible, NAT64, 6to4, Teredo) that would carry such an address past a check of its outer form.
//!
//! Of the wrappers only two are looked into: mapped addresses, and those of the well-known NAT64 prefix, which networks
//! without IPv4 give to every platform that has no IPv6. All others are refused whole; no platform is behind them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is on the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Where clouds answer their machines, inside ranges that are own networks otherwise.
const OF_CLOUDS: [[u16; 8]; 5] = [
    [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254],
    [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0023],
    [0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x0254],
    [0xfd00, 0x00c1, 0, 0, 0, 0, 0xa9fe, 0xa9fe],
    [0xfd00, 0x0042, 0, 0, 0, 0, 0, 0x0042],
];

/// Whether an address is in somebody's own network, where an operator may have events sent to. What a machine or its cloud
/// keeps for itself (link-local with the metadata of clouds, multicast, unspecified) is not.
pub(crate) fn is_own_network(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => match address.octets() {
            // Carrier-grade NAT and private tunnels; one cloud keeps its metadata in there.
            octets @ [100, 64..=127, ..] => octets != [100, 100, 100, 200],
            _ => address.is_private() || address.is_loopback(),
        },
        IpAddr::V6(address) => {
            !OF_CLOUDS.contains(&address.segments())
                && (address.is_loopback()
                    || address.segments().iter().take(1).all(|first| first & 0xfe00 == 0xfc00))
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, d] = address.octets();
    let refused = matches!(
        (a, b, c),
        // this network, private, loopback, multicast and beyond
        (0 | 10 | 127 | 224.., _, _)
            // carrier-grade NAT, where one cloud keeps its metadata
            | (100, 64..=127, _)
            // link-local, where the others keep theirs
            | (169, 254, _) | (172, 16..=31, _) | (192, 168, _)
            // protocol assignments, documentation, 6to4 relays, benchmarks
            | (192, 0, 0 | 2) | (192, 88, 99) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113)
    );
    // one cloud answers its machines here, in the midst of public addresses
    !refused && [a, b, c, d] != [168, 63, 129, 16]
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // NAT64 64:ff9b::/96 leads where the IPv4 address in it leads
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        // protocol assignments with Teredo (2001::/23), documentation, 6to4
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // global unicast; all else is local, multicast, compatible (::a.b.c.d), translated (64:ff9b:1::) or unassigned
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_networks_are_reachable_where_somebody_says_so_and_metadata_never_is() {
        let own = |text: &str| is_own_network(text.parse().unwrap());
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
            assert_eq!(is_public(text.parse().unwrap()), expect, "{text}");
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
