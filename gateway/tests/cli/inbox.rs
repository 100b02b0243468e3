//! `events`, `deliveries`, `get`, `replay`: reading what is kept, beside a running gateway and without one.

use crate::program::{Folder, Serving, channel};
use rustix::process::Signal;

/// Times, ids and durations differ between runs.
const VARYING: [(&str, &str); 5] = [
    (r"\b(dlv|pay|rfd|evt)_[a-z2-7]{26}", "${1}_ID"),
    (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"),
    (r"\b\d+ µs", "N µs"),
    (r"\d+x +\d+ ", "1x N "),
    (r"sha256 [0-9a-f]{64}", "sha256 HASH"),
];

#[tokio::test]
async fn reads_beside_a_running_gateway() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    serving.post("hello-main", 1).await;
    serving.post("hello-main", 2).await;
    let all = [&["events"][..], &["deliveries", "list"], &["get", "payment", "--order-no", "SO1"]]
        .map(|arguments| folder.run(arguments).expect(0).out);
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(all.join("\n"), @"");
    });
    let payments = folder.run(&["get", "payment", "--json"]).expect(0).json_lines();
    assert_eq!(payments.len(), 2);
    let id = payments[0]["id"].as_str().unwrap();
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(folder.run(&["get", "payment", id]).expect(0).out, @"");
    });
    assert_eq!(folder.run(&["get", "payment", id, "--json"]).expect(0).json(), payments[0]);
    let events = folder.run(&["events", "--json", "--after", "1"]).expect(0).json_lines();
    assert_eq!(events.len(), 1);
    assert_eq!(folder.run(&["events", "--json", "--type", "qudao.refund.*"]).expect(0).out, "");
}

#[tokio::test]
async fn a_delivery_can_be_shown_and_tried_again() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    serving.post("hello-main", 1).await;
    let rows = folder.run(&["deliveries", "list", "--json"]).expect(0).json_lines();
    let id = rows[0]["id"].as_str().unwrap();
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(folder.run(&["deliveries", "show", id]).expect(0).out, @"");
    });
    let raw = folder.run(&["deliveries", "show", id, "--raw"]).expect(0).out;
    let tried = folder.run_with_input(&["try", "--channel", "hello-main", "--request", "-"], &raw).expect(0);
    assert_eq!(tried.json()["verdict"], "accepted");
}

#[tokio::test]
async fn what_failed_is_run_again_once_its_cause_is_mended() {
    let folder = Folder::new();
    folder.configure(&channel("hello-main", "    limits: {fuel: 1000}\n"));
    let mut serving = Serving::start(&folder);
    assert!(serving.post("hello-main", 1).await.0 >= 500);
    assert_eq!(folder.run(&["events", "--json"]).expect(0).out, "");

    folder.configure(&channel("hello-main", ""));
    serving.signal(Signal::HUP);
    serving.until("configuration reloaded");
    let retried =
        folder.run(&["deliveries", "retry", "--verdict", "failed", "--json"]).expect(0).json_lines();
    assert_eq!(retried.len(), 1);
    assert_eq!(retried[0]["verdict"], "accepted");
    assert_eq!(folder.run(&["events", "--json"]).expect(0).json_lines().len(), 1);
}

#[tokio::test]
async fn replay_gives_the_same_feed() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    for number in 0..5 {
        serving.post("hello-main", number).await;
    }
    serving.signal(Signal::TERM);
    serving.ended();
    let report = folder.run(&["replay", "--into", "again.db", "--json"]).expect(0).json();
    assert_eq!(report["deliveries"], 5);
    assert_eq!(report["same"], 5);
    let before = folder.run(&["events", "--json"]).expect(0).out;
    let after = folder.run(&["events", "--json", "--data", "again.db"]).expect(0).out;
    assert_eq!(before, after);
    let again = folder.run(&["replay", "--into", "again.db"]).expect(1);
    assert!(again.err.contains("there already"), "{}", again.all());
}

#[test]
fn without_data_or_gateway_it_is_said_how_to_get_there() {
    let folder = Folder::configured();
    let all =
        [&["events"][..], &["get", "payment"], &["deliveries", "retry", "dlv_x"], &["deliveries", "retry"]]
            .map(|arguments| folder.run(arguments).all());
    insta::assert_snapshot!(all.join("\n"), @"");
}
