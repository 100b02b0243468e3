//! Origins: scheme, host and port, the unit in which network is wanted, granted and checked.
//!
//! Only `https`, but for simulators on this machine: `http` with a loopback address or `localhost`. An address instead
//! of a name is reachable only if the operator wrote that very address.

use reqwest::Url;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// What can be reached. Compared by its normal form: lower case, port always there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// Why a text is no origin. Texts follow the origin and a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OriginError {
    #[error("is not a URL; write https://host or https://host:port")]
    NotUrl,
    #[error("has more than scheme, host and port; write https://host or https://host:port")]
    MoreThanOrigin,
    #[error("only https can be granted, and http for loopback addresses (a simulator on this machine)")]
    Scheme,
    #[error("holds a user name or password")]
    UserInfo,
}

impl Origin {
    /// As an operator or a manifest writes it: an origin and nothing else.
    pub(crate) fn granted(written: &str) -> Result<Origin, OriginError> {
        let url = Url::parse(written).map_err(|_| OriginError::NotUrl)?;
        // `Url` adds the slash itself, so the text is compared too.
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || written.ends_with('/') {
            return Err(OriginError::MoreThanOrigin);
        }
        Origin::of(&url)
    }

    /// Of a whole URL.
    pub(crate) fn of(url: &Url) -> Result<Origin, OriginError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::UserInfo);
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(OriginError::NotUrl);
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            _ => return Err(OriginError::Scheme),
        }
        let host = host.trim_end_matches('.').to_owned();
        Ok(Origin { scheme: url.scheme().to_owned(), host, port })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = if self.scheme == "https" { 443 } else { 80 };
        write!(f, "{}://{}", self.scheme, self.host)?;
        if self.port == known { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address.parse::<Ipv4Addr>().map(IpAddr::from).is_ok_and(|ip| ip.is_loopback())
        || address.parse::<Ipv6Addr>().map(IpAddr::from).is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_form() {
        let check = |written: &str, expect: Result<&str, OriginError>| {
            let found = Origin::granted(written).map(|origin| origin.to_string());
            assert_eq!(found, expect.map(str::to_owned), "{written}");
        };
        check("https://api.mch.example", Ok("https://api.mch.example"));
        check("https://API.mch.example:443", Ok("https://api.mch.example"));
        check("https://api.mch.example:8443", Ok("https://api.mch.example:8443"));
        check("http://127.0.0.1:9000", Ok("http://127.0.0.1:9000"));
        check("http://0x7f.1:9000", Ok("http://127.0.0.1:9000"));
        check("http://[::1]:9000", Ok("http://[::1]:9000"));
        check("http://localhost:80", Ok("http://localhost"));
        check("https://10.0.0.8", Ok("https://10.0.0.8"));
        check("http://api.mch.example", Err(OriginError::Scheme));
        check("http://10.0.0.8", Err(OriginError::Scheme));
        check("ftp://api.mch.example", Err(OriginError::Scheme));
        check("https://api.mch.example/", Err(OriginError::MoreThanOrigin));
        check("https://api.mch.example/v3", Err(OriginError::MoreThanOrigin));
        check("https://api.mch.example?a", Err(OriginError::MoreThanOrigin));
        check("https://user@api.mch.example", Err(OriginError::UserInfo));
        check("api.mch.example", Err(OriginError::NotUrl));
        check("", Err(OriginError::NotUrl));
    }

    #[test]
    fn a_trailing_dot_is_no_way_around() {
        let url = Url::parse("https://api.mch.example./v3/pay").unwrap();
        assert_eq!(Origin::of(&url), Origin::granted("https://api.mch.example"));
    }
}
