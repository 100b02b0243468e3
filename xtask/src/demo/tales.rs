//! What happens in the shops and at the tills while the demo runs: short scripts, side by side. Each step is one thing that
//! somebody does to a simulated platform, and the event that the feed must show before the next one; a step whose event
//! does not come in time ends the demo with a sentence. Nothing here sleeps: the feed sets the pace.

use super::gateway::Gateway;
use super::servers::Server;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Polls come every second; a loaded machine may take its time.
const EVENT_MAX: Duration = Duration::from_secs(90);
/// Between two steps of one order. Platforms date changes to the second, and nobody can tell which of two came last.
const STEP_MIN: Duration = Duration::from_millis(1_100);

const WECHAT: &str = "wechat-main";
const ALIPAY: &str = "alipay-main";
const TMALL: &str = "tmall-main";
const JD: &str = "jd-main";
/// What the rule of the sample has in front of a trade's number.
pub(super) const AT_ALIPAY: &str = "T200P";

/// Stands for the order's number in paths, bodies and expectations.
const ORDER: &str = "{order}";
/// Stands for the number of the after-sale that an earlier step opened.
const REFUND: &str = "{refund}";

/// One thing that somebody does.
struct Step {
    /// To the platform of this channel; to the gateway itself where there is none.
    to: Option<&'static str>,
    path: String,
    body: Value,
    /// Channel, type and number of the event that must come of it.
    leads_to: Option<(&'static str, &'static str, String)>,
}

/// One order and its life.
struct Tale {
    steps: VecDeque<Step>,
    order: String,
    refund: String,
    /// The event that is awaited, and until when.
    awaits: Option<(&'static str, &'static str, String, Instant)>,
    /// When the latest step was.
    stepped: Option<Instant>,
}

/// All tales.
pub(super) struct Tales {
    tales: Vec<Tale>,
    /// Events that were looked at.
    seen: usize,
}

impl Tales {
    /// The sample's.
    pub(super) fn of_the_sample() -> Tales {
        let all = [
            bought(),
            without_a_code(),
            refunded(),
            returned(),
            paid_at_alipay(),
            unlisted(),
            locked(),
            given_back(),
            at_the_till(),
        ];
        Tales { tales: all.into_iter().map(Tale::new).collect(), seen: 0 }
    }

    /// Does what can be done now; whether all has been told.
    pub(super) fn advance(
        &mut self,
        servers: &[Server],
        gateway: &Gateway,
        events: &[Value],
    ) -> Result<bool> {
        let news = events.get(self.seen..).unwrap_or_default();
        self.seen = events.len();
        for tale in &mut self.tales {
            tale.hear(news)?;
            if tale.is_due()
                && let Some(step) = tale.steps.pop_front()
            {
                tale.tell(step, servers, gateway)?;
            }
        }
        Ok(self.tales.iter().all(Tale::is_told))
    }
}

impl Tale {
    fn new(steps: Vec<Step>) -> Tale {
        Tale { steps: steps.into(), order: String::new(), refund: String::new(), awaits: None, stepped: None }
    }

    fn is_told(&self) -> bool {
        self.steps.is_empty() && self.awaits.is_none()
    }

    /// Whether the next step can be taken.
    fn is_due(&self) -> bool {
        self.awaits.is_none() && self.stepped.is_none_or(|stepped| stepped.elapsed() >= STEP_MIN)
    }

    fn hear(&mut self, news: &[Value]) -> Result<()> {
        let Some((channel, event_type, number, until)) = &self.awaits else { return Ok(()) };
        if news.iter().any(|event| is_about(event, channel, event_type, number)) {
            self.awaits = None;
        } else if Instant::now() > *until {
            bail!("{channel}: no {event_type} for {number} within {EVENT_MAX:?}");
        }
        Ok(())
    }

    fn tell(&mut self, step: Step, servers: &[Server], gateway: &Gateway) -> Result<()> {
        let (path, body) = (self.fill(&step.path), self.fill(&step.body.to_string()));
        let body = serde_json::from_str(&body).context("a step of the demo")?;
        let answer = match step.to {
            None => gateway.http.post(&path, &body)?,
            Some(channel) => {
                let server = servers.iter().find(|server| server.role.channel == channel);
                server.with_context(|| format!("nobody plays {channel}"))?.drive(&path, &body)?
            }
        };
        let number = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
        if self.order.is_empty() {
            self.order = number("order_no").context("a platform that placed no order")?;
        }
        self.refund = number("refund_no").unwrap_or_else(|| std::mem::take(&mut self.refund));
        let until = Instant::now() + EVENT_MAX;
        self.stepped = Some(Instant::now());
        self.awaits = step
            .leads_to
            .map(|(channel, event_type, number)| (channel, event_type, self.fill(&number), until));
        Ok(())
    }

