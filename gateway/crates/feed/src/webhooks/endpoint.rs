//! One endpoint as a state machine: what is to be sent now, what an answer means, how far it has come.
//!
//! It knows neither clock nor network nor disk: moments and answers are handed in, and what is to be durable is handed out
//! ([`Endpoint::unsaved`]). Nothing is lost wherever the caller stops, because the cursor passes an event only when it was
//! delivered or is among what is handed out as parked, together with that cursor.

use super::{
    Answered, Outbound, Settings,
    answered::Meaning,
    backoff::{FIRST, LONGEST, has_come, later, wait},
    lanes::{Candidate, Lanes},
};
use qudao_model::{CloudEvent, Timestamp};
use qudao_storage::{ParkedEvent, WebhookMove, WebhookRow, WebhookState};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Events that are read and neither delivered nor parked: enough to keep an endpoint busy, and what may come again after a
/// crash.
pub const WINDOW: usize = 256;
/// Events that can be parked. Beyond it nothing is read, and the cursor stays until some are delivered.
pub const PARKED_MAX: usize = 1_000;
/// So many events, each of another entity, fail at their first try with no success between: then it is the endpoint.
pub const FAILING_AFTER: u32 = 5;
/// Fewer are not read while others wait: one look for each event would be dear.
const READ_MIN: usize = WINDOW / 4;

/// An event on its way. Whoever has it owes [`Endpoint::answered`].
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// What is posted.
    pub event: Arc<Outbound>,
    ticket: u64,
    /// Sent to learn whether the endpoint is back.
    probe: bool,
}

/// An endpoint, its events and how it stands.
#[derive(Debug)]
pub struct Endpoint {
    settings: Settings,
    lanes: Lanes,
    row: WebhookRow,
    /// Up to here events were read.
    read_to: u64,
    tickets: u64,
    /// First tries that failed in a row.
    strangers: u32,
    /// An event of which nothing was tried came while the endpoint fails: it need not wait for the whole back-off.
    prompt: bool,
    tried_at: Option<Timestamp>,
    /// The endpoint asked not to be tried earlier.
    not_before: Option<Timestamp>,
    /// The last one sent was one that had failed before.
    retried: bool,
    /// Something happened that should be durable soon.
    dirty: bool,
    saved: Option<(WebhookRow, BTreeMap<u64, Parked>)>,
}

/// What a failure says of the endpoint.
#[derive(Debug, Clone, Copy)]
struct Failed {
    /// It is the endpoint that fails, not an event.
    whole: bool,
    /// How long it asks us to wait.
    asked: Option<Duration>,
}

/// Failures, and when next.
type Parked = (u32, Option<Timestamp>);

impl Endpoint {
    /// One that begins behind `cursor`; nothing of it is durable yet.
    pub fn new(settings: Settings, cursor: u64) -> Endpoint {
        let row = WebhookRow {
            name: settings.name.clone(),
            url_digest: settings.url_digest.clone(),
            cursor,
            ..WebhookRow::default()
        };
        Endpoint {
            settings,
            lanes: Lanes::default(),
            row,
            read_to: cursor,
            tickets: 0,
            strangers: 0,
            prompt: false,
            tried_at: None,
            not_before: None,
            retried: false,
            dirty: true,
            saved: None,
        }
    }

    /// One that goes on where it was. `parked` are its parked events with what is kept of them, in the order of the feed. At
    /// another URL than before it is tried afresh.
    pub fn restored(settings: Settings, row: WebhookRow, parked: &[(CloudEvent, ParkedEvent)]) -> Endpoint {
        let mut endpoint = Endpoint::new(settings, row.cursor);
        let kept = parked.iter().map(|(_, one)| (one.seq, (one.failures, one.next_at))).collect();
        for (event, one) in parked {
            endpoint.lanes.restore(Arc::new(Outbound::of(event)), one.failures, one.next_at);
        }
        endpoint.dirty = false;
        endpoint.saved = Some((row.clone(), kept));
        endpoint.not_before = row.next_at;
        let moved = row.url_digest != endpoint.settings.url_digest;
        endpoint.row = WebhookRow { url_digest: endpoint.settings.url_digest.clone(), ..row };
        if moved {
            endpoint.recover();
        }
        endpoint
    }

