//! `qudao quarantine list` and `show`: by file and kind, or row by row.

use super::{Reading, Which};
use crate::{
    cli::report::{self, Lines},
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{BOLD, DIM},
    },
    store::DataPath,
};
use clap::Args;
use qudao_model::file::RowReject;
use qudao_pipeline::sentences::{self, Lang};
use qudao_storage::{LIMIT_MAX, RejectFilter, RejectRow, Storage};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

/// Arguments of `quarantine list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

/// Arguments of `quarantine show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    which: Which,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = qudao_storage::LIMIT_DEFAULT)]
    limit: u32,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

/// Rows of one import with one kind of fault.
struct Heap {
    import: String,
    channel: String,
    kind: String,
    faults: u64,
    rows: BTreeSet<u32>,
}

impl List {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let lang = self.reading.lang();
        let mut heaps: Vec<Heap> = Vec::new();
        each(&storage, self.which.filter(), |row| {
            let same = |heap: &&mut Heap| heap.import == row.import && heap.kind == row.reject.kind;
            let line = row.reject.row;
            match heaps.iter_mut().find(same) {
                Some(heap) => {
                    heap.faults += 1;
                    heap.rows.insert(line);
                }
                None => heaps.push(Heap {
                    import: row.import,
                    channel: row.channel,
                    kind: row.reject.kind,
                    faults: 1,
                    rows: BTreeSet::from([line]),
                }),
            }
            Ok(())
        })
        .await?;
        let names = names(&storage, heaps.iter().map(|heap| heap.import.clone())).await?;
        if self.reading.json() {
            for heap in &heaps {
                let file = names.get(&heap.import);
                printer.json_line(&json!({
                    "import": heap.import, "channel": heap.channel, "file": file, "kind": heap.kind,
                    "rows": heap.rows.len(), "faults": heap.faults,
                }))?;
            }
            return Ok(Exit::Done);
        }
        if heaps.is_empty() {
            printer.note(lang.pick("nothing is in quarantine", "没有待处理的行"))?;
            return Ok(Exit::Done);
        }
        printer.table(&table(lang, &heaps, &names))?;
        let (rows, csv) = (lang.pick("The rows", "逐行查看"), lang.pick("for the store", "发给门店"));
        printer.next(format_args!("\n{rows}: qudao quarantine show --import ID\n{csv}: qudao quarantine export --import ID > rejects.csv"))?;
        Ok(Exit::Done)
    }
}

fn table(lang: Lang, heaps: &[Heap], names: &BTreeMap<String, String>) -> Table {
    let mut table = match lang {
        Lang::En => Table::new(["FILE", "CHANNEL", ">ROWS", "KIND", "WHAT IS WRONG", "IMPORT"]),
        Lang::Zh => Table::new(["文件", "渠道", ">行数", "类别", "问题", "导入编号"]),
    };
    for heap in heaps {
        table.row([
            names.get(&heap.import).cloned().unwrap_or_default(),
            heap.channel.clone(),
            heap.rows.len().to_string(),
            heap.kind.clone(),
            sentences::reject_kind(lang, &heap.kind),
            heap.import.clone(),
        ]);
    }
    table
}

impl Show {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let lang = self.reading.lang();
        let filter = RejectFilter { limit: self.limit, ..self.which.filter() };
        let page = storage.rejects(&filter).await.map_err(Error::storage("read the quarantine"))?;
        if self.reading.json() {
            for row in &page.items {
                let mut value = json!(row);
                if let Some(members) = value.as_object_mut() {
                    let told = [
                        ("sentence", sentences::reject(Lang::En, &row.reject)),
                        ("mend", sentences::reject_mend(Lang::En, &row.reject)),
                        ("sentence_zh", sentences::reject(Lang::Zh, &row.reject)),
                        ("mend_zh", sentences::reject_mend(Lang::Zh, &row.reject)),
                    ];
                    members.extend(told.map(|(name, text)| (name.to_owned(), text.into())));
                }
                printer.json_line(&value)?;
            }
            return Ok(Exit::Done);
        }
        if page.items.is_empty() {
            printer.note(lang.pick("nothing is in quarantine", "没有待处理的行"))?;
            return Ok(Exit::Done);
        }
        let names = names(&storage, page.items.iter().map(|row| row.import.clone())).await?;
        printer.line(rows(lang, &page.items, &names).text().trim_start_matches('\n'))?;
        if page.next.is_some() {
            printer.next(format_args!("\nThere are more; --limit N shows up to {LIMIT_MAX}."))?;
        }
        Ok(Exit::Done)
    }
}

