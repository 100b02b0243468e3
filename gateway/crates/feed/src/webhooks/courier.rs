//! Brings an endpoint together with feed, disk, clock and network.
//!
//! Everything waits in one task: dropping [`Courier::keep`] cuts off what is under way, and the next start goes on from what
//! is durable. Progress is written at most every half second, so an event of the last moments may come again.

mod told;

use super::{
    Answered, Attempt, Dispatch, Endpoint, Outbound, ParkedView, Sender, Settings, WebhookView, ping::ping,
};
use crate::Error;
use futures_util::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use qudao_model::{Clock, Timestamp, fault::chain};
use qudao_storage::Storage;
use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};
use told::Told;
use tracing::{info, warn};

/// From one write of progress to the next: what may come again after a crash, against a flush of the disk each.
const SAVE_EVERY: Duration = Duration::from_millis(500);
/// The same where only events of other types went by.
const SAVE_IDLE: Duration = Duration::from_secs(30);
/// Longest sleep: the clock of the machine may jump.
const IDLE: Duration = Duration::from_secs(30);
/// After storage could not be read or written. Nothing is sent that could not be remembered.
const TROUBLE: Duration = Duration::from_secs(5);
/// For what is under way when we go down.
const GRACE: Duration = Duration::from_secs(1);

/// One endpoint at work. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Courier(Arc<Inner>);

struct Inner {
    storage: Storage,
    sender: Mutex<Arc<dyn Sender>>,
    clock: Arc<dyn Clock>,
    endpoint: Mutex<Endpoint>,
    told: Told,
    /// What is durable was read.
    known: AtomicBool,
    /// One writer at a time. Whoever delivers must not wait for it: it may be held by a save that only they drive.
    writing: tokio::sync::Mutex<()>,
    wake: Notify,
}

/// When progress is written.
struct Pace {
    saved_at: Instant,
    /// Storage did not answer: nothing is read or sent until it does, and it is asked again at this moment.
    trouble: Option<Instant>,
}

impl Pace {
    fn save_at(&self, is_dirty: bool) -> Instant {
        self.trouble.unwrap_or(self.saved_at + if is_dirty { SAVE_EVERY } else { SAVE_IDLE })
    }
}

/// What is under way: a dispatch and its answer.
type UnderWay = FuturesUnordered<BoxFuture<'static, (Dispatch, Answered)>>;

impl Courier {
    /// Of an endpoint that goes on where it was; a new one begins at the end of the feed of now.
    pub fn new(
        storage: Storage,
        settings: Settings,
        sender: Arc<dyn Sender>,
        clock: Arc<dyn Clock>,
    ) -> Courier {
        let endpoint = Mutex::new(Endpoint::new(settings, storage.last_seq()));
        let (known, writing, wake) = (AtomicBool::new(false), tokio::sync::Mutex::default(), Notify::new());
        let (sender, told) = (Mutex::new(sender), Told::default());
        Courier(Arc::new(Inner { storage, sender, clock, endpoint, told, known, writing, wake }))
    }

    /// Takes another configuration of the same endpoint. What is under way ends as it began and counts; no event is under way
    /// twice. What `sender` does differently, all that follows has.
    pub fn change(&self, settings: Settings, sender: Arc<dyn Sender>) {
        *self.0.sender.lock().unwrap_or_else(PoisonError::into_inner) = sender;
        {
            let mut endpoint = self.endpoint();
            Told::begins(&settings, &endpoint.row(), self.0.storage.last_seq(), endpoint.parked());
            endpoint.change(settings);
        }
        self.0.wake.notify_one();
    }

    /// Learns where it was, or makes durable where it begins. Done by itself before anything is sent; asking for it earlier
    /// shows it sooner.
    pub async fn ready(&self) -> Result<(), Error> {
        if self.0.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let _writing = self.0.writing.lock().await;
        if self.0.known.load(Ordering::Acquire) {
            return Ok(());
        }
        let kept = self.0.storage.webhook(&self.name()).await?;
        if let Some((row, parked)) = kept {
            let places: Vec<u64> = parked.iter().map(|one| one.seq).collect();
            let events = self.0.storage.events_at(&places).await?;
            let parked = events.into_iter().filter_map(|event| {
                let one = parked.iter().find(|one| one.seq == event.seq)?;
                Some((event, *one))
            });
            let parked: Vec<_> = parked.collect();
            let mut endpoint = self.endpoint();
            // Read now: it may have been changed meanwhile.
            let settings = endpoint.settings().clone();
            Told::begins(&settings, &row, self.0.storage.last_seq(), parked.len());
            *endpoint = Endpoint::restored(settings, row, &parked);
        } else {
            self.write().await?;
        }
        self.0.known.store(true, Ordering::Release);
        Ok(())
    }

