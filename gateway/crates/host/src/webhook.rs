//! Posts signed events to an endpoint of the operator's, as Standard Webhooks describes it.
//!
//! Guarantees: nothing is sent to an address inside somebody's network unless the operator said `private`, whatever the name
//! resolves to, nothing unencrypted to one outside, and never to link-local addresses, where clouds keep their metadata; names are resolved once a connection,
//! and the connection goes where the check looked; no redirect is followed, no proxy used; what comes back is bounded in
//! time and size. Keys are used and never shown. When to send, and what an answer means, is left to the caller.
//! Surprising: the answer counts as soon as its head is there. A body that is huge or never ends changes nothing, and that of
//! a 2xx is hardly waited for.

mod key;

pub use key::{WebhookKey, WebhookKeyError};

use crate::{
    Error,
    egress::{Egress, Reach, Received, failed, headers},
    no_answer::{Failed, NoAnswer},
    pace::retry_after,
};
use qudao_model::Timestamp;
use reqwest::{
    Method, Request, Response, Url,
    header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT},
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// What is read of an answer; the rest is dropped.
const ANSWER_BYTES: usize = 16 * 1024;
/// For reading it, once its head is there: the connection can be used again where it is short.
const ANSWER_TIME: Duration = Duration::from_secs(2);
/// The same where the endpoint took the event: nobody needs the words.
const TAKEN_TIME: Duration = Duration::from_millis(100);
/// Characters of an answer that are shown.
const SHOWN: usize = 200;

const AGENT: &str = concat!("qudao/", env!("CARGO_PKG_VERSION"));
const EVENT: &str = "application/cloudevents+json";

/// Where events are posted, and how.
#[derive(Debug)]
pub struct WebhookTarget {
    /// `https:`, or `http:` where `private` is set.
    pub url: String,
    /// All sign, the newest first; at least one.
    pub keys: Vec<WebhookKey>,
    /// Whether private and loopback addresses are allowed.
    pub private: bool,
    /// How long an answer may take, connecting included.
    pub timeout: Duration,
}

/// Posts to one endpoint. Connections are kept between posts.
pub struct WebhookSender {
    url: Url,
    keys: Vec<WebhookKey>,
    reach: Reach,
    timeout: Duration,
    egress: Arc<Egress>,
}

/// What came of one post. `explain` is for people and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// There was an answer.
    Status {
        /// HTTP status.
        status: u16,
        /// `Retry-After` of a 429 or 503, an hour at most.
        retry_after: Option<Duration>,
        /// The first words of the answer, where they are text.
        explain: String,
    },
    /// There was none, and the endpoint may have the event.
    Silent {
        /// What happened.
        explain: String,
    },
    /// Nothing was sent: no connection, or none that is allowed.
    Unreachable {
        /// What happened.
        explain: String,
    },
}

impl WebhookSender {
    pub(crate) fn new(target: WebhookTarget, egress: Arc<Egress>) -> Result<WebhookSender, Error> {
        let WebhookTarget { url, keys, private, timeout } = target;
        let refused = |text: &str| Error::Webhook { text: text.to_owned() };
        let url = Url::parse(&url).map_err(|error| refused(&format!("the url cannot be read: {error}")))?;
        let scheme_fits = url.scheme() == "https" || (private && url.scheme() == "http");
        if !scheme_fits || !url.has_host() {
            return Err(refused("the url must begin with https://"));
        }
        if keys.is_empty() {
            return Err(refused("there is no key to sign with"));
        }
        let reach = match (private, url.scheme()) {
            (false, _) => Reach::Outside,
            (true, "https") => Reach::Everywhere,
            (true, _) => Reach::Inside,
        };
        Ok(WebhookSender { url, keys, reach, timeout, egress })
    }

    /// Posts one event, signed as of `at`.
    pub async fn post(&self, id: &str, body: Vec<u8>, at: Timestamp) -> Posted {
        let deadline = Instant::now() + self.timeout;
        let exchange = async {
            let client = self.egress.webhooks(self.reach).map_err(Posted::unreachable)?;
            let request = self.request(id, body, at).map_err(Posted::unreachable)?;
            let response = client.execute(request).await.map_err(|error| self.unanswered(&failed(&error)))?;
            Ok(response)
        };
        match timeout_at(deadline, exchange).await {
            Ok(Ok(response)) => answer(response, deadline, at).await,
            Ok(Err(posted)) => posted,
            Err(_) => Posted::Silent { explain: format!("no answer within {:?}", self.timeout) },
        }
    }

