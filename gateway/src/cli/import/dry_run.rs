//! `qudao import FILE --dry-run`: what would change, against what counts now. Reads the database and writes nothing.

use crate::{
    app,
    cli::{
        onboard::{Reading, exit_of, name, verdict},
        report::{self, Lines},
    },
    error::{Error, Exit, chain},
    output::{
        Printer, Table, people,
        style::{BOLD, DIM},
    },
    store::DataPath,
};
use qudao_config::{Config, ProcessEnvironment};
use qudao_host::NoExpectations;
use qudao_model::{Clock as _, FileKind, FileVerdict, Timestamp, clock::SystemClock, file::StockRow};
use qudao_pipeline::{Channels, Figures, Trial, Tried, sentences::Lang, try_file_with};
use qudao_storage::{LIMIT_MAX, StockFilter, Storage, StoreSummary};
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Rows that are compared SKU by SKU; of larger files the sums say enough.
const COMPARED: usize = 50_000;

/// What would change in a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct Change {
    /// SKUs that have no figure yet.
    added: u64,
    /// SKUs with another figure.
    changed: u64,
    /// SKUs with the same figure.
    unchanged: u64,
    /// SKUs that have a figure and are not in the file.
    absent: u64,
    units_before: i64,
    units_now: i64,
}

pub(super) async fn run(
    printer: &mut Printer,
    reading: Reading,
    (file, channel): (&Path, &str),
    at: &DataPath,
) -> Result<Exit, Error> {
    let lang = reading.lang();
    let spinner = printer.spinner(lang.pick("loading the connector", "正在加载连接器"));
    let mut config = qudao_config::load(&at.config, &ProcessEnvironment).map_err(Error::Config)?;
    config.channels.retain(|one| one.name == channel);
    let now = SystemClock.now();
    let storage = if at.folder()?.is_dir() { at.open().await.ok() } else { None };
    let past = counting(storage.as_ref(), channel).await?;
    spinner.say(lang.pick("reading the file", "正在读取文件"));
    let tried = read(&config, (file, channel), &past, now).await?;
    let changes = changes(storage.as_ref(), &tried, now).await?;
    drop(spinner);
    if reading.json() {
        let mut object = json!(tried);
        if let Some(members) = object.as_object_mut() {
            members.remove("rows");
            members.insert("changes".to_owned(), json!(changes));
        }
        printer.json(&object)?;
    } else {
        let names = config.stores.names();
        printer.line(page(lang, file, &tried, (&changes, &names)).text())?;
        printer.note(lang.pick("\nNothing was changed.", "\n没有做任何改动。"))?;
    }
    Ok(exit_of(&tried))
}

/// What counts now, as the guards want it.
async fn counting(storage: Option<&Storage>, channel: &str) -> Result<BTreeMap<String, Figures>, Error> {
    let Some(storage) = storage else { return Ok(BTreeMap::new()) };
    let summary = storage.store_summary(channel, None).await.map_err(Error::storage("read the stock"))?;
    let figures = |summary: StoreSummary| Figures {
        skus: summary.skus,
        units: summary.units,
        all_zero: summary.units == 0,
        as_of: Some(summary.as_of),
        digest: summary.digest.as_deref().and_then(|digest| u128::from_str_radix(digest, 16).ok()),
    };
    Ok(summary.into_iter().map(|(store, summary)| (store, figures(summary))).collect())
}

async fn read(
    config: &Config,
    (file, channel): (&Path, &str),
    past: &BTreeMap<String, Figures>,
    at: Timestamp,
) -> Result<Tried, Error> {
    let host = app::host_beside(Some(&config.gateway.data))?;
    let channels = Channels::load(config, &host, Arc::new(NoExpectations)).await.map_err(Error::Config)?;
    let (Some(connector), Some(settings)) = (channels.connector(channel), channels.files(channel)) else {
        return Err(Error::usage(format!(
            "`{channel}` is no channel of {} that reads files",
            config.file.display()
        ))
        .hint("qudao check lists its channels"));
    };
    let trial = Trial { file, previous: None, counts: Some(past), at, rows_max: COMPARED.saturating_add(1) };
    let tried = try_file_with(connector, settings.settings.as_ref().clone(), trial).await;
    tried.map_err(|error| Error::refused(chain(&error)))
}

