//! What marketplaces have in common: baskets that become orders, what may happen to an order, and the truth about it.
//!
//! A platform adds how it writes an order on the wire and what it calls things. Amounts are fen, times unix seconds.

mod basket;
mod cases;
mod drive;
mod edit;
mod later;
mod money;
mod sale;
mod spread;
mod stock;
mod truth;

pub use basket::{Basket, Item, Pay};
pub use edit::{Edit, Edited};
pub use stock::Stock;
pub use truth::{AfterSale, Line, Order, Shipment, Totals, Truth};

pub(crate) use basket::receiver;
pub(crate) use cases::{Case, CaseState, CaseWish};
pub(crate) use drive::{Drive, drive};
pub(crate) use later::Later;
pub(crate) use money::{fen, yuan, yuan_text};
pub(crate) use sale::{Hold, Parcel, Sale, SaleLine, Stage};
pub(crate) use spread::spread;

use crate::Error;
use crate::dice::Dice;
use std::collections::BTreeMap;

/// How a platform's orders differ from others'.
#[allow(clippy::struct_excessive_bools, reason = "each answers one question about a platform")]
pub(crate) struct Rules {
    /// Digits of an order number, and what they begin with.
    pub(crate) order_digits: (&'static str, usize),
    /// The same of an after-sale.
    pub(crate) case_digits: (&'static str, usize),
    /// Whether lines have numbers; that of a single line is the order's.
    pub(crate) line_ids: bool,
    /// Whether the store has to accept a paid order.
    pub(crate) accepts: bool,
    /// Whether an after-sale is about the whole order and locks it while it is looked at.
    pub(crate) whole_order_cases: bool,
    /// Whether the platform tells of after-sales and what became of the money.
    pub(crate) tells_cases: bool,
    /// Whether a line can have a discount of its own.
    pub(crate) line_offs: bool,
    /// Whether the platform tells which discounts it pays itself.
    pub(crate) platform_offs: bool,
    /// Whether an order can be paused.
    pub(crate) pauses: bool,
    /// Whether lines can leave one by one.
    pub(crate) parts: bool,
    /// Whether the calls that read orders show this one.
    pub(crate) visible: fn(&Sale) -> bool,
    /// What stands in the way when somebody presses hold.
    pub(crate) hold: Hold,
    /// What stands in the way while an after-sale of a whole order is looked at.
    pub(crate) case_hold: Hold,
    /// The platform's word for a state.
    pub(crate) state: fn(&Sale) -> &'static str,
    /// The platform's word for the state of an after-sale.
    pub(crate) case_state: fn(&Case) -> &'static str,
}

/// All orders of a simulated shop.
pub(crate) struct Market {
    pub(crate) rules: &'static Rules,
    pub(crate) sales: BTreeMap<String, Sale>,
    /// Orders in the order they were placed.
    pub(crate) placed: Vec<String>,
    pub(crate) dice: Dice,
}

impl Market {
    pub(crate) fn new(rules: &'static Rules, seed: u64) -> Market {
        Market { rules, sales: BTreeMap::new(), placed: Vec::new(), dice: Dice::new(seed) }
    }

    /// Somebody orders.
    pub(crate) fn place(&mut self, basket: Basket, at: i64) -> Result<String, Error> {
        let sale = Sale::new(basket, self.rules, &mut self.dice, at)?;
        let no = sale.no.clone();
        if self.sales.contains_key(&no) {
            return Err(Error::Refused(format!("order {no} is there already")));
        }
        self.placed.push(no.clone());
        self.sales.insert(no.clone(), sale);
        Ok(no)
    }

    /// Something happens to an order.
    pub(crate) fn edit(&mut self, no: &str, edit: &Edit, at: i64) -> Result<Edited, Error> {
        let sale = self.sales.get_mut(no).ok_or_else(|| Error::Refused(format!("there is no order {no}")))?;
        let mut edited = sale.edit(edit, self.rules, &mut self.dice, at)?;
        no.clone_into(&mut edited.order_no);
        Ok(edited)
    }

    /// Many orders at once, each with a past of its own.
    pub(crate) fn stock(&mut self, stock: Stock, now: i64) -> Result<Vec<String>, Error> {
        stock::fill(self, stock, now)
    }

    /// Orders in the order they were placed.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &Sale> {
        self.placed.iter().filter_map(|no| self.sales.get(no))
    }

    /// After-sales with their orders.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (&Sale, &Case)> {
        self.in_order().flat_map(|sale| sale.cases.iter().map(move |case| (sale, case)))
    }

    pub(crate) fn truth(&self) -> Truth {
        truth::of(self)
    }
}
