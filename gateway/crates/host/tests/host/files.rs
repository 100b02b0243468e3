//! Files: read by pieces, put out line by line, within limits that follow the file's size.

use super::zoo::{alone, at, call, channel, grants, limited, told, zoo};
use qudao_host::{BreakerState, Connector, FileCall, FileRead, Limits, Put, Source};
use qudao_model::{
    fault::{Class, Retry},
    file::{Emitted, FileVerdict, SettingProblem, SniffAsked},
};
use serde_json::{Value, json};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::mpsc, task::JoinSet};

const NOW: &str = "2026-03-12T01:00:00Z";

pub(super) fn file(mode: &str, bytes: impl Source + 'static) -> FileCall {
    let (source, name) = (Arc::new(bytes), "stock.csv".to_owned());
    FileCall { source, name, settings: json!({"mode": mode, "mapping": {}}), call: at(NOW) }
}

/// Reads a file to its end, and keeps what was put out.
async fn read(connector: &Connector, file: FileCall) -> (FileRead, Vec<Put>) {
    let (out, mut taken) = mpsc::channel(4);
    let taking = async {
        let mut puts = Vec::new();
        while let Some(put) = taken.recv().await {
            puts.push(put);
        }
        puts
    };
    tokio::join!(connector.read_file(file, out), taking)
}

/// The same, and nothing is kept.
pub(super) async fn outcome(connector: &Connector, file: FileCall) -> FileRead {
    let (out, mut taken) = mpsc::channel(4);
    let taking = async { while taken.recv().await.is_some() {} };
    tokio::join!(connector.read_file(file, out), taking).0
}

fn lines(puts: &[Put], what: Emitted) -> Vec<String> {
    let bytes: Vec<u8> =
        puts.iter().filter(|put| put.what == what).flat_map(|put| put.lines.clone()).collect();
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

fn failure(read: &FileRead) -> (Class, &str, Retry) {
    let failure = read.told.as_ref().unwrap_err();
    (failure.class, &failure.code, failure.retry)
}

/// A file of lines of 16 bytes that is nowhere, and how far it was read.
struct Made {
    size: u64,
    read: AtomicU64,
}

impl Made {
    fn of(size: u64) -> Arc<Made> {
        Arc::new(Made { size, read: AtomicU64::new(0) })
    }
}

impl Source for Made {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, max: u32) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size - offset).unwrap().min(max as usize);
        self.read.fetch_max(offset + left as u64, Ordering::SeqCst);
        let from = usize::try_from(offset % 16).unwrap();
        Ok(b"0012,A-100-BK,3\n".repeat(left / 16 + 2)[from..from + left].to_vec())
    }
}

