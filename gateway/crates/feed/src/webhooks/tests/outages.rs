//! An endpoint as a whole that is down, overrun, or wants nothing any more.

use super::{
    super::{FAILING_AFTER, MUTE_AFTER},
    *,
};

/// So many letters, each another entity.
fn letters(count: u32) -> String {
    (0..count).filter_map(|one| char::from_u32(0x4e00 + one)).collect()
}

fn is_refund(sent: &Dispatch) -> bool {
    sent.event.kind.contains("refund")
}

#[test]
fn an_endpoint_that_cannot_be_reached_is_probed_one_at_a_time() {
    let mut desk = Desk::new(8);
    desk.tell("abcdefghij");
    let told = desk.run(|_| unreachable());
    assert_eq!(told.split(' ').count(), 8, "what was under way: {told}");
    assert_eq!(desk.stand(), stands("failing", 10 - 2, 8));
    assert_eq!(desk.endpoint.row().failures, 1, "all that were under way tell one thing");
    desk.wait();
    assert_eq!(desk.begin().len(), 1);
    assert_eq!(desk.endpoint.due_at(), None, "one probe at a time");
}

#[test]
fn failures_of_several_entities_in_a_row_are_the_endpoints() {
    let mut desk = Desk::new(1);
    desk.tell("abcdefg");
    assert_eq!(desk.run(|_| silent()), "a1! b2! c3! d4! e5!");
    assert_eq!(desk.stand(), stands("failing", u64::from(FAILING_AFTER), 5));
    // One success in between, and it is not.
    let mut desk = Desk::new(1);
    desk.tell("abcdefghij");
    let told = desk.run(|sent| status(if sent.event.seq == 4 { 200 } else { 500 }));
    assert_eq!(told, "a1! b2! c3! d4 e5! f6! g7! h8! i9!");
}

/// What an application answers to events that it has no use for says nothing of those that it wants.
#[test]
fn events_that_are_refused_for_themselves_do_not_make_the_endpoint_fail() {
    for code in [400, 402, 406, 409, 413, 422, 451] {
        let mut desk = Desk::new(8);
        desk.tell(&letters(60));
        desk.tell("12");
        let told = desk.run(|sent| status(if is_refund(sent) { 200 } else { code }));
        assert_eq!(desk.stand(), stands("active", 62, 60), "{code}");
        assert_eq!(told.matches('!').count(), 60, "{code}: {told}");
    }
}

/// The same by answers that could be the endpoint's: the probe finds the type that is taken.
#[test]
fn a_probe_tries_a_type_of_which_none_was_refused() {
    let mut desk = Desk::new(1);
    desk.tell(&letters(60));
    desk.tell("1");
    let taken = |sent: &Dispatch| status(if is_refund(sent) { 200 } else { 500 });
    desk.run(taken);
    assert_eq!(desk.stand(), stands("failing", 5, 5));
    desk.wait();
    let told = desk.run(taken);
    assert!(told.starts_with("161"), "{told}");
    // Failing again by the next payments; a refund that comes then waits for seconds, not for all of them.
    assert_eq!(desk.stand().0, "failing");
    for _ in 0..4 {
        desk.later(600);
        desk.run(|_| status(500));
    }
    desk.tell("2");
    desk.later(5);
    let told = desk.run(taken);
    assert!(told.starts_with("262"), "{told}");
}

#[test]
fn an_endpoint_that_never_took_anything_and_does_not_know_us_fails_at_once() {
    for (code, state) in [(401, "failing"), (403, "failing"), (404, "failing"), (500, "active")] {
        let mut desk = Desk::new(4);
        desk.tell("a");
        desk.run(|_| status(code));
        assert_eq!(desk.stand().0, state, "{code}");
        desk.endpoint.enable();
        desk.all();
        desk.tell("b");
        desk.run(|_| status(code));
        assert_eq!(desk.stand().0, "active", "{code}: it took one before");
    }
}

