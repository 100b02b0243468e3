//! What a call asks of platforms: over the network or out of a record, and the record that is kept of it.
//!
//! A record is run in its order. The next exchange answers the next request if method and path agree; another request
//! was not recorded, and a guess would be worse than an error. Origins may differ, because settings move, and a record
//! written by hand, which has no digest of the request, answers whatever is asked.

use crate::{
    bindings::imported::http::HttpError,
    egress::Received,
    limits::RECEIVED_BYTES,
    no_answer::{Failed, NoAnswer},
};
use data_encoding::HEXLOWER;
use qudao_model::{
    Exchange,
    transcript::{Answered, ExchangeError},
};
use reqwest::{Request, Url};
use sha2::{Digest, Sha256};
use std::{collections::VecDeque, time::Duration};

/// One call's line to the platforms.
pub(crate) struct Line {
    /// Nothing while requests go over the network.
    recorded: Option<VecDeque<Exchange>>,
    /// Nothing where no record is kept.
    kept: Option<Vec<Exchange>>,
    received: usize,
    wait: Option<Duration>,
}

impl Line {
    /// Over the network, with or without a record.
    pub(crate) fn live(keep: bool) -> Line {
        Line { recorded: None, kept: keep.then(Vec::new), received: 0, wait: None }
    }

    /// Out of a record; nothing reaches the network.
    pub(crate) fn recorded(exchanges: Vec<Exchange>) -> Line {
        Line { recorded: Some(exchanges.into()), ..Line::live(false) }
    }

    /// The record's answer; nothing while requests go over the network.
    pub(crate) fn replay(&mut self, request: &Request) -> Option<Result<Received, HttpError>> {
        let recorded = self.recorded.as_mut()?;
        let fits = |exchange: &mut Exchange| {
            exchange.request_sha256.is_empty()
                || (exchange.method == request.method().as_str()
                    && path(&exchange.url) == request.url().path())
        };
        let Some(exchange) = recorded.pop_front_if(fits) else {
            let (method, path) = (request.method(), request.url().path());
            let message = format!("the record has no {method} {path} here");
            return Some(Err(Failed::unsent(NoAnswer::NotRecorded, message).into()));
        };
        Some(answer(exchange))
    }

    /// How many bytes may still come in.
    pub(crate) fn room(&self) -> usize {
        RECEIVED_BYTES.saturating_sub(self.received)
    }

    /// A request is about to leave: from here on the platform may have seen it, also if the call ends now.
    pub(crate) fn begin(&mut self, request: &Request) {
        let Some(kept) = &mut self.kept else { return };
        let message = "the call ended before the answer came";
        let cut = Failed::sent(NoAnswer::CutShort, message);
        kept.push(Exchange {
            method: request.method().to_string(),
            url: place(request.url()),
            request_sha256: digest(request),
            sent: true,
            answer: None,
            error: Some(error(&cut)),
        });
    }

    /// What became of the request that was begun last.
    pub(crate) fn end(&mut self, told: &Result<Received, Failed>) {
        let size = told.as_ref().map_or(0, Received::bytes);
        self.received = self.received.saturating_add(size);
        let Some(exchange) = self.kept.as_mut().and_then(|kept| kept.last_mut()) else { return };
        match told {
            Ok(Received { status, headers, body }) => {
                let answer = Answered { status: *status, headers: headers.clone(), body: body.clone() };
                (exchange.answer, exchange.error) = (Some(answer), None);
            }
            Err(failed) => (exchange.sent, exchange.error) = (failed.sent, Some(error(failed))),
        }
    }

    /// A platform asked for a pause; the longest is remembered.
    pub(crate) fn asked_to_wait(&mut self, wait: Duration) {
        self.wait = self.wait.max(Some(wait));
    }

    /// The longest pause that was asked for.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// The record, taken out.
    pub(crate) fn take_kept(&mut self) -> Vec<Exchange> {
        self.kept.take().unwrap_or_default()
    }
}

fn answer(exchange: Exchange) -> Result<Received, HttpError> {
    if let Some(Answered { status, headers, body }) = exchange.answer {
        return Ok(Received { status, headers, body });
    }
    let lost = || error(&Failed::sent(NoAnswer::CutShort, ""));
    let ExchangeError { code, message } = exchange.error.unwrap_or_else(lost);
    Err(HttpError { code, message, sent: exchange.sent })
}

