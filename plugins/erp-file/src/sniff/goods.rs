//! Style, colour and size: codes inside names, names that stand for codes, and the SKU that they make up.

use super::fields::{self, Look};
use super::proposal::{Proposal, candidate, why};
use super::table::Column;
use super::{clean, words};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Codes of letters and figures that are matched as classes.
const SHAPE_SHARE: usize = 70;

/// The colour: a code, a code before its name (`30卡其`), or a name that stands for a code.
pub(crate) fn color(look: &Look<'_>, column: &Column, proposal: &mut Proposal) -> Map<String, Value> {
    let profile = &column.profile;
    let distinct: Vec<&str> = profile.distinct.keys().map(String::as_str).collect();
    if let Some(regex) = code_before_name(&distinct) {
        let mut field = fields::base("color", column, "code");
        field.insert("regex".into(), json!(regex));
        return field;
    }
    let codes =
        distinct.iter().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')).count();
    if codes == distinct.len() && !distinct.is_empty() {
        let mut field = fields::base("color", column, "code");
        let bare: Vec<usize> =
            distinct.iter().map(|text| text.split('.').next().unwrap_or_default().len()).collect();
        let (least, most) =
            (bare.iter().min().copied().unwrap_or(0), bare.iter().max().copied().unwrap_or(0));
        if least < most && most <= 3 {
            field.insert("pad_left".into(), json!({"width": most, "char": "0"}));
        }
        return field;
    }
    if profile.share(profile.hanzi) < 60 {
        return fields::base("color", column, "code");
    }
    if let Some(map) = look.roles.column(look.table, "sku").and_then(|sku| part_of(sku, column)) {
        let mut field = fields::base("color", column, "enum");
        field.insert("value_map".into(), Value::Object(map));
        return field;
    }
    if look.roles.has("sku") || look.roles.has("barcode") {
        return fields::base("color", column, "code");
    }
    ask_codes(column, proposal);
    fields::base("color", column, "enum")
}

/// The code of each colour's name is not in the file, but the SKU needs it.
fn ask_codes(column: &Column, proposal: &mut Proposal) {
    let names: Vec<&str> = column.profile.distinct.keys().take(40).map(String::as_str).collect();
    let same: Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!(name))).collect();
    let list = names.join(", ");
    proposal.ask(
        &format!("/fields/{}/value_map", proposal.fields.len()),
        why(
            format!("Which colour codes do these names stand for in the SKU: {list}? The answer is a map from name to code, for example {{\"黑色\": \"01\"}}"),
            format!("这些颜色名称在 SKU 中对应什么色码：{list}？答案是名称到色码的映射，例如 {{\"黑色\": \"01\"}}"),
        ),
        vec![candidate(Value::Object(same), "the SKU holds the names as they are")],
    );
}

/// `^(?P<v>[0-9]{2})` for `30卡其`.
fn code_before_name(distinct: &[&str]) -> Option<String> {
    let figures = |text: &&str| text.bytes().take_while(u8::is_ascii_digit).count();
    let first = distinct.first().map(figures).filter(|count| (1..=4).contains(count))?;
    let all = distinct.iter().all(|text| {
        figures(text) == first
            && text.chars().nth(first).is_some_and(|c| !c.is_ascii_alphanumeric() && c != '.')
    });
    all.then(|| format!("^(?P<v>[0-9]{{{first}}})"))
}

/// The map from a column's names to the part of the SKU that each always goes with.
fn part_of(sku: &Column, names: &Column) -> Option<Map<String, Value>> {
    let parts = sku.cells.iter().map(|cell| cell.text.split(['-', '_', '/', ' ']).count()).max().unwrap_or(0);
    (1..parts).find_map(|place| {
        let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
        for (sku, name) in sku.cells.iter().zip(&names.cells).filter(|(_, name)| !name.is_empty()) {
            if let Some(part) = sku.text.split(['-', '_', '/', ' ']).nth(place) {
                *counts.entry(name.text.as_str()).or_default().entry(part).or_default() += 1;
            }
        }
        let usual = counts.iter().filter_map(|(name, parts)| {
            let all: usize = parts.values().sum();
            let (part, most) = parts.iter().max_by_key(|(_, count)| **count)?;
            // a wrong row or two do not matter
            (most * 100 >= all * 80).then(|| ((*name).to_owned(), json!(part)))
        });
        let map: Map<String, Value> = usual.collect();
        let codes: std::collections::BTreeSet<String> = map.values().map(Value::to_string).collect();
        let one_to_one = map.len() == counts.len() && codes.len() == map.len() && map.len() >= 2;
        one_to_one.then_some(map)
    })
}

