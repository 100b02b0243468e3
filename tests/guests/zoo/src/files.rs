//! Files, read well and badly. Which way is the setting `mode`.

use super::{Failure, Zoo, bad, file, report_panics, setting, settings, sink, source};
use std::hint::black_box;

/// What is asked for, and put out, at once.
const PIECE: u32 = 256 << 10;

impl file::Guest for Zoo {
    fn read() -> Result<Vec<u8>, Failure> {
        report_panics();
        let settings = settings::json();
        let mode = setting(&settings, "mode").unwrap_or_default();
        match mode {
            "rows" => Ok(outcome(rows(), "")),
            "mute" => Ok(outcome(count(), "")),
            "places" => Ok(outcome(places(), "")),
            "name" => Ok(told(&source::name())),
            "settings" => Ok(told(&settings.replace('"', "'"))),
            "failure" => Err(Failure {
                class: "operator".into(),
                code: "malformed_mapping".into(),
                message: "as asked".into(),
                retry: "never".into(),
                retry_after_ms: None,
            }),
            "endless_put" => put_for_ever(&vec![b'\n'; 1 << 20]),
            "endless_small" => put_for_ever(b"{}\n"),
            "endless_read" => loop {
                black_box(source::read(0, 1));
            },
            "oversized" => Ok(outcome(put("rows", &vec![b'\n'; (1 << 20) + 1]), "")),
            "huge" => Ok(outcome(put("rows", &vec![b'\n'; 16 << 20]), "")),
            "bad_word" => Ok(outcome(put("row", b"{}\n"), "")),
            "no_line_feed" => Ok(outcome(put("rows", b"{}"), "")),
            "reject" => Ok(reject()),
            _ => lie(mode),
        }
    }

    fn sniff(asked: Vec<u8>) -> Result<Vec<u8>, Failure> {
        report_panics();
        let settings = settings::json();
        match setting(&settings, "mode").unwrap_or_default() {
            "put" => sink::put("rows", b"{}\n"),
            "panic" => panic!("as asked"),
            "nonsense" => return Ok(b"[]".to_vec()),
            _ => {}
        }
        let head = String::from_utf8_lossy(&source::read(0, 8)).replace('"', "'");
        let asked = String::from_utf8_lossy(&asked).replace('"', "'");
        Ok(format!(
            r#"{{"mapping":{{"head":"{head}","asked":"{asked}"}},"findings":[],"todo":[],"sample":[]}}"#
        )
        .into())
    }

