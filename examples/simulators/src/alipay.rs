//! Alipay as a sender of notices: a urlencoded form, signed over its sorted, decoded fields.
//!
//! A retry keeps `notify_id` and has a later `notify_time`, so that its signature differs. Refund notices are payment
//! notices with `refund_fee`, the running total of all refunds. Some notices are in GBK.

pub mod cashier;

use crate::dice::Dice;
use crate::keys::{Error, Keys, Signer};
use crate::story::{Delivery, Happening, Notice, Plot, Twist};
use crate::{Platform, Request, beijing};
use encoding_rs::GBK;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::Deserialize;
use std::time::Duration;

const WORD: &str = "alipay";
const TIME: &str = "%Y-%m-%d %H:%M:%S";
/// What `application/x-www-form-urlencoded` leaves as it is, and the space, which becomes a plus sign.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b' ');
/// Seconds from the first delivery of a notice to the second, third and fourth.
const RETRY_AFTER_S: [i64; 4] = [0, 240, 840, 1440];
/// 4 min, 10 min, 10 min, 1 h of the platform, a thousand times as fast.
const PATIENCE: &[Duration] = &[
    Duration::from_millis(240),
    Duration::from_millis(600),
    Duration::from_millis(600),
    Duration::from_millis(3600),
];

/// Which key signs; unlike elsewhere the notice does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The key that applications in public-key mode are given.
    PublicKey,
    /// The key of the platform's certificate.
    Certificate,
}

/// The simulator.
pub struct Alipay {
    identity: Identity,
    key: Signer,
    stranger: Signer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    app_id: String,
    seller_id: String,
    certificate_sn: String,
}

