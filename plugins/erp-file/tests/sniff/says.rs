//! What the sniffer must not keep to itself: voided tickets, dates that read both ways, times of export, movements that nothing
//! tells apart, goods in and out, payments without amounts, borders of columns, a store that the file contradicts.

use super::look::{check, known, look};
use qudao_erp_file::mapping::{Mapping, Stores};
use qudao_erp_file::rows::{About, Collected, read};
use qudao_sdk::model::FileKind;
use qudao_sdk::model::file::{Finding, SniffAsked, Sniffed};
use serde_json::{Value, json};

#[track_caller]
fn field<'a>(found: &'a Sniffed, to: &str) -> &'a Value {
    let fields = found.mapping["fields"].as_array().expect("fields");
    fields.iter().find(|field| field["to"] == to).unwrap_or_else(|| panic!("no {to}: {fields:?}"))
}

#[track_caller]
fn finding<'a>(found: &'a Sniffed, at: &str) -> &'a Finding {
    let mut all = found.findings.iter().filter(|finding| finding.at == at);
    let one = all.next().unwrap_or_else(|| panic!("nothing was found at {at}"));
    assert!(all.next().is_none(), "{at} twice");
    one
}

fn rows(found: &Sniffed, text: &str) -> Vec<Value> {
    let mapping: Mapping = serde_json::from_value(found.mapping.clone()).expect("a mapping");
    assert_eq!(mapping.problems(), []);
    let stores: Stores = serde_json::from_value(json!({"0012": "成都锦里店"})).expect("stores");
    let mut collected = Collected::default();
    let outcome = read(&mapping, &stores, &text.as_bytes().to_vec(), &About::default(), &mut collected);
    collected.settle(outcome.verdict);
    collected.rows().into_iter().cloned().collect()
}

const SALES: &str = "小票号,门店,时间,货号,数量,单价,金额,现金";

#[test]
fn voided_tickets_and_training_are_no_sales() {
    let text = format!(
        "{SALES},状态\nT1,0012,2026-11-20 10:00:00,A1,1,80.00,80.00,80.00,正常\nT2,0012,2026-11-20 11:00:00,A2,1,50.00,50.00,50.00,已作废\nT3,0012,2026-11-20 12:00:00,A2,1,50.00,50.00,50.00,培训\n"
    );
    let found = check(&text, &[]);
    assert_eq!(field(&found, "voided")["yes"], json!(["已作废"]));
    assert_eq!(field(&found, "voided")["no"], json!(["培训", "正常"]));
    assert_eq!(field(&found, "training")["yes"], json!(["培训"]));
    let said: Vec<(bool, bool)> =
        rows(&found, &text).into_iter().map(|row| (row["voided"] == true, row["training"] == true)).collect();
    assert_eq!(said, [(false, false), (true, false), (false, true)]);
}

#[test]
fn sales_returns_and_voided_ones_in_one_column() {
    let text = format!(
        "{SALES},交易类型\nT1,0012,2026-11-20 10:00:00,A1,1,80.00,80.00,80.00,销售\nT2,0012,2026-11-20 11:00:00,A2,1,50.00,50.00,50.00,退货\nT3,0012,2026-11-20 12:00:00,A2,1,50.00,50.00,50.00,作废\n"
    );
    let found = check(&text, &[]);
    let sign = &field(&found, "quantity")["sign_by"];
    assert_eq!((&sign["plus"], &sign["minus"]), (&json!(["作废", "销售"]), &json!(["退货"])));
    assert_eq!(field(&found, "voided")["yes"], json!(["作废"]));
    let rows = rows(&found, &text);
    let lines: Vec<&Value> = rows.iter().map(|row| &row["lines"][0]["quantity"]).collect();
    assert_eq!(lines, [&json!(1), &json!(-1), &json!(1)]);
    assert_eq!(rows[2]["voided"], true);
}