    fn fill(&self, text: &str) -> String {
        text.replace(ORDER, &self.order).replace(REFUND, &self.refund)
    }
}

/// Whether an event of this channel and type names the number.
fn is_about(event: &Value, channel: &str, event_type: &str, number: &str) -> bool {
    let is = |name: &str, value: &str| event.get(name).and_then(Value::as_str) == Some(value);
    is("channel", channel) && is("type", event_type) && event.to_string().contains(&format!("\"{number}\""))
}

fn place(channel: &'static str, basket: Value) -> Step {
    Step { to: Some(channel), path: "orders".to_owned(), body: basket, leads_to: None }
}

fn edit(channel: &'static str, body: Value) -> Step {
    Step { to: Some(channel), path: format!("orders/{ORDER}"), body, leads_to: None }
}

fn act(channel: &'static str, what: &str) -> Step {
    edit(channel, json!({ "do": what }))
}

impl Step {
    /// Which event about the order must come of it.
    fn then(mut self, event_type: &'static str) -> Step {
        self.leads_to = self.to.map(|channel| (channel, event_type, ORDER.to_owned()));
        self
    }

    /// The same about another number, maybe on another channel.
    fn then_of(mut self, channel: &'static str, event_type: &'static str, number: &str) -> Step {
        self.leads_to = Some((channel, event_type, number.to_owned()));
        self
    }
}

/// Placed, paid, shipped, received.
fn bought() -> Vec<Step> {
    let items = json!([
        {"sku": "KS26S101-OT-M", "qty": 1, "price_fen": 32_900},
        {"sku": "TX26S100-BK-M", "qty": 3, "price_fen": 9_900, "off_fen": 1_485},
    ]);
    vec![
        place(TMALL, json!({"items": items, "seller_off_fen": 3_001, "freight_fen": 600}))
            .then("qudao.order.placed.v1"),
        act(TMALL, "pay").then("qudao.order.paid.v1"),
        act(TMALL, "ship").then("qudao.order.shipped.v1"),
        act(TMALL, "finish").then("qudao.order.completed.v1"),
    ]
}

/// A line that the platform has no code of ours for: the listings know it.
fn without_a_code() -> Vec<Step> {
    let items = json!([{"sku": "", "channel_sku": "40239068303", "qty": 2, "price_fen": 32_900}]);
    vec![
        place(TMALL, json!({ "items": items })),
        act(TMALL, "pay").then("qudao.order.paid.v1"),
        edit(TMALL, json!({"do": "hold"})).then("qudao.order.held.v1"),
        act(TMALL, "release").then("qudao.order.released.v1"),
    ]
}

/// Money back before anything was sent.
fn refunded() -> Vec<Step> {
    let items = json!([
        {"sku": "YR26S102-BK-L", "qty": 1, "price_fen": 59_900},
        {"sku": "WZ26S104-IV-M", "qty": 1, "price_fen": 3_999},
    ]);
    vec![
        place(TMALL, json!({"items": items, "seller_off_fen": 5_000})),
        act(TMALL, "pay").then("qudao.order.paid.v1"),
        edit(TMALL, json!({"do": "ask_refund", "line": 0})).then("qudao.aftersale.opened.v1"),
        edit(TMALL, json!({"do": "agree", "refund_no": REFUND})).then("qudao.aftersale.settled.v1"),
        act(TMALL, "ship").then("qudao.order.shipped.v1"),
    ]
}

/// Goods back, then money.
fn returned() -> Vec<Step> {
    vec![
        place(TMALL, json!({"items": [{"sku": "XZ26S105-BL-M", "qty": 2, "price_fen": 79_900}]})),
        act(TMALL, "pay"),
        act(TMALL, "ship").then("qudao.order.shipped.v1"),
        edit(TMALL, json!({"do": "ask_refund", "amount_fen": 79_900, "goods_back": true}))
            .then("qudao.aftersale.opened.v1"),
        edit(TMALL, json!({"do": "agree", "refund_no": REFUND})).then("qudao.aftersale.changed.v1"),
        edit(TMALL, json!({"do": "send_back", "refund_no": REFUND, "waybill": "YT7720041186033"}))
            .then("qudao.aftersale.changed.v1"),
        edit(TMALL, json!({"do": "settle", "refund_no": REFUND})).then("qudao.aftersale.settled.v1"),
    ]
}

