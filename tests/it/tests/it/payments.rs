//! Payments that nobody tells of, answers that are lost: found out by asking, never by guessing.

use crate::shops::{NOON, at};
use qudao_kit::{Shop, TestGateway};
use qudao_model::entity::{Evidence, PaymentState, RefundState};
use qudao_pipeline::NewCommandRequest;
use qudao_sim::fault::{Fault, Kind};
use qudao_sim::payments::{Edit, Outcome, Purchase};
use qudao_sim::{alipay, wechat_pay};
use qudao_storage::{CommandState, DeliveryFilter, VerdictKind};
use serde_json::json;

const CHANNEL: &str = "pay";

/// The cashiers of both platforms behind one set of verbs.
enum Cashier {
    Wechat(wechat_pay::cashier::Cashier),
    Alipay(alipay::cashier::Cashier),
}

impl Cashier {
    fn both() -> [Cashier; 2] {
        let now = at(NOON).as_second();
        [
            Cashier::Wechat(
                wechat_pay::cashier::Cashier::start(wechat_pay::cashier::Options::at(now)).unwrap(),
            ),
            Cashier::Alipay(alipay::cashier::Cashier::start(alipay::cashier::Options::at(now)).unwrap()),
        ]
    }

    async fn gateway(&self) -> TestGateway {
        let key = |path: &str| std::fs::read(qudao_kit::root().join("examples/keys").join(path)).unwrap();
        let (plugin, settings, secrets, url) = match self {
            Cashier::Wechat(cashier) => (
                "wechat-pay",
                json!({"mchid": cashier.mchid(), "appid": "wx5b1e7d92c04af836", "verify": "both",
                    "mch_serial": cashier.merchant_serial()}),
                vec![
                    ("api_v3_key", key("wechat-main/test_api_v3_key.txt")),
                    ("platform_public_key", key("wechat-main/test_platform_public_key.pem")),
                    ("platform_certificates", key("wechat-main/test_platform_certificates.pem")),
                    ("merchant_private_key", key("wechat-main/test_merchant_private_key.pem")),
                ],
                cashier.url(),
            ),
            Cashier::Alipay(cashier) => (
                "alipay",
                json!({"app_id": cashier.app_id(), "seller_id": "2088241736950418", "mode": "public_key"}),
                vec![
                    ("alipay_public_key", key("alipay-main/test_alipay_public_key.pem")),
                    ("app_private_key", key("alipay-main/test_app_private_key.pem")),
                ],
                cashier.url(),
            ),
        };
        let secrets = secrets.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        let shop = Shop { name: CHANNEL.to_owned(), plugin: plugin.to_owned(), settings, secrets, url };
        TestGateway::builder().shop(shop).at(at(NOON)).start().await
    }

    fn place(&self, purchase: Purchase) {
        match self {
            Cashier::Wechat(cashier) => drop(cashier.place(purchase).unwrap()),
            Cashier::Alipay(cashier) => drop(cashier.place(purchase).unwrap()),
        }
    }

    fn edit(&self, order_no: &str, edit: &Edit) {
        match self {
            Cashier::Wechat(cashier) => cashier.edit(order_no, edit).unwrap(),
            Cashier::Alipay(cashier) => cashier.edit(order_no, edit).unwrap(),
        }
    }

    fn fault(&self, fault: Fault) {
        match self {
            Cashier::Wechat(cashier) => cashier.fault(fault),
            Cashier::Alipay(cashier) => cashier.fault(fault),
        }
    }

    fn calls(&self) -> usize {
        match self {
            Cashier::Wechat(cashier) => cashier.calls().all().len(),
            Cashier::Alipay(cashier) => cashier.calls().all().len(),
        }
    }

    fn truth(&self) -> qudao_sim::payments::Truth {
        match self {
            Cashier::Wechat(cashier) => cashier.truth(),
            Cashier::Alipay(cashier) => cashier.truth(),
        }
    }

    /// Lets time pass on both sides, and asks whatever became due.
    async fn pass(&self, gateway: &TestGateway, seconds: i64) {
        match self {
            Cashier::Wechat(cashier) => cashier.clock().advance(seconds),
            Cashier::Alipay(cashier) => cashier.clock().advance(seconds),
        }
        gateway.clock.advance(seconds);
        gateway.ask().await;
    }

    fn refund(&self, order_no: &str, refund_no: &str) -> NewCommandRequest {
        let mut payload = json!({"order_no": order_no, "refund_no": refund_no, "amount_fen": 300});
        if matches!(self, Cashier::Wechat(_)) {
            payload["total_fen"] = 4172.into();
        }
        NewCommandRequest {
            channel: CHANNEL.to_owned(),
            kind: "refund.create".to_owned(),
            idempotency_key: refund_no.to_owned(),
            payload,
            not_after: None,
        }
    }