/// Rows file by file, each with the line as it came and every fault below.
fn rows(lang: Lang, rows: &[RejectRow], names: &BTreeMap<String, String>) -> Lines {
    let mut lines = Lines::default();
    let mut before: (Option<&str>, Option<u32>) = (None, None);
    for RejectRow { import, channel, reject, .. } in rows {
        if before.0 != Some(import) {
            let file = names.get(import).map(|name| people::text(name)).unwrap_or_default();
            lines.line("");
            lines.line(format!("{BOLD}{file}{BOLD:#}  {DIM}{channel}  {import}{DIM:#}"));
            before = (Some(import), None);
        }
        if before.1 != Some(reject.row) {
            lines.line("");
            let text =
                reject.line.as_deref().map(|line| people::text(line).replace('\n', "⏎")).unwrap_or_default();
            lines.line(match text.as_str() {
                "" => format!("  {}", report::row_no(lang, reject.row)),
                text => format!("  {}  {DIM}{text}{DIM:#}", report::row_no(lang, reject.row)),
            });
            before.1 = Some(reject.row);
        }
        fault(lang, reject, &mut lines);
    }
    lines
}

fn fault(lang: Lang, reject: &RowReject, lines: &mut Lines) {
    let place = reject.column.as_deref().map(|column| format!("{BOLD}{}{BOLD:#} ", people::text(column)));
    let what = people::text(&sentences::reject(lang, reject));
    lines.line(format!("    {}{what}  {DIM}({}){DIM:#}", place.unwrap_or_default(), reject.kind));
    lines.line(format!("    {}", report::mend(&sentences::reject_mend(lang, reject))));
}

/// Every reject that a filter finds, page by page.
pub(super) async fn each(
    storage: &Storage,
    filter: RejectFilter,
    mut take: impl FnMut(RejectRow) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut filter = RejectFilter { limit: LIMIT_MAX, ..filter };
    loop {
        let page = storage.rejects(&filter).await.map_err(Error::storage("read the quarantine"))?;
        page.items.into_iter().try_for_each(&mut take)?;
        match page.next {
            Some(cursor) => filter.cursor = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// Names of the files of imports.
pub(super) async fn names(
    storage: &Storage,
    imports: impl Iterator<Item = String>,
) -> Result<BTreeMap<String, String>, Error> {
    let mut names = BTreeMap::new();
    for id in imports {
        if let Entry::Vacant(place) = names.entry(id) {
            let found = storage.import(place.key()).await.map_err(Error::storage("read the imports"))?;
            place.insert(found.map(|import| import.name).unwrap_or_default());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_storage::RejectState;

    fn row(row: u32, column: Option<&str>, kind: &str, cell: Option<&str>, line: Option<&str>) -> RejectRow {
        let reject = RowReject {
            row,
            column: column.map(str::to_owned),
            kind: kind.to_owned(),
            detail: serde_json::Map::new(),
            cell: cell.map(str::to_owned),
            line: line.map(str::to_owned),
            store_code: None,
        };
        RejectRow {
            import: "imp_1".to_owned(),
            channel: "chengdu-erp".to_owned(),
            state: RejectState::Open,
            reject,
        }
    }

    #[test]
    fn every_fault_stands_below_the_line_it_is_of() {
        let all = [
            row(37, Some("数量"), "not_a_number", Some("一双"), Some("0012 | QD13A | 一双 | 五元")),
            row(37, Some("单价"), "not_a_number", Some("五元"), None),
            row(39, None, "field_count", None, Some("0012 | QD13A")),
        ];
        let names = BTreeMap::from([("imp_1".to_owned(), "库存.csv".to_owned())]);
        let shown = [Lang::En, Lang::Zh].map(|lang| rows(lang, &all, &names).text()).join("\n");
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown).to_string(), @r#"
        库存.csv  chengdu-erp  imp_1

          row 37  0012 | QD13A | 一双 | 五元
            数量 `一双` is not a number  (not_a_number)
            → Write the number in digits, without words or blanks.
            单价 `五元` is not a number  (not_a_number)
            → Write the number in digits, without words or blanks.

          row 39  0012 | QD13A
            the line has another number of fields than the header  (field_count)
            → A comma inside a text, or a broken line. Export again with texts in quotation marks, or take the comma out of the text.

        库存.csv  chengdu-erp  imp_1

          第 37 行  0012 | QD13A | 一双 | 五元
            数量 “一双”不是数字  (not_a_number)
            → 请只填数字，不要带文字或空格。
            单价 “五元”不是数字  (not_a_number)
            → 请只填数字，不要带文字或空格。

          第 39 行  0012 | QD13A
            这一行的字段数与表头不一致  (field_count)
            → 文字里有逗号，或者一行断成了两行。请在导出时给文字加引号，或去掉文字里的逗号。
        "#);
    }
}
