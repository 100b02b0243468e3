//! Listeners, storage, time zone.

use std::net::{IpAddr, SocketAddr};

use super::Check;
use crate::Finding;
use crate::suggest::nearest;
use crate::tree::Node;

/// The zone that dates of business are in; China has one.
const ZONE: &str = "Asia/Shanghai";
/// Other names of the same zone, and what people write for it.
const ZONE_BY_OTHER_NAMES: &[&str] = &[
    "Asia/Beijing",
    "Asia/Peking",
    "Asia/Chongqing",
    "Asia/Chungking",
    "Asia/Harbin",
    "Asia/Guangzhou",
    "Asia/Shenzhen",
    "PRC",
    "China",
    "Beijing",
    "Shanghai",
    "CST",
    "UTC+8",
    "UTC+08:00",
    "GMT+8",
    "+08:00",
    "+8",
];

impl Check<'_> {
    pub(super) fn gateway(&mut self, node: &Node) {
        let hooks = self.address(node, "hooks");
        let admin = self.address(node, "admin");
        self.listeners(node, hooks, admin);
        if let Some(text) = node.get("storage").and_then(Node::text)
            && text.starts_with("postgres")
            && text.contains("://")
        {
            let finding =
                self.at("/gateway/storage", "storage_unsupported", "PostgreSQL is not in this version");
            self.add(
                finding.hint(
                    "write `storage: sqlite`, or leave it out; the database is then in the data folder",
                ),
            );
        }
        if let Some(text) = node.get("timezone").and_then(Node::text).filter(|text| *text != ZONE) {
            self.zone(text);
        }
        if let Some(token) = node.get("admin_token") {
            self.secret("/gateway/admin_token", token, "admin_token");
        }
        if let Some(key) = node.get("master_key") {
            self.secret("/gateway/master_key", key, "master_key");
        }
    }

    /// The address of a listener; its default where it is left out, `None` where it is wrong.
    fn address(&mut self, node: &Node, key: &str) -> Option<SocketAddr> {
        let Some(node) = node.get(key) else {
            return if key == "hooks" { "127.0.0.1:8080" } else { "127.0.0.1:8081" }.parse().ok();
        };
        let text = node.text()?;
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let (why, better) = wrong_address(text);
        let finding = self.at(&format!("/gateway/{key}"), "address", format!("`{key}` {why}"));
        self.add(finding.hint(format!("write it like `{key}: {better}`")));
        None
    }

    fn listeners(&mut self, node: &Node, hooks: Option<SocketAddr>, admin: Option<SocketAddr>) {
        let place = |key: &str| {
            if node.get(key).is_some() { format!("/gateway/{key}") } else { "/gateway".to_owned() }
        };
        if let (Some(hooks), Some(admin)) = (hooks, admin) {
            let overlap =
                hooks.ip() == admin.ip() || hooks.ip().is_unspecified() || admin.ip().is_unspecified();
            if overlap && hooks.port() == admin.port() && hooks.port() != 0 {
                let key = if node.get("admin").is_some() { "admin" } else { "hooks" };
                let text = format!("`hooks` and `admin` would both listen on port {}", admin.port());
                let finding = self.at(&place(key), "listeners_equal", text);
                let left_out = ["hooks", "admin"].into_iter().find(|key| node.get(key).is_none());
                let hint =
                    "give them different ports; what is private must not be reachable where platforms post";
                self.add(match left_out {
                    Some(key) => finding.hint(format!(
                        "{hint}; left out, `{key}` is {}",
                        if key == "hooks" { hooks } else { admin }
                    )),
                    None => finding.hint(hint),
                });
            }
        }
        if let Some(admin) = admin.filter(|admin| !admin.ip().is_loopback()) {
            let whom = match admin.ip() {
                ip if ip.is_unspecified() => "on every address of this machine".to_owned(),
                ip => format!("on {ip}"),
            };
            let text =
                format!("the private listener can be reached from other machines: `admin` listens {whom}");
            let finding: Finding = self.at(&place("admin"), "admin_not_private", text);
            self.add(finding.warning().hint(format!(
                "write `admin: 127.0.0.1:{}` unless a firewall stands in front",
                admin.port()
            )));
        }
    }

    fn zone(&mut self, text: &str) {
        let meant = ZONE_BY_OTHER_NAMES.iter().any(|name| name.eq_ignore_ascii_case(text));
        let near = nearest(text, [ZONE]).is_some();
        let shape = text.split('/').all(|part| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-'))
        });
        let (why, hint) = if meant || near || !shape {
            ("is not the name of a time zone", "did you mean `Asia/Shanghai`? it is the zone of all of China")
        } else {
            (
                "is not supported: this version knows one time zone",
                "write `timezone: Asia/Shanghai`, or leave it out",
            )
        };
        let finding = self.at("/gateway/timezone", "timezone", format!("`{text}` {why}"));
        self.add(finding.hint(hint));
    }
}

/// What is wrong with an address, and a better one.
fn wrong_address(text: &str) -> (String, String) {
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
    let (host, port) = bare.rsplit_once(':').unwrap_or((bare, ""));
    let number = port.parse::<u16>();
    let good_port = number.as_ref().map_or_else(|_| "8080".to_owned(), u16::to_string);
    let good_host = host.parse::<IpAddr>().map_or_else(|_| "127.0.0.1".to_owned(), |ip| ip.to_string());
    let better = format!("{good_host}:{good_port}");
    let why = if text.contains("://") {
        format!("must be an address and a port, not the URL `{text}`")
    } else if text.parse::<IpAddr>().is_ok() {
        let better = if text.contains(':') { format!("[{text}]:8080") } else { format!("{text}:8080") };
        return (format!("has no port: `{text}`"), better);
    } else if host.is_empty() {
        format!("has no address in front of the port: `{text}`")
    } else if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) && number.is_err() {
        format!("has port {port}, but ports end at 65535")
    } else if number.is_ok() {
        format!("must be a numeric address, `{host}` is a name")
    } else {
        format!("must be an address and a port, not `{text}`")
    };
    (why, better)
}
