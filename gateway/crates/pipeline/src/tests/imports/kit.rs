//! A connector whose files are lines of JSON: the first says the outcome, each other is a row, or with a sign in front a
//! reject (`-`), a notice (`=`) or an amendment (`~`). And a desk on which imports are run without a runner.

use super::super::kit::{Hands, open, start_of_day};
use crate::{
    Error, FileSettings,
    imports::{Imports, Reader, Reads},
    intake::{Intake, Rules},
};
use futures_util::{
    future::{BoxFuture, FutureExt as _},
    stream,
};
use qudao_config::Status;
use qudao_host::{AskFailure, FileCall, FileRead, Put, Stats};
use qudao_model::{
    CloudEvent, FileOutcome, StockLevel, Timestamp,
    fault::{Class, Retry},
    file::Emitted,
};
use qudao_storage::{ImportRow, ImportState, RejectFilter, StockFilter, Storage};
use qudao_vault::Vault;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::mpsc::Sender;

/// Bytes of a file that it takes.
pub(super) const BYTES_MAX: u64 = 1 << 20;
pub(super) const ERP: &str = "chengdu";

/// Reads lines.
#[derive(Default)]
pub(super) struct Lines {
    /// How often it was asked.
    pub(super) asked: AtomicU32,
}

impl Reads for Lines {
    fn label(&self) -> String {
        "lines@1.0.0".to_owned()
    }

    fn bytes_max(&self) -> u64 {
        BYTES_MAX
    }

    fn read_file(&self, _: Timestamp, file: FileCall, out: Sender<Put>) -> BoxFuture<'_, FileRead> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        async move {
            let told = read(&file, &out).await;
            FileRead { told, stats: Stats::default() }
        }
        .boxed()
    }
}

async fn read(file: &FileCall, out: &Sender<Put>) -> Result<FileOutcome, AskFailure> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < file.source.size() {
        bytes.extend(file.source.read(bytes.len() as u64, 4096).unwrap());
    }
    let text = String::from_utf8(bytes).map_err(|_| failure("bad_encoding"))?;
    let mut lines = text.lines();
    let head =
        lines.next().unwrap_or(r#"{"kind": "stock_snapshot", "verdict": "reject", "reason": "empty_file"}"#);
    let mut head: Value = serde_json::from_str(head).unwrap();
    assert!(head.get("panics").is_none(), "it panics");
    if head.get("hangs").is_some() {
        std::future::pending::<()>().await;
    }
    if let Some(code) = head.get("breaks").and_then(Value::as_str) {
        return Err(failure(code));
    }
    let (mut rows, mut taken_back, mut rejects, mut notices) = (0, 0, 0, 0);
    for line in lines {
        let (what, line) = match line.split_at(1) {
            ("-", rest) => (Emitted::Rejects, rest),
            ("=", rest) => (Emitted::Notices, rest),
            ("~", rest) => (Emitted::Amendments, rest),
            _ => (Emitted::Rows, line),
        };
        match what {
            Emitted::Rows => rows += 1,
            Emitted::Rejects => rejects += 1,
            Emitted::Notices => notices += 1,
            Emitted::Amendments => taken_back += u64::from(!line.contains("\"row\"")),
        }
        let line = file.settings["mapping"]["factor"].as_i64().map_or(line.to_owned(), |by| times(line, by));
        let put = Put { what, lines: format!("{line}\n").into_bytes() };
        if out.send(put).await.is_err() {
            return Err(failure("abandoned"));
        }
    }
    let physical = rows + rejects + notices;
    let head = head.as_object_mut().unwrap();
    head.entry("rows").or_insert(json!(rows - taken_back));
    head.entry("counts").or_insert(json!({
        "physical": physical, "rows": rows, "rejects": rejects, "notices": notices, "skipped": 0, "blank": 0,
    }));
    Ok(serde_json::from_value(Value::Object(head.clone())).unwrap())
}

/// A mapping that takes packs for pieces.
fn times(line: &str, by: i64) -> String {
    let mut row: Value = serde_json::from_str(line).unwrap();
    if let Some(quantity) = row["quantity"].as_i64() {
        row["quantity"] = json!(quantity * by);
    }
    row.to_string()
}

fn failure(code: &str) -> AskFailure {
    // As the host tells it: whatever may come from a moment is to be tried again.
    let retry = match code {
        "breaker_open" | "share_gone" => Retry::After(Duration::from_mins(1)),
        "abandoned" => Retry::Now,
        _ => Retry::After(Duration::ZERO),
    };
    AskFailure { class: Class::Defect, code: code.to_owned(), message: "it broke".to_owned(), retry }
}

/// Imports on a storage of their own.
pub(super) struct Desk {
    pub(super) imports: Imports,
    pub(super) storage: Storage,
    pub(super) lines: Arc<Lines>,
    pub(super) folder: TempDir,
    clock: Arc<Hands>,
    vault: Arc<Vault>,
    settings: Value,
}

impl Desk {
    pub(super) async fn new() -> Desk {
        Desk::with(json!({})).await
    }

