//! What a notice looks like on the wire, in Alipay's own names. Nothing here knows what a field means to us.
//!
//! Sources: the platform's pages on asynchronous notices and on checking their signature, and the official SDKs. The
//! signed text is ambiguous (`a=1&b=2` may be one field or two), so every field that is used has its syntax checked.

pub(crate) mod answer;

use qudao_sdk::charset::Charset;
use qudao_sdk::form::Form;
use qudao_sdk::{Fen, Refused, Timestamp, time};
use std::collections::BTreeMap;

/// The one algorithm: `SHA256withRSA`. `RSA` would be SHA-1.
const SIGN_TYPE: &str = "RSA2";

/// A form whose every byte is text in the character set that it declares.
pub(crate) struct Notice {
    form: Form,
    texts: BTreeMap<String, String>,
}

/// A notice about a trade: paid, closed, refunded.
pub(crate) struct TradeNotice {
    pub(crate) notify_id: String,
    pub(crate) app_id: String,
    pub(crate) seller_id: String,
    pub(crate) trade_no: String,
    pub(crate) out_trade_no: String,
    pub(crate) trade_status: String,
    /// Price of the order.
    pub(crate) total_amount: Fen,
    /// What the merchant gets.
    pub(crate) receipt_amount: Option<Fen>,
    /// What the buyer pays.
    pub(crate) buyer_pay_amount: Option<Fen>,
    /// Discounts by the platform.
    pub(crate) discount_amount: Option<Fen>,
    /// Discounts by the merchant.
    pub(crate) mdiscount_amount: Option<Fen>,
    /// Running total of refunds; plain payments may say `0.00`.
    pub(crate) refund_fee: Option<Fen>,
    /// The refund's `out_request_no`.
    pub(crate) out_biz_no: Option<String>,
    pub(crate) gmt_create: Timestamp,
    pub(crate) gmt_payment: Option<Timestamp>,
    pub(crate) gmt_refund: Option<Timestamp>,
    pub(crate) gmt_close: Option<Timestamp>,
    pub(crate) buyer_id: Option<String>,
    /// Takes the place of `buyer_id` in newer applications.
    pub(crate) buyer_open_id: Option<String>,
    pub(crate) store_id: Option<String>,
    pub(crate) terminal_id: Option<String>,
    /// Text of the merchant in an encoding of the merchant's own, which is not undone.
    pub(crate) passback_params: Option<String>,
}

