//! Parsers of the model and of the SDK: what was read is written the same, and what was written is read again.
//!
//! The first line of an input says which one; the rest is its text.

use crate::{Reached, oracle};
use qudao_model::file::{Amendment, FileOutcome, RowNotice, RowReject, Sniffed, StockRow, Ticket};
use qudao_model::{
    CloudEvent, Entity, Fen, Manifest, Observation, Request, StockLevel, Transcript, id, time,
};
use qudao_sdk::{base64, charset::Charset, form, form::Form};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// The parsers, by the word of the first line.
pub const WORDS: [&str; 20] = [
    "money",
    "shanghai",
    "rfc3339",
    "form",
    "gbk",
    "base64",
    "id",
    "observation",
    "event",
    "entity",
    "transcript",
    "request",
    "manifest",
    "outcome",
    "stock_row",
    "ticket",
    "reject",
    "notice",
    "sniffed",
    "level",
];

/// Reads an input.
pub fn run(data: &[u8]) -> Reached {
    let at = memchr::memchr(b'\n', data).unwrap_or(data.len());
    let (word, rest) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let Ok(word) = std::str::from_utf8(word) else { return Reached::Nothing };
    let read = match word {
        "form" => form_of(rest),
        "gbk" => gbk(rest),
        "observation" => observation(rest),
        "event" => json::<CloudEvent>(rest),
        "entity" => json::<Entity>(rest),
        "transcript" => transcript(rest),
        "request" => json::<Request>(rest),
        "manifest" => json::<Manifest>(rest),
        "outcome" => json::<FileOutcome>(rest),
        "stock_row" => json::<StockRow>(rest),
        "ticket" => json::<Ticket>(rest),
        "reject" => json::<RowReject>(rest) && json::<Amendment>(rest),
        "notice" => json::<RowNotice>(rest),
        "sniffed" => json::<Sniffed>(rest),
        "level" => json::<StockLevel>(rest),
        "base64" => base64::decode(rest).is_ok_and(|bytes| {
            assert_eq!(base64::encode(&bytes).as_bytes(), rest, "two texts for the same bytes");
            true
        }),
        _ => std::str::from_utf8(rest).is_ok_and(|text| text_of(word, text)),
    };
    if read { Reached::Understood } else { Reached::Refused }
}

fn text_of(word: &str, text: &str) -> bool {
    match word {
        "money" => Fen::from_yuan(text).is_ok_and(|fen| {
            assert!(fen.0 >= 0);
            assert_eq!(Fen::from_yuan(&fen.to_string()), Ok(fen));
            true
        }),
        "shanghai" => time::shanghai(text).is_ok_and(|at| {
            let whole = time::shanghai(&time::to_shanghai(at)).expect("what was printed can be read");
            assert_eq!(whole.as_second(), at.as_second(), "{text}");
            true
        }),
        "rfc3339" => time::rfc3339(text).is_ok_and(|at| {
            assert_eq!(time::rfc3339(&at.to_string()), Ok(at), "{text}");
            true
        }),
        "id" => {
            let parts: Vec<&str> = text.split('\n').collect();
            let derived = id::derive("x_", &parts);
            assert_eq!(derived.len(), 2 + id::LENGTH);
            let joined = id::derive("x_", &[parts.join("\u{1f}")]);
            assert_eq!(derived == joined, parts.len() == 1, "parts run into each other");
            true
        }
        _ => false,
    }
}

fn form_of(bytes: &[u8]) -> bool {
    let Ok(parsed) = Form::parse(bytes) else { return false };
    let _repeated = parsed.repeated();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let pairs: Option<Vec<(String, String)>> =
        parsed.pairs().map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    if let Some(pairs) = pairs {
        let written = form::encode(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        assert_eq!(Form::parse(written.as_bytes()).as_ref(), Ok(&parsed), "{written}");
    }
    true
}

fn gbk(bytes: &[u8]) -> bool {
    let Ok(text) = Charset::Gb18030.decode(bytes) else { return false };
    let again = Charset::Gb18030.decode(&Charset::Gb18030.encode(&text));
    assert_eq!(again.as_ref(), Ok(&text), "what was written reads otherwise");
    true
}

fn observation(bytes: &[u8]) -> bool {
    let Ok(fact) = serde_json::from_slice::<Observation>(bytes) else { return false };
    let _problems = fact.problems();
    oracle::round_trip(&fact);
    assert_eq!(fact.id("main"), fact.clone().id("main"));
    assert_ne!(fact.entity_id("main"), fact.entity_id("other"));
    json::<Observation>(bytes)
}

fn transcript(bytes: &[u8]) -> bool {
    let Ok(kept) = serde_json::from_slice::<Transcript>(bytes) else { return false };
    let back = Transcript::of_request(&kept.to_request()).expect("it is a transcript");
    assert_eq!(back.expect("and can be read"), kept);
    true
}

fn json<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(bytes) else { return false };
    let written = serde_json::to_vec(&value).expect("what was read can be written");
    let back: T = serde_json::from_slice(&written).expect("what was written can be read");
    assert_eq!(back, value);
    assert_eq!(serde_json::to_vec(&back).expect("and written"), written);
    true
}
