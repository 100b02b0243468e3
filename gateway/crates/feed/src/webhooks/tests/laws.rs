//! Laws, on histories of any kind: endpoints that refuse, hang, vanish and come back, crashes between any two steps.

use super::*;
use proptest::{collection::vec, prelude::*, sample::select};
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Step {
    Tell(&'static str),
    /// One event goes out.
    Send,
    /// The one that is out longest is answered.
    Answer(Answered),
    Wait(u16),
    Save,
    /// The same, and nobody hears whether it happened (`true`).
    Abandon(bool),
    /// Another configuration with all or fewer slots.
    Change,
    /// What is out is cut off; the endpoint may have had it (`true`).
    Crash(bool),
    Enable,
}

fn answer() -> impl Strategy<Value = Answered> {
    let mut some = vec![status(200), status(200), status(200), status(500), status(404), status(302)];
    some.extend([silent(), unreachable(), busy(503, 40), busy(429, 7200), status(410)]);
    select(some)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => select(vec!["a", "b", "c", "ab", "aab", "abcd", "dd"]).prop_map(Step::Tell),
        6 => Just(Step::Send),
        6 => answer().prop_map(Step::Answer),
        3 => (0_u16..2_000).prop_map(Step::Wait),
        2 => Just(Step::Save),
        1 => any::<bool>().prop_map(Step::Abandon),
        1 => Just(Step::Change),
        1 => any::<bool>().prop_map(Step::Crash),
        1 => Just(Step::Enable),
    ]
}

/// What the consumer has seen, and that it saw it in order.
#[derive(Default)]
struct Consumer {
    had: BTreeSet<u64>,
}

impl Consumer {
    /// A consumer that drops what it had by id sees each entity's events one after the other.
    fn takes(&mut self, feed: &[CloudEvent], sent: &Dispatch) {
        let before =
            feed.iter().filter(|event| event.seq < sent.event.seq && event.subject == *sent.event.subject);
        for earlier in before {
            assert!(self.had.contains(&earlier.seq), "{} overtook {}", sent.event.seq, earlier.seq);
        }
        self.had.insert(sent.event.seq);
    }
}

fn play(parallel: usize, steps: Vec<Step>) -> (Desk, Consumer) {
    let mut desk = Desk::new(parallel);
    let mut consumer = Consumer::default();
    let mut out: Vec<Dispatch> = Vec::new();
    for step in steps {
        match step {
            Step::Tell(subjects) => desk.tell(subjects),
            Step::Send => {
                desk.read();
                out.extend(desk.endpoint.next(desk.now));
                let subjects: BTreeSet<_> = out.iter().map(|sent| sent.event.subject.clone()).collect();
                assert_eq!(subjects.len(), out.len(), "one event of an entity at a time");
                assert!(out.len() <= parallel);
            }
            Step::Answer(answered) if !out.is_empty() => {
                let sent = out.remove(0);
                // Whoever did not answer may have had it.
                if matches!(answered, Answered::Status { status: 200, .. } | Answered::Silent { .. }) {
                    consumer.takes(&desk.feed, &sent);
                }
                desk.endpoint.answered(&sent, &answered, desk.now);
            }
            Step::Answer(_) => {}
            Step::Wait(seconds) => desk.later(i64::from(seconds)),
            Step::Save => desk.save(),
            Step::Abandon(happens) => drop(desk.abandon(happens)),
            Step::Change => desk
                .endpoint
                .change(Settings { url: "https://hq.example/b".to_owned(), ..settings(parallel) }),
            Step::Crash(had) => {
                for sent in out.drain(..).filter(|_| had) {
                    consumer.takes(&desk.feed, &sent);
                }
                desk.crash();
            }
            Step::Enable => desk.endpoint.enable(),
        }
        let kept = desk.kept.as_ref().unwrap();
        assert!(kept.cursor <= desk.endpoint.cursor(), "a cursor goes forward");
        let passed = desk.feed.iter().filter(|event| event.seq <= kept.cursor);
        for event in passed {
            let is_kept = consumer.had.contains(&event.seq) || desk.parked.contains_key(&event.seq);
            assert!(is_kept, "{} is passed, not delivered and not parked", event.seq);
        }
    }
    desk.crash();
    (desk, consumer)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_overtakes(parallel in 1_usize..5, steps in vec(step(), 0..120)) {
        let (mut desk, mut consumer) = play(parallel, steps);
        // In the end the endpoint is there, and somebody enabled it.
        desk.endpoint.enable();
        for _ in 0..1_000 {
            desk.read();
            let begun = desk.begin();
            if begun.is_empty() {
                break;
            }
            for sent in begun {
                consumer.takes(&desk.feed, &sent);
                desk.endpoint.answered(&sent, &status(200), desk.now);
            }
        }
        let all: BTreeSet<u64> = desk.feed.iter().map(|event| event.seq).collect();
        prop_assert_eq!(&consumer.had, &all);
        prop_assert_eq!(desk.endpoint.cursor(), desk.feed.len() as u64);
        prop_assert_eq!(desk.endpoint.waiting(), 0);
    }

    /// Whatever happened, an endpoint that takes everything gets everything, by waiting alone.
    #[test]
    fn waiting_is_enough(parallel in 1_usize..5, steps in vec(step(), 0..80)) {
        let (mut desk, mut consumer) = play(parallel, steps);
        if desk.stand().0 == "disabled" {
            desk.endpoint.enable();
        }
        let begin = desk.now;
        loop {
            let told = desk.run(|sent| { consumer.had.insert(sent.event.seq); status(200) });
            prop_assert!(!told.contains('!'));
            let Some(due) = desk.endpoint.due_at() else { break };
            prop_assert!(due > desk.now, "{due} is over, and nothing was sent");
            desk.now = due;
        }
        prop_assert_eq!(desk.endpoint.waiting(), 0);
        prop_assert_eq!(consumer.had.len(), desk.feed.len());
        let waited = desk.now.duration_since(begin).as_secs();
        prop_assert!(waited <= 2 * 3_600, "{} s", waited);
    }
}