type Fields = Vec<(&'static str, String)>;

impl Alipay {
    /// Reads identity and keys.
    pub fn new(keys: &Keys, mode: Mode) -> Result<Alipay, Error> {
        let key = match mode {
            Mode::PublicKey => "test_alipay_private_key.pem",
            Mode::Certificate => "test_certificate_private_key.pem",
        };
        Ok(Alipay {
            identity: keys.identity(WORD)?,
            key: keys.signer(WORD, key)?,
            stranger: keys.signer(WORD, "test_stranger_private_key.pem")?,
        })
    }

    fn fields(&self, notice: &Notice, attempt: u32) -> Fields {
        let order = &notice.order;
        let waited = RETRY_AFTER_S.get(attempt as usize).or(RETRY_AFTER_S.last()).copied().unwrap_or(0);
        let app_id = &self.identity.app_id;
        let mut fields = vec![
            ("gmt_create", beijing(order.paid_at - 34, TIME)),
            ("charset", charset(notice).to_owned()),
            ("seller_email", "finance@sim.example.test".to_owned()),
            ("subject", order.subject.to_owned()),
            ("buyer_id", format!("2088{}", order.buyer)),
            ("notify_id", notice.id.clone()),
            ("notify_type", "trade_status_sync".to_owned()),
            ("trade_status", trade_status(notice).to_owned()),
            ("app_id", app_id.clone()),
            ("sign_type", "RSA2".to_owned()),
            ("seller_id", self.identity.seller_id.clone()),
            ("notify_time", beijing(notice.told_at + waited, TIME)),
            ("version", "1.0".to_owned()),
            ("out_trade_no", order.order_no.clone()),
            ("total_amount", yuan(order.total_fen)),
            ("trade_no", order.transaction_no.clone()),
            ("auth_app_id", app_id.clone()),
            ("buyer_logon_id", "138****0000".to_owned()),
            ("store_id", order.store_code.to_owned()),
            ("terminal_id", order.device_id.clone()),
        ];
        if notice.happening == Happening::Closed {
            fields.push(("gmt_close", beijing(order.paid_at, TIME)));
            return fields;
        }
        let paid = yuan(order.total_fen - order.coupon_fen);
        fields.extend([
            ("gmt_payment", beijing(order.paid_at, TIME)),
            ("receipt_amount", paid.clone()),
            ("invoice_amount", paid.clone()),
            ("buyer_pay_amount", paid.clone()),
            ("point_amount", yuan(0)),
            ("fund_bill_list", format!(r#"[{{"amount":"{paid}","fundChannel":"ALIPAYACCOUNT"}}]"#)),
            // As the merchant passed it, in its own encoding.
            ("passback_params", format!("store%3D{}", order.store_code)),
        ]);
        if order.coupon_fen > 0 {
            fields.push(("mdiscount_amount", yuan(order.coupon_fen)));
        }
        if let Happening::Refunded(refund) = &notice.happening {
            fields.extend([
                ("refund_fee", yuan(refund.running_total_fen)),
                ("gmt_refund", format!("{}.000", beijing(refund.at, TIME))),
                ("out_biz_no", refund.refund_no.clone()),
            ]);
            if refund.running_total_fen == order.total_fen {
                fields.push(("gmt_close", beijing(refund.at, TIME)));
            }
        }
        fields
    }
}

fn charset(notice: &Notice) -> &'static str {
    if notice.seed.is_multiple_of(6) { "GBK" } else { "utf-8" }
}

fn trade_status(notice: &Notice) -> &'static str {
    match &notice.happening {
        Happening::Closed => "TRADE_CLOSED",
        Happening::Refunded(refund) if refund.running_total_fen == notice.order.total_fen => "TRADE_CLOSED",
        Happening::Paid | Happening::Shared | Happening::Refunded(_) => "TRADE_SUCCESS",
    }
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

fn bytes(text: &str, charset: &str) -> Vec<u8> {
    if charset == "GBK" { GBK.encode(text).0.into_owned() } else { text.as_bytes().to_vec() }
}

/// What is signed: all fields but the signature's own, sorted by name, in the charset of the notice.
fn string_to_sign(fields: &Fields, charset: &str) -> Vec<u8> {
    let mut signed: Vec<_> =
        fields.iter().filter(|(name, _)| *name != "sign_type" && *name != "sign").collect();
    signed.sort();
    let pairs: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    bytes(&pairs.join("&"), charset)
}

fn form(fields: &Fields, charset: &str) -> String {
    let escape = |text: &str| percent_encode(&bytes(text, charset), ESCAPED).to_string().replace(' ', "+");
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    pairs.join("&")
}

impl Platform for Alipay {
    fn word(&self) -> &'static str {
        WORD
    }

    fn merchant_no(&self) -> &str {
        &self.identity.seller_id
    }

    fn deck(&self) -> &'static [Plot] {
        use Plot::{
            FieldTwice, Paid, PartlyRefunded, RefundFirst, Refunded, RefundedTwice, RefundsSwapped, Tampered,
            TimedOut, ToldThrice, WrongKey,
        };
        &[
            Paid,
            Paid,
            Paid,
            ToldThrice,
            PartlyRefunded,
            Refunded,
            RefundedTwice,
            RefundsSwapped,
            RefundFirst,
            TimedOut,
            Tampered,
            WrongKey,
            FieldTwice,
        ]
    }

    fn transaction_no(&self, dice: &mut Dice, at: i64) -> String {
        format!("{}2200{}", beijing(at, "%Y%m%d"), dice.digits(16))
    }

    fn refund_serial(&self, _dice: &mut Dice, _at: i64) -> Option<String> {
        None
    }

    fn notice_id(&self, dice: &mut Dice, at: i64) -> String {
        format!("{}00222{}{}", beijing(at, "%Y%m%d"), beijing(at, "%H%M%S"), dice.digits(15))
    }

    fn tells_running_totals(&self) -> bool {
        true
    }

    fn request(&self, delivery: &Delivery, _sent_at: i64) -> Result<Request, Error> {
        let charset = charset(&delivery.notice);
        let mut fields = self.fields(&delivery.notice, delivery.attempt);
        let key = if delivery.twist == Twist::WrongKey { &self.stranger } else { &self.key };
        let sign = key.sign(&string_to_sign(&fields, charset))?;
        if delivery.twist == Twist::Tampered {
            for (name, value) in &mut fields {
                if *name == "total_amount" {
                    "0.01".clone_into(value);
                }
            }
        }
        fields.push(("sign", sign));
        if delivery.twist == Twist::FieldTwice {
            fields.push(("total_amount", yuan(delivery.notice.order.total_fen)));
        }
        let headers = vec![
            (
                "Content-Type".to_owned(),
                format!("application/x-www-form-urlencoded; charset={}", charset.to_lowercase()),
            ),
            ("User-Agent".to_owned(), "Mozilla/4.0".to_owned()),
        ];
        Ok(Request { headers, body: form(&fields, charset).into_bytes() })
    }

    fn acknowledges(&self, status: u16, body: &[u8]) -> bool {
        status == 200 && body == b"success"
    }

    fn patience(&self) -> &'static [Duration] {
        PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Expect, Plan, Scenario, tell};
    use percent_encoding::percent_decode;

    /// Reads a form the way a receiver would: split, plus to space, decode once.
    fn read(body: &[u8]) -> Vec<(String, Vec<u8>)> {
        let text = String::from_utf8(body.to_vec()).unwrap().replace('+', " ");
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap();
            (name.to_owned(), percent_decode(value.as_bytes()).collect())
        };
        text.split('&').map(pair).collect()
    }

    fn deliveries() -> (Alipay, Vec<Delivery>) {
        let platform = Alipay::new(&Keys::BuiltIn, Mode::PublicKey).unwrap();
        let plan = Plan { seed: 11, orders: 39, scenario: Scenario::Mixed, start: 1_768_971_497 };
        let deliveries = tell(&platform, &plan);
        (platform, deliveries)
    }

    #[test]
    fn signatures_hold_exactly_where_they_should() {
        let (platform, deliveries) = deliveries();
        let mut gbk = 0;
        for delivery in &deliveries {
            let mut fields = read(&platform.request(delivery, 0).unwrap().body);
            gbk += usize::from(fields.contains(&("charset".to_owned(), b"GBK".to_vec())));
            let at = fields.iter().position(|(name, _)| name == "sign").unwrap();
            let sign = String::from_utf8(fields.remove(at).1).unwrap();
            fields.retain(|(name, _)| name != "sign_type");
            fields.sort();
            let parts: Vec<Vec<u8>> = fields
                .iter()
                .map(|(name, value)| [name.as_bytes(), b"=", value.as_slice()].concat())
                .collect();
            let holds = platform.key.verifies(&parts.join(&b'&'), &sign);
            assert_eq!(holds, delivery.twist == Twist::Honest, "{}", delivery.kind());
        }
        assert!(gbk > 0, "some notices are in GBK");
    }

    #[test]
    fn a_retry_keeps_its_id_and_is_later() {
        let (platform, deliveries) = deliveries();
        let again = deliveries.iter().find(|delivery| delivery.expect == Expect::Duplicate).unwrap();
        let first = read(&platform.request(&Delivery { attempt: 0, ..again.clone() }, 0).unwrap().body);
        let again = read(&platform.request(again, 0).unwrap().body);
        let differ: Vec<&str> = first
            .iter()
            .zip(&again)
            .filter(|(first, again)| first != again)
            .map(|(first, _)| first.0.as_str())
            .collect();
        assert_eq!(differ, ["notify_time", "sign"]);
    }
}