    fn request(&self, id: &str, body: Vec<u8>, at: Timestamp) -> Result<Request, String> {
        // A name is judged when it is resolved; an address that is written out is not resolved.
        let host = self.url.host_str().unwrap_or_default();
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        if address.is_some_and(|address| !self.reach.has(address)) {
            return Err(self.reach.otherwise().to_owned());
        }
        let seconds = at.as_second().to_string();
        let mut signed = format!("{id}.{seconds}.").into_bytes();
        signed.extend_from_slice(&body);
        let signatures: Result<Vec<_>, _> = self.keys.iter().map(|key| key.sign(&signed)).collect();
        let signature = signatures.map_err(|error| error.message)?.join(" ");
        let mut request = Request::new(Method::POST, self.url.clone());
        let value = |text: &str| HeaderValue::from_str(text).map_err(|_| "an id cannot be sent".to_owned());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(HeaderName::from_static("webhook-id"), value(id)?);
        headers.insert(HeaderName::from_static("webhook-timestamp"), value(&seconds)?);
        headers.insert(HeaderName::from_static("webhook-signature"), value(&signature)?);
        *request.body_mut() = Some(body.into());
        Ok(request)
    }

    fn unanswered(&self, failed: &Failed) -> Posted {
        let message = &failed.message;
        let place = || {
            let (host, port) = (self.url.host_str(), self.url.port_or_known_default());
            format!("{}:{}", host.unwrap_or_default(), port.unwrap_or_default())
        };
        let explain = if failed.code != NoAnswer::Unreachable {
            message.clone()
        } else if message.contains(NO_TLS) {
            format!("{} does not speak TLS; is it `http:`, or another port?", place())
        } else {
            format!("cannot connect to {}: {message}", place())
        };
        if failed.sent { Posted::Silent { explain } } else { Posted::Unreachable { explain } }
    }
}

/// What the client says where the first bytes are none of TLS.
const NO_TLS: &str = "InvalidContentType";

impl Posted {
    fn unreachable(explain: String) -> Posted {
        Posted::Unreachable { explain }
    }
}

/// The head decides; of the body a little is read, for people and so that the connection can be kept.
async fn answer(mut response: Response, deadline: Instant, at: Timestamp) -> Posted {
    let status = response.status().as_u16();
    let received = Received { status, headers: headers(&response), body: Vec::new() };
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(chunk.get(..ANSWER_BYTES - body.len()).unwrap_or(&chunk));
            if body.len() >= ANSWER_BYTES {
                return;
            }
        }
    };
    let time = if (200..300).contains(&status) { TAKEN_TIME } else { ANSWER_TIME };
    let _in_time = timeout_at(deadline.min(Instant::now() + time), reading).await;
    let retry_after = retry_after(&received, at);
    Posted::Status { status, retry_after, explain: explain(status, &body) }
}

fn explain(status: u16, body: &[u8]) -> String {
    if (300..400).contains(&status) {
        return format!("answered {status}, but redirects are not followed: configure the new address");
    }
    match shown(body) {
        Some(text) => format!("answered {status}: {text}"),
        None => format!("answered {status}"),
    }
}

/// The first words of a text; nothing of what is none.
fn shown(body: &[u8]) -> Option<String> {
    // The end may be cut within a letter.
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(body.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() || text.chars().any(char::is_control) {
        return None;
    }
    Some(text.chars().filter(|c| !is_invisible(*c)).take(SHOWN).collect())
}

/// Marks that show nothing and turn around or hide what stands beside them.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_of_an_answer_is_shown_and_little_of_it() {
        let check = |body: &[u8], expect: &str| assert_eq!(explain(500, body), expect, "{body:?}");
        check(b"", "answered 500");
        check(b" \n ", "answered 500");
        check("<h1>出错了</h1>\n\n <p>x</p>".as_bytes(), "answered 500: <h1>出错了</h1> <p>x</p>");
        check(&"错".as_bytes()[..2], "answered 500");
        check(&"a错".as_bytes()[..2], "answered 500: a");
        check(b"\x00\x01", "answered 500");
        check(b"a\x1b[31mred", "answered 500");
        check(b"\xff\xfeabc", "answered 500");
        check("no\u{202e}txt\u{200b}.exe\u{2066}".as_bytes(), "answered 500: notxt.exe");
        assert_eq!(explain(500, "错".repeat(500).as_bytes()).chars().count(), "answered 500: ".len() + SHOWN);
        assert!(explain(302, b"moved").contains("redirects are not followed"));
    }
}
