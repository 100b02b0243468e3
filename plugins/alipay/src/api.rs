//! Calls to Alipay: signed with the application's key, answers believed only under Alipay's.
//!
//! Two protocols carry the same fields: forms to `gateway.do` (here) and `OpenAPI` v3 ([`v3`]). An answer of the gateway is
//! signed over the exact text of its node, so the node is cut out of the body and never written anew.

pub mod v3;

use crate::settings::{Mode, Protocol, Settings};
use crate::wire::answer::{self, Signed, Status};
use md5::{Digest, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use qudao_sdk::{Certificate, Failure, Host, Incoming, Outgoing, Retry, base64, time};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

const ORIGIN: &str = "https://openapi.alipay.com";
/// `rsaEncryption` and its relatives: of the root bundle only certificates signed so count.
const RSA_OID: &str = "1.2.840.113549.1.1";
/// Escaped in a form: all but letters, digits and `-._~`.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Calls of one channel.
pub struct Api<'a> {
    pub settings: &'a Settings,
    pub host: &'a dyn Host,
}

/// One operation, by its name in either protocol.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// `alipay.trade.query`.
    pub method: &'static str,
    /// `/v3/alipay/trade/query`.
    pub path: &'static str,
}

/// What a call gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// Signed and good: the fields.
    Good(Map<String, Value>),
    /// Alipay said no, by its own `sub_code`.
    Refused(String),
}

impl Api<'_> {
    /// Calls with these business fields.
    pub fn call(&self, operation: Operation, fields: &Value) -> Result<Answer, Failure> {
        match self.settings.api {
            Protocol::Gateway => self.gateway(operation.method, fields),
            Protocol::V3 => v3::call(self, operation.path, fields),
        }
    }

    fn gateway(&self, method: &str, fields: &Value) -> Result<Answer, Failure> {
        let parameters = self.signed(self.parameters(method, &fields.to_string())?)?;
        let charset = self.settings.charset;
        let pairs = parameters.iter().map(|(name, value)| {
            format!("{name}={}", percent_encode(&charset.bytes().encode(value), ESCAPED))
        });
        let body = pairs.collect::<Vec<_>>().join("&").into_bytes();
        // The charset stands in the query too: the gateway reads the body by it.
        let url = format!("{}/gateway.do?charset={}", self.origin(), charset.word());
        let kind = format!("application/x-www-form-urlencoded;charset={}", charset.word());
        let headers = vec![("Content-Type".to_owned(), kind)];
        let Incoming { status, body, .. } =
            self.host.send(&Outgoing { method: "POST".to_owned(), url, headers, body })?;
        if status >= 500 {
            return Err(Failure::transient(format!("Alipay answered {status}")));
        }
        self.read(method, &body)
    }

    /// Parameters of a call before it is signed.
    pub fn parameters(&self, method: &str, fields: &str) -> Result<BTreeMap<String, String>, Failure> {
        let Settings { app_id, charset, mode, app_auth_token, .. } = self.settings;
        let mut parameters = BTreeMap::from([
            ("app_id".to_owned(), app_id.clone()),
            ("biz_content".to_owned(), fields.to_owned()),
            ("charset".to_owned(), charset.word().to_owned()),
            ("method".to_owned(), method.to_owned()),
            ("sign_type".to_owned(), "RSA2".to_owned()),
            ("timestamp".to_owned(), time::to_shanghai(self.host.now())),
            ("version".to_owned(), "1.0".to_owned()),
        ]);
        if *mode == Mode::Certificate {
            parameters.insert("app_cert_sn".to_owned(), self.app_cert_sn()?);
            parameters.insert("alipay_root_cert_sn".to_owned(), self.root_cert_sn()?);
        }
        if let Some(token) = app_auth_token {
            parameters.insert("app_auth_token".to_owned(), token.clone());
        }
        Ok(parameters)
    }

    /// Adds the signature: sorted, joined, in the bytes of the charset.
    pub fn signed(
        &self,
        mut parameters: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let bytes = self.settings.charset.bytes().encode(&pairs.join("&"));
        let sign = base64::encode(&self.host.key("app_private_key")?.sign(&bytes)?);
        parameters.insert("sign".to_owned(), sign);
        Ok(parameters)
    }

    /// Serial number of the application's certificate, as Alipay counts them.
    pub fn app_cert_sn(&self) -> Result<String, Failure> {
        let certificates = self.host.key("app_certificate")?.certificates();
        certificates.first().map(sn).ok_or_else(|| Failure::operator("config", "app_certificate holds none"))
    }

    fn root_cert_sn(&self) -> Result<String, Failure> {
        let all = self.host.key("alipay_root_certificate")?.certificates();
        let rsa = all.iter().filter(|one| one.signature_algorithm.starts_with(RSA_OID)).map(sn);
        Ok(rsa.collect::<Vec<_>>().join("_"))
    }

    /// Believes an answer of the gateway, or says why not.
    pub fn read(&self, method: &str, body: &[u8]) -> Result<Answer, Failure> {
        let text = self.settings.charset.bytes().decode(body);
        let text = text.map_err(|error| platform("bad_encoding", &error.to_string()))?;
        let signed = Signed::cut(&text, method).map_err(|(code, explain)| platform(code, explain))?;
        let status = signed.status();
        // A refusal before routing may come unsigned. It is believed as far as that the call failed.
        if signed.is_error && status.code != answer::OK {
            return refusal(&status);
        }
        let signature =
            signed.sign.as_deref().ok_or_else(|| platform("missing_sign", "the answer has no sign"))?;
        let raw = self.settings.charset.bytes().encode(signed.node);
        if !self.verify(&raw, signature)? {
            return Err(platform("bad_signature", "the sign is not Alipay's over this answer"));
        }
        match status.code.as_str() {
            answer::OK => Ok(Answer::Good(signed.fields())),
            _ => refusal(&status),
        }
    }

    fn verify(&self, data: &[u8], signature: &str) -> Result<bool, Failure> {
        let key = self.host.key(self.settings.mode.secret())?;
        match base64::decode(signature) {
            Ok(signature) => Ok(key.verify(None, data, &signature)?),
            Err(_) => Ok(false),
        }
    }

    fn origin(&self) -> &str {
        self.settings.base_url.as_deref().unwrap_or(ORIGIN)
    }
}

