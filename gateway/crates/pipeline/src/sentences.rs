//! What is said to a franchisee about rows and files, in English and in Chinese: what is wrong, and how to mend it.
//!
//! One entry for each word of docs/errors.md, *Files* and *Rows*; a test compares the two. A part of a sentence in square
//! brackets is left out where a figure in it is not known. Nothing here decides anything.

mod csv;
mod files;
mod rows;
#[cfg(test)]
mod tests;

pub use csv::{RejectLine, neutral, rejects_csv, rejects_csv_head};
use qudao_model::{
    Fen,
    file::{RowNotice, RowReject},
};
use serde_json::Value;

/// Which language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese, simplified.
    Zh,
}

impl Lang {
    /// The text in this language.
    pub fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
}

/// What is said about one word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) word: &'static str,
    /// What is wrong: English, Chinese.
    what: [&'static str; 2],
    /// How to mend it: English, Chinese.
    mend: [&'static str; 2],
}

impl Said {
    fn of(lang: Lang, [en, zh]: [&'static str; 2]) -> &'static str {
        lang.pick(en, zh)
    }
}

/// Words that nobody has put into sentences yet are shown as they are.
const UNKNOWN: Said = Said {
    word: "",
    what: ["the row cannot be read ({kind})", "这一行无法读取（{kind}）"],
    mend: ["Show this line to whoever keeps the mapping.", "请把这一行发给维护映射文件的人。"],
};

fn row(kind: &str) -> &'static Said {
    rows::ALL.iter().chain(rows::MORE).find(|said| said.word == kind).unwrap_or(&UNKNOWN)
}

/// What is wrong with a row, in one sentence without a full stop.
pub fn reject(lang: Lang, reject: &RowReject) -> String {
    fill(Said::of(lang, row(&reject.kind).what), &|name| figure(reject, name))
}

/// Only the figures of a row, for a list under one heading: `4 instead of 5`. Empty where there are none.
pub fn reject_figures(lang: Lang, reject: &RowReject) -> String {
    let template = Said::of(lang, row(&reject.kind).what);
    let parts = template.split('[').skip(1).filter_map(|part| part.split_once(']')).map(|(inside, _)| inside);
    let told: String = parts.filter_map(|inside| plain(inside, &|name| figure(reject, name)).ok()).collect();
    let own = reject.cell.as_ref().is_some_and(|cell| told.contains(cell.as_str()));
    if own { String::new() } else { told.trim_start_matches([':', '：', ';', '，', ' ']).to_owned() }
}

/// How to mend it.
pub fn reject_mend(lang: Lang, reject: &RowReject) -> String {
    fill(Said::of(lang, row(&reject.kind).mend), &|name| figure(reject, name))
}

/// What a kind of reject means, without any row: for a heading over many.
pub fn reject_kind(lang: Lang, kind: &str) -> String {
    fill(Said::of(lang, row(kind).what), &|name| match name {
        "kind" => Some(kind.to_owned()),
        "cell" => Some("…".to_owned()),
        _ => None,
    })
}

/// How to mend a kind of reject.
pub fn reject_kind_mend(lang: Lang, kind: &str) -> String {
    fill(Said::of(lang, row(kind).mend), &|_| None)
}

/// What a notice says.
pub fn notice(lang: Lang, notice: &RowNotice) -> String {
    let said = rows::NOTICES.iter().find(|said| said.word == notice.kind).unwrap_or(&UNKNOWN);
    fill(Said::of(lang, said.what), &|name| match name {
        "of" => notice.of.map(|row| row.to_string()),
        "kind" => Some(notice.kind.clone()),
        _ => None,
    })
}

/// Why a file, or a store of it, does not count at once. The word itself where it is not known.
pub fn reason(lang: Lang, reason: &str) -> &str {
    files::ALL
        .iter()
        .chain(files::MORE)
        .find(|said| said.word == reason)
        .map_or(reason, |said| Said::of(lang, said.what))
}

/// What to do about it; empty where the reason is not known.
pub fn reason_mend(lang: Lang, reason: &str) -> &'static str {
    files::ALL
        .iter()
        .chain(files::MORE)
        .find(|said| said.word == reason)
        .map_or("", |said| Said::of(lang, said.mend))
}

fn figure(reject: &RowReject, name: &str) -> Option<String> {
    match name {
        "kind" => Some(reject.kind.clone()),
        "column" => reject.column.clone(),
        "cell" => reject.cell.clone(),
        "store" => reject.store_code.clone(),
        // What was paid and what was due are in fen.
        name if reject.kind == "tender_mismatch" => {
            reject.detail.get(name).and_then(Value::as_i64).map(|fen| Fen(fen).to_string())
        }
        name => reject.detail.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                value.to_string()
            }
        }),
    }
}

/// Puts figures into a sentence: `{name}` is one; `[…]` is left out where a figure in it is not known.
fn fill(template: &str, figure: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('[') {
        let (part, next) = after.split_once(']').unwrap_or((after, ""));
        out.push_str(&plain(before, figure).unwrap_or_else(|bare| bare));
        out.push_str(&plain(part, figure).unwrap_or_default());
        rest = next;
    }
    out.push_str(&plain(rest, figure).unwrap_or_else(|bare| bare));
    out
}

/// A part with its figures; where one is not known, the part with an ellipsis there.
fn plain(part: &str, figure: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = part;
    let mut missing = false;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, next) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        if let Some(text) = figure(name) {
            out.push_str(&text);
        } else {
            missing = true;
            out.push('…');
        }
        rest = next;
    }
    out.push_str(rest);
    if missing { Err(out) } else { Ok(out) }
}
