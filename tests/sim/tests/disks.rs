//! Storage alone on a failing disk: what it said is durable is there, whatever the disk did before and after.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too: a panic is a failed test")]

use qudao_model::Timestamp;
use qudao_pipeline::Gateway;
use qudao_simulation::disk::{Disk, Failure, Fault, NAME};
use qudao_storage::{Disk as Through, Location, Options, Storage};
use std::{collections::BTreeSet, path::Path};

/// Powers are lost in so many ways.
const WAYS: u64 = 24;

async fn open(folder: &Path) -> Result<Storage, qudao_storage::Error> {
    let disk = Through { vfs: Some(NAME.to_owned()), ..Through::default() };
    let options = Options::new(Location::Sqlite(folder.join("qudao.sqlite")), Gateway::fold());
    Storage::open(Options { disk, ..options }).await
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
    while disk.open_files() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
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
        disk.fault(Fault { failure: Failure::Stop, after, times: 1 });
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
        disk.fault(Fault { failure: Failure::Flush, after: 0, times: 1 });
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
            disk.fault(Fault { failure, after: 0, times: 1 });
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
    for life in 0..8 {
        let storage = open(folder.path()).await.unwrap();
        for at in 0..20 {
            assert!(keep(&storage, &format!("{life} {at}")).await);
        }
        stop(storage, &disk, false).await;
        logs.push(std::fs::metadata(folder.path().join("qudao.sqlite-wal")).unwrap().len());
    }
    assert!(logs[7] <= logs[1], "{logs:?}");
}
