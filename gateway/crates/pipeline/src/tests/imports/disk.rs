//! A disk that takes no rows: the file is kept, nothing of it counts, and it is imported once there is room.

use super::kit::{Desk, snapshot, store, write};
use qudao_storage::ImportState;

/// More rows than stay in memory.
fn large() -> String {
    snapshot(1, &store("a", 6000, 5))
}

/// Puts something into the way of the spool; gives what takes it away.
fn full(desk: &Desk) -> impl FnOnce() {
    let spool = desk.folder.path().join("spool");
    if spool.exists() {
        std::fs::remove_dir(&spool).unwrap();
    }
    write(&spool, "");
    move || std::fs::remove_file(spool).unwrap()
}

/// Runs what can be run on a disk that takes nothing.
async fn refused(desk: &Desk) {
    let troubles = desk.imports.run_all().await;
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].contains("the spool of a file failed"), "{troubles:?}");
    assert_eq!(desk.imports.run_all().await, Vec::<String>::new(), "it waits before it tries again");
}

#[tokio::test]
async fn rows_that_cannot_be_spooled_wait_for_room() {
    let desk = Desk::new().await;
    let id = desk.take("large.csv", &large()).await;

    let room = full(&desk);
    refused(&desk).await;
    desk.turn(31);
    refused(&desk).await;
    let row = desk.row(&id).await;
    assert!(row.state.is_unfinished(), "{row:?}");
    assert!(desk.storage.open_file(&row.sha256).is_ok(), "the bytes are kept");

    room();
    desk.turn(31);
    desk.run().await;
    assert_eq!(desk.row(&id).await.state, ImportState::Held);
    assert_eq!(desk.stores(&id).await, ["a held first_snapshot"]);
}

#[tokio::test]
async fn a_disk_that_fills_before_a_file_is_applied_takes_nothing_of_it() {
    let desk = Desk::new().await;
    let row = desk.import("large.csv", &large()).await;
    assert_eq!(row.state, ImportState::Held, "{row:?}");
    desk.imports.confirm(&row.id, None).await.unwrap();

    let room = full(&desk);
    refused(&desk).await;
    assert_eq!(desk.levels().await, Vec::<String>::new());
    assert!(desk.row(&row.id).await.state.is_unfinished());

    room();
    desk.turn(31);
    desk.run().await;
    assert_eq!(desk.row(&row.id).await.state, ImportState::Applied);
    let levels = desk.levels().await;
    assert_eq!((levels.len(), levels[0].as_str()), (1000, "a S000 5"));
    assert_eq!(super::kit::events(&desk.storage).await.len(), 1000, "as many as one page has");
}
