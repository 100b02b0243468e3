//! The behaviours. Each either traps, is stopped by the host, or returns something that the host must refuse.

use super::{
    Acceptance, Answer, Header, Note, Observation, acceptance, answer, clock, expectations, http, keys, log,
    observation, random, sink, source,
};
use std::hint::black_box;

pub fn behave(mode: &str) -> Acceptance {
    match mode {
        "loop" => run_for_ever(),
        "allocate" => allocate(),
        "recurse" => {
            black_box(recurse(0));
        }
        "result" => return large(),
        "many" => return Acceptance { observations: vec![observation(); 1_001], ..acceptance(b"") },
        "bulk" => return bulk(),
        "long_line" => log::emit("info", &"x".repeat(100_000), &[]),
        "log" => (0..1_000_000).for_each(|line| log::emit("info", &format!("line {line}"), &[])),
        "talk" => (0..100).for_each(|line| log::emit("info", &format!("line {line}"), &[])),
        "shout" => log::emit("info", &"x".repeat(16 << 20), &[]),
        "handles" => open_many(),
        "calls" => (0..1_000_000).for_each(|_| {
            black_box(clock::now_ms());
        }),
        "random" => {
            black_box(random::bytes(1 << 20));
        }
        "unlisted_host" => {
            black_box(get("https://elsewhere.example/steal?data=1").is_ok());
        }
        "unlisted_key" => {
            black_box(keys::open("api_v3_key").is_ok());
        }
        "source" => {
            black_box(source::size());
        }
        "sink" => sink::put("rows", b"{}\n"),
        "panic" => panic!("as asked"),
        "trap" => trap(),
        _ => return invalid(mode),
    }
    acceptance(b"")
}

/// Verdicts with one thing wrong.
fn invalid(mode: &str) -> Acceptance {
    let good = acceptance(b"");
    let with = |change: &dyn Fn(&mut Observation)| {
        let mut fact = observation();
        change(&mut fact);
        Acceptance { observations: vec![fact], ..acceptance(b"") }
    };
    let answering = |answer: Answer| Acceptance { answer, ..acceptance(b"") };
    match mode {
        "bad_payload" => with(&|fact| fact.payload = b"{".to_vec()),
        "bad_member" => {
            with(&|fact| fact.payload = replaced(fact, "\"evidence\"", "\"extra\":1,\"evidence\""))
        }
        "bad_twice" => with(&|fact| fact.payload = replaced(fact, "{", "{\"order_no\":\"SO2\",")),
        "bad_amount" => with(&|fact| fact.payload = replaced(fact, "100", "-100")),
        "bad_key" => with(&|fact| fact.key = vec!["m1".into(), "SO2".into()]),
        "bad_schema" => with(&|fact| fact.schema = "qudao.payment.v9".into()),
        "bad_entity" => with(&|fact| fact.entity = "spell".into()),
        "bad_time" => with(&|fact| fact.occurred_at = i64::MAX),
        "bad_dedupe_key" => Acceptance { dedupe_key: String::new(), ..good },
        "bad_note" => {
            Acceptance { notes: vec![Note { kind: "a b".into(), at: None, fields: b"{}".to_vec() }], ..good }
        }
        "bad_status" => answering(answer(99)),
        "bad_header" => {
            let header = Header { name: "A".into(), value: "b\r\nSet-Cookie: c".into() };
            answering(Answer { headers: vec![header], ..answer(200) })
        }
        "bad_length" => {
            let header = Header { name: "Content-Length".into(), value: "1".into() };
            answering(Answer { headers: vec![header], ..answer(200) })
        }
        "bad_headers" => {
            let header = |number| Header { name: format!("a{number}"), value: String::new() };
            answering(Answer { headers: (0..101).map(header).collect(), ..answer(200) })
        }
        "long_headers" => {
            let header = Header { name: "A".into(), value: "b".repeat(65 << 10) };
            answering(Answer { headers: vec![header], ..answer(200) })
        }
        "bad_body" => answering(Answer { body: vec![b'x'; 1 << 20], ..answer(200) }),
        _ => good,
    }
}

/// Uses every import as it should be used; the answer's body tells what came of it.
pub fn imports() -> Acceptance {
    let mac = keys::open("mac").ok().and_then(|key| key.mac(b"data").ok()).unwrap_or_default();
    let wrong = keys::open("mac").ok().and_then(|key| key.sign(b"data").err()).map(|error| error.code);
    let spare = keys::open("spare").err().map(|error| error.code);
    let told = format!(
        "now={} random={:?} mac={} wrong={wrong:?} spare={spare:?} expected={:?}",
        clock::now_ms(),
        random::bytes(4),
        mac.len(),
        expectations::payment_fen("SO1"),
    );
    Acceptance { answer: Answer { body: told.into_bytes(), ..answer(200) }, ..acceptance(b"") }
}

/// Fetches a URL; the answer's body tells what came of it.
pub fn fetch(url: &str) -> Acceptance {
    let told = match get(url) {
        Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
        Err(error) => format!("{} sent={}", error.code, error.sent),
    };
    Acceptance { answer: Answer { body: told.into_bytes(), ..answer(200) }, ..acceptance(b"") }
}

fn get(url: &str) -> Result<http::Incoming, http::HttpError> {
    let request = http::Outgoing { method: "GET".into(), url: url.into(), headers: vec![], body: vec![] };
    http::send(&request)
}

fn run_for_ever() {
    let mut at = 1_u64;
    while at != 0 {
        at = black_box(at | 1);
    }
}

fn allocate() {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    for _ in 0..4096 {
        kept.push(black_box(vec![1; 1 << 20]));
    }
    black_box(&kept);
}

fn recurse(depth: u64) -> u64 {
    let here = black_box([depth; 16]);
    if depth == u64::MAX {
        return 0;
    }
    recurse(depth + 1).wrapping_add(here[(depth % 16) as usize])
}

/// 5 MB of facts: more than may be kept, less than may be handed over.
fn bulk() -> Acceptance {
    let fact = Observation { payload: vec![b' '; 1 << 20], ..observation() };
    Acceptance { observations: vec![fact; 5], ..acceptance(b"") }
}

/// 100 MB of facts.
fn large() -> Acceptance {
    let fact = Observation { payload: vec![b' '; 1 << 20], ..observation() };
    Acceptance { observations: vec![fact; 100], ..acceptance(b"") }
}

fn open_many() {
    let mut open = Vec::new();
    for _ in 0..1_000_000 {
        open.push(keys::open("mac"));
    }
    black_box(&open);
}

fn replaced(fact: &Observation, from: &str, to: &str) -> Vec<u8> {
    String::from_utf8_lossy(&fact.payload).replacen(from, to, 1).into_bytes()
}

#[cfg(target_arch = "wasm32")]
fn trap() {
    std::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
fn trap() {
    std::process::abort()
}
