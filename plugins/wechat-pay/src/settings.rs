//! What a channel of WeChat Pay is told about its merchant.

use qudao_sdk::schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a WeChat Pay channel.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
pub struct Settings {
    /// Merchant number (商户号), of the merchant itself.
    #[schemars(regex(pattern = r"^[0-9]{8,12}$"))]
    pub mchid: String,
    /// App that payments are made under, `wx…`.
    #[schemars(regex(pattern = r"^wx[0-9a-f]{16}$"))]
    pub appid: String,
    /// Merchant number as a service provider (服务商), for payments of sub-merchants. Absent: `mchid`.
    #[schemars(regex(pattern = r"^[0-9]{8,12}$"))]
    pub sp_mchid: Option<String>,
    /// Sub-merchants (特约商户) whose payments belong to this channel. Empty: all of the service provider.
    #[serde(default)]
    #[schemars(inner(regex(pattern = r"^[0-9]{8,12}$")))]
    pub sub_mchids: Vec<String>,
    /// Which keys of WeChat Pay to believe.
    #[serde(default)]
    pub verify: Verify,
    /// Id of the WeChat Pay public key, `PUB_KEY_ID_…`. Absent: any id, the signature decides.
    #[schemars(regex(pattern = r"^PUB_KEY_ID_[0-9]+$"))]
    pub public_key_id: Option<String>,
    /// Serial number of the merchant API certificate, 40 hex digits; for calls to WeChat Pay.
    #[schemars(regex(pattern = r"^[0-9A-F]{40}$"))]
    pub mch_serial: Option<String>,
    /// Another origin in place of `https://api.mch.weixin.qq.com`: a simulator, or the backup site.
    #[schemars(regex(pattern = r"^https?://[^/]+$"))]
    pub base_url: Option<String>,
}

/// Keys of WeChat Pay: the public key of newer merchants, the certificates of older ones, or both during the switch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(crate = "qudao_sdk::schemars")]
pub enum Verify {
    /// Secret `platform_public_key` only.
    PublicKey,
    /// Secret `platform_certificates` only.
    Certificate,
    /// Whichever a notice names.
    #[default]
    Both,
}

impl Settings {
    /// The account as a service provider.
    pub fn provider(&self) -> &str {
        self.sp_mchid.as_deref().unwrap_or(&self.mchid)
    }

    /// Whether this account is the channel's: as a merchant, or as a service provider for one of its sub-merchants.
    pub fn is_ours(&self, merchant_no: &str, sub_merchant_no: Option<&str>) -> bool {
        let provider = self.provider();
        match sub_merchant_no {
            None => merchant_no == self.mchid || merchant_no == provider,
            Some(sub) => {
                merchant_no == provider
                    && (self.sub_mchids.is_empty() || self.sub_mchids.iter().any(|our| our == sub))
            }
        }
    }
}
