//! Settings that change between imports: each file is read by those by which it was judged, and a replay reads it so again.

use super::{
    super::kit::open,
    kit::{BYTES_MAX, Desk, ERP, Lines, events, levels},
    moves::moves,
    slips::{sales, ticket},
};
use crate::{
    FileSettings,
    ask::Asks,
    imports::{Reader, Reads},
    intake::{Intake, Rules},
    replay::{Report, replay_through},
};
use futures_util::future::BoxFuture;
use qudao_config::Status;
use qudao_cut::cut;
use qudao_host::{FileCall, FileRead, Put, Source};
use qudao_model::{CloudEvent, EntityKind, StockLevel, Timestamp};
use qudao_storage::{EntityFilter, ImportRow, ImportState, Storage};
use qudao_vault::Vault;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::mpsc::Sender;

/// Takes quantities from the member that the mapping names, and refuses rows of stores that the directory does not have.
struct Columns {
    lines: Lines,
    /// What is added to each quantity; none where there is nothing wrong.
    astray: i64,
}

struct Text(Vec<u8>);

impl Source for Text {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, max: u32) -> std::io::Result<Vec<u8>> {
        Ok(self.0.iter().copied().skip(usize::try_from(offset).unwrap()).take(max as usize).collect())
    }
}

impl Reads for Columns {
    fn label(&self) -> String {
        self.lines.label()
    }

    fn bytes_max(&self) -> u64 {
        BYTES_MAX
    }

    fn read_file(&self, now: Timestamp, file: FileCall, out: Sender<Put>) -> BoxFuture<'_, FileRead> {
        let bytes = file.source.read(0, u32::MAX).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.lines();
        let mut mapped = lines.next().unwrap().to_owned() + "\n";
        for line in lines {
            mapped += &(self.mapped(serde_json::from_str(line).unwrap(), &file.settings) + "\n");
        }
        let file = FileCall { source: Arc::new(Text(mapped.into_bytes())), ..file };
        self.lines.read_file(now, file, out)
    }
}

impl Columns {
    fn mapped(&self, mut row: Value, settings: &Value) -> String {
        let src_row = row["src_row"].clone();
        let refused = |kind: &str| format!("-{}", json!({"row": src_row, "column": null, "kind": kind}));
        let known = settings["stores"].as_object().unwrap();
        if !known.contains_key(row["store_code"].as_str().unwrap()) {
            return refused("unknown_store");
        }
        if row.get("ticket_no").is_some() {
            return row.to_string();
        }
        let column = settings["mapping"]["column"].as_str().unwrap();
        let Some(quantity) = row.get(column).and_then(Value::as_i64) else { return refused("bad_quantity") };
        row["quantity"] = json!(quantity + self.astray);
        row.to_string()
    }
}

fn reader(column: &str, stores: &[&str]) -> Arc<Reader> {
    reader_of(Columns { lines: Lines::default(), astray: 0 }, column, stores)
}

fn reader_of(connector: Columns, column: &str, stores: &[&str]) -> Arc<Reader> {
    let names: BTreeMap<&str, &str> = stores.iter().map(|code| (*code, "Chengdu")).collect();
    // What the figures mean changes with the mapping as well, and where days begin.
    let (reports, timezone) =
        if column == "quantity" { ("on_hand", "+08:00") } else { ("available", "+00:00") };
    let settings = json!({
        "watch": column, "reports": reports, "stores": names,
        "mapping": {"column": column, "timezone": timezone},
    });
    let files = FileSettings { settings: Arc::new(settings), digest: column.to_owned() };
    let told = (Status::Live, "mapping", files);
    Arc::new(Reader::new(ERP, Arc::new(connector), told, std::path::Path::new("")))
}

fn by(desk: &Desk, column: &str, stores: &[&str]) {
    desk.imports.set(BTreeMap::from([(ERP.to_owned(), reader(column, stores))]));
}

async fn desk(column: &str, stores: &[&str]) -> Desk {
    let desk = Desk::new().await;
    by(&desk, column, stores);
    desk
}

/// A snapshot of a day, `store sku quantity free` apart by `;`.
fn figures(day: u32, rows: &str) -> String {
    let mut text = json!({"kind": "stock_snapshot", "verdict": "accept"}).to_string() + "\n";
    for (place, row) in rows.split(';').enumerate() {
        let parts: Vec<&str> = row.split_whitespace().collect();
        let number = |at: usize| parts[at].parse::<i64>().unwrap();
        let row = json!({
            "src_row": place + 2, "store_code": parts[0], "sku": parts[1], "quantity": number(2),
            "free": number(3), "occurred_at": format!("2013-01-{day:02}T16:00:00Z"),
            "occurred_precision": "day",
        });
        text.extend([row.to_string(), "\n".to_owned()]);
    }
    text
}

