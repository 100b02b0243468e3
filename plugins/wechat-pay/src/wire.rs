//! WeChat Pay's own shapes and names. What may be absent is `Text` or `Option`; unknown
//! members and words are passed over, because it adds them at any time.
//!
//! Sources: 支付成功回调通知, 退款结果通知, 合单支付通知, 分账动账通知, 核销事件回调通知 of pay.weixin.qq.com.

use qudao_sdk::json::Text;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The only `resource_type`.
pub const ENCRYPTED: &str = "encrypt-resource";
/// The only `resource.algorithm`.
pub const AES_256_GCM: &str = "AEAD_AES_256_GCM";
/// The currency of a domestic merchant, and the meaning of its absence.
pub const CNY: &str = "CNY";

/// The envelope: what is signed.
#[derive(Deserialize)]
pub struct Notice {
    /// Same on every retry.
    pub id: String,
    /// RFC 3339.
    pub create_time: String,
    /// `TRANSACTION.SUCCESS` … Official pages disagree about some, so never trust it alone.
    pub event_type: String,
    pub resource_type: String,
    pub resource: Resource,
}

#[derive(Deserialize)]
pub struct Resource {
    /// `transaction`, `refund`, `profitsharing`, `coupon` …
    pub original_type: Text,
    pub algorithm: String,
    pub ciphertext: String,
    pub associated_data: Text,
    pub nonce: String,
}

/// Members that tell one kind of decrypted content from another.
#[derive(Deserialize)]
pub struct Markers {
    pub refund_status: Option<IgnoredAny>,
    pub combine_out_trade_no: Option<IgnoredAny>,
    pub trade_state: Option<IgnoredAny>,
    pub receiver: Option<IgnoredAny>,
    pub order_id: Option<IgnoredAny>,
    pub coupon_id: Option<IgnoredAny>,
    pub stock_id: Option<IgnoredAny>,
}

/// A payment. A merchant's has `mchid` and `appid`, a service provider's the `sp_` and `sub_` members.
#[derive(Deserialize)]
pub struct Transaction {
    pub mchid: Text,
    pub appid: Text,
    pub sp_mchid: Text,
    pub sp_appid: Text,
    pub sub_mchid: Text,
    pub out_trade_no: String,
    pub transaction_id: Text,
    pub trade_type: Text,
    pub trade_state: String,
    pub attach: Text,
    pub success_time: Text,
    #[serde(default)]
    pub payer: Payer,
    pub amount: Amount,
    #[serde(default)]
    pub scene_info: Scene,
    #[serde(default)]
    pub promotion_detail: Vec<Coupon>,
}

#[derive(Deserialize, Default)]
pub struct Payer {
    pub openid: Text,
    pub sp_openid: Text,
}

/// All in fen. Combined payments call the same things `total_amount` and `payer_amount`.
#[derive(Deserialize)]
pub struct Amount {
    #[serde(alias = "total_amount")]
    pub total: i64,
    #[serde(alias = "payer_amount")]
    pub payer_total: Option<i64>,
    pub currency: Text,
}

#[derive(Deserialize, Default)]
pub struct Scene {
    /// Terminal or store as the merchant named it when ordering; the only hint at a store that comes back.
    pub device_id: Text,
}

#[derive(Deserialize)]
pub struct Coupon {
    /// `CASH` is settled to the merchant, `NOCASH` is not.
    #[serde(rename = "type")]
    pub kind: Text,
    pub amount: i64,
}

/// Several orders, also of several merchants, paid at once.
#[derive(Deserialize)]
pub struct Combined {
    pub combine_appid: Text,
    pub combine_out_trade_no: String,
    #[serde(default)]
    pub scene_info: Scene,
    #[serde(default)]
    pub combine_payer_info: Payer,
    pub sub_orders: Vec<Transaction>,
}

/// A refund. Amounts are of this refund, not running totals; there is no currency.
#[derive(Deserialize)]
pub struct Refund {
    pub mchid: Text,
    pub sp_mchid: Text,
    pub sub_mchid: Text,
    pub out_trade_no: String,
    pub transaction_id: Text,
    pub out_refund_no: String,
    pub refund_id: Text,
    pub refund_status: String,
    pub success_time: Text,
    pub amount: RefundAmount,
}

#[derive(Deserialize)]
pub struct RefundAmount {
    pub refund: i64,
    pub payer_refund: Option<i64>,
}

/// A refund as the API answers, to a request and to a query alike. It does not repeat the merchant.
#[derive(Deserialize)]
pub struct RefundAnswer {
    pub out_trade_no: String,
    pub transaction_id: Text,
    pub out_refund_no: String,
    pub refund_id: Text,
    pub status: String,
    pub create_time: String,
    pub success_time: Text,
    pub amount: RefundAmount,
}

/// An error answer; never signed.
#[derive(Deserialize)]
pub struct ApiError {
    pub code: String,
}

/// A share of a payment that was settled to, or taken back from, one receiver: our names and where the facts stand.
pub const SHARING: [(&str, &str); 9] = [
    ("merchant_no", "/mchid"),
    ("merchant_no", "/sp_mchid"),
    ("sub_merchant_no", "/sub_mchid"),
    ("transaction_no", "/transaction_id"),
    ("sharing_no", "/out_order_no"),
    ("platform_sharing_no", "/order_id"),
    ("receiver_type", "/receiver/type"),
    ("receiver_account", "/receiver/account"),
    ("amount_fen", "/receiver/amount"),
];
pub const SHARED_AT: &str = "/success_time";

/// A coupon that was handed out or used.
pub const COUPON: [(&str, &str); 5] = [
    ("coupon_id", "/coupon_id"),
    ("stock_id", "/stock_id"),
    ("state", "/status"),
    ("merchant_no", "/consume_information/consume_mchid"),
    ("transaction_no", "/consume_information/transaction_id"),
];
pub const CONSUMED_AT: &str = "/consume_information/consume_time";
