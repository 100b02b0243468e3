//! The runner of imports: which one is next, and when one that could not be run is tried again.
//!
//! One channel imports one file at a time, oldest first, so that an older snapshot is not judged beside a newer one.

use super::Imports;
use crate::{
    Error, Tasks,
    schedule::{later, since},
};
use qudao_model::{
    Timestamp,
    fault::{Retry, chain},
};
use qudao_storage::{ImportMove, ImportRow, ImportState};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tracing::{error, warn};

/// Files that are imported at once: each may take the memory of a sandbox.
const AT_ONCE: usize = 2;
/// Longest sleep: the clock of the machine may jump.
const IDLE: Duration = Duration::from_secs(30);
/// First and longest wait after an import could not be run.
const WAIT: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_mins(5);
/// Tries of what is not said to go away by itself.
const TRIES: u32 = 3;

/// Who is under way, and who waits.
#[derive(Debug, Default)]
pub(super) struct Pace {
    under_way: BTreeSet<String>,
    waits: BTreeMap<String, Wait>,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    until: Timestamp,
    tries: u32,
}

impl Pace {
    /// Everybody may try at once.
    pub(super) fn forget(&mut self) {
        self.waits.clear();
    }
}

/// A channel's turn; given back when it is dropped, with a pause unless it ended well.
struct Turn {
    imports: Imports,
    channel: String,
    ended: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let now = self.imports.now();
        let mut pace = self.imports.pace();
        pace.under_way.remove(&self.channel);
        if self.ended {
            pace.waits.remove(&self.channel);
        } else {
            pace.waits.entry(self.channel.clone()).or_insert(Wait { until: later(now, WAIT), tries: 1 });
        }
        drop(pace);
        self.imports.0.wake.notify_one();
    }
}

impl Imports {
    /// Runs until `tasks` stop.
    pub(crate) async fn keep(self, tasks: Tasks) {
        let stopping = tasks.stopping();
        loop {
            let wait = match self.begin(&tasks).await {
                Ok(next) => next.map_or(IDLE, |next| since(self.now(), next)),
                Err(error) => {
                    warn!("what is to be imported cannot be read: {}", chain(&error));
                    WAIT
                }
            };
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.0.wake.notified() => {}
                () = tokio::time::sleep(wait.min(IDLE)) => {}
            }
        }
    }

    /// Begins what can begin. Says when the next one can that waits.
    async fn begin(&self, tasks: &Tasks) -> Result<Option<Timestamp>, Error> {
        while let Some((row, turn)) = self.next().await? {
            let stopping = tasks.stopping();
            let imports = self.clone();
            tasks.spawn("import", async move {
                tokio::select! {
                    // Cut off in the middle: the next start takes it up again.
                    () = stopping.cancelled() => {}
                    _ = imports.turn(row, turn) => {}
                }
            });
        }
        let now = self.now();
        let pace = self.pace();
        Ok(pace.waits.values().map(|wait| wait.until).filter(|until| *until > now).min())
    }

    /// Everything that can be run now, one after the other, until nothing is left that can.
    #[cfg(test)]
    pub(crate) async fn run_all(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        while let Some((row, turn)) = self.next().await.unwrap() {
            troubles.extend(self.turn(row, turn).await);
        }
        troubles
    }

    /// The oldest import of a channel that has its turn.
    async fn next(&self) -> Result<Option<(ImportRow, Turn)>, Error> {
        if self.stopped() {
            return Ok(None);
        }
        let rows = self.storage().unfinished_imports().await?;
        let now = self.now();
        let readers = self.0.readers.load_full();
        let mut pace = self.pace();
        if pace.under_way.len() >= AT_ONCE {
            return Ok(None);
        }
        let can = |row: &ImportRow| {
            let waits = pace.waits.get(&row.channel).is_some_and(|wait| wait.until > now);
            let reads = readers.get(&row.channel).is_some_and(|reader| reader.reads());
            reads && !waits && !pace.under_way.contains(&row.channel)
        };
        let Some(row) = rows.into_iter().find(can) else { return Ok(None) };
        pace.under_way.insert(row.channel.clone());
        drop(pace);
        let turn = Turn { imports: self.clone(), channel: row.channel.clone(), ended: false };
        Ok(Some((row, turn)))
    }

    /// Runs one, and says why it could not be run.
    async fn turn(&self, row: ImportRow, mut turn: Turn) -> Option<String> {
        let (id, channel, name) = (row.id.clone(), row.channel.clone(), row.name.clone());
        match self.run(row).await {
            Ok(_) => {
                turn.ended = true;
                None
            }
            Err(error) => {
                let tries = self.put_off(&channel, error.retry());
                let text = chain(&error);
                if tries > TRIES && error.retry() == Retry::Never {
                    error!(import.id = id, channel.name = channel, "`{name}` cannot be imported: {text}");
                    turn.ended = self.give_up(&id, error.code(), &text).await;
                } else {
                    warn!(
                        import.id = id,
                        channel.name = channel,
                        "`{name}` is tried again, import {tries}: {text}"
                    );
                }
                Some(text)
            }
        }
    }

    /// Lets a channel wait; says how often that happened in a row.
    fn put_off(&self, channel: &str, retry: Retry) -> u32 {
        let now = self.now();
        let mut pace = self.pace();
        let tries = pace.waits.get(channel).map_or(0, |wait| wait.tries).saturating_add(1);
        let own = WAIT.saturating_mul(1 << tries.min(10)).min(WAIT_MAX);
        let wait = match retry {
            Retry::After(wait) => wait.max(own),
            Retry::Now | Retry::Never => own,
        };
        pace.waits.insert(channel.to_owned(), Wait { until: later(now, wait), tries });
        tries
    }

    /// It does not go away by itself: an operator has to look.
    async fn give_up(&self, id: &str, code: &str, text: &str) -> bool {
        let to = ImportMove {
            reason: Some(code.to_owned()),
            explain: Some(text.to_owned()),
            ..ImportMove::to(id, ImportState::Failed, self.now())
        };
        self.step(to).await.is_ok()
    }
}
