//! Shows the sniffer a text, as a chain of two stores.

use qudao_erp_file::sniff::sniff;
use qudao_sdk::model::file::{SniffAsked, Sniffed};

pub(super) fn known() -> SniffAsked {
    let stores = [("0012", "成都锦里店"), ("0108", "西安南门店")];
    let stores = stores.map(|(code, name)| (code.to_owned(), name.to_owned()));
    SniffAsked { stores: stores.into(), ..SniffAsked::default() }
}

pub(super) fn look(text: &str, asked: &SniffAsked) -> Sniffed {
    sniff(&text.as_bytes().to_vec(), asked).expect("a proposal")
}

/// What it makes of the text; `open` is where it asks, and every question is asked in both languages.
#[track_caller]
pub(super) fn check(text: &str, open: &[&str]) -> Sniffed {
    let found = look(text, &known());
    let asked: Vec<&str> = found.todo.iter().map(|todo| todo.at.as_str()).collect();
    assert_eq!(asked, open, "{:#}", found.mapping);
    for todo in &found.todo {
        assert!(!todo.question.is_empty() && !todo.question_zh.is_empty());
    }
    found
}