type State = (Vec<StockLevel>, Vec<CloudEvent>, Vec<String>, Vec<(String, Vec<String>)>);

/// Levels, events, slips and imports with their stores.
async fn state(storage: &Storage) -> State {
    let slips = storage.entities(&EntityFilter::new(EntityKind::Slip)).await.unwrap().items;
    let slips = slips.iter().map(|slip| serde_json::to_string(slip).unwrap()).collect();
    let mut imports = Vec::new();
    for row in storage.imports(&qudao_storage::ImportFilter::default()).await.unwrap().items {
        let stores = storage.import_stores(&row.id).await.unwrap();
        imports.push((
            serde_json::to_string(&row).unwrap(),
            stores.iter().map(|store| serde_json::to_string(store).unwrap()).collect(),
        ));
    }
    (levels(storage).await, events(storage).await, slips, imports)
}

async fn replayed(desk: &Desk, reader: Arc<Reader>) -> (Storage, Report) {
    let vault = Arc::new(Vault::new(&[7; 32]).unwrap());
    let folder = tempfile::tempdir_in(desk.folder.path()).unwrap().keep();
    let storage = open(&folder, &vault).await;
    let into = Intake::new(storage.clone(), vault, Rules::default());
    let find = |_: &str| -> Option<&dyn Asks> { None };
    let readers = |name: &str| -> Option<Arc<Reader>> { (name == ERP).then(|| Arc::clone(&reader)) };
    let report = replay_through(&desk.storage, &into, (&find, &readers), &mut |_| {}).await.unwrap();
    (storage, report)
}

/// A replay under these settings gives the same, and says so truly.
async fn same_again(desk: &Desk, reader: Arc<Reader>) {
    let (storage, report) = replayed(desk, Arc::clone(&reader)).await;
    assert_eq!(report.differences, []);
    assert_eq!(report.deliveries, report.same);
    assert_eq!(state(&storage).await, state(&desk.storage).await);
    let ids = |storage: Storage| async move {
        let all = storage.deliveries(&qudao_storage::DeliveryFilter::default()).await.unwrap().items;
        let mut requests = Vec::new();
        for row in all {
            requests.push((row.id.clone(), storage.delivery_request(&row.id).await.unwrap()));
        }
        requests
    };
    assert_eq!(ids(storage.clone()).await, ids(desk.storage.clone()).await);
}

fn on_hand(state: &State) -> Vec<i64> {
    state.0.iter().map(|level| level.on_hand).collect()
}

#[tokio::test]
async fn a_mapping_that_changed_between_two_imports() {
    let desk = desk("quantity", &["a", "0012"]).await;
    let first = desk.import("1.csv", &figures(1, "a X 10 1; a Y 20 2")).await;
    desk.confirm(&first.id).await;
    desk.import("1.sales", &sales(&[ticket(1, 100)])).await;
    desk.import("1.moves", &moves(5, "D1 1 X -2")).await;
    by(&desk, "free", &["a", "0012"]);
    desk.import("2.csv", &figures(2, "a X 11 3; a Y 21 4")).await;
    desk.import("2.sales", &sales(&[ticket(1, 100), ticket(2, 100)])).await;
    let now = state(&desk.storage).await;
    // A day that begins elsewhere makes another slip of the first ticket.
    assert_eq!((on_hand(&now), now.2.len(), now.1.len()), (vec![1, 4], 3, 8));
    // Neither column is there under the mapping of today.
    same_again(&desk, reader("left", &["a", "0012"])).await;
}

#[tokio::test]
async fn a_store_that_was_taken_out_of_the_directory() {
    let desk = desk("quantity", &["a", "b", "0012"]).await;
    let first = desk.import("1.csv", &figures(1, "a X 10 1; b X 20 2")).await;
    desk.confirm(&first.id).await;
    desk.import("1.sales", &sales(&[ticket(1, 100)])).await;
    by(&desk, "quantity", &["b"]);
    desk.import("2.csv", &figures(2, "a X 11 1; b X 21 2")).await;
    assert_eq!(on_hand(&state(&desk.storage).await), [10, 21]);
    same_again(&desk, reader("quantity", &["b"])).await;
}

#[tokio::test]
async fn a_retry_under_a_mended_directory_and_one_under_a_mended_mapping() {
    let desk = desk("quantity", &["a"]).await;
    let first = desk.import("1.csv", &figures(1, "a X 10 1; b X 20 2; c X 30 3")).await;
    desk.confirm(&first.id).await;
    assert_eq!(desk.rejects(&first.id).await.len(), 2);
    by(&desk, "quantity", &["a", "b"]);
    desk.imports.retry(&first.id).await.unwrap();
    desk.run().await;
    desk.confirm(&first.id).await;
    assert_eq!(on_hand(&state(&desk.storage).await), [10, 20]);
    same_again(&desk, reader("quantity", &["a"])).await;
    let second = desk.import("2.csv", &figures(2, "a X 11 1; b X 21 2")).await;
    assert_eq!(second.state, ImportState::Applied);
    by(&desk, "free", &["a", "b", "c"]);
    let again = desk.imports.retry(&first.id).await.unwrap();
    assert!(again.new && again.import.id != first.id);
    desk.run().await;
    assert_eq!(desk.confirm(&again.import.id).await.mapping, "free");
    same_again(&desk, reader("quantity", &[])).await;
}

