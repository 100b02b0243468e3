//! Storage alone on a failing disk: what it said is durable is there, whatever the disk did before and after.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests are tests too: a panic is a failed test"
)]

use qudao_model::Timestamp;
use qudao_pipeline::Gateway;
use qudao_simulation::disk::{Disk, Failure, Fault, NAME, renew};
use qudao_storage::{Disk as Through, Location, Options, Storage};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{collections::BTreeSet, path::Path, time::Duration};

/// Powers are lost in so many ways.
const WAYS: u64 = 24;

/// Log that is copied back in the tests that are about this: a few commits.
const SMALL_LOG: usize = 12 * 1024;

async fn open(folder: &Path) -> Result<Storage, qudao_storage::Error> {
    open_with(folder, Through::default().log_bytes).await
}

async fn open_with(folder: &Path, log_bytes: usize) -> Result<Storage, qudao_storage::Error> {
    Storage::open(through(folder, log_bytes)).await
}

fn through(folder: &Path, log_bytes: usize) -> Options {
    let disk = Through { vfs: Some(NAME.to_owned()), log_bytes, renew };
    let options = Options::new(Location::Sqlite(folder.join("qudao.sqlite")), Gateway::fold());
    Options { disk, ..options }
}

/// Whether it was made durable.
async fn keep(storage: &Storage, order_no: &str) -> bool {
    storage.expect_payment("till", order_no, 1, None, Timestamp::UNIX_EPOCH).await.is_ok()
}

async fn kept(storage: &Storage) -> BTreeSet<String> {
    storage.expectations().await.unwrap().into_iter().map(|one| one.order_no).collect()
}

/// The machine stops at once, with or without its power, and starts again.
async fn stop(storage: Storage, disk: &Disk, power_lost: bool) {
    disk.stop();
    storage.close().await;
    drop(storage);
    closed(disk).await;
    disk.start_again(power_lost);
}

#[tokio::test]
async fn what_was_acknowledged_survives_the_loss_of_power_at_any_operation() {
    let mut operations = BTreeSet::new();
    for after in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path(), after);
        open(folder.path()).await.unwrap().close().await;
        let storage = open(folder.path()).await.unwrap();
        disk.fault(Fault { failure: Failure::Stop, file: None, after, times: 1 });
        let mut acknowledged = BTreeSet::new();
        for order_no in ["a", "b", "c", "d", "e", "f"] {
            if keep(&storage, order_no).await {
                acknowledged.insert(order_no.to_owned());
            }
        }
        stop(storage, &disk, true).await;
        operations.insert(acknowledged.len());
        let storage = open(folder.path()).await.unwrap();
        let found = kept(&storage).await;
        assert!(
            found.is_superset(&acknowledged),
            "after {after}: {acknowledged:?} were acknowledged, {found:?} are there"
        );
        storage.close().await;
    }
    assert_eq!(operations, (0..=6).collect(), "it stopped everywhere");
}

#[tokio::test]
async fn a_flush_that_failed_before_a_kill_takes_nothing_with_it_when_power_is_lost_later() {
    for way in 0..WAYS {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path(), way);
        let storage = open(folder.path()).await.unwrap();
        assert!(keep(&storage, "before").await);
        // The system has the bytes in its cache and takes them for written; they are not.
        disk.fault(Fault { failure: Failure::Flush, file: None, after: 0, times: 1 });
        assert!(!keep(&storage, "failed").await);
        stop(storage, &disk, false).await;
        let storage = open(folder.path()).await.unwrap();
        assert!(keep(&storage, "after").await);
        stop(storage, &disk, true).await;
        let storage = open(folder.path()).await.unwrap();
        let found = kept(&storage).await;
        assert!(found.contains("before") && found.contains("after"), "way {way}: {found:?}");
        storage.close().await;
    }
}

#[tokio::test]
async fn a_disk_that_fails_is_told_of_and_forgotten() {
    for failure in [Failure::Full, Failure::Write, Failure::Short, Failure::Flush] {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path(), 1);
        let storage = open(folder.path()).await.unwrap();
        for round in 0..5 {
            disk.fault(Fault { failure, file: None, after: 0, times: 1 });
            let order_no = format!("{round}");
            assert!(!keep(&storage, &order_no).await, "{failure:?}");
            assert!(!storage.health().await.unwrap().writable, "{failure:?}");
            assert!(keep(&storage, &order_no).await, "{failure:?} is over");
            assert!(storage.health().await.unwrap().writable, "{failure:?}");
        }
        assert_eq!(kept(&storage).await.len(), 5);
        stop(storage, &disk, true).await;
        let storage = open(folder.path()).await.unwrap();
        assert_eq!(kept(&storage).await.len(), 5, "{failure:?}");
        storage.close().await;
    }
}

#[tokio::test]
async fn a_gateway_that_is_killed_often_piles_up_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::at(folder.path(), 1);
    let mut logs = Vec::new();
    for life in 0..12 {
        let storage = open_with(folder.path(), SMALL_LOG).await.unwrap();
        for at in 0..20 {
            assert!(keep(&storage, &format!("{life} {at}")).await);
        }
        stop(storage, &disk, false).await;
        logs.push(std::fs::metadata(folder.path().join("qudao.sqlite-wal")).unwrap().len());
    }
    assert!(logs[11] <= logs[3], "{logs:?}");
}

