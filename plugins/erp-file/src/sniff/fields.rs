//! Fields of the mapping from columns: type, sign, money, missing values, text tricks. Times are in `times`, goods in `goods`.

use super::profile::Profile;
use super::proposal::{Proposal, Why, object, why};
use super::roles::Roles;
use super::states::{self, State};
use super::stores::Known;
use super::table::{Column, Table};
use super::words;
use qudao_sdk::model::FileKind;
use serde_json::{Map, Value, json};

/// What a field is made from.
pub(crate) struct Look<'a> {
    /// Known stores.
    pub known: &'a Known,
    /// What the file is about.
    pub kind: FileKind,
    /// The columns.
    pub table: &'a Table,
    /// What they mean.
    pub roles: &'a Roles,
    /// Days are counted from 1904.
    pub from_1904: bool,
    /// Money columns of the file, looked at together.
    pub money: Money,
}

/// How money is written in a file: the same in all its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Money {
    thousands: bool,
    prefixes: Vec<&'static str>,
    suffixes: Vec<&'static str>,
    /// Whole numbers of fen.
    pub fen: bool,
    /// Nothing tells fen from yuan.
    pub unsure: bool,
}

/// Roles that hold money.
const MONEY: [&str; 4] = ["unit_price_fen", "list_price_fen", "member_price_fen", "amount_fen"];
/// What stands for "nothing" in a cell.
const NOTHING: [&str; 10] = ["*", "-", "--", "—", "/", "无", "NULL", "null", "N/A", "暂无"];

impl Money {
    /// Looks at all money columns.
    pub(crate) fn of(table: &Table, roles: &Roles) -> Money {
        let columns = MONEY.iter().filter_map(|role| roles.column(table, role));
        let mut money = Money::default();
        let (mut whole, mut zeros, mut values) = (true, false, Vec::new());
        for column in columns {
            let profile = &column.profile;
            money.thousands |= profile.thousands > 0 && profile.share(profile.numbers) > 50;
            money.prefixes.extend(&profile.prefixes);
            money.suffixes.extend(&profile.suffixes);
            whole &= profile.points == 0 && profile.cells == 0;
            zeros |= profile.leading_zero * 2 > profile.numbers;
            values.extend(profile.values.iter().map(|value| value.abs()).filter(|value| *value > 0));
        }
        money.prefixes.sort_unstable();
        money.prefixes.dedup();
        money.suffixes.sort_unstable();
        money.suffixes.dedup();
        values.sort_unstable();
        let median = values.get(values.len() / 2).copied().unwrap_or(0) / super::numbers::ONE;
        let least = values.first().copied().unwrap_or(0) / super::numbers::ONE;
        // 8990 fen is a usual price, 8990 yuan is not; implied decimals are written with zeros before them
        money.fen = whole && !values.is_empty() && (zeros || median >= 5000 && least >= 500);
        money.unsure = whole && !money.fen && !values.is_empty() && median >= 2000;
        money
    }
}

/// A field with its name, source and type.
pub(crate) fn base(to: &str, column: &Column, kind: &str) -> Map<String, Value> {
    let mut field = object(&[("to", json!(to)), ("from", column.from.clone()), ("type", json!(kind))]);
    let profile = &column.profile;
    if matches!(kind, "code" | "barcode") && profile.forced > 0 {
        field.insert("unwrap_excel".into(), json!(true));
    }
    let nothing = missing(profile, kind);
    if !nothing.is_empty() && profile.share(nothing.len()) <= 100 {
        field.insert("missing".into(), json!(nothing));
    }
    field
}

/// Signs for "nothing" that stand in several cells.
fn missing(profile: &Profile, kind: &str) -> Vec<&'static str> {
    let often = |sign: &&&str| profile.distinct.get(**sign).is_some_and(|count| *count >= 3);
    if kind == "text" || profile.distinct.len() <= 1 {
        Vec::new()
    } else {
        NOTHING.iter().filter(often).copied().collect()
    }
}

