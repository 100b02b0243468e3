//! Events that wait, by entity: each entity has a lane, and only the first of a lane can be sent.

use super::{
    Outbound, ParkedView,
    backoff::{has_come, later, wait},
};
use qudao_model::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Events of one entity that count into the window; more do not, so that one slow entity does not fill it.
const FRESH_OF_ONE: usize = 32;

/// All lanes of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    by_subject: HashMap<Arc<str>, Lane>,
    /// Waiting and parked, and waiting and not.
    parked: usize,
    fresh: usize,
    under_way: usize,
    retries_under_way: usize,
}

/// Events of one entity, in order. There are some, or one of it is under way.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Item>,
    /// Of these, how many are not parked.
    fresh: usize,
    /// Ticket of what is under way; it need not be at the front any more.
    ticket: Option<u64>,
    is_retry: bool,
    /// Of the front, in a row.
    failures: u32,
    next_at: Option<Timestamp>,
    /// What was said of the front last.
    explain: Option<Arc<str>>,
    /// The endpoint was there and wanted the front not: that it is back changes nothing.
    declined: bool,
}

/// Why a front was not taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure<'a> {
    /// How long we were asked to wait.
    pub(super) asked: Option<Duration>,
    pub(super) explain: &'a str,
    pub(super) declined: bool,
}

#[derive(Debug)]
struct Item {
    event: Arc<Outbound>,
    /// It failed once, or stood behind one that did: the cursor may pass it.
    parked: bool,
    /// Ticket it is under way with.
    sent: Option<u64>,
}

/// What could be sent.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) subject: Arc<str>,
    pub(super) is_retry: bool,
}

impl Lanes {
    /// Puts an event behind the others of its entity.
    pub(super) fn push(&mut self, event: Arc<Outbound>) {
        let lane = self.by_subject.entry(Arc::clone(&event.subject)).or_default();
        let parked = lane.failures > 0;
        *(if parked { &mut self.parked } else { &mut self.fresh }) += 1;
        lane.fresh += usize::from(!parked);
        lane.waiting.push_back(Item { event, parked, sent: None });
    }

    /// Puts a parked event back where it was. They come in order.
    pub(super) fn restore(&mut self, event: Arc<Outbound>, failures: u32, next_at: Option<Timestamp>) {
        let lane = self.by_subject.entry(Arc::clone(&event.subject)).or_default();
        if lane.waiting.is_empty() {
            (lane.failures, lane.next_at) = (failures, next_at);
        }
        self.parked += 1;
        lane.waiting.push_back(Item { event, parked: true, sent: None });
    }

    pub(super) fn parked(&self) -> usize {
        self.parked
    }

    /// Events that the cursor cannot pass.
    pub(super) fn fresh(&self) -> usize {
        self.fresh
    }

    /// How much of the window they fill.
    pub(super) fn window(&self) -> usize {
        self.by_subject.values().map(|lane| lane.fresh.min(FRESH_OF_ONE)).sum()
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    pub(super) fn retries_under_way(&self) -> usize {
        self.retries_under_way
    }

    /// The oldest event that was never tried and stands behind none that was.
    pub(super) fn next_fresh(&self) -> Option<Candidate> {
        self.untried().min_by_key(|(.., seq)| *seq).map(Candidate::fresh)
    }

    /// The newest of them.
    pub(super) fn last_fresh(&self) -> Option<Candidate> {
        self.untried().max_by_key(|(.., seq)| *seq).map(Candidate::fresh)
    }

    /// The oldest of them that has another type than these.
    pub(super) fn next_of_other(&self, kinds: &BTreeSet<Arc<str>>) -> Option<Candidate> {
        let others = self.untried().filter(|(_, lane, _)| {
            lane.waiting.front().is_some_and(|item| !kinds.contains(&item.event.kind))
        });
        others.min_by_key(|(.., seq)| *seq).map(Candidate::fresh)
    }

    fn untried(&self) -> impl Iterator<Item = (&Arc<str>, &Lane, u64)> {
        self.idle().filter(|(_, lane, _)| lane.failures == 0)
    }

    /// The failed one that waited longest; only those whose time has come where `now` is given.
    pub(super) fn next_retry(&self, now: Option<Timestamp>) -> Option<Candidate> {
        let idle = self.idle().filter(|(_, lane, _)| lane.failures > 0);
        let due = idle.filter(|(_, lane, _)| now.is_none_or(|now| has_come(lane.next_at, now)));
        let (subject, ..) = due.min_by_key(|(_, lane, seq)| (lane.next_at, *seq))?;
        Some(Candidate { subject: Arc::clone(subject), is_retry: true })
    }

    /// How often the front of an entity failed in a row.
    pub(super) fn failures_of(&self, subject: &str) -> u32 {
        self.by_subject.get(subject).map_or(0, |lane| lane.failures)
    }

    /// When the first of the failed ones is due.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.idle().filter(|(_, lane, _)| lane.failures > 0).filter_map(|(_, lane, _)| lane.next_at).min()
    }

