//! The one client for outgoing HTTP: no redirects, no proxy, no address inside somebody's network, bounded in time and
//! size. Origins are checked before; this is the second line, against names that resolve to where they should not.
//!
//! A name is resolved once for a connection, and the connection goes to the addresses that were looked at: a name that
//! answers differently the next time gains nothing. Addresses instead of names never come here unless the operator wrote
//! that very address. Answers are taken as they come; compressed ones are not asked for.
//!
//! The client is made at its first use, because most gateways only take webhooks and it loads the system's certificates.

use crate::no_answer::{Failed, NoAnswer};
use qudao_address::Place;
use reqwest::{
    Client, Request, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::task::JoinSet;

/// A platform that does not even take the connection in this time is down.
const CONNECT: Duration = Duration::from_secs(5);

/// Idle connections kept per host: bursts to one platform reuse them.
const IDLE_PER_HOST: usize = 8;

/// Addresses of a name, found later.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses of names. Whatever it finds, only public ones are connected to.
pub trait Names: Send + Sync {
    /// All addresses of `name`.
    fn find(&self, name: &str) -> Found;
}

/// The machine's own way: its hosts file, then DNS.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

impl Names for SystemNames {
    fn find(&self, name: &str) -> Found {
        let name = name.to_owned();
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// How long an idle connection is kept. Platforms end theirs after 15 s and more, and a request on a connection that ends
/// just then has an unknown outcome.
const IDLE: Duration = Duration::from_secs(10);

/// Makes and keeps the client.
pub(crate) struct Egress {
    client: OnceLock<Result<Client, String>>,
    /// For webhooks, one for each [`Reach`].
    webhooks: [OnceLock<Result<Client, String>>; 3],
    names: Arc<dyn Names>,
}

/// Where events may be posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses.
    Outside,
    /// The operator's own networks as well, because they said so.
    Everywhere,
    /// The operator's own networks only: what is posted is not encrypted.
    Inside,
}

impl Reach {
    /// Whether events may be posted to this address.
    pub(crate) fn has(self, ip: IpAddr) -> bool {
        match self {
            Reach::Outside => Place::of(ip) == Place::Public,
            Reach::Everywhere => Place::of(ip) != Place::Nobodys,
            Reach::Inside => Place::of(ip) == Place::OwnNetwork,
        }
    }

    /// What is said where they may not.
    pub(crate) fn otherwise(self) -> &'static str {
        match self {
            Reach::Outside => NOT_OUTSIDE,
            Reach::Everywhere => NOT_OWN,
            Reach::Inside => NOT_INSIDE,
        }
    }
}

/// A whole response.
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// What is kept of it.
    pub(crate) fn bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        headers.sum::<usize>().saturating_add(self.body.len())
    }

    /// The first value of a header, by name without regard to case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |(at, _): &&(String, String)| at.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }
}

impl Egress {
    pub(crate) fn new(names: Arc<dyn Names>) -> Egress {
        Egress { client: OnceLock::new(), webhooks: [const { OnceLock::new() }; 3], names }
    }

    /// The client that events are posted with.
    pub(crate) fn webhooks(&self, reach: Reach) -> Result<Client, String> {
        let [outside, everywhere, inside] = &self.webhooks;
        // A function that knows its reach, because that is what a client keeps.
        let (made, may): (_, fn(&str, IpAddr) -> bool) = match reach {
            Reach::Outside => (outside, |_, ip| Reach::Outside.has(ip)),
            Reach::Everywhere => (everywhere, |_, ip| Reach::Everywhere.has(ip)),
            Reach::Inside => (inside, |_, ip| Reach::Inside.has(ip)),
        };
        made.get_or_init(|| client(&self.names, reach.otherwise(), may)).clone()
    }

    /// Sends on a task of its own: the guest's stack is too small for TLS, and dropping the call aborts the task.
    pub(crate) async fn send(
        &self,
        request: Request,
        within: Duration,
        bytes: usize,
    ) -> Result<Received, Failed> {
        let client = match self.client.get_or_init(|| client(&self.names, NOT_PUBLIC, may_be)) {
            Ok(client) => client.clone(),
            Err(text) => return Err(Failed::unsent(NoAnswer::Unreachable, text.clone())),
        };
        let mut task = JoinSet::new();
        task.spawn(async move {
            let whole = tokio::time::timeout(within, exchange(client, request, bytes));
            whole.await.unwrap_or_else(|_| {
                Err(Failed::sent(NoAnswer::Timeout, format!("no answer within {within:?}")))
            })
        });
        match task.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(_)) | None => Err(Failed::sent(NoAnswer::Broken, "the request was cut short")),
        }
    }
}

