//! WeChat Pay as it is asked: query, close, refund, refund query.
//!
//! Requests must carry a signature of the merchant, answers carry one of the platform; error answers carry none. A refund is
//! accepted at once and ends a minute later by the cashier's clock. Nothing is ever notified from here.

use super::{Identity, SIGNATURE_TYPE, Signing, WORD};
use crate::clock::Clock;
use crate::engine::{Ask, Common, Face, Reply, Server};
use crate::keys::{Checker, Signer};
use crate::payments::{Edit, NoRefund, Numbers, Outcome, Paid, Purchase, Refunded, State, Till, Truth};
use crate::{Error, Keys, beijing};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SKEW_S: i64 = 300;
const RFC_3339: &str = "%Y-%m-%dT%H:%M:%S%:z";
const ORDERS: &str = "/v3/pay/transactions/out-trade-no/";
const TRANSACTIONS: &str = "/v3/pay/transactions/id/";
const REFUNDS: &str = "/v3/refund/domestic/refunds";

/// What a cashier is like.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its clock.
    pub clock: Clock,
    /// Decides every number that is made up.
    pub seed: u64,
    /// Identity and keys.
    pub keys: Keys,
    /// Which key signs answers.
    pub signing: Signing,
    /// How long a refund is processing.
    pub refund_takes_s: i64,
}

impl Options {
    /// A free port of this machine, the built-in keys, a clock that stands at `now` (unix seconds).
    pub fn at(now: i64) -> Options {
        Options::with(Clock::stopped(now))
    }

    /// The same with a clock.
    pub fn with(clock: Clock) -> Options {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (keys, signing) = (Keys::BuiltIn, Signing::PublicKey);
        Options { listen, clock, seed: 1, keys, signing, refund_takes_s: 60 }
    }
}

/// The cashier. It closes when it is dropped.
#[derive(Debug)]
pub struct Cashier {
    server: Server,
    desk: Arc<Desk>,
}

