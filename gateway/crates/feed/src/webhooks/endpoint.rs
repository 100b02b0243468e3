//! One endpoint as a state machine: what is to be sent now, what an answer means, how far it has come.
//!
//! It knows neither clock nor network nor disk: moments and answers are handed in, and what is to be durable is handed out
//! ([`Endpoint::unsaved`]). Nothing is lost wherever the caller stops, because the cursor passes an event only when it was
//! delivered or is among what is handed out as parked, together with that cursor.

mod durable;
mod refusals;

use super::{
    Answered, Outbound, ParkedView, Settings, Stopped,
    answered::Meaning,
    backoff::{FIRST, LONGEST, has_come, later, wait},
    lanes::{Candidate, Failure, Lanes},
};
use durable::Durable;
use qudao_model::{CloudEvent, Timestamp};
use qudao_storage::{ParkedEvent, Storage, WebhookRow, WebhookState};
use refusals::Refusals;
use std::{sync::Arc, time::Duration};

/// Events that are read and neither delivered nor parked: enough to keep an endpoint busy. Of one entity only the first few
/// count.
pub const WINDOW: usize = 256;
/// Events that can be parked, those included that wait beside them. Beyond it nothing is read, and the cursor stays until some
/// are delivered.
pub const PARKED_MAX: usize = 1_000;
/// So many events, each of another entity, fail at their first try with no success between: then it is the endpoint.
pub const FAILING_AFTER: u32 = 5;
/// For so long some are refused and none is taken: then it is the endpoint, too.
pub const MUTE_AFTER: Duration = Duration::from_mins(5);
/// While there are events of which nothing was tried, refusals that speak of an event lengthen the waits so often only.
const DECLINES: u32 = 5;
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
    refusals: Refusals,
    /// An event of which nothing was tried came while the endpoint fails: it need not wait for the whole back-off.
    prompt: bool,
    tried_at: Option<Timestamp>,
    /// The endpoint asked not to be tried earlier.
    not_before: Option<Timestamp>,
    /// The last one sent was one that had failed before.
    retried: bool,
    /// Something happened that should be durable soon.
    dirty: bool,
    /// What is on disk; nothing while nobody knows.
    saved: Option<Durable>,
    /// What was handed out last.
    written: Option<Durable>,
}