    /// Delivers until `stop` is over or the storage closes.
    pub async fn keep(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut grows = self.0.storage.watch_seq();
        let (mut under_way, mut saving) = (UnderWay::new(), FuturesUnordered::new());
        let mut pace = Pace { saved_at: Instant::now(), trouble: None };
        loop {
            let last = *grows.borrow_and_update();
            if pace.trouble.is_none()
                && let Err(error) = self.work(last, &mut under_way).await
            {
                self.halt(&mut pace, &error);
            }
            let save_at = pace.save_at(self.endpoint().is_dirty());
            if saving.is_empty() && save_at <= Instant::now() {
                // Beside everything else: a flush of the disk holds up no event.
                saving.push(self.save());
            }
            let look_at = if saving.is_empty() { self.next_look().min(save_at) } else { self.next_look() };
            tokio::select! {
                () = &mut stop => break,
                Some((sent, answered)) = under_way.next() => self.answered(&sent, &answered),
                Some(saved) = saving.next() => match saved {
                    Ok(()) => {
                        pace = Pace { saved_at: Instant::now(), trouble: None };
                        self.0.told.storage_answers();
                    }
                    Err(error) => self.halt(&mut pace, &error),
                },
                more = grows.changed() => if more.is_err() { break },
                () = self.0.wake.notified() => {}
                () = sleep_until(look_at) => {}
            }
        }
        drop(saving);
        self.end(under_way).await;
    }

    /// Lets what is under way end, and keeps what came of it.
    async fn end(&self, mut under_way: UnderWay) {
        let rest = async {
            while let Some((sent, answered)) = under_way.next().await {
                self.answered(&sent, &answered);
            }
        };
        // What is cut off here comes again under the same id.
        let _cut = timeout(GRACE, rest).await;
        if let Err(error) = self.save().await {
            warn!("how far webhook `{}` has come was not kept: {}", self.name(), chain(&error));
        }
    }

    /// Reads and sends what there is to.
    async fn work(&self, last: u64, under_way: &mut UnderWay) -> Result<(), Error> {
        self.ready().await?;
        // Again where all of it stands behind what failed.
        while self.read(last).await? {}
        self.dispatch(under_way);
        self.0.told.stopped(&self.name(), self.endpoint().stopped());
        Ok(())
    }

    fn halt(&self, pace: &mut Pace, error: &Error) {
        if pace.trouble.is_none() {
            warn!("webhook `{}` waits for storage: {}", self.name(), chain(error));
        }
        self.0.told.storage_fails(error);
        pace.trouble = Some(Instant::now() + TROUBLE);
    }

    /// Does everything that can be done at this moment and makes it durable. Gives when something is due next. For tests and
    /// simulations, whose clock stands still meanwhile.
    pub async fn settle(&self) -> Result<Option<Timestamp>, Error> {
        let mut under_way = UnderWay::new();
        self.ready().await?;
        loop {
            while self.read(self.0.storage.last_seq()).await? {}
            self.dispatch(&mut under_way);
            match under_way.next().await {
                Some((sent, answered)) => self.answered(&sent, &answered),
                None => break,
            }
        }
        self.save().await?;
        Ok(self.endpoint().due_at())
    }

    /// Has it tried again at once, whatever it answered.
    pub async fn enable(&self) -> Result<WebhookView, Error> {
        self.ready().await?;
        self.endpoint().enable();
        info!("webhook `{}` is tried again", self.name());
        // Before anything waits: whoever asked may go away.
        self.0.wake.notify_one();
        self.save().await?;
        Ok(self.view())
    }

    /// Sends everything behind `after` once more; nothing where it has not come so far.
    pub async fn redeliver(&self, after: u64) -> Result<Option<WebhookView>, Error> {
        self.ready().await?;
        if !self.endpoint().rewind(after) {
            return Ok(None);
        }
        info!("webhook `{}` sends everything behind {after} once more", self.name());
        self.0.wake.notify_one();
        self.save().await?;
        Ok(Some(self.view()))
    }

    /// Passes over an event that is parked, for good; nothing where it is not.
    pub async fn skip(&self, seq: u64) -> Result<Option<WebhookView>, Error> {
        self.ready().await?;
        let Some(skipped) = self.endpoint().skip(seq) else {
            return Ok(None);
        };
        let Outbound { id, kind, subject, .. } = &*skipped;
        warn!(
            "webhook `{}` never gets {id} ({kind} of {subject}, place {seq}): somebody said so",
            self.name()
        );
        self.0.wake.notify_one();
        self.save().await?;
        Ok(Some(self.view()))
    }

