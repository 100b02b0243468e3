//! `gateway.do`: signature, method, node.

use super::super::Identity;
use crate::Error;
use crate::engine::{Ask, Common, Face, Reply};
use crate::keys::{Checker, Signer};
use crate::local_time::{local, unix};
use crate::market::{fen, yuan_text};
use crate::payments::{Edit, NoRefund, Outcome, Paid, State, Till};
use encoding_rs::{Encoding, GB18030, UTF_8};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The real width is not published.
const SKEW_S: i64 = 900;

pub(super) struct Desk {
    pub(super) common: Arc<Common>,
    pub(super) identity: Identity,
    pub(super) key: Signer,
    pub(super) stranger: Signer,
    pub(super) application: Checker,
    pub(super) certificate_sn: Option<String>,
    pub(super) till: Mutex<Till>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Desk").finish_non_exhaustive()
    }
}

/// A request as bytes of its charset.
struct Asked {
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    charset: &'static Encoding,
}

impl Asked {
    fn read(ask: &Ask) -> Asked {
        let mut fields = Vec::new();
        for form in [ask.query.as_bytes(), &ask.body] {
            for pair in form.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
                let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
                let (name, value) = pair.split_at(at);
                fields.push((decoded(name), decoded(value.get(1..).unwrap_or_default())));
            }
        }
        let mut asked = Asked { fields, charset: UTF_8 };
        if asked.text("charset").is_some_and(|charset| charset.to_ascii_lowercase().starts_with("gb")) {
            asked.charset = GB18030;
        }
        asked
    }

    fn bytes(&self, name: &str) -> Option<&[u8]> {
        let found =
            self.fields.iter().find(|(at, _)| at == name.as_bytes()).map(|(_, value)| value.as_slice());
        found.filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.bytes(name).map(|bytes| self.charset.decode(bytes).0.into_owned())
    }

    /// All but the signature, by name.
    fn signed(&self) -> Vec<u8> {
        let mut fields: Vec<&(Vec<u8>, Vec<u8>)> =
            self.fields.iter().filter(|(name, _)| name != b"sign").collect();
        fields.sort();
        // The charset may stand in the query and in the form.
        fields.dedup();
        let lines: Vec<Vec<u8>> =
            fields.iter().map(|(name, value)| [name.as_slice(), b"=", value.as_slice()].concat()).collect();
        lines.join(&b'&')
    }
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_encoding::percent_decode(&spaced).collect()
}

/// Code, sub code, text of the sub code.
struct Refusal(&'static str, String, String);

fn refusal(code: &'static str, sub_code: &str, text: &str) -> Refusal {
    Refusal(code, sub_code.to_owned(), text.to_owned())
}

fn message(code: &str) -> &'static str {
    match code {
        "10000" => "Success",
        "20000" => "Service Currently Unavailable",
        "40002" => "Invalid Arguments",
        "40006" => "Insufficient Permissions",
        _ => "Business Failed",
    }
}

