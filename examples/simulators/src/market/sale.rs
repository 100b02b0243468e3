//! One order of a simulated shop, as it really is.

use super::basket::Receiver;
use super::{Basket, Case, CaseState, Item, Pay, Rules, receiver, spread};
use crate::Error;
use crate::beijing;
use crate::dice::Dice;

/// How far an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Unpaid,
    ToAccept,
    ToShip,
    Shipped,
    Finished,
    Cancelled,
}

/// What stops an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    Forbidden,
    Locked,
    Paused,
    CancelAsked,
}

/// A line with its shares.
#[derive(Debug, Clone)]
pub(crate) struct SaleLine {
    /// The platform's number; empty where lines have none.
    pub(crate) id: String,
    pub(crate) item: Item,
    pub(crate) qty: i64,
    pub(crate) price_fen: i64,
    pub(crate) gross_fen: i64,
    /// Discount on this line alone.
    pub(crate) off_fen: i64,
    /// Change of the price by hand, negative to lower.
    pub(crate) adjust_fen: i64,
    /// Share of the shop's discount on the order.
    pub(crate) seller_share_fen: i64,
    /// Share of the platform's discount.
    pub(crate) platform_share_fen: i64,
    pub(crate) shipped: bool,
    /// Ended without goods.
    pub(crate) closed: bool,
}

/// A parcel.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) carrier: String,
    pub(crate) waybill: String,
    pub(crate) shipped_at: i64,
    /// Places of its lines.
    pub(crate) lines: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) no: String,
    pub(crate) basket: Basket,
    pub(crate) lines: Vec<SaleLine>,
    pub(crate) stage: Stage,
    pub(crate) hold: Option<Hold>,
    pub(crate) created_at: i64,
    pub(crate) modified_at: i64,
    pub(crate) paid_at: Option<i64>,
    pub(crate) shipped_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    /// What was paid so far.
    pub(crate) paid_fen: i64,
    /// Serial at the payment platform, once something was paid online.
    pub(crate) payment_no: Option<String>,
    pub(crate) memo: String,
    pub(crate) cases: Vec<Case>,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) receiver: Receiver,
}

impl SaleLine {
    /// What the line costs the buyer.
    pub(crate) fn net_fen(&self) -> i64 {
        self.before_share_fen() - self.seller_share_fen - self.platform_share_fen
    }

    /// Before its shares of discounts on the order.
    pub(crate) fn before_share_fen(&self) -> i64 {
        self.gross_fen - self.off_fen + self.adjust_fen
    }
}

impl Sale {
    pub(crate) fn new(mut basket: Basket, rules: &Rules, dice: &mut Dice, at: i64) -> Result<Sale, Error> {
        if basket.items.is_empty() {
            basket.items.push(Item::default());
        }
        let (start, length) = rules.order_digits;
        let thrown = format!("{start}{}", dice.digits(length - start.len()));
        let no = basket.order_no.clone().unwrap_or(thrown);
        let single = basket.items.len() == 1;
        basket.untold(rules);
        let mut lines = Vec::new();
        for item in &mut basket.items {
            item.complete(dice);
            let id = match (rules.line_ids, single) {
                (true, true) => no.clone(),
                (true, false) => format!("{start}{}", dice.digits(length - start.len())),
                (false, _) => String::new(),
            };
            lines.push(SaleLine::new(item.clone(), id));
        }
        let mut sale = Sale {
            no,
            lines,
            stage: if basket.pay == Pay::Cod { rules.first_stage() } else { Stage::Unpaid },
            hold: None,
            created_at: at,
            modified_at: at,
            paid_at: None,
            shipped_at: None,
            ended_at: None,
            paid_fen: 0,
            payment_no: None,
            memo: String::new(),
            cases: Vec::new(),
            parcels: Vec::new(),
            receiver: receiver(dice),
            basket,
        };
        sale.share();
        if sale.lines.iter().any(|line| line.net_fen() < 0) || sale.payable_fen() < 0 {
            return Err(Error::Refused("the discounts are larger than the goods".to_owned()));
        }
        Ok(sale)
    }

    /// Spreads the discounts on the order: first the shop's, then the platform's over what is left.
    pub(crate) fn share(&mut self) {
        let weights: Vec<i64> = self.lines.iter().map(SaleLine::before_share_fen).collect();
        let seller = spread(self.basket.seller_off_fen, &weights);
        let left: Vec<i64> = weights.iter().zip(&seller).map(|(weight, share)| weight - share).collect();
        let platform = spread(self.basket.platform_off_fen, &left);
        for (line, (seller, platform)) in self.lines.iter_mut().zip(seller.into_iter().zip(platform)) {
            line.seller_share_fen = seller;
            line.platform_share_fen = platform;
        }
    }

    pub(crate) fn goods_fen(&self) -> i64 {
        self.lines.iter().map(|line| line.gross_fen).sum()
    }

    pub(crate) fn payable_fen(&self) -> i64 {
        let net: i64 = self.lines.iter().map(SaleLine::net_fen).sum();
        net + self.basket.freight_fen + self.basket.service_fen
    }

    pub(crate) fn refunded_fen(&self) -> i64 {
        let done = self.cases.iter().filter(|case| case.state == CaseState::Succeeded);
        done.map(|case| case.amount_fen).sum()
    }

    pub(crate) fn is_presale(&self) -> bool {
        matches!(self.basket.pay, Pay::Presale { .. })
    }

    /// Whether only the deposit of a presale was paid.
    pub(crate) fn deposit_only(&self) -> bool {
        self.stage == Stage::Unpaid && self.paid_fen > 0
    }

    /// Whether some lines left and others wait.
    pub(crate) fn partly_shipped(&self) -> bool {
        let waits = |line: &&SaleLine| !line.closed && !line.shipped;
        self.stage == Stage::ToShip
            && self.lines.iter().any(|line| line.shipped)
            && self.lines.iter().any(|line| waits(&line))
    }

    /// The open or succeeded after-sale of a line that is told with the line: the latest.
    pub(crate) fn case_of(&self, line: usize) -> Option<&Case> {
        self.cases.iter().rev().find(|case| case.line == Some(line))
    }

    /// A number at the payment platform.
    pub(crate) fn throw_payment_no(dice: &mut Dice, at: i64) -> String {
        format!("{}22001{}", beijing(at, "%Y%m%d"), dice.digits(15))
    }
}

impl SaleLine {
    fn new(item: Item, id: String) -> SaleLine {
        let price_fen = item.price_fen.unwrap_or(0);
        SaleLine {
            id,
            qty: item.qty,
            price_fen,
            gross_fen: price_fen * item.qty,
            off_fen: item.off_fen,
            adjust_fen: 0,
            seller_share_fen: 0,
            platform_share_fen: 0,
            shipped: false,
            closed: false,
            item,
        }
    }
}

impl Basket {
    /// Moves discounts to where the platform tells them.
    fn untold(&mut self, rules: &Rules) {
        if !rules.line_offs {
            self.seller_off_fen += self.items.iter().map(|item| item.off_fen).sum::<i64>();
            self.items.iter_mut().for_each(|item| item.off_fen = 0);
        }
        if !rules.platform_offs {
            self.seller_off_fen += std::mem::take(&mut self.platform_off_fen);
        }
    }
}

impl Rules {
    /// Where an order goes once it need not be paid first.
    pub(crate) fn first_stage(&self) -> Stage {
        if self.accepts { Stage::ToAccept } else { Stage::ToShip }
    }
}
