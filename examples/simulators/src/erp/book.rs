//! What the chain's ERP knows: pieces in each store, and the slips of a day.

use super::Store;
use crate::dice::Dice;
use serde::Serialize;
use std::collections::BTreeMap;

/// A till receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slip {
    /// Store.
    pub store_code: String,
    /// Number, unique in the chain.
    pub slip_no: String,
    /// Unix seconds.
    pub at: i64,
    /// `sale`, `return`, `exchange`.
    pub kind: &'static str,
    /// What was sold.
    pub lines: Vec<SlipLine>,
    /// Fen by `cash`, `card`, `wechat`, `alipay`; change is taken off cash.
    pub tenders: BTreeMap<&'static str, i64>,
    /// Cash given back.
    pub change_fen: i64,
}

/// A line of a slip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlipLine {
    /// SKU, style, colour and size joined by dashes.
    pub sku: String,
    /// Pieces, below zero where they came back.
    pub qty: i64,
    /// Price of a piece.
    pub unit_price_fen: i64,
}

impl Slip {
    /// What was paid.
    pub fn total_fen(&self) -> i64 {
        self.lines.iter().map(|line| line.qty * line.unit_price_fen).sum()
    }
}

#[derive(Debug, Clone)]
pub(super) struct Book {
    levels: BTreeMap<String, BTreeMap<String, i64>>,
    prices: BTreeMap<String, i64>,
    tickets: u32,
}

const COLOURS: [&str; 6] = ["01", "02", "11", "23", "30", "45"];
const SIZES: [&str; 6] = ["S", "M", "L", "XL", "2XL", "3XL"];
/// Shops are open for so long before the evening's export.
const OPEN_S: u32 = 10 * 3600;
/// The export runs so long after the last customer.
const AFTER_S: i64 = 1800;

impl Book {
    pub(super) fn open(dice: &mut Dice, stores: &[Store], skus: u32) -> Book {
        let mut prices = BTreeMap::new();
        while prices.len() < skus as usize {
            let style = format!("QD26A{}", dice.digits(3));
            let sku = format!("{style}-{}-{}", dice.pick(&COLOURS), dice.pick(&SIZES));
            prices.insert(sku, dice.between(79, 1299) * 100 - 10);
        }
        let level = |dice: &mut Dice| dice.between(2, 30);
        let levels = stores
            .iter()
            .map(|store| {
                (store.code.to_owned(), prices.keys().map(|sku| (sku.clone(), level(dice))).collect())
            })
            .collect();
        Book { levels, prices, tickets: 0 }
    }

    pub(super) fn levels(&self) -> &BTreeMap<String, BTreeMap<String, i64>> {
        &self.levels
    }

    /// A day at the tills of all stores.
    pub(super) fn trade(&mut self, dice: &mut Dice, tickets: u32, evening: i64) -> Vec<Slip> {
        let stores: Vec<String> = self.levels.keys().cloned().collect();
        let mut slips = Vec::new();
        for store in stores {
            let mut moments: Vec<i64> =
                (0..tickets).map(|_| evening - AFTER_S - i64::from(dice.below(OPEN_S))).collect();
            moments.sort_unstable();
            slips.extend(moments.into_iter().map(|at| self.ticket(dice, &store, at)));
        }
        slips
    }

    fn ticket(&mut self, dice: &mut Dice, store: &str, at: i64) -> Slip {
        self.tickets += 1;
        let kind = dice.pick(&["sale", "sale", "sale", "sale", "return", "exchange"]);
        let mut lines = Vec::new();
        if kind != "return" {
            let count = 1 + dice.below(2);
            lines.extend((0..count).map(|_| self.line(dice, store, 1)));
        }
        if kind != "sale" {
            lines.push(self.line(dice, store, -1));
        }
        let mut slip = Slip {
            store_code: store.to_owned(),
            slip_no: format!("{store}{:06}", self.tickets),
            at,
            kind,
            lines,
            tenders: BTreeMap::new(),
            change_fen: 0,
        };
        pay(dice, &mut slip);
        slip
    }

    fn line(&mut self, dice: &mut Dice, store: &str, sign: i64) -> SlipLine {
        let at = dice.below(u32::try_from(self.prices.len()).unwrap_or(u32::MAX)) as usize;
        let (sku, price) =
            self.prices.iter().nth(at).map(|(sku, fen)| (sku.clone(), *fen)).unwrap_or_default();
        let level = self.levels.get_mut(store).and_then(|levels| levels.get_mut(&sku));
        if let Some(level) = level {
            *level -= sign;
        }
        SlipLine { sku, qty: sign, unit_price_fen: price }
    }
}

/// In one way or in two; cash is paid in notes and gets change.
fn pay(dice: &mut Dice, slip: &mut Slip) {
    let total = slip.total_fen();
    let mut rest = total;
    if total > 20_000 && dice.below(3) == 0 {
        let part = total / 200 * 100;
        slip.tenders.insert(dice.pick(&["card", "alipay"]), part);
        rest -= part;
    }
    let way = dice.pick(&["wechat", "alipay", "cash"]);
    if way == "cash" && rest > 0 {
        let notes = (rest + 9_999) / 10_000 * 10_000;
        slip.change_fen = notes - rest;
    }
    if rest != 0 {
        *slip.tenders.entry(way).or_default() += rest;
    }
}
