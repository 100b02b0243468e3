//! `qudao get`: one entity, or those that a filter finds.

mod card;
mod reveal;
mod rows;
mod stock;

pub(crate) use reveal::user;

use super::{Format, listed::Listed, when};
use crate::{
    error::{Error, Exit},
    output::Printer,
    store::DataPath,
};
use clap::{Args, Subcommand};
use qudao_model::{EntityKind, Timestamp};
use qudao_storage::{EntityFilter, Storage};

/// Arguments of `get`.
#[derive(Debug, Subcommand)]
pub(super) enum Get {
    /// Payments
    #[command(visible_alias = "payments")]
    Payment(Payment),
    /// Refunds
    #[command(visible_alias = "refunds")]
    Refund(Refund),
    /// Orders of marketplaces; one shows who gets it with --reveal
    #[command(visible_alias = "orders")]
    Order(Order),
    /// After-sales: what buyers want back
    #[command(visible_alias = "aftersales")]
    Aftersale(Aftersale),
    /// Till receipts of stores
    #[command(visible_alias = "slips")]
    Slip(Slip),
    /// How much each store has, and how much of it can be sold
    Stock(stock::Stock),
    /// SKUs of channels that were sold before anybody said which SKU they are
    #[command(visible_alias = "listings")]
    Listing(Listing),
}

/// Arguments of `get payment`.
#[derive(Debug, Args)]
pub(super) struct Payment {
    #[command(flatten)]
    which: Which,
    /// Only this serial of the platform
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    transaction_no: Option<String>,
}

/// Arguments of `get refund`.
#[derive(Debug, Args)]
pub(super) struct Refund {
    #[command(flatten)]
    which: Which,
    /// Only this serial of the platform
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    transaction_no: Option<String>,
    /// Only this number of the merchant
    #[arg(long = "refund-no", value_name = "NO", conflicts_with = "id")]
    own_no: Option<String>,
}

/// Arguments of `get order`.
#[derive(Debug, Args)]
#[command(after_help = "\
Receivers are masked. --reveal asks the running gateway, which writes down who asked and why before it answers: \
  qudao get order ord_… --reveal --purpose \"parcel came back, address to be confirmed\"")]
pub(super) struct Order {
    #[command(flatten)]
    which: Which,
    /// Only with a payment of this serial number
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    payment: Option<String>,
    /// Show who gets it in clear; who asked and why is written down
    #[arg(long, requires_all = ["id", "purpose"])]
    reveal: bool,
    /// Why it is shown
    #[arg(long, value_name = "TEXT", requires = "reveal")]
    purpose: Option<String>,
}

/// Arguments of `get aftersale`.
#[derive(Debug, Args)]
pub(super) struct Aftersale {
    #[command(flatten)]
    which: Which,
    /// Only this number of the platform
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    aftersale_no: Option<String>,
}

/// Arguments of `get slip`.
#[derive(Debug, Args)]
pub(super) struct Slip {
    #[command(flatten)]
    which: Which,
    /// Only of this store
    #[arg(long, value_name = "CODE", conflicts_with = "id")]
    store: Option<String>,
    /// Only with this number of the till
    #[arg(long = "slip-no", value_name = "NO", conflicts_with = "id")]
    own_no: Option<String>,
}

/// Arguments of `get listing`.
#[derive(Debug, Args)]
pub(super) struct Listing {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
struct Which {
    /// One of them by its id (pay_…, rfd_…, ord_…, aft_…, slp_…, lst_…); without it, a list, newest first
    id: Option<String>,
    /// Only this channel
    #[arg(long, value_name = "NAME", conflicts_with = "id")]
    channel: Option<String>,
    /// Only this order number
    #[arg(long, value_name = "NO", conflicts_with = "id")]
    order_no: Option<String>,
    /// Only this state
    #[arg(
        long,
        value_name = "STATE",
        help = "Only this state, by its word in the JSON: paid, to_ship, missing …",
        conflicts_with = "id"
    )]
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
        if let Get::Order(Order {
            which: Which { id: Some(id), at, format, .. },
            purpose: Some(purpose),
            ..
        }) = &self
        {
            return reveal::run(id, purpose, at, *format, printer).await;
        }
        if let Get::Stock(stock) = self {
            return stock.run(printer).await;
        }
        let (which, filter) = self.filter()?;
        let storage = which.at.open().await?;
        match &which.id {
            Some(id) => one(&storage, filter.kind, id, which.format, printer).await,
            None => list(&storage, &filter, which.format, printer).await,
        }
    }

    fn filter(self) -> Result<(Which, EntityFilter), Error> {
        let (kind, which, more) = match self {
            Get::Stock(_) => return Err(Error::usage("stock is no entity")),
            Get::Payment(Payment { which, transaction_no }) => {
                (EntityKind::Payment, which, EntityFilter { transaction_no, ..none() })
            }
            Get::Refund(Refund { which, transaction_no, own_no }) => {
                (EntityKind::Refund, which, EntityFilter { transaction_no, refund_no: own_no, ..none() })
            }
            Get::Order(Order { which, payment, .. }) => {
                (EntityKind::Order, which, EntityFilter { payment_ref: payment, ..none() })
            }
            Get::Aftersale(Aftersale { which, aftersale_no }) => {
                (EntityKind::AfterSale, which, EntityFilter { aftersale_no, ..none() })
            }
            Get::Slip(Slip { which, store, own_no }) => {
                (EntityKind::Slip, which, EntityFilter { store, transaction_no: own_no, ..none() })
            }
            Get::Listing(Listing { which }) => (EntityKind::Listing, which, none()),
        };
        let filter = EntityFilter {
            kind,
            channel: which.channel.clone(),
            order_no: which.order_no.clone(),
            state: which.state.clone(),
            since: which.since,
            limit: which.limit,
            ..more
        };
        Ok((which, filter))
    }
}

/// A filter that lets everything through; its kind is set later.
fn none() -> EntityFilter {
    EntityFilter::new(EntityKind::Payment)
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
        card::show(&entity, printer)?;
    }
    Ok(Exit::Done)
}

async fn list(
    storage: &Storage,
    filter: &EntityFilter,
    format: Format,
    printer: &mut Printer,
) -> Result<Exit, Error> {
    let page = storage.entities(filter).await.map_err(Error::storage("read the database"))?;
    let nothing = format!("no {}s found", filter.kind.as_str());
    let listed = Listed { page: &page, nothing: &nothing, narrower: "" };
    listed.tell(printer, format.json, |entities| rows::table(filter.kind, entities))
}

/// The word that JSON has for a state.
fn word(state: &impl serde::Serialize) -> String {
    serde_json::to_value(state).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
