//! WeChat Pay APIv3 as a sender of notices: JSON envelope, AES-256-GCM resource, five `Wechatpay-*` headers.
//!
//! A retry keeps id and body and has fresh headers. A merchant that is switching from platform certificates to the
//! platform's public key gets both kinds of `Wechatpay-Serial`; [`Signing::Both`] does the same.

pub mod cashier;

use crate::dice::Dice;
use crate::keys::{Error, Keys, Sealer, Signer};
use crate::story::{Delivery, Happening, Notice, Order, Plot, Refund, Twist};
use crate::{Platform, Request, beijing};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

const WORD: &str = "wechat-pay";
const RFC_3339: &str = "%Y-%m-%dT%H:%M:%S%:z";
const SIGNATURE_TYPE: &str = "WECHATPAY2-SHA256-RSA2048";
const STALE_S: i64 = 3600;
/// 15 s, 15 s, 30 s, 3 min, 10 min of the platform, a hundred times as fast.
const PATIENCE: &[Duration] = &[
    Duration::from_millis(150),
    Duration::from_millis(150),
    Duration::from_millis(300),
    Duration::from_millis(1800),
    Duration::from_secs(6),
];

/// Which key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// The platform's public key, `PUB_KEY_ID_…`.
    PublicKey,
    /// The platform certificate.
    Certificate,
    /// Now one, now the other.
    Both,
}

/// The simulator.
pub struct WechatPay {
    identity: Identity,
    signing: Signing,
    public_key: Signer,
    certificate: Signer,
    stranger: Signer,
    api_v3_key: Sealer,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    mchid: String,
    appid: String,
    public_key_id: String,
    certificate_serial: String,
    merchant_serial: String,
}

impl WechatPay {
    /// Reads identity and keys.
    pub fn new(keys: &Keys, signing: Signing) -> Result<WechatPay, Error> {
        Ok(WechatPay {
            identity: keys.identity(WORD)?,
            signing,
            public_key: keys.signer(WORD, "test_platform_private_key.pem")?,
            certificate: keys.signer(WORD, "test_certificate_private_key.pem")?,
            stranger: keys.signer(WORD, "test_stranger_private_key.pem")?,
            api_v3_key: keys.sealer(WORD, "test_api_v3_key.txt")?,
        })
    }

    fn body(&self, notice: &Notice) -> Result<String, Error> {
        let mut dice = Dice::new(notice.seed);
        let (event_type, original_type, summary, resource) = match &notice.happening {
            Happening::Refunded(refund) if refund.stuck => {
                ("REFUND.ABNORMAL", "refund", "退款异常", self.refund(&notice.order, refund))
            }
            Happening::Refunded(refund) => {
                ("REFUND.SUCCESS", "refund", "退款成功", self.refund(&notice.order, refund))
            }
            Happening::Shared => {
                ("PROFITSHARING", "profitsharing", "分账成功", self.sharing(notice, &mut dice))
            }
            Happening::Paid | Happening::Closed => {
                ("TRANSACTION.SUCCESS", "transaction", "支付成功", self.transaction(&notice.order, &mut dice))
            }
        };
        let nonce = dice.nonce(12);
        let ciphertext = self.api_v3_key.seal(&nonce, original_type, &resource.to_string())?;
        let envelope = json!({
            "id": notice.id,
            "create_time": beijing(notice.told_at, RFC_3339),
            "resource_type": "encrypt-resource",
            "event_type": event_type,
            "summary": summary,
            "resource": {
                "original_type": original_type,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": original_type,
                "nonce": nonce,
            },
        });
        Ok(envelope.to_string())
    }