/// SKU by SKU, of snapshots that are small enough.
async fn changes(
    storage: Option<&Storage>,
    tried: &Tried,
    now: Timestamp,
) -> Result<BTreeMap<String, Change>, Error> {
    if tried.kind != FileKind::StockSnapshot
        || tried.rows.len() > COMPARED
        || tried.verdict == FileVerdict::Reject
    {
        return Ok(BTreeMap::new());
    }
    let mut by_store: BTreeMap<String, BTreeMap<(String, String), i64>> = BTreeMap::new();
    for row in &tried.rows {
        let Ok(row) = serde_json::from_value::<StockRow>(row.clone()) else { continue };
        let sku = row.sku.or(row.barcode).unwrap_or_default();
        let bucket = row.bucket.unwrap_or_else(|| "sellable".to_owned());
        let figure = by_store.entry(row.store_code).or_default().entry((sku, bucket)).or_default();
        *figure = figure.saturating_add(row.quantity);
    }
    let mut changes = BTreeMap::new();
    for (store, rows) in by_store {
        let before = match storage {
            Some(storage) => levels(storage, &store, now).await?,
            None => BTreeMap::new(),
        };
        changes.insert(store, change(&before, &rows));
    }
    Ok(changes)
}

fn change(before: &BTreeMap<(String, String), i64>, rows: &BTreeMap<(String, String), i64>) -> Change {
    let mut change = Change {
        absent: before.keys().filter(|key| !rows.contains_key(*key)).count() as u64,
        units_before: before.values().sum(),
        units_now: rows.values().sum(),
        ..Change::default()
    };
    for (key, quantity) in rows {
        let count = match before.get(key) {
            None => &mut change.added,
            Some(old) if old == quantity => &mut change.unchanged,
            Some(_) => &mut change.changed,
        };
        *count += 1;
    }
    change
}

/// Figures of a store by SKU and bucket.
async fn levels(
    storage: &Storage,
    store: &str,
    now: Timestamp,
) -> Result<BTreeMap<(String, String), i64>, Error> {
    let mut filter =
        StockFilter { store: Some(store.to_owned()), limit: LIMIT_MAX, ..StockFilter::default() };
    let mut levels = BTreeMap::new();
    loop {
        let page = storage.levels(&filter, now).await.map_err(Error::storage("read the stock"))?;
        for level in page.items {
            levels.insert((level.sku, level.bucket.as_str().to_owned()), level.on_hand);
        }
        match page.next {
            Some(cursor) => filter.cursor = Some(cursor),
            None => return Ok(levels),
        }
    }
}

fn page(
    lang: Lang,
    file: &Path,
    tried: &Tried,
    (changes, names): (&BTreeMap<String, Change>, &BTreeMap<String, String>),
) -> Lines {
    let mut lines = Lines::default();
    lines.line(format!("{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}", people::text(&name(file)), tried.kind.as_str()));
    if !changes.is_empty() {
        lines.heading(lang.pick("What would change", "会有什么变化"));
        let mut table = match lang {
            Lang::En => Table::new([
                "STORE",
                "NAME",
                ">ADDED",
                ">CHANGED",
                ">UNCHANGED",
                ">NOT LISTED",
                ">PIECES",
                "",
            ]),
            Lang::Zh => Table::new(["门店", "名称", ">新增", ">变化", ">不变", ">未列出", ">件数", ""]),
        };
        for (store, change) in changes {
            table.row([
                store.clone(),
                names.get(store).cloned().unwrap_or_default(),
                report::grouped(change.added),
                report::grouped(change.changed),
                report::grouped(change.unchanged),
                report::grouped(change.absent),
                report::grouped(change.units_before),
                format!("→ {}", report::grouped(change.units_now)),
            ]);
        }
        lines.table(&table);
    }
    report::rejects(lang, &tried.rejects, &mut lines);
    report::holds(lang, tried.holds.as_deref().unwrap_or_default(), names, &mut lines);
    if let Some(absent) = tried.absent.as_deref().filter(|absent| !absent.is_empty()) {
        lines.line("");
        lines.line(report::absent(lang, absent, names));
    }
    lines.line("");
    lines.line(report::counts(lang, &tried.physical));
    verdict(lang, tried, &mut lines);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skus_are_added_changed_unchanged_or_not_listed() {
        let figures = |figures: &[(&str, i64)]| -> BTreeMap<(String, String), i64> {
            let key = |sku: &str| (sku.to_owned(), "sellable".to_owned());
            figures.iter().map(|(sku, pieces)| (key(sku), *pieces)).collect()
        };
        let before = figures(&[("A", 3), ("B", 4), ("C", 5)]);
        let now = figures(&[("A", 3), ("B", 1), ("D", 9)]);
        let expect =
            Change { added: 1, changed: 1, unchanged: 1, absent: 1, units_before: 12, units_now: 13 };
        assert_eq!(change(&before, &now), expect);
        assert_eq!(change(&figures(&[]), &now), Change { added: 3, units_now: 13, ..Change::default() });
    }
}
