//! A database in which entities change, a consumer by script, a clock.

use crate::it::refunds::{commit, open};
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_feed::webhooks::{Answered, Courier, Outbound, Sender, Settings};
use qudao_model::{Clock, Timestamp};
use qudao_storage::Storage;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;

/// A clock that stands until it is moved.
#[derive(Clone)]
pub(super) struct Hand(Arc<Mutex<Timestamp>>);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// An event as a consumer saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) seq: u64,
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) body: Vec<u8>,
}

type Script = Box<dyn FnMut(&Seen) -> Option<Answered> + Send>;

/// Takes what comes, in as many steps as it likes, and answers by script; without an answer it hangs.
#[derive(Clone)]
pub(super) struct Consumer {
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
}

impl Consumer {
    pub(super) fn new(script: impl FnMut(&Seen) -> Option<Answered> + Send + 'static) -> Consumer {
        Consumer { seen: Arc::default(), script: Arc::new(Mutex::new(Box::new(script))) }
    }

    pub(super) fn happy() -> Consumer {
        Consumer::new(|_| Some(status(200)))
    }

    pub(super) fn now_does(&self, script: impl FnMut(&Seen) -> Option<Answered> + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// Places of what it saw since the last look.
    pub(super) fn places(&self) -> Vec<u64> {
        std::mem::take(&mut *self.seen.lock().unwrap()).into_iter().map(|seen| seen.seq).collect()
    }

    /// The same, in the order of the feed: those of different entities come as they like.
    pub(super) fn sorted(&self) -> Vec<u64> {
        let mut places = self.places();
        places.sort_unstable();
        places
    }
}

impl Sender for Consumer {
    fn send(&self, event: Arc<Outbound>, _at: Timestamp) -> BoxFuture<'static, Answered> {
        let own = self.clone();
        async move {
            tokio::task::yield_now().await;
            let seen = Seen {
                seq: event.seq,
                id: event.id.clone(),
                subject: event.subject.to_string(),
                body: event.body.clone(),
            };
            let answer = (own.script.lock().unwrap())(&seen);
            own.seen.lock().unwrap().push(seen);
            // It has it; whether we hear of that is another matter.
            tokio::task::yield_now().await;
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        }
        .boxed()
    }
}

pub(super) fn status(status: u16) -> Answered {
    Answered::Status { status, retry_after: None, explain: format!("answered {status}") }
}

pub(super) fn unreachable() -> Answered {
    Answered::Unreachable { explain: "connection refused".to_owned() }
}

pub(super) fn settings(name: &str) -> Settings {
    Settings {
        name: name.to_owned(),
        url: "https://hq.example/".to_owned(),
        url_digest: "a".to_owned(),
        types: Vec::new(),
        parallel: 3,
    }
}

/// A database and what goes with it.
pub(super) struct Desk {
    pub(super) storage: Storage,
    pub(super) clock: Hand,
    folder: TempDir,
}

impl Desk {
    pub(super) async fn new() -> Desk {
        let folder = TempDir::new().unwrap();
        let storage = open(folder.path()).await;
        let now = "2026-02-01T00:00:00Z".parse().unwrap();
        Desk { storage, clock: Hand(Arc::new(Mutex::new(now))), folder }
    }

    /// The process is gone and another one begins.
    pub(super) async fn restarted(self) -> Desk {
        self.storage.close().await;
        Desk { storage: open(self.folder.path()).await, ..self }
    }

    pub(super) fn courier(&self, settings: Settings, consumer: &Consumer) -> Courier {
        let (sender, clock) = (Arc::new(consumer.clone()), Arc::new(self.clock.clone()));
        Courier::new(self.storage.clone(), settings, sender, clock)
    }

    pub(super) fn later(&self, wait: Duration) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.checked_add(wait).unwrap();
    }

    /// To where something is due.
    pub(super) fn until(&self, due: Timestamp) {
        let mut now = self.clock.0.lock().unwrap();
        *now = due.max(*now);
    }

    /// Everything is delivered, however late.
    pub(super) async fn until_nothing_is_due(&self, courier: &Courier) {
        while let Some(due) = courier.settle().await.unwrap() {
            self.until(due);
        }
    }

    /// An event for each letter, about the refund of that letter.
    pub(super) async fn tell(&self, refunds: &str) {
        for refund in refunds.chars() {
            let fen = i64::try_from(self.storage.last_seq()).unwrap() + 1;
            commit(&self.storage, refund, fen).await;
        }
    }
}
