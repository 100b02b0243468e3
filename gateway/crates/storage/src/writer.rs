//! The one writer: takes all deliveries that wait into one transaction, then tells everybody who waited.
//!
//! It runs on a thread of its own, so that folding and flushing never hold up the threads that serve. Whatever fails,
//! nothing of it stays in memory: numbers are read again from the database before the next batch. When the database
//! refuses a batch for something in it, each delivery is tried alone, so that one bad delivery fails alone.

use crate::{
    Committed, Error, Expectation, Fold,
    batch::{Batch, Changes, Counters, Found, Stored},
    prepared::Prepared,
};
use metrics::histogram;
use qudao_model::fault::chain;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tracing::{error, warn};

/// What is asked of the writer.
pub(crate) enum Job {
    Deliver { prepared: Box<Prepared>, done: Done<Committed>, _room: OwnedSemaphorePermit },
    Retry { delivery_id: String, prepared: Box<Prepared>, done: Done<Committed> },
    Expect { expectation: Expectation, done: Done<()> },
    Restrict { restriction: Restriction, done: Done<()> },
    Close { done: oneshot::Sender<()> },
}

/// Where an answer goes; nobody may be waiting any more.
pub(crate) type Done<T> = oneshot::Sender<Result<T, Error>>;

/// What the operator takes away from the writer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Restriction {
    pub(crate) bytes_max: Option<u64>,
    pub(crate) read_only: bool,
}

/// Keys of what a batch can touch.
#[derive(Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) deliveries: BTreeSet<&'a str>,
    pub(crate) families: BTreeSet<&'a str>,
}

/// A database that the writer writes to.
pub(crate) trait Writing {
    /// One look for everything that a batch can touch.
    async fn look_up(&mut self, wanted: &Wanted<'_>) -> Result<Found, Error>;
    /// Understood deliveries alone, by id.
    async fn look_up_variants(&mut self, ids: &[String], found: &mut Found) -> Result<(), Error>;
    /// A delivery that is to be run again, by its id or by the id it had before.
    async fn stored(&mut self, delivery_id: &str) -> Result<Option<Stored>, Error>;
    /// All of it, durably, or nothing.
    async fn write(&mut self, changes: Changes<'_>) -> Result<(), Error>;
    /// One expectation, durably.
    async fn expect(&mut self, expectation: &Expectation) -> Result<(), Error>;
    /// Back to a state in which a transaction can begin; gives the numbers as they are stored.
    async fn recover(&mut self) -> Result<Counters, Error>;
    /// Takes rights away or gives them back.
    async fn restrict(&mut self, restriction: Restriction) -> Result<(), Error>;
    /// Between two commits.
    async fn housekeeping(&mut self);
    /// Last.
    async fn close(self);
}

/// Why the last write failed; nothing after one that went well.
pub(crate) type Trouble = Arc<Mutex<Option<String>>>;

pub(crate) struct Writer<W> {
    pub(crate) database: W,
    pub(crate) fold: Arc<dyn Fold>,
    /// As stored; nothing while the database is not known to be in order.
    pub(crate) counters: Option<Counters>,
    pub(crate) batch_max: usize,
    pub(crate) failed_bytes_max: u64,
    pub(crate) seq: watch::Sender<u64>,
    pub(crate) trouble: Trouble,
}

struct Waiting {
    prepared: Box<Prepared>,
    done: Done<Committed>,
}

impl<W: Writing> Writer<W> {
    /// Works until it is told to close or nobody can ask any more.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut taken = Vec::with_capacity(self.batch_max);
        let mut closing = None;
        while jobs.recv_many(&mut taken, self.batch_max).await > 0 {
            let mut deliveries = Vec::with_capacity(taken.len());
            for job in taken.drain(..) {
                match job {
                    Job::Deliver { prepared, done, .. } => deliveries.push(Waiting { prepared, done }),
                    Job::Close { done } => {
                        jobs.close();
                        closing = Some(done);
                    }
                    single @ (Job::Retry { .. } | Job::Expect { .. } | Job::Restrict { .. }) => {
                        self.deliver(std::mem::take(&mut deliveries)).await;
                        self.single(single).await;
                    }
                }
            }
            self.deliver(deliveries).await;
            self.database.housekeeping().await;
        }
        self.database.close().await;
        if let Some(done) = closing {
            answer(done, ());
        }
    }

    async fn single(&mut self, job: Job) {
        match job {
            Job::Retry { delivery_id, prepared, done } => {
                let result = self.retry(&delivery_id, &prepared).await;
                answer(done, self.settle(result).await);
            }
            Job::Expect { expectation, done } => {
                let result = self.database.expect(&expectation).await;
                answer(done, self.settle(result).await);
            }
            Job::Restrict { restriction, done } => {
                let result = self.database.restrict(restriction).await;
                answer(done, result);
            }
            Job::Deliver { .. } | Job::Close { .. } => {}
        }
    }

    async fn deliver(&mut self, waiting: Vec<Waiting>) {
        if waiting.is_empty() {
            return;
        }
        let prepared: Vec<&Prepared> = waiting.iter().map(|one| &*one.prepared).collect();
        let results = match self.commit(&prepared).await {
            Ok(results) => results,
            Err(error) if error.concerns_all() || prepared.len() == 1 => {
                prepared.iter().map(|_| Err(error.clone())).collect()
            }
            Err(error) => {
                warn!(error = %chain(&error), "a batch of {} was refused; each is tried alone", prepared.len());
                let mut results = Vec::with_capacity(prepared.len());
                for one in &prepared {
                    results.push(
                        self.commit(&[one]).await.and_then(|mut one| one.pop().unwrap_or(Err(Error::Closed))),
                    );
                }
                results
            }
        };
        for (one, result) in waiting.into_iter().zip(results) {
            answer(one.done, result);
        }
    }

    /// One transaction. The inner results are those of single deliveries that the fold broke on.
    async fn commit(&mut self, prepared: &[&Prepared]) -> Result<Vec<Result<Committed, Error>>, Error> {
        let result = self.attempt(prepared).await;
        self.settle(result).await
    }

    async fn attempt(&mut self, prepared: &[&Prepared]) -> Result<Vec<Result<Committed, Error>>, Error> {
        let begun = Instant::now();
        let counters = self.counters().await?;
        let found = self.look_up(prepared).await?;
        let looked_up = Instant::now();
        let fold = Arc::clone(&self.fold);
        let mut batch = Batch::new(&*fold, found, counters, self.failed_bytes_max);
        let results: Vec<_> = prepared.iter().map(|one| batch.take(one)).collect();
        for error in results.iter().filter_map(|result| result.as_ref().err()) {
            error!(error = %chain(error), "a delivery could not be folded");
        }
        let Batch { changes, counters, .. } = batch;
        let decided = Instant::now();
        self.write(changes, counters).await?;
        measure(prepared.len(), [begun, looked_up, decided, Instant::now()]);
        Ok(results)
    }

    async fn retry(&mut self, delivery_id: &str, prepared: &Prepared) -> Result<Committed, Error> {
        let counters = self.counters().await?;
        let unknown = || Error::UnknownDelivery { id: delivery_id.to_owned() };
        let stored = self.database.stored(delivery_id).await?.ok_or_else(unknown)?;
        let found = self.look_up(&[prepared]).await?;
        let fold = Arc::clone(&self.fold);
        let mut batch = Batch::new(&*fold, found, counters, self.failed_bytes_max);
        let committed = batch.retry(stored, prepared)?;
        let Batch { changes, counters, .. } = batch;
        self.write(changes, counters).await?;
        Ok(committed)
    }

    async fn look_up(&mut self, prepared: &[&Prepared]) -> Result<Found, Error> {
        let mut wanted = Wanted::default();
        for one in prepared {
            let id = one.content.as_ref().map(|content| &content.id);
            wanted.deliveries.extend(one.restored_id.as_ref().or(id).map(String::as_str));
            if let Some(content) = &one.content {
                wanted.families.extend(content.facts.iter().map(|fact| fact.family.as_str()));
            }
        }
        if wanted.deliveries.is_empty() {
            return Ok(Found::default());
        }
        let mut found = self.database.look_up(&wanted).await?;
        let variants = variants(prepared, &found);
        if !variants.is_empty() {
            self.database.look_up_variants(&variants, &mut found).await?;
        }
        Ok(found)
    }

    async fn write(&mut self, changes: Changes<'_>, counters: Counters) -> Result<(), Error> {
        let seq = counters.seq;
        self.database.write(changes).await?;
        self.counters = Some(counters);
        publish(&self.seq, seq);
        Ok(())
    }

    async fn counters(&mut self) -> Result<Counters, Error> {
        match &self.counters {
            Some(counters) => Ok(counters.clone()),
            None => self.database.recover().await,
        }
    }

    /// After a failure nothing in memory is trusted: a commit that failed late may or may not be there.
    async fn settle<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        let trouble = result.as_ref().err().filter(|error| error.concerns_all()).map(|error| chain(error));
        self.tell(trouble);
        if result.is_err() {
            self.counters = self.database.recover().await.ok();
            if let Some(counters) = &self.counters {
                publish(&self.seq, counters.seq);
            }
        }
        result
    }

