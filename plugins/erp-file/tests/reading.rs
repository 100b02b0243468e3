//! What no recorded file shows: mappings that differ in one point, small texts, and what comes out.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends where its set-up fails"
)]

use qudao_erp_file::mapping::{Mapping, Stores};
use qudao_erp_file::rows::{About, Collected, read};
use qudao_sdk::model::file::{FileOutcome, FileVerdict};
use serde_json::{Value, json};

/// A mapping of comma-separated UTF-8 with a header in row 1; `more` goes over it.
fn mapping(kind: &str, fields: &Value, more: &Value) -> Mapping {
    let mut mapping = json!({
        "kind": kind,
        "container": {"format": "delimited", "encoding": "utf-8", "delimiter": ",", "quote": "\""},
        "rows": {"header_rows": [1]},
        "fields": fields,
        "stores": {"0012": "成都", "0108": "西安"},
    });
    mapping.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(mapping).unwrap()
}

fn stock(more: &Value) -> Mapping {
    let fields = json!([
        {"to": "store_code", "from": "店", "type": "code", "known": "stores"},
        {"to": "sku", "from": "货号", "type": "code"},
        {"to": "quantity", "from": "数量", "type": "quantity"},
    ]);
    mapping("stock_snapshot", &fields, more)
}

fn sales(tenders: &Value, more: &Value) -> Mapping {
    let fields = json!([
        {"to": "store_code", "from": "店", "type": "code", "known": "stores"},
        {"to": "ticket_no", "from": "单号", "type": "code"},
        {"to": "occurred_at", "from": "时间", "type": "datetime", "formats": ["%Y-%m-%d %H:%M"]},
        {"to": "sku", "from": "货号", "type": "code"},
        {"to": "quantity", "from": "数量", "type": "quantity"},
        {"to": "amount_fen", "from": "金额", "type": "money"},
        {"to": "training", "from": "练习", "type": "flag", "yes": ["练"]},
    ]);
    let ticket =
        json!({"key": ["store_code", "ticket_no"], "atomic": true, "check_total": true, "tenders": tenders});
    let mut all = json!({"ticket": ticket});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    mapping("sales", &fields, &all)
}

fn run(mapping: &Mapping, text: &str) -> (FileOutcome, Collected) {
    let about = About {
        name: "STK_0108_20130105.csv".to_owned(),
        store_codes: [("S9".to_owned(), "0108".to_owned())].into(),
    };
    let mut collected = Collected::default();
    let outcome = read(mapping, &Stores::new(), &text.as_bytes().to_vec(), &about, &mut collected);
    collected.settle(outcome.verdict);
    assert!(outcome.counts.add_up(), "{:?}", outcome.counts);
    (outcome, collected)
}

/// Rows, rejects and notices in short; `counts` are rows, rejects, notices, skipped, blank.
fn told(mapping: &Mapping, text: &str) -> (Vec<String>, Vec<String>, [u64; 5]) {
    let (outcome, collected) = run(mapping, text);
    let row = |row: &&Value| {
        let named =
            row["ticket_no"].as_str().or(row["sku"].as_str()).or(row["style"].as_str()).unwrap_or("?");
        let number =
            row.get("quantity").or_else(|| row["tenders"][0].get("amount_fen")).unwrap_or(&Value::Null);
        format!("{} {named} {number}", row["src_row"])
    };
    let rejects = collected
        .rejects
        .iter()
        .map(|reject| format!("{} {} {}", reject.row, reject.column.as_deref().unwrap_or("-"), reject.kind));
    let notices = collected
        .notices
        .iter()
        .map(|notice| format!("{} {} {:?}", notice.row, notice.kind, notice.of.unwrap()));
    let counts = outcome.counts;
    let counts = [counts.rows, counts.rejects, counts.notices, counts.skipped, counts.blank];
    (collected.rows().iter().map(row).collect(), rejects.chain(notices).collect(), counts)
}

