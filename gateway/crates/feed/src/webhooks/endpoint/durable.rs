//! What of an endpoint is durable, and how it goes on from there.

use super::{Endpoint, Outbound, ParkedEvent, Settings};
use qudao_model::CloudEvent;
use qudao_storage::{Storage, WebhookMove, WebhookRow};
use std::{collections::BTreeMap, sync::Arc};

/// An endpoint as it is on disk: how it stands, and place → failures, when next.
pub(super) type Durable = (WebhookRow, BTreeMap<u64, super::Parked>);

impl Endpoint {
    /// One that goes on where it was. `parked` are its parked events with what is kept of them, in the order of the feed;
    /// those of types that are no longer wanted are dropped. At another URL than before it is tried afresh.
    pub fn restored(settings: Settings, row: WebhookRow, parked: &[(CloudEvent, ParkedEvent)]) -> Endpoint {
        let mut endpoint = Endpoint::new(settings, row.cursor);
        endpoint.dirty = false;
        let kept = parked.iter().map(|(_, one)| (one.seq, (one.failures, one.next_at))).collect();
        for (event, one) in parked {
            if Storage::is_wanted(&endpoint.settings.types, &event.r#type) {
                endpoint.lanes.restore(Arc::new(Outbound::of(event)), one.failures, one.next_at);
            } else {
                endpoint.dirty = true;
            }
        }
        endpoint.saved = Some((row.clone(), kept));
        endpoint.not_before = row.next_at;
        let moved = row.url_digest != endpoint.settings.url_digest;
        endpoint.row = WebhookRow { url_digest: endpoint.settings.url_digest.clone(), ..row };
        if moved {
            endpoint.recover(true);
        }
        endpoint
    }

    /// What is to be durable now, all of it together; nothing where nothing moved. From here until [`Endpoint::saved`] says so
    /// nobody knows what is on disk: a write that was given up may still happen. What is handed out meanwhile is everything.
    pub fn unsaved(&mut self) -> Option<WebhookMove> {
        let row = self.row();
        self.row.cursor = row.cursor;
        let parked = self.lanes.parked_up_to(row.cursor);
        self.dirty = false;
        let before = self.saved.take();
        let afresh = before.is_none();
        let (saved, known) = before.unwrap_or_default();
        let changed = parked.iter().filter(|(seq, told)| known.get(seq) != Some(told));
        let changed = changed.map(|(seq, (failures, next_at))| ParkedEvent {
            seq: *seq,
            failures: *failures,
            next_at: *next_at,
        });
        let step = WebhookMove {
            afresh,
            parked: changed.collect(),
            unparked: known.keys().filter(|seq| !parked.contains_key(seq)).copied().collect(),
            row,
        };
        if !afresh && saved == step.row && step.parked.is_empty() && step.unparked.is_empty() {
            self.saved = Some((saved, known));
            return None;
        }
        self.written = Some((step.row.clone(), parked));
        Some(step)
    }

    /// What was handed out last is durable.
    pub fn saved(&mut self) {
        self.saved = self.written.take();
    }

    /// Nobody knows whether it is.
    pub fn not_saved(&mut self) {
        self.written = None;
        self.dirty = true;
    }
}