/// Why a column was taken: its heading and what stands in it.
pub(crate) fn reason(column: &Column) -> Why {
    let (profile, heading) = (&column.profile, &column.heading);
    let examples = profile.examples();
    let filled = profile.filled;
    if heading.is_empty() || column.meanings.is_empty() {
        return why(
            format!("by its values: {filled} cells such as {examples}"),
            format!("依据内容判断：{filled} 个单元格，例如 {examples}"),
        );
    }
    why(
        format!("the dictionary knows the heading `{heading}`; {filled} cells such as {examples}"),
        format!("字典中有表头“{heading}”；{filled} 个单元格，例如 {examples}"),
    )
}

/// How sure a role is.
pub(crate) fn confidence(look: &Look<'_>, role: &str) -> u8 {
    look.roles.taken.get(role).map_or(60, |claim| u8::try_from(claim.score.min(99)).unwrap_or(99))
}

fn label(column: &Column, to: &str) -> String {
    let name = if column.heading.is_empty() { column.from.to_string() } else { column.heading.clone() };
    format!("{name} → {to}")
}

/// Adds a field made from a column.
pub(crate) fn add(
    proposal: &mut Proposal,
    look: &Look<'_>,
    role: &str,
    column: &Column,
    field: Map<String, Value>,
) {
    let to = field.get("to").and_then(Value::as_str).unwrap_or_default().to_owned();
    proposal.field(field, &label(column, &to), reason(column), confidence(look, role));
}

/// Stores by code or by name.
pub(crate) fn store(look: &Look<'_>, column: &Column) -> Map<String, Value> {
    let (known, profile) = (look.known, &column.profile);
    let (codes, names) = (known.codes(profile), known.by_name(profile));
    if names > codes {
        let mut field = base("store_code", column, "enum");
        let map: Map<String, Value> = known
            .names
            .iter()
            .filter(|(_, name)| !name.is_empty())
            .map(|(code, name)| (name.clone(), json!(code)))
            .collect();
        field.insert("value_map".into(), Value::Object(map));
        field.insert("on_unknown".into(), json!("unknown_store"));
        return field;
    }
    let mut field = base("store_code", column, "code");
    if known.short(profile) > 0 {
        field.insert("pad_left".into(), json!({"width": known.width(), "char": "0"}));
    }
    field.insert("known".into(), json!("stores"));
    if profile.empty > 0
        && look.kind == FileKind::StockSnapshot
        && column.cells.len() == look.table.numbers.len()
    {
        field.insert("required".into(), json!(true));
    }
    field
}

/// A code that is kept as it is.
pub(crate) fn code(to: &str, column: &Column, required: bool) -> Map<String, Value> {
    let mut field = base(to, column, "code");
    if required {
        field.insert("required".into(), json!(true));
    }
    field
}

/// A barcode.
pub(crate) fn barcode(column: &Column, required: bool) -> Map<String, Value> {
    let mut field = base("barcode", column, "barcode");
    let profile = &column.profile;
    if required {
        field.insert("required".into(), json!(true));
    }
    // where wrong ones are about, the mapping says what is right
    if required && profile.bad_gtins > 0 {
        field.insert("lengths".into(), json!([8, 12, 13, 14]));
        field.insert("checksum".into(), json!("gtin"));
    }
    field
}

