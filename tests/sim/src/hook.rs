//! A consumer of webhooks that is down, slow, picky, forgetful or gone, and remembers all that it ever took.

use crate::seen::Seen;
use futures_util::future::{BoxFuture, FutureExt as _};
use qudao_feed::webhooks::{Answered, Outbound, Sender};
use qudao_model::{CloudEvent, Timestamp};
use qudao_sim::dice::Dice;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It takes everything.
    Fine,
    /// Nobody listens.
    Down,
    /// 500 to everything.
    Broken,
    /// 500 to some entities, whatever is said of them.
    Picky,
    /// It takes events, and its answer is lost now and then.
    Forgetful,
    /// 503, with a wait.
    Busy,
    /// 410: it wants nothing any more.
    Gone,
}

/// All of them.
pub(crate) const MOODS: [Mood; 7] =
    [Mood::Fine, Mood::Down, Mood::Broken, Mood::Picky, Mood::Forgetful, Mood::Busy, Mood::Gone];

/// The consumer. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Hook(Arc<Mutex<State>>);

struct State {
    mood: Mood,
    dice: Dice,
    /// In the order in which they were taken first.
    taken: Vec<Arc<Outbound>>,
    ids: BTreeSet<String>,
    under_way: BTreeMap<Arc<str>, u32>,
    seen: Seen,
}

impl Hook {
    pub(crate) fn new(seed: u64) -> Hook {
        Hook(Arc::new(Mutex::new(State {
            mood: Mood::Fine,
            dice: Dice::new(seed),
            taken: Vec::new(),
            ids: BTreeSet::new(),
            under_way: BTreeMap::new(),
            seen: Seen::default(),
        })))
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Events by the mood that they met.
    pub(crate) fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// It took every event of the feed as the feed has it, those of one entity in order.
    pub(crate) fn hold(&self, feed: &[CloudEvent]) {
        let state = self.state();
        let missing: Vec<u64> =
            feed.iter().filter(|event| !state.ids.contains(&event.id)).map(|event| event.seq).collect();
        assert!(missing.is_empty(), "the webhook was never told of events {missing:?} of {}", feed.len());
        assert_eq!(state.taken.len(), feed.len(), "the webhook was told of events that are not in the feed");
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for event in &state.taken {
            let before = last.insert(&event.subject, event.seq).unwrap_or_default();
            assert!(before < event.seq, "event {} of {} came after {before}", event.seq, event.subject);
            let place = usize::try_from(event.seq).unwrap_or_default();
            let told: CloudEvent = serde_json::from_slice(&event.body).expect("an event");
            assert_eq!(told, feed[place - 1], "the webhook was told something else");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer(&mut self, event: &Arc<Outbound>) -> Answered {
        let status =
            |status: u16| Answered::Status { status, retry_after: None, explain: format!("{status}") };
        let takes = match self.mood {
            Mood::Fine | Mood::Forgetful => true,
            Mood::Picky => event.subject.bytes().map(u32::from).sum::<u32>() % 3 != 0,
            Mood::Down | Mood::Broken | Mood::Busy | Mood::Gone => false,
        };
        self.seen.add("webhook", format!("{:?}", self.mood).to_lowercase());
        if takes && self.ids.insert(event.id.clone()) {
            self.taken.push(Arc::clone(event));
        }
        match self.mood {
            Mood::Forgetful if self.dice.below(3) == 0 => {
                Answered::Silent { explain: "no answer".to_owned() }
            }
            Mood::Fine | Mood::Forgetful => status(204),
            Mood::Picky => status(if takes { 200 } else { 500 }),
            Mood::Broken => status(500),
            Mood::Gone => status(410),
            Mood::Down => Answered::Unreachable { explain: "refused".to_owned() },
            Mood::Busy => {
                let retry_after = Some(Duration::from_secs(7));
                Answered::Status { status: 503, retry_after, explain: "busy".to_owned() }
            }
        }
    }
}

/// One event under way; cut off where it is dropped.
struct UnderWay(Hook, Arc<str>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(count) = self.0.state().under_way.get_mut(&self.1) {
            *count -= 1;
        }
    }
}

impl Sender for Hook {
    fn send(&self, event: Arc<Outbound>, _: Timestamp) -> BoxFuture<'static, Answered> {
        let hook = self.clone();
        async move {
            let breaths = {
                let mut state = hook.state();
                let count = state.under_way.entry(Arc::clone(&event.subject)).or_default();
                *count += 1;
                assert_eq!(*count, 1, "two events of {} are under way", event.subject);
                state.dice.below(4)
            };
            let _under_way = UnderWay(hook.clone(), Arc::clone(&event.subject));
            for _ in 0..breaths {
                tokio::task::yield_now().await;
            }
            hook.state().answer(&event)
        }
        .boxed()
    }
}
