//! An endpoint as a whole that is down, overrun, or wants nothing any more.

use super::{super::FAILING_AFTER, *};

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

#[test]
fn events_that_are_refused_for_themselves_do_not_hold_up_new_ones() {
    let mut desk = Desk::new(4);
    desk.tell("abcdefgh");
    desk.run(|_| status(422));
    assert_eq!(desk.stand().0, "failing");
    // For a day nothing else comes, and the waits get long.
    for _ in 0..20 {
        desk.wait();
        desk.run(|_| status(422));
    }
    let long = desk.endpoint.due_at().unwrap().duration_since(desk.now).as_secs();
    assert!(long > 60, "{long}");
    desk.later(10);
    desk.tell("z");
    let told = desk.run(|sent| status(if &*sent.event.subject == "z" { 200 } else { 422 }));
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