    /// Logs when trouble begins and when it is over, not every delivery in between.
    fn tell(&self, now: Option<String>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (trouble.as_deref(), now.as_deref()) {
            (None, Some(text)) => error!(error = %text, "writes fail; nothing is acknowledged: {text}"),
            (Some(_), None) => warn!("writes go well again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        *trouble = now;
    }
}

/// What a batch took, for whoever wants to know what limits the gateway.
fn measure(deliveries: usize, [begun, looked_up, decided, written]: [Instant; 4]) {
    let micros = |from: Instant, to: Instant| float((to - from).as_micros());
    histogram!("qudao_storage_batch_deliveries").record(float(deliveries));
    histogram!("qudao_storage_look_up_micros").record(micros(begun, looked_up));
    histogram!("qudao_storage_fold_micros").record(micros(looked_up, decided));
    histogram!("qudao_storage_write_micros").record(micros(decided, written));
}

/// Metrics are floating point; anything measured here fits exactly.
fn float(value: impl TryInto<u32>) -> f64 {
    f64::from(value.try_into().unwrap_or(u32::MAX))
}

fn publish(to: &watch::Sender<u64>, seq: u64) {
    to.send_if_modified(|last| std::mem::replace(last, seq) != seq);
}

/// Ids that have to be looked at as well, because the key was used before for other content.
fn variants(prepared: &[&Prepared], found: &Found) -> Vec<String> {
    let mut first = HashMap::new();
    let mut variants = Vec::new();
    for one in prepared.iter().filter(|one| one.restored_id.is_none()) {
        let Some(content) = &one.content else { continue };
        let hash = found.deliveries.get(&content.id).map_or(&content.hash, |seen| &seen.hash);
        let hash = *first.entry(content.id.as_str()).or_insert(hash);
        if *hash != content.hash {
            variants.push(content.variant_id(&one.channel));
        }
    }
    variants
}

/// Who no longer waits, did not need to know.
fn answer<T>(done: oneshot::Sender<T>, value: T) {
    drop(done.send(value));
}

#[cfg(test)]
mod tests;
