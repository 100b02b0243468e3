//! Every word has its sentences, and sentences are whole whatever is known.

use super::*;
use serde_json::json;
use std::path::Path;

/// Headings of a chapter of docs/errors.md.
fn words(chapter: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/errors.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, after) = page.split_once(&format!("\n## {chapter}\n")).unwrap();
    let part = after.split("\n## ").next().unwrap();
    part.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect()
}

fn reject_of(kind: &str, cell: Option<&str>, detail: &Value) -> RowReject {
    RowReject {
        row: 7,
        column: Some("数量".to_owned()),
        kind: kind.to_owned(),
        detail: detail.as_object().cloned().unwrap_or_default(),
        cell: cell.map(str::to_owned),
        line: None,
        store_code: None,
    }
}

#[test]
fn every_word_of_the_page_has_its_sentences_and_no_other() {
    for (chapter, page, more) in [("Rows", rows::ALL, rows::MORE), ("Files", files::ALL, files::MORE)] {
        let words = words(chapter);
        let known =
            |word: &String| page.iter().chain(more).chain(rows::NOTICES).any(|said| said.word == *word);
        assert_eq!(words.iter().filter(|word| !known(word)).collect::<Vec<_>>(), [""; 0], "have no sentence");
        let told = page.iter().chain(more).filter(|said| !words.iter().any(|word| word == said.word));
        assert_eq!(told.map(|said| said.word).collect::<Vec<_>>(), [""; 0], "are not on the page");
    }
}

#[test]
fn sentences_are_whole_in_both_languages() {
    for said in rows::ALL.iter().chain(files::ALL).chain(rows::MORE).chain(files::MORE).chain(&[UNKNOWN]) {
        for text in said.what {
            assert!(!text.is_empty() && !text.ends_with(['.', '。']), "{}: {text}", said.word);
        }
        let [en, zh] = said.mend;
        assert!(en.ends_with('.') && zh.ends_with('。'), "{}: {en} {zh}", said.word);
        assert!(en.is_ascii() && !zh.is_ascii(), "{}: the languages are mixed up", said.word);
    }
    for known in [json!({}), json!({"by": 3, "got": 4, "want": 5, "stated": 6, "computed": 7})] {
        for (said, lang) in
            rows::ALL.iter().chain(rows::MORE).flat_map(|said| [(said, Lang::En), (said, Lang::Zh)])
        {
            let full = reject_of(said.word, Some("12件"), &known);
            for text in [reject(lang, &full), reject_mend(lang, &full), reject_kind(lang, said.word)] {
                assert!(!text.contains(['{', '}', '[', ']']), "{}: {text}", said.word);
            }
            assert!(!reject(lang, &full).contains('…'), "{}: {}", said.word, reject(lang, &full));
        }
    }
}

#[test]
fn figures_are_told_where_they_are_known() {
    let with = reject_of("row_total_mismatch", None, &json!({"stated": 14, "computed": 13}));
    assert_eq!(
        reject(Lang::En, &with),
        "the total of the row is not the sum of its cells: it says 14, the cells make 13"
    );
    assert_eq!(reject_figures(Lang::En, &with), "it says 14, the cells make 13");
    assert_eq!(reject_figures(Lang::Zh, &with), "写的是 14，加起来是 13");
    assert_eq!(reject_figures(Lang::En, &reject_of("unknown_tender", Some("银联"), &json!({}))), "");
    assert_eq!(reject(Lang::Zh, &with), "本行合计与各尺码之和不一致：写的是 14，加起来是 13");
    let paid = reject_of("tender_mismatch", None, &json!({"stated": 5800, "computed": 5900}));
    assert_eq!(
        reject(Lang::En, &paid),
        "what was paid is not what the ticket costs: 58.00 yuan paid, 59.00 yuan due"
    );
    let without = reject_of("row_total_mismatch", None, &json!({}));
    assert_eq!(reject(Lang::En, &without), "the total of the row is not the sum of its cells");
    assert_eq!(reject(Lang::En, &reject_of("no_such", None, &json!({}))), "the row cannot be read (no_such)");
    let notice = RowNotice { row: 9, kind: "duplicate_identical".to_owned(), of: Some(4) };
    assert_eq!(super::notice(Lang::En, &notice), "says the same as row 4 once more");
    assert_eq!(reason(Lang::Zh, "shrink"), "该店的货号比上次少了很多");
    assert_eq!((reason(Lang::En, "no_such"), reason_mend(Lang::En, "no_such")), ("no_such", ""));
}

#[test]
fn the_file_for_the_franchisee_is_read_by_spreadsheets_and_computes_nothing() {
    let formula = reject_of("not_a_number", Some("=cmd|' /C calc'!A0, \"x\""), &json!({}));
    let missing = RowReject { column: None, ..reject_of("required_missing", None, &json!({})) };
    let lines = [&formula, &missing].map(|reject| RejectLine { file: "@库存.csv", reject });
    let text = format!("{}{}", rejects_csv_head(), rejects_csv(lines));
    assert!(text.starts_with('\u{feff}'));
    insta::assert_snapshot!(text.trim_start_matches('\u{feff}').replace("\r\n", "⏎\n"), @r#"
    file 文件,row 行,column 列,kind 类别,cell 单元格,what is wrong,how to mend it,问题,怎样改正⏎
    '@库存.csv,7,数量,not_a_number,"'=cmd|' /C calc'!A0, ""x""","`=cmd|' /C calc'!A0, ""x""` is not a number","Write the number in digits, without words or blanks.","“=cmd|' /C calc'!A0, ""x""”不是数字",请只填数字，不要带文字或空格。⏎
    '@库存.csv,7,,required_missing,,the cell is empty and must be filled,Fill it in.,必填的单元格是空的,请补填。⏎
    "#);
    for (cell, expect) in
        [("=1", "'=1"), ("+8613", "'+8613"), ("-3", "'-3"), ("\t1", "'\t1"), ("12", "12"), ("", "")]
    {
        assert_eq!(neutral(cell), expect);
    }
}
