//! Callbacks of JDDJ: a signed form, its business part plain or encrypted.

use super::api::Desk;
use super::state;
use crate::Error;
use crate::callback::{Callback, Poster};
use crate::digest::{joined, md5_wrapped};
use crate::local_time::local;
use crate::market::{Edit, Sale};
use aws_lc_rs::cipher::{AES_128, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey};
use data_encoding::BASE64;
use serde_json::{Value, json};

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Last part of the path: `newOrder`.
    pub name: &'static str,
    /// The order.
    pub about: String,
    /// The business part, JSON text.
    pub content: String,
}

/// What an edit makes JDDJ tell.
pub(super) fn of(edit: &Edit, sale: &Sale, at: i64) -> Vec<Notice> {
    let (name, status) = match edit {
        Edit::Pay => ("newOrder", "32000"),
        Edit::Accept => ("orderWaitOutStore", "32000"),
        Edit::Ship { .. } => ("deliveryOrder", "33040"),
        Edit::Finish => ("finishOrder", "33060"),
        Edit::Cancel => ("userCancelOrder", "20020"),
        Edit::AskRefund { .. } => ("applyCancelOrder", "20030"),
        Edit::Settle { .. } | Edit::Agree { .. } if state(sale) == "20020" => ("userCancelOrder", "20020"),
        Edit::PayDeposit
        | Edit::Hold
        | Edit::Pause
        | Edit::Release
        | Edit::Memo { .. }
        | Edit::Reprice { .. }
        | Edit::Agree { .. }
        | Edit::SendBack { .. }
        | Edit::Refuse { .. }
        | Edit::Withdraw { .. }
        | Edit::Settle { .. } => return Vec::new(),
    };
    let notice = |name, content: Value| Notice { name, about: sale.no.clone(), content: content.to_string() };
    let mut notices =
        vec![notice(name, json!({"billId": sale.no, "statusId": status, "timestamp": local(at)}))];
    if matches!(edit, Edit::Ship { .. }) {
        let rider = json!({
            "orderId": sale.no,
            "deliveryStatus": "30",
            "deliveryStatusTime": local(at),
            "deliveryManNo": "871582",
            "deliveryManName": "骑手样",
            "deliveryManPhone": "10013161085",
            "deliveryCarrierName": "达达专送",
            "opTime": local(at),
        });
        notices.push(notice("pushDeliveryStatus", rider));
    }
    notices
}

impl Poster for Desk {
    type Notice = Notice;

    fn name(&self, notice: &Notice) -> (String, String) {
        (notice.name.to_owned(), notice.about.clone())
    }

    fn request(&self, notice: &Notice, attempt: u32, forged: bool) -> Result<Callback, Error> {
        // No two requests of a second have the same time.
        let timestamp = local(self.common.clock.now() + i64::from(attempt));
        let secret = if forged { "another" } else { &self.secret };
        let plain = [
            ("token", self.token.as_str()),
            ("app_key", &self.identity.app_key),
            ("timestamp", &timestamp),
            ("format", "json"),
            ("v", "1.0"),
            ("jd_param_json", &notice.content),
        ];
        // The signature is over the plain text, also where that is not sent.
        let sign = md5_wrapped(secret, joined(plain.into_iter()).as_bytes());
        let mut fields: Vec<(&str, String)> =
            plain.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        if self.encrypted {
            fields.pop();
            fields.push(("encrypt_jd_param_json", encrypted(&self.secret, &notice.content)?));
        }
        fields.push(("sign", sign));
        let body = serde_urlencoded::to_string(&fields).map_err(|_| Error::Crypto("encode a form"))?;
        let kind = "application/x-www-form-urlencoded;charset=utf-8";
        Ok(Callback {
            path: format!("/djsw/{}", notice.name),
            query: String::new(),
            headers: vec![("Content-Type".to_owned(), kind.to_owned())],
            body: body.into_bytes(),
        })
    }

    fn takes(&self, status: u16, body: &[u8]) -> bool {
        let code = serde_json::from_slice::<Value>(body).ok().and_then(|answer| answer.get("code").cloned());
        status == 200 && code.is_some_and(|code| code == "0" || code == 0)
    }
}

/// Base64 of AES-128-CBC with PKCS#7: the secret's first half is the key, its second half the start.
fn encrypted(secret: &str, text: &str) -> Result<String, Error> {
    let refused = |_| Error::Crypto("encrypt a callback");
    let (key, start) = secret.as_bytes().split_at_checked(16).ok_or(Error::Crypto("encrypt a callback"))?;
    let start: [u8; 16] = start.try_into().map_err(|_| Error::Crypto("encrypt a callback"))?;
    let key = UnboundCipherKey::new(&AES_128, key).map_err(refused)?;
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).map_err(refused)?;
    let mut bytes = text.as_bytes().to_vec();
    key.less_safe_encrypt(&mut bytes, EncryptionContext::Iv128(start.into())).map_err(refused)?;
    Ok(BASE64.encode(&bytes))
}