/// A trade whose money is at Alipay: a rule of the sample says by which number, so the gateway asks for it and links the two.
fn paid_at_alipay() -> Vec<Step> {
    let (amount_fen, number) = (25_900, format!("{AT_ALIPAY}{ORDER}"));
    let at_alipay = |path: String, body: Value| Step { to: Some(ALIPAY), path, body, leads_to: None };
    vec![
        place(TMALL, json!({"items": [{"sku": "WJ26S103-IV-M", "qty": 1, "price_fen": amount_fen}]}))
            .then("qudao.order.placed.v1"),
        at_alipay("orders".to_owned(), json!({"order_no": number, "total_fen": amount_fen})),
        at_alipay(format!("orders/{number}"), json!({"do": "pay"})),
        act(TMALL, "pay").then_of(ALIPAY, "qudao.payment.paid.v1", &number),
    ]
}

/// A SKU that nobody has listed.
fn unlisted() -> Vec<Step> {
    let items =
        json!([{"sku": "", "channel_sku": "49900000001", "title": "限定款帆布袋", "price_fen": 19_900}]);
    vec![
        place(TMALL, json!({ "items": items })).then_of(TMALL, "qudao.listing.missing.v1", "49900000001"),
        act(TMALL, "pay").then("qudao.order.paid.v1"),
    ]
}

/// JD locks an order and lets it go.
fn locked() -> Vec<Step> {
    let items = json!([{"sku": "YR26S102-BL-M", "qty": 1, "price_fen": 59_900}]);
    vec![
        place(JD, json!({"items": items, "seller_off_fen": 6_000, "platform_off_fen": 2_000})),
        act(JD, "pay").then("qudao.order.paid.v1"),
        act(JD, "hold").then("qudao.order.held.v1"),
        act(JD, "release").then("qudao.order.released.v1"),
        act(JD, "ship").then("qudao.order.shipped.v1"),
        act(JD, "finish").then("qudao.order.completed.v1"),
    ]
}

/// JD gives the money of an order back.
fn given_back() -> Vec<Step> {
    vec![
        place(JD, json!({"items": [{"sku": "KS26S101-BK-L", "qty": 2, "price_fen": 32_900}]})),
        act(JD, "pay").then("qudao.order.paid.v1"),
        act(JD, "ask_refund").then("qudao.aftersale.opened.v1"),
        edit(JD, json!({"do": "settle", "refund_no": REFUND})).then("qudao.aftersale.settled.v1"),
    ]
}

/// A buyer's code at a till: such payments are never notified, so the till says what it expects.
fn at_the_till() -> Vec<Step> {
    let amount_fen = 46_800;
    vec![
        place(WECHAT, json!({"total_fen": amount_fen, "barcode": true, "device_id": "SH0021-3"})),
        expect(WECHAT, ORDER, amount_fen),
        act(WECHAT, "pay").then("qudao.payment.paid.v1"),
    ]
}

fn expect(channel: &'static str, order_no: &str, amount_fen: i64) -> Step {
    let body = json!({"channel": channel, "order_no": order_no, "amount_fen": amount_fen});
    Step { to: None, path: "/v1/payments/expect".to_owned(), body, leads_to: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(number: &str) -> Value {
        json!({"type": "qudao.order.paid.v1", "channel": "shop", "data": {"order": {"order_no": number}}})
    }

    #[test]
    fn an_event_is_about_what_it_names() {
        let about = |channel, number| is_about(&paid("12"), channel, "qudao.order.paid.v1", number);
        assert!(about("shop", "12"));
        assert!(!about("other", "12") && !about("shop", "1"));
        assert!(!is_about(&paid("12"), "shop", "qudao.order.placed.v1", "12"));
    }

    #[test]
    fn a_tale_goes_on_when_its_event_came() {
        let until = Instant::now() + EVENT_MAX;
        let mut tale = Tale::new(Vec::new());
        tale.awaits = Some(("shop", "qudao.order.paid.v1", "12".to_owned(), until));
        tale.hear(&[paid("13")]).unwrap();
        assert!(!tale.is_told());
        tale.hear(&[paid("12")]).unwrap();
        assert!(tale.is_told());
    }

    #[test]
    fn an_event_that_does_not_come_is_named() {
        let mut tale = Tale::new(Vec::new());
        let past = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        tale.awaits = Some(("shop", "qudao.order.paid.v1", "12".to_owned(), past));
        let said = tale.hear(&[]).unwrap_err().to_string();
        assert_eq!(said, "shop: no qudao.order.paid.v1 for 12 within 90s");
    }

    #[test]
    fn numbers_of_the_platform_are_filled_in() {
        let mut tale = Tale::new(Vec::new());
        (tale.order, tale.refund) = ("12".to_owned(), "7".to_owned());
        assert_eq!(tale.fill("orders/T200P{order} {refund}"), "orders/T200P12 7");
    }
}
