//! Whose turn it is: order within an entity, speed across entities, and what failed beside what did not.

use super::{
    super::{PARKED_MAX, WINDOW},
    *,
};

#[test]
fn an_entity_has_one_event_under_way_and_others_do_not_wait_for_it() {
    let mut desk = Desk::new(3);
    desk.tell("aabbcd");
    let first = desk.begin();
    let sent: Vec<u64> = first.iter().map(|sent| sent.event.seq).collect();
    assert_eq!(sent, [1, 3, 5], "a, b and c; no second one of a or b, and three at once");
    assert!(desk.begin().is_empty());
    // b is back: its second event goes, although a is still out.
    desk.endpoint.answered(&first[1], &status(204), desk.now);
    assert_eq!(desk.begin()[0].event.seq, 4);
    assert_eq!(desk.stand(), stands("active", 0, 0), "the first event holds the cursor");
    desk.endpoint.answered(&first[0], &status(200), desk.now);
    assert_eq!(desk.endpoint.cursor(), 1);
}

#[test]
fn a_failed_event_holds_its_own_entity_only() {
    let mut desk = Desk::new(1);
    desk.tell("abab");
    assert_eq!(desk.run(|sent| status(if &*sent.event.subject == "a" { 500 } else { 200 })), "a1! b2 b4");
    assert_eq!(desk.stand(), stands("active", 4, 2), "the cursor goes on, a1 and a3 are parked");
    desk.tell("ab");
    assert_eq!(desk.all(), "b6", "a5 stands behind a1, whose time has not come");
    desk.wait();
    assert_eq!(desk.all(), "a1 a3 a5");
    assert_eq!(desk.stand(), stands("active", 6, 0));
    assert_eq!(desk.endpoint.due_at(), None);
}

#[test]
fn waits_of_one_event_grow_and_begin_anew_with_the_next() {
    let mut desk = Desk::new(1);
    desk.tell("aa");
    let mut longest = Vec::new();
    for _ in 0..12 {
        assert_eq!(desk.run(|_| status(500)), "a1!");
        let due = desk.endpoint.due_at().unwrap();
        longest.push(due.duration_since(desk.now).as_secs());
        desk.now = due;
    }
    for (at, (waited, most)) in
        longest.iter().zip([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]).enumerate()
    {
        assert!((1..=most).contains(waited), "wait {at} is {waited} s of at most {most} s");
    }
    assert!(longest.iter().sum::<i64>() > 1_000, "{longest:?}");
    assert_eq!(desk.run(|sent| status(if sent.event.seq == 1 { 200 } else { 500 })), "a1 a2!");
    let next = desk.endpoint.due_at().unwrap().duration_since(desk.now).as_secs();
    assert!(next <= 5, "the second event waits {next} s after its first failure");
}

#[test]
fn failed_ones_leave_room_for_others() {
    let mut desk = Desk::new(4);
    desk.tell("abcd");
    // Four of them: one more would make it the endpoint's failure.
    desk.run(|_| silent());
    desk.wait();
    desk.later(5);
    desk.tell("efghij");
    let begun = desk.begin();
    let retries = begun.iter().filter(|sent| sent.event.seq <= 4).count();
    assert_eq!((begun.len(), retries), (4, 2), "half of the slots");
    assert_eq!(desk.endpoint.due_at(), None, "an answer comes first: nobody spins");
}

#[test]
fn parked_events_are_bounded_and_nothing_is_skipped_beyond() {
    let mut desk = Desk::new(8);
    desk.tell("x");
    assert_eq!(desk.run(|_| status(500)), "x1!");
    for _ in 0..PARKED_MAX + WINDOW {
        desk.tell("x");
    }
    assert_eq!(desk.stand(), stands("active", PARKED_MAX as u64, PARKED_MAX));
    desk.tell("y");
    assert_eq!(desk.all(), "", "y stands behind what is not read");
    desk.save();
    assert_eq!(desk.parked.len(), PARKED_MAX);
    desk.wait();
    let told = desk.all();
    assert_eq!(told.split(' ').count(), PARKED_MAX + WINDOW + 2);
    assert!(told.contains(" y1258"), "{told}");
    assert_eq!(desk.stand(), stands("active", 1_258, 0));
}

