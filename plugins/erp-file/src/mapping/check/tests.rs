//! Tables of what is found.

use crate::mapping::Mapping;
use serde_json::{Value, json};

fn stock() -> Value {
    json!({
        "kind": "stock_snapshot",
        "container": {"format": "delimited", "encoding": "gbk", "delimiter": ","},
        "rows": {"header_rows": [1]},
        "fields": [
            {"to": "store_code", "from": "门店", "type": "code", "known": "stores"},
            {"to": "sku", "from": "货号", "type": "code", "required": true},
            {"to": "quantity", "from": "数量", "type": "quantity", "required": true},
            {"to": "occurred_at", "from": "日期", "type": "datetime", "formats": ["%Y-%m-%d"]},
        ],
        "duplicates": {"key": ["store_code", "sku"], "policy": "error"},
    })
}

fn sales() -> Value {
    json!({
        "kind": "sales",
        "container": {"format": "delimited", "encoding": "gbk", "delimiter": ","},
        "rows": {"header_rows": [1]},
        "fields": [
            {"to": "store_code", "from": "店", "type": "code"},
            {"to": "ticket_no", "from": "单号", "type": "code"},
            {"to": "occurred_at", "from": "时间", "type": "datetime", "formats": ["%Y%m%d"]},
            {"to": "sku", "from": "货号", "type": "code"},
            {"to": "quantity", "from": "数量", "type": "quantity"},
            {"to": "amount_fen", "from": "金额", "type": "money"},
        ],
        "ticket": {
            "key": ["store_code", "ticket_no"], "atomic": true, "check_total": true,
            "tenders": {"mode": "columns_repeated", "columns": {"现金": {"kind": "cash"}}},
        },
    })
}

/// One more field.
fn field(more: &Value) -> Value {
    let mut field = json!({"to": "style", "from": "款号", "type": "code"});
    field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    field
}

/// Problems of a mapping after one change: `at: text`.
fn problems(mut mapping: Value, at: &str, value: Value) -> Vec<String> {
    let (parent, name) = at.rsplit_once('/').unwrap();
    let place = mapping.pointer_mut(parent).unwrap();
    match (place.as_array_mut(), name.parse::<usize>()) {
        (Some(items), Ok(number)) if number < items.len() => items[number] = value,
        (Some(items), _) => items.push(value),
        (None, _) => place[name] = value,
    }
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    let told = |problem: &super::Problem| {
        let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{}: {}{hint}", problem.at, problem.text)
    };
    mapping.problems().iter().map(told).collect()
}

fn check(mapping: fn() -> Value, cases: &[(&str, Value, &str)]) {
    for (at, value, expect) in cases {
        let found = problems(mapping(), at, value.clone());
        assert!(found.iter().any(|found| found.starts_with(expect)), "{at} = {value}: {found:?}");
    }
}

#[test]
fn sound_mappings_have_no_problems() {
    for mapping in [stock(), sales()] {
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        assert_eq!(mapping.problems(), []);
    }
}

#[test]
fn fields_are_checked() {
    let at = "/fields/9";
    check(
        stock,
        &[
            (
                at,
                field(&json!({"to": "quanttiy"})),
                "/fields/4/to: `quanttiy` is no member of stock_snapshot (did you mean `quantity`?)",
            ),
            (
                at,
                field(&json!({"to": "xyz"})),
                "/fields/4/to: `xyz` is no member of stock_snapshot (there are store_code, ",
            ),
            (
                at,
                field(&json!({"to": "ticket_no"})),
                "/fields/4/to: `ticket_no` is no member of stock_snapshot",
            ),
            (at, field(&json!({"to": "sku"})), "/fields/4/to: `sku` is filled twice"),
            (
                at,
                field(&json!({"to": "unit_price_fen"})),
                "/fields/4/type: `unit_price_fen` is read as money",
            ),
            (
                at,
                field(&json!({"regex": "^(?P<v>[0-9"})),
                "/fields/4/regex: `^(?P<v>[0-9` is not a pattern: ",
            ),
            (
                at,
                field(&json!({"regex": "^[0-9]+"})),
                "/fields/4/regex: `^[0-9]+` has no group `v` (put the part that counts into (?P<v>…))",
            ),
            (at, field(&json!({"pattern": "("})), "/fields/4/pattern: `(` is not a pattern: "),
            (
                at,
                field(&json!({"pad_left": {"width": 4, "char": "00"}})),
                "/fields/4/pad_left/char: must be one character",
            ),
            (at, field(&json!({"type": "enum"})), "/fields/4: an enum needs a value_map"),
            (at, field(&json!({"from": {}})), "/fields/4/from: must have exactly one of column_index"),
            (
                at,
                field(&json!({"from": {"cell": [1, 1], "const": "x"}})),
                "/fields/4/from: must have exactly one of",
            ),
            (
                at,
                field(&json!({"from": {"cell": [2, 1]}})),
                "/fields/4/from/cell: row 2 is not above the data, which begins in row 2",
            ),
            (
                at,
                field(&json!({"from": {"column_index": 0}})),
                "/fields/4/from: rows and columns are counted from 1",
            ),
            (
                at,
                field(&json!({"from": {"record": "H", "index": 2}})),
                "/fields/4/from: there are types of record only where `records`",
            ),
            (
                at,
                field(&json!({"from": {"line_regex": "x"}})),
                "/fields/4/from/line_regex: `x` has no group `v`",
            ),
        ],
    );
}

