//! The truth about a shop's orders, in the words of the gateway's contract: what it must have learned when all is quiet.

use super::{Case, CaseState, CaseWish, Hold, Market, Pay, Rules, Sale, SaleLine, Stage};
use serde::Serialize;

/// All that is true.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    orders: Vec<Order>,
    aftersales: Vec<AfterSale>,
}

impl Truth {
    /// By order number.
    pub fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// By number.
    pub fn aftersales(&self) -> &[AfterSale] {
        &self.aftersales
    }

    /// One order.
    pub fn order(&self, order_no: &str) -> Option<&Order> {
        self.orders.iter().find(|order| order.order_no == order_no)
    }
}

/// An order as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    /// The platform's number.
    pub order_no: String,
    /// Order it was split from.
    pub parent_order_no: Option<String>,
    /// `awaiting_payment`, `to_accept`, `to_ship`, `partly_shipped`, `shipped`, `completed`, `cancelled`: also under a hold.
    pub state: &'static str,
    /// `unpaid`, `deposit_paid`, `cod_due`, `paid`, `partly_refunded`, `refunded`.
    pub payment_state: &'static str,
    /// What stops it: `ship_forbidden`, `platform_locked`, `paused`, `cancel_asked`.
    pub hold: Option<&'static str>,
    /// The platform's own word for the state.
    pub platform_state: String,
    /// Sums.
    pub totals: Totals,
    /// What went back.
    pub refunded_fen: i64,
    /// In order.
    pub lines: Vec<Line>,
    /// Parcels.
    pub shipments: Vec<Shipment>,
    /// Serial at the payment platform, where the order tells it.
    pub payment_no: Option<String>,
    /// The shop's code of the store that hands it out.
    pub store_code: Option<String>,
    /// Placed.
    pub created_at: i64,
    /// Paid in full.
    pub paid_at: Option<i64>,
    /// Whether the platform's calls show it at all; JD shows no unpaid orders.
    pub visible: bool,
    /// Version: the platform's modification time, unix seconds.
    pub modified_at: i64,
}

/// Sums of an order; `payable_fen` = Σ `net_fen` + freight + service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the contract")]
pub struct Totals {
    pub goods_fen: i64,
    pub discount_fen: i64,
    pub platform_discount_fen: i64,
    pub adjust_fen: i64,
    pub freight_fen: i64,
    pub service_fen: i64,
    pub payable_fen: i64,
    pub paid_fen: i64,
}

/// A line as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names are those of the contract")]
pub struct Line {
    pub line_no: usize,
    pub line_id: Option<String>,
    pub sku: Option<String>,
    pub channel_sku: String,
    pub title: String,
    pub qty: i64,
    pub unit_price_fen: i64,
    pub gross_fen: i64,
    pub discount_fen: i64,
    pub platform_discount_fen: i64,
    pub adjust_fen: i64,
    pub net_fen: i64,
    pub gift: bool,
    /// As of orders.
    pub state: &'static str,
}

/// A parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Shipment {
    pub carrier: String,
    pub waybill: String,
    pub shipped_at: i64,
}

/// An after-sale as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AfterSale {
    /// The platform's number.
    pub aftersale_no: String,
    /// The order.
    pub order_no: String,
    /// The line, where it is about one and lines have numbers.
    pub line_id: Option<String>,
    /// `refund_only` or `return_and_refund`.
    pub kind: &'static str,
    /// `requested`, `approved`, `awaiting_return`, `return_in_transit`, `refused`, `cancelled`, `succeeded`.
    pub state: &'static str,
    /// The platform's own word for the state.
    pub platform_state: String,
    /// What goes to the buyer.
    pub amount_fen: i64,
    /// Waybill of the return.
    pub return_waybill: Option<String>,
    /// Asked for.
    pub created_at: i64,
    /// Last change.
    pub modified_at: i64,
}

pub(super) fn of(market: &Market) -> Truth {
    let orders = market.sales.values().map(|sale| order(sale, market.rules)).collect();
    let told = market.sales.values().filter(|_| market.rules.tells_cases);
    let cases = told.flat_map(|sale| sale.cases.iter().map(move |case| (sale, case)));
    let mut aftersales: Vec<AfterSale> =
        cases.map(|(sale, case)| aftersale(sale, case, market.rules)).collect();
    aftersales.sort_by(|one, other| one.aftersale_no.cmp(&other.aftersale_no));
    Truth { orders, aftersales }
}

