//! `qudao onboard preview`: what a mapping makes of a file. The first rows beside their cells, sums per store, every reject.

use super::{Reader, look::name, reach, trial};
use crate::{
    cli::report::{self, Lines, first_rows},
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{BOLD, CARE, DIM, GOOD},
    },
};
use clap::Args;
use qudao_model::{FileKind, FileVerdict, Timestamp, file::RowNotice};
use qudao_pipeline::{
    FileSettings, Trial, Tried,
    sentences::{self, Lang},
    try_file_with,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

/// Rows that are shown.
const ROWS: usize = 10;
/// Bytes of a file that is read a second time for the rows as they stand.
const READ_TWICE: u64 = 64 << 20;
/// Notices that are shown.
const NOTICES: usize = 5;
/// Stores that are shown; a file of a whole chain has hundreds.
const STORES: usize = 20;

/// Arguments of `onboard preview`.
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is stored. Exit codes: 0 clean, 1 good rows beside rejects, 2 the file would wait for a person, 3 it would be \
rejected, 4 wrong usage or a mapping with errors.")]
pub(super) struct Preview {
    /// The mapping
    #[arg(long, short, value_name = "FILE")]
    mapping: PathBuf,
    /// A file as the ERP exports it
    file: PathBuf,
    #[command(flatten)]
    trying: trial::Trying,
}

impl Preview {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let lang = self.trying.lang();
        let Some((reader, settings)) = self.trying.reader(&self.mapping, printer).await? else {
            return Ok(Exit::NeedsPerson);
        };
        let at = self.trying.at();
        let spinner = printer.spinner(lang.pick("reading the file", "正在读取文件"));
        let trial = Trial { file: &self.file, previous: None, counts: None, at, rows_max: ROWS };
        let tried = trial::run(&reader, &settings, trial).await?;
        let cells = if self.trying.json() {
            BTreeMap::new()
        } else {
            lines((&reader, &settings), (&self.file, at), &tried.rows).await
        };
        drop(spinner);
        self.trying.write_rejects([(self.file.as_path(), &tried)])?;
        if self.trying.json() {
            printer.json(&tried)?;
            return Ok(trial::exit_of(&tried));
        }
        reach::no_stores(printer, lang, (&reader, &settings), tried.rejects.iter())?;
        let names = reader.names(&settings);
        printer.line(page(lang, &self.file, &tried, (&cells, &names)).text())?;
        self.next(printer, &tried)?;
        Ok(trial::exit_of(&tried))
    }

    fn next(&self, printer: &mut Printer, tried: &Tried) -> Result<(), Error> {
        let lang = self.trying.lang();
        let (mapping, file) = (self.mapping.display(), self.file.display());
        self.trying.say_rejects(printer)?;
        if self.trying.rejects.is_none() && !tried.rejects.is_empty() {
            let every = lang.pick("Every reject as a table for the store", "把全部被拒的行写成表格发给门店");
            printer.next(format_args!(
                "\n{every}: qudao onboard preview --mapping {mapping} {file} --rejects rejects.csv"
            ))?;
        }
        if matches!(tried.verdict, FileVerdict::Accept | FileVerdict::Partial) {
            let next = lang.pick("Next, old files", "下一步，用旧文件核对");
            printer.next(format_args!("\n{next}: qudao onboard check --mapping {mapping} FILE…"))?;
        }
        Ok(())
    }
}

/// The rows of the file that are shown, as they stand in it, by their numbers; none where the connector cannot say.
///
/// What a reject carries is the row as it stands, whatever kind of file it is of. So the file is read once more as if no store
/// were known, and every row is refused.
async fn lines(
    (reader, settings): (&Reader, &FileSettings),
    (file, at): (&Path, Timestamp),
    rows: &[Value],
) -> BTreeMap<u64, String> {
    let wanted: BTreeSet<u64> = rows.iter().filter_map(first_rows::number).collect();
    let small = std::fs::metadata(file).is_ok_and(|about| about.len() <= READ_TWICE);
    let Some(settings) = small.then(|| refusing(reader, settings)).flatten() else { return BTreeMap::new() };
    let trial = Trial { file, previous: None, counts: None, at, rows_max: 0 };
    let Ok(tried) = try_file_with(&reader.connector, settings, trial).await else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for reject in tried.rejects {
        let row = u64::from(reject.row);
        if let Some(line) = reject.line.filter(|_| wanted.contains(&row)) {
            found.entry(row).or_insert(line);
        }
    }
    found
}

/// The settings of a call under which no store is known; nothing where the mapping looks no store up.
fn refusing(reader: &Reader, settings: &FileSettings) -> Option<Value> {
    let mut settings = settings.settings.as_ref().clone();
    let members = settings.as_object_mut()?;
    members.insert("store_codes".to_owned(), json!({}));
    let mapping = members.get_mut(&reader.component.manifest().files.as_ref()?.document)?.as_object_mut()?;
    mapping.remove("rejects");
    // A code that no file can have.
    mapping.insert("stores".to_owned(), json!({"\u{fffd}": "\u{fffd}"}));
    let fields = mapping.get_mut("fields")?.as_array_mut()?;
    let mut stores = fields.iter_mut().filter(|field| field.get("to") == Some(&json!("store_code")));
    stores.next()?.as_object_mut()?.insert("known".to_owned(), json!("stores"));
    Some(settings)
}

