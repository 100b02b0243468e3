//! Fault simulation: one seed is one history of a real gateway among failing platforms, on a failing disk.
//!
//! Storage, pipeline, feed, host and connectors are those of the gateway; platforms are the simulators, the clock is set by
//! hand, and below SQLite lies a [`disk::Disk`] that fails and stops on command. [`run`] plays a history, lets everything
//! heal and come to rest, and then asserts what must hold whatever happened; that nothing acknowledged is lost is asserted after
//! each stop, too. What did happen is counted in [`Seen`]. What surprises: the gateway's threads are real, so a seed decides what
//! happens and not which of two threads is first; nearly all histories repeat exactly.
//!
//! What is not here: a disk that fails below files of an ERP and the rows that an import spools, which SQLite does not write;
//! the tests of `pipeline` fill it there. A database that may not grow or be written is in `tests/it`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    reason = "test support: a panic is a failed history"
)]

pub mod disk;
pub mod history;

mod chain;
mod channels;
mod courier;
mod hook;
mod life;
mod once;
mod oracle;
mod reader;
mod seen;
mod till;
mod trouble;
mod world;

pub use seen::Seen;

use history::Step;
use std::panic::AssertUnwindSafe;
use world::World;

/// A history that ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// Places of the steps that were played.
    pub steps: Vec<usize>,
    /// What did not hold.
    pub text: String,
}

/// Plays the whole history of a seed; gives what happened in it.
pub fn run(seed: u64) -> Result<Seen, Failure> {
    play(seed, &(0..history::steps(seed).len()).collect::<Vec<_>>(), false)
}

/// Plays the steps of a seed at `places`; the disk lies about flushes where so wanted.
pub fn play(seed: u64, places: &[usize], lies: bool) -> Result<Seen, Failure> {
    let steps = history::steps(seed);
    let chosen: Vec<(usize, Step)> =
        places.iter().filter_map(|place| Some((*place, *steps.get(*place)?))).collect();
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(Box::pin(history_of(seed, &chosen, lies)))
    }));
    played.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Failure { seed, steps: places.to_vec(), text: text.unwrap_or_default() }
    })
}

async fn history_of(seed: u64, steps: &[(usize, Step)], lies: bool) -> Seen {
    let mut world = World::new(seed).await;
    if lies {
        world.disk.lie();
    }
    for (place, step) in steps {
        world.step(seed, *place, *step).await;
    }
    oracle::settle(&mut world, seed).await;
    world.seen()
}

/// Most histories that are played to shorten one.
const TRIALS: usize = 120;

/// Leaves steps out for as long as the rest fails too.
pub fn shorten(failure: &Failure) -> Failure {
    let mut shortest = failure.clone();
    let (mut chunk, mut trials) = (shortest.steps.len().div_ceil(2), 0);
    while chunk > 0 && trials < TRIALS {
        let (mut at, mut shorter) = (0, false);
        while at < shortest.steps.len() && trials < TRIALS {
            let end = (at + chunk).min(shortest.steps.len());
            let rest = [&shortest.steps[..at], &shortest.steps[end..]].concat();
            trials += 1;
            match play(failure.seed, &rest, false) {
                Err(failed) => (shortest, shorter) = (failed, true),
                Ok(_) => at = end,
            }
        }
        if !shorter || chunk > 1 {
            chunk /= 2;
        }
    }
    shortest
}
