//! What stands above a table: which store the file is of, and of which day.

use super::dates;
use super::fields;
use super::proposal::{Proposal, object, why};
use super::stores::Known;
use serde_json::{Map, Value, json};

/// Labels of the day that a report is of. When it was printed is not meant.
const DAYS: [&str; 16] = [
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
    "截止时间",
    "截至日期",
    "统计日期",
];
/// Labels of when a report was made: figures are of then at the latest.
const PRINTED: [&str; 12] = [
    "打印时间",
    "打印日期",
    "导出时间",
    "导出日期",
    "制表时间",
    "制表日期",
    "生成时间",
    "生成日期",
    "查询时间",
    "查询日期",
    "printed",
    "exported",
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

/// Looks through texts above the table, each with what a field's `from` would be, for what the columns do not say. `day_is`: the
/// member that a day fills, where one is wanted.
pub(crate) fn fill(texts: &[(Value, String)], known: &Known, day_is: Option<&str>, proposal: &mut Proposal) {
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
        let Some((to, titled)) = day_is.filter(|to| !proposal.has(to)).zip(day(text)) else { continue };
        let form = titled.form.unwrap_or("%Y-%m-%d");
        if to != "occurred_at" && form.contains("%H") {
            continue;
        }
        let field = super::times::from_title(to, from, &titled.regex, form);
        proposal.field(
            field,
            &format!("{} → {to}", titled.value),
            why(format!("the day stands above the table: `{text}`"), format!("日期写在表格上方：“{text}”")),
            92,
        );
        undecided(to, &titled.value, form, proposal);
    }
}

/// A day in a title that reads either way round: the form is left open.
fn undecided(to: &str, value: &str, form: &str, proposal: &mut Proposal) {
    let settled = dates::settle(std::iter::once((value, 1)));
    if settled.rivals.is_empty() {
        return;
    }
    let at = format!("/fields/{}/formats", proposal.place_of(to));
    if let Some(field) = proposal.field_of(to) {
        field.remove("formats");
    }
    let forms = std::iter::once(form).chain(settled.first).chain(settled.rivals);
    let mut forms: Vec<&str> = forms.collect();
    forms.sort_unstable();
    forms.dedup();
    proposal.ask(
        &at,
        why(
            format!("In `{value}` above the table, is the day or the month first?"),
            format!("表格上方的“{value}”是日在前还是月在前？"),
        ),
        forms
            .into_iter()
            .map(|form| super::proposal::candidate(json!([form]), format!("{form} reads {value}")))
            .collect(),
    );
}

/// When a report was printed or exported: a snapshot is of then at the latest, where nothing says more.
pub(crate) fn printed(texts: &[(Value, String)], proposal: &mut Proposal) {
    for (from, text) in texts {
        let Some(titled) = made(text) else { continue };
        let form = titled.form.unwrap_or("%Y-%m-%d");
        let field = super::times::from_title("occurred_at", from, &titled.regex, form);
        proposal.field(
            field,
            &format!("{} → occurred_at", titled.value),
            why(
                format!(
                    "the title says when the file was made: `{text}`; the stock is taken as of then, check that the figures are"
                ),
                format!("标题写明文件的生成时间：“{text}”；以此作为库存时间，请核对"),
            ),
            75,
        );
        undecided("occurred_at", &titled.value, form, proposal);
        return;
    }
}

/// The moment behind one of the labels of [`PRINTED`].
fn made(text: &str) -> Option<Titled> {
    let low = text.to_ascii_lowercase();
    PRINTED.iter().find_map(|label| {
        let at = low.find(label)?;
        let written = text.get(at..at + label.len())?;
        let rest = text.get(at + label.len()..)?.trim_start_matches([':', ' ']).trim_end();
        let parts: Vec<&str> = rest.split_whitespace().collect();
        let whole = form_of(rest).map(|form| (rest.to_owned(), ".+", form));
        let found = whole
            .or_else(|| {
                let pair = parts.get(..2)?.join(" ");
                form_of(&pair).map(|form| (pair, "\\S+\\s+\\S+", form))
            })
            .or_else(|| {
                let first = (*parts.first()?).to_owned();
                form_of(&first).map(|form| (first, "\\S+", form))
            });
        let (value, class, form) = found?;
        Some(Titled { value, regex: format!("{written}[:\\s]*(?P<v>{class})"), form: Some(form) })
    })
}

/// Stores that titles name behind a label, whether anybody knows them or not.
pub(crate) fn stated(texts: &[(Value, String)]) -> Vec<String> {
    let found = texts.iter().filter_map(|(_, text)| {
        let (_, value) = STORES.iter().find_map(|label| labelled(text, label))?;
        let code: String = value.chars().take_while(char::is_ascii_alphanumeric).collect();
        (code.len() >= 2).then_some(code)
    });
    found.collect()
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

    #[track_caller]
    fn check_made(text: &str, value: &str, regex: &str) {
        let found = made(text).expect("a moment");
        assert_eq!((found.value.as_str(), found.regex.as_str()), (value, regex));
        let regex = regex::Regex::new(&found.regex).expect("an expression");
        assert_eq!(&regex.captures(text).expect("a match")["v"], value);
    }

    #[test]
    fn when_a_report_was_made() {
        check_made("打印时间:2026-11-20 21:30", "2026-11-20 21:30", "打印时间[:\\s]*(?P<v>.+)");
        check_made(
            "导出时间:2026-11-20 21:30 制表人:李芳",
            "2026-11-20 21:30",
            "导出时间[:\\s]*(?P<v>\\S+\\s+\\S+)",
        );
        check_made("制表日期 2026年11月20日 第1页", "2026年11月20日", "制表日期[:\\s]*(?P<v>\\S+)");
        assert_eq!(made("打印人:李芳"), None);
    }
}