#[test]
fn one_slow_entity_does_not_fill_the_window() {
    let mut desk = Desk::new(2);
    desk.tell(&"x".repeat(WINDOW));
    let slow = desk.begin();
    assert_eq!((slow.len(), desk.endpoint.parked()), (1, 0));
    desk.tell("y");
    assert_eq!(desk.all(), "y257");
    desk.endpoint.answered(&slow[0], &status(200), desk.now);
    assert_eq!(desk.all().split(' ').count(), WINDOW - 1);
    assert_eq!(desk.stand(), stands("active", 257, 0));
}

#[test]
fn when_so_much_is_parked_that_nothing_is_read_it_says_by_what() {
    let mut desk = Desk::new(8);
    desk.tell("yx");
    desk.run(|sent| status(if sent.event.seq == 2 { 422 } else { 200 }));
    desk.tell(&"x".repeat(PARKED_MAX - 2));
    assert_eq!(desk.endpoint.stopped(), None);
    desk.tell("xxy");
    let stopped = desk.endpoint.stopped().unwrap();
    assert_eq!((stopped.parked, stopped.seq, stopped.subject.as_str()), (PARKED_MAX as u64, 2, "x"));
    // Somebody gives the first one up: the rest is taken.
    assert_eq!(desk.endpoint.skip(2).unwrap().seq, 2);
    assert_eq!(desk.endpoint.stopped(), None);
    assert_eq!(desk.all().split(' ').count(), PARKED_MAX + 1);
    assert_eq!(desk.stand(), stands("active", 1_003, 0));
}

#[test]
fn a_parked_event_can_be_seen_and_passed_over() {
    let mut desk = Desk::new(1);
    desk.tell("abab");
    desk.run(|sent| status(if &*sent.event.subject == "a" { 422 } else { 200 }));
    let parked = desk.endpoint.parked_events();
    let told: Vec<_> = parked.iter().map(|one| (one.seq, one.failures, one.explain.as_deref())).collect();
    assert_eq!(told, [(1, 1, Some("answered 422")), (3, 0, None)]);
    assert_eq!((parked[0].id.as_str(), parked[0].r#type.as_str()), ("evt_1", "qudao.payment.paid.v1"));
    assert_eq!((parked[0].subject.as_str(), parked[0].next_attempt_at), ("a", desk.endpoint.due_at()));
    for other in [0, 2, 5] {
        assert!(desk.endpoint.skip(other).is_none(), "{other}");
    }
    desk.save();
    assert_eq!(desk.endpoint.skip(1).unwrap().id, "evt_1");
    desk.save();
    assert_eq!(desk.parked.keys().copied().collect::<Vec<_>>(), [3]);
    desk.crash();
    assert_eq!(desk.all(), "a3", "what stood behind it goes on");
    assert_eq!(desk.stand(), stands("active", 4, 0));
}

#[test]
fn one_that_is_passed_over_while_it_is_under_way_does_not_count() {
    let mut desk = Desk::new(1);
    desk.tell("aa");
    desk.run(|_| status(500));
    desk.wait();
    let begun = desk.begin();
    assert_eq!(desk.endpoint.skip(1).unwrap().seq, 1);
    assert!(desk.begin().is_empty(), "a is out");
    desk.endpoint.answered(&begun[0], &status(500), desk.now);
    assert_eq!(desk.all(), "a2");
}

#[test]
fn little_is_read_ahead() {
    let mut desk = Desk::new(2);
    let many: String = (0..1_000_u32).filter_map(|one| char::from_u32(0x4e00 + one)).collect();
    desk.tell(&many);
    assert_eq!(desk.endpoint.waiting(), WINDOW);
    assert_eq!(desk.all().split(' ').count(), 1_000);
    assert_eq!(desk.stand(), stands("active", 1_000, 0));
}