fn client(
    names: &Arc<dyn Names>,
    otherwise: &'static str,
    may: fn(&str, IpAddr) -> bool,
) -> Result<Client, String> {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .dns_resolver(Allowed { names: Arc::clone(names), may, otherwise })
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .pool_idle_timeout(IDLE)
        .build()
        .map_err(|error| format!("the client cannot start: {error}"))
}

async fn exchange(client: Client, request: Request, bytes: usize) -> Result<Received, Failed> {
    let mut response = client.execute(request).await.map_err(|error| failed(&error))?;
    let status = response.status().as_u16();
    let headers = headers(&response);
    let too_large =
        || Failed::sent(NoAnswer::ResponseTooLarge, format!("the response has more than {bytes} bytes"));
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

pub(crate) fn headers(response: &Response) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    response.headers().iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect()
}

pub(crate) fn failed(error: &reqwest::Error) -> Failed {
    if let Some(NotAllowed(text)) = cause(error) {
        return Failed::unsent(NoAnswer::BlockedAddress, *text);
    }
    // Without the URL, whose query may hold data.
    let message = innermost(error);
    if error.is_connect() || error.is_builder() {
        return Failed::unsent(NoAnswer::Unreachable, message);
    }
    let code = if error.is_timeout() { NoAnswer::Timeout } else { NoAnswer::Broken };
    Failed::sent(code, message)
}

fn innermost(error: &reqwest::Error) -> String {
    let mut at: &dyn std::error::Error = error;
    while let Some(source) = at.source() {
        at = source;
    }
    if std::ptr::addr_eq(at, error) { "the request failed".into() } else { at.to_string() }
}

fn cause<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut at: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        at = error.source();
    }
    None
}

/// Hands on only allowed addresses, so that the connection goes where the check looked.
#[derive(Clone)]
struct Allowed {
    names: Arc<dyn Names>,
    may: fn(&str, IpAddr) -> bool,
    otherwise: &'static str,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotAllowed(&'static str);

const NOT_PUBLIC: &str = "the name resolves to no public address";
const NOT_OUTSIDE: &str =
    "it leads to no public address; `private: true` allows those of a network of your own";
const NOT_OWN: &str = "it leads neither to a public address nor to one of a network of your own";
const NOT_INSIDE: &str = "it leads to no address of a network of your own, and `http:` goes no further";

impl Resolve for Allowed {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.names.find(name.as_str());
        let Allowed { may, otherwise, .. } = *self;
        Box::pin(async move {
            let allowed: Vec<_> = found.await?.into_iter().filter(|ip| may(name.as_str(), *ip)).collect();
            if allowed.is_empty() {
                return Err(NotAllowed(otherwise).into());
            }
            Ok(Box::new(allowed.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

/// `localhost` means this machine and is reachable only where the operator wrote it; any other name must be public.
fn may_be(name: &str, ip: IpAddr) -> bool {
    if name == "localhost" { ip.is_loopback() } else { Place::of(ip) == Place::Public }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Both;

    impl Names for Both {
        fn find(&self, _name: &str) -> Found {
            Box::pin(async { Ok(["10.0.0.8", "8.8.8.8", "::1"].map(|ip| ip.parse().unwrap()).to_vec()) })
        }
    }

    /// A client tries one address after the other: a good one among them does not make the others good.
    #[tokio::test]
    async fn of_a_name_with_many_addresses_only_the_allowed_ones_are_handed_on() {
        let allowed = Allowed { names: Arc::new(Both), may: may_be, otherwise: NOT_PUBLIC };
        let handed = allowed.resolve("api.mch.example".parse().unwrap()).await.unwrap();
        assert_eq!(handed.map(|at| at.ip().to_string()).collect::<Vec<_>>(), ["8.8.8.8"]);
    }

    #[test]
    fn names_lead_outside_and_localhost_stays_here() {
        let check = |name: &str, ip: &str, expect: bool| {
            assert_eq!(may_be(name, ip.parse().unwrap()), expect, "{name} {ip}");
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
