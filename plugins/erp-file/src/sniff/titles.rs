//! What stands above a table: which store the file is of, and of which day.

use super::dates;
use super::fields;
use super::proposal::{Proposal, object, why};
use super::stores::Known;
use serde_json::{Map, Value, json};

/// Labels of the day that a report is of. When it was printed is not meant.
const DAYS: [&str; 13] = [
    "日期",
    "库存日期",
    "盘点日期",
    "结存日期",
    "截止日期",
    "业务日期",
    "营业日期",
    "营业日",
    "报表日期",
    "截至",
    "date",
    "as of",
    "截止",
];
const STORES: [&str; 14] = [
    "门店",
    "店铺",
    "门店编号",
    "门店编码",
    "门店代码",
    "店铺编号",
    "店铺编码",
    "店铺代码",
    "店号",
    "仓库",
    "机构",
    "shop",
    "store",
    "分店",
];

/// A value in a title and the regular expression that takes it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Titled {
    /// The value.
    pub value: String,
    /// With the group `v`; empty: the whole text is the value.
    pub regex: String,
    /// Form of a date.
    pub form: Option<&'static str>,
}

/// A store in a text: behind a label, or a known code at its beginning.
pub(crate) fn store(text: &str, known: &Known) -> Option<Titled> {
    if let Some((label, value)) = STORES.iter().find_map(|label| labelled(text, label)) {
        let code: String = value.chars().take_while(char::is_ascii_alphanumeric).collect();
        let fits = if known.names.is_empty() {
            code.len() >= 2
        } else {
            known.is_code(&code) || known.is_short_code(&code)
        };
        if fits {
            return Some(Titled { value: code, regex: format!("{label}(?P<v>[0-9A-Z]+)"), form: None });
        }
    }
    let code: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
    let regex = if code == text { String::new() } else { "^(?P<v>[0-9A-Z]+)".to_owned() };
    known.is_code(&code).then_some(Titled { value: code, regex, form: None })
}

/// A day in a text: behind a label, or where the text is nothing but a title with a day in it.
pub(crate) fn day(text: &str) -> Option<Titled> {
    for label in DAYS {
        let Some((label, value)) = labelled(text, label) else { continue };
        if ["打印", "导出", "制表", "生成"]
            .iter()
            .any(|word| text.contains(&format!("{word}{}", label.split(':').next().unwrap_or_default())))
        {
            continue;
        }
        let end = value.find("  ").and_then(|end| value.get(..end));
        let value = end.unwrap_or(value).trim();
        if let Some(form) = form_of(value) {
            let rest = if end.is_some() { class_of(value) } else { None };
            let regex = match rest {
                Some(class) => format!("{label}(?P<v>{class}+)"),
                None => format!("{label}(?P<v>.+)$"),
            };
            return Some(Titled { value: value.to_owned(), regex, form: Some(form) });
        }
    }
    bare_day(text)
}

/// `各门店尺码库存表 2013年1月5日`.
fn bare_day(text: &str) -> Option<Titled> {
    if ["打印", "导出", "制表", "生成"].iter().any(|word| text.contains(word)) {
        return None;
    }
    let (start, _) = text.char_indices().find(|(at, _)| {
        text.get(*at..).is_some_and(|rest| rest.starts_with("20") && form_of(rest.trim()).is_some())
    })?;
    let value = text.get(start..)?.trim();
    let behind = value.chars().nth(4)?;
    let behind = if behind.is_ascii_digit() { String::new() } else { regex::escape(&behind.to_string()) };
    Some(Titled {
        value: value.to_owned(),
        regex: format!("(?P<v>[0-9]{{4}}{behind}.+)$"),
        form: form_of(value),
    })
}

fn form_of(value: &str) -> Option<&'static str> {
    dates::FORMS.iter().find(|form| dates::read(form, value).is_some_and(dates::Stamp::is_plausible)).copied()
}

fn class_of(value: &str) -> Option<&'static str> {
    let only = |extra: &str| value.chars().all(|c| c.is_ascii_digit() || extra.contains(c));
    if only("/") {
        Some("[0-9/]")
    } else if only("-") {
        Some("[0-9-]")
    } else if only(".") {
        Some("[0-9.]")
    } else {
        None
    }
}

/// What stands behind `label:` in a text, and an expression for the label with its colon as the text has it.
fn labelled<'a>(text: &'a str, label: &str) -> Option<(String, &'a str)> {
    let at = text.to_ascii_lowercase().find(&format!("{label}:"))?;
    let written = text.get(at..at + label.len())?;
    let value = text.get(at + label.len() + 1..)?;
    let gap = if value.starts_with(' ') { "\\s*" } else { "" };
    Some((format!("{written}:{gap}"), value.trim_start()))
}