    /// Lanes that could send, with the place of their first event.
    fn idle(&self) -> impl Iterator<Item = (&Arc<str>, &Lane, u64)> {
        self.by_subject
            .iter()
            .filter(|(_, lane)| lane.ticket.is_none())
            .filter_map(|(subject, lane)| lane.waiting.front().map(|item| (subject, lane, item.event.seq)))
    }

    /// Takes the first of a lane on its way.
    pub(super) fn send(&mut self, candidate: &Candidate, ticket: u64) -> Option<Arc<Outbound>> {
        let lane = self.by_subject.get_mut(&candidate.subject)?;
        let item = lane.waiting.front_mut()?;
        item.sent = Some(ticket);
        (lane.ticket, lane.is_retry) = (Some(ticket), candidate.is_retry);
        self.under_way += 1;
        self.retries_under_way += usize::from(candidate.is_retry);
        Some(Arc::clone(&item.event))
    }

    /// It is back. Says whether it still is what its lane waits for: it is not where it is to be read again.
    fn back(&mut self, subject: &str, ticket: u64) -> Option<&mut Lane> {
        let lane = self.by_subject.get_mut(subject).filter(|lane| lane.ticket == Some(ticket))?;
        lane.ticket = None;
        self.under_way -= 1;
        self.retries_under_way -= usize::from(std::mem::take(&mut lane.is_retry));
        lane.waiting.front().is_some_and(|item| item.sent == Some(ticket)).then_some(lane)
    }

    /// The endpoint has it.
    pub(super) fn delivered(&mut self, subject: &str, ticket: u64) {
        if let Some(lane) = self.back(subject, ticket) {
            lane.begin();
            if let Some(item) = lane.waiting.pop_front() {
                lane.fresh -= usize::from(!item.parked);
                *(if item.parked { &mut self.parked } else { &mut self.fresh }) -= 1;
            }
        }
        self.tidy(subject);
    }

    /// The endpoint does not have it: it is parked, with all behind it. Says whether it failed for the first time.
    pub(super) fn failed(
        &mut self,
        (subject, ticket): (&str, u64),
        now: Timestamp,
        failure: Failure<'_>,
    ) -> bool {
        let mut newly = 0;
        let mut is_first = false;
        if let Some(lane) = self.back(subject, ticket) {
            is_first = lane.failures == 0;
            lane.failures = lane.failures.saturating_add(1);
            let seed = lane.waiting.front().map(|item| item.event.id.as_str()).unwrap_or_default();
            lane.next_at = Some(later(now, wait(lane.failures, failure.asked, seed)));
            (lane.explain, lane.declined) = (Some(Arc::from(failure.explain)), failure.declined);
            for item in lane.waiting.iter_mut().filter(|item| !item.parked) {
                item.parked = true;
                newly += 1;
            }
            lane.fresh = 0;
        }
        self.parked += newly;
        self.fresh -= newly;
        self.tidy(subject);
        is_first
    }

    /// Forgets everything behind `after`, because it will be read again. What is under way ends, and does not count.
    pub(super) fn rewind(&mut self, after: u64) {
        for lane in self.by_subject.values_mut() {
            let front = lane.waiting.front().map(|item| item.event.seq);
            lane.waiting.retain(|item| item.event.seq <= after);
            if lane.waiting.front().map(|item| item.event.seq) != front {
                lane.begin();
            }
        }
        self.count();
    }