    /// What is parked, in the order of the feed.
    pub fn parked(&self) -> Vec<ParkedView> {
        self.endpoint().parked_events()
    }

    /// Sends a ping, which changes nothing.
    pub async fn ping(&self) -> Attempt {
        let now = self.0.clock.now();
        let begun = Instant::now();
        let answered = self.sender().send(Arc::new(ping(&self.name(), now)), now).await;
        let status = answered.status();
        Attempt {
            delivered: status.is_some_and(|status| (200..300).contains(&status)),
            status,
            micros: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            explain: answered.explain().to_owned(),
        }
    }

    /// How it stands.
    pub fn view(&self) -> WebhookView {
        let last_seq = self.0.storage.last_seq();
        let endpoint = self.endpoint();
        let (row, settings) = (endpoint.row(), endpoint.settings());
        WebhookView {
            name: settings.name.clone(),
            url: settings.url.clone(),
            types: settings.types.clone(),
            state: row.state,
            cursor: row.cursor,
            last_seq: last_seq.max(row.cursor),
            lag: last_seq.saturating_sub(row.cursor),
            parked: u64::try_from(endpoint.parked()).unwrap_or(u64::MAX),
            stopped: endpoint.stopped(),
            failures: row.failures,
            next_attempt_at: endpoint.due_at(),
            reason: self.0.told.trouble().or(row.reason),
            since: row.since,
            last_status: row.last_status,
            last_delivered_at: row.last_delivered_at,
        }
    }

    /// Reads on where there is room and something to read, and says whether there was. `last` is where the feed ends.
    async fn read(&self, last: u64) -> Result<bool, Error> {
        let (after, room, types) = {
            let endpoint = self.endpoint();
            let Some((after, room)) = endpoint.wants().filter(|(after, _)| *after < last) else {
                return Ok(false);
            };
            (after, room, endpoint.settings().types.clone())
        };
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        let events = self.0.storage.events(after, limit, &types).await?;
        // Fewer than asked for: up to where the feed ended before the look there are no others.
        let read_to = match events.last() {
            Some(event) if events.len() >= room => event.seq,
            Some(event) => event.seq.max(last),
            None => last,
        };
        let mut endpoint = self.endpoint();
        if endpoint.settings().types == types {
            endpoint.take(after, &events, read_to);
        }
        Ok(true)
    }

    /// Begins everything that may be under way now.
    fn dispatch(&self, under_way: &mut UnderWay) {
        let now = self.0.clock.now();
        while let Some(sent) = self.next(now) {
            let sending = self.sender().send(Arc::clone(&sent.event), now);
            under_way.push(sending.map(move |answered| (sent, answered)).boxed());
        }
    }

    fn next(&self, now: Timestamp) -> Option<Dispatch> {
        self.endpoint().next(now)
    }

    fn answered(&self, sent: &Dispatch, answered: &Answered) {
        let now = self.0.clock.now();
        let (moved, is_first, name) = {
            let mut endpoint = self.endpoint();
            let before = endpoint.row().state;
            let is_first = endpoint.answered(sent, answered, now);
            ((before, endpoint.row().state), is_first, endpoint.settings().name.clone())
        };
        self.0.told.answered(&name, (moved, is_first), &sent.event, answered);
    }

    /// Makes durable what is not, one writer at a time.
    async fn save(&self) -> Result<(), Error> {
        self.ready().await?;
        let _writing = self.0.writing.lock().await;
        self.write().await
    }

    /// May be dropped where it waits; then the next one writes everything.
    async fn write(&self) -> Result<(), Error> {
        let step = self.endpoint().unsaved();
        if let Some(step) = step {
            if let Err(source) = self.0.storage.move_webhook(step).await {
                self.endpoint().not_saved();
                return Err(Error::Save { source });
            }
            self.endpoint().saved();
        }
        told::measure(&self.view());
        Ok(())
    }

    /// It is no longer configured: gauges of it say nothing.
    pub fn gone(&self) {
        told::measure_no_more(&self.name());
    }

    /// When something is due although nothing happens.
    fn next_look(&self) -> Instant {
        let now = self.0.clock.now();
        let due = self.endpoint().due_at().map(|at| at.duration_since(now).try_into().unwrap_or_default());
        Instant::now() + due.unwrap_or(IDLE).min(IDLE)
    }

    fn sender(&self) -> Arc<dyn Sender> {
        Arc::clone(&self.0.sender.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn name(&self) -> String {
        self.endpoint().settings().name.clone()
    }

    /// Locked for moments only, never across a wait.
    fn endpoint(&self) -> MutexGuard<'_, Endpoint> {
        self.0.endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