#[test]
fn states_that_nobody_knows() {
    let rows = |state: &str| {
        format!(
            "{SALES},状态\nT1,0012,2026-11-20 10:00:00,A1,1,80.00,80.00,80.00,正常\nT2,0012,2026-11-20 11:00:00,A2,1,50.00,50.00,50.00,{state}\nT3,0012,2026-11-20 12:00:00,A2,1,50.00,50.00,50.00,作废\n"
        )
    };
    let found = check(&rows("挂起"), &["/fields/1/no"]);
    assert_eq!(found.todo[0].candidates[0].value, json!(["正常", "挂起"]));
    let coded = rows("9").replace("正常", "1").replace("作废", "1");
    let found = check(&coded, &["/fields/1"]);
    let answer = found.todo[0].candidates[1].value.clone();
    assert_eq!((&answer["yes"], &answer["no"]), (&json!(["9"]), &json!(["1"])));
    let asked = SniffAsked { answers: [("/fields/1".to_owned(), answer.clone())].into(), ..known() };
    let found = look(&coded, &asked);
    assert_eq!((found.todo.len(), field(&found, "voided")), (0, &answer));
}

#[test]
fn a_day_or_month_that_nobody_can_tell_is_no_form() {
    let text = "门店,货号,数量,日期\n0012,A1,5,01/02/2024\n0012,A2,7,02/02/2024\n";
    let found = check(text, &["/fields/3/formats"]);
    assert_eq!(field(&found, "occurred_at").get("formats"), None);
    let timed = text.replace("/2024", "/2024 10:30");
    let found = check(&timed, &["/fields/3/formats"]);
    let forms: Vec<&Value> = found.todo[0].candidates.iter().map(|candidate| &candidate.value).collect();
    assert_eq!(forms, [&json!(["%d/%m/%Y %H:%M"]), &json!(["%m/%d/%Y %H:%M"])]);
    let titled = "库存表,,\n日期：03/04/2024,,\n门店,货号,数量\n0012,A1,5\n0012,A2,7\n";
    let found = check(titled, &["/fields/1/formats"]);
    assert_eq!(field(&found, "occurred_at").get("formats"), None);
}

#[test]
fn when_a_file_was_made() {
    let text = "库存表,,\n打印时间：2026-11-20 21:30,,\n门店,货号,数量\n0012,A1,5\n0012,A2,7\n";
    let found = check(text, &[]);
    assert_eq!(field(&found, "occurred_at")["from"], json!({"cell": [2, 1]}));
    assert_eq!(found.mapping.get("as_of"), None);
    assert_eq!(rows(&found, text)[0]["occurred_at"], "2026-11-20T13:30:00Z");
    let lines = "{\"shop\":\"0012\",\"sku\":\"A1\",\"qty\":1,\"ts\":\"2026-11-20T20:00:00+08:00\"}\n{\"shop\":\"0012\",\"sku\":\"A2\",\"qty\":2,\"ts\":\"2026-11-20T20:00:01+08:00\"}\n";
    assert_eq!(field(&check(lines, &[]), "occurred_at")["formats"], json!(["rfc3339"]));
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><库存 导出日期=\"2026-11-20\"><行><门店>0012</门店><货号>A1</货号><数量>1</数量></行><行><门店>0012</门店><货号>A2</货号><数量>2</数量></行></库存>";
    let found = check(xml, &[]);
    assert_eq!(field(&found, "occurred_at")["from"], json!({"root_attr": "导出日期"}));
    let element = xml.replace(" 导出日期=\"2026-11-20\">", "><导出日期>2026-11-20</导出日期>");
    let found = check(&element, &[]);
    assert!(finding(&found, "/as_of").why.contains("2026-11-20"));
    let none = check("门店,货号,数量\n0012,A1,5\n0012,A2,7\n", &[]);
    assert_eq!(none.mapping["as_of"], json!({"from": "import_time"}));
    assert!(finding(&none, "/as_of").why.contains("imported late"));
}

