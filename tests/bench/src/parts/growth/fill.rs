//! Rows as notices make them, without their cryptography: one real notice is the template, its numbers are made anew.

use crate::args::Measure;
use crate::figures::per_second;
use crate::notices;
use crate::parts::calls;
use crate::parts::sides::Both;
use crate::reference::fill::{self as native, Filled};
use anyhow::{Context, Result, anyhow, bail, ensure};
use qudao_config::ProcessEnvironment;
use qudao_model::delivery::Acceptance;
use qudao_model::{Facts, Request, Timestamp, Verdict};
use qudao_pipeline::Gateway;
use qudao_sim::dice::Dice;
use qudao_storage::{Incoming, Location, Options, Storage};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Threads that make rows, and rows that each has under way: enough for full commits.
const THREADS: u64 = 2;
const UNDER_WAY: u64 = 512;
/// Beside notices of the first day of 2026, one every 100 ms.
const FROM: i64 = 1_767_225_600;
const EVERY_MS: u64 = 100;
/// A database that takes longer to fill than this is not filled.
const FILL_MAX: Duration = Duration::from_mins(6);

/// Makes rows, each once.
pub(super) struct Filler {
    request: Request,
    acceptance: Acceptance,
    /// Id of the template's notice.
    id: String,
    canonical: Vec<u8>,
    /// Rows made for the gateway, for the reference, and events that came otherwise.
    made: u64,
    natively: u64,
    others: u64,
}

impl Filler {
    pub(super) fn new(measure: &Measure) -> Result<Filler> {
        let request = notices::make(1, 1)?.pop().context("no notice")?.request;
        let Verdict::Accepted(acceptance) = calls::verdict(measure, &request)? else {
            bail!("the template was not accepted");
        };
        let envelope: serde_json::Value = serde_json::from_slice(&request.body)?;
        let id =
            envelope.get("id").and_then(serde_json::Value::as_str).context("a notice without id")?.to_owned();
        let canonical = serde_json::to_vec(&acceptance.observations)?;
        Ok(Filler { request, acceptance, id, canonical, made: 0, natively: 0, others: 0 })
    }

    /// So many events are there by now, however they came.
    pub(super) fn skip(&mut self, events: u64) {
        self.others = events.saturating_sub(self.made);
    }

    /// Fills both up to so many events; rows a second.
    pub(super) fn fill(&mut self, gateway: &Path, reference: &Path, events: u64) -> Result<Both<u64>> {
        let (from, to) = (self.made, events.saturating_sub(self.others).max(self.made));
        let begun = Instant::now();
        self.through_storage(gateway, from, to)?;
        let gateway = per_second(to - from, begun.elapsed());
        let begun = Instant::now();
        let rows = (self.natively..events).map(|row| self.filled(row));
        native::fill(&reference.join("reference.db"), rows)?;
        let reference = per_second(events.saturating_sub(self.natively), begun.elapsed());
        (self.made, self.natively) = (to, events);
        Ok(Both { gateway, reference })
    }

    /// The id of some row that the reference has.
    pub(super) fn some_id(&self, dice: &mut Dice) -> String {
        self.id_of(dice.throw() % self.natively.max(1))
    }

    fn through_storage(&self, folder: &Path, from: u64, to: u64) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        // As the gateway has it: without its rules every payment would wait to be linked, and nobody links here.
        let config = qudao_config::load(&folder.join("connectors.yaml"), &ProcessEnvironment)
            .map_err(|findings| anyhow!("{findings}"))?;
        let options = Options::new(Location::Sqlite(folder.join("data")), Gateway::fold_of(&config));
        let storage = runtime.block_on(Storage::open(options))?;
        let (next, end) = (AtomicU64::new(from), Instant::now() + FILL_MAX);
        let work = || {
            while Instant::now() < end {
                let first = next.fetch_add(UNDER_WAY, Ordering::Relaxed);
                let rows = first.min(to)..first.saturating_add(UNDER_WAY).min(to);
                if rows.is_empty() {
                    return Ok(());
                }
                let commits = rows.map(|row| storage.commit(self.incoming(row)));
                runtime.block_on(futures_util::future::try_join_all(commits))?;
            }
            bail!("the database is not filled after {FILL_MAX:?}")
        };
        let done: Result<()> = thread::scope(|threads| {
            let running: Vec<_> = (0..THREADS).map(|_| threads.spawn(work)).collect();
            running.into_iter().try_for_each(|thread| thread.join().ok().context("a filling thread")?)
        });
        runtime.block_on(storage.close());
        done?;
        ensure!(storage.last_seq() >= to, "{} events of {to} rows", storage.last_seq());
        Ok(())
    }

    fn incoming(&self, row: u64) -> Incoming {
        let (id, at) = (self.id_of(row), at(row));
        let mut acceptance = self.acceptance.clone();
        acceptance.dedupe_key = acceptance.dedupe_key.replace(&self.id, &id);
        for observation in &mut acceptance.observations {
            let order_no = format!("SIM{:014}", mixed(row) % 100_000_000_000_000);
            if let Facts::Payment(facts) = &mut observation.facts {
                for part in observation.key.iter_mut().filter(|part| **part == facts.order_no) {
                    part.clone_from(&order_no);
                }
                facts.transaction_no = Some(format!("42000000{row:020}"));
                facts.paid_at = Some(at);
                facts.order_no = order_no;
            }
            observation.occurred_at = at;
        }
        Incoming {
            channel: "wechat-main".to_owned(),
            received_at: at,
            request: self.request_of(&id),
            verdict: Verdict::Accepted(acceptance),
            connector: "wechat-pay@0.1.0".to_owned(),
            micros: 60,
            personal: false,
        }
    }

    fn filled(&self, row: u64) -> Filled {
        let id = self.id_of(row);
        let request = self.request_of(&id);
        let headers: Vec<String> =
            request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        Filled { id, headers: headers.concat(), body: request.body, canonical: self.canonical.clone() }
    }

    fn request_of(&self, id: &str) -> Request {
        let body = String::from_utf8_lossy(&self.request.body).replacen(&self.id, id, 1).into_bytes();
        Request { body, ..self.request.clone() }
    }

    /// As long as the template's, in no order.
    fn id_of(&self, row: u64) -> String {
        let id = format!("{:016x}{row:016x}", mixed(row));
        id.chars().cycle().take(self.id.len().max(id.len())).collect()
    }
}

fn at(row: u64) -> Timestamp {
    let after = Duration::from_millis(row * EVERY_MS);
    Timestamp::from_second(FROM)
        .ok()
        .and_then(|from| from.checked_add(after).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn mixed(row: u64) -> u64 {
    Dice::new(row).throw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_do_not_repeat() {
        let orders: BTreeSet<u64> = (0..100_000).map(|row| mixed(row) % 100_000_000_000_000).collect();
        assert_eq!(orders.len(), 100_000);
        assert!(at(10) > at(9));
    }
}