/// Everything that a person wants to see of a file before it counts.
fn page(
    lang: Lang,
    file: &Path,
    tried: &Tried,
    (cells, names): (&BTreeMap<u64, String>, &BTreeMap<String, String>),
) -> Lines {
    let mut lines = Lines::default();
    lines.line(format!(
        "{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}",
        people::text(&name(file)),
        kind(lang, tried.kind)
    ));
    if !tried.rows.is_empty() {
        lines.heading(&match lang {
            _ if tried.rows.len() as u64 == tried.counts.rows => trial::good(lang, tried),
            Lang::En => format!("The first {} of {}", tried.rows.len(), trial::good(lang, tried)),
            Lang::Zh => format!("前 {} 条，共 {}", tried.rows.len(), trial::good(lang, tried)),
        });
        lines.table(&first_rows::table(lang, &tried.rows, cells));
    }
    sums(lang, tried, names, &mut lines);
    report::rejects(lang, &tried.rejects, &mut lines);
    notices(lang, tried, &mut lines);
    lines.line("");
    lines.line(report::counts(lang, &tried.physical));
    if let Some(total) = &tried.control_total {
        let (stated, computed) = (report::grouped(total.stated), report::grouped(total.computed));
        let style = if total.stated == total.computed { GOOD } else { CARE };
        lines.line(match lang {
            Lang::En => format!("The file's own total: {style}{stated}{style:#}; the rows make {computed}"),
            Lang::Zh => format!("文件自带合计：{style}{stated}{style:#}；各行之和 {computed}"),
        });
    }
    if let Some((first, last)) = &tried.span {
        let (first, last) = (people::time(*first), people::time(*last));
        // Files that are exact to the day have nothing but midnights.
        let days = [&first, &last].map(|time| time.strip_suffix(" 00:00:00").map(str::to_owned));
        let (first, last) = match days {
            [Some(first), Some(last)] => (first, last),
            _ => (first, last),
        };
        let span = if first == last { first } else { format!("{first} – {last}") };
        lines.line(format!("{}{span}", lang.pick("Time: ", "时间：")));
    }
    trial::drift(lang, tried, &mut lines);
    trial::verdict(lang, tried, &mut lines);
    lines
}

/// What a file is about.
pub(super) fn kind(lang: Lang, kind: FileKind) -> &'static str {
    match kind {
        FileKind::StockSnapshot => lang.pick("stock: how much there is", "库存：现有多少"),
        FileKind::StockDelta => lang.pick("movements: what went in and out", "出入库：进出了多少"),
        FileKind::Sales => lang.pick("sales: tickets of tills", "销售：收银小票"),
        FileKind::Prices => lang.pick(
            "prices; they are read and checked, and change nothing yet",
            "价格：只读取和检查，暂不改变任何数据",
        ),
    }
}

fn sums(lang: Lang, tried: &Tried, names: &BTreeMap<String, String>, lines: &mut Lines) {
    if tried.stores.is_empty() {
        return;
    }
    lines.heading(&match lang {
        Lang::En => people::count(tried.stores.len(), "store"),
        Lang::Zh => format!("{} 家门店", tried.stores.len()),
    });
    let (sales, has_skus) =
        (tried.kind == FileKind::Sales, tried.stores.values().any(|sum| sum.skus.is_some()));
    let mut head = vec![lang.pick("STORE", "门店"), lang.pick("NAME", "名称")];
    head.push(if sales { lang.pick(">TICKETS", ">小票") } else { lang.pick(">ROWS", ">行数") });
    head.extend(has_skus.then_some(lang.pick(">SKUS", ">货号数")));
    head.push(lang.pick(">PIECES", ">件数"));
    head.extend(sales.then_some(lang.pick(">YUAN", ">金额")));
    let mut table = Table::of(&head);
    for (code, sum) in tried.stores.iter().take(STORES) {
        let mut cells =
            vec![code.clone(), names.get(code).cloned().unwrap_or_default(), report::grouped(sum.rows)];
        cells.extend(has_skus.then(|| sum.skus.map(report::grouped).unwrap_or_default()));
        cells.push(report::grouped(sum.units));
        cells.extend(sales.then(|| sum.amount_fen.map(people::yuan).unwrap_or_default()));
        table.cells(cells);
    }
    lines.table(&table);
    if tried.stores.len() > STORES {
        let more = tried.stores.len() - STORES;
        lines.line(match lang {
            Lang::En => format!("  {DIM}… and {more} more; --json shows all{DIM:#}"),
            Lang::Zh => format!("  {DIM}…… 另有 {more} 家；--json 显示全部{DIM:#}"),
        });
    }
}

fn notices(lang: Lang, tried: &Tried, lines: &mut Lines) {
    if tried.notices.is_empty() {
        return;
    }
    lines.heading(&match lang {
        Lang::En if tried.notices.len() == 1 => "1 row repeats another".to_owned(),
        Lang::En => format!("{} rows repeat others", tried.notices.len()),
        Lang::Zh => format!("{} 行与别的行重复", tried.notices.len()),
    });
    for notice in tried.notices.iter().take(NOTICES) {
        if let Ok(notice) = serde_json::from_value::<RowNotice>(notice.clone()) {
            let row = report::row_no(lang, notice.row);
            lines.line(format!("  {row}  {}", sentences::notice(lang, &notice)));
        }
    }
    if tried.notices.len() > NOTICES {
        lines.line(format!("  {DIM}…{DIM:#}"));
    }
}