#[test]
fn movements_without_a_number() {
    let asked = SniffAsked { kind: Some(FileKind::StockDelta), ..known() };
    let found = look("门店,货号,数量,时间\n0012,A1,-1,2026-11-18\n0012,A2,2,2026-11-18\n", &asked);
    let said = finding(&found, "/duplicates");
    assert!(said.why.contains("count again") && said.why_zh.contains("单据号"));
}

#[test]
fn goods_in_and_out() {
    let text =
        "单据号,门店,货号,入库数量,出库数量,日期\nD1,0012,A1,,2,2026-11-20\nD2,0012,A2,3,,2026-11-21\n";
    let found = check(text, &["/fields/3/from"]);
    assert!(found.todo[0].question.contains("one signed column"), "{}", found.todo[0].question);
    assert_eq!(field(&found, "quantity").get("from"), None);
}

#[test]
fn payments_without_amounts() {
    let text = "小票号,门店,时间,货号,数量,单价,金额,支付方式\nT1,0012,2026-11-20 10:00:00,A1,1,80.00,80.00,微信\nT2,0012,2026-11-20 11:00:00,A2,1,50.00,50.00,现金\n";
    let found = check(text, &["/ticket/tenders"]);
    assert!(found.todo[0].question.contains("without an amount"));
    let answered = |answer: Value| {
        look(text, &SniffAsked { answers: [("/ticket/tenders".to_owned(), answer)].into(), ..known() })
    };
    let typed = answered(json!("支付方式"));
    assert_eq!((typed.todo.len(), typed.mapping["ticket"].get("tenders")), (1, None));
    assert!(typed.todo[0].question.contains("must be a map"));
    let without = answered(Value::Null);
    assert_eq!(without.todo.len(), 0);
    assert_eq!(rows(&without, text).len(), 2);
}

#[test]
fn a_store_on_the_first_row_of_its_block() {
    let text = "门店,货号,数量\n0012,A1,5\n,A2,7\n,A3,1\n0108,A1,2\n,A2,3\n";
    let found = check(text, &[]);
    assert_eq!(field(&found, "store_code")["fill_down"], true);
    finding(&found, "/fields/0/fill_down");
    let lacks = check("门店,货号,数量\n0012,A1,5\n0012,A2,7\n,A3,1\n,A4,2\n0108,A2,3\n", &[]);
    assert_eq!(field(&lacks, "store_code").get("fill_down"), None, "0012 is written twice");
}

#[test]
fn blanks_between_fixed_columns() {
    let line = |name: &str, pieces: u32| format!("0012K{pieces:03}      {name:<20}{pieces:>6}20261120\r\n");
    let text: String =
        [("shirt", 5), ("coat", 15), ("T-shirt x", 120), ("hat", 7)].map(|(n, p)| line(n, p)).concat();
    let found = check(&text, &["/container/columns"]);
    assert_eq!(finding(&found, "/container/format").found, "fixed");
    assert!(finding(&found, "/container/columns").found.contains("store 1-4"), "{:?}", found.findings);
    let wide = found.todo[0].candidates.iter().any(|candidate| {
        let columns = candidate.value.as_array().expect("columns");
        columns.iter().any(|column| column["start"] == 35 && column["width"] == 6)
    });
    assert!(wide, "{:?}", found.todo[0].candidates);
}

#[test]
fn a_store_that_the_file_contradicts() {
    let text = "门店,货号,数量\n0012,A1,5\n0012,A2,7\n";
    let asked = SniffAsked { store: Some("0108".into()), ..known() };
    let found = look(text, &asked);
    assert_eq!(found.todo[0].at, "/fields/0");
    assert!(found.todo[0].question.contains("0108") && found.todo[0].question.contains("0012"));
    let asked = SniffAsked { store: Some("0012".into()), ..known() };
    let both = look(&text.replace("0012,A2", "0108,A2"), &asked);
    assert!(both.todo.is_empty());
    assert!(both.findings.iter().any(|finding| finding.why.contains("store 0012 that you named")));
    let titled = "库存表,\n门店：0099,\n货号,数量\nA1,5\nA2,7\n";
    let asked = SniffAsked { store: Some("0108".into()), ..SniffAsked::default() };
    assert!(look(titled, &asked).todo[0].question.contains("0099"));
}

