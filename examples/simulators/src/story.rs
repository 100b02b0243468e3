//! What happens to the orders of a story, and which deliveries tell of it.
//!
//! A story is planned before anything is sent and depends on nothing but its [`Plan`] and the platform: same plan, same
//! deliveries. Orders overlap, so that the notices of one order stand among those of others; the notices of one order
//! keep the order its [`Plot`] gives them.

use crate::Platform;
use crate::dice::Dice;
use std::sync::Arc;

/// What is to be told.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Decides every number.
    pub seed: u64,
    /// How many orders.
    pub orders: u32,
    /// Which kind of things happen.
    pub scenario: Scenario,
    /// Unix seconds: everything happens within the twenty minutes before.
    pub start: i64,
}

/// Kinds of story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Everything that the platform's deck holds.
    Mixed,
    /// Payments only, each told once.
    Payments,
    /// Payments and their refunds, in and out of order.
    Refunds,
    /// Every notice several times.
    Retries,
    /// Forged, stale and probing deliveries among honest payments.
    Hostile,
}

/// What happens to one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plot {
    /// Paid.
    #[default]
    Paid,
    /// Paid, and told three times.
    ToldThrice,
    /// Paid, partly refunded.
    PartlyRefunded,
    /// Paid, refunded in full.
    Refunded,
    /// Paid, refunded in full by two refunds.
    RefundedTwice,
    /// The same, but the second refund is told before the first.
    RefundsSwapped,
    /// The refund is told before the payment.
    RefundFirst,
    /// A refund that got stuck (the payer's card is gone) and then came through.
    RefundStuck,
    /// Paid, and a part passed on to a partner: something gateways may have no entity for.
    Shared,
    /// Nobody paid in time.
    TimedOut,
    /// A notice that was changed on its way.
    Tampered,
    /// A notice that was signed an hour ago.
    Stale,
    /// A notice signed with a stranger's key.
    WrongKey,
    /// A notice with one field given twice.
    FieldTwice,
    /// A deliberately wrong signature by the platform, then the notice itself.
    Probed,
}

/// What was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Merchant's number.
    pub order_no: String,
    /// Platform's serial.
    pub transaction_no: String,
    /// Goods.
    pub subject: &'static str,
    /// Shop.
    pub store_code: &'static str,
    /// Till.
    pub device_id: String,
    /// Twelve digits that stand for a buyer.
    pub buyer: String,
    /// Price.
    pub total_fen: i64,
    /// What a coupon of the merchant pays of it.
    pub coupon_fen: i64,
    /// Unix seconds.
    pub paid_at: i64,
}

/// One thing that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// Money came.
    Paid,
    /// Time ran out.
    Closed,
    /// Money goes back.
    Refunded(Refund),
    /// A part was passed on to a partner.
    Shared,
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Merchant's number.
    pub refund_no: String,
    /// Platform's serial, where there is one.
    pub serial: Option<String>,
    /// This refund.
    pub amount_fen: i64,
    /// All refunds of the order up to and with this one.
    pub running_total_fen: i64,
    /// Unix seconds.
    pub at: i64,
    /// It has not gone back yet: somebody has to help.
    pub stuck: bool,
}

/// What the platform wants to tell: the same for every delivery of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Platform's id of the notice.
    pub id: String,
    /// About which order.
    pub order: Arc<Order>,
    /// What happened.
    pub happening: Happening,
    /// Unix seconds: when it was first told.
    pub told_at: i64,
    /// Decides whatever else is random about it.
    pub seed: u64,
}

/// What is wrong with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    /// Nothing.
    Honest,
    /// Changed after it was signed.
    Tampered,
    /// Signed an hour ago.
    Stale,
    /// Signed with a stranger's key.
    WrongKey,
    /// One field stands twice.
    FieldTwice,
    /// A signature that is wrong on purpose.
    Probe,
}

/// What a gateway must make of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Acknowledge, and know something new.
    Accepted,
    /// Acknowledge, and change nothing.
    Duplicate,
    /// Refuse, for one of these reasons.
    Rejected(&'static [&'static str]),
}

/// One request that is to be sent.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// What it tells.
    pub notice: Arc<Notice>,
    /// 0 for the first delivery of the notice, then 1, 2, …
    pub attempt: u32,
    /// What is wrong with it.
    pub twist: Twist,
    /// What a gateway must make of it.
    pub expect: Expect,
}

const GOODS: &[&str] = &[
    "亚麻短袖衬衫",
    "真丝印花方巾",
    "儿童防晒外套",
    "高帮帆布鞋",
    "羊绒圆领毛衣",
    "直筒牛仔裤",
    "羽绒马甲",
    "棉质睡衣套装",
    "通勤托特包",
    "法式连衣裙",
];
const STORES: &[&str] = &["SH0021", "HZ0057", "CD0012", "GZ0203", "BJ0008"];
const SPAN_S: i64 = 1200;

