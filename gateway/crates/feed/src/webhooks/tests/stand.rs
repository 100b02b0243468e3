//! How an endpoint stands, and that it stands the same after a restart.

use super::*;

#[test]
fn what_is_saved_is_all_there_is_to_know() {
    let mut desk = Desk::new(1);
    desk.tell("abcab");
    desk.run(|sent| status(if &*sent.event.subject == "a" { 503 } else { 200 }));
    desk.save();
    let (row, due) = (desk.endpoint.row(), desk.endpoint.due_at());
    assert_eq!(desk.parked.keys().copied().collect::<Vec<_>>(), [1, 4]);
    desk.crash();
    assert_eq!((desk.endpoint.row(), desk.endpoint.due_at(), desk.endpoint.parked()), (row, due, 2));
    assert!(desk.endpoint.unsaved().is_none(), "a restart moves nothing");
    assert_eq!(desk.all(), "", "its time has not come");
    desk.wait();
    assert_eq!(desk.all(), "a1 a4");
    desk.save();
    assert!(desk.parked.is_empty());
}

#[test]
fn what_was_not_saved_comes_again() {
    let mut desk = Desk::new(1);
    desk.tell("abc");
    assert_eq!(desk.all(), "a1 b2 c3");
    desk.crash();
    assert_eq!(desk.all(), "a1 b2 c3", "at least once");
    desk.save();
    desk.crash();
    assert_eq!(desk.all(), "");
}

#[test]
fn another_url_is_tried_afresh() {
    let mut desk = Desk::new(1);
    desk.tell("ab");
    desk.run(|_| status(410));
    desk.save();
    let other = Settings { url_digest: "b".to_owned(), ..settings(1) };
    let parked: Vec<_> = desk.parked.values().map(|one| (event(one.seq, "a"), *one)).collect();
    desk.endpoint = Endpoint::restored(other, desk.kept.clone().unwrap(), &parked);
    assert_eq!(desk.all(), "a1 b2");
    assert_eq!(desk.endpoint.row().url_digest, "b");
}

#[test]
fn parked_events_of_types_that_are_no_longer_wanted_are_not_sent() {
    let refunds = || Settings { types: vec!["qudao.refund.*".to_owned()], ..settings(2) };
    for live in [true, false] {
        let mut desk = Desk::new(2);
        desk.tell("a1a1");
        desk.run(|_| status(500));
        desk.save();
        assert_eq!(desk.parked.len(), 4);
        if live {
            desk.endpoint.change(refunds());
        } else {
            let parked: Vec<_> = desk
                .parked
                .values()
                .map(|one| (event(one.seq, ["a", "1"][usize::from(one.seq.is_multiple_of(2))]), *one))
                .collect();
            desk.endpoint = Endpoint::restored(refunds(), desk.kept.clone().unwrap(), &parked);
        }
        assert!(desk.endpoint.is_dirty());
        desk.save();
        assert_eq!(desk.parked.keys().copied().collect::<Vec<_>>(), [2, 4], "live: {live}");
        desk.later(10);
        assert_eq!(desk.all(), "12 14");
    }
}

/// The secret or the time limit: what is under way ends as it began, and nothing is sent beside it.
#[test]
fn a_change_leaves_alone_what_is_under_way() {
    let mut desk = Desk::new(2);
    desk.tell("aab");
    let begun = desk.begin();
    desk.endpoint.change(Settings { parallel: 4, ..settings(2) });
    assert!(desk.begin().is_empty());
    desk.endpoint.answered(&begun[0], &status(200), desk.now);
    desk.endpoint.answered(&begun[1], &status(200), desk.now);
    assert_eq!(desk.all(), "a2");
    // Other types: what is read ahead is read again, and none is beside itself.
    desk.tell("cc2");
    let begun = desk.begin();
    desk.endpoint.change(Settings { types: vec!["qudao.payment.*".to_owned()], ..settings(2) });
    desk.endpoint.take(3, &[event(4, "c"), event(5, "c")], 6);
    assert!(desk.begin().is_empty(), "c is out");
    for sent in &begun {
        desk.endpoint.answered(sent, &status(200), desk.now);
    }
    assert_eq!(desk.all(), "c4 c5");
}

