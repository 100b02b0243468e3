//! Many orders at once, each with a past of its own.

use super::{Basket, CaseState, Edit, Market, Pay};
use crate::Error;
use serde::{Deserialize, Serialize};

/// How many orders, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stock {
    /// Orders.
    pub count: u32,
    /// Their lives happened within so many seconds until now.
    pub within_s: i64,
}

impl Default for Stock {
    fn default() -> Stock {
        Stock { count: 20, within_s: 12 * 3600 }
    }
}

impl Stock {
    /// So many orders of the last twelve hours.
    pub fn of(count: u32) -> Stock {
        Stock { count, ..Stock::default() }
    }
}

pub(super) fn fill(market: &mut Market, stock: Stock, now: i64) -> Result<Vec<String>, Error> {
    let within = u32::try_from(stock.within_s.clamp(60, i64::from(u32::MAX))).unwrap_or(u32::MAX);
    let mut placed = Vec::new();
    for _ in 0..stock.count {
        let mut basket = Basket::thrown(&mut market.dice);
        basket.pay = match market.dice.below(20) {
            0 => Pay::Presale { deposit_fen: 1_000 },
            _ => Pay::Online,
        };
        let mut at = now - market.dice.between(1, within);
        let no = market.place(basket, at)?;
        let life = life(market, &no);
        for edit in life {
            let left = u32::try_from(now - at).unwrap_or(0);
            at += market.dice.between(0, left / 2);
            // What a platform refuses did not happen.
            drop(edit_with_case(market, &no, &edit, at));
        }
        placed.push(no);
    }
    Ok(placed)
}

/// What happens to an order until now.
fn life(market: &mut Market, no: &str) -> Vec<Edit> {
    let lines = market.sales.get(no).map_or(0, |sale| sale.lines.len());
    let presale = market.sales.get(no).is_some_and(super::Sale::is_presale);
    let mut life = Vec::new();
    if presale {
        life.push(Edit::PayDeposit);
    }
    let fate = market.dice.below(20);
    match fate {
        0 | 1 => return life,
        2 => life.push(Edit::Cancel),
        _ => life.extend([Edit::Pay, Edit::Accept]),
    }
    let some = String::new;
    match fate {
        3..=6 => {}
        7 => life.push(Edit::Hold),
        8 => life.push(Edit::memo("加急 & 礼盒")),
        9 => life.push(Edit::Cancel),
        10 if lines > 1 => life.push(Edit::ship_lines(&[0])),
        11 => life.push(Edit::refund(0)),
        12 => life.extend([Edit::refund(0), Edit::Settle { refund_no: some() }]),
        13 => life.extend([Edit::refund(0), Edit::Withdraw { refund_no: some() }, Edit::ship()]),
        14 | 15 => life.extend([Edit::ship(), Edit::Finish]),
        16 => life.extend([
            Edit::ship(),
            Edit::AskRefund { line: Some(0), amount_fen: Some(100), goods_back: false },
            Edit::Settle { refund_no: some() },
        ]),
        _ => life.push(Edit::ship()),
    }
    life
}

/// An after-sale gets its number only once it is there.
fn edit_with_case(market: &mut Market, no: &str, edit: &Edit, at: i64) -> Result<(), Error> {
    let open = market.sales.get(no).and_then(|sale| {
        let found = sale.cases.iter().find(|case| case.state == CaseState::Requested);
        found.map(|case| case.no.clone())
    });
    let refund_no = open.unwrap_or_default();
    let mut edit = edit.clone();
    if let Edit::Settle { refund_no: named } | Edit::Withdraw { refund_no: named } = &mut edit {
        *named = refund_no;
    }
    market.edit(no, &edit, at).map(drop)
}
