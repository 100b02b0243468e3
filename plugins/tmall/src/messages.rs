//! Messages: hints that come at once, where a list comes every minute.
//!
//! A message is confirmed only after the page with what it led to was committed: the cursor carries the numbers to confirm,
//! and the next call confirms before it asks for more. What is not confirmed comes again, and so does nothing that is lost.

use crate::call::Top;
use crate::things::Thing;
use crate::trouble::{Kind, Trouble};
use crate::wire::{Content, Message, Messages};
use qudao_sdk::{Failure, Note, Page, json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Messages of one call; each may need a request.
const QUANTITY: &str = "50";

/// Messages to confirm.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    confirm: Vec<String>,
}

/// What a message asks for.
#[derive(Debug, PartialEq)]
enum Asks {
    /// Read this again.
    Fetch(Thing, String),
    /// Tell it.
    Tell(Note),
}

/// Confirms what is committed and reads what is new.
pub(crate) fn poll(cursor: Option<&str>, top: &Top<'_>) -> Result<Page, Failure> {
    let Some(group) = &top.settings.tmc_group else {
        return Ok(Page::empty());
    };
    let committed: Cursor = match cursor {
        Some(text) => serde_json::from_str(text)
            .map_err(|_| Failure::defect("bad_cursor", "the cursor is not one of this connector"))?,
        None => Cursor::default(),
    };
    confirm(group, &committed.confirm, top)?;
    let arguments = [("group_name", group.as_str()), ("quantity", QUANTITY)];
    let messages: Messages = top.call("taobao.tmc.messages.consume", &arguments)?;
    let messages = messages.messages.0;
    let mut page = Page::empty();
    take(&messages, top, &mut page)?;
    let next = Cursor { confirm: messages.iter().filter_map(|message| message.id.0.clone()).collect() };
    if next.confirm.is_empty() && committed.confirm.is_empty() {
        return Ok(page);
    }
    let text =
        serde_json::to_string(&next).map_err(|_| Failure::defect("bad_cursor", "it cannot be written"))?;
    Ok(page.cursor(text).more(!messages.is_empty()))
}

/// A message that cannot be confirmed comes again; that is no reason to stop.
fn confirm(group: &str, ids: &[String], top: &Top<'_>) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let ids = ids.join(",");
    let arguments = [("group_name", group), ("s_message_ids", &ids)];
    let told: Result<Value, Trouble> = top.call("taobao.tmc.messages.confirm", &arguments);
    match told {
        Err(trouble) if trouble.is_about_one().is_none() => Err(trouble.into()),
        _ => Ok(()),
    }
}

/// Several messages about one thing lead to one request.
fn take(messages: &[Message], top: &Top<'_>, page: &mut Page) -> Result<(), Failure> {
    let mut fetched = BTreeSet::new();
    for message in messages {
        let other_shop = message.user_nick.0.as_ref().is_some_and(|nick| *nick != top.settings.seller_nick);
        match asks(message) {
            _ if other_shop => page.notes.push(told("message.other_shop", message, [])),
            Asks::Fetch(thing, no) if fetched.insert((thing.kind(), no.clone())) => {
                match thing.fetch(&no, top, page) {
                    // A number that the platform does not take is no reason to read no message any more.
                    Err(failure) if failure.code == Kind::RequestBug.as_str() => {
                        page.notes.push(told("message.unreadable", message, [("no", json!(no))]));
                    }
                    read => drop(read?),
                }
            }
            Asks::Fetch(..) => {}
            Asks::Tell(note) => page.notes.push(note),
        }
    }
    Ok(())
}

fn asks(message: &Message) -> Asks {
    let topic = message.topic.0.as_deref().unwrap_or_default();
    let content = message.content.0.as_deref().unwrap_or_default();
    let content: Content = json::read(content.as_bytes()).unwrap_or_default();
    let (trade, refund) = (topic.starts_with("taobao_trade_"), topic.starts_with("taobao_refund_"));
    match (content.tid.0, content.refund_id.0) {
        (_, Some(no)) if refund => Asks::Fetch(Thing::AfterSale, no),
        (Some(no), _) if trade => Asks::Fetch(Thing::Order, no),
        _ if topic.starts_with("taobao_item_") => {
            let fields = [
                ("channel_item", json!(content.num_iid.0)),
                ("channel_sku", json!(content.sku_id.0)),
                ("qty", json!(content.sku_num.or(content.num))),
                ("change", json!(content.increment)),
            ];
            Asks::Tell(told("listing.changed", message, fields))
        }
        _ if topic == "taobao_top_AuthCancel" => Asks::Tell(told("grant.withdrawn", message, [])),
        _ => Asks::Tell(told("message.unknown", message, [])),
    }
}

/// What a message says, without its content: that may name people.
fn told<const N: usize>(kind: &str, message: &Message, fields: [(&str, Value); N]) -> Note {
    let common = [("topic", json!(message.topic.0)), ("message_no", json!(message.id.0))];
    let there = common.into_iter().chain(fields).filter(|(_, value)| !value.is_null());
    let fields = there.map(|(name, value)| (name.to_owned(), value)).collect();
    Note { kind: kind.to_owned(), at: message.pub_time.0, fields }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{self, Envelope};

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        id: String,
        answer: String,
        /// Kind and number of what to fetch; none for what is only told.
        fetch: Option<(String, String)>,
        note: Option<Value>,
        message_no: Option<String>,
        published_at: Option<String>,
    }

    #[test]
    fn every_message_is_understood() {
        let cases: Vec<Case> = serde_json::from_str(include_str!("../fixtures/messages.json")).unwrap();
        assert_eq!(cases.len(), 16);
        for case in cases {
            let Ok(Envelope::Answer::<Messages>(answer)) = wire::open(case.answer.as_bytes()) else {
                panic!("{}", case.id)
            };
            let messages = answer.messages.0;
            assert_eq!(messages.len(), usize::from(case.message_no.is_some()), "{}", case.id);
            let Some(message) = messages.first() else { continue };
            assert_eq!(message.id.0, case.message_no, "{}", case.id);
            assert_eq!(message.pub_time.0.map(|at| at.to_string()), case.published_at, "{}", case.id);
            match asks(message) {
                Asks::Fetch(thing, no) => {
                    assert_eq!(Some((thing.kind().to_owned(), no)), case.fetch, "{}", case.id);
                }
                Asks::Tell(note) => {
                    assert_eq!(case.note.map(|note| note["kind"].clone()), Some(json!(note.kind)));
                }
            }
        }
    }
}
