//! What a channel can set, and what it must not.

use jiff::SignedDuration;
use qudao_sdk::schemars::JsonSchema;
use qudao_sdk::{Failure, Host, MacAlgorithm, Timestamp};
use serde::Deserialize;

/// Where orders are read where no `base_url` says otherwise.
pub(crate) const ORIGIN: &str = "https://eco.taobao.com";

const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
const WINDOW: SignedDuration = SignedDuration::from_mins(30);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Settings of a channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(crate = "qudao_sdk::schemars")]
pub(crate) struct Settings {
    /// Your application at the open platform, digits.
    #[schemars(regex(pattern = r"^\d{1,20}$"))]
    pub(crate) app_key: String,
    /// Nick of the shop that granted the session; trades of another shop stop the channel.
    #[schemars(length(min = 1, max = 64))]
    pub(crate) seller_nick: String,
    /// How far back each round reads again, for what the platform shows late. `10m` where it is left out.
    #[schemars(with = "Option<String>")]
    overlap: Option<SignedDuration>,
    /// Longest stretch of modification times in one round, above `overlap` and at most a day. `30m` where it is left out.
    #[schemars(with = "Option<String>")]
    window: Option<SignedDuration>,
    /// Where the first round begins, RFC 3339. A day ago where it is left out; the platform keeps three months.
    #[schemars(with = "Option<String>")]
    since: Option<Timestamp>,
    /// Group of the message service. Messages are read only where it is set; each shop needs a group of its own.
    #[schemars(length(min = 1, max = 32))]
    pub(crate) tmc_group: Option<String>,
    /// Digest of signatures.
    #[serde(default)]
    pub(crate) sign_method: SignMethod,
    /// Another origin in place of `https://eco.taobao.com`: a simulator, the sandbox.
    #[schemars(regex(pattern = r"^https?://[^/]+$"))]
    base_url: Option<String>,
}

/// Digests that the platform knows, by its own words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(crate = "qudao_sdk::schemars")]
pub(crate) enum SignMethod {
    /// MD5 with the secret in front and behind.
    #[serde(rename = "md5")]
    Md5,
    /// HMAC with MD5.
    #[serde(rename = "hmac")]
    Hmac,
    /// HMAC with SHA-256.
    #[default]
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
}

impl SignMethod {
    /// The platform's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SignMethod::Md5 => "md5",
            SignMethod::Hmac => "hmac",
            SignMethod::HmacSha256 => "hmac-sha256",
        }
    }

    /// The digest of the secret that does it.
    pub(crate) fn algorithm(self) -> MacAlgorithm {
        match self {
            SignMethod::Md5 => MacAlgorithm::Md5Wrapped,
            SignMethod::Hmac => MacAlgorithm::HmacMd5,
            SignMethod::HmacSha256 => MacAlgorithm::HmacSha256,
        }
    }
}

impl Settings {
    /// Reads them, and refuses lengths with which a round would never end.
    pub(crate) fn read(host: &dyn Host) -> Result<Settings, Failure> {
        let settings: Settings = host.settings()?;
        let (overlap, window) = (settings.overlap(), settings.window());
        if overlap.is_negative() || window < overlap + SignedDuration::from_mins(1) || window > DAY {
            let explain = "`window` must be at least a minute longer than `overlap` and at most a day";
            return Err(Failure::operator("bad_settings", explain));
        }
        Ok(settings)
    }

    /// How far back each round reads again.
    pub(crate) fn overlap(&self) -> SignedDuration {
        self.overlap.unwrap_or(OVERLAP)
    }

    /// Longest stretch of one round.
    pub(crate) fn window(&self) -> SignedDuration {
        self.window.unwrap_or(WINDOW)
    }

    /// Where the first round begins.
    pub(crate) fn since(&self, now: Timestamp) -> Timestamp {
        self.since.unwrap_or(now - DAY)
    }

    /// Where calls go.
    pub(crate) fn url(&self) -> String {
        format!("{}/router/rest", self.base_url.as_deref().unwrap_or(ORIGIN))
    }
}
