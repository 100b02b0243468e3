//! `events`, `deliveries`, `get`, `replay`: reading what is kept, beside a running gateway and without one.

use crate::program::{Folder, Serving, channel};
use rustix::process::{Pid, Signal};
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

/// The time of receiving and the connector's microseconds are the machine's; ids are derived and the same everywhere.
const VARYING: [(&str, &str); 5] = [
    (
        r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  hello-main  POST     accepted",
        "yyyy-mm-dd hh:mm:ss  hello-main  POST     accepted",
    ),
    (r"received +20.*", "received      yyyy-mm-dd hh:mm:ss"),
    (r"\b\d+ µs", "N µs"),
    (r"1x +\d+ ", "1x  N "),
    (r"SEEN +µS", "SEEN  µS"),
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
        insta::assert_snapshot!(all.join("\n"), @r#"
           SEQ  TIME                 CHANNEL         ENTITY     WHAT        ORDER                                 YUAN  STATE
             1  2026-01-21 12:58:17  hello-main      payment    paid        SO1                                  88.80  paid
             2  2026-01-21 12:58:17  hello-main      payment    paid        SO2                                  88.80  paid

        RECEIVED             CHANNEL     REQUEST  VERDICT   REASON  BYTES  SEEN  µS  ID
        yyyy-mm-dd hh:mm:ss  hello-main  POST     accepted            137    1x  N  dlv_kt2cmccztyqhbzr6yustff6o45
        yyyy-mm-dd hh:mm:ss  hello-main  POST     accepted            137    1x  N  dlv_hdljorfvzf5m4l3nfokaxfgjtd

        UPDATED              CHANNEL     ORDER  STATE   YUAN  REFUNDED  ANOMALIES  ID
        2026-01-21 12:58:17  hello-main  SO1    paid   88.80                       pay_6djrik6piccil3lxfrv5qnehtp
        "#);
    });
    let payments = folder.run(&["get", "payment", "--json"]).expect(0).json_lines();
    assert_eq!(payments.len(), 2);
    let id = payments[0]["id"].as_str().unwrap();
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(folder.run(&["get", "payment", id]).expect(0).out, @r#"
        id                  pay_5k2o2yyakke2pzuzjjusogq5n4
        channel             hello-main
        order_no            SO2
        transaction_no      P2
        state               paid
        method              stored_card
        merchant_no         s-001
        currency            CNY
        requested           88.80
        payer_paid          88.80
        refunded            0.00
        paid_at             2026-01-21 12:58:17
        evidence            notice
        version             1
        updated_at          2026-01-21 12:58:17
        "#);
    });
    assert_eq!(folder.run(&["get", "payment", id, "--json"]).expect(0).json(), payments[0]);
    let events = folder.run(&["events", "--json", "--after", "1"]).expect(0).json_lines();
    assert_eq!(events.len(), 1);
    assert_eq!(folder.run(&["events", "--json", "--type", "qudao.refund.*"]).expect(0).out, "");
}

#[tokio::test]
async fn follows_the_feed_as_it_grows() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    serving.post("hello-main", 1).await;
    let mut command = folder.command(&["events", "--follow", "--json"]);
    let mut following = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("SO1"));
    serving.post("hello-main", 2).await;
    assert!(next().contains("SO2"));
    rustix::process::kill_process(Pid::from_child(&following), Signal::INT).unwrap();
    assert!(following.wait().unwrap().success());
}

#[tokio::test]
async fn a_delivery_can_be_shown_and_tried_again() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    serving.post("hello-main", 1).await;
    let rows = folder.run(&["deliveries", "list", "--json"]).expect(0).json_lines();
    let id = rows[0]["id"].as_str().unwrap();
    insta::with_settings!({filters => VARYING}, {
        insta::assert_snapshot!(folder.run(&["deliveries", "show", id]).expect(0).out, @r#"
        id            dlv_hdljorfvzf5m4l3nfokaxfgjtd
        channel       hello-main
        received      yyyy-mm-dd hh:mm:ss
        verdict       accepted
        dedupe key    n-1
        connector     hello@0.1.0, N µs, attempts: 1
        request       POST /hooks/hello-main, 137 bytes, sha256 bcb56601872658942d7073852923a677a8dda40967d561d05444ef54630199ec
        answer        200 success

        observation {
          "key": [
            "s-001",
            "SO1"
          ],
          "occurred_at": "2026-01-21T04:58:17Z",
          "schema": "qudao.payment.v1",
          "entity": "payment",
          "merchant_no": "s-001",
          "order_no": "SO1",
          "transaction_no": "P1",
          "state": "paid",
          "method": "stored_card",
          "currency": "CNY",
          "requested_fen": 8880,
          "payer_paid_fen": 8880,
          "paid_at": "2026-01-21T04:58:17Z",
          "evidence": "notice"
        }
        "#);
    });
    let raw = folder.run(&["deliveries", "show", id, "--raw"]).expect(0).out;
    let tried = folder.run_with_input(&["try", "--channel", "hello-main", "--request", "-"], &raw).expect(0);
    assert_eq!(tried.json()["verdict"], "accepted");
}

#[tokio::test]
async fn what_failed_is_run_again_once_its_cause_is_mended() {
    let folder = Folder::new();
    folder.configure(&channel("hello-main", "    limits: {host_calls: 1}\n"));
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
    insta::assert_snapshot!(all.join("\n"), @r#"
    exit code 1
    --- stdout
    --- stderr
    error: there is no data folder `data`
    hint: it is made when the gateway first starts: qudao serve

    exit code 1
    --- stdout
    --- stderr
    error: there is no data folder `data`
    hint: it is made when the gateway first starts: qudao serve

    exit code 1
    --- stdout
    --- stderr
    error: no gateway runs on the data folder `data`
    hint: start it in another terminal: qudao serve

    exit code 64
    --- stdout
    --- stderr
    error: neither ids nor filters say which deliveries to run again
    hint: all that failed: qudao deliveries retry --verdict failed
    "#);
}
