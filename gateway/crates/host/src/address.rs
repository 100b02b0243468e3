//! Which addresses a name may resolve to: public ones. What is refused is what lies inside somebody's network, with
//! the wrappers (mapped, NAT64, 6to4, Teredo) that would carry such an address past a check of its outer form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address is on the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
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
    !refused
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        // protocol assignments with Teredo (2001::/23), documentation, 6to4
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => false,
        // global unicast; all else is local, multicast, translated (64:ff9b::) or unassigned
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(addresses: &[&str], expect: bool) {
        for text in addresses {
            assert_eq!(is_public(text.parse().unwrap()), expect, "{text}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        check(&["1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.20.0.1"], true);
        check(&["2606:4700::1111", "2400:3200::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"], true);
    }

    #[test]
    fn inner_addresses_do_not() {
        check(&["0.0.0.0", "10.1.2.3", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"], false);
        check(&["100.64.0.1", "100.100.100.200", "198.18.0.1", "224.0.0.1", "255.255.255.255"], false);
        check(&["::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"], false);
    }

    #[test]
    fn wrapped_inner_addresses_do_not() {
        check(&["::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::"], false);
    }
}