impl Notice {
    /// Reads a body and checks all that can be checked before its signature.
    pub(crate) fn read(body: &[u8]) -> Result<Notice, Refused> {
        if body.is_empty() {
            return Err(missing("sign"));
        }
        let malformed = |what: &str| Refused::because("malformed_body", format!("the body {what}"));
        let form = Form::parse(body).map_err(|error| malformed(&error.to_string()))?;
        if !form
            .pairs()
            .all(|(name, _)| name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_'))
        {
            return Err(malformed("is no form: names of parameters have letters, digits and underscores"));
        }
        if let Some(name) = form.repeated() {
            let explain = format!("the parameter {} stands twice", String::from_utf8_lossy(name));
            return Err(Refused::because("duplicate_parameter", explain));
        }
        for name in ["sign", "sign_type"] {
            form.bytes(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(name))?;
        }
        if form.bytes("sign_type") != Some(SIGN_TYPE.as_bytes()) {
            return Err(Refused::because("unsupported_algorithm", format!("sign_type is not {SIGN_TYPE}")));
        }
        let texts = texts(&form)?;
        Ok(Notice { form, texts })
    }

    /// What is signed: all fields but `sign` and `sign_type`, empty ones too, sorted by name as bytes.
    ///
    /// Messages of life accounts have `sign_type` signed as well. They are no payment notices and do not verify here.
    pub(crate) fn signed_bytes(&self) -> Vec<u8> {
        let unsigned: [&[u8]; 2] = [b"sign", b"sign_type"];
        let mut pairs: Vec<_> = self.form.pairs().filter(|(name, _)| !unsigned.contains(name)).collect();
        pairs.sort_unstable();
        let parts: Vec<Vec<u8>> =
            pairs.iter().map(|(name, value)| [name, &b"="[..], value].concat()).collect();
        parts.join(&b'&')
    }

    /// The signature in base64.
    pub(crate) fn sign(&self) -> &str {
        self.text("sign").unwrap_or_default()
    }

    /// A field; an empty one is an absent one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Whether it is of the kind that payments and refunds have.
    pub(crate) fn is_about_a_trade(&self) -> bool {
        self.text("notify_type").is_none_or(|kind| kind == "trade_status_sync")
    }

    /// A field that must be there, of this syntax.
    pub(crate) fn required<T>(&self, name: &'static str, syntax: &Syntax<T>) -> Result<T, Refused> {
        self.optional(name, syntax)?.ok_or_else(|| missing(name))
    }

    fn optional<T>(&self, name: &'static str, syntax: &Syntax<T>) -> Result<Option<T>, Refused> {
        let read = |text| {
            (syntax.read)(text).ok_or_else(|| {
                Refused::because("malformed_parameter", format!("{name} is not {}", syntax.what))
            })
        };
        self.text(name).map(read).transpose()
    }
}

/// Every name and value as text. The declared character set is that of the signed bytes too; absent, it is UTF-8.
fn texts(form: &Form) -> Result<BTreeMap<String, String>, Refused> {
    let refused = |explain: String| Refused::because("bad_encoding", explain);
    let label = form.bytes("charset").map_or("utf-8".into(), String::from_utf8_lossy);
    let charset = Charset::named(&label).ok_or_else(|| refused(format!("charset {label} is not known")))?;
    let text = |bytes| charset.decode(bytes).map_err(|error| refused(format!("a parameter {error}")));
    form.pairs().map(|(name, value)| Ok((text(name)?, text(value)?))).collect()
}

impl TradeNotice {
    /// Reads the fields that are used, each in its syntax.
    pub(crate) fn read(notice: &Notice) -> Result<TradeNotice, Refused> {
        Ok(TradeNotice {
            notify_id: notice.required("notify_id", &WORD)?,
            app_id: notice.required("app_id", &WORD)?,
            seller_id: notice.required("seller_id", &WORD)?,
            trade_no: notice.required("trade_no", &WORD)?,
            out_trade_no: notice.required("out_trade_no", &NUMBER)?,
            trade_status: notice.required("trade_status", &WORD)?,
            total_amount: notice.required("total_amount", &AMOUNT)?,
            receipt_amount: notice.optional("receipt_amount", &AMOUNT)?,
            buyer_pay_amount: notice.optional("buyer_pay_amount", &AMOUNT)?,
            discount_amount: notice.optional("discount_amount", &AMOUNT)?,
            mdiscount_amount: notice.optional("mdiscount_amount", &AMOUNT)?,
            refund_fee: notice.optional("refund_fee", &AMOUNT)?,
            out_biz_no: notice.optional("out_biz_no", &NUMBER)?,
            gmt_create: notice.required("gmt_create", &TIME)?,
            gmt_payment: notice.optional("gmt_payment", &TIME)?,
            gmt_refund: notice.optional("gmt_refund", &TIME)?,
            gmt_close: notice.optional("gmt_close", &TIME)?,
            buyer_id: notice.optional("buyer_id", &ACCOUNT)?,
            buyer_open_id: notice.optional("buyer_open_id", &NUMBER)?,
            store_id: notice.optional("store_id", &NUMBER)?,
            terminal_id: notice.optional("terminal_id", &NUMBER)?,
            passback_params: notice.text("passback_params").map(str::to_owned),
        })
    }
}

/// What the text of a field must look like, and what it then is.
pub(crate) struct Syntax<T> {
    what: &'static str,
    read: fn(&str) -> Option<T>,
}

/// Ids that the platform makes, and its words.
pub(crate) const WORD: Syntax<String> = Syntax {
    what: "letters, digits, points and underscores, at most 128",
    read: |text| fits(text, 128, |byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.'),
};

/// Numbers that the merchant makes.
const NUMBER: Syntax<String> = Syntax {
    what: "visible characters without & and =, at most 128",
    read: |text| fits(text, 128, |byte| byte > b' ' && byte != 0x7F && byte != b'&' && byte != b'='),
};

const ACCOUNT: Syntax<String> = Syntax {
    what: "16 digits that begin with 2088",
    read: |text| {
        fits(text, 16, |byte| byte.is_ascii_digit()).filter(|id| id.len() == 16 && id.starts_with("2088"))
    },
};

const AMOUNT: Syntax<Fen> =
    Syntax { what: "an amount in yuan with at most two decimals", read: |text| Fen::from_yuan(text).ok() };

/// Beijing time.
const TIME: Syntax<Timestamp> =
    Syntax { what: "a time of the form yyyy-MM-dd HH:mm:ss", read: |text| time::shanghai(text).ok() };

fn fits(text: &str, length_max: usize, allowed: fn(u8) -> bool) -> Option<String> {
    (text.len() <= length_max && text.bytes().all(allowed)).then(|| text.to_owned())
}

fn missing(name: &str) -> Refused {
    Refused::because("missing_parameter", format!("the parameter {name} is missing"))
}
