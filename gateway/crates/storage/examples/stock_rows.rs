//! How many rows of a stock file a second become levels and events: `cargo run --release -p qudao-storage --example
//! stock_rows -- [ROWS] [STORES] [FOLDER]`. A first snapshot, the same figures a day later, and a third of which every
//! tenth differs; in parts of whole stores, as imports come.

#![allow(clippy::print_stdout, reason = "prints its table")]

use qudao_model::{Entity, Timestamp, event::EventDraft, file::Precision, stock::Bucket};
use qudao_storage::{
    FilePart, Fold, Known, Location, Options, StockFilter, StockPart, StockPolicy, Storage, StoreSnapshot,
    StoreSums,
};
use std::{error::Error, path::PathBuf, sync::Arc, time::Instant};

/// Rows of a part at most.
const PART: usize = 20_000;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let stores: usize = arguments.next().map_or(Ok(500), |text| text.parse())?;
    let temporary = tempfile::TempDir::new()?;
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let storage = Storage::open(Options::new(Location::Sqlite(folder), Arc::new(Nothing))).await?;
    let skus = rows / stores.max(1);
    for (day, changes) in [(0_usize, "all new"), (1, "nothing differs"), (2, "a tenth differs")] {
        let begun = Instant::now();
        let (mut changed, mut slowest) = (0, 0);
        for (part, codes) in (0..stores).collect::<Vec<_>>().chunks((PART / skus.max(1)).max(1)).enumerate() {
            let part = a_part(day, part, codes, skus);
            let asked = Instant::now();
            changed += storage.apply_stock(part).await?.changed;
            slowest = slowest.max(asked.elapsed().as_millis());
        }
        let took = begun.elapsed();
        let speed = (stores * skus) as u128 * 1_000_000 / took.as_micros().max(1);
        println!(
            "{changes:16} {speed:>8} rows/s, {changed:>8} changed, {} ms, slowest part {slowest} ms",
            took.as_millis()
        );
    }
    let (begun, mut after, mut count) = (Instant::now(), 0, 0_u128);
    loop {
        let events = storage.events(after, 1000, &[]).await?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        count += events.len() as u128;
    }
    println!("feed             {:>8} events/s", count * 1_000_000 / begun.elapsed().as_micros().max(1));
    let page =
        storage.levels(&StockFilter { limit: 50, ..StockFilter::default() }, Timestamp::UNIX_EPOCH).await?;
    let begun = Instant::now();
    for level in &page.items {
        storage.level(&level.id, Timestamp::UNIX_EPOCH).await?;
    }
    let each = begun.elapsed().as_micros() / page.items.len().max(1) as u128;
    println!("one by its id    {each:>8} µs");
    println!("database         {:>8} MB", storage.health().await?.database_bytes / 1_000_000);
    storage.close().await;
    Ok(())
}

fn a_part(day: usize, part: usize, codes: &[usize], skus: usize) -> StockPart {
    let as_of = Timestamp::from_second(1_766_000_000 + 86_400 * i64::try_from(day).unwrap_or_default());
    let as_of = as_of.unwrap_or_default();
    let store = |code: &usize| {
        let qty = |sku: usize| {
            i64::try_from((sku * 7 + code) % 40 + usize::from(day > 1 && sku.is_multiple_of(10)))
        };
        let rows: Vec<_> = (0..skus)
            .map(|sku| (format!("69{:011}", sku * 13), Bucket::Sellable, qty(sku).unwrap_or_default()))
            .collect();
        let now = StoreSums { skus: rows.len() as u64, units: rows.iter().map(|row| row.2).sum() };
        let store_code = format!("{code:04}");
        StoreSnapshot {
            store_code,
            as_of,
            precision: Precision::Second,
            revision: 0,
            seq: None,
            absent_zero: false,
            rows,
            before: None,
            now,
        }
    };
    StockPart {
        import: "imp_1".to_owned(),
        channel: "erp".to_owned(),
        delivery: FilePart {
            name: "stock.csv".to_owned(),
            part: u32::try_from(part).unwrap_or_default(),
            sha256: "00".repeat(32),
            size: 75_000_000,
            dedupe_key: format!("FILE:{day}:{part}"),
            connector: "files@1.0.0".to_owned(),
            micros: 0,
            noted: Vec::new(),
        },
        received_at: as_of,
        stores: codes.iter().map(store).collect(),
        movements: Vec::new(),
        policy: StockPolicy::default(),
    }
}

/// No order, no payment.
struct Nothing;

impl Fold for Nothing {
    fn fold(&self, _: &str, _: &[Known]) -> Vec<Entity> {
        Vec::new()
    }

    fn events(&self, _: Option<&Entity>, _: &Entity) -> Vec<EventDraft> {
        Vec::new()
    }
}