    /// What is configured of it.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where to read on, and how many events at most; nothing while there is no room.
    pub fn wants(&self) -> Option<(u64, usize)> {
        if self.row.state == WebhookState::Disabled {
            return None;
        }
        let fresh = self.lanes.fresh();
        let room = WINDOW.saturating_sub(fresh).min(PARKED_MAX.saturating_sub(self.lanes.parked() + fresh));
        (room >= READ_MIN || (fresh == 0 && room > 0)).then_some((self.read_to, room))
    }

    /// Takes what was read. Everything up to `read_to` that is not among `events` is of no interest. What was asked for before
    /// a rewind is not taken: `after` must still be where it reads.
    pub fn take(&mut self, after: u64, events: &[CloudEvent], read_to: u64) {
        if after != self.read_to {
            return;
        }
        let had_fresh = self.lanes.next_fresh().is_some();
        for event in events {
            self.lanes.push(Arc::new(Outbound::of(event)));
        }
        self.prompt |= !had_fresh && self.lanes.next_fresh().is_some();
        self.read_to = self.read_to.max(read_to);
    }

    /// The next event to send, where one may be sent now.
    pub fn next(&mut self, now: Timestamp) -> Option<Dispatch> {
        let probe = self.row.state == WebhookState::Failing;
        let candidate = match self.row.state {
            WebhookState::Active => self.turn(now)?,
            WebhookState::Failing => self.probe(now)?,
            WebhookState::Disabled => return None,
        };
        self.tickets += 1;
        let event = self.lanes.send(&candidate, self.tickets)?;
        self.retried = candidate.is_retry;
        self.tried_at = Some(now);
        if probe {
            self.prompt = false;
        }
        Some(Dispatch { event, ticket: self.tickets, probe })
    }

    /// Failed events get half of the slots, so that those that time out slowly leave room for the others.
    fn turn(&self, now: Timestamp) -> Option<Candidate> {
        if self.lanes.under_way() >= self.settings.parallel.max(1) {
            return None;
        }
        let retry = || if self.may_retry() { self.lanes.next_retry(Some(now)) } else { None };
        if self.retried {
            return self.lanes.next_fresh().or_else(retry);
        }
        retry().or_else(|| self.lanes.next_fresh())
    }

    fn may_retry(&self) -> bool {
        let parallel = self.settings.parallel.max(1);
        self.lanes.under_way() < parallel && self.lanes.retries_under_way() < (parallel / 2).max(1)
    }

    /// One at a time, and rather one that was never tried: a failed one may be refused for itself.
    fn probe(&self, now: Timestamp) -> Option<Candidate> {
        let is_due = has_come(self.row.next_at, now) || (self.prompt && has_come(self.prompt_at(), now));
        if self.lanes.under_way() > 0 || !is_due {
            return None;
        }
        self.lanes.next_fresh().or_else(|| self.lanes.next_retry(None))
    }

    fn prompt_at(&self) -> Option<Timestamp> {
        self.tried_at.map(|tried_at| later(tried_at, FIRST)).max(self.not_before)
    }