struct Desk {
    common: Arc<Common>,
    identity: Identity,
    key: Signer,
    serial: String,
    stranger: Signer,
    merchant: Checker,
    till: Mutex<Till>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Cashier {
    /// Opens; it listens when this returns.
    pub fn start(options: Options) -> Result<Cashier, Error> {
        let identity: Identity = options.keys.identity(WORD)?;
        let (file, serial) = match options.signing {
            Signing::Certificate => ("test_certificate_private_key.pem", &identity.certificate_serial),
            Signing::PublicKey | Signing::Both => ("test_platform_private_key.pem", &identity.public_key_id),
        };
        let common = Common::new(options.clock);
        let numbers = Numbers {
            transaction_no: |dice, at| {
                format!("42000{}{}{}", dice.digits(5), beijing(at, "%Y%m%d"), dice.digits(10))
            },
            refund_serial: |dice, at| {
                format!("503{}{}{}", dice.digits(7), beijing(at, "%Y%m%d"), dice.digits(11))
            },
            refund_takes_s: options.refund_takes_s,
            early: false,
        };
        let desk = Arc::new(Desk {
            common: common.clone(),
            key: options.keys.signer(WORD, file)?,
            serial: serial.clone(),
            stranger: options.keys.signer(WORD, "test_stranger_private_key.pem")?,
            merchant: options.keys.checker(WORD, "test_merchant_public_key.pem")?,
            till: Mutex::new(Till::new(numbers, options.seed)),
            identity,
        });
        let server = Server::start(options.listen, common, desk.clone())?;
        Ok(Cashier { server, desk })
    }

    /// The merchant's number.
    pub fn mchid(&self) -> &str {
        &self.desk.identity.mchid
    }

    /// Serial of the merchant's certificate.
    pub fn merchant_serial(&self) -> &str {
        &self.desk.identity.merchant_serial
    }

    /// The merchant asks a buyer for money; the order's number.
    pub fn place(&self, purchase: Purchase) -> Result<String, Error> {
        self.desk.till().place(purchase, self.clock().now())
    }

    /// Something happens to a payment.
    pub fn edit(&self, order_no: &str, edit: &Edit) -> Result<(), Error> {
        self.desk.till().edit(order_no, edit, self.clock().now())
    }

    /// How things are now.
    pub fn truth(&self) -> Truth {
        self.desk.till().truth(self.clock().now())
    }

    /// Closes.
    pub fn stop(mut self) {
        self.server.stop();
    }
}

impl Deref for Cashier {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

#[derive(Deserialize)]
struct Asked {
    transaction_id: Option<String>,
    out_trade_no: Option<String>,
    out_refund_no: String,
    reason: Option<String>,
    amount: AskedAmount,
}

#[derive(Deserialize)]
struct AskedAmount {
    refund: i64,
    total: i64,
    currency: String,
}

/// HTTP status, code, text.
struct Refusal(u16, &'static str, String);

fn refused<T>(status: u16, code: &'static str, text: &str) -> Result<T, Refusal> {
    Err(Refusal(status, code, text.to_owned()))
}

/// HTTP status of a code.
fn status_of(code: &str) -> u16 {
    match code {
        "SIGN_ERROR" => 401,
        "NO_AUTH" | "NOT_ENOUGH" | "USER_ACCOUNT_ABNORMAL" | "TRADE_ERROR" | "RULE_LIMIT" => 403,
        "ORDER_NOT_EXIST" | "RESOURCE_NOT_EXISTS" | "NOT_FOUND" => 404,
        "FREQUENCY_LIMITED" | "RATELIMIT_EXCEEDED" => 429,
        "SYSTEM_ERROR" => 500,
        "BAD_GATEWAY" => 502,
        "SERVICE_UNAVAILABLE" => 503,
        _ => 400,
    }
}

fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

impl Desk {
    fn till(&self) -> MutexGuard<'_, Till> {
        self.till.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, ask: &Ask) -> Result<(u16, Option<Value>), Refusal> {
        self.check(ask)?;
        let now = self.common.clock.now();
        let mut till = self.till();
        let found = |paid: Option<&Paid>| {
            paid.map(|paid| (200, Some(self.transaction(paid, now)))).ok_or(Refusal(
                404,
                "ORDER_NOT_EXIST",
                "订单不存在".into(),
            ))
        };
        match (ask.method.as_str(), ask.path.as_str()) {
            ("GET", path) if path.starts_with(ORDERS) => {
                self.of_us(ask.query_parameters().get("mchid"))?;
                found(till.find(Some(&decoded(path.trim_start_matches(ORDERS))), None))
            }
            ("GET", path) if path.starts_with(TRANSACTIONS) => {
                self.of_us(ask.query_parameters().get("mchid"))?;
                found(till.find(None, Some(&decoded(path.trim_start_matches(TRANSACTIONS)))))
            }
            ("POST", path) if path.starts_with(ORDERS) && path.ends_with("/close") => {
                let body: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
                self.of_us(body.get("mchid").and_then(Value::as_str))?;
                let no = decoded(path.trim_start_matches(ORDERS).trim_end_matches("/close"));
                close(&mut till, &no, now)
            }
            ("POST", REFUNDS) => refund(&mut till, &ask.body, now),
            ("GET", path) if path.starts_with(REFUNDS) => {
                let no = decoded(path.trim_start_matches(REFUNDS).trim_start_matches('/'));
                let (paid, refund) = till.find_refund(&no).ok_or(Refusal(
                    404,
                    "RESOURCE_NOT_EXISTS",
                    "退款单不存在".into(),
                ))?;
                Ok((200, Some(refund_told(paid, refund, now))))
            }
            _ => refused(404, "NOT_FOUND", "无此接口"),
        }
    }

    fn of_us(&self, mchid: Option<&str>) -> Result<(), Refusal> {
        if mchid == Some(self.identity.mchid.as_str()) {
            Ok(())
        } else {
            refused(400, "PARAM_ERROR", "mchid")
        }
    }

    /// Whether the merchant signed this very request just now.
    fn check(&self, ask: &Ask) -> Result<(), Refusal> {
        let wrong = |text: &str| refused(401, "SIGN_ERROR", text);
        if ask.header("user-agent").is_none_or(str::is_empty) {
            return refused(400, "PARAM_ERROR", "User-Agent");
        }
        let Some(pairs) =
            ask.header("authorization").and_then(|text| text.strip_prefix("WECHATPAY2-SHA256-RSA2048 "))
        else {
            return wrong("Authorization");
        };
        let value = |name: &str| {
            let mut pairs = pairs.split(',').filter_map(|pair| pair.trim().split_once('='));
            let found = pairs.find(|(at, _)| *at == name).map(|(_, value)| value);
            found.and_then(|value| value.strip_prefix('"')?.strip_suffix('"')).unwrap_or_default()
        };
        if value("mchid") != self.identity.mchid || value("serial_no") != self.identity.merchant_serial {
            return wrong("商户号与证书序列号不匹配");
        }
        let now = self.common.clock.now();
        if value("timestamp").parse::<i64>().ok().is_none_or(|at| (at - now).abs() > SKEW_S) {
            return wrong("时间戳过期");
        }
        let head =
            format!("{}\n{}\n{}\n{}\n", ask.method, ask.target(), value("timestamp"), value("nonce_str"));
        let text = [head.as_bytes(), &ask.body, b"\n"].concat();
        if self.merchant.verifies(&text, value("signature")) { Ok(()) } else { wrong("签名错误") }
    }

    fn transaction(&self, paid: &Paid, now: i64) -> Value {
        let purchase = &paid.purchase;
        let (state, text) = match paid.state {
            State::Unpaid => ("NOTPAY", "订单未支付"),
            State::Waiting => ("USERPAYING", "需要用户输入支付密码"),
            State::Paid if paid.refunds.iter().any(|refund| refund.ended(now) != Some(Outcome::Closed)) => {
                ("REFUND", "订单发生过退款，退款详情请查询退款单")
            }
            State::Paid => ("SUCCESS", "支付成功"),
            State::Failed => ("PAYERROR", "支付失败"),
            State::Closed => ("CLOSED", "订单已关闭"),
            State::Revoked => ("REVOKED", "已撤销"),
        };
        let mut told = json!({
            "mchid": self.identity.mchid,
            "appid": self.identity.appid,
            "out_trade_no": purchase.order_no,
            "trade_state": state,
            "trade_state_desc": text,
            "attach": purchase.attach,
            "promotion_detail": [],
            "scene_info": {"device_id": purchase.device_id.as_deref().unwrap_or_default()},
            "amount": {"total": purchase.total_fen, "payer_currency": "CNY"},
        });
        if let (Value::Object(told), Some(at), Some(no)) =
            (&mut told, paid.collected_at, &paid.transaction_no)
        {
            told.insert("transaction_id".to_owned(), json!(no));
            told.insert("trade_type".to_owned(), json!(if purchase.barcode { "MICROPAY" } else { "NATIVE" }));
            told.insert("bank_type".to_owned(), json!("OTHERS"));
            told.insert("success_time".to_owned(), json!(beijing(at, RFC_3339)));
            told.insert("payer".to_owned(), json!({"openid": format!("oSIM{}", paid.payer)}));
            let payer_total = purchase.total_fen - purchase.coupon_fen;
            told.insert(
                "amount".to_owned(),
                json!({"total": purchase.total_fen, "payer_total": payer_total, "currency": "CNY", "payer_currency": "CNY"}),
            );
            if purchase.coupon_fen > 0 {
                told.insert("promotion_detail".to_owned(), json!([coupon(purchase.coupon_fen)]));
            }
        }
        told
    }

    /// Signs; error answers have no signature.
    fn signed(&self, mut reply: Reply, key: &Signer) -> Reply {
        let mut noise =
            crate::dice::Dice::new(self.common.clock.now().cast_unsigned() ^ reply.body.len() as u64);
        let (timestamp, nonce) = (self.common.clock.now().to_string(), noise.nonce(32));
        let text = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", &reply.body, b"\n"].concat();
        let signature = key.sign(&text).unwrap_or_default();
        let request_id = format!("{}-0", noise.text(24, "0123456789ABCDEF"));
        reply.headers.retain(|(name, _)| name == "Content-Type");
        for (name, value) in [
            ("Request-ID", request_id),
            ("Wechatpay-Timestamp", timestamp),
            ("Wechatpay-Nonce", nonce),
            ("Wechatpay-Signature", signature),
            ("Wechatpay-Signature-Type", SIGNATURE_TYPE.to_owned()),
            ("Wechatpay-Serial", self.serial.clone()),
        ] {
            reply.headers.push((name.to_owned(), value));
        }
        reply
    }
}

fn coupon(fen: i64) -> Value {
    json!({"coupon_id": "109519", "name": "门店满减券", "scope": "GLOBAL", "type": "NOCASH", "amount": fen, "stock_id": "931386",
        "merchant_contribute": fen, "wechatpay_contribute": 0, "other_contribute": 0, "currency": "CNY"})
}

fn close(till: &mut Till, no: &str, now: i64) -> Result<(u16, Option<Value>), Refusal> {
    match till.find(Some(no), None).map(|paid| paid.state) {
        None => refused(404, "ORDER_NOT_EXIST", "订单不存在"),
        Some(State::Closed) => Ok((204, None)),
        Some(State::Paid) => refused(400, "ORDERPAID", "订单已支付"),
        Some(_) => {
            // The states above are all that cannot be closed, and those of a barcode that has ended need not be.
            drop(till.edit(no, &Edit::Close, now));
            Ok((204, None))
        }
    }
}

fn refund(till: &mut Till, body: &[u8], now: i64) -> Result<(u16, Option<Value>), Refusal> {
    let asked: Asked = match serde_json::from_slice(body) {
        Ok(asked) => asked,
        Err(error) => return refused(400, "PARAM_ERROR", &error.to_string()),
    };
    let paid = till.find(asked.out_trade_no.as_deref(), asked.transaction_id.as_deref());
    let Some(paid) = paid else { return refused(404, "RESOURCE_NOT_EXISTS", "订单不存在") };
    if asked.amount.currency != "CNY" || asked.amount.total != paid.purchase.total_fen {
        return refused(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致");
    }
    let no = paid.purchase.order_no.clone();
    let taken = till.refund(&no, (asked.out_refund_no, asked.amount.refund, asked.reason), now);
    let (refund, _) = match taken {
        Ok(taken) => taken,
        Err(NoRefund::NoSuchOrder) => return refused(404, "RESOURCE_NOT_EXISTS", "订单不存在"),
        Err(NoRefund::NotPaid) => return refused(400, "INVALID_REQUEST", "订单状态错误"),
        Err(NoRefund::TooMuch) => return refused(400, "INVALID_REQUEST", "申请退款金额大于可退金额"),
        Err(NoRefund::Differs) => {
            return refused(400, "INVALID_REQUEST", "订单金额或退款金额与之前请求不一致");
        }
    };
    till.find(Some(&no), None).map(|paid| (200, Some(refund_told(paid, &refund, now)))).ok_or(Refusal(
        500,
        "SYSTEM_ERROR",
        "系统错误".to_owned(),
    ))
}

fn refund_told(paid: &Paid, refund: &Refunded, now: i64) -> Value {
    let ended = refund.ended(now);
    let mut told = json!({
        "refund_id": refund.serial,
        "out_refund_no": refund.refund_no,
        "transaction_id": paid.transaction_no,
        "out_trade_no": paid.purchase.order_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": beijing(refund.asked_at, RFC_3339),
        "status": match ended {
            None => "PROCESSING",
            Some(Outcome::Succeeded) => "SUCCESS",
            Some(Outcome::Abnormal) => "ABNORMAL",
            Some(Outcome::Closed) => "CLOSED",
        },
        "funds_account": "AVAILABLE",
        "amount": {
            "total": paid.purchase.total_fen,
            "refund": refund.amount_fen,
            "payer_total": paid.purchase.total_fen - paid.purchase.coupon_fen,
            "payer_refund": refund.amount_fen,
            "settlement_refund": refund.amount_fen,
            "settlement_total": paid.purchase.total_fen,
            "discount_refund": 0,
            "currency": "CNY",
            "from": [],
            "refund_fee": 0,
        },
        "promotion_detail": [],
    });
    if let (Value::Object(told), Some(Outcome::Succeeded)) = (&mut told, ended) {
        told.insert("success_time".to_owned(), json!(beijing(refund.due_at, RFC_3339)));
    }
    told
}

impl Face for Desk {
    fn name(&self, ask: &Ask) -> (String, Option<String>) {
        let body: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
        let refund_no = body.get("out_refund_no").and_then(Value::as_str).map(str::to_owned);
        (format!("{} {}", ask.method, ask.path), refund_no)
    }

    fn answer(&self, ask: &Ask) -> Reply {
        match self.called(ask) {
            Ok((status, body)) => {
                let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
                self.signed(Reply::new(status, "application/json; charset=utf-8", body), &self.key)
            }
            Err(Refusal(status, code, text)) => {
                let body = json!({"code": code, "message": text}).to_string().into_bytes();
                Reply::new(status, "application/json; charset=utf-8", body).outcome(code)
            }
        }
    }

    fn refusal(&self, _ask: &Ask, code: &str, text: &str) -> Reply {
        let body = json!({"code": code, "message": text}).to_string().into_bytes();
        Reply::new(status_of(code), "application/json; charset=utf-8", body).outcome(code)
    }

    fn forge(&self, reply: Reply) -> Reply {
        self.signed(reply, &self.stranger)
    }

    fn drive(&self, what: &str, how: Value) -> Result<Value, Error> {
        let now = self.common.clock.now();
        crate::payments::drive(what, how, &mut self.till(), now)
    }

    fn ledger(&self) -> Value {
        json!({"truth": self.till().truth(self.common.clock.now())})
    }
}
