use super::*;
use qudao_model::file::RowCounts;

fn figures(skus: u64, units: i64, day: Option<i64>) -> Figures {
    let as_of = day.map(|day| Timestamp::from_second(day * 86400).unwrap());
    Figures { skus, units, all_zero: units == 0, as_of, digest: None }
}

fn outcome(kind: FileKind, verdict: FileVerdict, reason: Option<&str>) -> FileOutcome {
    FileOutcome {
        kind,
        verdict,
        reason: reason.map(str::to_owned),
        explain: None,
        counts: RowCounts::default(),
        rows: 0,
        control_total: None,
        guard: None,
        unmapped_columns: Vec::new(),
    }
}

/// `before` and `now` as `store:skus:units:day` apart by blanks; the judgement in one line.
fn check(guard: (u32, u32), before: &str, now: &str, expect: &str) {
    let stores = |text: &str| -> BTreeMap<String, Figures> {
        text.split_whitespace()
            .map(|one| {
                let mut parts = one.split(':');
                let mut next = || parts.next().unwrap();
                let (store, skus, units) =
                    (next().to_owned(), next().parse().unwrap(), next().parse().unwrap());
                (store, figures(skus, units, next().parse().ok()))
            })
            .collect()
    };
    let (before, now) = (stores(before), stores(now));
    let mut read = outcome(FileKind::StockSnapshot, FileVerdict::Accept, None);
    read.guard = Some(Guard {
        max_drop_pct: Some(guard.0),
        min_rows: Some(guard.1),
        scope: None,
        absent_store: None,
        absent_sku: None,
    });
    let past = Past { stores: &before, known: None, first_waits: true, came: None };
    let judged = judge(&read, &now, &past);
    let holds: Vec<String> = judged
        .holds
        .iter()
        .map(|hold| format!("{}={}", hold.store_code.as_deref().unwrap_or("-"), hold.reason))
        .collect();
    let told = format!(
        "{} holds[{}] applied[{}] absent[{}]",
        judged.verdict.as_str(),
        holds.join(" "),
        judged.applied.join(" "),
        judged.absent.join(" ")
    );
    assert_eq!(told, expect, "{before:?} {now:?}");
}

#[test]
fn a_store_waits_and_the_others_go_on() {
    let usual = (30, 10);
    check(
        usual,
        "a:40:184:1 b:40:9:1 c:9:9:1",
        "a:8:32:2 b:38:9:2",
        "partial holds[a=shrink] applied[b] absent[c]",
    );
    check(usual, "a:40:184:1 b:40:9:1", "a:40:0:2 b:40:9:2", "partial holds[a=all_zero] applied[b] absent[]");
    check(usual, "a:40:1:1", "a:40:1:2 b:1:1:2", "partial holds[b=first_snapshot] applied[a] absent[]");
    check(
        usual,
        "a:40:1:3 b:40:1:1",
        "a:40:1:2 b:40:1:2",
        "partial holds[a=stale_snapshot] applied[b] absent[]",
    );
}

#[test]
fn a_file_in_which_every_store_is_older_is_the_wrong_file() {
    check((30, 10), "a:40:1:3 b:40:1:3", "a:40:1:2 b:40:1:2", "reject holds[] applied[] absent[]");
    check((30, 10), "a:40:1:3", "a:40:1:3", "accept holds[] applied[a] absent[]");
}

#[test]
fn the_edge_of_the_percentage_is_no_drop() {
    check((30, 10), "a:10:1:1", "a:7:1:2", "accept holds[] applied[a] absent[]");
    check((30, 10), "a:10:1:1", "a:6:1:2", "hold holds[a=shrink] applied[] absent[]");
    check((30, 11), "a:10:1:1", "a:1:1:2", "accept holds[] applied[a] absent[]");
    check((0, 0), "a:10:1:1", "a:9:1:2", "hold holds[a=shrink] applied[] absent[]");
    check((100, 0), "a:10:1:1", "a:1:1:2", "accept holds[] applied[a] absent[]");
}

