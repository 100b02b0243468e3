//! A chain of stores whose ERP writes files every evening. Each is handed in until the gateway has it, and what waits for a
//! person is confirmed.

use crate::seen::Seen;
use qudao_kit::{Builder, component, root};
use qudao_model::{Entity, EntityKind, Timestamp};
use qudao_pipeline::Gateway;
use qudao_sim::{
    dice::Dice,
    erp::{Erp, STORES},
};
use qudao_storage::{EntityFilter, ImportFilter, ImportRow, ImportState, StockFilter, Storage};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// Channels of the files of an evening, in the order in which the ERP writes them.
const CHANNELS: [&str; 2] = ["store-sales", "store-stock"];
/// The first evening, so long ago that no clock is wrong by as much.
const DAYS_AGO: i64 = 90;
const DAY_S: i64 = 86_400;
/// SKUs of a store.
const SKUS: u32 = 6;

/// The chain.
pub(crate) struct Chain {
    erp: Erp,
    files: Vec<File>,
    pub(crate) seen: Seen,
}

struct File {
    channel: &'static str,
    name: String,
    bytes: Vec<u8>,
    /// Id of its import, once the gateway said that it has the file.
    import: Option<String>,
}

impl Chain {
    pub(crate) fn open(dice: &mut Dice, now: i64) -> Chain {
        let first_evening = now - DAYS_AGO * DAY_S;
        Chain { erp: Erp::sized(dice.throw(), first_evening, SKUS), files: Vec::new(), seen: Seen::default() }
    }

    /// Adds its channels to a configuration.
    pub(crate) fn configure(builder: Builder) -> Builder {
        let connector = component("erp-file").display().to_string();
        let stores: Vec<String> =
            STORES.iter().map(|store| format!("{},{},西区,franchise\n", store.code, store.name)).collect();
        let stores = format!("code,name,region,ownership\n{}", stores.concat());
        let builder = builder.file("stores.csv", stores.as_bytes()).top("stores: stores.csv\n");
        CHANNELS.into_iter().zip(["evening-sales.yaml", "evening-stock.yaml"]).fold(
            builder,
            |builder, (channel, mapping)| {
                let text = std::fs::read(root().join("examples/mappings").join(mapping)).expect("a mapping");
                builder.file(mapping, &text).yaml(&format!(
                    "  {channel}:\n    connector: {connector:?}\n    settings: {{mapping: {mapping}}}\n"
                ))
            },
        )
    }

    /// One more evening.
    pub(crate) fn close_day(&mut self) {
        let files = self.erp.close_day().into_iter().zip(CHANNELS);
        let file = |(file, channel): (qudao_sim::erp::ErpFile, _)| File {
            channel,
            name: file.name,
            bytes: file.bytes,
            import: None,
        };
        self.files.extend(files.map(file));
    }

    /// Hands in what the gateway did not say that it has, oldest first, and has it imported.
    pub(crate) async fn hand_in(&mut self, gateway: &Gateway) {
        for file in self.files.iter_mut().filter(|file| file.import.is_none()) {
            let body = futures_util::stream::iter([Ok::<_, io::Error>(file.bytes.clone())]);
            let Ok(taken) = gateway.take_file(file.channel, &file.name, body).await else {
                self.seen.add("files", "turned away");
                return;
            };
            file.import = Some(taken.import.id);
        }
        // A disk that fails is in the way of both; then they are tried again.
        drop(gateway.import_due().await);
        if self.confirm(gateway).await > 0 {
            drop(gateway.import_due().await);
        }
    }

    /// Has what waits for a person count; how many files of that there were.
    async fn confirm(&mut self, gateway: &Gateway) -> usize {
        let rows = imports(gateway.storage()).await.unwrap_or_default();
        let mut confirmed = 0;
        for row in rows.iter().filter(|row| matches!(row.state, ImportState::Held | ImportState::Partial)) {
            match gateway.confirm_import(&row.id, None).await {
                Ok(_) => {
                    self.seen.add("files", "confirmed");
                    confirmed += 1;
                }
                Err(_) => self.seen.add("files", "not confirmed"),
            }
        }
        confirmed
    }

    /// Whether an import is under way: what stops the machine now cuts it off.
    pub(crate) async fn is_importing(storage: &Storage) -> bool {
        imports(storage).await.is_ok_and(|rows| rows.iter().any(|row| row.state.is_unfinished()))
    }

    /// Whether every file counts.
    pub(crate) async fn is_settled(&self, storage: &Storage) -> bool {
        let rows = imports(storage).await.unwrap_or_default();
        let applied = rows.iter().filter(|row| row.state == ImportState::Applied).count();
        applied == self.files.len()
    }

    /// Every file that was taken is on the list, once. Holds at any time.
    pub(crate) async fn listed(&self, storage: &Storage) -> Result<(), qudao_storage::Error> {
        let rows = imports(storage).await?;
        let mut names = BTreeSet::new();
        for row in &rows {
            assert!(names.insert((&row.channel, &row.name)), "the file {} is there twice", row.name);
        }
        for file in self.files.iter().filter(|file| file.import.is_some()) {
            let there = rows.iter().any(|row| Some(&row.id) == file.import.as_ref());
            assert!(there, "the file {} was taken and is not there", file.name);
        }
        Ok(())
    }

    /// Every file counts, every store has the figures of the last evening, and every slip is there.
    pub(crate) async fn hold(&self, storage: &Storage, now: Timestamp) {
        self.listed(storage).await.expect("storage answers");
        for row in imports(storage).await.expect("storage answers") {
            assert_eq!(row.state, ImportState::Applied, "{row:?}");
        }
        let truth = self.erp.truth();
        let filter = StockFilter { limit: 1000, ..StockFilter::default() };
        let page = storage.levels(&filter, now).await.expect("storage answers");
        let mut levels: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        for level in page.items {
            levels.entry(level.store_code).or_default().insert(level.sku, level.on_hand);
        }
        assert_eq!(levels, truth.stock, "levels of stock");
        let filter = EntityFilter { limit: 1000, ..EntityFilter::new(EntityKind::Slip) };
        let known = qudao_kit::entities(storage, filter).await.into_iter();
        let slip = |entity| if let Entity::Slip(slip) = entity { Some(*slip) } else { None };
        let known = known.filter_map(slip);
        let known: BTreeSet<_> = known.map(|slip| (slip.slip_no, slip.store_code, slip.total_fen)).collect();
        let printed = truth.slips.iter();
        let printed: BTreeSet<_> =
            printed.map(|slip| (slip.slip_no.clone(), slip.store_code.clone(), slip.total_fen())).collect();
        assert_eq!(known, printed, "slips");
    }
}

async fn imports(storage: &Storage) -> Result<Vec<ImportRow>, qudao_storage::Error> {
    let filter = ImportFilter { limit: 1000, ..ImportFilter::default() };
    Ok(storage.imports(&filter).await?.items)
}