/// What a no means to the caller (page 公共错误码): wait, mend something, or take it.
fn refusal(status: &Status) -> Result<Answer, Failure> {
    let Status { code, sub_code } = status;
    let said = format!("Alipay answered {code} {sub_code}");
    let unsure = ["SYSTEM_ERROR", "UNKNOWN_ERROR"].iter().any(|end| sub_code.ends_with(end));
    match (code.as_str(), sub_code.as_str()) {
        ("20000", _) => Err(Failure::transient(said)),
        (_, sub) if sub.ends_with("FREQUENCY_LIMITED") => Err(Failure::rate_limited(said)),
        ("40005", _) => Err(Failure::rate_limited(said)),
        _ if unsure => Err(Failure::transient(said)),
        ("20001", _) => Err(Failure::operator("auth_expired", said)),
        ("40002", "isv.invalid-timestamp") => {
            Err(Failure::operator("clock_skew", said).retry(Retry::After(Duration::from_mins(1))))
        }
        ("40002", _) => Err(Failure::operator("config", said)),
        ("40006", _) => Err(Failure::operator("permission", said)),
        ("40001" | "40003", _) => Err(Failure::defect("request_bug", said)),
        _ => Ok(Answer::Refused(if sub_code.is_empty() { code.clone() } else { sub_code.clone() })),
    }
}

/// An answer that cannot be believed or read. No wait is named, which would say that nothing was done: a command may have been.
fn platform(code: &str, explain: &str) -> Failure {
    Failure::platform(code, explain).retry(Retry::After(Duration::ZERO))
}

/// MD5 over issuer and decimal serial number (page 证书序列号).
fn sn(certificate: &Certificate) -> String {
    let digest = Md5::digest(format!("{}{}", certificate.issuer, certificate.serial));
    data_encoding::HEXLOWER.encode(&digest)
}