#[tokio::test]
async fn what_is_confirmed_later_is_read_as_it_was_judged() {
    let desk = desk("quantity", &["a", "b"]).await;
    let first = desk.import("1.csv", &figures(1, "a X 10 1; b X 20 2")).await;
    assert_eq!(desk.stores(&first.id).await, ["a held first_snapshot", "b held first_snapshot"]);
    by(&desk, "quantity", &["b"]);
    desk.imports.confirm(&first.id, None).await.unwrap();
    // And the mapping is changed before the gateway comes to it.
    by(&desk, "free", &["b"]);
    desk.run().await;
    assert_eq!(desk.row(&first.id).await.state, ImportState::Applied);
    assert_eq!(on_hand(&state(&desk.storage).await), [10, 20]);
    same_again(&desk, reader("free", &[])).await;
}

#[tokio::test]
async fn what_was_cut_off_goes_on_as_it_was_begun() {
    let (mut waits, mut begun, mut anew) = (0, 0, 0);
    loop {
        let desk = desk("quantity", &["a", "b"]).await;
        let first = desk.import("1.csv", &figures(1, "a X 10 1; b X 20 2")).await;
        desk.confirm(&first.id).await;
        let id = desk.take("2.csv", &figures(2, "a X 11 3; b X 21 4")).await;
        let ended = cut(desk.imports.run_all(), waits).await;
        let desk = desk.restarted();
        by(&desk, "free", &["b"]);
        desk.run().await;
        let ImportRow { state: stands, .. } = desk.row(&id).await;
        let count = on_hand(&state(&desk.storage).await);
        match stands {
            ImportState::Applied => {
                assert_eq!(count, [11, 21], "cut after {waits} waits");
                begun += 1;
            }
            other => {
                // It was not begun: the file is read by the mapping in force, which knows one store.
                assert_eq!((other, count), (ImportState::Discarded, vec![10, 4]), "cut after {waits} waits");
                anew += 1;
            }
        }
        same_again(&desk, reader("left", &[])).await;
        if ended {
            break;
        }
        waits += 1;
    }
    assert!(begun > 1 && anew > 0, "{begun} {anew}");
}

#[tokio::test]
async fn what_is_read_otherwise_is_told() {
    let desk = desk("quantity", &["a"]).await;
    let first = desk.import("1.csv", &figures(1, "a X 10 1")).await;
    desk.confirm(&first.id).await;
    let astray = reader_of(Columns { lines: Lines::default(), astray: 1 }, "quantity", &["a"]);
    let (storage, report) = replayed(&desk, astray).await;
    let now: Vec<&str> = report.differences.iter().map(|one| one.now.as_str()).collect();
    let lost = "`1.csv`: what it says of a does not count as it did";
    assert_eq!((report.same, now), (0, vec!["read with other figures; the new ones are used", lost]));
    assert_eq!(on_hand(&state(&storage).await), [11]);
}

#[tokio::test]
async fn settings_that_are_lost_are_told() {
    let desk = desk("quantity", &["a", "0012"]).await;
    let first = desk.import("1.csv", &figures(1, "a X 10 1")).await;
    let first = desk.confirm(&first.id).await;
    desk.import("1.sales", &sales(&[ticket(1, 100)])).await;
    let name = first.outcome.unwrap()["settings"].as_str().unwrap().to_owned();
    let mut lost = 0;
    for entry in walk(desk.folder.path()) {
        if entry.file_name().unwrap().to_str() == Some(name.as_str()) {
            std::fs::remove_file(entry).unwrap();
            lost += 1;
        }
    }
    assert_eq!(lost, 1);
    let (storage, report) = replayed(&desk, reader("quantity", &["a"])).await;
    assert_eq!((report.same, report.differences.len()), (0, 3));
    let words = |at: usize| report.differences[at].now.as_str();
    assert!(words(0).starts_with("the settings by which it was read are lost: "), "{}", words(0));
    assert!(words(0).ends_with("; its figures are left out"), "{}", words(0));
    assert!(words(1).ends_with("; the facts of then are used"), "{}", words(1));
    let now = state(&storage).await;
    assert_eq!((now.0.len(), now.2.len()), (0, 1));
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}
