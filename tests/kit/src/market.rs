//! Simulated shops beside a gateway, and their truth held against what the gateway knows.

use crate::{Shop, TestGateway};
use qudao_model::{AfterSale, Order, Timestamp};
use qudao_sim::{jd, market, tmall};
use serde_json::json;

/// Where both clocks begin: noon of a working day in Beijing.
pub const NOON: &str = "2026-03-12T04:00:00Z";

/// The channel of every test with a shop.
pub const CHANNEL: &str = "shop";

/// What both platforms can do, so that one test is about both.
pub enum Market {
    Tmall(tmall::Shop),
    Jd(jd::Shop),
}

impl Market {
    /// A Tmall shop whose clock stands at noon.
    pub fn tmall() -> Market {
        Market::Tmall(tmall::Shop::start(tmall::Options::at(at(NOON).as_second())).unwrap())
    }

    /// A JD shop whose clock stands at noon.
    pub fn jd() -> Market {
        Market::Jd(jd::Shop::start(jd::Options::at(at(NOON).as_second())).unwrap())
    }

    /// The channel that reads it.
    pub fn channel(&self, more: &serde_json::Value) -> Shop {
        let (plugin, mut settings, secrets, url) = match self {
            Market::Tmall(shop) => (
                "tmall",
                json!({"app_key": shop.app_key(), "seller_nick": "样例服饰旗舰店"}),
                [("app_secret", shop.app_secret().to_owned()), ("session", shop.session())],
                shop.url(),
            ),
            Market::Jd(shop) => (
                "jd",
                json!({"app_key": shop.app_key(), "vender_id": "649295"}),
                [("app_secret", shop.app_secret().to_owned()), ("access_token", shop.access_token())],
                shop.url(),
            ),
        };
        for (name, value) in more.as_object().into_iter().flatten() {
            settings[name] = value.clone();
        }
        let secrets = secrets.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes())).collect();
        Shop { name: CHANNEL.to_owned(), plugin: plugin.to_owned(), settings, secrets, url }
    }

    /// A gateway that reads it.
    pub async fn gateway(&self, more: &serde_json::Value) -> TestGateway {
        TestGateway::builder().shop(self.channel(more)).at(at(NOON)).start().await
    }

    /// Many orders with a past.
    pub fn stock(&self, count: u32) -> Vec<String> {
        let stock = market::Stock::of(count);
        match self {
            Market::Tmall(shop) => shop.stock(stock).unwrap(),
            Market::Jd(shop) => shop.stock(stock).unwrap(),
        }
    }

    /// Somebody orders.
    pub fn place(&self, basket: market::Basket) -> String {
        match self {
            Market::Tmall(shop) => shop.place(basket).unwrap(),
            Market::Jd(shop) => shop.place(basket).unwrap(),
        }
    }

    /// Something happens to an order; whether the platform allows it.
    pub fn edit(&self, order_no: &str, edit: &market::Edit) -> Option<market::Edited> {
        match self {
            Market::Tmall(shop) => shop.edit(order_no, edit).ok(),
            Market::Jd(shop) => shop.edit(order_no, edit).ok(),
        }
    }

    /// Edits right after a page of the list was served.
    pub fn edit_after_page(&self, page: u32, edits: Vec<(String, market::Edit)>) {
        match self {
            Market::Tmall(shop) => shop.edit_after("taobao.trades.sold.increment.get", Some(page), edits),
            Market::Jd(shop) => shop.edit_after("jingdong.pop.order.search", Some(page), edits),
        }
    }

    /// Lets time pass in the shop and in the gateway.
    pub fn advance(&self, gateway: &TestGateway, seconds: i64) {
        self.clock().advance(seconds);
        gateway.clock.advance(seconds);
    }

    /// Lets time pass in the shop alone, in the middle of a question.
    pub fn advance_alone(&self, seconds: i64) {
        self.clock().advance(seconds);
    }

    /// Its clock.
    pub fn clock(&self) -> &qudao_sim::clock::Clock {
        match self {
            Market::Tmall(shop) => shop.clock(),
            Market::Jd(shop) => shop.clock(),
        }
    }

    /// What still goes wrong.
    pub fn faults(&self) -> &qudao_sim::fault::Faults {
        match self {
            Market::Tmall(shop) => shop.faults(),
            Market::Jd(shop) => shop.faults(),
        }
    }

    /// Something goes wrong.
    pub fn fault(&self, fault: qudao_sim::fault::Fault) {
        match self {
            Market::Tmall(shop) => shop.fault(fault),
            Market::Jd(shop) => shop.fault(fault),
        }
    }

    /// Calls so far.
    pub fn calls(&self) -> usize {
        match self {
            Market::Tmall(shop) => shop.calls().all().len(),
            Market::Jd(shop) => shop.calls().all().len(),
        }
    }

    /// How things are.
    pub fn truth(&self) -> market::Truth {
        match self {
            Market::Tmall(shop) => shop.truth(),
            Market::Jd(shop) => shop.truth(),
        }
    }
}

