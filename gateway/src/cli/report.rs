//! What became of a file, told to a person in English or Chinese: rows and where they went, what is wrong with which and how to
//! mend it, what waits. Made as lines, so that a test can read them.

pub(crate) mod first_rows;

use crate::output::{
    Table, people,
    style::{BAD, BOLD, CARE, DIM, GOOD, HINT},
};
use qudao_model::file::{FileVerdict, RowCounts, RowReject};
use qudao_pipeline::{
    Hold,
    sentences::{self, Lang},
};
use std::collections::BTreeMap;
use unicode_width::UnicodeWidthStr as _;

/// Rows of one kind of reject that are shown; `rejects.csv` has all.
const EXAMPLES: usize = 5;
/// Columns of a terminal that a row of the file may take.
const LINE_WIDTH: usize = 60;

/// Lines of an answer.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<String>);

impl Lines {
    /// One line.
    pub(crate) fn line(&mut self, line: impl Into<String>) {
        self.0.push(line.into());
    }

    /// A heading with an empty line above.
    pub(crate) fn heading(&mut self, text: &str) {
        self.line("");
        self.line(format!("{BOLD}{text}{BOLD:#}"));
    }

    /// A table, indented.
    pub(crate) fn table(&mut self, table: &Table) {
        self.0.extend(table.to_string().lines().map(|line| format!("  {line}").trim_end().to_owned()));
    }

    /// All of them.
    pub(crate) fn text(&self) -> String {
        self.0.join("\n")
    }
}

/// Where the rows of the file went: five numbers that add up.
pub(crate) fn counts(lang: Lang, counts: &RowCounts) -> String {
    let parts = [
        (counts.rows, lang.pick("good", "有效")),
        (counts.rejects, lang.pick("rejected", "被拒")),
        (counts.notices, lang.pick("repeated", "重复")),
        (counts.skipped, lang.pick("passed over by a rule", "按规则跳过")),
        (counts.blank, lang.pick("blank", "空行")),
    ];
    let told: Vec<String> = parts
        .into_iter()
        .enumerate()
        .filter(|(place, (count, _))| *place < 2 || *count > 0)
        .map(|(place, (count, word))| {
            let style = match place {
                0 if count > 0 => GOOD,
                1 if count > 0 => BAD,
                _ => DIM,
            };
            format!("{style}{}{style:#} {word}", grouped(count))
        })
        .collect();
    let total = grouped(counts.physical);
    match lang {
        Lang::En if counts.physical == 1 => format!("1 row in the file: {}", told.join(", ")),
        Lang::En => format!("{total} rows in the file: {}", told.join(", ")),
        Lang::Zh => format!("文件共 {total} 行：{}", told.join("，")),
    }
}