impl Desk {
    pub(super) fn till(&self) -> MutexGuard<'_, Till> {
        self.till.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, asked: &Asked) -> Result<(), Refusal> {
        let wrong = |thing: &str, text: &str| Err(refusal("40002", &format!("isv.invalid-{thing}"), text));
        let certificates = asked.text("app_cert_sn").is_some() && asked.text("alipay_root_cert_sn").is_some();
        if asked.text("app_id").as_deref() != Some(&self.identity.app_id) {
            return wrong("app-id", "无效的AppID参数");
        }
        if asked.text("sign_type").as_deref() != Some("RSA2") {
            return wrong("signature-type", "无效签名类型");
        }
        if self.certificate_sn.is_some() && !certificates {
            return wrong("app-cert-sn", "应用证书序列号缺失");
        }
        let sign = asked.text("sign").unwrap_or_default();
        if !self.application.verifies(&asked.signed(), &sign) {
            return wrong("signature", "无效签名");
        }
        let at = asked.text("timestamp").and_then(|text| unix(&text));
        if at.is_none_or(|at| (at - self.common.clock.now()).abs() > SKEW_S) {
            return wrong("timestamp", "非法的时间戳参数");
        }
        Ok(())
    }

    fn called(&self, method: &str, asked: &Asked) -> Result<Value, Refusal> {
        let content = asked.text("biz_content").unwrap_or_default();
        let content: Map<String, Value> = serde_json::from_str(&content)
            .map_err(|_| refusal("40002", "isv.invalid-parameter", "biz_content"))?;
        let word = |name: &str| content.get(name).and_then(Value::as_str);
        let now = self.common.clock.now();
        let mut till = self.till();
        let unknown = || refusal("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在");
        let paid = till.find(word("out_trade_no"), word("trade_no")).filter(|paid| paid.purchase.opened);
        let paid = paid.ok_or_else(unknown)?.clone();
        match method {
            "alipay.trade.query" => Ok(Desk::trade(&paid, &content, now)),
            "alipay.trade.refund" => Desk::refund(&mut till, &paid, &content, now),
            "alipay.trade.fastpay.refund.query" => {
                let no = word("out_request_no")
                    .ok_or_else(|| refusal("40004", "ACQ.INVALID_PARAMETER", "参数无效"))?;
                Ok(refund_told(&paid, no, &content, now))
            }
            "alipay.trade.close" => {
                if !matches!(paid.state, State::Unpaid | State::Waiting) {
                    return Err(refusal("40004", "ACQ.TRADE_STATUS_ERROR", "交易状态不合法"));
                }
                // Its state was looked at just now, under the same lock.
                drop(till.edit(&paid.purchase.order_no, &Edit::Close, now));
                Ok(json!({"out_trade_no": paid.purchase.order_no, "trade_no": paid.transaction_no}))
            }
            _ => Err(refusal("40006", "isv.insufficient-isv-permissions", "ISV权限不足")),
        }
    }

    fn trade(paid: &Paid, content: &Map<String, Value>, now: i64) -> Value {
        let purchase = &paid.purchase;
        let refunded = paid.refunded_fen(now);
        let status = match paid.state {
            State::Unpaid | State::Waiting => "WAIT_BUYER_PAY",
            State::Paid if refunded < purchase.total_fen => "TRADE_SUCCESS",
            State::Paid | State::Failed | State::Closed | State::Revoked => "TRADE_CLOSED",
        };
        let payer = purchase.total_fen - purchase.coupon_fen;
        let mut told = json!({
            "buyer_logon_id": "575****6287",
            "buyer_user_id": format!("2088{}", paid.payer),
            "buyer_pay_amount": yuan_text(if paid.collected_at.is_some() { payer } else { 0 }),
            "invoice_amount": yuan_text(if paid.collected_at.is_some() { payer } else { 0 }),
            "out_trade_no": purchase.order_no,
            "point_amount": "0.00",
            "receipt_amount": yuan_text(if paid.collected_at.is_some() { payer } else { 0 }),
            "total_amount": yuan_text(purchase.total_fen),
            "trade_no": paid.transaction_no,
            "trade_status": status,
        });
        let Value::Object(members) = &mut told else { return told };
        if let Some(at) = paid.collected_at {
            members.insert("send_pay_date".to_owned(), json!(local(at)));
        }
        if let Some(device) = &purchase.device_id {
            members.insert("store_id".to_owned(), json!(device));
        }
        if !purchase.attach.is_empty() {
            members.insert("passback_params".to_owned(), json!(purchase.attach));
        }
        let options = content.get("query_options").and_then(Value::as_array).cloned().unwrap_or_default();
        if options.contains(&json!("fund_bill_list")) && paid.collected_at.is_some() {
            let bill = json!([{"amount": yuan_text(payer), "fund_channel": "ALIPAYACCOUNT"}]);
            members.insert("fund_bill_list".to_owned(), bill);
        }
        told
    }

    fn refund(
        till: &mut Till,
        paid: &Paid,
        content: &Map<String, Value>,
        now: i64,
    ) -> Result<Value, Refusal> {
        let word = |name: &str| content.get(name).and_then(Value::as_str);
        let business = |code: &str, text: &str| refusal("40004", &format!("ACQ.{code}"), text);
        let amount = match content.get("refund_amount") {
            Some(Value::String(text)) => fen(text),
            Some(Value::Number(number)) => fen(&number.to_string()),
            _ => None,
        };
        let amount = amount.ok_or_else(|| business("INVALID_PARAMETER", "参数无效"))?;
        let no = word("out_request_no").unwrap_or(&paid.purchase.order_no).to_owned();
        let asked = (no.clone(), amount, word("refund_reason").map(str::to_owned));
        let (refund, new) = till.refund(&paid.purchase.order_no, asked, now).map_err(|why| match why {
            NoRefund::NoSuchOrder => business("TRADE_NOT_EXIST", "交易不存在"),
            NoRefund::NotPaid => business("TRADE_STATUS_ERROR", "交易状态不合法"),
            NoRefund::TooMuch => business("REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限"),
            NoRefund::Differs => business("DISCORDANT_REPEAT_REQUEST", "请求信息不一致"),
        })?;
        let total = till.find(Some(&paid.purchase.order_no), None).map_or(0, |paid| paid.refunded_fen(now));
        Ok(json!({
            "buyer_logon_id": "575****6287",
            "buyer_user_id": format!("2088{}", paid.payer),
            "fund_change": if new { "Y" } else { "N" },
            "gmt_refund_pay": local(refund.asked_at),
            "out_trade_no": paid.purchase.order_no,
            "refund_fee": yuan_text(total),
            "send_back_fee": yuan_text(refund.amount_fen),
            "trade_no": paid.transaction_no,
        }))
    }

    /// Node and signature; the signature is over the node's own bytes.
    fn signed(&self, name: &str, node: &Value, charset: &'static Encoding, key: &Signer) -> Reply {
        let node = charset.encode(&node.to_string()).0.into_owned();
        let sign = key.sign(&node).unwrap_or_default();
        let certificate = self.certificate_sn.as_ref().map(|sn| format!("\"alipay_cert_sn\":\"{sn}\","));
        let (head, tail) =
            (format!("{{\"{name}\":"), format!(",{}\"sign\":\"{sign}\"}}", certificate.unwrap_or_default()));
        let body = [head.as_bytes(), &node, tail.as_bytes()].concat();
        let label = if charset == GB18030 { "GBK" } else { "utf-8" };
        Reply::new(200, &format!("text/html;charset={label}"), body)
    }

    fn reply(&self, ask: &Ask, key: &Signer) -> Reply {
        let asked = Asked::read(ask);
        let method = asked.text("method").unwrap_or_default();
        let name = format!("{}_response", method.replace('.', "_"));
        let wrong = |Refusal(code, sub_code, text): Refusal, name: &str| {
            let node = json!({"code": code, "msg": message(code), "sub_code": sub_code, "sub_msg": text});
            self.signed(name, &node, asked.charset, key).outcome(&format!("{code}/{sub_code}"))
        };
        if let Err(refusal) = self.check(&asked) {
            return wrong(refusal, "error_response");
        }
        match self.called(&method, &asked) {
            Ok(mut node) => {
                if let Value::Object(members) = &mut node {
                    members.insert("code".to_owned(), json!("10000"));
                    members.insert("msg".to_owned(), json!("Success"));
                }
                self.signed(&name, &node, asked.charset, key)
            }
            Err(refusal) => wrong(refusal, &name),
        }
    }
}

