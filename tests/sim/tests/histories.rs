//! Two hundred histories in the suite, and the proof that a broken promise shows.

#![allow(
    clippy::panic,
    clippy::expect_used,
    reason = "helpers of tests are tests too: a panic is a failed test"
)]

use qudao_simulation::{history, play, run};

/// Histories of one test; the runner plays several tests at a time.
const EACH: u64 = 25;

fn histories(part: u64) {
    for seed in part * EACH + 1..=(part + 1) * EACH {
        if let Err(failure) = run(seed) {
            panic!("{}\n\ncargo xtask sim --seed {seed}", failure.text);
        }
    }
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