/// A write that nobody waits for any more may still happen, and one that failed may have.
#[test]
fn after_a_write_of_which_nothing_is_known_everything_is_written() {
    for (happens, is_told) in [(true, false), (false, false), (true, true), (false, true)] {
        let mut desk = Desk::new(1);
        desk.tell("aba");
        desk.run(|sent| status(if &*sent.event.subject == "a" { 500 } else { 200 }));
        desk.save();
        assert!(desk.endpoint.rewind(0));
        let step = desk.endpoint.unsaved().unwrap();
        assert_eq!(step.unparked, [1, 3]);
        if happens {
            desk.kept = Some(step.row);
            desk.parked.clear();
        }
        if is_told {
            desk.endpoint.not_saved();
        }
        desk.run(|sent| status(if &*sent.event.subject == "a" { 500 } else { 200 }));
        desk.save();
        assert_eq!(desk.parked.keys().copied().collect::<Vec<_>>(), [1, 3], "{happens} {is_told}");
        desk.crash();
        desk.wait();
        assert_eq!(desk.all(), "a1 a3");
    }
}

#[test]
fn what_is_sent_once_more_comes_in_order_and_parked_ones_stay() {
    let mut desk = Desk::new(1);
    desk.tell("abcab");
    assert_eq!(desk.run(|sent| status(if sent.event.seq == 1 { 500 } else { 200 })), "a1! b2 c3 b5");
    assert!(!desk.endpoint.rewind(5) && !desk.endpoint.rewind(9), "it has not come further");
    desk.save();
    assert!(desk.endpoint.rewind(2));
    assert_eq!(desk.stand(), stands("active", 2, 1));
    desk.save();
    assert_eq!(desk.parked.keys().copied().collect::<Vec<_>>(), [1], "a4 is read again");
    assert_eq!(desk.all(), "c3 b5", "a4 stands behind a1");
    desk.wait();
    assert_eq!(desk.all(), "a1 a4");
    assert!(desk.endpoint.rewind(0));
    assert_eq!(desk.all(), "a1 b2 c3 a4 b5");
}

#[test]
fn what_is_under_way_at_a_rewind_ends_and_does_not_count() {
    let mut desk = Desk::new(2);
    desk.tell("aab");
    desk.save();
    let begun = desk.begin();
    desk.endpoint.answered(&begun[1], &status(200), desk.now);
    desk.tell("c");
    assert_eq!(desk.begin().len(), 1, "c beside a");
    // Behind nothing: a and c are still out, and a may not be sent beside itself.
    let mut desk = Desk::new(2);
    desk.tell("aab");
    let first = desk.begin();
    desk.endpoint.answered(&first[0], &status(200), desk.now);
    desk.endpoint.answered(&first[1], &status(200), desk.now);
    let second = desk.begin();
    assert_eq!(second[0].event.seq, 2);
    assert!(desk.endpoint.rewind(0));
    desk.read();
    let third = desk.begin();
    assert_eq!(third.iter().map(|sent| sent.event.seq).collect::<Vec<_>>(), [3], "a is out");
    desk.endpoint.answered(&second[0], &status(500), desk.now);
    assert_eq!(desk.endpoint.parked(), 0, "an answer of before parks nothing");
    desk.endpoint.answered(&third[0], &status(200), desk.now);
    assert_eq!(desk.all(), "a1 a2");
    assert_eq!(desk.stand(), stands("active", 3, 0));
}

#[test]
fn what_was_read_before_a_rewind_is_not_taken() {
    let mut desk = Desk::new(1);
    desk.tell("ab");
    assert_eq!(desk.all(), "a1 b2");
    let (after, _) = desk.endpoint.wants().unwrap();
    assert!(desk.endpoint.rewind(0));
    desk.endpoint.take(after, &[event(3, "c")], 3);
    desk.feed.push(event(3, "c"));
    assert_eq!(desk.all(), "a1 b2 c3");
}

#[test]
fn events_of_other_types_are_passed() {
    let mut desk = Desk::new(1);
    desk.save();
    desk.endpoint.take(0, &[], 40);
    assert_eq!(desk.endpoint.cursor(), 40);
    assert!(!desk.endpoint.is_dirty(), "worth no flush of the disk");
    desk.save();
    assert_eq!(desk.kept.as_ref().unwrap().cursor, 40);
}
