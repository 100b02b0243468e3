//! The one writer: takes all deliveries that wait into one transaction, then tells everybody who waited.
//!
//! It runs on a thread of its own, so that folding and flushing never hold up the threads that serve. Whatever fails,
//! nothing of it stays in memory: numbers are read again from the database before the next batch. When the database
//! refuses a batch for something in it, each delivery is tried alone, so that one bad delivery fails alone.

use crate::{
    Applied, Ask, AuditEntry, Class, CommandRow, Committed, Error, Expectation, Fold, ImportMove, NewCommand,
    NewImport, Paused, PutCommand, RejectState, StockPart, StoreState, WebhookMove,
    batch::{Advance, Batch, Changes, Found, Memory, Reserving, Stored},
    prepared::Prepared,
    stock::desk::Desk,
};
use metrics::histogram;
use qudao_model::{Timestamp, fault::chain, file::RowReject};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tracing::{error, warn};

/// How often a batch is decided: orders that take from stock are known after the first time.
const DECIDED_MAX: usize = 3;

/// What is asked of the writer.
pub(crate) enum Job {
    Deliver { prepared: Box<Prepared>, done: Done<Committed>, _room: OwnedSemaphorePermit },
    Advance { advance: Box<Advance>, done: Done<()> },
    Retry { delivery_id: String, prepared: Box<Prepared>, done: Done<Committed> },
    Expect { expectation: Expectation, ask: Option<Ask>, now: Timestamp, done: Done<()> },
    Command { new: Box<NewCommand>, done: Done<PutCommand> },
    Edit { edit: Box<Edit>, done: Done<u64> },
    Stock { part: Box<StockPart>, done: Done<Applied> },
    Restrict { restriction: Restriction, done: Done<()> },
    Close(Closing),
}

/// The end, in steps: everything that was asked for is done, those who read are gone, the database is closed.
pub(crate) struct Closing {
    pub(crate) idle: oneshot::Sender<()>,
    /// Ends with its sender.
    pub(crate) alone: oneshot::Receiver<()>,
    pub(crate) done: oneshot::Sender<()>,
}

