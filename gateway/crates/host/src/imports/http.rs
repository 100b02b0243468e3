//! `http`: requests to origins in manifest ∩ grant. Any other origin ends the call, so that it cannot pass unseen.

use crate::{
    Reason,
    bindings::{
        imported::http::{self, HttpError, Incoming, Outgoing},
        wire::Header,
    },
    egress::{Failed, Received},
    origin::Origin,
    sandbox::{Denied, State},
};
use reqwest::{
    Method, Request, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};

/// Headers that belong to the connection or that would speak for another host.
const OURS: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

impl http::Host for State {
    async fn send(&mut self, outgoing: Outgoing) -> wasmtime::Result<Result<Incoming, HttpError>> {
        self.host_call()?;
        let url = match Url::parse(&outgoing.url) {
            Ok(url) => url,
            Err(error) => return Ok(Err(refused(format!("the url cannot be read: {error}")))),
        };
        self.allow(&url)?;
        let request = match request(url, outgoing) {
            Ok(request) => request,
            Err(text) => return Ok(Err(refused(text))),
        };
        let limits = &self.granted.limits;
        let sent = self.egress.send(request, limits.http_request, limits.http_response_bytes).await;
        Ok(sent.map(incoming).map_err(failed))
    }
}

impl State {
    fn allow(&mut self, url: &Url) -> wasmtime::Result<()> {
        let origin =
            Origin::of(url).map(|origin| (self.granted.origins.contains(&origin), origin.to_string()));
        let explain = match origin {
            Ok((true, _)) => return self.http_request(),
            // The origin alone: paths and queries hold data.
            Ok((false, origin)) => {
                format!("{origin} is not both in the manifest and in the channel's `network`")
            }
            Err(error) => format!("an outgoing url {error}"),
        };
        Err(Denied::because(Reason::NetworkNotGranted, explain))
    }
}

fn request(url: Url, outgoing: Outgoing) -> Result<Request, String> {
    let method = match outgoing.method.as_str() {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        "PATCH" => Method::PATCH,
        "DELETE" => Method::DELETE,
        "HEAD" => Method::HEAD,
        other => return Err(format!("method {other:?} is not sent")),
    };
    let mut headers = HeaderMap::new();
    for Header { name, value } in outgoing.headers {
        let parsed: HeaderName = name.parse().map_err(|_| format!("{name:?} is no header name"))?;
        if OURS.contains(&parsed.as_str()) {
            return Err(format!("header {parsed} is set by the gateway"));
        }
        let value =
            HeaderValue::from_str(&value).map_err(|_| format!("the value of {parsed} cannot be sent"))?;
        headers.append(parsed, value);
    }
    let mut request = Request::new(method, url);
    *request.headers_mut() = headers;
    if !outgoing.body.is_empty() {
        *request.body_mut() = Some(outgoing.body.into());
    }
    Ok(request)
}

fn incoming(received: Received) -> Incoming {
    let header = |(name, value): (String, String)| Header { name, value };
    Incoming {
        status: received.status,
        headers: received.headers.into_iter().map(header).collect(),
        body: received.body,
    }
}

fn refused(message: String) -> HttpError {
    HttpError { code: "bad_request".into(), message, sent: false }
}

fn failed(failed: Failed) -> HttpError {
    HttpError { code: failed.code.into(), message: failed.message, sent: failed.sent }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, header: (&str, &str), expect: Result<(), &str>) {
        let (name, value) = (header.0.to_owned(), header.1.to_owned());
        let outgoing = Outgoing {
            method: method.into(),
            url: String::new(),
            headers: vec![Header { name, value }],
            body: Vec::new(),
        };
        let built = request(Url::parse("https://open.example/").unwrap(), outgoing).map(|_| ());
        assert_eq!(built, expect.map_err(str::to_owned));
    }

    #[test]
    fn only_plain_requests_are_built() {
        check("POST", ("Authorization", "a b"), Ok(()));
        check("CONNECT", ("A", "b"), Err("method \"CONNECT\" is not sent"));
        check("get", ("A", "b"), Err("method \"get\" is not sent"));
        check("GET", ("Host", "other.example"), Err("header host is set by the gateway"));
        check("GET", ("a b", "c"), Err("\"a b\" is no header name"));
        check("GET", ("a", "b\r\nc: d"), Err("the value of a cannot be sent"));
    }
}
