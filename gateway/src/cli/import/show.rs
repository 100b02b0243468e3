//! `qudao import show`: one import for a person.

use super::{decide, exit_of, outcome::Outcome};
use crate::{
    cli::{
        lang,
        onboard::Reading,
        report::{self, Lines},
    },
    error::{Error, Exit},
    output::{
        Printer, Table, people,
        style::{self, CARE, DIM},
    },
    store::DataPath,
};
use clap::Args;
use qudao_pipeline::sentences::{self, Lang};
use qudao_storage::{ImportRow, ImportState, StoreOutcome, StoreState};
use serde_json::json;

/// Arguments of `import show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Its id, imp_…
    id: String,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    reading: Reading,
}

impl Show {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let found = storage.import(&self.id).await.map_err(Error::storage("read the imports"))?;
        let row = found.ok_or_else(|| unknown(&self.id))?;
        let stores = storage.import_stores(&self.id).await.map_err(Error::storage("read the imports"))?;
        tell(printer, self.reading, &row, &stores)?;
        Ok(Exit::Done)
    }
}

/// No import has that id.
pub(super) fn unknown(id: &str) -> Error {
    Error::refused(match lang::spoken() {
        Lang::En => format!("there is no import `{id}`"),
        Lang::Zh => format!("没有编号为“{id}”的导入"),
    })
    .hint(lang::said("qudao import list shows their ids", "qudao import list 列出所有编号"))
}

/// An import as JSON or for a person; the exit code says how it stands.
pub(in crate::cli) fn tell(
    printer: &mut Printer,
    reading: Reading,
    row: &ImportRow,
    stores: &[StoreState],
) -> Result<Exit, Error> {
    let lang = reading.lang();
    if reading.json() {
        let mut value = json!(row);
        if let Some(members) = value.as_object_mut() {
            members.insert("stores".to_owned(), json!(stores));
        }
        printer.json(&value)?;
        return Ok(exit_of(row));
    }
    printer.line(card(lang, row, stores).text())?;
    next(printer, lang, row)?;
    Ok(exit_of(row))
}

fn card(lang: Lang, row: &ImportRow, stores: &[StoreState]) -> Lines {
    let mut lines = Lines::default();
    let mut member = |en: &str, zh: &str, text: &str| {
        let label = lang.pick(en, zh);
        let pad = " ".repeat(12_usize.saturating_sub(unicode_width::UnicodeWidthStr::width(label)));
        if !text.is_empty() {
            lines.line(format!("{DIM}{label}{DIM:#}{pad}{text}"));
        }
    };
    member("import", "导入", &row.id);
    member("file", "文件", &format!("{}, {}", people::text(&row.name), people::bytes(row.size)));
    member("channel", "渠道", &row.channel);
    member("received", "收到时间", &people::time(row.received_at));
    member("kind", "内容", row.kind.map_or("", |kind| kind.as_str()));
    member("state", "状态", &style::word(row.state.as_str()));
    if let Some(reason) = &row.reason {
        let why = sentences::reason(lang, reason);
        member(
            "why",
            "原因",
            &if why == reason { why.to_owned() } else { format!("{why} {DIM}({reason}){DIM:#}") },
        );
    }
    for line in explained(lang, row, stores) {
        member("", "", &line);
    }
    if let Some(counts) = &row.counts {
        lines.line("");
        lines.line(report::counts(lang, counts));
        Outcome::of(row).tell(lang, &mut lines);
        if row.reason.as_deref() == Some("control_total_mismatch") && counts.rejects > 0 {
            lines.line(report::not_summed(lang, counts.rejects));
        }
    }
    let held = stores.iter().filter(|store| store.state == StoreOutcome::Held).count();
    if !stores.is_empty() {
        lines.heading(&match (lang, held) {
            (Lang::En, 0) => people::count(stores.len(), "store"),
            (Lang::En, held) => format!("{}, {held} of them waiting", people::count(stores.len(), "store")),
            (Lang::Zh, 0) => format!("{} 家门店", stores.len()),
            (Lang::Zh, held) => format!("{} 家门店，其中 {held} 家待确认", stores.len()),
        });
        lines.table(&table(lang, stores));
    }
    if row.state == ImportState::Discarded
        || stores.iter().any(|store| store.state == StoreOutcome::Discarded)
    {
        lines.line("");
        lines.line(report::mend(decide::way_back(lang)));
    }
    let mut reasons: Vec<&str> =
        stores.iter().filter_map(|store| store.reason.as_deref()).chain(row.reason.as_deref()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for reason in reasons.into_iter().filter(|reason| !sentences::reason_mend(lang, reason).is_empty()) {
        let (why, how) = (sentences::reason(lang, reason), sentences::reason_mend(lang, reason));
        lines.line(format!("  {CARE}{reason}{CARE:#}  {why}"));
        lines.line(format!("  {}", report::mend(how)));
    }
    lines
}

/// The sentence that the gateway or the connector wrote, which is English; what can be said in Chinese is, before it.
fn explained(lang: Lang, row: &ImportRow, stores: &[StoreState]) -> Vec<String> {
    let explain = row.explain.as_deref().map(people::text);
    if lang == Lang::En {
        return explain.into_iter().collect();
    }
    let held = stores.iter().filter(|store| store.state == StoreOutcome::Held).count();
    let waits = (held > 0).then(|| format!("{} 家门店中有 {held} 家待确认", stores.len()));
    // What only counts the stores is said already.
    let only_counts = |text: &String| held > 0 && text.ends_with(" for a person") && !text.contains(';');
    let explain = explain.filter(|text| !only_counts(text)).map(|text| report::in_english(&text));
    waits.into_iter().chain(explain).collect()
}

fn table(lang: Lang, stores: &[StoreState]) -> Table {
    let mut table = match lang {
        Lang::En => Table::new(["STORE", "STATE", "WHY", ">SKUS", "", ">PIECES", ""]),
        Lang::Zh => Table::new(["门店", "状态", "原因", ">货号数", "", ">件数", ""]),
    };
    for store in stores {
        let before = |units: bool| {
            let figure = |sums: &qudao_storage::StoreSums| {
                if units { report::grouped(sums.units) } else { report::grouped(sums.skus) }
            };
            (store.before.as_ref().map(figure).unwrap_or_default(), format!("→ {}", figure(&store.now)))
        };
        let ((skus, skus_now), (units, units_now)) = (before(false), before(true));
        table.row([
            store.store_code.clone(),
            store.state.as_str().to_owned(),
            store.reason.clone().unwrap_or_default(),
            skus,
            skus_now,
            units,
            units_now,
        ]);
    }
    table
}

fn next(printer: &mut Printer, lang: Lang, row: &ImportRow) -> Result<(), Error> {
    let id = &row.id;
    if matches!(row.state, ImportState::Held | ImportState::Partial) {
        let (right, wrong) = (lang.pick("If it is right", "属实"), lang.pick("if not", "有误"));
        printer
            .next(format_args!("\n{right}: qudao import confirm {id}\n{wrong}: qudao import discard {id}"))?;
    }
    if row.counts.is_some_and(|counts| counts.rejects > 0) || Outcome::of(row).has_rejects() {
        let every = lang.pick("Every reject", "全部被拒的行");
        printer.next(format_args!("\n{every}: qudao quarantine list --import {id}"))?;
    }
    Ok(())
}