#[test]
fn refusals_alone_for_minutes_are_the_endpoints() {
    for code in [401, 400, 422, 500] {
        let mut desk = Desk::new(4);
        desk.tell("a");
        desk.all();
        desk.tell("b");
        let begin = desk.now;
        desk.run(|_| status(code));
        while desk.stand().0 == "active" {
            desk.wait();
            desk.run(|_| status(code));
        }
        let took = desk.now.duration_since(begin);
        assert!(took >= MUTE_AFTER.try_into().unwrap() && took.as_secs() < 1_200, "{code}: {took}");
        let waits = desk.endpoint.due_at().unwrap().duration_since(desk.now).as_secs();
        desk.tell("c");
        desk.later(5);
        let told = desk.run(|sent| status(if sent.event.seq == 3 { 200 } else { code }));
        // What was refused for itself is not hurried.
        let expect = if code == 401 || code == 500 { "c3 b2!" } else { "c3" };
        assert_eq!(told, expect, "{code}: {waits}");
        assert_eq!(desk.stand(), stands("active", 3, 1), "{code}");
    }
}

#[test]
fn an_endpoint_that_was_down_and_judges_events_is_back() {
    let mut desk = Desk::new(1);
    desk.tell("abcdefgh");
    desk.run(|_| unreachable());
    assert_eq!(desk.stand().0, "failing");
    desk.wait();
    desk.run(|sent| status(if sent.event.seq == 2 { 422 } else { 200 }));
    assert_eq!(desk.stand(), stands("active", 8, 1), "b alone is refused");
}

#[test]
fn events_that_could_not_be_taken_do_not_hold_up_new_ones() {
    let mut desk = Desk::new(4);
    desk.tell("abcdefgh");
    desk.run(|_| status(500));
    assert_eq!(desk.stand().0, "failing");
    // For a day nothing else comes, and the waits get long.
    for _ in 0..20 {
        desk.wait();
        desk.run(|_| status(500));
    }
    let long = desk.endpoint.due_at().unwrap().duration_since(desk.now).as_secs();
    assert!(long > 60, "{long}");
    desk.later(10);
    desk.tell("z");
    let told = desk.run(|sent| status(if &*sent.event.subject == "z" { 200 } else { 500 }));
    assert!(told.starts_with("z9"), "a new entity is tried at once: {told}");
    assert_eq!(desk.stand().0, "active");
}

#[test]
fn new_events_do_not_hammer_an_endpoint_that_is_down() {
    let mut desk = Desk::new(4);
    let mut tries = 0;
    // One event a second for ten minutes, each of another entity.
    for second in 0..600_u32 {
        let subject = char::from_u32(0x4e00 + second).unwrap();
        desk.tell(&subject.to_string());
        desk.run(|_| {
            tries += 1;
            unreachable()
        });
        desk.later(1);
    }
    assert!((5..=20).contains(&tries), "{tries} tries in ten minutes");
    desk.wait();
    let told = desk.all();
    assert!(!told.contains('!') && told.split(' ').count() == 600);
}

/// The consumer is down for an hour while an event comes every ten seconds; then it is there again.
#[test]
fn an_hour_of_silence_loses_nothing_and_keeps_the_order() {
    let mut desk = Desk::new(8);
    let begin = desk.now;
    let up_at = begin.checked_add(Duration::from_hours(1)).unwrap();
    let (mut delivered, mut tries) = (Vec::new(), 0);
    let mut last_at = begin;
    for ten_seconds in 0..900 {
        if ten_seconds < 360 {
            let subject = ["a", "b", "c", "d", "e", "f", "g"][ten_seconds % 7];
            desk.tell(subject);
        }
        let now = desk.now;
        desk.run(|sent| {
            if now < up_at {
                tries += 1;
                return unreachable();
            }
            delivered.push((sent.event.subject.to_string(), sent.event.seq));
            last_at = now;
            status(200)
        });
        desk.save();
        desk.later(10);
    }
    assert_eq!(delivered.len(), 360);
    assert!(tries <= 30, "{tries} tries in an hour");
    let late = last_at.duration_since(up_at).as_secs();
    assert!(late <= 3_600, "all was there {late} s after the consumer");
    let mut places = BTreeMap::<_, Vec<u64>>::new();
    for (subject, seq) in delivered {
        places.entry(subject).or_default().push(seq);
    }
    assert!(places.values().all(|places| places.is_sorted()), "{places:?}");
    assert_eq!(desk.stand(), stands("active", 360, 0));
}

