//! Two hundred histories in the suite, and the proof that a broken promise shows.

#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "helpers of tests are tests too: a panic is a failed test"
)]

use qudao_simulation::{Seen, history, play, run};

/// Histories of one test; the runner plays several tests at a time.
const EACH: u64 = 25;

/// What has to occur in the histories of each test.
const OCCURS: &[(&str, &[&str])] = &[
    (
        "disk",
        &[
            "no space, log",
            "write fails, log",
            "half a write, log",
            "flush fails, log",
            "stop, log",
            "no space, database",
            "write fails, database",
            "half a write, database",
            "flush fails, database",
            "stop, database",
        ],
    ),
    ("log", &["copy begun", "copy finished", "started over"]),
    ("stops", &["killed", "power lost", "between calls"]),
    ("starts", &["stopped", "failed"]),
    (
        "calls",
        &[
            "delay",
            "drop before",
            "drop after apply",
            "half body",
            "status",
            "platform error",
            "wrong signature",
            "duplicate",
            "reorder",
            "half page",
        ],
    ),
    (
        "notices",
        &[
            "lost",
            "doubled",
            "swapped",
            "damaged",
            "sent again though acknowledged",
            "acknowledged, the answer lost",
        ],
    ),
    ("webhook", &["fine", "down", "broken", "picky", "forgetful", "busy", "gone"]),
    ("files", &["turned away", "confirmed", "import cut off"]),
    ("clock", &["jumps ahead", "jumps back"]),
];

fn histories(part: u64) {
    let mut seen = Seen::default();
    for seed in part * EACH + 1..=(part + 1) * EACH {
        match run(seed) {
            Ok(one) => seen.merge(&one),
            Err(failure) => panic!("{}\n\ncargo xtask sim --seed {seed}", failure.text),
        }
    }
    let names = OCCURS.iter().flat_map(|(group, names)| names.iter().map(move |name| (*group, *name)));
    let missing: Vec<_> = names.filter(|(group, name)| seen.count(group, name) == 0).collect();
    assert!(missing.is_empty(), "{missing:?} never occurred, so that nothing is proven about it:\n\n{seen}");
}

macro_rules! parts {
    ($($name:ident $part:expr;)*) => { $(#[test] fn $name() { histories($part); })* };
}

parts! {
    histories_1_to_25 0;
    histories_26_to_50 1;
    histories_51_to_75 2;
    histories_76_to_100 3;
    histories_101_to_125 4;
    histories_126_to_150 5;
    histories_151_to_175 6;
    histories_176_to_200 7;
}

/// A disk that says it has flushed and has not: acknowledged deliveries are lost, and a history has to find that out.
#[test]
fn a_disk_that_lies_about_flushes_is_found_out() {
    let found = (1..=60).find_map(|seed| {
        let places: Vec<usize> = (0..history::steps(seed).len()).collect();
        play(seed, &places, true).err()
    });
    let failure =
        found.expect("sixty histories on a lying disk went well: nothing is proven by those that go well");
    assert!(!failure.text.is_empty());
}
