//! Delimited, fixed-width and JSON lines: one trap a test.

use super::kit::{container, read, reason, show, shown};
use proptest::prelude::*;

#[track_caller]
fn csv(more: &str, text: &[u8], expect: &[&str]) {
    let container = container(&format!(
        r#"{{"format":"delimited","delimiter":",","quote":"\"","encoding":"gbk"{more}}}"#
    ));
    assert_eq!(shown(&container, &text.to_vec()), expect);
}

#[test]
fn lines_end_in_three_ways_and_keep_their_numbers() {
    csv("", b"a,b\r\nc,d\ne,f\rg,h", &["1: a|b", "2: c|d", "3: e|f", "4: g|h"]);
    csv("", b"a\n\n\r\nb\n", &["1: a", "2: ", "3: ", "4: b"]);
    csv("", b"", &[]);
    csv("", b"\n", &["1: "]);
}

#[test]
fn quotes_are_read_as_spreadsheets_write_them() {
    csv("", b"\"a,\"\"b\"\"\",\"\"\n", &["1: a,\"b\"|"]);
    csv("", b"5\" belt,\"x\"y,z\n", &["1: 5\" belt|xy|z"]);
    csv("", b"\"one\r\ntwo\",2\r\nlast,3\r\n", &["1: one\r\ntwo|2", "3: last|3"]);
}

