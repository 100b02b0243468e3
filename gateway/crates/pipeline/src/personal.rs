//! Who gets an order, and raw bytes that may tell it: shown to a person with a purpose, or forgotten. Both are written down before they happen.

use crate::{
    Error, Gateway,
    seal::{FORGOTTEN, receiver_of},
};
use qudao_model::{EntityKind, Receiver, Request, Timestamp};
use qudao_storage::AuditEntry;

impl Gateway {
    /// The receiver of order `order_id` in clear, as the platform told it last. `purpose` and `actor` go into the audit.
    pub async fn reveal(&self, order_id: &str, purpose: &str, actor: &str) -> Result<Receiver, Error> {
        self.known_order(order_id).await?;
        self.audit("reveal", order_id, (purpose, actor)).await?;
        let nothing = || Error::NothingSealed { id: order_id.to_owned() };
        let key = self.storage().subject_key(order_id).await?.ok_or_else(nothing)?;
        if key == FORGOTTEN {
            return Err(Error::Forgotten { id: order_id.to_owned() });
        }
        let facts = self.storage().family_observations(order_id).await?;
        let sealed = facts.iter().filter_map(|fact| {
            let told_at: Timestamp = fact.occurred_at;
            Some((told_at, receiver_of(fact)?.sealed.as_deref()?))
        });
        let (_, sealed) = sealed.max_by_key(|(told_at, _)| *told_at).ok_or_else(nothing)?;
        Ok(self.vault().open_receiver(&key, order_id, sealed)?)
    }

    /// Forgets who gets order `order_id`: masks stay, what was sealed can never be opened again, and what is told of the
    /// receiver later is masked only. Raw deliveries stay sealed under the master key.
    pub async fn forget(&self, order_id: &str, purpose: &str, actor: &str) -> Result<(), Error> {
        self.known_order(order_id).await?;
        self.audit("forget", order_id, (purpose, actor)).await?;
        Ok(self.storage().mark_subject(order_id, FORGOTTEN).await?)
    }

    /// A delivery as it came in, whose bytes may hold a person's data.
    pub async fn reveal_delivery(
        &self,
        id: &str,
        purpose: &str,
        actor: &str,
    ) -> Result<Option<Request>, Error> {
        self.audit("reveal", id, (purpose, actor)).await?;
        Ok(self.storage().delivery_request(id).await?)
    }

    async fn known_order(&self, order_id: &str) -> Result<(), Error> {
        let order = self.storage().entity(EntityKind::Order, order_id).await?;
        order.map(drop).ok_or_else(|| Error::UnknownOrder { id: order_id.to_owned() })
    }

    async fn audit(&self, action: &str, subject: &str, (purpose, actor): (&str, &str)) -> Result<(), Error> {
        let entry = AuditEntry {
            at: self.now(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            purpose: purpose.to_owned(),
        };
        Ok(self.storage().audit(entry).await?)
    }
}