/// Plans all deliveries of a story, in the order in which they are to be sent.
pub fn tell(platform: &dyn Platform, plan: &Plan) -> Vec<Delivery> {
    let mut dice = Dice::new(plan.seed);
    let mut deck: Vec<Plot> = Vec::new();
    let mut told: Vec<(i64, Delivery)> = Vec::new();
    for number in 0..plan.orders {
        if deck.is_empty() {
            deck = plan.scenario.deck(platform);
            dice.shuffle(&mut deck);
        }
        let plot = deck.pop().unwrap_or_default();
        let paid_at = plan.start - SPAN_S + i64::from(number) * (SPAN_S / 2) / i64::from(plan.orders.max(1));
        let order = order(platform, &mut dice, plot, paid_at);
        let mut step = i64::from(number) * 3;
        for delivery in deliveries(platform, &mut dice, plot, order) {
            told.push((step, delivery));
            step += dice.between(1, 9);
        }
    }
    told.sort_by_key(|(step, _)| *step);
    told.into_iter().map(|(_, delivery)| delivery).collect()
}

impl Scenario {
    fn deck(self, platform: &dyn Platform) -> Vec<Plot> {
        use Plot::{
            FieldTwice, Paid, PartlyRefunded, Probed, RefundFirst, RefundStuck, Refunded, RefundedTwice,
            RefundsSwapped, Stale, Tampered, ToldThrice, WrongKey,
        };
        let wanted: &[Plot] = match self {
            Scenario::Mixed => platform.deck(),
            Scenario::Payments => &[Paid],
            Scenario::Refunds => {
                &[PartlyRefunded, Refunded, RefundedTwice, RefundsSwapped, RefundFirst, RefundStuck]
            }
            Scenario::Retries => &[ToldThrice],
            Scenario::Hostile => &[Paid, Tampered, Stale, WrongKey, FieldTwice, Probed],
        };
        let possible = |plot: &&Plot| **plot == Paid || platform.deck().contains(plot);
        wanted.iter().filter(possible).copied().collect()
    }
}

fn order(platform: &dyn Platform, dice: &mut Dice, plot: Plot, paid_at: i64) -> Arc<Order> {
    let total_fen = dice.between(1, 40) * 5000 - dice.pick(&[100, 1, 0]);
    // A coupon makes what goes back to the payer differ from the refund; refunded orders therefore have none.
    let coupon_fen = if plot == Plot::Paid && dice.below(3) == 0 { total_fen / 10 } else { 0 };
    Arc::new(Order {
        order_no: format!("SIM{}", dice.digits(14)),
        transaction_no: platform.transaction_no(dice, paid_at),
        subject: dice.pick(GOODS),
        store_code: dice.pick(STORES),
        device_id: format!("T{}", dice.digits(3)),
        buyer: dice.digits(12),
        total_fen,
        coupon_fen,
        paid_at,
    })
}

fn deliveries(platform: &dyn Platform, dice: &mut Dice, plot: Plot, order: Arc<Order>) -> Vec<Delivery> {
    let total = order.total_fen;
    let part = (total * dice.between(20, 70) / 100).max(1);
    let mut teller = Teller { platform, dice, order };
    match plot {
        Plot::Paid => vec![teller.paid()],
        Plot::ToldThrice => {
            let first = teller.paid();
            let again = |attempt| Delivery { attempt, expect: Expect::Duplicate, ..first.clone() };
            vec![first.clone(), again(1), again(2)]
        }
        Plot::PartlyRefunded => vec![teller.paid(), teller.refunded(part, part)],
        Plot::Refunded => vec![teller.paid(), teller.refunded(total, total)],
        Plot::RefundedTwice => {
            vec![teller.paid(), teller.refunded(part, part), teller.refunded(total - part, total)]
        }
        Plot::RefundsSwapped => {
            let paid = teller.paid();
            let first = teller.refunded(part, part);
            vec![paid, teller.refunded(total - part, total), first]
        }
        Plot::RefundFirst => {
            let paid = teller.paid();
            vec![teller.refunded(part, part), paid]
        }
        Plot::RefundStuck => {
            let paid = teller.paid();
            let (stuck, done) = teller.refunded_at_last(part);
            vec![paid, stuck, done]
        }
        Plot::Shared => vec![teller.paid(), teller.shared()],
        Plot::TimedOut => vec![teller.closed()],
        Plot::Tampered => vec![teller.refused(Twist::Tampered, &["bad_signature"])],
        Plot::Stale => vec![teller.refused(Twist::Stale, &["timestamp_out_of_window"])],
        Plot::WrongKey => vec![teller.refused(Twist::WrongKey, &["bad_signature"])],
        Plot::FieldTwice => vec![teller.refused(Twist::FieldTwice, &["duplicate_parameter"])],
        Plot::Probed => {
            let probe = teller.refused(Twist::Probe, &["signature_probe", "bad_signature"]);
            let honest =
                Delivery { attempt: 1, twist: Twist::Honest, expect: Expect::Accepted, ..probe.clone() };
            vec![probe, honest]
        }
    }
}

