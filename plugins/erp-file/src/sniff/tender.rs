//! How a ticket was paid: columns of money, text such as `现金:100;微信:99`, or groups with a name and an amount.

use super::grid::Seen;
use super::numbers;
use super::profile::Profile;
use super::proposal::{Proposal, candidate, why};
use super::roles::Roles;
use super::table::{Column, Table};
use super::words::{TENDERS, words};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const BETWEEN: [char; 7] = [';', ',', '\n', '|', '、', '+', ' '];
const INSIDE: [char; 3] = [':', '=', ' '];

/// Cells that read as one or more `name:amount`.
pub(crate) fn pairs(profile: &Profile) -> usize {
    profile.distinct.iter().filter(|(text, _)| !split(text).is_empty()).map(|(_, count)| count).sum()
}

/// One payment in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pair {
    name: String,
    amount: i128,
    inside: char,
    /// What stands behind it.
    behind: Option<char>,
}

/// The payments of a text; none where some part is no payment.
fn split(text: &str) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some((name, inside, tail)) = INSIDE.iter().find_map(|mark| {
            rest.split_once(*mark).filter(|(name, _)| is_name(name)).map(|(name, tail)| (name, *mark, tail))
        }) else {
            return Vec::new();
        };
        let tail = tail.trim_start();
        let end = tail.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-'))).unwrap_or(tail.len());
        let (amount, behind) = tail.split_at_checked(end).unwrap_or((tail, ""));
        let Some(number) = numbers::parse(amount) else { return Vec::new() };
        let behind = behind.trim_start_matches("元");
        let mark = behind.chars().next();
        if mark.is_some_and(|mark| !BETWEEN.contains(&mark)) {
            return Vec::new();
        }
        pairs.push(Pair { name: name.trim().to_owned(), amount: number.value, inside, behind: mark });
        rest = mark
            .map_or("", |mark| behind.get(mark.len_utf8()..).unwrap_or_default())
            .trim_start_matches([' ', '\r']);
    }
    pairs
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    !name.is_empty()
        && name.chars().count() <= 12
        && !name.chars().any(|c| c.is_ascii_digit() || BETWEEN.contains(&c))
}

/// A text column of payments as `ticket.tenders`.
pub(crate) fn text(column: &Column, proposal: &mut Proposal) -> Value {
    let mut between: Vec<char> = Vec::new();
    let mut inside: BTreeMap<char, usize> = BTreeMap::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for (text, count) in &column.profile.distinct {
        for pair in split(text) {
            *inside.entry(pair.inside).or_default() += count;
            *names.entry(pair.name).or_default() += count;
            between.extend(pair.behind.filter(|mark| !between.contains(mark)));
        }
    }
    let inside = inside.into_iter().max_by_key(|(_, count)| *count).map_or(':', |(mark, _)| mark);
    if between.is_empty() {
        between.push(';');
    }
    let marks: Vec<String> = between.iter().map(char::to_string).collect();
    let map = value_map(names.keys().map(String::as_str), proposal);
    json!({
        "mode": "text_repeated", "column": column.from, "pair_separators": marks,
        "name_separator": inside.to_string(), "value_map": map,
    })
}

/// Our words for a till's names of payments. Names that the dictionary does not have are asked for.
pub(crate) fn value_map<'a>(names: impl Iterator<Item = &'a str>, proposal: &mut Proposal) -> Value {
    let mut map = Map::new();
    let mut open: Vec<&str> = Vec::new();
    for name in names {
        match words().tender(name) {
            Some(kind) => {
                map.insert(name.to_owned(), json!(kind));
            }
            None => open.push(name),
        }
    }
    open.truncate(30);
    for name in open {
        let pointer = name.replace('~', "~0").replace('/', "~1");
        let kinds = TENDERS.iter().map(|kind| candidate(*kind, format!("`{name}` is {kind}"))).collect();
        proposal.ask(
            &format!("/ticket/tenders/value_map/{pointer}"),
            why(
                format!(
                    "Which way of paying is `{name}`? Until this is known, tickets with it go to quarantine."
                ),
                format!("支付方式“{name}”对应哪一种？在确定之前，含它的小票会进入隔离区。"),
            ),
            kinds,
        );
    }
    Value::Object(map)
}

/// Columns of money by way of paying.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns<'a> {
    /// Column, kind, sign.
    list: Vec<(&'a Column, &'static str, i64)>,
    /// A column that is for two ways at once.
    open: Vec<(&'a Column, Vec<&'static str>)>,
}

