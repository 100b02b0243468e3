//! A till that expects payments which nobody tells of, and gives money back by command. It repeats whatever the gateway did
//! not take.

use crate::once;
use qudao_kit::Shop;
use qudao_model::{Entity, EntityKind, Payment};
use qudao_pipeline::{Gateway, NewCommandRequest};
use qudao_sim::{
    alipay,
    calls::Calls,
    clock::Clock,
    dice::Dice,
    fault::Faults,
    payments::{Edit, Purchase, Truth},
    wechat_pay,
};
use qudao_storage::{CommandState, EntityFilter, Storage};
use serde_json::json;

/// The till's channel.
const CHANNEL: &str = "till";

/// Its platform, and what it wants.
pub(crate) struct Till {
    cashier: Cashier,
    sales: Vec<Sale>,
    refunds: Vec<Refund>,
}

enum Cashier {
    Wechat(wechat_pay::cashier::Cashier),
    Alipay(alipay::cashier::Cashier),
}

struct Sale {
    order_no: String,
    total_fen: i64,
    /// Whether the gateway knows that it is expected.
    expected: bool,
    ended: bool,
}

struct Refund {
    order_no: String,
    /// Its number.
    no: String,
    amount_fen: i64,
    total_fen: i64,
    /// Id of the command once the gateway has it.
    command: Option<String>,
}

impl Till {
    pub(crate) fn open(dice: &mut Dice, now: i64) -> Till {
        let seed = dice.throw();
        let cashier = if dice.below(2) == 0 {
            let options = wechat_pay::cashier::Options { seed, ..wechat_pay::cashier::Options::at(now) };
            Cashier::Wechat(wechat_pay::cashier::Cashier::start(options).expect("a cashier"))
        } else {
            let options = alipay::cashier::Options { seed, ..alipay::cashier::Options::at(now) };
            Cashier::Alipay(alipay::cashier::Cashier::start(options).expect("a cashier"))
        };
        Till { cashier, sales: Vec::new(), refunds: Vec::new() }
    }

    pub(crate) fn channel(&self) -> Shop {
        let (channel, url) = match &self.cashier {
            Cashier::Wechat(cashier) => (crate::channels::wechat(CHANNEL), cashier.url()),
            Cashier::Alipay(cashier) => (crate::channels::alipay(CHANNEL), cashier.url()),
        };
        Shop { url, ..channel }
    }

    pub(crate) fn clock(&self) -> &Clock {
        match &self.cashier {
            Cashier::Wechat(cashier) => cashier.clock(),
            Cashier::Alipay(cashier) => cashier.clock(),
        }
    }

    pub(crate) fn faults(&self) -> &Faults {
        match &self.cashier {
            Cashier::Wechat(cashier) => cashier.faults(),
            Cashier::Alipay(cashier) => cashier.faults(),
        }
    }

    pub(crate) fn calls(&self) -> &Calls {
        match &self.cashier {
            Cashier::Wechat(cashier) => cashier.calls(),
            Cashier::Alipay(cashier) => cashier.calls(),
        }
    }

    /// Whether it is WeChat Pay's.
    pub(crate) fn is_wechat(&self) -> bool {
        matches!(self.cashier, Cashier::Wechat(_))
    }

    fn truth(&self) -> Truth {
        match &self.cashier {
            Cashier::Wechat(cashier) => cashier.truth(),
            Cashier::Alipay(cashier) => cashier.truth(),
        }
    }

    fn edit(&self, order_no: &str, edit: &Edit) -> bool {
        match &self.cashier {
            Cashier::Wechat(cashier) => cashier.edit(order_no, edit).is_ok(),
            Cashier::Alipay(cashier) => cashier.edit(order_no, edit).is_ok(),
        }
    }

    /// Somebody buys, pays, goes away, or wants the money back.
    pub(crate) fn live(&mut self, dice: &mut Dice) {
        let open = self.sales.iter().position(|sale| !sale.ended);
        match (dice.below(4), open) {
            (0, Some(at)) => self.end(at, &Edit::Close),
            (1, Some(at)) => self.end(at, &Edit::Pay),
            (2, _) => self.give_back(dice),
            _ => self.sell(dice),
        }
    }

    fn sell(&mut self, dice: &mut Dice) {
        let (order_no, total_fen) = (format!("TILL{}", dice.digits(10)), 100 * dice.between(5, 90));
        let purchase = Purchase::of(&order_no, total_fen);
        match &self.cashier {
            Cashier::Wechat(cashier) => cashier.place(purchase),
            Cashier::Alipay(cashier) => cashier.place(purchase),
        }
        .expect("a new order");
        self.sales.push(Sale { order_no, total_fen, expected: false, ended: false });
    }

    fn end(&mut self, at: usize, edit: &Edit) {
        let order_no = self.sales[at].order_no.clone();
        self.sales[at].ended = self.edit(&order_no, edit);
    }