#[test]
fn a_wait_that_the_endpoint_asks_for_is_kept() {
    for (code, whole) in [(429, true), (503, true), (500, false)] {
        let mut desk = Desk::new(2);
        desk.tell("a");
        assert_eq!(desk.run(|_| busy(code, 600)), "a1!");
        assert_eq!(desk.stand().0, if whole { "failing" } else { "active" }, "{code}");
        let due = desk.endpoint.due_at().unwrap().duration_since(desk.now).as_secs();
        assert_eq!(due >= 600, whole, "{code}: {due}");
        desk.later(30);
        desk.tell("b");
        assert_eq!(desk.begin().is_empty(), whole, "{code}: nothing before its time, not even a new one");
    }
}

/// One that is under way beside it is taken: that does not end the pause.
#[test]
fn a_pause_that_was_asked_for_is_kept_whatever_else_is_under_way() {
    let mut desk = Desk::new(3);
    desk.tell("abcd");
    let begun = desk.begin();
    let answers = [busy(429, 600), busy(503, 30), status(200)];
    for (sent, answered) in begun.iter().zip(&answers) {
        desk.endpoint.answered(sent, answered, desk.now);
    }
    assert_eq!(desk.stand().0, "failing");
    let due = desk.endpoint.due_at().unwrap().duration_since(desk.now).as_secs();
    assert!(due >= 600, "{due}");
    desk.tell("e");
    desk.later(599);
    assert_eq!(desk.all(), "");
    desk.later(1);
    assert_eq!(desk.endpoint.due_at(), Some(desk.now));
    assert!(!desk.all().is_empty());
    assert_eq!(desk.stand(), stands("active", 5, 0));
}

#[test]
fn a_pause_that_was_asked_for_outlives_a_restart() {
    let mut desk = Desk::new(1);
    desk.tell("a");
    assert_eq!(desk.run(|_| busy(503, 600)), "a1!");
    desk.save();
    desk.crash();
    desk.later(599);
    assert_eq!(desk.all(), "");
    desk.later(1);
    assert_eq!(desk.all(), "a1");
}

#[test]
fn gone_means_nothing_until_somebody_says_so_and_nothing_is_lost() {
    let mut desk = Desk::new(1);
    desk.tell("abc");
    assert_eq!(desk.run(|sent| status(if sent.event.seq == 2 { 410 } else { 200 })), "a1 b2!");
    assert_eq!(desk.stand(), stands("disabled", 2, 1));
    assert_eq!(desk.endpoint.row().since, Some(desk.now));
    desk.save();
    for _ in 0..10 {
        desk.later(86_400);
        desk.tell("d");
        assert_eq!(desk.all(), "");
    }
    assert_eq!((desk.endpoint.due_at(), desk.endpoint.wants()), (None, None));
    desk.crash();
    assert_eq!((desk.stand(), desk.all()), (stands("disabled", 2, 1), String::new()), "also after a restart");
    desk.endpoint.enable();
    assert_eq!(desk.all(), "b2 c3 d4 d5 d6 d7 d8 d9 d10 d11 d12 d13");
    assert_eq!(desk.stand(), stands("active", 13, 0));
    assert_eq!(desk.endpoint.row().reason, None);
}

#[test]
fn back_again_means_full_speed_also_for_what_failed() {
    let mut desk = Desk::new(2);
    desk.tell("abcdef");
    for _ in 0..6 {
        desk.run(|_| unreachable());
        desk.wait();
    }
    let told = desk.all();
    assert!(!told.contains('!') && told.split(' ').count() == 6, "{told}");
    let row = desk.endpoint.row();
    assert_eq!((row.failures, row.next_at, row.since, row.reason), (0, None, None, None));
}