    fn transaction(&self, order: &Order, dice: &mut Dice) -> Value {
        let mut transaction = json!({
            "mchid": self.identity.mchid,
            "appid": self.identity.appid,
            "out_trade_no": order.order_no,
            "transaction_id": order.transaction_no,
            "trade_type": dice.pick(&["JSAPI", "JSAPI", "NATIVE", "APP"]),
            "trade_state": "SUCCESS",
            "trade_state_desc": "支付成功",
            "bank_type": dice.pick(&["OTHERS", "CMB_DEBIT", "ICBC_CREDIT"]),
            "attach": format!("store={}", order.store_code),
            "success_time": beijing(order.paid_at, RFC_3339),
            "payer": {"openid": format!("oSIM{}{}", order.buyer, dice.nonce(12))},
            "amount": {
                "total": order.total_fen,
                "payer_total": order.total_fen - order.coupon_fen,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
            "scene_info": {"device_id": order.device_id},
        });
        if let (1.., Value::Object(members)) = (order.coupon_fen, &mut transaction) {
            let coupon = json!({
                "coupon_id": dice.digits(12),
                "name": "门店满减券",
                "scope": "GLOBAL",
                "type": "NOCASH",
                "amount": order.coupon_fen,
                "stock_id": dice.digits(8),
                "merchant_contribute": order.coupon_fen,
                "wechatpay_contribute": 0,
                "other_contribute": 0,
                "currency": "CNY",
            });
            members.insert("promotion_detail".to_owned(), json!([coupon]));
        }
        transaction
    }

    fn refund(&self, order: &Order, refund: &Refund) -> Value {
        let mut told = json!({
            "mchid": self.identity.mchid,
            "out_trade_no": order.order_no,
            "transaction_id": order.transaction_no,
            "out_refund_no": refund.refund_no,
            "refund_id": refund.serial,
            "refund_status": if refund.stuck { "ABNORMAL" } else { "SUCCESS" },
            "user_received_account": "支付用户零钱",
            "amount": {
                "total": order.total_fen,
                "refund": refund.amount_fen,
                "payer_total": order.total_fen - order.coupon_fen,
                "payer_refund": refund.amount_fen,
            },
        });
        if let (false, Value::Object(members)) = (refund.stuck, &mut told) {
            members.insert("success_time".to_owned(), json!(beijing(refund.at, RFC_3339)));
        }
        told
    }

    fn sharing(&self, notice: &Notice, dice: &mut Dice) -> Value {
        json!({
            "mchid": self.identity.mchid,
            "transaction_id": notice.order.transaction_no,
            "order_id": format!("300845{}", dice.digits(22)),
            "out_order_no": format!("PS{}", dice.digits(14)),
            "receiver": {
                "type": "MERCHANT_ID",
                "account": self.identity.mchid,
                "amount": notice.order.total_fen / 20,
                "description": "品牌服务费",
            },
            "success_time": beijing(notice.told_at, RFC_3339),
        })
    }

    fn key(&self, notice: &Notice) -> (&Signer, &str) {
        let certificate = match self.signing {
            Signing::PublicKey => false,
            Signing::Certificate => true,
            Signing::Both => notice.seed % 2 == 1,
        };
        if certificate {
            (&self.certificate, &self.identity.certificate_serial)
        } else {
            (&self.public_key, &self.identity.public_key_id)
        }
    }
}

impl Platform for WechatPay {
    fn word(&self) -> &'static str {
        WORD
    }

    fn merchant_no(&self) -> &str {
        &self.identity.mchid
    }

