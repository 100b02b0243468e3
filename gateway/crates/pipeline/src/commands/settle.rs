//! What became of a command: first what is stored by now, then the platform's own word.

use super::{
    Running,
    code::Code,
    outcome::{Standing, Word, word},
};
use crate::{
    Error,
    ask::Decision,
    schedule::{again, back_off, done, fetch_wait, later, of_key, since},
};
use qudao_host::{Answered, AskFailure, Told};
use qudao_model::{Asked, Entity, EntityKind, Facts, manifest::FetchSpec};
use qudao_storage::{CommandState, EntityFilter, Moves};
use serde_json::Value;
use std::time::Duration;
use tracing::error;

/// Once the connector's schedule has ended only what is stored of an accepted command is looked at, this often; and this
/// long a command is looked after at all.
const LOOK_EVERY: Duration = Duration::from_hours(1);
const LOOK_FOR: Duration = Duration::from_hours(30 * 24);

/// So long after it could be sent last a platform may still come to do it.
const ON_ITS_WAY: Duration = Duration::from_mins(5);

/// What follows from an answer about it.
enum Settled {
    Moved(CommandState, String),
    Failed(AskFailure),
}

impl Running<'_> {
    /// Finds out what became of a command that was sent.
    pub(super) async fn settle(&self) -> Result<(), Error> {
        match self.stored().await? {
            Word::Done => {
                return self.end(CommandState::Succeeded, Code::Confirmed, "what it is about says so").await;
            }
            Word::Failed(code) => {
                return self.end(CommandState::Failed, code, "what it is about ended otherwise").await;
            }
            Word::Accepted | Word::NotDone => {}
        }
        let fetch = self.spec().and_then(|spec| {
            self.channel.connector.manifest().fetches.iter().find(|fetch| fetch.kind == spec.settled_by)
        });
        let key = fetch.and_then(|fetch| key(&fetch.kind, &self.row.payload));
        let (Some(fetch), Some(key)) = (fetch, key) else {
            // Nobody can be asked. The same again is safe, and tells.
            return self.send_again("the connector cannot ask what became of it").await;
        };
        let age = since(self.row.created_at, self.now);
        // What is unknown is asked about for as long as it takes: nothing else can settle it.
        let patience = if self.row.state == CommandState::Accepted {
            Duration::from_secs(fetch.give_up_s.into())
        } else {
            LOOK_FOR
        };
        if age >= patience {
            return self.only_look(age).await;
        }
        let asked = Asked::Fetch { kind: fetch.kind.clone(), key: key.clone() };
        let intake = &self.schedule.intake;
        let settled = intake
            .ask(self.channel.asking(self.now), asked, |answered| self.settled((fetch, &key), answered))
            .await?;
        match settled {
            Settled::Moved(state, message) => self.tell(state, &message),
            Settled::Failed(failure) => {
                let failures = self.task.attempts.saturating_add(1);
                let wait = self
                    .schedule
                    .one_failed(self.channel, &failure, (failures, &self.row.id), self.now)
                    .await?;
                let due_at = later(self.schedule.ended(self.now), wait);
                let moves = again(self.task, due_at, format!("{}: {}", failure.code, failure.message));
                self.schedule.intake.storage.advance(&self.channel.name, self.now, moves).await?;
            }
        }
        Ok(())
    }

    /// What moves with an answer about it.
    fn settled(&self, (fetch, asked): (&FetchSpec, &[String]), answered: &Answered) -> Decision<Settled> {
        let key = "FETCH".to_owned();
        let page = match &answered.told {
            Ok(Told::Page(page)) => page,
            Ok(Told::Effect(_)) => {
                let moves =
                    again(self.task, later(self.now, LOOK_EVERY), "a fetch was answered as a command");
                let result = Settled::Moved(self.row.state, "a fetch was answered as a command".to_owned());
                return Decision { moves, keep: true, key, result };
            }
            Err(failure) => {
                let keep = self.schedule.keeps(self.channel, failure, &answered.transcript, self.now);
                return Decision {
                    moves: Moves::default(),
                    keep,
                    key,
                    result: Settled::Failed(failure.clone()),
                };
            }
        };
        let standings = of_key(&page.observations, &fetch.kind, asked)
            .filter(|fact| self.is_mine(Named::of_facts(&fact.facts)));
        let standings = standings.filter_map(|fact| Standing::of_facts(&fact.facts));
        let told = standings.map(|standing| word(&self.row.kind, standing)).max();
        let (state, code, message) = match told {
            Some(Word::Done) => {
                (CommandState::Succeeded, Some(Code::Confirmed), "the platform says that it is done")
            }
            Some(Word::Failed(code)) => {
                (CommandState::Failed, Some(code), "the platform says that it ended otherwise")
            }
            Some(Word::Accepted) => (CommandState::Accepted, None, "the platform says that it is under way"),
            // It said that it took it: a platform may be slow to show it.
            Some(Word::NotDone) | None if self.row.state == CommandState::Accepted => {
                (CommandState::Accepted, None, "the platform took it and does not show it yet")
            }
            Some(Word::NotDone) | None => self.not_done(),
        };
        let due_at = if state == CommandState::Queued {
            // The first time at once; what goes out and gets lost again and again has to slow down.
            let wait = match self.row.attempts {
                0 | 1 => Duration::ZERO,
                attempts => back_off(attempts, &self.row.id),
            };
            later(self.schedule.ended(self.now), wait)
        } else {
            later(self.now, fetch_wait(fetch, self.task.attempts))
        };
        let task = if state.is_settled() { done(self.task) } else { again(self.task, due_at, message) };
        let moves =
            Moves { command: Some(self.command(state, code.map(Code::as_str), Some(message))), ..task };
        Decision { moves, keep: false, key, result: Settled::Moved(state, message.to_owned()) }
    }

    /// The platform does not know it: it goes out again as it was, while it is wanted.
    fn not_done(&self) -> (CommandState, Option<Code>, &'static str) {
        if self.is_over() && self.row.not_after.is_some_and(|end| since(end, self.now) < ON_ITS_WAY) {
            return (CommandState::Unknown, Some(Code::Unknown), "the platform does not know it yet");
        }
        if self.is_over() {
            let message = "the platform does not know it, and its time is over";
            return (CommandState::Expired, Some(Code::Expired), message);
        }
        (CommandState::Queued, None, "the platform does not know it; it is sent again with the same key")
    }

    async fn send_again(&self, why: &str) -> Result<(), Error> {
        if self.row.state == CommandState::Accepted {
            let due_at = later(self.now, LOOK_EVERY);
            return self.moves(CommandState::Accepted, None, why, Some(due_at)).await;
        }
        let (state, code, message) = self.not_done();
        if state == CommandState::Expired {
            // It was not asked, so it is not known either.
            error!(
                command.id = self.row.id,
                "command `{}` stays unknown: {why}; a person has to look", self.row.id
            );
            let moves = done(self.task);
            return Ok(self.schedule.intake.storage.advance(&self.channel.name, self.now, moves).await?);
        }
        self.moves(state, code, message, Some(self.schedule.ended(self.now))).await
    }

    /// The platform was asked long enough; a notice may still come.
    async fn only_look(&self, age: Duration) -> Result<(), Error> {
        let (id, name) = (&self.row.id, &self.channel.name);
        let moves = if age >= LOOK_FOR {
            error!(
                channel.name = name,
                command.id = id,
                "command `{id}` on `{name}` was never settled; a person has to look"
            );
            done(self.task)
        } else {
            again(
                self.task,
                later(self.now, LOOK_EVERY),
                "the platform has no final word; a notice may still come",
            )
        };
        Ok(self.schedule.intake.storage.advance(name, self.now, moves).await?)
    }

    /// What is stored of the thing that the command is about.
    async fn stored(&self) -> Result<Word, Error> {
        let Some(kind) = self.spec().and_then(|spec| EntityKind::parse(&spec.settled_by)) else {
            return Ok(Word::NotDone);
        };
        let text = |name: &str| text(&self.row.payload, name);
        let filter = match kind {
            EntityKind::Refund => EntityFilter { refund_no: text("refund_no"), ..EntityFilter::new(kind) },
            EntityKind::AfterSale => {
                EntityFilter { aftersale_no: text("aftersale_no"), ..EntityFilter::new(kind) }
            }
            EntityKind::Payment | EntityKind::Order => EntityFilter::new(kind),
            EntityKind::Listing | EntityKind::Slip => return Ok(Word::NotDone),
        };
        let order_no = text("order_no");
        if order_no.is_none() && filter.refund_no.is_none() && filter.aftersale_no.is_none() {
            return Ok(Word::NotDone);
        }
        let filter = EntityFilter { channel: Some(self.channel.name.clone()), order_no, ..filter };
        let found = self.schedule.intake.storage.entities(&filter).await?;
        let mine: Vec<_> =
            found.items.iter().filter(|entity| self.is_exactly_mine(Named::of_entity(entity))).collect();
        let words = mine.iter().filter_map(|entity| Standing::of_entity(entity));
        let word = words.map(|standing| word(&self.row.kind, standing)).max();
        // Of several merchants one may have used the same number: then only asking tells.
        Ok(word.filter(|_| mine.len() == 1).unwrap_or(Word::NotDone))
    }

    /// The same of what is stored, which may be of any merchant served: where none is named it is the channel's own.
    fn is_exactly_mine(&self, named: Named<'_>) -> bool {
        named.sub_merchant_no == text(&self.row.payload, "sub_merchant_no").as_deref() && self.is_mine(named)
    }

    /// Whether a thing of the same number is what the command is about: of the merchant it names, over the amount it names.
    fn is_mine(&self, named: Named<'_>) -> bool {
        let merchant = text(&self.row.payload, "sub_merchant_no");
        let amount_fen = self.row.payload.get("amount_fen").and_then(Value::as_i64);
        merchant.is_none_or(|merchant| named.sub_merchant_no == Some(merchant.as_str()))
            && named.amount_fen.is_none_or(|fen| amount_fen.is_none_or(|asked| asked == fen))
    }
}