#[test]
fn an_open_quote_costs_its_own_line_only() {
    csv(r#","max_record_lines":2"#, b"a,\"b\nc,d\ne,f\n", &["1: (unclosed_quote)", "2: c|d", "3: e|f"]);
    // Two lines are allowed, so this is one record.
    csv(r#","max_record_lines":2"#, b"a,\"b\nc\",d\ne,f\n", &["1: a|b\nc|d", "3: e|f"]);
    csv(r#","max_record_lines":1"#, b"a,\"b\nc\",d\ne,f\n", &["1: (unclosed_quote)", "2: c\"|d", "3: e|f"]);
    csv("", b"x,y\na,\"b\nc,d", &["1: x|y", "2: (unclosed_quote)", "3: c|d"]);
}

#[test]
fn a_stray_quote_does_not_swallow_a_long_file() {
    let mut text = b"a,\"b\n".to_vec();
    for _ in 0..500 {
        text.extend_from_slice(b"c,d\n");
    }
    let container = container(r#"{"format":"delimited","delimiter":",","quote":"\""}"#);
    let rows = shown(&container, &text);
    assert_eq!((rows.len(), rows[0].as_str()), (501, "1: (unclosed_quote)"));
}

#[test]
fn marks_feeds_and_ends() {
    let utf8 = container(r#"{"format":"delimited","delimiter":",","encoding":"utf-8"}"#);
    assert_eq!(shown(&utf8, &b"\xEF\xBB\xBFa,b\n".to_vec()), ["1: a|b"]);
    csv("", b"a,b\n\x0Cc,d\n\x1A", &["1: a|b", "2: c|d"]);
    csv("", b"a,\x1Ab\nc\n", &["1: a|\u{1A}b", "2: c"]);
    csv(r#","eof_char":"0x1A""#, b"a,b\n\x1Arest\nof the block", &["1: a|b"]);
    csv(r#","trailing_delimiter":true"#, b"a,b,\nc,,\nd,e\n", &["1: a|b", "2: c|", "3: d|e"]);
    csv(r#","sep_line":true"#, b"sep=;\na;b\n", &["1: sep=;", "2: a|b"]);
    csv(r#","sep_line":true"#, b"a,b\nsep=;\n", &["1: a|b", "2: sep=;"]);
    let mismatched = container(r#"{"format":"delimited","delimiter":",","encoding":"gbk"}"#);
    assert_eq!(reason(&mismatched, &b"\xEF\xBB\xBFa,b\n".to_vec()), "bad_encoding");
}

#[test]
fn an_undecodable_byte_is_found_where_it_stands() {
    let container = container(r#"{"format":"delimited","delimiter":",","encoding":"gbk"}"#);
    let (rows, fault) = read(&container, &b"a,b\r\nc,\xD6\xD0\r\nd,\xD6\xFF\r\n".to_vec());
    let fault = fault.unwrap();
    assert_eq!((fault.reason, fault.at, rows.len()), ("bad_encoding", Some(13), 0));
    assert!(fault.detail.contains("line 3") && fault.detail.contains("D6 FF"), "{}", fault.detail);
    let cut = container_of("utf-16le");
    assert_eq!(reason(&cut, &b"a\0,\0b".to_vec()), "bad_encoding");
    assert_eq!(reason(&container_of("klingon"), &b"a".to_vec()), "bad_encoding");
}

fn container_of(encoding: &str) -> qudao_erp_file::mapping::Container {
    container(&format!(r#"{{"format":"delimited","delimiter":",","encoding":"{encoding}"}}"#))
}

#[test]
fn fixed_width_cuts_bytes_not_characters() {
    let fixed = container(
        r#"{"format":"fixed","encoding":"gbk","columns":[{"name":"name","start":1,"width":5},{"name":"qty","start":6,"width":3}]}"#,
    );
    // Half a character at the end of a text, then a number.
    assert_eq!(shown(&fixed, &b"\xD6\xD0\xCE\xC4\xD6 12\n".to_vec()), ["1: 中文| 12"]);
    assert_eq!(
        shown(&fixed, &b"abcde123 more\nabc\n\n".to_vec()),
        ["1: abcde|123", "2: (short_record)", "3: "]
    );
    // A title: sound as a line, cut in the middle of a character.
    let rows = shown(&fixed, &b"x\xD6\xD0\xCE\xC4\xBF\xE2\xB4\xE6\n".to_vec());
    assert!(rows[0].starts_with("1: x中文"), "{rows:?}");
    for bad in
        [b"\xFF\xFF\xFF\xFF\xFF123\n".to_vec(), b"abc\xD6\xFF123\n".to_vec(), b"a\xD6 bc123\xFF\n".to_vec()]
    {
        assert_eq!(reason(&fixed, &bad), "bad_encoding");
    }
    let wide = container(r#"{"format":"fixed","encoding":"utf-16le","columns":[]}"#);
    assert_eq!(reason(&wide, &b"a\0".to_vec()), "bad_mapping");
}

#[test]
fn json_lines_name_what_is_inside() {
    let lines = container(r#"{"format":"jsonl","encoding":"utf-8","line":"bill/items","tender":"pay"}"#);
    let text = br#"{"a":{"b":1.50,"c":null},"bill":{"items":[{"n":"x"},7]},"pay":{"k":true},"tags":["p","q"]}

[1]
{"a":1} trailing
{"bill":{}}"#;
    assert_eq!(
        shown(&lines, &text.to_vec()),
        [
            "1: a/b=#1.5 a/c= tags/1=p tags/2=q lines[n=x; .=#7] tenders[k=true]",
            "2: ",
            "3: (bad_json)",
            "4: (bad_json)",
            "5: ",
        ]
    );
}

proptest! {
    /// Whatever the pieces in which a text is decoded: splitting a file of plain cells and joining it again gives the file.
    #[test]
    fn plain_rows_come_back(rows in prop::collection::vec(prop::collection::vec("[a-z中文龥0-9 ]{0,9}", 1..5), 0..40)) {
        let lines: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        let text = lines.join("\n");
        let bytes = encoding_rs::GB18030.encode(&text).0.into_owned();
        let container = container(r#"{"format":"delimited","delimiter":",","quote":"\"","encoding":"gb18030"}"#);
        let (records, fault) = read(&container, &bytes);
        prop_assert_eq!(fault, None);
        let mut expect: Vec<String> = lines.iter().enumerate().map(|(at, line)| format!("{}: {}", at + 1, line.replace(',', "|"))).collect();
        if lines.last().is_some_and(String::is_empty) { expect.pop(); }
        prop_assert_eq!(records.iter().map(show).collect::<Vec<_>>(), expect);
    }
}
