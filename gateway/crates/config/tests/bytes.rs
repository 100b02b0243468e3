//! What an editor or a script can do to a file below the level of YAML, and files that are hardly there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod world;

use world::World;

const GOOD: &str = "version: 1\nchannels:\n  wechat-main:\n    connector: wechat-pay\n";

/// What is said about these bytes.
fn said(bytes: &[u8]) -> String {
    let world = World::new();
    world.shown(&world.load(bytes).expect_err("is refused"))
}

#[test]
fn an_empty_file_is_told_from_one_with_comments_only() {
    insta::assert_snapshot!(said(b""), @r#"
    connectors.yaml:1:1: error: is empty
    hint: `qudao init` writes one to start from
    "#);
    insta::assert_snapshot!(said(b"\n  \n"), @r#"
    connectors.yaml:1:1: error: is empty
    hint: `qudao init` writes one to start from
    "#);
    insta::assert_snapshot!(said(b"# later\n"), @r#"
    connectors.yaml:1:1: error: holds nothing but comments
    hint: `qudao init` writes one to start from
    "#);
    insta::assert_snapshot!(said(b"---\n"), @r#"
    connectors.yaml:1:1: error: holds nothing
    hint: `qudao init` writes one to start from
    "#);
}

#[test]
fn other_encodings_are_named() {
    insta::assert_snapshot!(said(b"\xff\xfev\0e\0r\0"), @r#"
    connectors.yaml:1:1: error: is UTF-16, but a configuration is UTF-8
    hint: save it as UTF-8 (in Windows Notepad: Save as, Encoding, UTF-8)
    "#);
    // GBK for a comment in Chinese
    insta::assert_snapshot!(said(b"version: 1\nchannels: # \xc7\xfe\xb5\xc0\n"), @r#"
    connectors.yaml:2:13: error: byte 0xc7 is not UTF-8, which a configuration is
    hint: save the file as UTF-8; Chinese text from older programs is often GBK (iconv -f GBK -t UTF-8)
    "#);
}

#[test]
fn a_zero_byte_is_shown_where_it_stands() {
    insta::assert_snapshot!(said("version: 1\nchannels: # 渠道\0\0\0\n".as_bytes()), @r#"
    connectors.yaml:2:15: error: a zero byte stands here
     2 | channels: # 渠道���
       |                 ^
    hint: no text has one: was the file cut off while it was copied? fetch or write it again
    "#);
}

#[test]
fn a_huge_file_is_refused_unread() {
    let bytes = "# nothing\n".repeat(2_000_000);
    insta::assert_snapshot!(said(bytes.as_bytes()), @r#"
    connectors.yaml:1:1: error: is bigger than 16777216 bytes, which no configuration needs
    hint: is it the right file?
    "#);
}

#[test]
fn a_missing_file_and_a_folder_are_told_apart() {
    let world = World::new();
    let missing = qudao_config::load(&world.folder().join("nowhere.yaml"), &world.env).expect_err("no file");
    insta::assert_snapshot!(world.shown(&missing), @r#"
    nowhere.yaml:1:1: error: there is no such file
    hint: `qudao init` writes one to start from; `--config FILE` names another
    "#);
    let folder = qudao_config::load(&world.folder().join("secrets"), &world.env).expect_err("a folder");
    insta::assert_snapshot!(world.shown(&folder), @r#"
    secrets:1:1: error: is a folder, not a file
    hint: name the file in it: secrets/connectors.yaml
    "#);
}

#[test]
fn a_byte_order_mark_is_skipped_and_mentioned() {
    let world = World::new();
    let config = world.load(format!("\u{feff}{GOOD}").as_bytes()).expect("works");
    insta::assert_snapshot!(world.shown(&config.warnings), @r#"
    connectors.yaml:1:1: warning: a byte-order mark stands before the first character; it is skipped
     1 | version: 1
       | ^
    hint: save the file as UTF-8 without a byte-order mark
    "#);
}

#[test]
fn line_breaks_of_other_systems_change_nothing() {
    let wrong = GOOD.replace("wechat-pay", "wechat-pai");
    let expect = said(wrong.as_bytes());
    assert!(expect.starts_with("connectors.yaml:4:16: error: there is no connector"), "{expect}");
    assert_eq!(said(wrong.replace('\n', "\r\n").as_bytes()), expect);
    assert_eq!(said(wrong.replace('\n', "\r").as_bytes()), expect);
}

#[test]
fn more_findings_than_anybody_reads_are_counted() {
    let world = World::new();
    let keys: String =
        (0..1000).flat_map(|n| ["unknown".to_owned(), n.to_string(), ": 1\n".to_owned()]).collect();
    let findings = world.load(format!("{GOOD}{keys}").as_bytes()).expect_err("is refused");
    assert_eq!((findings.iter().len(), findings.left_off(), findings.len()), (200, 800, 1000));
    assert!(findings.to_string().ends_with("\n… and 800 more\n"));
}

/// Small damage in any place: never a panic, never a secret, always a finding or a configuration.
#[test]
fn no_damaged_file_shows_a_secret_or_ends_the_program() {
    let world = World::new();
    let whole = format!(
        "{GOOD}    secrets:\n      api_v3_key: LEAK5e8a0123456789a7\n      session: \"LEAK77aa 0123456789bcd\"\n    \
         settings: {{mchid: \"1900000001\", 名称: \"渠道\"}}\ngateway: {{admin_token: LEAK0123456789dd1}}\n"
    );
    let at: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
    for at in at {
        let (before, after) = whole.split_at(at);
        let rest = &after[after.chars().next().map_or(0, char::len_utf8)..];
        for put in ["", "\t", "\"", ":", "{", "\n", "&", "\u{0}"] {
            let text = format!("{before}{put}{rest}");
            let findings = match world.load(text.as_bytes()) {
                Ok(config) => config.warnings,
                Err(findings) => findings,
            };
            let shown = format!("{findings}{findings:?}");
            assert!(!shown.contains("0123456789"), "put {put:?} at {at}:\n{text}\n{findings}");
        }
    }
}