fn error(failed: &Failed) -> ExchangeError {
    ExchangeError { code: failed.code.as_str().to_owned(), message: failed.message.clone() }
}

/// Origin and path.
fn place(url: &Url) -> String {
    let mut place = url.clone();
    place.set_query(None);
    place.set_fragment(None);
    place.to_string()
}

/// The path of a recorded address.
fn path(recorded: &str) -> String {
    Url::parse(recorded).map_or_else(|_| recorded.to_owned(), |url| url.path().to_owned())
}

/// Over method, address and body, parted by line ends; the whole as it leaves, tokens included.
fn digest(request: &Request) -> String {
    let mut hash = Sha256::new();
    let whole = request.url().as_str();
    let sent = whole.split('#').next().unwrap_or(whole);
    for part in [request.method().as_str(), "\n", sent, "\n"] {
        hash.update(part);
    }
    hash.update(request.body().and_then(|body| body.as_bytes()).unwrap_or_default());
    HEXLOWER.encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::Method;

    fn request(method: Method, url: &str) -> Request {
        Request::new(method, Url::parse(url).unwrap())
    }

    fn received(body: &str) -> Received {
        Received { status: 200, headers: vec![("a".into(), "b".into())], body: body.into() }
    }

    /// A record of two answers and of one request that was cut off.
    fn record() -> Vec<Exchange> {
        let mut line = Line::live(true);
        line.begin(&request(Method::GET, "https://open.example/a?token=hunter2#x"));
        line.end(&Ok(received("1")));
        line.begin(&request(Method::POST, "https://open.example/b"));
        line.end(&Err(Failed::unsent(NoAnswer::Unreachable, "refused")));
        line.begin(&request(Method::POST, "https://open.example/c"));
        line.take_kept()
    }

    #[test]
    fn a_record_holds_no_query_and_says_what_may_have_arrived() {
        let record = record();
        assert_eq!(record[0].url, "https://open.example/a");
        assert!(!format!("{record:?}").contains("hunter2"));
        assert_eq!(record[0].answer.as_ref().map(|answer| answer.body.as_slice()), Some(b"1".as_slice()));
        assert_eq!((record[1].sent, record[1].error.as_ref().unwrap().code.as_str()), (false, "unreachable"));
        assert_eq!((record[2].sent, record[2].error.as_ref().unwrap().code.as_str()), (true, "cut_short"));
        let sent = Sha256::digest(b"GET\nhttps://open.example/a?token=hunter2\n");
        assert_eq!(record[0].request_sha256, HEXLOWER.encode(&sent));
    }

    #[test]
    fn a_record_answers_in_its_order_and_nothing_else() {
        let mut line = Line::recorded(record());
        let mut ask = |method, url: &str| {
            let told = line.replay(&request(method, url)).unwrap();
            told.map(|received| received.body).map_err(|error| (error.code, error.sent))
        };
        let missing = Err(("not_recorded".to_owned(), false));
        assert_eq!(ask(Method::POST, "https://open.example/a"), missing);
        assert_eq!(ask(Method::GET, "https://open.example/b"), missing);
        // The origin and the query may be others.
        assert_eq!(ask(Method::GET, "https://moved.example/a?x"), Ok(b"1".to_vec()));
        assert_eq!(ask(Method::POST, "https://open.example/b"), Err(("unreachable".to_owned(), false)));
        assert_eq!(ask(Method::POST, "https://open.example/c"), Err(("cut_short".to_owned(), true)));
        assert_eq!(ask(Method::POST, "https://open.example/d"), missing);
    }

    #[test]
    fn a_record_by_hand_answers_whatever_is_asked() {
        let mut by_hand = record();
        by_hand[0].request_sha256.clear();
        let told = Line::recorded(by_hand).replay(&request(Method::PUT, "https://open.example/z")).unwrap();
        assert_eq!(told.unwrap().body, b"1");
    }

    #[test]
    fn all_answers_of_a_call_share_their_room() {
        let mut line = Line::live(false);
        assert_eq!(line.room(), RECEIVED_BYTES);
        line.end(&Ok(received("12345")));
        // Headers are kept as well.
        assert_eq!(line.room(), RECEIVED_BYTES - 5 - 2);
        assert!(
            line.take_kept().is_empty() && line.replay(&request(Method::GET, "https://a.example/")).is_none()
        );
    }
}