    fn give_back(&mut self, dice: &mut Dice) {
        let truth = self.truth();
        let asked = |order_no: &str| self.refunds.iter().any(|refund| refund.order_no == order_no);
        let paid = self.sales.iter().find(|sale| {
            let paid = truth.payment(&sale.order_no).is_some_and(|payment| payment.state == "paid");
            paid && !asked(&sale.order_no)
        });
        let Some(Sale { order_no, total_fen, .. }) = paid else { return };
        let amount_fen = if dice.below(2) == 0 { *total_fen } else { 300 };
        self.refunds.push(Refund {
            order_no: order_no.clone(),
            no: format!("RF{}", dice.digits(10)),
            amount_fen,
            total_fen: *total_fen,
            command: None,
        });
    }

    /// Tells the gateway what it has not taken yet.
    pub(crate) async fn tell(&mut self, gateway: &Gateway) {
        for sale in self.sales.iter_mut().filter(|sale| !sale.expected) {
            sale.expected = gateway.expect_payment(CHANNEL, &sale.order_no, sale.total_fen).await.is_ok();
        }
        let is_wechat = self.is_wechat();
        for refund in self.refunds.iter_mut().filter(|refund| refund.command.is_none()) {
            let Refund { order_no, no, amount_fen, total_fen, .. } = &*refund;
            let mut payload = json!({"order_no": order_no, "refund_no": no, "amount_fen": amount_fen});
            if is_wechat {
                payload["total_fen"] = (*total_fen).into();
            }
            let request = NewCommandRequest {
                channel: CHANNEL.to_owned(),
                kind: "refund.create".to_owned(),
                idempotency_key: no.clone(),
                payload,
                not_after: None,
            };
            refund.command = gateway.command(request).await.ok().map(|(row, _)| row.id);
        }
    }

    /// Every sale comes to an end.
    pub(crate) fn end_all(&mut self) {
        for at in 0..self.sales.len() {
            if !self.sales[at].ended {
                self.end(at, &Edit::Pay);
            }
        }
    }

    /// Whether there is nothing left to be found out.
    pub(crate) async fn is_settled(&self, storage: &Storage) -> bool {
        let truth = self.truth();
        if truth.refunds().iter().any(|refund| refund.state == "processing") {
            return false;
        }
        for sale in &self.sales {
            let state = truth.payment(&sale.order_no).map(|payment| payment.state.to_owned());
            if payment(storage, &sale.order_no).await.map(|known| word(&known.state)) != state {
                return false;
            }
        }
        for refund in &self.refunds {
            let Some(id) = &refund.command else { return false };
            match storage.command(id).await {
                Ok(Some(row)) if matches!(row.state, CommandState::Succeeded | CommandState::Failed) => {}
                _ => return false,
            }
        }
        true
    }

    /// What the gateway knows is what is true, and every command was done once or not at all.
    pub(crate) async fn hold(&self, storage: &Storage) {
        let truth = self.truth();
        for sale in &self.sales {
            let Some(known) = payment(storage, &sale.order_no).await else {
                let tasks = storage.tasks(None, 20).await;
                panic!("payment {} was never found out: {tasks:?}", sale.order_no)
            };
            let payment = truth.payment(&sale.order_no).expect("the cashier's own");
            assert_eq!(
                (word(&known.state).as_str(), known.requested_fen, known.refunded_fen),
                (payment.state, payment.requested_fen, payment.refunded_fen),
                "payment {}",
                sale.order_no
            );
        }
        let calls = self.calls().all();
        for refund in &self.refunds {
            once::hold(&calls, &refund.no);
            let done: Vec<_> = truth.refunds().iter().filter(|done| done.refund_no == refund.no).collect();
            let row = storage.command(refund.command.as_deref().unwrap_or_default()).await;
            let row = row.expect("storage answers").expect("the gateway took it");
            let expected = if done.is_empty() { CommandState::Failed } else { CommandState::Succeeded };
            assert_eq!(row.state, expected, "refund {}: {row:?}", refund.no);
            assert!(done.len() <= 1, "refund {} was done {} times", refund.no, done.len());
        }
        let own = |no: &str| self.refunds.iter().any(|refund| refund.no == no);
        assert!(truth.refunds().iter().all(|done| own(&done.refund_no)), "a refund that nobody asked for");
    }
}

async fn payment(storage: &Storage, order_no: &str) -> Option<Payment> {
    let (channel, order_no) = (Some(CHANNEL.to_owned()), Some(order_no.to_owned()));
    let filter = EntityFilter { channel, order_no, ..EntityFilter::new(EntityKind::Payment) };
    let page = storage.entities(&filter).await.expect("storage answers");
    page.items
        .into_iter()
        .find_map(|entity| if let Entity::Payment(payment) = entity { Some(payment) } else { None })
}

fn word(state: &impl serde::Serialize) -> String {
    let word = serde_json::to_value(state).expect("a word");
    word.as_str().unwrap_or_default().to_owned()
}