    /// With settings beside the mapping.
    pub(super) async fn with(settings: Value) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(Vault::new(&[7; 32]).unwrap());
        let storage = open(&folder.path().join("data"), &vault).await;
        let clock = Arc::new(Hands::at(start_of_day()));
        let intake = Intake::new(storage.clone(), Arc::clone(&vault), Rules::default());
        let lines = Arc::<Lines>::default();
        let imports = Imports::new(intake, clock.clone(), folder.path().join("spool"));
        let desk = Desk { imports, storage, lines, folder, clock, vault, settings };
        desk.maps_by("1");
        desk
    }

    /// As after a restart of the process: nothing is known but what is stored.
    pub(super) fn restarted(self) -> Desk {
        let intake = Intake::new(self.storage.clone(), Arc::clone(&self.vault), Rules::default());
        let imports = Imports::new(intake, self.clock.clone(), self.folder.path().join("spool"));
        let desk = Desk { imports, ..self };
        desk.maps_by("1");
        desk
    }

    /// Another mapping is in force.
    pub(super) fn maps_by(&self, mapping: &str) {
        self.set(mapping, Status::Live);
    }

    pub(super) fn set(&self, mapping: &str, status: Status) {
        let reader = self.reader(mapping, status);
        self.imports.set(BTreeMap::from([(ERP.to_owned(), reader)]));
    }

    pub(super) fn reader(&self, mapping: &str, status: Status) -> Arc<Reader> {
        let connector: Arc<dyn Reads> = Arc::<Lines>::clone(&self.lines);
        let mut settings = self.settings.clone();
        settings["mapping"] = json!({"timezone": "+08:00"});
        if let Some(by) = mapping.strip_prefix("times ") {
            settings["mapping"]["factor"] = json!(by.parse::<i64>().unwrap());
        }
        let files = FileSettings { settings: Arc::new(settings), digest: mapping.to_owned() };
        Arc::new(Reader::new(ERP, connector, (status, "mapping", files), self.folder.path()))
    }

    pub(super) fn turn(&self, seconds: u64) {
        self.clock.turn(seconds);
    }

    /// Hands a file in and runs what can be run.
    pub(super) async fn import(&self, name: &str, text: &str) -> ImportRow {
        let id = self.take(name, text).await;
        self.run().await;
        self.row(&id).await
    }

    pub(super) async fn take(&self, name: &str, text: &str) -> String {
        let pieces: Vec<Result<Vec<u8>, Error>> =
            text.as_bytes().chunks(100).map(|piece| Ok(piece.to_vec())).collect();
        self.imports.take(ERP, name, stream::iter(pieces)).await.unwrap().import.id
    }

    /// Everything that can be run. What could not be run now is expected of a connector only.
    pub(super) async fn run(&self) {
        let troubles = self.imports.run_all().await;
        assert!(troubles.iter().all(|text| text.contains("it broke")), "{troubles:?}");
    }

    pub(super) async fn row(&self, id: &str) -> ImportRow {
        self.storage.import(id).await.unwrap().unwrap()
    }

    pub(super) async fn confirm(&self, id: &str) -> ImportRow {
        self.imports.confirm(id, None).await.unwrap();
        self.run().await;
        self.row(id).await
    }

    /// Imports and lets it through.
    pub(super) async fn confirmed(&self, name: &str, text: &str) -> ImportRow {
        let row = self.import(name, text).await;
        assert_eq!(row.state, ImportState::Held, "{row:?}");
        self.confirm(&row.id).await
    }

    /// `store sku on_hand`, of all levels.
    pub(super) async fn levels(&self) -> Vec<String> {
        let all = levels(&self.storage).await;
        all.iter().map(|level| format!("{} {} {}", level.store_code, level.sku, level.on_hand)).collect()
    }

    /// `store state reason`, of an import.
    pub(super) async fn stores(&self, id: &str) -> Vec<String> {
        let stores = self.storage.import_stores(id).await.unwrap();
        let shown = |reason: Option<String>| reason.map_or(String::new(), |reason| format!(" {reason}"));
        stores
            .into_iter()
            .map(|store| format!("{} {}{}", store.store_code, store.state.as_str(), shown(store.reason)))
            .collect()
    }

    /// `row kind`, of an import.
    pub(super) async fn rejects(&self, id: &str) -> Vec<String> {
        let filter = RejectFilter { import: Some(id.to_owned()), limit: 1000, ..RejectFilter::default() };
        let rejects = self.storage.rejects(&filter).await.unwrap().items;
        rejects.into_iter().map(|row| format!("{} {}", row.reject.row, row.reject.kind)).collect()
    }
}

pub(super) async fn levels(storage: &Storage) -> Vec<StockLevel> {
    let filter = StockFilter { limit: 1000, ..StockFilter::default() };
    storage.levels(&filter, start_of_day()).await.unwrap().items
}

pub(super) async fn events(storage: &Storage) -> Vec<CloudEvent> {
    storage.events(0, 1000, &[]).await.unwrap()
}

/// A snapshot: `store sku quantity` apart by `;`, as of a day of January 2013.
pub(super) fn snapshot(day: u32, rows: &str) -> String {
    snapshot_with(json!({}), day, rows)
}

/// The same, and members of the outcome.
pub(super) fn snapshot_with(mut head: Value, day: u32, rows: &str) -> String {
    let at = format!("2013-01-{day:02}T16:00:00Z");
    head["kind"] = json!("stock_snapshot");
    if head.get("verdict").is_none() {
        head["verdict"] = json!("accept");
    }
    let mut text = format!("{head}\n");
    for (place, row) in rows.split(';').map(str::trim).filter(|row| !row.is_empty()).enumerate() {
        let parts: Vec<&str> = row.split_whitespace().collect();
        let quantity: i64 = parts[2].parse().unwrap();
        let row = json!({
            "src_row": place + 2, "store_code": parts[0], "sku": parts[1], "quantity": quantity,
            "occurred_at": at, "occurred_precision": "day",
        });
        text.extend([row.to_string(), "\n".to_owned()]);
    }
    text
}

/// Rows of a store with so many SKUs, each of so many pieces.
pub(super) fn store(code: &str, skus: usize, pieces: i64) -> String {
    let row = |at: usize| format!("{code} S{at:03} {pieces}");
    (0..skus).map(row).collect::<Vec<_>>().join(";")
}

pub(super) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
