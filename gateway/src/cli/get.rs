//! `qudao get`: one entity, or those that a filter finds.

use super::{Format, when};
use crate::{
    error::{Error, Exit},
    output::{Printer, Table, people, style::DIM},
    store::DataPath,
};
use clap::{Args, Subcommand};
use qudao_model::{Entity, EntityKind, Timestamp};
use qudao_storage::{EntityFilter, Storage};
use serde_json::Value;

/// Arguments of `get`.
#[derive(Debug, Subcommand)]
pub(super) enum Get {
    /// Payments
    #[command(visible_alias = "payments")]
    Payment(Payment),
    /// Refunds
    #[command(visible_alias = "refunds")]
    Refund(Refund),
}

/// Arguments of `get payment`.
#[derive(Debug, Args)]
pub(super) struct Payment {
    #[command(flatten)]
    which: Which,
}

/// Arguments of `get refund`.
#[derive(Debug, Args)]
pub(super) struct Refund {
    #[command(flatten)]
    which: Which,
    /// Only this number of the merchant
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    refund_no: Option<String>,
}

#[derive(Debug, Args)]
struct Which {
    /// One of them by its id (pay_…, rfd_…); without it, a list, newest first
    id: Option<String>,
    /// Only this channel
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    channel: Option<String>,
    /// Only this order number of the merchant
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    order_no: Option<String>,
    /// Only this serial of the platform
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    transaction_no: Option<String>,
    /// Only this state, e.g. paid
    #[arg(long, value_name = "STATE", conflicts_with = "id")]
    state: Option<String>,
    /// Only what changed since: RFC 3339, a date, or how long ago (30m, 2h, 3d)
    #[arg(long, value_name = "TIME", value_parser = when::since, conflicts_with = "id")]
    since: Option<Timestamp>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = qudao_storage::LIMIT_DEFAULT, conflicts_with = "id")]
    limit: u32,
    #[command(flatten)]
    at: DataPath,
    #[command(flatten)]
    format: Format,
}

impl Get {
    pub(super) async fn run(self, printer: &mut Printer) -> Result<Exit, Error> {
        let (kind, which, refund_no) = match self {
            Get::Payment(Payment { which }) => (EntityKind::Payment, which, None),
            Get::Refund(Refund { which, refund_no }) => (EntityKind::Refund, which, refund_no),
        };
        let storage = which.at.open().await?;
        match &which.id {
            Some(id) => one(&storage, kind, id, which.format, printer).await,
            None => list(&storage, &which.filter(kind, refund_no), which.format, printer).await,
        }
    }
}

impl Which {
    fn filter(&self, kind: EntityKind, refund_no: Option<String>) -> EntityFilter {
        EntityFilter {
            channel: self.channel.clone(),
            order_no: self.order_no.clone(),
            transaction_no: self.transaction_no.clone(),
            refund_no,
            state: self.state.clone(),
            since: self.since,
            limit: self.limit,
            ..EntityFilter::new(kind)
        }
    }
}

async fn one(
    storage: &Storage,
    kind: EntityKind,
    id: &str,
    format: Format,
    printer: &mut Printer,
) -> Result<Exit, Error> {
    let found = storage.entity(kind, id).await.map_err(Error::storage("read the database"))?;
    let entity = found.ok_or_else(|| {
        let word = kind.as_str();
        Error::refused(format!("there is no {word} `{id}`"))
            .hint(format!("to look for an order number: qudao get {word} --order-no NO"))
    })?;
    if format.json {
        printer.json(&entity)?;
    } else {
        card(&entity, printer)?;
    }
    Ok(Exit::Done)
}

/// One entity, a line a member, in the order of the model; money in yuan and times in Beijing.
fn card(entity: &Entity, printer: &mut Printer) -> Result<(), Error> {
    let value = serde_json::to_value(entity).map_err(|error| Error::Printing(error.into()))?;
    let order = entity.canonical_json();
    let mut members: Vec<(&String, &Value)> = value.as_object().into_iter().flatten().collect();
    members.sort_by_key(|(name, _)| order.find(&format!("\"{name}\":")));
    for (name, value) in members {
        let label = name.strip_suffix("_fen").unwrap_or(name);
        let text = people::text(&text_of(name, value));
        if !text.is_empty() {
            printer.line(format_args!("{DIM}{label:18}{DIM:#}  {text}"))?;
        }
    }
    Ok(())
}

fn text_of(name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(fen) if name.ends_with("_fen") => people::yuan(fen.as_i64().unwrap_or_default()),
        Value::String(text) if name.ends_with("_at") => {
            text.parse().map_or_else(|_| text.clone(), people::time)
        }
        Value::String(text) => text.clone(),
        Value::Array(all) if name == "anomalies" => {
            let texts: Vec<String> = all.iter().map(anomaly).collect();
            texts.join(&format!("\n{:20}", ""))
        }
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn anomaly(anomaly: &Value) -> String {
    let text = |name: &str| anomaly.get(name).and_then(Value::as_str).unwrap_or_default();
    format!("{}: {}", text("code"), text("detail"))
}

async fn list(
    storage: &Storage,
    filter: &EntityFilter,
    format: Format,
    printer: &mut Printer,
) -> Result<Exit, Error> {
    let page = storage.entities(filter).await.map_err(Error::storage("read the database"))?;
    if format.json {
        for entity in &page.items {
            printer.json_line(entity)?;
        }
        return Ok(Exit::Done);
    }
    let mut table =
        Table::new(["UPDATED", "CHANNEL", "ORDER", "STATE", ">YUAN", ">REFUNDED", "ANOMALIES", "ID"]);
    for entity in &page.items {
        table.row(row(entity));
    }
    if table.is_empty() {
        printer.note(format_args!("no {}s found", filter.kind.as_str()))?;
    } else {
        printer.table(&table)?;
    }
    if page.next.is_some() {
        printer
            .next(format_args!("\nThere are more; --limit N shows up to {}.", qudao_storage::LIMIT_MAX))?;
    }
    Ok(Exit::Done)
}

fn row(entity: &Entity) -> [String; 8] {
    let codes: Vec<&str> = entity.anomalies().iter().map(|anomaly| anomaly.code.as_str()).collect();
    let (channel, order_no, state, fen, refunded) = match entity {
        Entity::Payment(payment) => {
            let refunded = Some(payment.refunded_fen).filter(|fen| *fen != 0).map(people::yuan);
            (&payment.channel, &payment.order_no, word(&payment.state), payment.requested_fen, refunded)
        }
        Entity::Refund(refund) => {
            (&refund.channel, &refund.order_no, word(&refund.state), refund.amount_fen, None)
        }
    };
    [
        people::time(entity.updated_at()),
        channel.clone(),
        order_no.clone(),
        state,
        people::yuan(fen),
        refunded.unwrap_or_default(),
        codes.join(", "),
        entity.id().to_owned(),
    ]
}

/// The word that JSON has for a state.
fn word(state: &impl serde::Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