/// A change of one table that nothing else hangs on.
#[derive(Debug)]
pub(crate) enum Edit {
    Pause {
        channel: String,
        paused: Option<Paused>,
    },
    /// By subject; those that are there stay.
    SubjectKeys(BTreeMap<String, Vec<u8>>),
    /// Instead of the key that is there.
    Mark {
        subject: String,
        mark: Vec<u8>,
    },
    Forget(String),
    Audit(AuditEntry),
    PutImport(NewImport),
    MoveImport(Box<ImportMove>),
    Rejects {
        import: String,
        /// Takes away what is there.
        first: bool,
        rejects: Vec<RowReject>,
    },
    MarkRejects {
        import: String,
        state: RejectState,
    },
    Stores {
        import: String,
        stores: Vec<StoreState>,
        at: Timestamp,
    },
    Webhook(Box<WebhookMove>),
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
    /// Everything of stock that these orders can touch.
    async fn desk_for(&mut self, orders: &[Reserving]) -> Result<Desk, Error>;
    /// Understood deliveries alone, by id.
    async fn look_up_variants(&mut self, ids: &[String], found: &mut Found) -> Result<(), Error>;
    /// A delivery that is to be run again, by its id or by the id it had before.
    async fn stored(&mut self, delivery_id: &str) -> Result<Option<Stored>, Error>;
    /// The command of a channel's idempotency key.
    async fn command(&mut self, channel: &str, idempotency_key: &str) -> Result<Option<CommandRow>, Error>;
    /// All of it, durably, or nothing.
    async fn write(&mut self, changes: Changes<'_>) -> Result<(), Error>;
    /// One edit, durably. Gives how many rows it touched.
    async fn edit(&mut self, edit: &Edit) -> Result<u64, Error>;
    /// Levels, events, the delivery, and which stores are applied, durably, or nothing. Numbers in `memory` move on.
    async fn apply_stock(&mut self, part: &StockPart, memory: &mut Memory) -> Result<Applied, Error>;
    /// Back to a state in which a transaction can begin; gives what is to be known by heart, as it is stored.
    async fn recover(&mut self) -> Result<Memory, Error>;
    /// Takes away or gives back.
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
    pub(crate) memory: Option<Memory>,
    pub(crate) batch_max: usize,
    pub(crate) failed_bytes_max: u64,
    pub(crate) seq: watch::Sender<u64>,
    /// Grows with every commit that asks for something.
    pub(crate) ticks: watch::Sender<u64>,
    pub(crate) trouble: Trouble,
}

/// Somebody who waits for the next batch.
enum Waiting {
    Delivery { prepared: Box<Prepared>, done: Done<Committed> },
    Advance { advance: Box<Advance>, done: Done<()> },
}

/// What a batch is made of.
#[derive(Clone, Copy)]
enum Work<'a> {
    Delivery(&'a Prepared),
    Advance(&'a Advance),
}

/// What became of one work; nothing of an advance but that it is done.
type Outcome = Result<Option<Committed>, Error>;

impl<W: Writing> Writer<W> {
    /// Works until it is told to close or nobody can ask any more.
    pub(crate) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut taken = Vec::with_capacity(self.batch_max);
        let mut closing = None;
        // Before anybody waits for it. Where it cannot be read now, whoever comes first is told why.
        self.memory = self.database.recover().await.ok();
        while jobs.recv_many(&mut taken, self.batch_max).await > 0 {
            let mut waiting = Vec::with_capacity(taken.len());
            for job in taken.drain(..) {
                match job {
                    Job::Deliver { prepared, done, .. } => waiting.push(Waiting::Delivery { prepared, done }),
                    Job::Advance { advance, done } => waiting.push(Waiting::Advance { advance, done }),
                    Job::Close(asked) => {
                        jobs.close();
                        closing = Some(asked);
                    }
                    single @ (Job::Retry { .. }
                    | Job::Expect { .. }
                    | Job::Command { .. }
                    | Job::Edit { .. }
                    | Job::Stock { .. }
                    | Job::Restrict { .. }) => {
                        self.work(std::mem::take(&mut waiting)).await;
                        self.single(single).await;
                    }
                }
            }
            self.work(waiting).await;
            self.database.housekeeping().await;
        }
        let Some(Closing { idle, alone, done }) = closing else { return self.database.close().await };
        answer(idle, ());
        let _gone: Result<(), _> = alone.await;
        self.database.close().await;
        answer(done, ());
    }

    async fn single(&mut self, job: Job) {
        match job {
            Job::Retry { delivery_id, prepared, done } => {
                let result = self.retry(&delivery_id, &prepared).await;
                answer(done, self.settle(result).await);
            }
            Job::Expect { expectation, ask, now, done } => {
                let expect = |batch: &mut Batch<'_, '_>| batch.expect(expectation.clone(), ask.clone(), now);
                let result = self.decide(&[], expect).await;
                answer(done, self.settle(result).await);
            }
            Job::Command { new, done } => {
                let result = self.put_command(*new).await;
                answer(done, self.settle(result).await);
            }
            Job::Edit { edit, done } => {
                let result = self.edit(&edit).await;
                answer(done, self.settle(result).await);
            }
            Job::Stock { part, done } => {
                let result = self.apply_stock(&part).await;
                answer(done, self.settle(result).await);
            }
            Job::Restrict { restriction, done } => {
                let result = self.database.restrict(restriction).await;
                answer(done, result);
            }
            Job::Deliver { .. } | Job::Advance { .. } | Job::Close(_) => {}
        }
    }

    async fn work(&mut self, waiting: Vec<Waiting>) {
        if waiting.is_empty() {
            return;
        }
        let work: Vec<Work<'_>> = waiting.iter().map(Waiting::work).collect();
        let results = match self.commit(&work).await {
            Ok(results) => results,
            Err(error) if error.concerns_all() || work.len() == 1 => {
                work.iter().map(|_| Err(error.clone())).collect()
            }
            Err(error) => {
                warn!(error = %chain(&error), "a batch of {} was refused; each is tried alone", work.len());
                let mut results = Vec::with_capacity(work.len());
                for one in &work {
                    let alone = self.commit(&[*one]).await;
                    results.push(alone.and_then(|mut one| one.pop().unwrap_or(Err(Error::Closed))));
                }
                results
            }
        };
        for (one, result) in waiting.into_iter().zip(results) {
            one.answer(result);
        }
    }

    /// One transaction. The inner results are those of single works: one on which the fold broke or whose cursor moved
    /// fails alone.
    async fn commit(&mut self, work: &[Work<'_>]) -> Result<Vec<Outcome>, Error> {
        let result = self.attempt(work).await;
        self.settle(result).await
    }

    async fn attempt(&mut self, work: &[Work<'_>]) -> Result<Vec<Outcome>, Error> {
        let begun = Instant::now();
        let deliveries: Vec<&Prepared> = work.iter().filter_map(Work::delivery).collect();
        let (mut looked_up, mut decided) = (begun, begun);
        let results = self
            .decide(&deliveries, |batch| {
                looked_up = Instant::now();
                let results = work.iter().map(|one| one.take(batch)).collect();
                decided = Instant::now();
                results
            })
            .await?;
        measure(deliveries.len(), [begun, looked_up, decided, Instant::now()]);
        Ok(results)
    }

    async fn retry(&mut self, delivery_id: &str, prepared: &Prepared) -> Result<Committed, Error> {
        let unknown = || Error::UnknownDelivery { id: delivery_id.to_owned() };
        let stored = self.database.stored(delivery_id).await?.ok_or_else(unknown)?;
        self.decide(&[prepared], |batch| batch.retry(stored.clone(), prepared)).await?
    }

    async fn put_command(&mut self, new: NewCommand) -> Result<PutCommand, Error> {
        if let Some(stored) = self.database.command(&new.channel, &new.idempotency_key).await? {
            let same = stored.is_same(&new);
            return Ok(if same { PutCommand::Same(stored) } else { PutCommand::KeyReused(stored) });
        }
        let row = new.into_row();
        self.decide(&[], |batch| batch.command(row.clone())).await?;
        Ok(PutCommand::New(row))
    }

    async fn apply_stock(&mut self, part: &StockPart) -> Result<Applied, Error> {
        let mut memory = match self.memory.take() {
            Some(memory) => memory,
            None => self.database.recover().await?,
        };
        let applied = self.database.apply_stock(part, &mut memory).await?;
        let seq = memory.counters.seq;
        self.memory = Some(memory);
        publish(&self.seq, seq);
        Ok(applied)
    }

    async fn edit(&mut self, edit: &Edit) -> Result<u64, Error> {
        let rows = self.database.edit(edit).await?;
        if matches!(edit, Edit::Pause { paused: None, .. }) {
            // Its tasks may be due by now.
            self.ticks.send_modify(|ticks| *ticks += 1);
        }
        Ok(rows)
    }

    /// Decides by heart, writes, and knows by heart what was written. After an error nothing is known any more. Where
    /// orders turn out to take from stock, that is looked up and all is decided anew; so `decide` runs once or twice.
    async fn decide<'a, T>(
        &mut self,
        prepared: &[&'a Prepared],
        mut decide: impl FnMut(&mut Batch<'_, 'a>) -> T,
    ) -> Result<T, Error> {
        let mut desk = None;
        for _ in 0..DECIDED_MAX {
            let found = Found { stock: desk.take(), ..self.look_up(prepared).await? };
            let mut memory = match self.memory.take() {
                Some(memory) => memory,
                None => self.database.recover().await?,
            };
            let fold = Arc::clone(&self.fold);
            let mut batch = Batch::new(&*fold, found, &memory, self.failed_bytes_max);
            let result = decide(&mut batch);
            let wants = batch.wants();
            if !wants.is_empty() {
                drop(batch);
                self.memory = Some(memory);
                desk = Some(self.database.desk_for(&wants).await?);
                continue;
            }
            let (changes, counters) = batch.decided();
            let (asked, seq) = (changes.asked, counters.seq);
            let (tasks, cursors) = (changes.tasks.clone(), changes.cursors.clone());
            let reserving: Vec<String> =
                changes.stock.iter().flat_map(|desk| desk.channels.keys().cloned()).collect();
            self.database.write(changes).await?;
            memory.counters = counters;
            memory.reserving.extend(reserving);
            memory.learn(tasks, cursors);
            self.memory = Some(memory);
            publish(&self.seq, seq);
            if asked {
                self.ticks.send_modify(|ticks| *ticks += 1);
            }
            return Ok(result);
        }
        Err(Error::Fold { text: "what orders take from stock differs each time it is asked for".to_owned() })
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

    /// After a failure nothing in memory is trusted: a commit that failed late may or may not be there.
    async fn settle<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        let trouble = result.as_ref().err().filter(|error| error.concerns_all()).map(|error| chain(error));
        self.tell(trouble);
        // Whoever only asked for what cannot be, broke nothing.
        if result.as_ref().is_err_and(|error| error.class() != Class::Sender) {
            self.memory = self.database.recover().await.ok();
            if let Some(memory) = &self.memory {
                publish(&self.seq, memory.counters.seq);
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

impl Waiting {
    fn work(&self) -> Work<'_> {
        match self {
            Waiting::Delivery { prepared, .. } => Work::Delivery(prepared),
            Waiting::Advance { advance, .. } => Work::Advance(advance),
        }
    }

    fn answer(self, outcome: Outcome) {
        match self {
            // A delivery always has an outcome of its own.
            Waiting::Delivery { done, .. } => {
                answer(done, outcome.and_then(|committed| committed.ok_or(Error::Closed)));
            }
            Waiting::Advance { done, .. } => answer(done, outcome.map(drop)),
        }
    }
}

impl<'a> Work<'a> {
    fn delivery(&self) -> Option<&'a Prepared> {
        match self {
            Work::Delivery(prepared) => Some(prepared),
            Work::Advance(_) => None,
        }
    }

    fn take(self, batch: &mut Batch<'_, 'a>) -> Outcome {
        let outcome = match self {
            Work::Delivery(prepared) => batch.take(prepared).map(Some),
            Work::Advance(advance) => batch.advance(advance).map(|()| None),
        };
        if let Err(error @ Error::Fold { .. }) = &outcome {
            error!(error = %chain(error), "a delivery could not be folded");
        }
        outcome
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
