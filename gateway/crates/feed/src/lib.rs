//! The feed: events in order, by cursor, with waiting.
//!
//! Guarantees: events come in the order of `seq`, none twice, none skipped, whatever the reader's pace; waiting polls
//! nothing and costs one wake-up a commit. Every call and stream may be dropped at any moment: it holds nothing that
//! others need. Leaves storing to `storage`, HTTP to `api`.
//! Surprising: readers are woken by storage itself, after the commit, so an answer that nobody waits for wakes them, too.

use futures_util::{Stream, stream};
use qudao_model::CloudEvent;
use qudao_storage::Storage;
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

pub use error::{Class, Error, Retry};

mod error;
pub mod webhooks;

/// Most events of a page.
pub const LIMIT_MAX: u32 = qudao_storage::LIMIT_MAX;
/// Longest that a page waits, so that a forgotten reader holds no connection for ever.
pub const WAIT_MAX: Duration = Duration::from_mins(1);
/// Events that a stream reads ahead: large enough to catch up fast, small enough that a slow reader holds little.
const READ_AHEAD: u32 = 100;

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedQuery {
    /// Only events with a greater `seq`.
    pub after: u64,
    /// Most events, clamped to 1..=[`LIMIT_MAX`].
    pub limit: u32,
    /// How long to wait while there is none; at most [`WAIT_MAX`].
    pub wait: Duration,
    /// Exact types, or prefixes that end in `*` (`qudao.payment.*`); none means all.
    pub types: Vec<String>,
}

impl Default for FeedQuery {
    fn default() -> FeedQuery {
        FeedQuery { after: 0, limit: READ_AHEAD, wait: Duration::ZERO, types: Vec::new() }
    }
}

/// The feed. Cheap to clone; all clones are one feed.
#[derive(Clone)]
pub struct Feed {
    storage: Storage,
}

impl Feed {
    /// The feed of `storage`.
    pub fn new(storage: Storage) -> Feed {
        Feed { storage }
    }

    /// Events behind `after`, as soon as there is one; none when the wait is over or the storage closes.
    pub async fn page(&self, query: &FeedQuery) -> Result<Vec<CloudEvent>, Error> {
        let deadline = Instant::now() + query.wait.min(WAIT_MAX);
        let mut reading = self.reading(query.after, query.types.clone());
        loop {
            let events = reading.read(query.limit).await?;
            if !events.is_empty() || query.wait.is_zero() {
                return Ok(events);
            }
            match timeout_at(deadline, reading.grown()).await {
                Ok(true) => {}
                Ok(false) | Err(_) => return Ok(Vec::new()),
            }
        }
    }

    /// Events behind `after`, for as long as the storage is open. An error ends the stream; a reader goes on with the
    /// last `seq` it saw.
    pub fn stream(
        &self,
        after: u64,
        types: Vec<String>,
    ) -> impl Stream<Item = Result<CloudEvent, Error>> + Send + 'static {
        let tail = Tail { reading: self.reading(after, types), ahead: VecDeque::new() };
        stream::try_unfold(tail, |mut tail| async move { Ok(tail.next().await?.map(|event| (event, tail))) })
    }

    /// Place of the last event.
    pub fn last_seq(&self) -> u64 {
        self.storage.last_seq()
    }

    fn reading(&self, after: u64, types: Vec<String>) -> Reading {
        Reading { storage: self.storage.clone(), grows: self.storage.watch_seq(), after, types }
    }
}

/// A place in the feed.
struct Reading {
    storage: Storage,
    grows: watch::Receiver<u64>,
    /// Nothing up to here is of interest any more.
    after: u64,
    types: Vec<String>,
}

impl Reading {
    async fn read(&mut self, limit: u32) -> Result<Vec<CloudEvent>, Error> {
        // Taken before reading: what comes in between wakes us again.
        let last = *self.grows.borrow_and_update();
        if last <= self.after && self.grows.has_changed().is_ok() {
            return Ok(Vec::new());
        }
        let events = self.storage.events(self.after, limit, &self.types).await?;
        self.after = match events.last() {
            Some(event) => event.seq,
            None => self.after.max(last),
        };
        Ok(events)
    }

    /// Waits until the feed grows; false when it never will again.
    async fn grown(&mut self) -> bool {
        self.grows.changed().await.is_ok()
    }
}

struct Tail {
    reading: Reading,
    ahead: VecDeque<CloudEvent>,
}

impl Tail {
    async fn next(&mut self) -> Result<Option<CloudEvent>, Error> {
        loop {
            if let Some(event) = self.ahead.pop_front() {
                return Ok(Some(event));
            }
            self.ahead = self.reading.read(READ_AHEAD).await?.into();
            if self.ahead.is_empty() && !self.reading.grown().await {
                return Ok(None);
            }
        }
    }
}
