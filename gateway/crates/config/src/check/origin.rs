//! Where a channel may go: origins, and nothing clever in them. URLs of webhooks have the same parts.

use std::net::IpAddr;

use super::Check;
use crate::tree::Node;

/// The parts of `scheme://[userinfo@]host[:port][rest]`.
pub(super) struct Parts<'a> {
    pub(super) scheme: String,
    pub(super) userinfo: bool,
    pub(super) host: String,
    pub(super) port: Option<&'a str>,
    pub(super) rest: &'a str,
}

/// A complaint and how to mend it.
pub(super) type Wrong = (String, String);

pub(super) fn parts(text: &str) -> Option<Parts<'_>> {
    let (scheme, after) = text.split_once("://")?;
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let (authority, rest) = after.split_at_checked(end)?;
    let (userinfo, host) = authority.rsplit_once('@').map_or((false, authority), |(_, host)| (true, host));
    let colon = host.rfind(':').filter(|at| host.rfind(']').is_none_or(|bracket| bracket < *at));
    let (host, port) = match colon.and_then(|at| host.split_at_checked(at)) {
        Some((host, port)) => (host, Some(port.trim_start_matches(':'))),
        None => (host, None),
    };
    Some(Parts { scheme: scheme.to_ascii_lowercase(), userinfo, host: host.to_ascii_lowercase(), port, rest })
}

impl Parts<'_> {
    /// The address, where the host is one, however it is written: `127.1` and `0x7f000001` are `127.0.0.1` to whoever connects.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        match url::Host::parse(&self.host).ok()? {
            url::Host::Ipv4(ip) => Some(ip.into()),
            url::Host::Ipv6(ip) => Some(ip.into()),
            url::Host::Domain(_) => None,
        }
    }

    pub(super) fn loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// What origins and URLs have in common; `rest` is what may stay behind the host.
    fn fault(&self, rest: &str) -> Option<Wrong> {
        self.fault_of_writing().or_else(|| self.fault_of_scheme(rest)).or_else(|| self.fault_of_host())
    }

    /// What is wrong whatever the scheme.
    pub(super) fn fault_of_writing(&self) -> Option<Wrong> {
        let host = &self.host;
        if self.userinfo {
            return Some((
                "has a user name or password in it".into(),
                "write it without what stands before `@`; secrets go under `secrets:`".into(),
            ));
        }
        host.contains('*').then(|| {
            (format!("has a wildcard: `{host}`"), "name every host by itself; there are no wildcards".into())
        })
    }

    fn fault_of_scheme(&self, rest: &str) -> Option<Wrong> {
        let host = &self.host;
        let why = match self.scheme.as_str() {
            "https" => return None,
            "http" if self.loopback() => return None,
            "http" => "must be `https`; `http` is only for this machine".to_owned(),
            other => format!("has the scheme `{other}`, but only `https` is spoken"),
        };
        Some((why, format!("write `https://{host}{rest}`")))
    }

    /// What is wrong with the name or the port.
    pub(super) fn fault_of_host(&self) -> Option<Wrong> {
        let host = &self.host;
        if !host.is_ascii() {
            return Some((
                format!("has a host name that is not ASCII: `{host}`"),
                "write its `xn--` form".into(),
            ));
        }
        let word = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if self.ip().is_none() && !host.split('.').all(word) {
            return Some((
                format!("has no valid host name: `{host}`"),
                "write it like `https://api.example.com`".into(),
            ));
        }
        match self.port {
            Some(port) if !port.parse::<u16>().is_ok_and(|port| port > 0) => Some((
                format!("has no valid port: `{port}`"),
                "a port is a number from 1 to 65535; leave it out for the usual one".into(),
            )),
            Some(_) | None => None,
        }
    }

    /// The origin as it is compared: lower case, no usual port.
    fn origin(&self) -> String {
        let usual = if self.scheme == "https" { "443" } else { "80" };
        match self.port.filter(|port| *port != usual) {
            Some(port) => format!("{}://{}:{port}", self.scheme, self.host),
            None => format!("{}://{}", self.scheme, self.host),
        }
    }
}

fn wrong_origin(text: &str, parts: Option<&Parts<'_>>) -> Option<Wrong> {
    let Some(parts) = parts else {
        return Some((
            format!("has no scheme: `{text}`"),
            format!("write `https://{}`", text.split('/').next().unwrap_or_default()),
        ));
    };
    if let Some(fault) = parts.fault("") {
        return Some(fault);
    }
    if parts.ip().is_some() && !parts.loopback() {
        return Some((
            format!("is a numeric address: `{}`", parts.host),
            "write the host's name; its certificate is for the name".into(),
        ));
    }
    (!parts.rest.is_empty()).then(|| {
        (
            format!("has more than an origin: `{}` is a path", parts.rest),
            format!("write `{}`; all paths below it are reachable then", parts.origin()),
        )
    })
}

impl Check<'_> {
    pub(super) fn origin(&mut self, pointer: &str, node: &Node) {
        let Some(text) = node.text() else { return };
        let parts = parts(text);
        match (wrong_origin(text, parts.as_ref()), parts) {
            (Some((why, hint)), _) => {
                let finding = self.at(pointer, "network_origin", format!("`network` entry {why}"));
                self.add(finding.hint(hint));
            }
            (None, Some(parts)) => {
                self.outcome.origins.insert(pointer.to_owned(), parts.origin());
            }
            (None, None) => {}
        }
    }
}