/// The size; sizes that a spreadsheet turns into dates (`3-4`) are listed.
pub(crate) fn size(column: &Column) -> Map<String, Value> {
    let usual: Vec<&String> = column
        .profile
        .distinct
        .iter()
        .filter(|(text, count)| is_span(text) && **count >= 2)
        .map(|(text, _)| text)
        .collect();
    let often: usize =
        column.profile.distinct.iter().filter(|(text, _)| is_span(text)).map(|(_, count)| count).sum();
    if usual.is_empty() || column.profile.share(often) < 60 {
        return fields::base("size", column, "code");
    }
    let map: Map<String, Value> = usual.iter().map(|text| ((*text).clone(), json!(text))).collect();
    let mut field = fields::base("size", column, "enum");
    field.insert("value_map".into(), Value::Object(map));
    field
}

fn is_span(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() == 2
        && parts.iter().all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// The style; where a spreadsheet has damaged some, the shape of the others is what a code must look like.
pub(crate) fn style(column: &Column, required: bool) -> Map<String, Value> {
    let mut field = fields::code("style", column, required);
    if let Some(pattern) = shape(column).filter(|_| column.profile.damaged > 0) {
        field.insert("pattern".into(), json!(pattern));
    }
    field
}

/// The shape that most codes of a column have, as a regular expression.
fn shape(column: &Column) -> Option<String> {
    let mut shapes: BTreeMap<String, usize> = BTreeMap::new();
    for (text, count) in &column.profile.distinct {
        if let Some(shape) = shape_of(text) {
            *shapes.entry(shape).or_default() += count;
        }
    }
    let (shape, count) = shapes.into_iter().max_by_key(|(_, count)| *count)?;
    (column.profile.share(count) >= SHAPE_SHARE).then_some(shape)
}

fn shape_of(text: &str) -> Option<String> {
    let class = |c: char| match c {
        '0'..='9' => Some("[0-9]".to_owned()),
        'A'..='Z' => Some("[A-Z]".to_owned()),
        'a'..='z' => Some("[a-z]".to_owned()),
        '-' | '_' => Some(c.to_string()),
        _ => None,
    };
    let classes: Option<Vec<String>> = text.chars().map(class).collect();
    let mut shape = String::from("^");
    let mut rest = classes?.into_iter().peekable();
    while let Some(class) = rest.next() {
        let mut times = 1;
        while rest.next_if(|next| *next == class).is_some() {
            times += 1;
        }
        shape.push_str(&class);
        if times > 1 {
            shape.extend(["{", &times.to_string(), "}"]);
        }
    }
    Some(shape + "$")
}

/// Sizes in a header that are written both ways: `XXL` beside `3XL` is `2XL`.
pub(crate) fn size_twins(labels: &[String]) -> Map<String, Value> {
    let has = |label: &str| labels.iter().any(|own| own == label);
    let figured = labels.iter().any(|label| {
        label.len() == 3 && label.starts_with(|c: char| c.is_ascii_digit()) && label.ends_with('L')
    });
    let twins = words::SIZE_TWINS
        .iter()
        .filter(|(doubled, with_figure)| figured && has(doubled) && !has(with_figure));
    twins.map(|(doubled, with_figure)| ((*doubled).to_owned(), json!(with_figure))).collect()
}

/// Whether a value looks like a code of goods: letters and figures, four or more, no Chinese.
pub(crate) fn is_code(text: &str) -> bool {
    text.len() >= 4
        && !clean::has_hanzi(text)
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_before_names() {
        assert_eq!(code_before_name(&["30卡其", "02米白"]).expect("a regex"), "^(?P<v>[0-9]{2})");
        assert_eq!(code_before_name(&["30", "02"]), None);
        assert_eq!(code_before_name(&["卡其"]), None);
    }

    #[test]
    fn shapes() {
        assert_eq!(shape_of("12E05K").expect("a shape"), "^[0-9]{2}[A-Z][0-9]{2}[A-Z]$");
        assert_eq!(shape_of("款1"), None);
    }

    #[test]
    fn twins() {
        let labels = |list: &[&str]| list.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
        assert_eq!(Value::Object(size_twins(&labels(&["XL", "XXL", "3XL"]))), json!({"XXL": "2XL"}));
        assert!(size_twins(&labels(&["XL", "XXL"])).is_empty());
    }
}