/// Reads until the platform has nothing new, an overlap later once more.
pub async fn catch_up(market: &Market, gateway: &TestGateway) {
    gateway.ask().await;
    for _ in 0..3 {
        market.advance(gateway, 15 * 60);
        gateway.ask().await;
    }
}

/// The gateway's orders and after-sales are the shop's, to the fen.
pub async fn assert_same(market: &Market, gateway: &TestGateway) {
    let (orders, aftersales) = (gateway.orders(CHANNEL).await, gateway.aftersales(CHANNEL).await);
    assert_known(&market.truth(), &orders, &aftersales);
}

/// What a gateway knows, both by number, is what is true.
pub fn assert_known(truth: &market::Truth, orders: &[Order], aftersales: &[AfterSale]) {
    let told: Vec<_> = truth.orders().iter().filter(|order| order.visible).collect();
    let known: Vec<_> = orders.iter().map(|order| order.order_no.as_str()).collect();
    assert_numbers("orders", &known, &told.iter().map(|order| order.order_no.as_str()).collect::<Vec<_>>());
    for (order, truth) in orders.iter().zip(&told) {
        assert_eq!(shown(order), expected(truth), "order {}", truth.order_no);
    }
    let of = |order_no: &str| told.iter().any(|order| order.order_no == order_no);
    let told: Vec<_> = truth.aftersales().iter().filter(|one| of(&one.order_no)).collect();
    let known: Vec<_> = aftersales.iter().map(|one| one.aftersale_no.as_str()).collect();
    let numbers: Vec<_> = told.iter().map(|one| one.aftersale_no.as_str()).collect();
    assert_numbers("after-sales", &known, &numbers);
    for (aftersale, truth) in aftersales.iter().zip(&told) {
        assert_eq!(serde_json::to_value(aftersale.state).unwrap(), truth.state, "{}", truth.aftersale_no);
        assert_eq!(aftersale.amount_fen, truth.amount_fen, "{}", truth.aftersale_no);
        assert_eq!(aftersale.order_no, truth.order_no);
    }
}

/// The same numbers in the same order; says which are missing, as those that a cursor passed too early are.
fn assert_numbers(what: &str, known: &[&str], told: &[&str]) {
    let missing: Vec<_> = told.iter().filter(|no| !known.contains(no)).collect();
    let strange: Vec<_> = known.iter().filter(|no| !told.contains(no)).collect();
    assert!(
        missing.is_empty() && strange.is_empty(),
        "{what}: the platform has {missing:?}, which were never read; it does not have {strange:?}"
    );
    assert_eq!(known, told, "{what}");
}

/// What a reader of the feed would act on.
fn shown(order: &Order) -> serde_json::Value {
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| {
            json!({"no": line.line_no, "id": line.line_id, "sku": line.sku, "qty": line.qty, "gross": line.gross_fen,
                "discount": line.discount_fen, "platform": line.platform_discount_fen, "adjust": line.adjust_fen,
                "net": line.net_fen, "gift": line.gift})
        })
        .collect();
    json!({"state": order.state, "payment_state": order.payment_state, "holds": order.holds,
        "payable": order.totals.payable_fen, "discount": order.totals.discount_fen,
        "platform_discount": order.totals.platform_discount_fen, "freight": order.totals.freight_fen,
        "adjust": order.totals.adjust_fen, "lines": lines,
        "waybills": waybills(order.shipments.iter().filter_map(|one| one.waybill.clone()))})
}

fn expected(order: &market::Order) -> serde_json::Value {
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| {
            json!({"no": line.line_no, "id": line.line_id, "sku": line.sku, "qty": line.qty, "gross": line.gross_fen,
                "discount": line.discount_fen, "platform": line.platform_discount_fen, "adjust": line.adjust_fen,
                "net": line.net_fen, "gift": line.gift})
        })
        .collect();
    json!({"state": order.state, "payment_state": order.payment_state,
        "holds": order.hold.into_iter().collect::<Vec<_>>(),
        "payable": order.totals.payable_fen, "discount": order.totals.discount_fen,
        "platform_discount": order.totals.platform_discount_fen, "freight": order.totals.freight_fen,
        "adjust": order.totals.adjust_fen, "lines": lines,
        "waybills": waybills(order.shipments.iter().map(|one| one.waybill.clone()))})
}

fn waybills(all: impl Iterator<Item = String>) -> Vec<String> {
    all.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// A time.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
