//! The first rows of a file as they are read, beside the cells that they were read from.

use crate::output::{Table, people};
use qudao_pipeline::sentences::Lang;
use serde_json::Value;
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthChar as _;

/// Members that are shown, in this order, with their names. Others (parts of a SKU) are left out.
const MEMBERS: [(&str, &str, &str); 15] = [
    ("src_row", ">ROW", ">行"),
    ("store_code", "STORE", "门店"),
    ("ticket_no", "TICKET", "小票号"),
    ("type", "KIND", "类型"),
    ("doc_no", "DOCUMENT", "单据号"),
    ("line_no", ">LINE", ">行号"),
    ("sku", "SKU", "货号"),
    ("barcode", "BARCODE", "条码"),
    ("bucket", "BUCKET", "库存类别"),
    ("quantity", ">QTY", ">数量"),
    ("lines", ">LINES", ">行数"),
    ("unit_price_fen", ">YUAN", ">单价"),
    ("tenders", "PAID", "付款"),
    ("occurred_at", "TIME", "时间"),
    ("order_no", "ORDER", "订单号"),
];
/// Columns of a terminal that the cells of the file may take beside the rest.
const SOURCE_WIDTH: usize = 56;

/// A table of rows; `cells` are those rows as they stand in the file, by number, where they are known.
pub(crate) fn table(lang: Lang, rows: &[Value], cells: &BTreeMap<u64, String>) -> Table {
    let shown: Vec<_> =
        MEMBERS.iter().filter(|(name, _, _)| rows.iter().any(|row| row.get(*name).is_some())).collect();
    let mut head: Vec<&str> = shown.iter().map(|(_, en, zh)| lang.pick(en, zh)).collect();
    let source: Vec<String> = rows.iter().map(|row| source(row, cells)).collect();
    let has_source = source.iter().any(|text| !text.is_empty());
    if has_source {
        head.push(lang.pick("IN THE FILE", "文件中的原文"));
    }
    let mut table = Table::of(&head);
    for (row, source) in rows.iter().zip(source) {
        let mut texts: Vec<String> = shown.iter().map(|(name, _, _)| text(lang, row, name)).collect();
        if has_source {
            texts.push(source);
        }
        table.cells(texts);
    }
    table
}

/// Number of the row in the file.
pub(crate) fn number(row: &Value) -> Option<u64> {
    row.get("src_row").and_then(Value::as_u64)
}

/// The cells of the row in the file, cut to what fits.
fn source(row: &Value, cells: &BTreeMap<u64, String>) -> String {
    let found = number(row).and_then(|row| cells.get(&row)).map(String::as_str).unwrap_or_default();
    cut(&people::text(found).replace('\n', "⏎").replace(" | ", " │ "), SOURCE_WIDTH)
}

/// Text that is no wider than so many columns of a terminal.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut width = 0;
    let mut out = String::new();
    for char in text.chars() {
        width += char.width().unwrap_or_default();
        if width > most {
            out.push('…');
            break;
        }
        out.push(char);
    }
    out
}

fn text(lang: Lang, row: &Value, name: &str) -> String {
    let Some(value) = row.get(name) else { return String::new() };
    match (name, value) {
        ("occurred_at", Value::String(at)) => time(at, row),
        ("lines", Value::Array(lines)) => lines.len().to_string(),
        ("tenders", Value::Array(tenders)) => {
            let paid = |tender: &Value| {
                let kind = tender.get("kind").and_then(Value::as_str).unwrap_or_default();
                format!(
                    "{kind} {}",
                    people::yuan(tender.get("amount_fen").and_then(Value::as_i64).unwrap_or_default())
                )
            };
            tenders.iter().map(paid).collect::<Vec<_>>().join(lang.pick(", ", "，"))
        }
        (name, Value::Number(fen)) if name.ends_with("_fen") => {
            people::yuan(fen.as_i64().unwrap_or_default())
        }
        ("type", Value::String(kind)) => word(lang, kind).to_owned(),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

/// Kinds of tickets.
fn word(lang: Lang, word: &str) -> &str {
    const WORDS: [(&str, &str); 3] = [("sale", "销售"), ("return", "退货"), ("exchange", "换货")];
    let known = WORDS.iter().find(|(en, _)| lang == Lang::Zh && *en == word);
    known.map_or(word, |(_, zh)| zh)
}

/// As exact as the file has it.
fn time(at: &str, row: &Value) -> String {
    let Ok(at) = at.parse() else { return at.to_owned() };
    let full = people::time(at);
    match row.get("occurred_precision").and_then(Value::as_str) {
        Some("day") => full.split(' ').next().unwrap_or_default().to_owned(),
        Some("minute") => full.rsplit_once(':').map_or(full.clone(), |(minute, _)| minute.to_owned()),
        Some(_) | None => full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_stand_beside_the_cells_that_they_were_read_from() {
        let rows = [
            json!({"src_row": 2, "store_code": "0012", "sku": "QD13A100-30-S", "style": "QD13A100", "quantity": 7,
                   "unit_price_fen": 39900, "occurred_at": "2013-01-04T16:00:00Z", "occurred_precision": "day"}),
            json!({"src_row": 3, "store_code": "0012", "sku": "QD13A100-30-M", "quantity": -8,
                   "occurred_at": "2013-01-05T02:03:00Z", "occurred_precision": "minute"}),
            json!({"src_row": 9, "store_code": "0012", "sku": "QD13A100-30-L", "quantity": 12}),
        ];
        let cells = BTreeMap::from([
            (2, "0012 | QD13A100 | 30藏青 | S | 7".to_owned()),
            (3, "0012 | 成都锦里巷加盟店成都锦里巷加盟店成都锦里巷加盟店 | \u{1b}[2J".to_owned()),
        ]);
        let shown = [Lang::En, Lang::Zh].map(|lang| table(lang, &rows, &cells).to_string()).join("\n\n");
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown).to_string(), @r#"
        ROW  STORE  SKU            QTY    YUAN  TIME              IN THE FILE
          2  0012   QD13A100-30-S    7  399.00  2013-01-05        0012 │ QD13A100 │ 30藏青 │ S │ 7
          3  0012   QD13A100-30-M   -8          2013-01-05 10:03  0012 │ 成都锦里巷加盟店成都锦里巷加盟店成都锦里巷加盟店 …
          9  0012   QD13A100-30-L   12

        行  门店  货号           数量    单价  时间              文件中的原文
         2  0012  QD13A100-30-S     7  399.00  2013-01-05        0012 │ QD13A100 │ 30藏青 │ S │ 7
         3  0012  QD13A100-30-M    -8          2013-01-05 10:03  0012 │ 成都锦里巷加盟店成都锦里巷加盟店成都锦里巷加盟店 …
         9  0012  QD13A100-30-L    12
        "#);
    }

    #[test]
    fn tickets_are_told_by_what_was_paid() {
        let rows =
            [json!({"src_row": 2, "store_code": "0012", "ticket_no": "00121301070001", "type": "exchange",
            "occurred_at": "2013-01-07T11:55:30Z", "occurred_precision": "second",
            "lines": [{"line_no": 1}, {"line_no": 2}],
            "tenders": [{"kind": "cash", "amount_fen": 35112}, {"kind": "wechat", "amount_fen": -1200}]})];
        insta::assert_snapshot!(anstream::adapter::strip_str(&table(Lang::En, &rows, &BTreeMap::new()).to_string()).to_string(), @r#"
        ROW  STORE  TICKET          KIND      LINES  PAID                        TIME
          2  0012   00121301070001  exchange      2  cash 351.12, wechat -12.00  2013-01-07 19:55:30
        "#);
    }
}
