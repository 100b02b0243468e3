//! The one client for outgoing HTTP: no redirects, no proxy, no address inside somebody's network, bounded in time and
//! size. Origins are checked before; this is the second line, against names that resolve to where they should not.
//!
//! The client is made at its first use, because most gateways only take webhooks and it loads the system's certificates.

use crate::address;
use reqwest::{
    Client, Request, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::OnceLock,
    time::Duration,
};
use tokio::task::JoinSet;

/// A platform that does not even take the connection in this time is down.
const CONNECT: Duration = Duration::from_secs(5);

/// Idle connections kept per host: bursts to one platform reuse them.
const IDLE_PER_HOST: usize = 8;

/// Makes and keeps the client.
#[derive(Default)]
pub(crate) struct Egress(OnceLock<Result<Client, String>>);

/// A whole response.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// No response. `sent` says whether the platform may have seen the request.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) sent: bool,
}

impl Egress {
    /// Sends on a task of its own: the guest's stack is too small for TLS, and dropping the call aborts the task.
    pub(crate) async fn send(
        &self,
        request: Request,
        within: Duration,
        bytes: usize,
    ) -> Result<Received, Failed> {
        let client = match self.0.get_or_init(client) {
            Ok(client) => client.clone(),
            Err(text) => return Err(Failed { code: "unreachable", message: text.clone(), sent: false }),
        };
        let mut task = JoinSet::new();
        task.spawn(async move {
            let whole = tokio::time::timeout(within, exchange(client, request, bytes));
            whole.await.unwrap_or_else(|_| {
                Err(Failed { code: "timeout", message: format!("no answer within {within:?}"), sent: true })
            })
        });
        match task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => {
                Err(Failed { code: "broken", message: "the request was cut short".into(), sent: true })
            }
        }
    }
}

fn client() -> Result<Client, String> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .dns_resolver(PublicOnly)
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .build()
        .map_err(|error| format!("the client cannot start: {error}"))
}

async fn exchange(client: Client, request: Request, bytes: usize) -> Result<Received, Failed> {
    let mut response = client.execute(request).await.map_err(|error| failed(&error))?;
    let status = response.status().as_u16();
    let headers = headers(&response);
    let too_large = || {
        let message = format!("the response has more than {bytes} bytes");
        Failed { code: "response_too_large", message, sent: true }
    };
    if response.content_length().is_some_and(|length| length > bytes as u64) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Received { status, headers, body })
}

fn headers(response: &Response) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    response.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

fn failed(error: &reqwest::Error) -> Failed {
    if has_cause::<NotPublic>(error) {
        let message = "the name resolves to no public address".into();
        return Failed { code: "blocked_address", message, sent: false };
    }
    // Without the URL, whose query may hold data.
    let message = innermost(error);
    if error.is_connect() || error.is_builder() {
        return Failed { code: "unreachable", message, sent: false };
    }
    if error.is_timeout() {
        return Failed { code: "timeout", message, sent: true };
    }
    Failed { code: "broken", message, sent: true }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut at: &dyn std::error::Error = error;
    while let Some(source) = at.source() {
        at = source;
    }
    if std::ptr::addr_eq(at, error) { "the request failed".into() } else { at.to_string() }
}

fn has_cause<T: std::error::Error + 'static>(error: &reqwest::Error) -> bool {
    let mut at: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = at {
        if error.is::<T>() {
            return true;
        }
        at = error.source();
    }
    false
}

/// Resolves once and hands on only public addresses, so that the connection goes where the check looked.
#[derive(Clone, Copy)]
struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("no public address")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<_> = found.into_iter().filter(|at| may_be(name.as_str(), *at)).collect();
            if allowed.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// `localhost` means this machine and is reachable only where the operator wrote it; any other name must be public.
fn may_be(name: &str, at: SocketAddr) -> bool {
    match (name, at.ip()) {
        ("localhost", IpAddr::V4(ip)) => ip.is_loopback(),
        ("localhost", IpAddr::V6(ip)) => ip.is_loopback(),
        (_, ip) => address::is_public(ip),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_outside_and_localhost_stays_here() {
        let check = |name: &str, ip: &str, expect: bool| {
            assert_eq!(may_be(name, SocketAddr::new(ip.parse().unwrap(), 0)), expect, "{name} {ip}");
        };
        check("api.mch.example", "8.8.8.8", true);
        check("api.mch.example", "127.0.0.1", false);
        check("api.mch.example", "169.254.169.254", false);
        check("api.mch.example", "::ffff:10.0.0.1", false);
        check("localhost", "127.0.0.1", true);
        check("localhost", "::1", true);
        check("localhost", "8.8.8.8", false);
    }
}