#[test]
fn dates_and_numbers_are_checked() {
    check(
        stock,
        &[
            ("/fields/3/formats", json!(["%Y-%Q"]), "/fields/3/formats/0: %Q is none of %Y"),
            ("/fields/3/formats", json!(["date"]), "/fields/3/formats/0: `date` has no directive"),
            ("/fields/3/formats", json!([]), "/fields/3: dates in text need formats (for example"),
            (
                "/fields/3/excel_serial",
                json!(1901),
                "/fields/3/excel_serial: spreadsheets count from 1900 or 1904",
            ),
            (
                "/fields/3/time_from",
                json!("时间"),
                "/fields/3/time_from: a time of its own needs time_formats",
            ),
            ("/fields/2/range", json!([5, 1]), "/fields/2/range: the smallest comes first"),
            (
                "/fields/2/sign_by",
                json!({"column": "x", "plus": ["a"], "minus": ["a"]}),
                "/fields/2/sign_by: a word stands for plus and for minus",
            ),
        ],
    );
}

#[test]
fn shapes_are_checked() {
    check(
        stock,
        &[
            ("/container/encoding", json!("gbk2"), "/container/encoding: `gbk2` is no encoding"),
            ("/container/delimiter", json!("||"), "/container/delimiter: must be one character"),
            ("/container/format", json!("fixed"), "/container: fixed width needs `columns`"),
            ("/container/format", json!("xml"), "/container: XML needs `record`"),
            ("/rows/skip", json!([{"column": "门店"}]), "/rows/skip/0: is either line_regex, or column"),
            (
                "/rows/skip",
                json!([{"column": "门店", "regex": "("}]),
                "/rows/skip/0/regex: `(` is not a pattern",
            ),
            ("/rows/first_data_row", json!(1), "/rows/header_rows: are counted from 1 and stand above"),
            (
                "/rows/control_total",
                json!({"on": "stop_row", "column": "数量", "of": "quantity"}),
                "/rows/control_total: the total stands in the row that ends the table",
            ),
            (
                "/rows/trailer",
                json!({"line_regex": "^TRL", "count": "records"}),
                "/rows/trailer/line_regex: `^TRL` has no group `count`",
            ),
            ("/compose", json!({"sku": "{style}-{size}"}), "/compose/sku: nothing fills `style`"),
            ("/compose", json!({"sku": "plain"}), "/compose/sku: `plain` names no member"),
            (
                "/unpivot",
                json!({"columns": ["S"], "value": "quantity", "value_type": "quantity", "empty": "skip"}),
                "/unpivot: says nowhere what the names of the columns are (to: size, or levels)",
            ),
            (
                "/unpivot",
                json!({"to": "size", "value": "quantity", "value_type": "quantity", "empty": "skip"}),
                "/unpivot: needs either columns or column_range",
            ),
            (
                "/unpivot",
                json!({"columns": ["S"], "to": "size", "value": "quantity", "value_type": "code", "empty": "skip"}),
                "/unpivot/value_type: is quantity, integer or money",
            ),
            (
                "/duplicates/key",
                json!(["store_code", "skuu"]),
                "/duplicates/key/1: nothing fills `skuu` (did you mean `sku`?)",
            ),
            ("/duplicates/policy", json!("sum"), "/duplicates: the policy sum needs `sum`"),
            ("/duplicates/policy", json!("latest"), "/duplicates: the policy latest needs `by`"),
            ("/timezone", json!("Asia/Shanghai"), "/timezone: is an offset such as +08:00"),
            ("/date_range", json!(["2020-01-01", "2010-01-01"]), "/date_range: are two days"),
            ("/guard", json!({"max_drop_pct": 130}), "/guard/max_drop_pct: is at most 100"),
            ("/guard", json!({"absent_sku": "gone"}), "/guard/absent_sku: is unknown or zero"),
            ("/ticket", json!({"key": ["sku"]}), "/ticket: only sales have tickets"),
            ("/kind", json!("sales"), "/fields: sales needs a field `ticket_no`"),
            ("/kind", json!("prices"), "/fields: prices needs one of unit_price_fen"),
            (
                "/fields",
                json!([{"to": "quantity", "from": "数量", "type": "quantity"}]),
                "/fields: stock_snapshot needs one of sku, barcode",
            ),
        ],
    );
}

#[test]
fn payments_are_checked() {
    check(
        sales,
        &[
            (
                "/ticket/tenders/columns/现金/kind",
                json!("gold"),
                "/ticket/tenders/columns/现金/kind: `gold` is no way of paying (there are cash, card",
            ),
            ("/ticket/tenders/columns/现金/sign", json!(2), "/ticket/tenders/columns/现金/sign: is 1 or -1"),
            ("/ticket/tenders/mode", json!("text_repeated"), "/ticket/tenders: this mode needs column"),
            (
                "/ticket/tenders/mode",
                json!("nested"),
                "/ticket/tenders: nested payments need `container.tender`",
            ),
            (
                "/ticket/tenders/mode",
                json!("records"),
                "/ticket/tenders: payments are records only where `records.tender`",
            ),
            ("/ticket/tenders", json!(null), "/ticket/check_total: there is nothing to check against"),
            ("/ticket", json!(null), ": sales need `ticket`"),
            (
                "/fields/5/to",
                json!("unit_price_fen"),
                "/ticket/check_total: what is paid can be checked only where",
            ),
        ],
    );
}

#[test]
fn a_mapping_that_is_still_to_be_written_is_not_asked_for_fields() {
    let mapping: Mapping = serde_json::from_value(
        json!({"kind": "sales", "container": {"format": "xml", "record": "小票"}, "fields": []}),
    )
    .unwrap();
    assert_eq!(mapping.problems(), []);
}
