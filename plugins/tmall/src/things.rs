//! One trade or refund by its number, and what to say where it cannot be had or read.
//!
//! What is wrong with one thing must not stop a stream: such a thing becomes a note, and the raw answer stays with the
//! delivery, so that a better connector reads it on replay.

use crate::call::Top;
use crate::map::{self, Unreadable};
use crate::trouble::{Kind, Told, Trouble};
use crate::wire::{REFUND_FIELDS, RefundAnswer, TRADE_FIELDS, TradeAnswer};
use qudao_sdk::{Failure, Note, Observation, Page};
use serde_json::json;

/// Kinds of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thing {
    Order,
    AfterSale,
}

impl Thing {
    /// As in the manifest's `fetches`.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Thing::Order => "order",
            Thing::AfterSale => "aftersale",
        }
    }

    /// Asks for one, and puts what it is on the page. Gives the fact's time of change, if there is a fact.
    pub(crate) fn fetch(self, no: &str, top: &Top<'_>, page: &mut Page) -> Result<Option<i64>, Failure> {
        let asked = match self {
            Thing::Order => trade(no, top),
            Thing::AfterSale => refund(no, top),
        };
        match asked {
            Ok(Ok(observation)) => {
                // The gateway takes no page with a fact that breaks the model's rules: one odd trade would stop all.
                let Some(problem) = observation.problems().first().map(ToString::to_string) else {
                    let modified = observation.occurred_at.as_second();
                    page.observations.push(observation);
                    return Ok(Some(modified));
                };
                page.notes.push(self.skipped(no, "unreadable", &problem));
            }
            Ok(Err(Unreadable::Missing(member))) => page.notes.push(self.skipped(no, "unreadable", member)),
            Ok(Err(Unreadable::UnknownState(word))) => {
                page.notes.push(self.skipped(no, "unknown_state", &word));
            }
            Err(trouble) => match trouble.is_about_one() {
                Some(Told { kind, words, .. }) => page.notes.push(self.skipped(no, kind.as_str(), words)),
                None => return Err(trouble.into()),
            },
        }
        Ok(None)
    }

    fn skipped(self, no: &str, class: &str, words: &str) -> Note {
        let fields = [("no", json!(no)), ("class", json!(class)), ("code", json!(words))];
        let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Note { kind: format!("{}.skipped", self.kind()), at: None, fields }
    }
}

fn trade(no: &str, top: &Top<'_>) -> Result<Result<Observation, Unreadable>, Trouble> {
    let arguments = [("tid", no), ("fields", TRADE_FIELDS), ("include_oaid", "true")];
    let answer: TradeAnswer = top.call("taobao.trade.fullinfo.get", &arguments)?;
    of_this_shop(answer.trade.seller_nick.0.as_deref(), top)?;
    Ok(map::order(&answer.trade))
}

fn refund(no: &str, top: &Top<'_>) -> Result<Result<Observation, Unreadable>, Trouble> {
    let arguments = [("refund_id", no), ("fields", REFUND_FIELDS)];
    let answer: RefundAnswer = top.call("taobao.refund.get", &arguments)?;
    of_this_shop(answer.refund.seller_nick.0.as_deref(), top)?;
    Ok(map::aftersale(&answer.refund))
}

/// A session of another shop would put its orders under this channel's name.
fn of_this_shop(seller_nick: Option<&str>, top: &Top<'_>) -> Result<(), Trouble> {
    match seller_nick {
        Some(nick) if nick != top.settings.seller_nick => {
            let explain = "the session is of another shop than `seller_nick`";
            Err(Trouble::Failed(Failure::operator(Kind::Config.as_str(), explain)))
        }
        _ => Ok(()),
    }
}