/// An unknown number answers well, without a refund.
fn refund_told(paid: &Paid, no: &str, content: &Map<String, Value>, now: i64) -> Value {
    let mut told = json!({"out_trade_no": paid.purchase.order_no, "trade_no": paid.transaction_no});
    let Value::Object(members) = &mut told else { return told };
    let Some(refund) = paid.refunds.iter().find(|refund| refund.refund_no == no) else { return told };
    members.insert("out_request_no".to_owned(), json!(no));
    members.insert("refund_reason".to_owned(), json!(refund.reason));
    members.insert("total_amount".to_owned(), json!(yuan_text(paid.purchase.total_fen)));
    members.insert("refund_amount".to_owned(), json!(yuan_text(refund.amount_fen)));
    if refund.ended(now) == Some(Outcome::Succeeded) {
        members.insert("refund_status".to_owned(), json!("REFUND_SUCCESS"));
        let options = content.get("query_options").and_then(Value::as_array).cloned().unwrap_or_default();
        if options.contains(&json!("gmt_refund_pay")) {
            members.insert("gmt_refund_pay".to_owned(), json!(local(refund.due_at)));
        }
    }
    told
}

impl Face for Desk {
    fn name(&self, ask: &Ask) -> (String, Option<String>) {
        let asked = Asked::read(ask);
        let content: Value =
            asked.text("biz_content").and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let about = ["out_request_no", "out_trade_no", "trade_no"]
            .into_iter()
            .find_map(|name| content.get(name)?.as_str());
        let name = asked.text("method").unwrap_or_else(|| format!("{} {}", ask.method, ask.path));
        (name, about.map(str::to_owned))
    }

    fn answer(&self, ask: &Ask) -> Reply {
        if ask.path == "/gateway.do" { self.reply(ask, &self.key) } else { Reply::status(404) }
    }

    /// `code/sub_code`, in the method's own node.
    fn refusal(&self, ask: &Ask, code: &str, text: &str) -> Reply {
        let asked = Asked::read(ask);
        let (code, sub_code) = code.split_once('/').unwrap_or((code, ""));
        let name = format!("{}_response", asked.text("method").unwrap_or_default().replace('.', "_"));
        let node = json!({"code": code, "msg": message(code), "sub_code": sub_code, "sub_msg": text});
        self.signed(&name, &node, asked.charset, &self.key).outcome(&format!("{code}/{sub_code}"))
    }

    fn forge(&self, mut reply: Reply) -> Reply {
        let forged = self.stranger.sign(&reply.body).unwrap_or_default();
        let mark = b"\"sign\":\"";
        if let Some(at) = reply.body.windows(mark.len()).rposition(|part| part == mark) {
            reply.body.truncate(at + mark.len());
            reply.body.extend_from_slice(forged.as_bytes());
            reply.body.extend_from_slice(b"\"}");
        }
        reply
    }

    fn drive(&self, what: &str, how: Value) -> Result<Value, Error> {
        let now = self.common.clock.now();
        crate::payments::drive(what, how, &mut self.till(), now)
    }

    fn ledger(&self) -> Value {
        json!({"truth": self.till().truth(self.common.clock.now())})
    }
}