    /// Forgets what is not wanted any more. What is under way ends, and does not count.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&Outbound) -> bool) {
        for lane in self.by_subject.values_mut() {
            let front = lane.waiting.front().map(|item| item.event.seq);
            lane.waiting.retain(|item| is_wanted(&item.event));
            if lane.waiting.front().map(|item| item.event.seq) != front {
                lane.begin();
            }
        }
        self.count();
    }

    /// Forgets one that is parked, and gives it. If it is under way, its answer does not count.
    pub(super) fn skip(&mut self, seq: u64) -> Option<Arc<Outbound>> {
        let at = |lane: &Lane| lane.waiting.iter().position(|item| item.parked && item.event.seq == seq);
        let (lane, at) = self.by_subject.values_mut().find_map(|lane| at(lane).map(|at| (lane, at)))?;
        if at == 0 {
            lane.begin();
        }
        let event = lane.waiting.remove(at)?.event;
        self.count();
        Some(event)
    }

    fn count(&mut self) {
        self.by_subject.retain(|_, lane| !lane.waiting.is_empty() || lane.ticket.is_some());
        (self.parked, self.fresh) = (0, 0);
        for lane in self.by_subject.values_mut() {
            lane.fresh = lane.waiting.iter().filter(|item| !item.parked).count();
            self.fresh += lane.fresh;
            self.parked += lane.waiting.len() - lane.fresh;
        }
    }

    /// Lets everything that waits for its time be tried at once; what was refused for itself only where `all` says so.
    pub(super) fn hurry(&mut self, all: bool) {
        for lane in self.by_subject.values_mut().filter(|lane| all || !lane.declined) {
            lane.next_at = None;
        }
    }

    /// What is parked, in the order of the feed.
    pub(super) fn list(&self) -> Vec<ParkedView> {
        let mut parked: Vec<ParkedView> = Vec::with_capacity(self.parked);
        for lane in self.by_subject.values() {
            let items = lane.waiting.iter().enumerate().filter(|(_, item)| item.parked);
            parked.extend(items.map(|(at, item)| lane.told(at == 0, &item.event)));
        }
        parked.sort_unstable_by_key(|one| one.seq);
        parked
    }

    /// The oldest one that failed itself: place and entity.
    pub(super) fn first_failed(&self) -> Option<(u64, Arc<str>)> {
        let failed = self.by_subject.values().filter(|lane| lane.failures > 0);
        let fronts = failed.filter_map(|lane| lane.waiting.front());
        fronts.map(|item| (item.event.seq, Arc::clone(&item.event.subject))).min()
    }

    /// Place of the first event that the cursor cannot pass.
    pub(super) fn first_fresh(&self) -> Option<u64> {
        let items = self.by_subject.values().filter_map(|lane| lane.waiting.iter().find(|item| !item.parked));
        items.map(|item| item.event.seq).min()
    }

    /// Parked events up to `cursor`: place → failures, when next.
    pub(super) fn parked_up_to(&self, cursor: u64) -> BTreeMap<u64, (u32, Option<Timestamp>)> {
        let mut parked = BTreeMap::new();
        for lane in self.by_subject.values() {
            for (at, item) in lane.waiting.iter().enumerate() {
                if item.parked && item.event.seq <= cursor {
                    let told = if at == 0 { (lane.failures, lane.next_at) } else { (0, None) };
                    parked.insert(item.event.seq, told);
                }
            }
        }
        parked
    }

    fn tidy(&mut self, subject: &str) {
        if self.by_subject.get(subject).is_some_and(|lane| lane.waiting.is_empty() && lane.ticket.is_none()) {
            self.by_subject.remove(subject);
        }
    }
}

impl Lane {
    /// Another event is at the front.
    fn begin(&mut self) {
        (self.failures, self.next_at, self.explain, self.declined) = (0, None, None, false);
    }

    fn told(&self, is_front: bool, event: &Outbound) -> ParkedView {
        ParkedView {
            seq: event.seq,
            id: event.id.clone(),
            r#type: event.kind.to_string(),
            subject: event.subject.to_string(),
            failures: if is_front { self.failures } else { 0 },
            next_attempt_at: self.next_at.filter(|_| is_front),
            explain: self.explain.as_deref().filter(|_| is_front).map(str::to_owned),
        }
    }
}

impl Candidate {
    fn fresh((subject, ..): (&Arc<str>, &Lane, u64)) -> Candidate {
        Candidate { subject: Arc::clone(subject), is_retry: false }
    }
}
