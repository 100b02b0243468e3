//! From what a guest wants to send to a request, with tokens put in where their markers stand.
//!
//! Where a request goes is settled before any token is touched: a marker before the query is refused, so that no token
//! becomes a host or a path, and the origin was checked on the address as the guest wrote it.

use crate::{
    bindings::{imported::http::Outgoing, wire::Header},
    imports::keys::Tokens,
    limits::HEADERS,
    no_answer::{Failed, NoAnswer},
};
use qudao_keys::{UseError, has_marker};
use reqwest::{
    Method, Request, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
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

/// The bodies in which a token is percent-encoded.
const FORM: &str = "application/x-www-form-urlencoded";

/// The address that a guest wrote.
pub(crate) fn url(written: &str) -> Result<Url, Failed> {
    Url::parse(written).map_err(|error| refused(format!("the url cannot be read: {error}")))
}

/// Builds the request. Nothing has left this machine where it fails.
pub(crate) fn request(url: Url, outgoing: Outgoing, tokens: &Tokens) -> Result<Request, Failed> {
    let method = method(&outgoing.method)?;
    let url = filled_url(url, &outgoing.url, tokens)?;
    let headers = headers(outgoing.headers, tokens)?;
    let body = if tokens.is_empty() {
        outgoing.body
    } else {
        tokens.fill(&outgoing.body, is_form(&headers)).map_err(unfilled)?
    };
    let mut request = Request::new(method, url);
    *request.headers_mut() = headers;
    if !body.is_empty() {
        *request.body_mut() = Some(body.into());
    }
    Ok(request)
}

fn method(written: &str) -> Result<Method, Failed> {
    match written {
        "GET" => Ok(Method::GET),
        "POST" => Ok(Method::POST),
        "PUT" => Ok(Method::PUT),
        "PATCH" => Ok(Method::PATCH),
        "DELETE" => Ok(Method::DELETE),
        "HEAD" => Ok(Method::HEAD),
        other => Err(refused(format!("method {other:?} is not sent"))),
    }
}

fn filled_url(mut url: Url, written: &str, tokens: &Tokens) -> Result<Url, Failed> {
    if tokens.is_empty() {
        return Ok(url);
    }
    let before_query = written.split(['?', '#']).next().unwrap_or(written);
    let place = [before_query, url.host_str().unwrap_or_default(), url.path()];
    if place.iter().any(|part| has_marker(part.as_bytes())) {
        return Err(refused("a token stands before the query of the url".into()));
    }
    if let Some(query) = url.query() {
        let query = tokens.fill(query.as_bytes(), true).map_err(unfilled)?;
        let query = String::from_utf8(query).map_err(|_| refused("the query is no text".into()))?;
        url.set_query(Some(&query));
    }
    Ok(url)
}

fn headers(written: Vec<Header>, tokens: &Tokens) -> Result<HeaderMap, Failed> {
    if written.len() > HEADERS {
        return Err(refused(format!("{} headers are not sent, at most {HEADERS}", written.len())));
    }
    let mut headers = HeaderMap::new();
    for Header { name, value } in written {
        let parsed: HeaderName = name.parse().map_err(|_| refused(format!("{name:?} is no header name")))?;
        if OURS.contains(&parsed.as_str()) {
            return Err(refused(format!("header {parsed} is set by the gateway")));
        }
        let cannot = || refused(format!("the value of {parsed} cannot be sent"));
        let filled = tokens.fill(value.as_bytes(), false).map_err(unfilled)?;
        let mut value = String::from_utf8(filled)
            .ok()
            .and_then(|value| HeaderValue::from_str(&value).ok())
            .ok_or_else(cannot)?;
        value.set_sensitive(!tokens.is_empty());
        headers.append(parsed, value);
    }
    Ok(headers)
}

fn is_form(headers: &HeaderMap) -> bool {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    declared.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}

fn refused(message: String) -> Failed {
    Failed::unsent(NoAnswer::BadRequest, message)
}

fn unfilled(error: UseError) -> Failed {
    refused(error.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_keys::Key;
    use qudao_model::manifest::KeyKind;
    use std::sync::Arc;

    fn tokens(value: &str) -> Tokens {
        let key = Key::parse(KeyKind::Token, value.as_bytes()).unwrap();
        Tokens::new(vec![("session".to_owned(), Arc::new(key))])
    }

    fn built(
        url_written: &str,
        header: (&str, &str),
        body: &str,
        tokens: &Tokens,
    ) -> Result<Request, String> {
        let outgoing = Outgoing {
            method: "POST".into(),
            url: url_written.into(),
            headers: vec![Header { name: header.0.into(), value: header.1.into() }],
            body: body.into(),
        };
        let parsed = url(url_written).map_err(|failed| failed.message)?;
        request(parsed, outgoing, tokens).map_err(|failed| failed.message)
    }

    fn check(method: &str, header: (&str, &str), expect: Result<(), &str>) {
        let outgoing = Outgoing {
            method: method.into(),
            url: String::new(),
            headers: vec![Header { name: header.0.into(), value: header.1.into() }],
            body: Vec::new(),
        };
        let built = request(Url::parse("https://open.example/").unwrap(), outgoing, &Tokens::new(Vec::new()));
        assert_eq!(built.map(|_| ()).map_err(|failed| failed.message), expect.map_err(str::to_owned));
    }

    /// The tables of the HTTP library panic when they are full, and a panic in here would not be the guest's alone.
    #[test]
    fn headers_are_counted_before_they_are_built() {
        let built = |count: usize| {
            let header = |number| Header { name: format!("h{number}"), value: String::new() };
            let headers = (0..count).map(header).collect();
            let outgoing = Outgoing { method: "GET".into(), url: String::new(), headers, body: Vec::new() };
            request(Url::parse("https://open.example/").unwrap(), outgoing, &Tokens::new(Vec::new()))
        };
        assert_eq!(built(100).unwrap().headers().len(), 100);
        assert_eq!(built(30_000).unwrap_err().message, "30000 headers are not sent, at most 100");
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

    #[test]
    fn tokens_go_into_query_headers_and_body() {
        let request = built(
            "https://open.example/api?session=~secret.session~&q=%26",
            ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
            "session=~secret.session~",
            &tokens("6100+7a&x=1"),
        );
        let request = request.unwrap();
        assert_eq!(request.url().as_str(), "https://open.example/api?session=6100%2B7a%26x%3D1&q=%26");
        let body = request.body().and_then(|body| body.as_bytes());
        assert_eq!(body, Some(b"session=6100%2B7a%26x%3D1".as_slice()));
        let request = built(
            "https://open.example/",
            ("Authorization", "Bearer ~secret.session~"),
            "{\"t\":\"~secret.session~\"}",
            &tokens("a+b"),
        );
        let request = request.unwrap();
        assert_eq!(request.headers().get("authorization").unwrap().to_str().unwrap(), "Bearer a+b");
        assert!(!format!("{:?}", request.headers()).contains("a+b"));
        assert_eq!(request.body().and_then(|body| body.as_bytes()), Some(b"{\"t\":\"a+b\"}".as_slice()));
    }

    #[test]
    fn tokens_do_not_say_where_a_request_goes() {
        let refused = "a token stands before the query of the url";
        for url in [
            "https://open.example/~secret.session~",
            "https://open.example/a/~secret.session~/b?c=~secret.session~",
            "https://open.example:443/~secret.session~#x",
        ] {
            let told = built(url, ("A", "b"), "", &tokens("elsewhere.example")).map(|_| ());
            assert_eq!(told, Err(refused.to_owned()), "{url}");
        }
        for url in [
            "https://~secret.session~/",
            "~secret.session~://open.example/",
            "https://~secret.session~.open.example/",
        ] {
            let told = built(url, ("A", "b"), "", &tokens("elsewhere.example"));
            assert!(told.is_err(), "{url}");
        }
        // What is left in the fragment is not sent, and without tokens a marker is only text.
        assert!(
            built("https://open.example/~secret.session~", ("A", "b"), "", &Tokens::new(Vec::new())).is_ok()
        );
    }
}
