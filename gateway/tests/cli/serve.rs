//! `serve`: start, drain, reload, crash.

use crate::program::{Folder, Serving, channel, notice};
use rustix::process::Signal;
use std::{
    cell::RefCell,
    collections::BTreeSet,
    io::{Read, Write},
    net::TcpStream,
};

#[tokio::test]
async fn says_where_it_is_takes_notices_and_drains() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    assert_eq!(serving.ready["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(serving.status("/readyz").await, 200);
    assert_eq!(serving.status("/v1/events").await, 401);
    assert_eq!(serving.post("hello-main", 1).await, (200, "success".to_owned()));

    serving.signal(Signal::TERM);
    let (status, log) = serving.ended();
    assert!(status.success(), "{status}: {log}");
    assert!(!folder.path().join("data/ready.json").exists());
    let events = folder.run(&["events", "--json"]).expect(0).json_lines();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["type"], "qudao.payment.paid.v1");
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let folder = Folder::configured();
    let mut serving = Serving::start(&folder);
    // A delivery that never ends: its body was asked for and does not come.
    let mut slow = TcpStream::connect(serving.ready["hooks"].as_str().unwrap()).unwrap();
    let head =
        "POST /hooks/hello-main HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n";
    slow.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");

    serving.signal(Signal::TERM);
    serving.until("stopping");
    serving.signal(Signal::TERM);
    let (status, log) = serving.ended();
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("stopped at once"), "{log}");
}

#[tokio::test]
async fn two_gateways_do_not_share_a_data_folder() {
    let folder = Folder::configured();
    let _first = Serving::start(&folder);
    let second = folder.run(&["serve"]).expect(1);
    assert!(second.err.contains("already in use"), "{}", second.all());
}

#[tokio::test]
async fn a_configuration_with_errors_does_not_start() {
    let folder = Folder::new();
    folder.write("connectors.yaml", "version: 2\n");
    let said = folder.run(&["serve"]).expect(1);
    assert!(said.err.contains("connectors.yaml:1:"), "{}", said.all());
    assert!(!folder.path().join("data").exists());
}

#[tokio::test]
async fn hang_up_switches_to_a_good_configuration_and_keeps_the_old_one_over_a_bad_one() {
    let folder = Folder::configured();
    let mut serving = Serving::start(&folder);
    assert_eq!(serving.post("second", 1).await.0, 404);

    folder.configure(&format!("{}{}", channel("hello-main", ""), channel("second", "")));
    serving.signal(Signal::HUP);
    serving.until("configuration reloaded");
    assert_eq!(serving.post("second", 2).await.0, 200);

    folder.configure(&channel("second", "    colour: red\n"));
    serving.signal(Signal::HUP);
    let told = serving.until("colour");
    assert!(told.contains("connectors.yaml:"), "{told}");
    serving.until("stays in force");
    assert_eq!(serving.post("hello-main", 3).await.0, 200);
}

const CONNECTIONS: usize = 8;

/// Notices from several connections at once; the signal falls into the middle. Gives those that were acknowledged.
async fn signal_under_load(serving: &Serving, signal: Signal) -> BTreeSet<String> {
    let acknowledged = RefCell::new(BTreeSet::new());
    let connection = |first: u32| {
        let acknowledged = &acknowledged;
        async move {
            for number in (first..).step_by(CONNECTIONS) {
                let Ok((200, _)) = serving.try_post("hello-main", number).await else { break };
                acknowledged.borrow_mut().insert(format!("SO{number}"));
                if acknowledged.borrow().len() == 50 {
                    serving.signal(signal);
                }
            }
        }
    };
    futures_util::future::join_all((0..).take(CONNECTIONS).map(connection)).await;
    acknowledged.into_inner()
}

/// Order numbers of the feed, which must have no gap and nothing twice.
fn fed(folder: &Folder) -> BTreeSet<String> {
    let events = folder.run(&["events", "--json"]).expect(0).json_lines();
    assert!((1_u64..).zip(&events).all(|(seq, event)| event["seq"] == seq));
    let orders = events.iter().map(|event| event["data"]["payment"]["order_no"].as_str().unwrap().to_owned());
    let orders: BTreeSet<String> = orders.collect();
    assert_eq!(orders.len(), events.len());
    orders
}

#[tokio::test]
async fn a_drain_under_load_loses_nothing_that_was_acknowledged() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    let acknowledged = signal_under_load(&serving, Signal::TERM).await;
    let (status, log) = serving.ended();
    assert!(status.success(), "{log}");
    assert!(acknowledged.len() >= 50);
    assert_eq!(fed(&folder), acknowledged, "a drained gateway has answered all that it kept");
}

/// A platform that was let in and is slow: its body comes when the gateway goes down already.
#[tokio::test]
async fn what_comes_in_during_a_drain_is_kept_or_turned_away() {
    let folder = Folder::configured();
    let mut serving = Serving::start(&folder);
    let (body, headers) = notice(1);
    let mut slow = TcpStream::connect(serving.ready["hooks"].as_str().unwrap()).unwrap();
    let mut head = "POST /hooks/hello-main HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n".to_owned();
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    slow.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes()).unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");

    serving.signal(Signal::TERM);
    serving.until("stopping");
    slow.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    let (status, log) = serving.ended();
    assert!(status.success(), "{status}: {log}");
    let is_taken = answer.contains("HTTP/1.1 200");
    assert!(is_taken || answer.contains("HTTP/1.1 503"), "{answer}");
    assert_eq!(
        fed(&folder).len(),
        usize::from(is_taken),
        "how many are kept, and what was answered: {answer}"
    );
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_kill_under_load() {
    let folder = Folder::configured();
    let serving = Serving::start(&folder);
    let acknowledged = signal_under_load(&serving, Signal::KILL).await;
    serving.ended();
    assert!(acknowledged.len() >= 50);
    assert!(folder.path().join("data/ready.json").exists(), "a crash leaves it over");

    let serving = Serving::start(&folder);
    assert!(fed(&folder).is_superset(&acknowledged));
    assert_eq!(serving.post("hello-main", 0).await, (200, "success".to_owned()), "the first answer again");
    assert_eq!(serving.post("hello-main", 1_000_000).await.0, 200);
    assert!(fed(&folder).contains("SO1000000"));
}