/// `12,345`.
pub(crate) fn grouped(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

/// The verdict in one line, with the reason in words.
pub(crate) fn verdict(lang: Lang, verdict: FileVerdict, reason: Option<&str>) -> String {
    let (style, word) = match verdict {
        FileVerdict::Accept => (GOOD, lang.pick("accepted", "通过")),
        FileVerdict::Partial => (CARE, lang.pick("accepted in part", "部分通过")),
        FileVerdict::Hold => (CARE, lang.pick("held", "待确认")),
        FileVerdict::Reject => (BAD, lang.pick("rejected", "拒绝")),
    };
    let colon = lang.pick(": ", "：");
    match reason {
        Some(reason) => {
            let why = sentences::reason(lang, reason);
            let word_of = if why == reason { String::new() } else { format!(" {DIM}({reason}){DIM:#}") };
            format!("{style}{word}{style:#}{colon}{}{word_of}", people::text(why))
        }
        None => format!("{style}{word}{style:#}"),
    }
}

/// A sentence that nobody has translated, behind what is said in Chinese.
pub(crate) fn in_english(text: &str) -> String {
    format!("{DIM}（英文说明：{text}）{DIM:#}")
}

/// Beside a total that is not the sum: rows that were refused are in the one and not in the other.
pub(crate) fn not_summed(lang: Lang, rejects: u64) -> String {
    let figure = grouped(rejects);
    match lang {
        Lang::En if rejects == 1 => {
            "1 rejected row is not in the sum; it may be the whole difference. Mend it first.".to_owned()
        }
        Lang::En => format!(
            "{figure} rejected rows are not in the sum; they may be the whole difference. Mend them first."
        ),
        Lang::Zh => format!("有 {figure} 行被拒，没有计入各行之和，差额可能就来自这些行；请先改正它们。"),
    }
}

/// What to do about a reason, as a line that points on.
pub(crate) fn mend(text: &str) -> String {
    format!("{HINT}→{HINT:#} {text}")
}

/// Every kind of reject with its first rows, and how to mend it.
pub(crate) fn rejects(lang: Lang, rejects: &[RowReject], lines: &mut Lines) {
    if rejects.is_empty() {
        return;
    }
    let mut order: Vec<&str> = Vec::new();
    let mut kinds: BTreeMap<&str, Vec<&RowReject>> = BTreeMap::new();
    for reject in rejects {
        if !order.contains(&reject.kind.as_str()) {
            order.push(&reject.kind);
        }
        kinds.entry(&reject.kind).or_default().push(reject);
    }
    let mut rows: Vec<u32> = rejects.iter().map(|reject| reject.row).collect();
    rows.sort_unstable();
    rows.dedup();
    lines.heading(&match lang {
        Lang::En => {
            format!("{} in {}", people::count(rejects.len(), "fault"), people::count(rows.len(), "row"))
        }
        Lang::Zh => format!("{} 行中有 {} 处错误", rows.len(), rejects.len()),
    });
    for kind in order {
        if let Some(rejects) = kinds.get(kind) {
            one_kind(lang, kind, rejects, lines);
        }
    }
}

fn one_kind(lang: Lang, kind: &str, rejects: &[&RowReject], lines: &mut Lines) {
    let what = sentences::reject_kind(lang, kind);
    let count = rejects.len();
    lines.line("");
    lines.line(format!("  {BAD}{kind}{BAD:#}  {count}×  {what}"));
    let row = |reject: &&&RowReject| {
        let whole = || lang.pick("the whole row", "整行").to_owned();
        let line = || reject.line.as_deref().map(|line| first_rows::cut(line, LINE_WIDTH));
        let cell = reject.cell.clone().or_else(line).unwrap_or_default();
        [
            row_no(lang, reject.row),
            reject.column.clone().unwrap_or_else(whole),
            cell.replace('\n', "⏎"),
            figures(lang, reject),
        ]
        .map(|cell| people::text(&cell))
    };
    let rows: Vec<[String; 4]> = rejects.iter().take(EXAMPLES).map(|reject| row(&reject)).collect();
    for line in aligned(&rows) {
        lines.line(format!("      {line}"));
    }
    if count > EXAMPLES {
        let more = count - EXAMPLES;
        lines.line(match lang {
            Lang::En => format!("      {DIM}… and {more} more{DIM:#}"),
            Lang::Zh => format!("      {DIM}…… 另有 {more} 处{DIM:#}"),
        });
    }
    lines.line(format!("    {}", mend(&sentences::reject_kind_mend(lang, kind))));
}

fn figures(lang: Lang, reject: &RowReject) -> String {
    let figures = sentences::reject_figures(lang, reject);
    match (figures.as_str(), lang) {
        ("", _) => String::new(),
        (_, Lang::En) => format!("({figures})"),
        (_, Lang::Zh) => format!("（{figures}）"),
    }
}

/// `row 9`.
pub(crate) fn row_no(lang: Lang, row: u32) -> String {
    match lang {
        Lang::En => format!("row {row}"),
        Lang::Zh => format!("第 {row} 行"),
    }
}

/// Cells below each other, the first to the right, columns of nothing left out.
fn aligned(rows: &[[String; 4]]) -> Vec<String> {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or_default()
    };
    let widths = [0, 1, 2, 3].map(width);
    let line = |row: &[String; 4]| {
        let mut line = String::new();
        for (place, (cell, width)) in row.iter().zip(widths).enumerate().filter(|(_, (_, width))| *width > 0)
        {
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            let text = match place {
                0 => format!("{pad}{DIM}{cell}{DIM:#}"),
                2 => format!("{BOLD}{cell}{BOLD:#}{pad}"),
                _ => format!("{cell}{pad}"),
            };
            line.push_str(&text);
            line.push_str("  ");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// Stores, or the whole file, that wait for a person.
pub(crate) fn holds(lang: Lang, holds: &[Hold], names: &BTreeMap<String, String>, lines: &mut Lines) {
    let stores: Vec<&Hold> = holds.iter().filter(|hold| hold.store_code.is_some()).collect();
    if stores.is_empty() {
        return;
    }
    lines.heading(&match lang {
        Lang::En => format!(
            "{} for a person",
            if stores.len() == 1 {
                "1 store waits".to_owned()
            } else {
                format!("{} stores wait", stores.len())
            }
        ),
        Lang::Zh => format!("{} 家门店需要确认", stores.len()),
    });
    let mut table = match lang {
        Lang::En => Table::new(["STORE", "NAME", "WHY", ">SKUS", "", ">PIECES", ""]),
        Lang::Zh => Table::new(["门店", "名称", "原因", ">货号数", "", ">件数", ""]),
    };
    for hold in &stores {
        let code = hold.store_code.clone().unwrap_or_default();
        let name = names.get(&code).cloned().unwrap_or_default();
        let figure = |held: &Option<qudao_pipeline::Held>, units: bool| {
            held.as_ref().map(|held| if units { grouped(held.units) } else { grouped(held.skus) })
        };
        let change = |units: bool| match (figure(&hold.before, units), figure(&hold.now, units)) {
            (Some(before), Some(now)) => (before, format!("→ {now}")),
            (None, Some(now)) => (String::new(), format!("→ {now}")),
            (before, None) => (before.unwrap_or_default(), String::new()),
        };
        let ((skus, skus_now), (units, units_now)) = (change(false), change(true));
        table.row([code, name, hold.reason.clone(), skus, skus_now, units, units_now]);
    }
    lines.table(&table);
    let mut reasons: Vec<&str> = stores.iter().map(|hold| hold.reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons {
        let (why, how) = (sentences::reason(lang, reason), sentences::reason_mend(lang, reason));
        lines.line(format!("    {CARE}{reason}{CARE:#}  {why}"));
        if !how.is_empty() {
            lines.line(format!("    {}", mend(how)));
        }
    }
}

/// Stores that count already and are not in the file.
pub(crate) fn absent(lang: Lang, codes: &[String], names: &BTreeMap<String, String>) -> String {
    let stores = stores(codes, names);
    match lang {
        Lang::En => format!("Not in the file, so left as they were: {stores}"),
        Lang::Zh => format!("文件中没有、保持原样的门店：{stores}"),
    }
}

/// Codes of stores with their names: `0012 成都锦里巷加盟店`.
fn stores(codes: &[String], names: &BTreeMap<String, String>) -> String {
    let shown = |code: &String| match names.get(code) {
        Some(name) => format!("{code} {name}"),
        None => code.clone(),
    };
    people::text(&codes.iter().map(shown).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_pipeline::Held;
    use serde_json::json;

    fn reject(row: u32, column: Option<&str>, kind: &str, cell: Option<&str>) -> RowReject {
        RowReject {
            row,
            column: column.map(str::to_owned),
            kind: kind.to_owned(),
            detail: serde_json::Map::new(),
            cell: cell.map(str::to_owned),
            line: None,
            store_code: None,
        }
    }

    fn all(lang: Lang) -> String {
        let total = RowReject {
            detail: json!({"stated": 14, "computed": 13}).as_object().cloned().unwrap(),
            ..reject(40, None, "row_total_mismatch", None)
        };
        let mut faults: Vec<RowReject> =
            (0..7).map(|row| reject(9 + row, Some("数量"), "not_a_number", Some("一双"))).collect();
        faults.push(reject(9, Some("门店"), "unknown_store", Some("A0\u{1b}[31m17")));
        faults.push(total);
        let mut lines = Lines::default();
        let told = RowCounts { physical: 1061, rows: 1050, rejects: 8, notices: 0, skipped: 2, blank: 1 };
        lines.line(counts(lang, &told));
        rejects(lang, &faults, &mut lines);
        let hold = |store: &str, reason: &str, before: Option<(u64, i64)>, now: (u64, i64)| Hold {
            store_code: Some(store.to_owned()),
            reason: reason.to_owned(),
            before: before.map(|(skus, units)| Held { skus, units }),
            now: Some(Held { skus: now.0, units: now.1 }),
        };
        let waiting = [
            hold("0012", "shrink", Some((1840, 5184)), (8, 32)),
            hold("0108", "first_snapshot", None, (12, 30)),
        ];
        let names = BTreeMap::from([("0012".to_owned(), "成都锦里巷加盟店".to_owned())]);
        holds(lang, &waiting, &names, &mut lines);
        lines.line("");
        lines.line(verdict(lang, FileVerdict::Partial, Some("shrink")));
        lines.line(verdict(lang, FileVerdict::Accept, None));
        lines.line(verdict(lang, FileVerdict::Reject, Some("no_such_word")));
        lines.line(stores(&["0012".to_owned(), "0108".to_owned()], &names));
        lines.text()
    }

    #[test]
    fn a_franchisee_reads_it_in_english() {
        insta::assert_snapshot!(anstream::adapter::strip_str(&all(Lang::En)).to_string(), @r#"
        1,061 rows in the file: 1,050 good, 8 rejected, 2 passed over by a rule, 1 blank

        9 faults in 8 rows

          not_a_number  7×  `…` is not a number
               row 9  数量  一双
              row 10  数量  一双
              row 11  数量  一双
              row 12  数量  一双
              row 13  数量  一双
              … and 2 more
            → Write the number in digits, without words or blanks.

          unknown_store  1×  there is no store `…` in the store directory
              row 9  门店  A0�[31m17
            → Correct the code. If the store is new, head office adds it to the store directory; the row is then taken without a new export.

          row_total_mismatch  1×  the total of the row is not the sum of its cells
              row 40  the whole row  (it says 14, the cells make 13)
            → One of the figures is wrong. Count and correct it; until then the whole row waits.

        2 stores wait for a person
          STORE  NAME              WHY              SKUS        PIECES  
          0012   成都锦里巷加盟店  shrink          1,840  → 8    5,184  → 32
          0108                     first_snapshot         → 12          → 30
            first_snapshot  these are the first figures ever of this store
            → Compare a few SKUs with the shelf, then confirm once.
            shrink  the store lists far fewer SKUs than before
            → If that is right, confirm; else discard and export the whole list.

        accepted in part: the store lists far fewer SKUs than before (shrink)
        accepted
        rejected: no_such_word
        0012 成都锦里巷加盟店, 0108
        "#);
    }

    #[test]
    fn a_franchisee_reads_it_in_chinese() {
        insta::assert_snapshot!(anstream::adapter::strip_str(&all(Lang::Zh)).to_string(), @r#"
        文件共 1,061 行：1,050 有效，8 被拒，2 按规则跳过，1 空行

        8 行中有 9 处错误

          not_a_number  7×  “…”不是数字
               第 9 行  数量  一双
              第 10 行  数量  一双
              第 11 行  数量  一双
              第 12 行  数量  一双
              第 13 行  数量  一双
              …… 另有 2 处
            → 请只填数字，不要带文字或空格。

          unknown_store  1×  门店目录里没有“…”
              第 9 行  门店  A0�[31m17
            → 请改正门店编码。如果是新店，请总部先加入门店目录；之后无需重新导出，这一行会补上。

          row_total_mismatch  1×  本行合计与各尺码之和不一致
              第 40 行  整行  （写的是 14，加起来是 13）
            → 其中一个数有误，请盘点后改正；改正之前整行都不算。

        2 家门店需要确认
          门店  名称              原因            货号数         件数  
          0012  成都锦里巷加盟店  shrink           1,840  → 8   5,184  → 32
          0108                    first_snapshot          → 12         → 30
            first_snapshot  这是该店的第一份库存
            → 请抽查几个货号与实物核对，然后确认一次。
            shrink  该店的货号比上次少了很多
            → 如果属实，请确认；否则请作废，并重新导出完整清单。

        部分通过：该店的货号比上次少了很多 (shrink)
        通过
        拒绝：no_such_word
        0012 成都锦里巷加盟店, 0108
        "#);
    }

    #[test]
    fn colour_is_in_it_and_strangers_bring_none() {
        let text = all(Lang::En);
        assert!(text.contains("\u{1b}[1m\u{1b}[31mnot_a_number\u{1b}[0m"), "{text:?}");
        assert!(!text.contains("A0\u{1b}"), "a cell of the file paints the terminal");
    }
}