    /// A payment that the gateway knows to be paid.
    async fn paid(&self, gateway: &TestGateway, order_no: &str) {
        self.place(Purchase::barcode(order_no, 4172));
        self.edit(order_no, &Edit::Pay);
        gateway.gateway.expect_payment(CHANNEL, order_no, 4172).await.unwrap();
        self.pass(gateway, 61).await;
        assert_eq!(gateway.payments(order_no).await[0].state, PaymentState::Paid);
    }

    /// Refunds as the platform knows them: number and amount.
    fn refunds(&self) -> Vec<(String, i64)> {
        let truth = self.truth();
        truth.refunds().iter().map(|refund| (refund.refund_no.clone(), refund.amount_fen)).collect()
    }
}

async fn state_of(gateway: &TestGateway, id: &str) -> CommandState {
    gateway.gateway.storage().command(id).await.unwrap().unwrap().state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_never_comes_is_made_up_for_by_asking() {
    for cashier in Cashier::both() {
        let gateway = cashier.gateway().await;
        cashier.place(Purchase::barcode("TILL00001", 4172));
        cashier.edit("TILL00001", &Edit::Pay);
        gateway.gateway.expect_payment(CHANNEL, "TILL00001", 4172).await.unwrap();
        cashier.pass(&gateway, 59).await;
        assert!(gateway.payments("TILL00001").await.is_empty(), "asked before `pending_after`");
        cashier.pass(&gateway, 2).await;
        let payments = gateway.payments("TILL00001").await;
        assert_eq!((payments[0].state, payments[0].requested_fen), (PaymentState::Paid, 4172));
        assert_eq!(payments[0].evidence, [Evidence::Query]);
        let types: Vec<_> = gateway.events().await.into_iter().map(|event| event.r#type).collect();
        assert_eq!(types, ["qudao.payment.paid.v1"]);
        // Then nobody asks any more.
        let calls = cashier.calls();
        cashier.pass(&gateway, 86_400).await;
        assert_eq!(cashier.calls(), calls);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_notice_is_refused_for_does_not_come_in_by_asking() {
    for cashier in Cashier::both() {
        let gateway = cashier.gateway().await;
        cashier.place(Purchase::barcode("WRONG0001", 700));
        cashier.edit("WRONG0001", &Edit::Pay);
        gateway.gateway.expect_payment(CHANNEL, "WRONG0001", 70_000).await.unwrap();
        cashier.pass(&gateway, 61).await;
        let filter = DeliveryFilter { verdict: Some(VerdictKind::Failed), ..DeliveryFilter::default() };
        let failed = gateway.gateway.storage().deliveries(&filter).await.unwrap().items;
        assert_eq!(failed[0].reason.as_deref(), Some("amount_mismatch"), "{:?}", failed[0].explain);
        assert!(gateway.payments("WRONG0001").await.is_empty());
        // It was the till that was wrong.
        gateway.gateway.expect_payment(CHANNEL, "WRONG0001", 700).await.unwrap();
        cashier.pass(&gateway, 1_200).await;
        assert_eq!(gateway.payments("WRONG0001").await[0].state, PaymentState::Paid);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_is_refused_finds_out_why() {
    for cashier in Cashier::both() {
        let gateway = cashier.gateway().await;
        cashier.place(Purchase::barcode("CLOSE0002", 700));
        cashier.edit("CLOSE0002", &Edit::Pay);
        let close = NewCommandRequest {
            channel: CHANNEL.to_owned(),
            kind: "payment.close".to_owned(),
            idempotency_key: "close-1".to_owned(),
            payload: json!({"order_no": "CLOSE0002"}),
            not_after: None,
        };
        let (row, _) = gateway.gateway.command(close).await.unwrap();
        cashier.pass(&gateway, 10).await;
        assert_eq!(state_of(&gateway, &row.id).await, CommandState::Failed);
        assert_eq!(gateway.payments("CLOSE0002").await[0].state, PaymentState::Paid);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_asked_for_until_the_platform_has_a_final_word() {
    for cashier in Cashier::both() {
        let gateway = cashier.gateway().await;
        // Nobody knows it yet, then it waits for the buyer, then it is paid.
        gateway.gateway.expect_payment(CHANNEL, "WAIT00001", 4172).await.unwrap();
        cashier.pass(&gateway, 61).await;
        assert!(gateway.payments("WAIT00001").await.is_empty());
        cashier.place(Purchase::of("WAIT00001", 4172));
        cashier.pass(&gateway, 60).await;
        assert_eq!(gateway.payments("WAIT00001").await[0].state, PaymentState::Pending);
        cashier.edit("WAIT00001", &Edit::Pay);
        cashier.pass(&gateway, 600).await;
        assert_eq!(gateway.payments("WAIT00001").await[0].state, PaymentState::Paid);
        // One that nobody ever pays is closed, by the platform's word.
        cashier.place(Purchase::of("CLOSE0001", 100));
        gateway.gateway.expect_payment(CHANNEL, "CLOSE0001", 100).await.unwrap();
        cashier.pass(&gateway, 61).await;
        cashier.edit("CLOSE0001", &Edit::Close);
        cashier.pass(&gateway, 1_800).await;
        assert_eq!(gateway.payments("CLOSE0001").await[0].state, PaymentState::Closed);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_forged_or_broken_is_no_answer() {
    for cashier in Cashier::both() {
        let gateway = cashier.gateway().await;
        cashier.place(Purchase::barcode("FORGE0001", 4172));
        cashier.edit("FORGE0001", &Edit::Pay);
        let kinds = [Kind::WrongSignature, Kind::HalfBody, Kind::DropBefore, Kind::DropAfterApply];
        for (place, kind) in (0..).zip(kinds) {
            cashier.fault(Fault::new(kind).after(place));
        }
        gateway.gateway.expect_payment(CHANNEL, "FORGE0001", 4172).await.unwrap();
        cashier.pass(&gateway, 61).await;
        assert!(gateway.payments("FORGE0001").await.is_empty(), "a forged answer was believed");
        for _ in 0..8 {
            cashier.pass(&gateway, 600).await;
        }
        assert_eq!(gateway.payments("FORGE0001").await[0].state, PaymentState::Paid);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_is_followed_to_its_end() {
    let [cashier, _] = Cashier::both();
    let gateway = cashier.gateway().await;
    cashier.paid(&gateway, "REFUND001").await;
    let (row, new) = gateway.gateway.command(cashier.refund("REFUND001", "RF0001")).await.unwrap();
    assert!(new);
    gateway.ask().await;
    assert_eq!(state_of(&gateway, &row.id).await, CommandState::Accepted);
    assert_eq!(gateway.refunds("REFUND001").await[0].state, RefundState::Processing);
    cashier.edit("REFUND001", &Edit::End { refund_no: "RF0001".into(), outcome: Outcome::Abnormal });
    for _ in 0..6 {
        cashier.pass(&gateway, 600).await;
    }
    assert_eq!(gateway.refunds("REFUND001").await[0].state, RefundState::Abnormal);
    cashier.edit("REFUND001", &Edit::End { refund_no: "RF0001".into(), outcome: Outcome::Succeeded });
    for _ in 0..12 {
        cashier.pass(&gateway, 3_600).await;
    }
    assert_eq!(gateway.refunds("REFUND001").await[0].state, RefundState::Succeeded);
    assert_eq!(state_of(&gateway, &row.id).await, CommandState::Succeeded);
    assert_eq!(gateway.payments("REFUND001").await[0].state, PaymentState::PartlyRefunded);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lost_after_the_platform_did_it_is_unknown_and_then_settled_by_asking() {
    for cashier in Cashier::both() {
        let gateway = cashier.gateway().await;
        cashier.paid(&gateway, "LOST00001").await;
        cashier.fault(Fault::new(Kind::DropAfterApply));
        // The platform cannot be asked for a while either: so what became of it stays unknown.
        cashier.fault(Fault::status(503).times(2).after(1));
        let (row, _) = gateway.gateway.command(cashier.refund("LOST00001", "RF0002")).await.unwrap();
        gateway.ask().await;
        assert_eq!(cashier.refunds(), [("RF0002".to_owned(), 300)], "the platform has done it");
        assert_eq!(state_of(&gateway, &row.id).await, CommandState::Unknown);
        for _ in 0..12 {
            cashier.pass(&gateway, 900).await;
        }
        assert_eq!(state_of(&gateway, &row.id).await, CommandState::Succeeded);
        assert_eq!(cashier.refunds(), [("RF0002".to_owned(), 300)], "and only once");
        assert_eq!(gateway.payments("LOST00001").await[0].refunded_fen, 300);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_never_arrived_is_sent_again_under_its_number() {
    for cashier in Cashier::both() {
        let gateway = cashier.gateway().await;
        cashier.paid(&gateway, "NEVER0001").await;
        cashier.fault(Fault::new(Kind::DropBefore));
        let (row, _) = gateway.gateway.command(cashier.refund("NEVER0001", "RF0003")).await.unwrap();
        for _ in 0..12 {
            cashier.pass(&gateway, 900).await;
        }
        assert_eq!(state_of(&gateway, &row.id).await, CommandState::Succeeded);
        assert_eq!(cashier.refunds(), [("RF0003".to_owned(), 300)]);
        gateway.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_is_the_same_command() {
    let [cashier, _] = Cashier::both();
    let gateway = cashier.gateway().await;
    cashier.paid(&gateway, "KEYS00001").await;
    let (first, _) = gateway.gateway.command(cashier.refund("KEYS00001", "RF0004")).await.unwrap();
    let (again, new) = gateway.gateway.command(cashier.refund("KEYS00001", "RF0004")).await.unwrap();
    assert!(!new && again.id == first.id);
    let mut other = cashier.refund("KEYS00001", "RF0004");
    other.payload["amount_fen"] = 301.into();
    assert!(gateway.gateway.command(other).await.unwrap_err().to_string().contains(&first.id));
    gateway.ask().await;
    assert_eq!(cashier.refunds().len(), 1);
    gateway.finish().await;
}
