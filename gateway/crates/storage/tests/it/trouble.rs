//! The machine in trouble: nothing is acknowledged, nothing is half there, and it goes on when the trouble is over.

use crate::kit::{Kept, accepted, at, fresh, options, paid};
use futures_util::future::join_all;
use qudao_storage::{Class, Error, Retry, Storage};

/// Deliveries that together need more room than is left anywhere in the file.
fn large(name: &str) -> impl Iterator<Item = qudao_storage::Incoming> {
    (0..20).map(move |at| {
        let mut incoming = accepted(1, &format!("{name}{at}"), vec![paid(&format!("{name}{at}"), 1)]);
        incoming.request.body = vec![b'x'; 100_000];
        incoming
    })
}

async fn commit_all(kept: &Kept, name: &str) -> Vec<Result<qudao_storage::Committed, Error>> {
    join_all(large(name).map(|incoming| kept.storage.commit(incoming))).await
}

fn assert_told_to_come_back(error: &Error) {
    assert_eq!(error.class(), Class::Operator, "{error}");
    assert!(matches!(error.retry(), Retry::After(_)), "{error}");
}

#[tokio::test]
async fn a_full_disk_stores_nothing_and_recovers() {
    let kept = fresh().await;
    kept.commit(accepted(1, "before", vec![paid("before", 1)])).await;
    kept.storage.limit_size(Some(0)).await.unwrap();
    for result in commit_all(&kept, "a").await {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
        assert_told_to_come_back(&error);
    }
    assert_eq!(kept.storage.last_seq(), 1);
    let health = kept.storage.health().await.unwrap();
    assert!(!health.writable && health.trouble.unwrap().starts_with("the disk is full"));
    assert_eq!(
        kept.storage.deliveries(&qudao_storage::DeliveryFilter::default()).await.unwrap().items.len(),
        1
    );

    kept.storage.limit_size(None).await.unwrap();
    assert!(
        commit_all(&kept, "a").await.iter().all(|result| result.as_ref().unwrap().duplicate_of.is_none())
    );
    assert!(kept.storage.health().await.unwrap().writable);
    assert_eq!(kept.feed().await.len(), 21);
    assert_eq!(kept.reopened().await.feed().await.len(), 21);
}

#[tokio::test]
async fn a_read_only_database_stores_nothing_and_recovers() {
    let kept = fresh().await;
    kept.commit(accepted(1, "before", vec![paid("before", 1)])).await;
    kept.storage.set_read_only(true).await.unwrap();
    for result in commit_all(&kept, "a").await {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::ReadOnly { .. }), "{error:?}");
        assert_told_to_come_back(&error);
    }
    // Known before: still nothing is acknowledged, since it cannot be counted. The platform sends it again.
    let duplicate = kept.storage.commit(accepted(2, "before", vec![paid("before", 1)])).await;
    assert!(matches!(duplicate, Err(Error::ReadOnly { .. })));
    let expectation = kept.storage.expect_payment("till", "SO1", 1, None, at(0)).await;
    assert!(matches!(expectation, Err(Error::ReadOnly { .. })));
    assert_eq!(kept.storage.expected_payment("till", "SO1"), None);
    // Questions are answered all the while.
    assert_eq!(kept.feed().await.len(), 1);

    kept.storage.set_read_only(false).await.unwrap();
    assert!(commit_all(&kept, "a").await.iter().all(Result::is_ok));
    assert_eq!(kept.feed().await.len(), 21);
}

#[tokio::test]
async fn trouble_in_the_middle_of_load_leaves_no_gap() {
    let kept = fresh().await;
    let commits = (0..300)
        .map(|at| kept.storage.commit(accepted(1, &format!("n{at}"), vec![paid(&format!("SO{at}"), 1)])));
    let trouble = async {
        for _ in 0..10 {
            kept.storage.set_read_only(true).await.unwrap();
            kept.storage.set_read_only(false).await.unwrap();
        }
    };
    let (results, ()) = futures_util::future::join(join_all(commits), trouble).await;
    let stored = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(kept.feed().await.len(), stored);
    for (at, result) in results.iter().enumerate() {
        let again = kept.commit(accepted(2, &format!("n{at}"), vec![paid(&format!("SO{at}"), 1)])).await;
        assert_eq!(again.duplicate_of.is_some(), result.is_ok());
    }
    assert_eq!(kept.feed().await.len(), 300);
}

#[tokio::test]
async fn what_is_no_database_is_refused_with_its_name() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("qudao.sqlite"), vec![7_u8; 8192]).unwrap();
    let error = Storage::open(options(folder.path())).await.err().unwrap();
    assert!(error.to_string().contains("qudao.sqlite"), "{error}");
    assert_eq!(error.class(), Class::Operator);

    // A file where the folder should be.
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let error = Storage::open(options(&taken.join("data"))).await.err().unwrap();
    assert!(matches!(error, Error::Open { .. }), "{error:?}");
}

#[tokio::test]
async fn the_log_is_copied_back_while_it_grows() {
    let kept = fresh().await;
    let mut written = 0;
    while kept.storage.health().await.unwrap().database_bytes < 10_000_000 {
        let mut incoming = accepted(1, &format!("n{written}"), Vec::new());
        incoming.request.body = vec![b'x'; 1_000_000];
        kept.commit(incoming).await;
        written += 1;
        assert!(written < 1000, "the database stays empty while its log grows");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_folder_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::new().unwrap();
    let data = folder.path().join("some/data");
    Storage::open(options(&data)).await.unwrap().close().await;
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}