/// Makes the deliveries of one order.
struct Teller<'a> {
    platform: &'a dyn Platform,
    dice: &'a mut Dice,
    order: Arc<Order>,
}

impl Teller<'_> {
    fn paid(&mut self) -> Delivery {
        self.tells(Happening::Paid, self.order.paid_at)
    }

    fn closed(&mut self) -> Delivery {
        self.tells(Happening::Closed, self.order.paid_at)
    }

    fn refunded(&mut self, amount_fen: i64, running_total_fen: i64) -> Delivery {
        // A refund with a larger running total happened later.
        let at = self.order.paid_at
            + if running_total_fen > amount_fen { 300 } else { 0 }
            + self.dice.between(20, 240);
        let refund = Refund {
            refund_no: format!("RF{}", self.dice.digits(14)),
            serial: self.platform.refund_serial(self.dice, at),
            amount_fen,
            running_total_fen,
            at,
            stuck: false,
        };
        self.tells(Happening::Refunded(refund), at)
    }

    fn refunded_at_last(&mut self, amount_fen: i64) -> (Delivery, Delivery) {
        let done = self.refunded(amount_fen, amount_fen);
        let refund =
            done.refund().cloned().map(|refund| Refund { stuck: true, at: refund.at - 15, ..refund });
        let stuck = refund.map(|refund| self.tells(Happening::Refunded(refund.clone()), refund.at));
        (stuck.unwrap_or_else(|| done.clone()), done)
    }

    fn shared(&mut self) -> Delivery {
        self.tells(Happening::Shared, self.order.paid_at + 60)
    }

    fn refused(&mut self, twist: Twist, reasons: &'static [&'static str]) -> Delivery {
        Delivery { twist, expect: Expect::Rejected(reasons), ..self.paid() }
    }

    fn tells(&mut self, happening: Happening, at: i64) -> Delivery {
        let told_at = at + self.dice.between(1, 3);
        let notice = Notice {
            id: self.platform.notice_id(self.dice, told_at),
            order: self.order.clone(),
            happening,
            told_at,
            seed: self.dice.throw(),
        };
        Delivery { notice: Arc::new(notice), attempt: 0, twist: Twist::Honest, expect: Expect::Accepted }
    }
}

impl Delivery {
    /// One word for what it is: `payment`, `payment_closed`, `refund_partial`, `refund_full`, `retry`, `tampered`, …
    pub fn kind(&self) -> &'static str {
        match (self.twist, self.expect, &self.notice.happening) {
            (Twist::Tampered, ..) => "tampered",
            (Twist::Stale, ..) => "stale",
            (Twist::WrongKey, ..) => "wrong_key",
            (Twist::FieldTwice, ..) => "field_twice",
            (Twist::Probe, ..) => "probe",
            (Twist::Honest, Expect::Duplicate, _) => "retry",
            (Twist::Honest, _, Happening::Paid) => "payment",
            (Twist::Honest, _, Happening::Closed) => "payment_closed",
            (Twist::Honest, _, Happening::Shared) => "profit_sharing",
            (Twist::Honest, _, Happening::Refunded(refund)) if refund.stuck => "refund_stuck",
            (Twist::Honest, _, Happening::Refunded(refund)) => {
                if refund.running_total_fen == self.notice.order.total_fen {
                    "refund_full"
                } else {
                    "refund_partial"
                }
            }
        }
    }

    /// The refund it tells of.
    pub fn refund(&self) -> Option<&Refund> {
        match &self.notice.happening {
            Happening::Refunded(refund) => Some(refund),
            Happening::Paid | Happening::Closed | Happening::Shared => None,
        }
    }
}

impl Expect {
    /// `accepted`, `duplicate`, `rejected`.
    pub fn word(self) -> &'static str {
        match self {
            Expect::Accepted => "accepted",
            Expect::Duplicate => "duplicate",
            Expect::Rejected(_) => "rejected",
        }
    }

    /// Reasons to refuse it; none where it is to be taken.
    pub fn reasons(self) -> &'static [&'static str] {
        match self {
            Expect::Accepted | Expect::Duplicate => &[],
            Expect::Rejected(reasons) => reasons,
        }
    }

    /// Whether the platform must be told that all is well.
    pub fn acknowledged(self) -> bool {
        !matches!(self, Expect::Rejected(_))
    }
}
