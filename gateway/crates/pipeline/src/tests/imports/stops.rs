//! Files on which a connector stops: which end, which are tried again, and what a person can do meanwhile.

use super::kit::{Desk, snapshot};
use crate::Error;
use qudao_storage::ImportState;
use std::sync::atomic::Ordering;
use tokio::task::LocalSet;

fn breaks(code: &str) -> String {
    format!("{{\"breaks\": \"{code}\"}}\n")
}

fn asked(desk: &Desk) -> u32 {
    desk.lines.asked.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_breaker_that_is_open_is_waited_for() {
    let desk = Desk::new().await;
    let row = desk.import("1.csv", "{\"breaks\": \"breaker_open\"}\n").await;
    assert_eq!(row.state, ImportState::Reading);
    let before = asked(&desk);
    desk.run().await;
    assert_eq!(asked(&desk), before);
    desk.turn(61);
    desk.run().await;
    assert_eq!(asked(&desk), before + 1);
}

#[tokio::test]
async fn a_file_on_which_the_connector_stops_fails_at_once_and_the_next_has_its_turn() {
    let desk = Desk::new().await;
    for code in ["limit_memory", "limit_fuel", "limit_result", "trap", "panic", "invalid_answer"] {
        let broken = desk.take(code, &breaks(code)).await;
        let next = desk.take("next.csv", &snapshot(1, &format!("{code} X 1"))).await;
        desk.run().await;
        let row = desk.row(&broken).await;
        assert_eq!((row.state, row.reason.as_deref()), (ImportState::Failed, Some(code)));
        assert_eq!(row.explain.as_deref(), Some("it broke"));
        assert_eq!(desk.row(&next).await.state, ImportState::Held, "{code}");
    }
}

#[tokio::test]
async fn what_does_not_go_away_although_it_is_said_to_is_given_up() {
    for code in ["breaker_open", "abandoned", "file_unreadable", "share_gone"] {
        let desk = Desk::new().await;
        let id = desk.take("1.csv", &breaks(code)).await;
        desk.run().await;
        assert_eq!(desk.row(&id).await.state, ImportState::Reading, "{code}");
        for _ in 0..40 {
            desk.turn(301);
            desk.run().await;
        }
        let row = desk.row(&id).await;
        assert_eq!(
            (row.state, row.reason.as_deref()),
            (ImportState::Failed, Some("files_not_now")),
            "{code}"
        );
        assert_eq!(asked(&desk), 31);
    }
}

#[tokio::test]
async fn an_import_that_waits_for_its_next_try_can_be_discarded() {
    let desk = Desk::new().await;
    let id = desk.take("1.csv", &breaks("breaker_open")).await;
    desk.run().await;
    let error = desk.imports.discard(&id, Some(&["a".to_owned()])).await.unwrap_err();
    assert!(matches!(error, Error::NotWaiting { state: "reading", .. }), "{error:?}");
    assert_eq!(desk.imports.discard(&id, None).await.unwrap().state, ImportState::Discarded);
    desk.turn(301);
    desk.run().await;
    assert_eq!((desk.row(&id).await.state, asked(&desk)), (ImportState::Discarded, 1));
    assert!(matches!(desk.imports.discard(&id, None).await, Err(Error::NotWaiting { .. })));
}

#[tokio::test]
async fn an_import_under_way_stops_when_it_is_discarded() {
    let desk = Desk::new().await;
    let id = desk.take("1.csv", "{\"hangs\": true}\n").await;
    let next = desk.take("2.csv", &snapshot(1, "a X 1")).await;
    let discarded = async {
        while asked(&desk) == 0 {
            tokio::task::yield_now().await;
        }
        desk.imports.discard(&id, None).await.unwrap()
    };
    let ((), row) = tokio::join!(desk.run(), discarded);
    assert_eq!(row.state, ImportState::Discarded);
    desk.run().await;
    assert_eq!(
        (desk.row(&id).await.state, desk.row(&next).await.state),
        (ImportState::Discarded, ImportState::Held)
    );
}

#[tokio::test]
async fn what_was_confirmed_and_not_applied_yet_can_still_be_discarded() {
    let desk = Desk::new().await;
    let row = desk.import("1.csv", &snapshot(1, "a X 1")).await;
    desk.imports.confirm(&row.id, None).await.unwrap();
    assert_eq!(desk.imports.discard(&row.id, None).await.unwrap().state, ImportState::Discarded);
    desk.run().await;
    assert_eq!(
        (desk.levels().await.len(), desk.stores(&row.id).await),
        (0, vec!["a discarded confirmed".to_owned()])
    );
}

#[tokio::test]
async fn after_a_panic_there_is_a_pause_each_time() {
    let desk = Desk::new().await;
    desk.take("1.csv", "{\"panics\": true}\n").await;
    let local = LocalSet::new();
    for tries in 1..4 {
        let imports = desk.imports.clone();
        let ran = local
            .run_until(async { tokio::task::spawn_local(async move { imports.run_all().await }).await })
            .await;
        assert!(ran.unwrap_err().is_panic());
        // Not again at once.
        desk.run().await;
        assert_eq!(asked(&desk), tries);
        desk.turn(60);
    }
}

#[tokio::test]
async fn a_retry_that_a_new_mapping_overtakes_is_done_under_it_and_loses_nothing() {
    let desk = Desk::new().await;
    let text = snapshot(1, "a X 1") + "-{\"row\": 3, \"column\": null, \"kind\": \"bad_date\"}\n";
    let row = desk.confirmed("1.csv", &text).await;
    desk.imports.retry(&row.id).await.unwrap();
    desk.maps_by("2");
    desk.run().await;
    let old = desk.row(&row.id).await;
    assert_eq!((old.state, old.reason), (ImportState::Applied, None));
    let new = desk.take("1.csv", &text).await;
    assert_eq!((new != row.id, desk.row(&new).await.state), (true, ImportState::Applied));
    assert_eq!(desk.levels().await, ["a X 1"]);
}

#[tokio::test]
async fn a_barcode_in_the_place_of_a_quantity_ends_the_import_and_stops_nobody() {
    let desk = Desk::new().await;
    let row = desk.import("1.csv", &snapshot(1, "a X 6901234567892")).await;
    let row = desk.confirm(&row.id).await;
    assert_eq!((row.state, row.reason.as_deref()), (ImportState::Failed, Some("quantity_out_of_range")));
    assert_eq!(desk.import("2.csv", &snapshot(1, "b X 1")).await.state, ImportState::Held);
}