#[tokio::test]
async fn a_file_goes_in_by_pieces_and_comes_out_by_lines() {
    let (told, puts) = read(&channel("good").await, file("rows", b"a\nbc\n\nd\n".to_vec())).await;
    let outcome = told.told.unwrap();
    assert_eq!((outcome.verdict, outcome.rows, outcome.counts.physical), (FileVerdict::Accept, 4, 4));
    let rows = lines(&puts, Emitted::Rows);
    assert_eq!(rows[1], r#"{"src_row":2,"store_code":"0012","sku":"bc","quantity":1}"#);
    assert_eq!((rows.len(), puts.len(), told.stats.host_calls), (4, 1, 4));
    let (told, puts) = read(&channel("good").await, file("rows", Vec::new())).await;
    assert_eq!((told.told.unwrap().rows, puts), (0, Vec::new()));
}

#[tokio::test]
async fn settings_and_name_come_with_the_call() {
    let explain = async |mode| {
        let told = outcome(&channel("good").await, file(mode, b"x".to_vec())).await.told;
        told.unwrap().explain.unwrap()
    };
    assert_eq!(explain("name").await, "stock.csv");
    assert_eq!(explain("settings").await, "{'mapping':{},'mode':'settings'}");
}

#[tokio::test]
async fn what_is_not_there_is_read_as_nothing() {
    let size = (3 << 20) + 1;
    let (_, puts) = read(&channel("good").await, file("places", Made::of(size))).await;
    assert_eq!(lines(&puts, Emitted::Rows), ["0", "1048576", "1", "0", "0", "0"]);
}

#[tokio::test]
async fn memory_does_not_grow_with_the_file() {
    let peak = async |size| {
        let read = outcome(&channel("good").await, file("rows", Made::of(size))).await;
        assert_eq!(read.told.unwrap().rows, size / 16);
        read.stats.memory_bytes
    };
    let (small, large) = (peak(1 << 20).await, peak(64 << 20).await);
    assert!(large <= small + (1 << 20), "{small} bytes for 1 MiB, {large} for 64 MiB");
}

#[tokio::test]
async fn a_connector_waits_while_nobody_takes_more() {
    let source = Made::of(16 << 20);
    let (out, mut taken) = mpsc::channel(1);
    let (connector, call) = (channel("good").await, file("rows", Arc::clone(&source)));
    let mut reading = JoinSet::new();
    reading.spawn(async move { connector.read_file(call, out).await.told.unwrap().rows });
    let mut bytes = 0;
    while let Some(put) = taken.recv().await {
        // Whatever it can do without us it may do now.
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
        bytes += put.lines.len() as u64;
        // Lines are longer than what they were read from. One put waits in the channel, one before it, one is being filled.
        let most = bytes + 4 * (256 << 10);
        let read = source.read.load(Ordering::SeqCst);
        assert!(read <= most, "{read} bytes read for {bytes} bytes taken");
    }
    assert_eq!(reading.join_next().await.unwrap().unwrap(), 1 << 20);
}

/// The reason of one call, after which the process lives and another file is read.
async fn check(mode: &str, change: impl FnOnce(&mut Limits), expect: &str, explain: &str) {
    let read = outcome(&limited(mode, change).await, file(mode, b"0012,A,1\n".to_vec())).await;
    assert_eq!(failure(&read).1, expect, "{mode}: {read:?}");
    let message = read.told.unwrap_err().message;
    assert!(message.contains(explain), "{mode}: {message:?} does not contain {explain:?}");
    let good = outcome(&channel("good").await, file("rows", b"a\n".to_vec())).await;
    assert_eq!(good.told.unwrap().rows, 1, "after {mode}");
}

#[tokio::test]
async fn a_hostile_reader_ends_within_its_limits() {
    check("endless_put", |_| (), "limit_result", "more than 536871200 bytes of lines out of a file of 9")
        .await;
    check("endless_small", |_| (), "limit_host_calls", "more than 65536 calls").await;
    check("endless_read", |limits| limits.host_calls = 2, "limit_host_calls", "more than 512 calls").await;
    check("oversized", |_| (), "limit_result", "1048577 bytes of lines, at most 1048576 at once").await;
    check("huge", |_| (), "limit_result", "hostcalls").await;
    check("recurse", |_| (), "limit_stack", "stack").await;
    check("handles", |_| (), "limit_handles", "more than 128 open keys").await;
    check("large", |_| (), "limit_result", "the outcome: 5243").await;
    check("panic", |_| (), "panic", "as asked").await;
    check("trap", |_| (), "trap", "unreachable").await;
}

#[tokio::test]
async fn memory_is_the_channels() {
    check("allocate", |_| (), "limit_memory", "at most 268435456").await;
    check("allocate", |limits| limits.memory_bytes = 4 << 20, "limit_memory", "at most 16777216").await;
    // An operator may not grant more than there is room for.
    let most = |limits: &mut Limits| limits.memory_bytes = 256 << 20;
    check("allocate", most, "limit_memory", "at most 268435456").await;
}

#[tokio::test]
async fn time_and_work_end() {
    check("loop", |limits| limits.fuel = 2_500, "limit_fuel", "fuel").await;
    let wall = |limits: &mut Limits| {
        (limits.fuel, limits.cpu_ticks, limits.file) = (u64::MAX, u32::MAX, Duration::from_millis(30));
    };
    check("loop", wall, "limit_time", "within 30ms").await;
}

#[tokio::test]
async fn limits_follow_the_size_of_the_file() {
    // 4000 fuel for a start and 16 for each byte: enough for a large file only.
    let poor = async |size| {
        let few = |limits: &mut Limits| (limits.fuel, limits.fuel_per_body_byte) = (1, 2);
        outcome(&limited("good", few).await, file("mute", Made::of(size))).await.told.map(|told| told.rows)
    };
    assert_eq!(poor(16).await.unwrap_err().code, "limit_fuel");
    assert_eq!(poor(4 << 20).await, Ok(1 << 18));
    let few = |limits: &mut Limits| limits.host_calls = 0;
    let connector = limited("good", few).await;
    assert_eq!(failure(&outcome(&connector, file("rows", Made::of(16))).await).1, "limit_host_calls");
    let read = outcome(&connector, file("rows", Made::of(1 << 20))).await;
    assert_eq!(read.told.unwrap().rows, 1 << 16);
}

#[tokio::test]
async fn what_a_reader_may_not_say_is_a_defect() {
    let again = Retry::After(Duration::ZERO);
    let check = async |mode: &str, explain: &str| {
        let read = outcome(&channel("good").await, file(mode, b"x\n".to_vec())).await;
        assert_eq!(failure(&read), (Class::Defect, "invalid_answer", again), "{mode}");
        let message = read.told.unwrap_err().message;
        assert!(message.contains(explain), "{mode}: {message:?} does not contain {explain:?}");
    };
    check("bad_word", "what: must be rows, rejects, notices or amendments").await;
    check("no_line_feed", "does not end with a line feed").await;
    check("lost_row", "do not add up to 2 physical rows").await;
    check("more_rows", "rows: says 2, put out 1 and amended 0").await;
    check("fewer_rows", "rows: says 0, put out 1 and amended 0").await;
    check("silent_reject", "counts.rejects: says 1, put out 0").await;
    check("silent_notice", "counts.notices: says 1, put out 0").await;
    check("partial", "verdict: must be accept, hold or reject").await;
    check("no_reason", "reason: is missing").await;
    check("bad_reason", "reason: must be a word").await;
    check("other_json", "the outcome: missing field `kind`").await;
    check("no_json", "the outcome: expected value").await;
    let read = outcome(&channel("good").await, file("taken_back", b"x\n".to_vec())).await;
    assert_eq!(read.told.unwrap().rows, 0);
    let rejected = outcome(&channel("good").await, file("reject", b"x\n".to_vec())).await.told.unwrap();
    assert_eq!((rejected.verdict, rejected.reason.as_deref()), (FileVerdict::Reject, Some("bad_encoding")));
}

#[tokio::test]
async fn a_failure_in_good_order_keeps_its_word() {
    let connector = channel("good").await;
    for _ in 0..10 {
        let read = outcome(&connector, file("failure", b"x\n".to_vec())).await;
        assert_eq!(failure(&read), (Class::Operator, "malformed_mapping", Retry::Never));
    }
    assert_eq!(connector.files_breaker(), BreakerState::Closed { failures: 0 });
}

/// A file on a bad disk.
struct Broken;

impl Source for Broken {
    fn size(&self) -> u64 {
        10
    }

    fn read(&self, _offset: u64, _max: u32) -> io::Result<Vec<u8>> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[tokio::test]
async fn what_is_the_gateways_own_fault_does_not_count() {
    let connector = channel("good").await;
    let read = outcome(&connector, file("rows", Broken)).await;
    assert_eq!(failure(&read), (Class::Operator, "file_unreadable", Retry::After(Duration::ZERO)));
    assert_eq!(read.told.unwrap_err().message, "at byte 0: the disk is gone");
    let (out, taken) = mpsc::channel(1);
    drop(taken);
    let read = connector.read_file(file("rows", Made::of(1 << 20)), out).await;
    assert_eq!(failure(&read), (Class::Defect, "abandoned", Retry::Now));
    assert_eq!(connector.files_breaker(), BreakerState::Closed { failures: 0 });
}

#[tokio::test]
async fn defects_open_the_breaker_of_files_and_leave_the_others_alone() {
    let connector = channel("good").await;
    for _ in 0..5 {
        assert_eq!(failure(&outcome(&connector, file("panic", b"x".to_vec())).await).1, "panic");
    }
    let (read, puts) = read(&connector, file("rows", b"x\n".to_vec())).await;
    assert_eq!(failure(&read), (Class::Defect, "breaker_open", Retry::After(Duration::from_secs(1))));
    assert_eq!((read.stats.fuel, puts.len()), (0, 0));
    assert_eq!(connector.breaker(), BreakerState::Closed { failures: 0 });
    assert_eq!(connector.asks_breaker(), BreakerState::Closed { failures: 0 });
    assert_eq!(told(&call(&connector).await).0, "accepted");
    // A person may still look and check.
    let (sniffed, _) = connector.sniff_file(file("good", b"x".to_vec()), &SniffAsked::default()).await;
    assert!(sniffed.is_ok());
    let later = FileCall { call: at("2026-03-12T01:00:01Z"), ..file("rows", b"x\n".to_vec()) };
    assert_eq!(outcome(&connector, later).await.told.unwrap().rows, 1);
    assert_eq!(connector.files_breaker(), BreakerState::Closed { failures: 0 });
}

#[tokio::test]
async fn the_breaker_closes_by_the_clock_of_now_whatever_the_guest_is_told() {
    let connector = channel("good").await;
    let now = |second: u32| at(&format!("2026-03-12T05:00:{second:02}Z")).now;
    for _ in 0..5 {
        let (out, _taken) = mpsc::channel(64);
        connector.read_file_at(now(0), file("panic", b"x".to_vec()), out).await;
    }
    for (second, expect) in [(0, Err("breaker_open")), (1, Ok(1))] {
        let (out, _taken) = mpsc::channel(64);
        let read = connector.read_file_at(now(second), file("rows", b"x\n".to_vec()), out).await;
        let told = read.told.as_ref().map(|outcome| outcome.rows).map_err(|failure| failure.code.as_str());
        assert_eq!(told, expect);
    }
}

#[tokio::test]
async fn a_lie_counts_as_a_defect() {
    let connector = channel("good").await;
    for _ in 0..5 {
        outcome(&connector, file("lost_row", b"x".to_vec())).await;
    }
    assert!(matches!(connector.files_breaker(), BreakerState::Open { .. }));
}

#[tokio::test]
async fn a_look_proposes_and_puts_nothing_out() {
    let connector = zoo().await.loose("somebody's file");
    let asked = SniffAsked { store: Some("0012".into()), ..SniffAsked::default() };
    let (sniffed, stats) = connector.sniff_file(file("good", b"a,b,c and more".to_vec()), &asked).await;
    let mapping = sniffed.unwrap().mapping;
    assert_eq!(mapping, json!({"head": "a,b,c an", "asked": "{'store':'0012'}"}));
    assert!(stats.fuel > 0);
    let failed = async |mode| {
        let (sniffed, _) = connector.sniff_file(file(mode, b"x".to_vec()), &asked).await;
        sniffed.unwrap_err().to_string()
    };
    assert!(failed("put").await.starts_with("invalid_answer: sink.put: nothing is put out but by file.read"));
    assert!(failed("nonsense").await.starts_with("invalid_answer: the proposal: "));
    assert!(failed("panic").await.contains("as asked"));
}

#[tokio::test]
async fn settings_are_checked_without_a_file() {
    let connector = zoo().await.loose("onboard");
    let check = async |settings: Value| connector.check_settings(&settings, at(NOW)).await;
    let odd =
        SettingProblem { at: "/mode".into(), text: "is [31m odd".into(), hint: Some("say `good`".into()) };
    assert_eq!(check(json!({"mode": "odd"})).await, Ok(vec![odd]));
    assert_eq!(check(json!({"mode": "good"})).await, Ok(Vec::new()));
    let failed = async |mode| check(json!({"mode": mode})).await.unwrap_err().to_string();
    assert!(failed("source").await.starts_with("invalid_answer: no file is handed over in this call"));
    assert!(failed("nonsense").await.starts_with("invalid_answer: the list of problems: "));
}

#[tokio::test]
async fn other_calls_have_no_file() {
    for mode in ["source", "sink"] {
        let (found, why) = told(&call(&channel(mode).await).await);
        assert_eq!(found, "failed invalid_answer");
        assert_eq!(why, "no file is handed over in this call", "{mode}");
    }
}

#[tokio::test]
async fn a_channel_can_say_what_it_reads() {
    assert!(channel("good").await.reads_files());
    let problems = zoo().await.setting_problems(&json!({"mode": "good", "mapping": 7, "watchh": "x"}));
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("`mapping` has to be a map")), "{problems:?}");
}

