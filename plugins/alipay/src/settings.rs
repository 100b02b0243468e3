//! What a channel of Alipay is told about its application.

use qudao_sdk::charset::Charset;
use qudao_sdk::schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a channel.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
pub struct Settings {
    /// Your application on the open platform, 16 digits. A service provider's own, not the merchant's.
    #[schemars(regex(pattern = r"^\d{16}$"))]
    pub app_id: String,
    /// The account that collects, 16 digits that begin with 2088.
    #[schemars(regex(pattern = r"^2088\d{12}$"))]
    pub seller_id: String,
    /// How the application and Alipay know each other.
    pub mode: Mode,
    /// How Alipay is called.
    #[serde(default)]
    pub api: Protocol,
    /// Character set of calls through `gateway`; Alipay's notices then come in it as well.
    #[serde(default)]
    pub charset: CallCharset,
    /// Authorisation of the merchant, for a service provider's calls.
    pub app_auth_token: Option<String>,
    /// Another origin for calls in place of `https://openapi.alipay.com`: a simulator, the sandbox. Notices need none.
    #[schemars(regex(pattern = r"^https?://[^/]+$"))]
    pub base_url: Option<String>,
}

/// How the application and Alipay know each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "qudao_sdk::schemars")]
pub enum Mode {
    /// By public keys: needs the secret `alipay_public_key`.
    PublicKey,
    /// By certificates: needs the secret `alipay_certificate`; calls need the application's and the root too.
    Certificate,
}

/// How Alipay is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "qudao_sdk::schemars")]
pub enum Protocol {
    /// Forms to `gateway.do`.
    #[default]
    Gateway,
    /// `OpenAPI` v3: JSON over paths.
    V3,
}

/// Character set of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(crate = "qudao_sdk::schemars")]
pub enum CallCharset {
    /// The usual one.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// For applications that were set to it.
    #[serde(rename = "GBK")]
    Gbk,
}

impl Mode {
    /// Name of the secret that verifies.
    pub fn secret(self) -> &'static str {
        match self {
            Mode::PublicKey => "alipay_public_key",
            Mode::Certificate => "alipay_certificate",
        }
    }
}

impl CallCharset {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            CallCharset::Utf8 => "utf-8",
            CallCharset::Gbk => "GBK",
        }
    }

    /// How its bytes are made and read.
    pub fn bytes(self) -> Charset {
        match self {
            CallCharset::Utf8 => Charset::Utf8,
            CallCharset::Gbk => Charset::Gb18030,
        }
    }
}