    fn check() -> Result<Vec<u8>, Failure> {
        report_panics();
        match setting(&settings::json(), "mode").unwrap_or_default() {
            "source" => {
                black_box(source::size());
            }
            "panic" => panic!("as asked"),
            "good" => return Ok(b"[]".to_vec()),
            "nonsense" => return Ok(b"{}".to_vec()),
            _ => {}
        }
        Ok(br#"[{"at":"/mode","text":"is\u001b[31m odd","hint":"say `good`"}]"#.to_vec())
    }
}

/// A row for each line; reads and puts by pieces.
fn rows() -> u64 {
    let (mut row, mut rest, mut out) = (0, Vec::new(), Vec::new());
    each_piece(&mut |piece| {
        let mut lines = piece.split_inclusive(|byte| *byte == b'\n');
        for line in lines.by_ref() {
            if !line.ends_with(b"\n") {
                rest.extend_from_slice(line);
                continue;
            }
            row += 1;
            out.extend_from_slice(br#"{"src_row":"#);
            number(row, &mut out);
            out.extend_from_slice(br#","store_code":"0012","sku":""#);
            out.append(&mut rest);
            out.extend_from_slice(&line[..line.len() - 1]);
            out.extend_from_slice(b"\",\"quantity\":1}\n");
            if out.len() >= PIECE as usize {
                sink::put("rows", &out);
                out.clear();
            }
        }
    });
    sink::put("rows", &out);
    row
}

/// Lines without a word about them.
fn count() -> u64 {
    let mut lines = 0;
    each_piece(&mut |piece| lines += piece.iter().filter(|byte| **byte == b'\n').count() as u64);
    sink::put("rows", &vec![b'\n'; lines as usize]);
    lines
}

fn each_piece(take: &mut dyn FnMut(&[u8])) {
    let (mut at, size) = (0, source::size());
    while at < size {
        let piece = source::read(at, PIECE);
        at += piece.len() as u64;
        take(&piece);
    }
}

/// How many bytes there are at odd places.
fn places() -> u64 {
    let size = source::size();
    let places = [(0, 0), (0, u32::MAX), (size - 1, 9), (size, 9), (size + 1, 9), (u64::MAX, u32::MAX)];
    for (at, max) in places {
        sink::put("rows", format!("{}\n", source::read(at, max).len()).as_bytes());
    }
    sink::put("rows", b"");
    places.len() as u64
}

fn number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let (mut left, mut at) = (number, digits.len());
    while left > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}

fn put(what: &str, lines: &[u8]) -> u64 {
    sink::put(what, lines);
    1
}

fn put_for_ever(lines: &[u8]) -> ! {
    loop {
        sink::put("rows", lines);
    }
}

/// A good outcome of so many rows, with more members.
fn outcome(rows: u64, members: &str) -> Vec<u8> {
    format!(
        r#"{{"kind":"stock_snapshot","verdict":"accept","counts":{{"physical":{rows},"rows":{rows},"rejects":0,"notices":0,"skipped":0,"blank":0}},"rows":{rows}{members}}}"#
    )
    .into()
}

fn told(text: &str) -> Vec<u8> {
    outcome(0, &format!(r#","explain":"{text}""#))
}

/// Nothing counts, so nothing needs to add up.
fn reject() -> Vec<u8> {
    sink::put("rows", b"{}\n");
    let members = r#","reason":"bad_encoding","explain":"at byte 7""#;
    replaced(outcome(0, members), &[("accept", "reject"), ("\"physical\":0", "\"physical\":9")])
}

/// Outcomes with one thing wrong.
fn lie(mode: &str) -> Result<Vec<u8>, Failure> {
    let said = || outcome(put("rows", b"{}\n"), "");
    let changed = |from: &str, to: &str| Ok(replaced(said(), &[(from, to)]));
    match mode {
        "lost_row" => changed("\"physical\":1", "\"physical\":2"),
        "more_rows" => changed("\"rows\":1}", "\"rows\":2}"),
        "fewer_rows" => changed("},\"rows\":1", "},\"rows\":0"),
        "taken_back" => {
            sink::put("amendments", b"{\"ordinal\":0}\n");
            changed("},\"rows\":1", "},\"rows\":0")
        }
        "silent_reject" => changed("\"rows\":1,\"rejects\":0", "\"rows\":0,\"rejects\":1"),
        "silent_notice" => {
            Ok(replaced(said(), &[("\"rows\":1,", "\"rows\":0,"), ("\"notices\":0", "\"notices\":1")]))
        }
        "partial" => changed("accept", "partial"),
        "no_reason" => changed("accept", "reject"),
        "bad_reason" => changed("\"accept\"", "\"hold\",\"reason\":\"Not A Word\""),
        "other_json" => Ok(b"{\"verdict\":\"accept\"}".to_vec()),
        "no_json" => Ok(b"accept".to_vec()),
        "large" => Ok(outcome(0, &format!(r#","explain":"{}""#, "x".repeat(5 << 20)))),
        _ => {
            bad::behave(mode);
            Ok(outcome(0, ""))
        }
    }
}

fn replaced(json: Vec<u8>, changes: &[(&str, &str)]) -> Vec<u8> {
    let json = String::from_utf8_lossy(&json).into_owned();
    changes.iter().fold(json, |json, (from, to)| json.replacen(from, to, 1)).into()
}
