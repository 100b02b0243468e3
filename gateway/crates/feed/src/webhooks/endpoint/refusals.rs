//! Whether refusals speak of an event or of the endpoint.

use qudao_model::Timestamp;
use std::{collections::BTreeSet, sync::Arc};

use super::{Answered, Dispatch, Endpoint, FAILING_AFTER, MUTE_AFTER, WebhookState, later};

/// What was refused since an event was taken.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// First tries that failed in a row, but for those whose answer speaks of the event.
    strangers: u32,
    /// Types of which one was refused.
    pub(super) kinds: BTreeSet<Arc<str>>,
    /// The first one.
    pub(super) since: Option<Timestamp>,
    /// The endpoint fails because it took nothing for long, though it may be there.
    pub(super) mute: bool,
}

impl Refusals {
    /// One was taken.
    pub(super) fn end(&mut self) {
        (self.strangers, self.since) = (0, None);
        self.kinds.clear();
    }
}

impl Endpoint {
    /// Whether a refusal tells that the endpoint takes nothing at all.
    pub(super) fn is_refusal_of_all(
        &mut self,
        (sent, answered): (&Dispatch, &Answered),
        (is_first, declined): (bool, bool),
        now: Timestamp,
    ) -> bool {
        let never = self.row.last_delivered_at.is_none();
        let refusals = &mut self.refusals;
        if is_first {
            refusals.strangers = refusals.strangers.saturating_add(u32::from(!declined));
            refusals.kinds.insert(Arc::clone(&sent.event.kind));
        }
        if is_first || never {
            refusals.since.get_or_insert(now);
        }
        if declined && sent.probe && self.row.state == WebhookState::Failing && !refusals.mute {
            // It is there again and looks at events.
            self.recover(false);
            self.refusals.since = Some(now);
        }
        let mute = self.refusals.since.is_some_and(|since| now >= later(since, MUTE_AFTER));
        if self.row.state == WebhookState::Active {
            self.refusals.mute = mute;
        }
        self.refusals.strangers >= FAILING_AFTER || mute || (never && answered.is_stranger())
    }
}
