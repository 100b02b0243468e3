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
use tokio_util::sync::CancellationToken;
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
/// Tries of what is said to go away by itself: with the longest wait more than two hours. Then the next file has its turn.
const TRIES_LATER: u32 = 30;

/// Who is under way, and who waits.
#[derive(Debug, Default)]
pub(super) struct Pace {
    under_way: BTreeMap<String, UnderWay>,
    waits: BTreeMap<String, Wait>,
    /// Imports that do not begin: somebody is discarding them.
    halted: BTreeSet<String>,
}

#[derive(Debug)]
struct UnderWay {
    import: String,
    stop: CancellationToken,
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

    /// Lets a channel wait, for `least` at least; says how often that happened in a row.
    fn put_off(&mut self, channel: &str, now: Timestamp, least: Duration) -> u32 {
        let tries = self.waits.get(channel).map_or(0, |wait| wait.tries).saturating_add(1);
        let own = WAIT.saturating_mul(1 << tries.min(10)).min(WAIT_MAX);
        self.waits.insert(channel.to_owned(), Wait { until: later(now, least.max(own)), tries });
        tries
    }
}

/// An import that does not run and does not begin until this is dropped.
pub(super) struct Halted {
    imports: Imports,
    channel: String,
    id: String,
}

impl Halted {
    /// Waits until it does not run any more.
    pub(super) async fn rested(&self) {
        let mut moved = self.imports.0.moved.subscribe();
        loop {
            moved.borrow_and_update();
            match self.imports.pace().under_way.get(&self.channel) {
                Some(one) if one.import == self.id => one.stop.cancel(),
                Some(_) | None => return,
            }
            if moved.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Halted {
    fn drop(&mut self) {
        self.imports.pace().halted.remove(&self.id);
        self.imports.0.wake.notify_one();
    }
}

/// A channel's turn; given back when it is dropped, with a pause unless it ended well.
struct Turn {
    imports: Imports,
    channel: String,
    stop: CancellationToken,
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
            // Cut off, perhaps by a panic: where no pause was set, it is not begun again at once.
            let paused = pace.waits.get(&self.channel).is_some_and(|wait| wait.until > now);
            if !paused {
                pace.put_off(&self.channel, now, Duration::ZERO);
            }
        }
        drop(pace);
        self.imports.0.moved.send_modify(|ticks| *ticks += 1);
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

    /// Everything that can be run now, one after the other, until nothing is left that can; says what could not be run.
    pub(crate) async fn run_due(&self) -> Result<Vec<String>, Error> {
        let mut troubles = Vec::new();
        while let Some((row, turn)) = self.next().await? {
            troubles.extend(self.turn(row, turn).await);
        }
        Ok(troubles)
    }

    #[cfg(test)]
    pub(crate) async fn run_all(&self) -> Vec<String> {
        self.run_due().await.unwrap()
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
            reads && !waits && !pace.under_way.contains_key(&row.channel) && !pace.halted.contains(&row.id)
        };
        let Some(row) = rows.into_iter().find(can) else { return Ok(None) };
        let stop = CancellationToken::new();
        let under_way = UnderWay { import: row.id.clone(), stop: stop.clone() };
        pace.under_way.insert(row.channel.clone(), under_way);
        drop(pace);
        let turn = Turn { imports: self.clone(), channel: row.channel.clone(), stop, ended: false };
        Ok(Some((row, turn)))
    }

    /// Runs one, and says why it could not be run.
    async fn turn(&self, row: ImportRow, mut turn: Turn) -> Option<String> {
        let (id, channel, name) = (row.id.clone(), row.channel.clone(), row.name.clone());
        let ran = tokio::select! {
            ran = Box::pin(self.run(row)) => ran,
            () = turn.stop.cancelled() => {
                // Whoever stopped it goes on with it.
                turn.ended = true;
                return None;
            }
        };
        match ran {
            Ok(_) => {
                turn.ended = true;
                None
            }
            Err(error) => {
                let tries = self.put_off(&channel, error.retry());
                let text = chain(&error);
                let most = if matches!(error, Error::NotNow { .. }) {
                    Some(TRIES_LATER)
                } else {
                    Some(TRIES).filter(|_| error.retry() == Retry::Never)
                };
                if most.is_some_and(|most| tries > most) {
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
        let least = match retry {
            Retry::After(wait) => wait,
            Retry::Now | Retry::Never => Duration::ZERO,
        };
        let now = self.now();
        self.pace().put_off(channel, now, least)
    }

    /// Keeps an import from running, and asks it to stop where it runs.
    pub(super) fn halt(&self, row: &ImportRow) -> Halted {
        self.pace().halted.insert(row.id.clone());
        Halted { imports: self.clone(), channel: row.channel.clone(), id: row.id.clone() }
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