/// What else names a thing that a command is about.
#[derive(Clone, Copy, Default)]
struct Named<'a> {
    sub_merchant_no: Option<&'a str>,
    /// Of a refund, where the platform tells it alone.
    amount_fen: Option<i64>,
}

impl<'a> Named<'a> {
    fn of_entity(entity: &'a Entity) -> Named<'a> {
        match entity {
            Entity::Payment(payment) => {
                Named { sub_merchant_no: payment.sub_merchant_no.as_deref(), amount_fen: None }
            }
            Entity::Refund(refund) => Named {
                sub_merchant_no: refund.sub_merchant_no.as_deref(),
                amount_fen: Some(refund.amount_fen),
            },
            Entity::Order(_) | Entity::AfterSale(_) | Entity::Listing(_) | Entity::Slip(_) => {
                Named::default()
            }
        }
    }

    fn of_facts(facts: &'a Facts) -> Named<'a> {
        match facts {
            Facts::Payment(payment) => {
                Named { sub_merchant_no: payment.sub_merchant_no.as_deref(), amount_fen: None }
            }
            Facts::Refund(refund) => {
                Named { sub_merchant_no: refund.sub_merchant_no.as_deref(), amount_fen: refund.amount_fen }
            }
            Facts::Order(_) | Facts::AfterSale(_) | Facts::Listing(_) | Facts::Slip(_) => Named::default(),
        }
    }
}

/// What to fetch, from the members of the payload.
pub(super) fn key(kind: &str, payload: &Value) -> Option<Vec<String>> {
    let text = |name: &str| text(payload, name);
    let merchant = text("sub_merchant_no").into_iter();
    match kind {
        "payment" => Some(merchant.chain([text("order_no")?]).collect()),
        "refund" => Some(merchant.chain([text("order_no")?, text("refund_no")?]).collect()),
        "order" => Some(vec![text("order_no")?]),
        "aftersale" => Some(vec![text("aftersale_no")?]),
        _ => None,
    }
}

fn text(payload: &Value, name: &str) -> Option<String> {
    payload.get(name).and_then(Value::as_str).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::key;
    use serde_json::json;

    #[test]
    fn keys_come_from_the_payload() {
        let check = |kind, payload, expect: Option<&[&str]>| {
            let expect = expect.map(|parts| parts.iter().map(|part| (*part).to_owned()).collect());
            assert_eq!(key(kind, &payload), expect, "{kind} {payload}");
        };
        let refund = json!({"order_no": "SO1", "refund_no": "R1", "amount_fen": 5});
        check("refund", refund.clone(), Some(&["SO1", "R1"]));
        check("payment", refund.clone(), Some(&["SO1"]));
        check(
            "refund",
            json!({"order_no": "SO1", "refund_no": "R1", "sub_merchant_no": "M"}),
            Some(&["M", "SO1", "R1"]),
        );
        check("refund", json!({"order_no": "SO1"}), None);
        check("aftersale", json!({"aftersale_no": "A1"}), Some(&["A1"]));
        check("stock", refund, None);
    }
}
