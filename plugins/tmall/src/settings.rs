//! What a channel can set, and what it must not.

use jiff::SignedDuration;
use qudao_sdk::schemars::JsonSchema;
use qudao_sdk::{Failure, MacAlgorithm, Timestamp, setting};
use serde::Deserialize;

/// Where orders are read where no `base_url` says otherwise.
pub(crate) const ORIGIN: &str = "https://eco.taobao.com";

const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
const WINDOW: SignedDuration = SignedDuration::from_mins(30);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// Nothing to a day, as the schema tells it.
const UP_TO_A_DAY: &str = concat!(
    r"^(([0-9]{1,4}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)s",
    r"|([0-9]{1,3}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m|(1?[0-9]|2[0-4])h)$",
);
/// A minute to a day, as the schema tells it.
const MINUTE_TO_DAY: &str = concat!(
    r"^(([6-9][0-9]|[1-9][0-9]{2,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400)s",
    r"|([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m|([1-9]|1[0-9]|2[0-4])h)$",
);

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
    /// How far back each round reads again, for what the platform shows late: a whole number and s, m or h, shorter than
    /// `window`. `10m` where it is left out.
    #[schemars(regex(pattern = UP_TO_A_DAY))]
    overlap: Option<String>,
    /// Longest stretch of modification times in one round: a whole number and s, m or h, at least a minute longer than
    /// `overlap` and at most `24h`. `30m` where it is left out.
    #[schemars(regex(pattern = MINUTE_TO_DAY))]
    window: Option<String>,
    /// Where the first round begins, RFC 3339 such as `2026-01-31T00:00:00+08:00`. A day ago where it is left out; the
    /// platform keeps three months.
    #[schemars(regex(pattern = setting::TIME))]
    since: Option<String>,
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

/// What the settings say about time.
#[derive(Debug)]
pub(crate) struct Times {
    /// How far back each round reads again.
    pub(crate) overlap: SignedDuration,
    /// Longest stretch of one round.
    pub(crate) window: SignedDuration,
    /// Where the first round begins.
    pub(crate) since: Timestamp,
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
    /// Reads lengths and times, and refuses those with which a round would never end.
    pub(crate) fn times(&self, now: Timestamp) -> Result<Times, Failure> {
        let overlap = setting::length("overlap", self.overlap.as_deref())?.unwrap_or(OVERLAP);
        let window = setting::length("window", self.window.as_deref())?.unwrap_or(WINDOW);
        if overlap.is_negative() || window < overlap + MINUTE || window > DAY {
            let explain = format!(
                "`window` is {window:#} and `overlap` is {overlap:#}, but `window` must be at least a minute longer than \
                 `overlap` and at most 24h: make `window` longer or `overlap` shorter"
            );
            return Err(Failure::operator("bad_settings", explain));
        }
        let since = setting::time("since", self.since.as_deref())?;
        Ok(Times { overlap, window, since: since.unwrap_or(now - DAY) })
    }

    /// Where calls go.
    pub(crate) fn url(&self) -> String {
        format!("{}/router/rest", self.base_url.as_deref().unwrap_or(ORIGIN))
    }
}