/// Finds the columns of payments.
pub(crate) fn columns<'a>(table: &'a Table, roles: &Roles) -> Option<Columns<'a>> {
    let mut found = Columns::default();
    for kind in TENDERS {
        found.list.extend(roles.column(table, kind).map(|column| (column, kind, 1)));
    }
    if found.list.is_empty() {
        return None;
    }
    found.list.extend(roles.column(table, ".change_due").map(|column| (column, "cash", -1)));
    for column in &table.columns {
        let kinds = words().joined_tenders(&column.heading);
        if !kinds.is_empty() {
            found.open.push((column, kinds));
        }
    }
    Some(found)
}

impl Columns<'_> {
    /// As `ticket.tenders`; `tickets` are the rows of each ticket.
    pub(crate) fn tenders(&self, tickets: &[Vec<usize>], proposal: &mut Proposal) -> Value {
        let first_only = self.is_first_line(tickets);
        let mut map = Map::new();
        for (column, kind, sign) in &self.list {
            let mut entry = json!({"kind": kind});
            if *sign < 0 {
                entry = json!({"kind": kind, "sign": sign});
            }
            map.insert(column.heading.clone(), entry);
        }
        let mode = if first_only { "columns_first_line" } else { "columns_repeated" };
        proposal.found(
            "/ticket/tenders/mode",
            mode,
            if first_only {
                why(
                    "tickets of several lines have their payments on the first line only",
                    "多行小票只在第一行写支付金额",
                )
            } else {
                why(
                    "each line of a ticket repeats the same payments: they count once",
                    "小票的每一行重复同样的支付金额：只计一次",
                )
            },
            90,
        );
        for (column, kinds) in &self.open {
            let pointer = column.heading.replace('~', "~0").replace('/', "~1");
            let kinds = kinds
                .iter()
                .map(|kind| candidate(json!({"kind": kind}), format!("all of it counts as {kind}")));
            proposal.ask(
                &format!("/ticket/tenders/columns/{pointer}"),
                why(
                    format!(
                        "The column `{}` holds two ways of paying together: which shall it count as?",
                        column.heading
                    ),
                    format!("“{}”列合并了两种支付方式：按哪一种计？", column.heading),
                ),
                kinds.collect(),
            );
        }
        json!({"mode": mode, "columns": map})
    }

    /// Whether only the first lines of tickets with several lines have payments.
    fn is_first_line(&self, tickets: &[Vec<usize>]) -> bool {
        let paid = |row: usize| {
            let columns = self
                .list
                .iter()
                .map(|(column, _, _)| column)
                .chain(self.open.iter().map(|(column, _)| column));
            columns.filter_map(|column| column.cells.get(row)).any(is_paid)
        };
        let several = tickets.iter().filter(|rows| rows.len() > 1);
        let (mut first, mut all) = (0_usize, 0_usize);
        for rows in several {
            let mut others = rows.iter().skip(1);
            let first_paid = rows.first().is_some_and(|row| paid(*row));
            first += usize::from(first_paid && others.clone().all(|row| !paid(*row)));
            all += usize::from(first_paid && others.all(|row| paid(*row)));
        }
        first > all
    }
}

fn is_paid(cell: &Seen) -> bool {
    numbers::parse(&cell.text).is_some_and(|number| number.value != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[(&str, i128)]) {
        let found = split(text);
        let found: Vec<(&str, i128)> = found.iter().map(|pair| (pair.name.as_str(), pair.amount)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn payments_in_text() {
        check("现金:100.00;微信:99.00", &[("现金", 1_000_000), ("微信", 990_000)]);
        check("银行卡:495.00\n微信:992.90", &[("银行卡", 4_950_000), ("微信", 9_929_000)]);
        check("现金:-1299.00", &[("现金", -12_990_000)]);
        check("现金=100元、支付宝=5元", &[("现金", 1_000_000), ("支付宝", 50_000)]);
        check("女士圆领针织衫", &[]);
        check("12:30", &[]);
    }

    #[test]
    fn unknown_names_are_asked_for() {
        let mut proposal = Proposal::default();
        let map = value_map(["现金", "花呗"].into_iter(), &mut proposal);
        assert_eq!(map, json!({"现金": "cash"}));
        assert_eq!(proposal.todo[0].at, "/ticket/tenders/value_map/花呗");
    }
}