/// The field `store_code` from a title.
pub(crate) fn store_field(from: &Value, titled: &Titled, known: &Known) -> Map<String, Value> {
    let mut field = object(&[
        ("to", json!("store_code")),
        ("from", from.clone()),
        ("type", json!("code")),
        ("known", json!("stores")),
    ]);
    if !titled.regex.is_empty() {
        field.insert("regex".into(), json!(titled.regex));
    }
    if known.is_short_code(&titled.value) {
        field.insert("pad_left".into(), json!({"width": known.width(), "char": "0"}));
    }
    field
}

/// Looks through texts above the table, each with what a field's `from` would be, for what the columns do not say.
pub(crate) fn fill(texts: &[(Value, String)], known: &Known, proposal: &mut Proposal) {
    for (from, text) in texts {
        if let Some(titled) = store(text, known).filter(|_| !proposal.has("store_code")) {
            let field = store_field(from, &titled, known);
            let value = &titled.value;
            proposal.field(
                field,
                &format!("{value} → store_code"),
                why(
                    format!("one store per file, named above the table: `{text}`"),
                    format!("每个文件一个门店，写在表格上方：“{text}”"),
                ),
                if known.is_code(value) { 96 } else { 75 },
            );
        }
        let Some(titled) = day(text).filter(|_| !proposal.has("occurred_at")) else { continue };
        let form = titled.form.unwrap_or("%Y-%m-%d");
        let field = super::times::from_title(from, &titled.regex, form);
        proposal.field(
            field,
            &format!("{} → occurred_at", titled.value),
            why(format!("the day stands above the table: `{text}`"), format!("日期写在表格上方：“{text}”")),
            92,
        );
    }
}

/// Asks which store a file is of that does not say it.
pub(crate) fn ask(known: &Known, one: Option<&String>, proposal: &mut Proposal) {
    let place = proposal.fields.len();
    let mut field =
        object(&[("to", json!("store_code")), ("type", json!("code")), ("known", json!("stores"))]);
    if let Some(code) = one {
        field.insert("from".into(), json!({"const": code}));
        let text =
            (format!("you said that the file is of store {code}"), format!("您指定该文件属于门店 {code}"));
        proposal.field(field, code, why(text.0, text.1), 99);
        return;
    }
    proposal.fields.push(field);
    let candidates = known.names.iter().take(20).map(|(code, name)| {
        super::proposal::candidate(json!({"const": code}), format!("store {code} {name}"))
    });
    proposal.ask(
        &format!("/fields/{place}/from"),
        why("Which store is this file of? Nothing in it says so.", "该文件属于哪个门店？文件中没有写明。"),
        candidates.collect(),
    );
}

/// Fields of a column whose role two columns claim: the source is left open and asked for.
pub(crate) fn ask_column(
    to: &str,
    mut field: Map<String, Value>,
    columns: &[&super::table::Column],
    proposal: &mut Proposal,
) {
    field.remove("from");
    let at = format!("/fields/{}/from", proposal.fields.len());
    proposal.fields.push(field);
    let names: Vec<&str> = columns.iter().map(|column| column.heading.as_str()).collect();
    let candidates = columns.iter().map(|column| {
        super::proposal::candidate(
            column.from.clone(),
            format!("{}: {}", column.heading, column.profile.examples()),
        )
    });
    let word = fields::said(to);
    proposal.ask(
        &at,
        why(
            format!("Which column is {}: {}?", word.0, names.join(" or ")),
            format!("哪一列是{}：{}？", word.1, names.join("还是")),
        ),
        candidates.collect(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known::new(&[("0012".to_owned(), "成都锦里巷加盟店".to_owned())].into(), None)
    }

    #[test]
    fn stores_in_titles() {
        let found = store("门店:0012 成都锦里巷加盟店", &known()).expect("a store");
        assert_eq!((found.value.as_str(), found.regex.as_str()), ("0012", "门店:(?P<v>[0-9A-Z]+)"));
        assert_eq!(store("0012 成都锦里巷加盟店", &known()).expect("a store").regex, "^(?P<v>[0-9A-Z]+)");
        assert_eq!(store("门店库存日报表", &known()), None);
    }

    #[test]
    fn days_in_titles() {
        assert_eq!(day("日期:2013年1月5日").expect("a day").regex, "日期:(?P<v>.+)$");
        assert_eq!(
            day("门店:0230   日期:2013/01/05      第 1 页").expect("a day").regex,
            "日期:(?P<v>[0-9/]+)"
        );
        assert_eq!(day("各门店尺码库存表 2013年1月5日").expect("a day").regex, "(?P<v>[0-9]{4}年.+)$");
        assert_eq!(day("导出时间:2013/1/5 21:00"), None);
        assert_eq!(day("打印日期:2013/1/5"), None);
    }
}