#[tokio::test]
async fn a_file_holds_one_place_of_the_pool_and_gives_it_back() {
    let (host, zoo) = alone(1).await;
    let connector = zoo.connect(grants("good")).unwrap();
    for mode in ["rows", "panic", "rows"] {
        outcome(&connector, file(mode, Made::of(1 << 20))).await;
    }
    assert_eq!(host.metrics().in_use, 0);
    // Somebody who stops waiting leaves no instance behind.
    let (out, mut taken) = mpsc::channel(1);
    let reading = connector.read_file(file("rows", Made::of(16 << 20)), out);
    tokio::select! {
        _ = reading => panic!("it cannot end while nobody takes what it reads"),
        put = taken.recv() => assert!(put.is_some()),
    }
    assert_eq!(host.metrics().in_use, 0);
    assert_eq!(told(&call(&connector).await).0, "accepted");
}

#[tokio::test]
async fn a_busy_reader_leaves_others_their_turn() {
    let busy = limited("loop", |limits| (limits.fuel, limits.cpu_ticks) = (u64::MAX, u32::MAX)).await;
    let (out, _taken) = mpsc::channel(1);
    let reading = busy.read_file(file("loop", b"x".to_vec()), out);
    // One thread for both: the notice is answered only if the reader gives way.
    tokio::select! {
        _ = reading => panic!("it never ends"),
        called = async { call(&channel("good").await).await } => assert_eq!(told(&called).0, "accepted"),
    }
}