#[test]
fn words_whose_sign_nobody_knows() {
    let text = "单号,门店,货号,业务类型,数量,日期\nD1,0012,A1,采购入库,1,2026-11-20\nD2,0012,A2,销售出库,2,2026-11-21\nD3,0012,A2,调拨,2,2026-11-21\n";
    let found = check(text, &["/fields/3/sign_by"]);
    assert!(finding(&found, "/fields/3/sign_by").why.contains("采购入库"));
    let plus = found.todo[0].candidates[0].value.clone();
    assert_eq!(plus["plus"], json!(["采购入库", "调拨"]));
    let asked = SniffAsked { answers: [("/fields/3/sign_by".to_owned(), plus.clone())].into(), ..known() };
    assert_eq!(field(&look(text, &asked), "quantity")["sign_by"], plus);
}

#[test]
fn encodings_that_nothing_reads() {
    let problems = |label: &str| {
        let mapping = json!({"kind": "stock_snapshot", "container": {"format": "delimited", "encoding": label, "delimiter": ","}, "fields": []});
        let mapping: Mapping = serde_json::from_value(mapping).expect("a mapping");
        mapping.problems()
    };
    for fine in ["utf-8", "gbk", "GB2312", "utf-16be"] {
        assert_eq!(problems(fine), [], "{fine}");
    }
    for other in ["big5", "latin1", "shift_jis", "gkb"] {
        let found = problems(other);
        assert_eq!(found[0].at, "/container/encoding", "{other}");
        assert!(found[0].hint.is_some());
    }
    assert_eq!(problems("gkb")[0].hint.as_deref(), Some("did you mean `gbk`?"));
}

#[test]
fn columns_of_one_word_have_names_of_their_own() {
    let text = "\
门店      条码           品名      数量      数量      qty
------------------------------------------------------
0012      6901234567892  a         3         7         1
0108      6901234567908  b         4         8         1
0012      6901234567915  c         5         9         1
";
    let found = look(text, &known());
    let columns = found.mapping["container"]["columns"].as_array().expect("columns");
    let names: Vec<&str> = columns.iter().filter_map(|column| column["name"].as_str()).collect();
    assert_eq!(names, ["store", "条码", "name", "数量", "col5", "qty"]);
}

#[track_caller]
fn check_price_list(text: &str, regex: &str) {
    let found = look(text, &known());
    assert_eq!(found.mapping["kind"], "prices", "{:#}", found.mapping);
    let from = field(&found, "effective_from");
    let written = from.get("regex").unwrap_or(&from["from"]["line_regex"]);
    assert_eq!((written.as_str(), &from["type"]), (Some(regex), &json!("date")), "{from}");
    assert!(found.mapping["rows"].get("control_total").is_none());
    let mapping: Mapping = serde_json::from_value(found.mapping.clone()).expect("a mapping");
    assert_eq!(mapping.problems(), []);
    let rows = rows(&found, text);
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert!(rows.iter().all(|row| row["effective_from"] == "2026-01-05"), "{rows:?}");
}

#[test]
fn the_day_above_a_price_list_is_when_it_begins() {
    check_price_list(
        "价目表,,\n日期:2026-01-05,,\n货号,颜色,零售价\nA1,黑,399.00\nA2,黑,299.00\nA3,白,199.00\n",
        "日期:(?P<v>.+)$",
    );
    check_price_list(
        "\
PRICE LIST   Date: 2026-01-05
Style No      Color   Size   Retail Price
-----------------------------------------
TX26S183      BLK     M            399.00
TX26S184      BLK     L            299.50
TX26S185      WHT     M             99.00
",
        "Date:\\s*(?P<v>.+)$",
    );
}
