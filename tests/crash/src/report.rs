//! What came of a run.

use crate::ledger::Counts;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// All of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Repeats what is sent and where kills are aimed.
    pub seed: u64,
    /// Kills that were survived, or up to the one that was not.
    pub cycles: u32,
    /// How many kills were aimed at what.
    pub kills: BTreeMap<&'static str, u32>,
    /// How many of them struck there, by what the gateway left behind.
    pub hit: BTreeMap<&'static str, u32>,
    /// Copies of the log back into the database.
    pub copies: Copies,
    /// Requests.
    pub counts: Counts,
    /// What is in the database.
    pub kept: Kept,
    /// From the start of the process to the first answer of a hook.
    pub restarts: Restarts,
    /// The same of databases of older versions.
    pub migrations: Restarts,
    /// One sentence each; empty if all is well.
    pub missing: Vec<String>,
}

impl Report {
    /// A kill was aimed at this, and struck there or not.
    pub(crate) fn killed(&mut self, what: &'static str, hit: bool) {
        *self.kills.entry(what).or_default() += 1;
        *self.hit.entry(what).or_default() += u32::from(hit);
    }

    /// Whether one ever struck there.
    pub(crate) fn is_hit(&self, what: &str) -> bool {
        self.hit.get(what).is_some_and(|hit| *hit > 0)
    }
}

/// What is known of copies of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Copies {
    /// Kills of a gateway that copies its log back again and again.
    pub lives: u32,
    /// How often the log of such a one started over, which it does only once all of it was copied.
    pub started_over: u32,
}

/// Rows at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Of the inbox.
    pub deliveries: u64,
    /// Facts.
    pub observations: u64,
    /// Without levels of stock.
    pub entities: u64,
    /// Of the feed.
    pub events: u64,
    /// Files.
    pub imports: u64,
    /// Of the shop.
    pub orders: u64,
    /// Of the shop.
    pub aftersales: u64,
}

/// How long starts took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Restarts {
    /// How many.
    pub count: usize,
    /// Median.
    pub median_ms: u64,
    /// 95 of 100 took no longer.
    pub p95_ms: u64,
    /// Longest.
    pub max_ms: u64,
}

impl Restarts {
    pub(crate) fn of(mut took: Vec<Duration>) -> Restarts {
        took.sort_unstable();
        let at = |per_cent: usize| {
            let place = (took.len() * per_cent).div_ceil(100).saturating_sub(1);
            took.get(place).map_or(0, |took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
        };
        Restarts { count: took.len(), median_ms: at(50), p95_ms: at(95), max_ms: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let took = |millis: &[u64]| Restarts::of(millis.iter().copied().map(Duration::from_millis).collect());
        let restarts = took(&[9, 1, 5]);
        assert_eq!((restarts.count, restarts.median_ms, restarts.max_ms), (3, 5, 9));
        assert_eq!(restarts.p95_ms, 9, "of few all count");
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!((took(&hundred).median_ms, took(&hundred).p95_ms), (50, 95));
        assert_eq!(took(&[]), Restarts::default());
    }
}