/// Which words of a column mean plus and which minus, if numbers take their sign from it.
pub(crate) fn sign(look: &Look<'_>, numbers: &Column) -> Option<Value> {
    let sales = look.kind == FileKind::Sales;
    let roles: &[&str] =
        if sales { &[".sale_type", ".direction"] } else { &[".direction", "reason", ".sale_type"] };
    let column = roles.iter().find_map(|role| look.roles.column(look.table, role))?;
    let way = |word: &str| if sales { sale_way(word) } else { words::direction(word) };
    let ways: Vec<(&String, bool)> =
        column.profile.distinct.keys().filter_map(|word| way(word).map(|plus| (word, plus))).collect();
    let plus: Vec<&String> = ways.iter().filter(|(_, plus)| *plus).map(|(word, _)| *word).collect();
    let minus: Vec<&String> = ways.iter().filter(|(_, plus)| !*plus).map(|(word, _)| *word).collect();
    // where minus rows have a minus already, the column only repeats it
    let rows = column.cells.iter().zip(&numbers.cells);
    let outs: Vec<i128> = rows
        .filter(|(word, _)| way(&word.text) == Some(false))
        .filter_map(|(_, cell)| super::numbers::parse(&cell.text))
        .map(|number| number.value)
        .collect();
    let signed = outs.iter().filter(|value| **value < 0).count();
    let by_column = !outs.is_empty() && signed * 5 <= outs.len() && !plus.is_empty() && !minus.is_empty();
    by_column.then(|| json!({"column": column.from, "plus": plus, "minus": minus}))
}

/// A voided ticket and one of training are signed like the sale that they were going to be.
fn sale_way(word: &str) -> Option<bool> {
    let aside = matches!(states::state(word), State::Voided | State::Training);
    words::sale_direction(word).or(aside.then_some(true))
}

/// A number of pieces.
pub(crate) fn quantity(look: &Look<'_>, column: &Column) -> Map<String, Value> {
    let profile = &column.profile;
    let mut field = base("quantity", column, "quantity");
    field.insert("required".into(), json!(true));
    written(&mut field, profile);
    if profile.thousands > 0 {
        field.insert("thousands".into(), json!(","));
    }
    if !profile.suffixes.is_empty() {
        field.insert("strip_suffix".into(), json!(profile.suffixes));
    }
    if let Some(sign) = sign(look, column) {
        field.insert("sign_by".into(), sign);
        if profile.negative > 0 && look.kind == FileKind::StockDelta {
            field.insert("negative".into(), json!("reject"));
        }
    } else if profile.negative > 0 && look.kind == FileKind::StockSnapshot {
        field.insert("negative".into(), json!("keep"));
    }
    if profile.absurd > 0 {
        field.insert("range".into(), json!([-1_000_000, 1_000_000]));
    }
    field
}

fn written(field: &mut Map<String, Value>, profile: &Profile) {
    if profile.trailing_minus > 0 {
        field.insert("trailing_minus".into(), json!(true));
    }
    if profile.parentheses > 0 {
        field.insert("parentheses_negative".into(), json!(true));
    }
}

/// Money: a price is never below zero, an amount can be.
pub(crate) fn money(look: &Look<'_>, to: &str, column: &Column, required: bool) -> Map<String, Value> {
    let mut field = base(to, column, "money");
    let money = &look.money;
    written(&mut field, &column.profile);
    if money.fen {
        field.insert("unit".into(), json!("fen"));
    }
    if money.thousands {
        field.insert("thousands".into(), json!(","));
    }
    if !money.prefixes.is_empty() {
        field.insert("strip_prefix".into(), json!(money.prefixes));
    }
    if !money.suffixes.is_empty() {
        field.insert("strip_suffix".into(), json!(money.suffixes));
    }
    if to == "amount_fen" {
        if let Some(sign) = sign(look, column) {
            field.insert("sign_by".into(), sign);
        }
    } else {
        field.insert("min".into(), json!(0));
    }
    if required {
        field.insert("required".into(), json!(true));
    }
    field
}

/// What people call the value of a field, in English and Chinese.
pub(crate) fn said(to: &str) -> (&'static str, &'static str) {
    match to {
        "store_code" => ("the store", "门店"),
        "sku" => ("the SKU", "货号"),
        "barcode" => ("the barcode", "条码"),
        "quantity" => ("the quantity", "数量"),
        "occurred_at" => ("the time", "时间"),
        "unit_price_fen" => ("the price", "单价"),
        "amount_fen" => ("the amount", "金额"),
        "ticket_no" | "doc_no" => ("the number of the ticket or document", "单号"),
        "style" => ("the style", "款号"),
        "color" => ("the colour", "颜色"),
        "size" => ("the size", "尺码"),
        _ => ("this value", "该字段"),
    }
}