/// What a failure says of the endpoint.
#[derive(Debug, Clone, Copy)]
struct Failed {
    /// It is the endpoint that fails, not an event.
    whole: bool,
    /// How long it asks us to wait.
    asked: Option<Duration>,
    /// The answer speaks of the event.
    declined: bool,
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
            refusals: Refusals::default(),
            prompt: false,
            tried_at: None,
            not_before: None,
            retried: false,
            dirty: true,
            saved: None,
            written: None,
        }
    }

    /// What is configured of it.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Takes another configuration of the same endpoint. What is under way ends as it began. With other types what is read
    /// ahead is read again; at another URL it is tried afresh.
    pub fn change(&mut self, settings: Settings) {
        let moved = self.settings.url_digest != settings.url_digest;
        let other_types = self.settings.types != settings.types;
        self.row.url_digest.clone_from(&settings.url_digest);
        self.settings = settings;
        if other_types {
            let cursor = self.cursor();
            self.lanes.rewind(cursor);
            (self.row.cursor, self.read_to) = (cursor, cursor);
            let types = &self.settings.types;
            self.lanes.keep(|event| Storage::is_wanted(types, &event.kind));
        }
        if moved {
            self.recover(true);
        }
        self.dirty = true;
    }

    /// Where to read on, and how many events at most; nothing while there is no room.
    pub fn wants(&self) -> Option<(u64, usize)> {
        if self.row.state == WebhookState::Disabled {
            return None;
        }
        let room = WINDOW.saturating_sub(self.lanes.window());
        let room = room.min(PARKED_MAX.saturating_sub(self.waiting()));
        (room >= READ_MIN || (self.lanes.fresh() == 0 && room > 0)).then_some((self.read_to, room))
    }

    /// Takes what was read. Everything up to `read_to` that is not among `events` is of no interest. What was asked for before
    /// a rewind is not taken: `after` must still be where it reads.
    pub fn take(&mut self, after: u64, events: &[CloudEvent], read_to: u64) {
        if after != self.read_to {
            return;
        }
        let fresh = |own: &Endpoint| {
            (own.lanes.next_fresh().is_some(), own.lanes.next_of_other(&own.refusals.kinds).is_some())
        };
        let before = fresh(self);
        for event in events {
            self.lanes.push(Arc::new(Outbound::of(event)));
        }
        let now = fresh(self);
        self.prompt |= (now.0 && !before.0) || (now.1 && !before.1);
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

    /// One at a time, and rather one that was never tried, of a type of which none was refused: a failed one may be refused for
    /// itself, and so may its whole type. Beyond that it begins with the oldest and the newest in turn.
    fn probe(&self, now: Timestamp) -> Option<Candidate> {
        let is_due = has_come(self.row.next_at, now) || (self.prompt && has_come(self.prompt_at(), now));
        if self.lanes.under_way() > 0 || !is_due || !has_come(self.not_before, now) {
            return None;
        }
        let other = self.lanes.next_of_other(&self.refusals.kinds);
        let newest = || self.lanes.last_fresh().filter(|_| self.row.failures.is_multiple_of(2));
        other.or_else(newest).or_else(|| self.lanes.next_fresh()).or_else(|| self.lanes.next_retry(None))
    }

    fn prompt_at(&self) -> Option<Timestamp> {
        self.tried_at.map(|tried_at| later(tried_at, FIRST))
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
                self.row.next_at.into_iter().chain(prompt).min().max(self.not_before)
            }
        }
    }

    /// What came of a dispatch. Says whether it parked an event, and those of its entity behind it, for the first time.
    pub fn answered(&mut self, sent: &Dispatch, answered: &Answered, now: Timestamp) -> bool {
        let of = (&*sent.event.subject, sent.ticket);
        let meaning = answered.meaning();
        let asked = if let Meaning::Down(asked) = meaning { asked } else { None };
        let declined = meaning == Meaning::Declined;
        let failure = Failure { asked, explain: answered.explain(), declined };
        self.dirty = true;
        self.row.last_status = answered.status().or(self.row.last_status);
        match meaning {
            Meaning::Delivered => {
                self.lanes.delivered(of.0, of.1);
                self.delivered(sent, now);
                false
            }
            Meaning::Gone => {
                let is_first = self.lanes.failed(of, now, failure);
                self.row.reason = Some(answered.explain().to_owned());
                if self.row.state != WebhookState::Disabled {
                    self.stand(WebhookState::Disabled, now);
                }
                is_first
            }
            Meaning::Refused | Meaning::Declined => {
                let is_first = self.lanes.failed(of, now, failure);
                let whole = self.is_refusal_of_all((sent, answered), (is_first, declined), now);
                self.refused(sent, answered.explain(), Failed { whole, asked, declined }, now);
                is_first
            }
            Meaning::Down(asked) => {
                let is_first = self.lanes.failed(of, now, failure);
                let asked_until = asked.map(|asked| later(now, asked.min(LONGEST)));
                self.not_before = self.not_before.filter(|at| !has_come(Some(*at), now)).max(asked_until);
                self.refused(sent, answered.explain(), Failed { whole: true, asked, declined }, now);
                is_first
            }
        }
    }

    fn delivered(&mut self, sent: &Dispatch, now: Timestamp) {
        self.row.last_delivered_at = Some(now);
        self.refusals.end();
        // What was under way when it asked for a pause does not end that.
        let may_go_on = sent.probe || has_come(self.not_before, now);
        if self.row.state == WebhookState::Failing && may_go_on {
            self.recover(false);
        }
        if self.row.state == WebhookState::Active && self.lanes.parked() == 0 {
            self.row.reason = None;
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
            if self.refusals.mute {
                // It waited long already.
                self.row.failures = self.lanes.failures_of(&sent.event.subject).saturating_sub(1);
            }
        }
        // Others that were under way when it began tell nothing new.
        if begins || (self.row.state == WebhookState::Failing && sent.probe) {
            self.row.failures = self.row.failures.saturating_add(1);
            let declines = failed.declined && self.lanes.next_fresh().is_some();
            let count = if declines { self.row.failures.min(DECLINES) } else { self.row.failures };
            let wait = wait(count, failed.asked, &self.row.name);
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

    /// Full speed again, also for what failed; for what was refused for itself only where `all` says so.
    fn recover(&mut self, all: bool) {
        self.row.state = WebhookState::Active;
        (self.row.since, self.row.failures, self.row.next_at) = (None, 0, None);
        (self.prompt, self.not_before) = (false, None);
        self.refusals = Refusals::default();
        self.lanes.hurry(all);
        self.dirty = true;
    }

    /// Somebody says that it is there again: everything that waits is tried at once.
    pub fn enable(&mut self) {
        self.recover(true);
    }

    /// Passes over an event that is parked; nothing where it is not. What stands behind it goes on.
    pub fn skip(&mut self, seq: u64) -> Option<Arc<Outbound>> {
        let skipped = self.lanes.skip(seq)?;
        self.dirty = true;
        if self.row.state == WebhookState::Active && self.lanes.parked() == 0 {
            self.row.reason = None;
        }
        Some(skipped)
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

    /// These events.
    pub fn parked_events(&self) -> Vec<ParkedView> {
        self.lanes.list()
    }

    /// Why nothing is read, where nothing is because of what is parked.
    pub fn stopped(&self) -> Option<Stopped> {
        let parked = self.lanes.parked();
        let is_full = self.row.state != WebhookState::Disabled
            && self.waiting() >= PARKED_MAX
            && parked >= PARKED_MAX / 2;
        let (seq, subject) = is_full.then(|| self.lanes.first_failed()).flatten()?;
        Some(Stopped { parked: u64::try_from(parked).unwrap_or(u64::MAX), seq, subject: subject.to_string() })
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
}
