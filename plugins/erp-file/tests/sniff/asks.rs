//! What the sniffer leaves to a person, and what it makes of files that are nobody's.

use super::look::{check, known, look};
use qudao_erp_file::sniff::sniff;
use qudao_sdk::model::FileKind;
use qudao_sdk::model::file::{SniffAsked, Sniffed};
use serde_json::{Value, json};

fn field<'a>(found: &'a Sniffed, to: &str) -> Option<&'a Value> {
    found.mapping["fields"].as_array()?.iter().find(|field| field["to"] == to)
}

#[test]
fn two_columns_that_could_both_be_the_quantity() {
    let found = check("门店,货号,库存,可用数\n0012,QD13A-1,5,4\n0108,QD13A-2,7,6\n", &["/fields/2/from"]);
    assert_eq!(field(&found, "quantity").expect("the field")["from"], Value::Null);
    let candidates: Vec<&Value> = found.todo[0].candidates.iter().map(|candidate| &candidate.value).collect();
    assert_eq!(candidates, [&json!("库存"), &json!("可用数")]);
    assert!(found.todo[0].candidates[0].why.contains('5'), "{:?}", found.todo[0]);
}

#[test]
fn an_answer_closes_its_question() {
    let text = "门店,货号,库存,可用数\n0012,QD13A-1,5,4\n0108,QD13A-2,7,6\n";
    let asked = SniffAsked { answers: [("/fields/2/from".to_owned(), json!("可用数"))].into(), ..known() };
    let found = look(text, &asked);
    assert!(found.todo.is_empty());
    assert_eq!(field(&found, "quantity").expect("the field")["from"], "可用数");
}

#[test]
fn the_day_or_the_month_first() {
    let found = check(
        "门店,货号,数量,日期\n0012,QD13A-1,5,03/04/2024\n0108,QD13A-2,7,03/04/2024\n",
        &["/fields/3/formats"],
    );
    assert_eq!(found.todo[0].candidates.len(), 2);
    check("门店,货号,数量,日期\n0012,QD13A-1,5,03/04/2024\n0108,QD13A-2,7,23/04/2024\n", &[]);
}

#[test]
fn a_file_that_says_nowhere_of_which_store_it_is() {
    let text = "货号,数量\nQD13A-1,5\nQD13A-2,7\n";
    let found = check(text, &["/fields/0/from"]);
    assert_eq!(found.todo[0].candidates[0].value, json!({"const": "0012"}));
    let one = SniffAsked { store: Some("0108".into()), ..known() };
    let found = look(text, &one);
    assert!(found.todo.is_empty());
    assert_eq!(field(&found, "store_code").expect("the field")["from"], json!({"const": "0108"}));
}

#[test]
fn names_of_colours_whose_codes_are_not_in_the_file() {
    let found = check(
        "门店,款号,颜色,尺码,数量\n0012,QD13A,黑色,S,1\n0012,QD13A,米白,M,2\n0108,QD13B,黑色,L,3\n",
        &["/fields/2/value_map"],
    );
    assert_eq!(field(&found, "color").expect("the field")["type"], "enum");
}

#[test]
fn headings_that_nobody_knows() {
    let found = check(
        "甲,乙,丙\n0012,QD13A-1,5\n0108,QD13A-2,7\n",
        &["/fields/0/from", "/fields/1/from", "/fields/2/from"],
    );
    assert_eq!(found.todo[1].candidates.len(), 3, "every column is a candidate");
}

#[test]
fn no_headings_at_all() {
    let found = check("0012,QD13A-1,5\n0108,QD13A-2,7\n0012,QD13B-2,3\n", &[]);
    assert_eq!(found.mapping["rows"]["header_rows"], json!([]));
    assert_eq!(field(&found, "quantity").expect("the field")["from"], json!({"column_index": 3}));
}

#[test]
fn the_kind_that_the_person_says_counts() {
    let text = "门店,单号,货号,数量\n0012,D1,QD13A-1,5\n0108,D2,QD13A-2,7\n";
    assert_eq!(look(text, &known()).mapping["kind"], "stock_delta");
    let asked = SniffAsked { kind: Some(FileKind::StockSnapshot), ..known() };
    assert_eq!(look(text, &asked).mapping["kind"], "stock_snapshot");
}

#[test]
fn whole_numbers_of_money() {
    let found = check(
        "门店,货号,数量,单价\n0012,QD13A-1,5,3990\n0108,QD13A-2,7,2990\n0012,QD13A-3,7,2590\n",
        &["/fields/3/unit"],
    );
    assert_eq!(found.todo[0].candidates.len(), 2);
    let found =
        check("门店,货号,数量,单价\n0012,QD13A-1,5,39900\n0108,QD13A-2,7,8990\n0012,QD13A-3,7,25950\n", &[]);
    assert_eq!(field(&found, "unit_price_fen").expect("the field")["unit"], "fen");
}

#[test]
fn a_few_chinese_bytes_that_are_utf8_too() {
    let (bytes, _, _) =
        encoding_rs::GBK.encode("shop,sku,qty,name\n0012,QD13A-1,5,女装\n0108,QD13A-2,7,女装\n");
    let found = sniff(&bytes.to_vec(), &known()).expect("a proposal");
    assert_eq!(found.mapping["container"]["encoding"], "gbk");
}

#[test]
fn files_that_are_no_tables() {
    let refused = |bytes: &[u8]| sniff(&bytes.to_vec(), &known()).expect_err("a fault").reason;
    assert_eq!(refused(b""), "empty");
    assert_eq!(refused(b"%PDF-1.4 \xE2\xE3"), "format_mismatch");
    assert_eq!(refused(b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"), "xml_doctype");
}

/// Whatever the bytes are, an answer or a fault comes back.
#[test]
fn noise() {
    let mut seed = 7_u32;
    for length in [1_usize, 2, 7, 64, 500, 4096] {
        for alphabet in
            [&b"a,;|\t\n\"0123456789-/:. "[..], &[0, 1, 0x80, 0xFF, b'\n', b'<', b'>', b'{', b'}'][..]]
        {
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 16) as usize
            };
            let bytes: Vec<u8> = (0..length).map(|_| alphabet[next() % alphabet.len()]).collect();
            match sniff(&bytes, &known()) {
                Ok(found) => assert!(found.sample.len() <= 12),
                Err(fault) => assert!(!fault.detail.is_empty()),
            }
        }
    }
}

/// Findings are for people: print one file's whole reasoning with `--nocapture`.
#[test]
fn every_part_has_a_reason() {
    let text = "门店库存日报表,,,\n门店：0012 成都锦里店,,日期：2024年3月5日,\n货号,数量,吊牌价,备注\nQD13A-1,5,399.00,\nQD13A-2,7,59.00,\n小计,12,,\n合计,12,,\n";
    let found = check(text, &[]);
    for finding in &found.findings {
        println!(
            "{:24} {:40} {:3} {} | {}",
            finding.at, finding.found, finding.confidence, finding.why, finding.why_zh
        );
        assert!(finding.confidence <= 100);
    }
    let places: Vec<&str> = found.findings.iter().map(|finding| finding.at.as_str()).collect();
    for at in [
        "/container/encoding",
        "/container/delimiter",
        "/rows/header_rows",
        "/kind",
        "/rows/control_total",
        "/rows/skip",
        "/duplicates",
    ] {
        assert!(places.contains(&at), "{at} has no reason: {places:?}");
    }
    assert_eq!(
        places.iter().filter(|at| at.starts_with("/fields/")).count(),
        found.mapping["fields"].as_array().expect("fields").len()
    );
}