#[test]
fn a_store_that_had_nothing_may_have_nothing() {
    check((30, 10), "a:12:0:1", "a:12:0:2", "accept holds[] applied[a] absent[]");
}

#[test]
fn what_the_file_says_about_itself_comes_first() {
    let before = BTreeMap::from([("a".to_owned(), figures(40, 9, Some(1)))]);
    let past = Past { stores: &before, known: None, first_waits: true, came: None };
    let empty = outcome(FileKind::StockSnapshot, FileVerdict::Hold, Some("empty"));
    let judged = judge(&empty, &BTreeMap::new(), &past);
    assert_eq!((judged.verdict, judged.holds[0].reason.as_str()), (FileVerdict::Hold, "empty"));
    assert_eq!((judged.applied.len(), judged.absent.as_slice()), (0, ["a".to_owned()].as_slice()));
    let broken = outcome(FileKind::StockSnapshot, FileVerdict::Reject, Some("bad_encoding"));
    let judged = judge(&broken, &BTreeMap::new(), &past);
    assert_eq!((judged.verdict, judged.holds.len(), judged.absent.len()), (FileVerdict::Reject, 0, 0));
}

#[test]
fn a_store_that_nobody_wrote_down_waits() {
    let known = BTreeSet::from(["a".to_owned()]);
    let before = BTreeMap::from([("a".to_owned(), figures(1, 1, None))]);
    let past = Past { stores: &before, known: Some(&known), first_waits: false, came: None };
    let now = BTreeMap::from([("a".to_owned(), figures(1, 1, None)), ("x".to_owned(), figures(1, 1, None))]);
    let read = outcome(FileKind::StockSnapshot, FileVerdict::Accept, None);
    let judged = judge(&read, &now, &past);
    assert_eq!((judged.verdict, judged.holds[0].reason.as_str()), (FileVerdict::Partial, "unknown_store"));
}

#[test]
fn movements_and_tickets_replace_nothing_and_are_not_guarded() {
    let stores = BTreeMap::new();
    let past = Past { stores: &stores, known: None, first_waits: true, came: None };
    let now = BTreeMap::from([("a".to_owned(), figures(1, 0, None))]);
    let read = outcome(FileKind::StockDelta, FileVerdict::Accept, None);
    assert_eq!(judge(&read, &now, &past).verdict, FileVerdict::Accept);
}

#[test]
fn other_figures_of_the_same_moment_are_never_passed_over() {
    let usual = (30, 10);
    check(usual, "a:40:9:1", "a:40:8:1", "hold holds[a=changed_after_import] applied[] absent[]");
    check(usual, "a:40:9:1", "a:2:0:1", "hold holds[a=changed_after_import] applied[] absent[]");
    let one = Figures { digest: Some(1), ..figures(40, 9, Some(1)) };
    let other = Figures { digest: Some(2), ..one };
    assert!(other.changed(&one) && !one.changed(&one));
    assert!(!Figures { as_of: None, ..other }.changed(&one));
}

#[test]
fn what_is_still_to_come_waits_whether_or_not_there_is_a_past() {
    let came = Timestamp::from_second(10 * 86400).unwrap();
    let past = BTreeMap::from([("a".to_owned(), figures(1, 1, Some(1)))]);
    let past = Past { stores: &past, known: None, first_waits: false, came: Some(came) };
    let day = |day: i64| figures(1, 1, Some(day));
    let now =
        BTreeMap::from([("a".to_owned(), day(12)), ("b".to_owned(), day(12)), ("c".to_owned(), day(11))]);
    let judged = judge(&outcome(FileKind::StockSnapshot, FileVerdict::Accept, None), &now, &past);
    let holds: Vec<_> = judged.holds.iter().map(|hold| hold.reason.as_str()).collect();
    assert_eq!((holds, judged.applied), (vec!["future_snapshot"; 2], vec!["c".to_owned()]));
}