    /// When [`Endpoint::next`] is worth asking again although nothing else happens.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.row.state {
            WebhookState::Disabled => None,
            // An answer comes first.
            WebhookState::Active if !self.may_retry() => None,
            WebhookState::Failing if self.lanes.under_way() > 0 || self.waiting() == 0 => None,
            WebhookState::Active => self.lanes.next_at(),
            WebhookState::Failing => {
                let prompt = self.prompt_at().filter(|_| self.prompt);
                self.row.next_at.into_iter().chain(prompt).min()
            }
        }
    }

    /// What came of a dispatch.
    pub fn answered(&mut self, sent: &Dispatch, answered: &Answered, now: Timestamp) {
        let of = (&*sent.event.subject, sent.ticket);
        self.dirty = true;
        self.row.last_status = answered.status().or(self.row.last_status);
        match answered.meaning() {
            Meaning::Delivered => {
                self.lanes.delivered(of.0, of.1);
                self.row.last_delivered_at = Some(now);
                self.strangers = 0;
                if self.row.state == WebhookState::Failing {
                    self.recover();
                }
                if self.row.state == WebhookState::Active && self.lanes.parked() == 0 {
                    self.row.reason = None;
                }
            }
            Meaning::Gone => {
                self.lanes.failed(of, now, None);
                self.row.reason = Some(answered.explain().to_owned());
                if self.row.state != WebhookState::Disabled {
                    self.stand(WebhookState::Disabled, now);
                }
            }
            Meaning::Refused => {
                let is_first = self.lanes.failed(of, now, None);
                self.strangers = self.strangers.saturating_add(u32::from(is_first));
                let whole = self.strangers >= FAILING_AFTER;
                self.refused(sent, answered.explain(), Failed { whole, asked: None }, now);
            }
            Meaning::Down(asked) => {
                self.lanes.failed(of, now, asked);
                self.not_before = asked.map(|asked| later(now, asked.min(LONGEST)));
                self.refused(sent, answered.explain(), Failed { whole: true, asked }, now);
            }
        }
    }

    fn refused(&mut self, sent: &Dispatch, explain: &str, failed: Failed, now: Timestamp) {
        if self.row.state == WebhookState::Disabled {
            return;
        }
        self.row.reason = Some(explain.to_owned());
        let begins = self.row.state == WebhookState::Active && failed.whole;
        if begins {
            self.stand(WebhookState::Failing, now);
        }
        // Others that were under way when it began tell nothing new.
        if begins || (self.row.state == WebhookState::Failing && sent.probe) {
            self.row.failures = self.row.failures.saturating_add(1);
            let wait = wait(self.row.failures, failed.asked, &self.row.name);
            self.row.next_at = Some(later(now, wait));
        }
    }

    fn stand(&mut self, state: WebhookState, now: Timestamp) {
        self.row.state = state;
        self.row.since = Some(now);
        self.row.failures = 0;
        self.row.next_at = None;
        self.prompt = false;
    }

    /// Full speed again, also for what failed.
    fn recover(&mut self) {
        self.row.state = WebhookState::Active;
        (self.row.since, self.row.failures, self.row.next_at) = (None, 0, None);
        (self.strangers, self.prompt, self.not_before) = (0, false, None);
        self.lanes.hurry();
        self.dirty = true;
    }

    /// Somebody says that it is there again: everything that waits is tried at once.
    pub fn enable(&mut self) {
        self.recover();
    }

    /// Sends everything behind `after` once more. Says whether it has come further than that.
    pub fn rewind(&mut self, after: u64) -> bool {
        if after >= self.cursor() {
            return false;
        }
        self.lanes.rewind(after);
        (self.row.cursor, self.read_to) = (after, after);
        self.dirty = true;
        true
    }

    /// Up to here everything is delivered, or parked.
    pub fn cursor(&self) -> u64 {
        self.lanes.first_fresh().map_or(self.read_to, |first| first.saturating_sub(1))
    }

    /// How it stands, as far as it is to be durable.
    pub fn row(&self) -> WebhookRow {
        WebhookRow { cursor: self.cursor(), ..self.row.clone() }
    }

    /// Events that failed, with those behind them.
    pub fn parked(&self) -> usize {
        self.lanes.parked()
    }

    /// Events that were read and are not delivered.
    pub fn waiting(&self) -> usize {
        self.lanes.parked() + self.lanes.fresh()
    }

    /// Whether something happened that should be durable soon. Where only the cursor moved over events of other types, it
    /// did not.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// What is to be durable now, all of it together; nothing where nothing moved.
    pub fn unsaved(&mut self) -> Option<WebhookMove> {
        let row = self.row();
        self.row.cursor = row.cursor;
        let parked = self.lanes.parked_up_to(row.cursor);
        let none = BTreeMap::new();
        let (saved, before) = self.saved.as_ref().map_or((None, &none), |(row, parked)| (Some(row), parked));
        let changed = parked.iter().filter(|(seq, told)| before.get(seq) != Some(told));
        let changed = changed.map(|(seq, (failures, next_at))| ParkedEvent {
            seq: *seq,
            failures: *failures,
            next_at: *next_at,
        });
        let step = WebhookMove {
            parked: changed.collect(),
            unparked: before.keys().filter(|seq| !parked.contains_key(seq)).copied().collect(),
            row,
        };
        self.dirty = false;
        let moved = saved != Some(&step.row) || !step.parked.is_empty() || !step.unparked.is_empty();
        moved.then_some(step)
    }

    /// It is durable.
    pub fn saved(&mut self, step: &WebhookMove) {
        let (row, parked) = self.saved.get_or_insert_with(Default::default);
        row.clone_from(&step.row);
        for seq in &step.unparked {
            parked.remove(seq);
        }
        parked.extend(step.parked.iter().map(|one| (one.seq, (one.failures, one.next_at))));
    }

    /// It is not.
    pub fn not_saved(&mut self) {
        self.dirty = true;
    }
}