fn order(sale: &Sale, rules: &Rules) -> Order {
    let lines: Vec<Line> =
        sale.lines.iter().zip(1..).map(|(row, line_no)| line(sale, row, line_no)).collect();
    let sum = |part: fn(&SaleLine) -> i64| sale.lines.iter().map(part).sum::<i64>();
    Order {
        order_no: sale.no.clone(),
        parent_order_no: sale.basket.parent_order_no.clone(),
        state: state(sale),
        payment_state: payment_state(sale, rules),
        hold: sale.hold.map(hold),
        platform_state: (rules.state)(sale).to_owned(),
        totals: Totals {
            goods_fen: sale.goods_fen(),
            discount_fen: sum(|line| line.off_fen + line.seller_share_fen),
            platform_discount_fen: sum(|line| line.platform_share_fen),
            adjust_fen: sum(|line| line.adjust_fen),
            freight_fen: sale.basket.freight_fen,
            service_fen: sale.basket.service_fen,
            payable_fen: sale.payable_fen(),
            paid_fen: sale.paid_fen,
        },
        refunded_fen: if rules.tells_cases { sale.refunded_fen() } else { 0 },
        lines,
        shipments: sale
            .parcels
            .iter()
            .map(|parcel| Shipment {
                carrier: parcel.carrier.clone(),
                waybill: parcel.waybill.clone(),
                shipped_at: parcel.shipped_at,
            })
            .collect(),
        payment_no: sale.payment_no.clone(),
        store_code: sale.basket.store_code.clone(),
        created_at: sale.created_at,
        paid_at: sale.paid_at,
        visible: (rules.visible)(sale),
        modified_at: sale.modified_at,
    }
}

fn state(sale: &Sale) -> &'static str {
    match sale.stage {
        Stage::Unpaid => "awaiting_payment",
        Stage::ToAccept => "to_accept",
        Stage::ToShip if sale.partly_shipped() => "partly_shipped",
        Stage::ToShip => "to_ship",
        Stage::Shipped => "shipped",
        Stage::Finished => "completed",
        Stage::Cancelled => "cancelled",
    }
}

fn payment_state(sale: &Sale, rules: &Rules) -> &'static str {
    let refunded = if rules.tells_cases { sale.refunded_fen() } else { 0 };
    match sale.paid_fen {
        0 if sale.basket.pay == Pay::Cod && sale.stage != Stage::Cancelled => "cod_due",
        // A basket that costs nothing is paid all the same.
        0 if sale.paid_at.is_none() => "unpaid",
        _ if sale.deposit_only() => "deposit_paid",
        _ if refunded == 0 => "paid",
        paid if refunded >= paid || sale.stage == Stage::Cancelled => "refunded",
        _ => "partly_refunded",
    }
}

fn hold(hold: Hold) -> &'static str {
    match hold {
        Hold::Forbidden => "ship_forbidden",
        Hold::Locked => "platform_locked",
        Hold::Paused => "paused",
        Hold::CancelAsked => "cancel_asked",
    }
}

fn line(sale: &Sale, line: &SaleLine, line_no: usize) -> Line {
    let state = match sale.stage {
        Stage::Unpaid => "awaiting_payment",
        Stage::ToAccept => "to_accept",
        _ if line.closed => "cancelled",
        Stage::Finished => "completed",
        Stage::Cancelled => "cancelled",
        Stage::ToShip | Stage::Shipped if line.shipped => "shipped",
        Stage::ToShip | Stage::Shipped => "to_ship",
    };
    Line {
        line_no,
        line_id: Some(line.id.clone()).filter(|id| !id.is_empty()),
        sku: line.item.sku.clone().filter(|sku| !sku.is_empty()),
        channel_sku: line.item.channel_sku.clone().unwrap_or_default(),
        title: line.item.title.clone().unwrap_or_default(),
        qty: line.qty,
        unit_price_fen: line.price_fen,
        gross_fen: line.gross_fen,
        discount_fen: line.off_fen + line.seller_share_fen,
        platform_discount_fen: line.platform_share_fen,
        adjust_fen: line.adjust_fen,
        net_fen: line.net_fen(),
        gift: line.item.gift,
        state,
    }
}

fn aftersale(sale: &Sale, case: &Case, rules: &Rules) -> AfterSale {
    let row = case.line.and_then(|place| sale.lines.get(place));
    AfterSale {
        aftersale_no: case.no.clone(),
        order_no: sale.no.clone(),
        line_id: row.map(|line| line.id.clone()).filter(|id| !id.is_empty()),
        kind: match case.wish {
            CaseWish::RefundOnly => "refund_only",
            CaseWish::ReturnAndRefund => "return_and_refund",
        },
        state: match case.state {
            CaseState::Requested => "requested",
            CaseState::Approved => "approved",
            CaseState::AwaitingReturn => "awaiting_return",
            CaseState::ReturnInTransit => "return_in_transit",
            CaseState::Refused => "refused",
            CaseState::Cancelled => "cancelled",
            CaseState::Succeeded => "succeeded",
        },
        platform_state: (rules.case_state)(case).to_owned(),
        amount_fen: case.amount_fen,
        return_waybill: case.waybill.clone(),
        created_at: case.created_at,
        modified_at: case.modified_at,
    }
}