/// Everything acknowledged is there, and SQLite finds nothing damaged.
async fn whole(folder: &Path, acknowledged: &BTreeSet<String>, what: &str) {
    let storage = open(folder).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
    let found = kept(&storage).await;
    let missing: Vec<&String> = acknowledged.difference(&found).collect();
    assert!(missing.is_empty(), "{what}: {missing:?} were acknowledged and are gone");
    let mut asking = ask(folder).await;
    let found: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut asking).await.unwrap();
    assert_eq!(found, "ok", "{what}");
    asking.close().await.unwrap();
    storage.close().await;
}

/// Somebody else who has the database open.
async fn ask(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("qudao.sqlite")).vfs(NAME);
    options.connect().await.unwrap()
}

async fn closed(disk: &Disk) {
    while disk.open_files() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Keeps orders by threes, so that some are committed while the log is copied.
async fn keep_many(storage: &Storage, orders: std::ops::Range<u32>, acknowledged: &mut BTreeSet<String>) {
    for at in orders {
        let names = ["a", "b", "c"].map(|lane| format!("{at}{lane}"));
        let [first, second, third] = &names;
        let kept = tokio::join!(keep(storage, first), keep(storage, second), keep(storage, third));
        let kept = names.iter().zip([kept.0, kept.1, kept.2]).filter(|(_, kept)| *kept);
        acknowledged.extend(kept.map(|(name, _)| name.clone()));
    }
}

#[tokio::test]
async fn a_flush_of_the_database_that_fails_while_the_log_is_copied_loses_nothing() {
    let mut struck = 0;
    for way in 0..4 * WAYS {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path(), way);
        let storage = open_with(folder.path(), SMALL_LOG).await.unwrap();
        let mut acknowledged = BTreeSet::new();
        keep_many(&storage, 0..4, &mut acknowledged).await;
        disk.fault(Fault { failure: Failure::Flush, file: Some("qudao.sqlite"), after: way % 4, times: 1 });
        keep_many(&storage, 4..40, &mut acknowledged).await;
        assert_eq!(acknowledged.len(), 120, "a copy that fails is nobody's trouble");
        struck += disk.heal();
        if way % 2 == 0 {
            stop(storage, &disk, true).await;
        } else {
            storage.close().await;
            drop(storage);
            closed(&disk).await;
            disk.start_again(true);
        }
        whole(folder.path(), &acknowledged, &format!("way {way}")).await;
    }
    assert!(struck > WAYS, "hardly a flush failed: {struck}");
}

#[tokio::test]
async fn a_start_after_a_failed_flush_may_be_cut_anywhere() {
    let mut cut = 0;
    for after in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path(), after);
        let storage = open(folder.path()).await.unwrap();
        let mut acknowledged = BTreeSet::new();
        keep_many(&storage, 0..10, &mut acknowledged).await;
        disk.fault(Fault { failure: Failure::Flush, file: None, after: 0, times: 1 });
        assert!(!keep(&storage, "failed").await);
        stop(storage, &disk, false).await;
        disk.fault(Fault { failure: Failure::Stop, file: None, after, times: 1 });
        if let Ok(storage) = open_with(folder.path(), SMALL_LOG).await {
            keep_many(&storage, 10..20, &mut acknowledged).await;
            stop(storage, &disk, true).await;
        } else {
            cut += 1;
            closed(&disk).await;
            disk.start_again(true);
        }
        whole(folder.path(), &acknowledged, &format!("after {after}")).await;
    }
    assert!(cut > 1, "no start was cut");
}

#[tokio::test]
async fn somebody_who_asks_first_is_in_nobodys_way() {
    for way in 0..WAYS {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::at(folder.path(), way);
        let storage = open(folder.path()).await.unwrap();
        let mut acknowledged = BTreeSet::new();
        keep_many(&storage, 0..6, &mut acknowledged).await;
        disk.fault(Fault { failure: Failure::Flush, file: None, after: 0, times: 1 });
        assert!(!keep(&storage, "failed").await);
        stop(storage, &disk, false).await;
        let mut asking = ask(folder.path()).await;
        sqlx::raw_sql("BEGIN; SELECT count(*) FROM inbox").execute(&mut asking).await.unwrap();
        let storage = open(folder.path()).await.unwrap();
        keep_many(&storage, 6..12, &mut acknowledged).await;
        disk.stop();
        drop(asking);
        stop(storage, &disk, true).await;
        whole(folder.path(), &acknowledged, &format!("way {way}")).await;
    }
}

#[tokio::test]
async fn who_only_asks_leaves_the_files_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::at(folder.path(), 1);
    let storage = open(folder.path()).await.unwrap();
    let mut acknowledged = BTreeSet::new();
    keep_many(&storage, 0..6, &mut acknowledged).await;
    stop(storage, &disk, false).await;
    let files =
        || ["qudao.sqlite", "qudao.sqlite-wal"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
    let before = files();
    let options = Options { read_only: true, ..through(folder.path(), SMALL_LOG) };
    let asking = Storage::open(options).await.unwrap();
    assert_eq!(kept(&asking).await, acknowledged);
    asking.close().await;
    drop(asking);
    closed(&disk).await;
    assert_eq!(files(), before);
}

#[tokio::test]
async fn an_orderly_end_leaves_no_log() {
    let folder = tempfile::tempdir().unwrap();
    let _disk = Disk::at(folder.path(), 1);
    let storage = open(folder.path()).await.unwrap();
    assert!(keep(&storage, "a").await);
    assert_eq!(kept(&storage).await.len(), 1);
    storage.close().await;
    assert!(!folder.path().join("qudao.sqlite-wal").exists());
}