    fn deck(&self) -> &'static [Plot] {
        use Plot::{
            Paid, PartlyRefunded, Probed, RefundFirst, RefundStuck, Refunded, RefundedTwice, RefundsSwapped,
            Shared, Stale, Tampered, ToldThrice, WrongKey,
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
            RefundStuck,
            Shared,
            Tampered,
            Stale,
            WrongKey,
            Probed,
        ]
    }

    fn transaction_no(&self, dice: &mut Dice, at: i64) -> String {
        format!("42000{}{}{}", dice.digits(5), beijing(at, "%Y%m%d"), dice.digits(10))
    }

    fn refund_serial(&self, dice: &mut Dice, at: i64) -> Option<String> {
        Some(format!("503{}{}{}", dice.digits(7), beijing(at, "%Y%m%d"), dice.digits(11)))
    }

    fn notice_id(&self, dice: &mut Dice, _at: i64) -> String {
        let mut hex = |count| dice.text(count, "0123456789abcdef");
        format!("{}-{}-5{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
    }

    fn tells_running_totals(&self) -> bool {
        false
    }

    fn request(&self, delivery: &Delivery, sent_at: i64) -> Result<Request, Error> {
        let notice = &delivery.notice;
        let mut dice = Dice::new(notice.seed ^ (u64::from(delivery.attempt) + 1).rotate_left(32));
        let mut body = self.body(notice)?;
        let timestamp = if delivery.twist == Twist::Stale { sent_at - STALE_S } else { sent_at };
        let nonce = dice.nonce(32);
        let (key, serial) = self.key(notice);
        let key = if delivery.twist == Twist::WrongKey { &self.stranger } else { key };
        let signed = format!("{timestamp}\n{nonce}\n{body}\n");
        let signature = match delivery.twist {
            Twist::Probe => format!("WECHATPAY/SIGNTEST/{}", dice.nonce(336)),
            Twist::Honest | Twist::Tampered | Twist::Stale | Twist::WrongKey | Twist::FieldTwice => {
                key.sign(signed.as_bytes())?
            }
        };
        if delivery.twist == Twist::Tampered {
            body = body.replacen(&notice.id, &self.notice_id(&mut dice, sent_at), 1);
        }
        let request_id = format!("{}-0", dice.text(24, "0123456789ABCDEF"));
        let headers = [
            ("Content-Type", "application/json"),
            ("User-Agent", "Mozilla/4.0"),
            ("Accept", "*/*"),
            ("Request-ID", &request_id),
            ("Wechatpay-Timestamp", &timestamp.to_string()),
            ("Wechatpay-Nonce", &nonce),
            ("Wechatpay-Signature", &signature),
            ("Wechatpay-Signature-Type", SIGNATURE_TYPE),
            ("Wechatpay-Serial", serial),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Ok(Request { headers, body: body.into_bytes() })
    }

    fn acknowledges(&self, status: u16, _body: &[u8]) -> bool {
        status == 200 || status == 204
    }

    fn patience(&self) -> &'static [Duration] {
        PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Expect, Plan, Scenario, tell};

    fn deliveries(signing: Signing) -> (WechatPay, Vec<Delivery>) {
        let platform = WechatPay::new(&Keys::BuiltIn, signing).unwrap();
        let plan = Plan { seed: 5, orders: 26, scenario: Scenario::Mixed, start: 1_768_971_497 };
        let deliveries = tell(&platform, &plan);
        (platform, deliveries)
    }

    fn header<'a>(request: &'a Request, name: &str) -> &'a str {
        &request.headers.iter().find(|(at, _)| at == name).unwrap().1
    }

    #[test]
    fn signatures_hold_exactly_where_they_should() {
        let (platform, deliveries) = deliveries(Signing::Both);
        for delivery in &deliveries {
            let request = platform.request(delivery, 1_768_971_500).unwrap();
            let body = String::from_utf8(request.body.clone()).unwrap();
            let text = format!(
                "{}\n{}\n{body}\n",
                header(&request, "Wechatpay-Timestamp"),
                header(&request, "Wechatpay-Nonce")
            );
            let serial = header(&request, "Wechatpay-Serial");
            let key =
                if serial.starts_with("PUB_KEY_ID_") { &platform.public_key } else { &platform.certificate };
            let holds = key.verifies(text.as_bytes(), header(&request, "Wechatpay-Signature"));
            let should = matches!(delivery.twist, Twist::Honest | Twist::Stale);
            assert_eq!(holds, should, "{}", delivery.kind());
        }
    }

    #[test]
    fn a_retry_has_the_same_body_and_fresh_headers() {
        let (platform, deliveries) = deliveries(Signing::PublicKey);
        let again = deliveries.iter().find(|delivery| delivery.expect == Expect::Duplicate).unwrap();
        let first = Delivery { attempt: 0, ..again.clone() };
        let (first, again) = (
            platform.request(&first, 1_768_971_500).unwrap(),
            platform.request(again, 1_768_971_515).unwrap(),
        );
        assert_eq!(first.body, again.body);
        for name in ["Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Request-ID"] {
            assert_ne!(header(&first, name), header(&again, name), "{name}");
        }
    }

    #[test]
    fn the_resource_opens_with_the_api_v3_key() {
        let (platform, deliveries) = deliveries(Signing::PublicKey);
        let refund = deliveries.iter().find(|delivery| delivery.refund().is_some()).unwrap();
        let request = platform.request(refund, 1_768_971_500).unwrap();
        let envelope: Value = serde_json::from_slice(&request.body).unwrap();
        let part = |name: &str| envelope["resource"][name].as_str().unwrap();
        let plain = platform.api_v3_key.open(part("nonce"), part("associated_data"), part("ciphertext"));
        let plain: Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(plain["out_trade_no"], refund.notice.order.order_no);
        assert_eq!(plain["amount"]["refund"], refund.refund().unwrap().amount_fen);
    }
}
