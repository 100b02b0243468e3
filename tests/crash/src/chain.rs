//! The ERP of a store chain: evenings, their files, and what each evening's figures are.

use crate::folder::Folder;
use crate::http::Api;
use anyhow::{Context, Result};
use data_encoding::HEXLOWER;
use qudao_sim::erp::{Erp, Slip};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;

/// Channels of the two files of an evening, in the order in which the ERP writes them.
pub(crate) const CHANNELS: [&str; 2] = ["store-sales", "store-stock"];
/// Figures of the stock file.
pub(crate) const STOCK: &str = "store-stock";
/// SKUs of a store: enough that an import takes long enough to be killed in.
const SKUS: u32 = 600;
/// The first evening lies so many days back; no run has more of them.
const DAYS_MAX: i64 = 2_000;
const DAY_S: i64 = 86_400;
/// Eight in the evening in Beijing.
const EVENING_S: i64 = 12 * 3600;

/// Pieces by store and SKU.
pub(crate) type Levels = BTreeMap<String, BTreeMap<String, i64>>;

/// One evening.
pub(crate) struct Evening {
    /// Microseconds since 1970, as the figures tell it.
    pub(crate) as_of: i64,
    pub(crate) levels: Levels,
    pub(crate) files: Vec<File>,
}

/// A file of an evening.
pub(crate) struct File {
    pub(crate) channel: &'static str,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sha256: String,
    /// Whether the gateway said that it has it.
    pub(crate) acknowledged: bool,
    /// Whether it was put into the watched folder.
    dropped: bool,
}

/// The ERP with its past.
pub(crate) struct Chain {
    erp: Erp,
    first_evening: i64,
    pub(crate) evenings: Vec<Evening>,
}

impl Chain {
    pub(crate) fn open(seed: u64, now: i64) -> Chain {
        let first_evening = (now / DAY_S - DAYS_MAX) * DAY_S + EVENING_S;
        Chain { erp: Erp::sized(seed, first_evening, SKUS), first_evening, evenings: Vec::new() }
    }

    /// One more evening. Its files are handed in, or lie in the folder if `dropped`.
    pub(crate) fn close_day(&mut self, folder: &Folder, dropped: bool) -> Result<()> {
        let day = i64::try_from(self.evenings.len()).unwrap_or(DAYS_MAX);
        let files = self.erp.close_day().into_iter().zip(CHANNELS).map(|(file, channel)| File {
            channel,
            sha256: HEXLOWER.encode(&Sha256::digest(&file.bytes)),
            name: file.name,
            bytes: file.bytes,
            acknowledged: false,
            dropped,
        });
        let files: Vec<File> = files.collect();
        for file in files.iter().filter(|file| file.dropped) {
            let draft = folder.path.join(format!("{}.part", file.name));
            fs::write(&draft, &file.bytes).context("writing a file of the ERP")?;
            fs::rename(&draft, folder.inbox().join(&file.name)).context("writing a file of the ERP")?;
        }
        let as_of = (self.first_evening + day * DAY_S) * 1_000_000;
        self.evenings.push(Evening { as_of, levels: self.erp.truth().stock.clone(), files });
        Ok(())
    }

    /// Hands in what the gateway did not yet say that it has. An error is no answer: it is handed in again another time.
    pub(crate) fn hand_in(&mut self, api: &Api) -> Result<()> {
        let files = self.evenings.iter_mut().flat_map(|evening| &mut evening.files);
        for file in files.filter(|file| !file.acknowledged && !file.dropped) {
            api.post(&format!("/v1/files/{}/{}", file.channel, file.name), &file.bytes)?;
            file.acknowledged = true;
        }
        Ok(())
    }

    /// Whether every file counts by now; what waits for a person is confirmed on the way.
    pub(crate) fn clear(&self, api: &Api) -> Result<bool> {
        let mut counting = 0;
        for import in imports(api)? {
            let text = |name: &str| import.get(name).and_then(Value::as_str).unwrap_or_default();
            match text("state") {
                "applied" => counting += 1,
                "held" | "partial" => {
                    api.post(&format!("/v1/imports/{}/confirm", text("id")), b"{}")?;
                }
                _ => {}
            }
        }
        Ok(counting == self.evenings.iter().map(|evening| evening.files.len()).sum::<usize>())
    }

    /// Every slip that was printed.
    pub(crate) fn slips(&self) -> &[Slip] {
        &self.erp.truth().slips
    }
}

/// All imports, page by page.
fn imports(api: &Api) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("/v1/imports?limit=200{cursor}"))?;
        all.extend(page.get("items").and_then(Value::as_array).cloned().unwrap_or_default());
        match page.get("next").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}