fn check(mapping: &Mapping, text: &str, rows: &[&str], others: &[&str], counts: [u64; 5]) {
    let (got_rows, got_others, got_counts) = told(mapping, text);
    assert_eq!(
        (got_rows.as_slice(), got_others.as_slice(), got_counts),
        (&owned(rows)[..], &owned(others)[..], counts)
    );
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn verdict(mapping: &Mapping, text: &str) -> (FileVerdict, Option<String>) {
    let (outcome, _) = run(mapping, text);
    (outcome.verdict, outcome.reason)
}

#[test]
fn all_faults_of_a_row_are_told_with_cell_and_line() {
    let (_, collected) = run(&stock(&json!({})), "店,货号,数量\n77,,x\n0012,A,1\n");
    let told = serde_json::to_value(&collected.rejects).unwrap();
    let expect = json!([
        {"row": 2, "column": "店", "kind": "unknown_store", "cell": "77", "line": "77 |  | x"},
        {"row": 2, "column": "数量", "kind": "not_a_number", "cell": "x"},
        {"row": 2, "column": "货号", "kind": "required_missing"},
    ]);
    assert_eq!(told, expect);
}

#[test]
fn the_channel_s_own_codes_are_translated() {
    let (_, collected) = run(&stock(&json!({})), "店,货号,数量\nS9,A,1\n");
    assert_eq!(collected.rows()[0]["store_code"], "0108");
}

#[test]
fn values_of_the_file_as_a_whole() {
    let fields = json!([
        {"to": "store_code", "from": {"file_name": "^STK_(?P<v>[0-9]+)_"}, "type": "code", "known": "stores"},
        {"to": "sku", "from": {"column_index": 1}, "type": "code"},
        {"to": "quantity", "from": {"column_index": 2}, "type": "quantity"},
        {"to": "occurred_at", "from": {"file_name": "_(?P<v>[0-9]{8})\\."}, "type": "datetime", "formats": ["%Y%m%d"]},
        {"to": "bucket", "from": {"const": "damaged"}, "type": "code"},
    ]);
    let (outcome, collected) =
        run(&mapping("stock_snapshot", &fields, &json!({})), "货号,数量,备注\nA,1,x\n");
    let row = json!({"src_row": 2, "store_code": "0108", "sku": "A", "quantity": 1, "bucket": "damaged",
        "occurred_at": "2013-01-04T16:00:00Z", "occurred_precision": "day"});
    assert_eq!((collected.rows()[0], outcome.unmapped_columns), (&row, vec!["备注".to_owned()]));
}

#[test]
fn a_key_that_conflicts_is_rejected_wherever_its_rows_stand() {
    let mapping = stock(&json!({"duplicates": {"key": ["store_code", "sku"], "policy": "error"}}));
    let text = "店,货号,数量\n0012,A,1\n0012,B,1\n0012,A,1\n\n0012,A,2\n0012,A,1\n";
    let others = [
        "2 - duplicate_conflict",
        "6 - duplicate_conflict",
        "7 - duplicate_conflict",
        "4 duplicate_identical 2",
    ];
    check(&mapping, text, &["3 B 1"], &others, [1, 3, 1, 0, 1]);
}

#[test]
fn the_newest_counts_and_equal_ones_must_agree() {
    let fields = json!([
        {"to": "store_code", "from": "店", "type": "code"},
        {"to": "sku", "from": "货号", "type": "code"},
        {"to": "quantity", "from": "数量", "type": "quantity"},
        {"to": "occurred_at", "from": "日期", "type": "datetime", "formats": ["%Y-%m-%d"]},
    ]);
    let mapping = mapping(
        "stock_snapshot",
        &fields,
        &json!({
            "duplicates": {"key": ["store_code", "sku"], "policy": "latest", "by": "occurred_at"},
        }),
    );
    let text = "店,货号,数量,日期\n1,A,1,2013-01-01\n1,A,2,2013-01-03\n1,A,3,2013-01-02\n1,A,2,2013-01-03\n1,B,1,2013-01-01\n1,B,2,2013-01-01\n";
    let others = [
        "6 - duplicate_conflict",
        "7 - duplicate_conflict",
        "2 superseded 3",
        "4 superseded 3",
        "5 duplicate_identical 3",
    ];
    check(&mapping, text, &["3 A 2"], &others, [1, 2, 3, 0, 0]);
}

#[test]
fn rows_that_are_added_up_keep_what_the_first_says() {
    let fields = json!([
        {"to": "store_code", "from": "店", "type": "code"},
        {"to": "sku", "from": "货号", "type": "code"},
        {"to": "name", "from": "品名", "type": "text"},
        {"to": "quantity", "from": "数量", "type": "quantity"},
    ]);
    let mapping = mapping(
        "stock_snapshot",
        &fields,
        &json!({
            "duplicates": {"key": ["store_code", "sku"], "policy": "sum", "sum": ["quantity"]},
            "rows": {"header_rows": [1], "stop_at": {"column": "店", "regex": "^合计$"},
                "control_total": {"on": "stop_row", "column": "数量", "of": "quantity"}},
        }),
    );
    let (outcome, collected) =
        run(&mapping, "店,货号,品名,数量\n1,A,甲,3\n1,B,丙,x\n1,A,乙,-1\n1,C,丙,4\n合计,,,6\n");
    let rows = [
        json!({"src_row": 2, "src_rows": [2, 4], "store_code": "1", "sku": "A", "name": "甲", "quantity": 2}),
        json!({"src_row": 5, "src_rows": [5], "store_code": "1", "sku": "C", "name": "丙", "quantity": 4}),
    ];
    assert_eq!(collected.rows(), rows.iter().collect::<Vec<_>>());
    let total = outcome.control_total.unwrap();
    assert_eq!(
        (total.stated, total.computed, outcome.verdict, outcome.counts.rejects),
        (6, 6, FileVerdict::Accept, 1)
    );
}

#[test]
fn cells_of_a_matrix_are_rows_of_their_own() {
    let fields = json!([
        {"to": "store_code", "from": "店", "type": "code", "known": "stores"},
        {"to": "style", "from": "款", "type": "code", "fill_down": true},
    ]);
    let matrix = |empty: &str| {
        mapping(
            "stock_snapshot",
            &fields,
            &json!({
                "unpivot": {"columns": ["S", "M"], "to": "size", "value": "quantity", "value_type": "quantity", "empty": empty,
                    "missing": ["-"], "row_total": {"column": "计"}},
                "compose": {"sku": "{style}-{size}"},
                "duplicates": {"key": ["store_code", "sku"], "policy": "error"},
            }),
        )
    };
    let text =
        "店,款,S,M,计\n0012,A,1,2,3\n0012,,-,5,\n0012,B,,,\n9999,C,1,x,\n0012,D,1,2,4\n0012,E,1,坏,9\n";
    let rows = ["2 A-S 1", "7 E-S 1"];
    let others = [
        "2 - duplicate_conflict",
        "3 M duplicate_conflict",
        "5 M not_a_number",
        "5 店 unknown_store",
        "6 计 row_total_mismatch",
        "7 M not_a_number",
    ];
    check(&matrix("skip"), text, &rows, &others, [2, 3, 0, 1, 0]);
    let (_, collected) = run(&matrix("zero"), "店,款,S,M,计\n0012,B,,3,3\n");
    let quantities: Vec<_> = collected.rows().iter().map(|row| row["quantity"].as_i64()).collect();
    assert_eq!(quantities, [Some(0), Some(3)]);
}

const TENDERS: &str = r#"{"mode": "columns_first_line", "columns": {"现金": {"kind": "cash"}}}"#;

fn tenders() -> Value {
    serde_json::from_str(TENDERS).unwrap()
}

#[test]
fn lines_of_tills_may_interleave() {
    let text = "店,单号,时间,货号,数量,金额,练习,现金\n\
        0012,T1,2013-01-05 10:00,A,1,10,,15\n\
        0012,T2,2013-01-05 10:01,A,-1,-8,练,-8\n\
        0012,T1,2013-01-05 10:00,B,1,5,,\n\
        0012,T3,2013-01-05 10:02,A,1,7,,6\n\
        0012,T3,2013-01-05 10:02,B,1,7,,\n\
        0012,,2013-01-05 10:02,B,1,7,,\n";
    let others = ["5 - tender_mismatch", "6 - group_rejected", "7 单号 required_missing"];
    check(&sales(&tenders(), &json!({})), text, &["2 T1 1500", "3 T2 -800"], &others, [3, 3, 0, 0, 0]);
    let (_, collected) = run(&sales(&tenders(), &json!({})), text);
    let rows = collected.rows();
    assert_eq!(
        (&rows[0]["type"], &rows[1]["type"], rows[0].get("training")),
        (&json!("sale"), &json!("return"), None)
    );
    assert_eq!((&rows[1]["training"], collected.rejects[1].detail["by"].as_u64()), (&json!(true), Some(5)));
}

#[test]
fn a_ticket_that_is_not_atomic_keeps_its_good_lines() {
    let mut mapping = sales(&tenders(), &json!({}));
    let ticket = mapping.ticket.as_mut().unwrap();
    (ticket.atomic, ticket.check_total) = (false, false);
    let text = "店,单号,时间,货号,数量,金额,练习,现金\n\
        0012,T1,2013-01-05 10:00,A,1,10,,15\n\
        0012,T1,2013-01-05 10:00,B,半,5,,\n";
    check(&mapping, text, &["2 T1 1500"], &["3 数量 not_a_number"], [1, 1, 0, 0, 0]);
}

#[test]
fn a_line_that_stands_twice_is_told_once() {
    let more = json!({"duplicates": {"key": ["store_code", "ticket_no", "sku"], "policy": "error"}});
    let text = "店,单号,时间,货号,数量,金额,练习,现金\n\
        0012,T1,2013-01-05 10:00,A,1,10,,10\n\
        0012,T1,2013-01-05 10:00,A,1,10,,\n\
        0012,T2,2013-01-05 10:00,A,1,10,,10\n\
        0012,T2,2013-01-05 10:00,A,2,20,,\n";
    let others = ["4 - duplicate_conflict", "5 - duplicate_conflict", "3 duplicate_identical 2"];
    check(&sales(&tenders(), &more), text, &["2 T1 1000"], &others, [1, 2, 1, 0, 0]);
}

/// Far apart in one file: the ticket was out already when it came again.
#[test]
fn a_ticket_that_comes_again_later_is_compared_with_the_one_that_is_out() {
    let line =
        |number: usize, amount: usize| format!("0012,T{number},2013-01-05 10:00,A,1,{amount},,{amount}\n");
    let many: String = (0..20_010).map(|number| line(number, 10)).collect();
    let text = format!("店,单号,时间,货号,数量,金额,练习,现金\n{many}{}{}", line(0, 10), line(1, 11));
    let (outcome, collected) = run(&sales(&tenders(), &json!({})), &text);
    assert_eq!((outcome.rows, outcome.counts.notices, outcome.counts.rejects), (20_009, 1, 2));
    let rejected: Vec<u32> = collected.rejects.iter().map(|reject| reject.row).collect();
    assert_eq!((rejected, collected.notices[0].of), (vec![3, 20_013], Some(2)));
}

#[test]
fn types_of_record_that_are_not_known_are_not_passed_over() {
    let fields = json!([
        {"to": "store_code", "from": {"record": "H", "index": 2}, "type": "code", "known": "stores"},
        {"to": "ticket_no", "from": {"record": "H", "index": 3}, "type": "code"},
        {"to": "occurred_at", "from": {"record": "H", "index": 4}, "type": "datetime", "formats": ["%Y%m%d"]},
        {"to": "sku", "from": {"record": "D", "index": 2}, "type": "code"},
        {"to": "quantity", "from": {"record": "D", "index": 3}, "type": "quantity"},
        {"to": "amount_fen", "from": {"record": "D", "index": 4}, "type": "money", "unit": "fen"},
    ]);
    let mapping = mapping(
        "sales",
        &fields,
        &json!({
            "rows": {},
            "records": {"type_index": 1, "head": "H", "line": "D", "tender": "P",
                "trailer": {"type": "T", "index": 2, "count": "records", "required": true}},
            "ticket": {"key": ["store_code", "ticket_no"], "atomic": true, "check_total": true, "tenders": {
                "mode": "records", "name_index": 2, "amount_index": 3, "unit": "fen", "value_map": {"01": "cash"}}},
        }),
    );
    let text = "D,A,1,5\nH,0012,T1,20130105\nD,A,1,500\nP,01,500\nX\nH,0012,T2,2013\nD,A,1,500\nP,01,500\nH,0012,T1,20130105\nD,A,1,500\nP,01,500\nT,11\n";
    let others = [
        "1 - no_head",
        "5 - unknown_record_type",
        "6 occurred_at bad_date",
        "7 - group_rejected",
        "8 - group_rejected",
        "9 duplicate_identical 2",
        "10 duplicate_identical 2",
        "11 duplicate_identical 2",
    ];
    check(&mapping, text, &["2 T1 500"], &others, [3, 5, 3, 1, 0]);
    assert_eq!(verdict(&mapping, text), (FileVerdict::Accept, None));
    let wrong = text.replace("T,11", "T,12");
    assert_eq!(verdict(&mapping, &wrong), (FileVerdict::Hold, Some("record_count_mismatch".to_owned())));
    let cut = text.replace("T,11\n", "");
    assert_eq!(verdict(&mapping, &cut), (FileVerdict::Reject, Some("missing_total".to_owned())));
}

#[test]
fn files_that_wait_or_do_not_count() {
    let hold = |reason: &str| (FileVerdict::Hold, Some(reason.to_owned()));
    let plain = stock(&json!({}));
    let text = "店,货号,数量\n0012,A,1\n0012,B,x\n0012,C,1\n";
    assert_eq!(verdict(&plain, text), (FileVerdict::Accept, None));
    assert_eq!(verdict(&plain, ""), hold("empty"));
    assert_eq!(verdict(&plain, "店,货号,数量\n0012,B,x\n"), hold("too_many_rejects"));
    assert_eq!(verdict(&stock(&json!({"rejects": {"max_pct": 33}})), text), hold("too_many_rejects"));
    assert_eq!(verdict(&stock(&json!({"rejects": {"max_pct": 34}})), text), (FileVerdict::Accept, None));
    assert_eq!(verdict(&stock(&json!({"rejects": {"max_rows": 0}})), text), hold("too_many_rejects"));
    let rejected = |reason: &str| (FileVerdict::Reject, Some(reason.to_owned()));
    assert_eq!(verdict(&plain, "店,货号\n0012,A\n"), rejected("missing_column"));
    assert_eq!(verdict(&stock(&json!({"timezone": "CST"})), text), rejected("bad_mapping"));
    let skip = stock(&json!({"rows": {"header_rows": [1], "skip": [{"column": "序号", "regex": "^合计$"}]}}));
    assert_eq!(verdict(&skip, text), rejected("missing_column"));
}

#[test]
fn a_missing_column_is_named_beside_those_that_are_there() {
    let (outcome, _) = run(&stock(&json!({})), "店,货号,可销数\n0012,A,1\n");
    assert_eq!(outcome.explain.as_deref(), Some("missing: 数量; found: 店, 货号, 可销数"));
}

#[test]
fn a_text_that_runs_on_is_rejected() {
    let long = "x".repeat(2_001);
    let text = format!("店,货号,数量\n0012,{long},1\n0012,{},1\n", "x".repeat(2_000));
    let (_, others, counts) = told(&stock(&json!({})), &text);
    assert_eq!((others.as_slice(), counts), (&["2 货号 too_long".to_owned()][..], [1, 1, 0, 0, 0]));
}

#[test]
fn a_ticket_does_not_grow_without_end() {
    let many = "0012,T1,2013-01-05 10:00,A,1,1,,6000\n".repeat(6_000);
    let mut mapping = sales(&tenders(), &json!({}));
    let text = format!("店,单号,时间,货号,数量,金额,练习,现金\n{many}");
    let (outcome, collected) = run(&mapping, &text);
    let kinds: Vec<(u32, &str)> =
        collected.rejects.iter().map(|reject| (reject.row, reject.kind.as_str())).collect();
    assert_eq!(
        (kinds[0], kinds[1], kinds[5_999]),
        ((2, "too_many_lines"), (3, "group_rejected"), (6_001, "too_many_lines"))
    );
    assert_eq!((outcome.counts.rejects, outcome.rows), (6_000, 0), "nothing of it counts");
    mapping.ticket.as_mut().unwrap().check_total = false;
    // fewer lines than a ticket may have, but longer ones
    let text: String = text.split_inclusive('\n').take(2_001).collect();
    let long = text.replace(",A,", &format!(",{},", "A".repeat(500)));
    assert_eq!(run(&mapping, &long).1.rejects[0].kind, "too_long");
}
