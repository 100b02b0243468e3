//! A call out as a person reads it: what was asked, and each exchange in a line. Never the bodies, which hold what
//! platforms tell about people.

use crate::output::people;
use qudao_model::{Asked, Exchange, Transcript};

/// What the connector was asked to do.
pub(super) fn asked(transcript: &Transcript) -> String {
    match &transcript.asked {
        Asked::Poll { stream, cursor: None } => format!("poll of {stream}, from its beginning"),
        Asked::Poll { stream, cursor: Some(cursor) } => format!("poll of {stream} from {cursor}"),
        Asked::Fetch { kind, key } => format!("fetch of {kind} {}", key.join(" ")),
        Asked::Command { kind, payload } => format!("command {kind} {payload}"),
    }
}

/// One line each: method, address, status and size, or why there was no answer.
pub(super) fn exchanges(transcript: &Transcript) -> Vec<String> {
    transcript.exchanges.iter().map(exchange).collect()
}

fn exchange(exchange: &Exchange) -> String {
    let Exchange { method, url, sent, answer, error, .. } = exchange;
    let came = match (answer, error) {
        (Some(answer), _) => format!("{}, {}", answer.status, people::bytes(answer.body.len())),
        (None, Some(error)) => format!("no answer: {}: {}", error.code, error.message),
        (None, None) => "no answer".to_owned(),
    };
    let left = match (answer, sent) {
        (None, true) => " (the platform may have seen it)",
        (None, false) => " (nothing was sent)",
        (Some(_), _) => "",
    };
    format!("{method} {url} -> {came}{left}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_model::transcript::{Answered, ExchangeError};

    #[test]
    fn every_exchange_is_a_line_without_its_body() {
        let none = Exchange {
            method: "POST".to_owned(),
            url: "https://api.example.com/orders".to_owned(),
            request_sha256: String::new(),
            sent: true,
            answer: None,
            error: None,
        };
        let answer = Answered { status: 200, headers: Vec::new(), body: b"{\"name\":\"secret\"}".to_vec() };
        let error = ExchangeError { code: "timeout".to_owned(), message: "no answer after 10 s".to_owned() };
        let exchanges = vec![
            Exchange { answer: Some(answer), ..none.clone() },
            Exchange { error: Some(error.clone()), ..none.clone() },
            Exchange { error: Some(error), sent: false, ..none },
        ];
        let cursor = Some("2026-03-12".to_owned());
        let transcript = Transcript { asked: Asked::Poll { stream: "orders".to_owned(), cursor }, exchanges };
        insta::assert_snapshot!(format!("{}\n{}", asked(&transcript), super::exchanges(&transcript).join("\n")), @r"
        poll of orders from 2026-03-12
        POST https://api.example.com/orders -> 200, 17 B
        POST https://api.example.com/orders -> no answer: timeout: no answer after 10 s (the platform may have seen it)
        POST https://api.example.com/orders -> no answer: timeout: no answer after 10 s (nothing was sent)
        ");
    }
}
