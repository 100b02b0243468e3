//! `qudao get stock`: what each store has, what of it is promised, what can be sold.

use crate::{
    cli::{Format, listed::Listed, report::grouped, word},
    error::{Error, Exit},
    output::{Printer, Table, people},
    store::DataPath,
};
use clap::Args;
use qudao_model::{Clock as _, StockLevel, clock::SystemClock, stock::Bucket};
use qudao_storage::StockFilter;
use serde_json::Value;

/// Arguments of `get stock`.
#[derive(Debug, Args)]
#[command(after_help = "\
available = on hand − committed − safety, and may be below zero. A level is stale when its figure is older than the channel's \
`stale_after`, partial while there are only movements and no snapshot.")]
pub(crate) struct Stock {
    /// One of them by its id (stk_…); without it, a list by store and SKU
    id: Option<String>,
    /// Only this store
    #[arg(long, value_name = "CODE", conflicts_with = "id")]
    store: Option<String>,
    /// Only this SKU
    #[arg(long, value_name = "SKU", conflicts_with = "id")]
    sku: Option<String>,
    /// Only this bucket
    #[arg(
        long,
        value_name = "WORD",
        help = "Only this bucket: sellable, defective, damaged, display, quarantine, in_transit",
        value_parser = bucket,
        conflicts_with = "id"
    )]
    bucket: Option<Bucket>,
    /// Only this channel
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    channel: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = qudao_storage::LIMIT_DEFAULT, conflicts_with = "id")]
    limit: u32,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

fn bucket(word: &str) -> Result<Bucket, String> {
    word::of(word, &Bucket::ALL, Bucket::as_str)
}

impl Stock {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let storage = self.at.open().await?;
        let now = SystemClock.now();
        if let Some(id) = &self.id {
            let found = storage.level(id, now).await.map_err(Error::storage("read the stock"))?;
            let level = found.ok_or_else(|| {
                Error::refused(format!("there is no stock level `{id}`"))
                    .hint("to look for a SKU: qudao get stock --sku SKU")
            })?;
            return one(&level, self.format, printer);
        }
        let Stock { store, sku, bucket, channel, limit, format, .. } = self;
        let filter = StockFilter { store, sku, bucket, channel, limit, cursor: None };
        let page = storage.levels(&filter, now).await.map_err(Error::storage("read the stock"))?;
        let narrower = ", --store and --sku narrow it down";
        Listed { page: &page, nothing: "no stock found", narrower }.tell(printer, format.json, table)
    }
}

fn one(level: &StockLevel, format: Format, printer: &mut Printer) -> Result<Exit, Error> {
    if format.json {
        printer.json(level)?;
        return Ok(Exit::Done);
    }
    let text = serde_json::to_string(level).map_err(|error| Error::Printing(error.into()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| Error::Printing(error.into()))?;
    super::card::members(&value, &text, printer)?;
    Ok(Exit::Done)
}

fn table(levels: &[StockLevel]) -> Table {
    let mut table = Table::new([
        "STORE",
        "SKU",
        "BUCKET",
        ">ON HAND",
        ">COMMITTED",
        ">SAFETY",
        ">AVAILABLE",
        "AS OF",
        "FRESHNESS",
        "ANOMALIES",
        "CHANNEL",
    ]);
    for level in levels {
        let anomalies: Vec<&str> = level.anomalies.iter().map(|anomaly| anomaly.code.as_str()).collect();
        table.row([
            level.store_code.clone(),
            level.sku.clone(),
            level.bucket.as_str().to_owned(),
            grouped(level.on_hand),
            grouped(level.committed),
            grouped(level.safety),
            grouped(level.available),
            level.as_of.map(people::time).unwrap_or_default(),
            super::word(&level.freshness),
            anomalies.join(", "),
            level.channel.clone(),
        ]);
    }
    table
}
