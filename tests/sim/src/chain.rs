//! A chain of stores whose ERP writes files every evening. Each is handed in until the gateway has it, and what waits for a
//! person is confirmed.

use crate::seen::Seen;
use qudao_kit::erp::{self, SALES, STOCK};
use qudao_model::{EntityKind, Timestamp};
use qudao_pipeline::Gateway;
use qudao_sim::{
    dice::Dice,
    erp::{Erp, ErpFile},
};
use qudao_storage::{EntityFilter, ImportFilter, ImportRow, ImportState, Storage};
use std::collections::BTreeSet;

/// Channels of the files of an evening, in the order in which the ERP writes them.
const CHANNELS: [&str; 2] = [SALES, STOCK];
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
    written: ErpFile,
    /// Id of its import, once the gateway said that it has the file.
    import: Option<String>,
}

impl Chain {
    pub(crate) fn open(dice: &mut Dice, now: i64) -> Chain {
        let first_evening = now - DAYS_AGO * DAY_S;
        Chain { erp: Erp::sized(dice.throw(), first_evening, SKUS), files: Vec::new(), seen: Seen::default() }
    }

    /// One more evening.
    pub(crate) fn close_day(&mut self) {
        let files = self.erp.close_day().into_iter().zip(CHANNELS);
        self.files.extend(files.map(|(written, channel)| File { channel, written, import: None }));
    }

    /// Hands in what the gateway did not say that it has, oldest first, and has it imported.
    pub(crate) async fn hand_in(&mut self, gateway: &Gateway) {
        for file in self.files.iter_mut().filter(|file| file.import.is_none()) {
            let Ok(taken) = erp::take(gateway, file.channel, &file.written).await else {
                self.seen.add("files", "turned away");
                return;
            };
            file.import = Some(taken.import.id);
        }
        // A disk that fails is in the way of each; then they are tried again.
        drop(gateway.import_due().await);
        self.confirm(gateway).await;
        drop(gateway.import_due().await);
    }

    /// Has what waits for a person count.
    async fn confirm(&mut self, gateway: &Gateway) {
        let rows = imports(gateway.storage()).await.unwrap_or_default();
        for row in rows.iter().filter(|row| matches!(row.state, ImportState::Held | ImportState::Partial)) {
            let confirmed = gateway.confirm_import(&row.id, None).await.is_ok();
            self.seen.add("files", if confirmed { "confirmed" } else { "not confirmed" });
        }
    }

    /// Whether every file counts.
    pub(crate) async fn is_settled(&self, storage: &Storage) -> bool {
        let rows = imports(storage).await.unwrap_or_default();
        let applied = rows.iter().filter(|row| row.state == ImportState::Applied).count();
        applied == self.files.len()
    }

    /// Every file that was taken is on the list, once: gives the list. Holds at any time.
    pub(crate) async fn listed(&self, storage: &Storage) -> Result<Vec<ImportRow>, qudao_storage::Error> {
        let rows = imports(storage).await?;
        let mut names = BTreeSet::new();
        for row in &rows {
            assert!(names.insert((&row.channel, &row.name)), "the file {} is there twice", row.name);
        }
        for file in self.files.iter().filter(|file| file.import.is_some()) {
            let there = rows.iter().any(|row| Some(&row.id) == file.import.as_ref());
            assert!(there, "the file {} was taken and is not there", file.written.name);
        }
        Ok(rows)
    }

    /// Every file counts, every store has the figures of the last evening, and every slip is there.
    pub(crate) async fn hold(&self, storage: &Storage, now: Timestamp) {
        for row in self.listed(storage).await.expect("storage answers") {
            assert_eq!(row.state, ImportState::Applied, "{row:?}");
        }
        let truth = self.erp.truth();
        assert_eq!(erp::pieces(storage, now).await, truth.stock, "levels of stock");
        let known = qudao_kit::slips(storage, EntityFilter::new(EntityKind::Slip)).await.into_iter();
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
