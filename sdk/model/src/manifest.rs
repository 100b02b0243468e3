//! What a connector says about itself: settings, secrets, origins. The operator grants; the host checks the intersection.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A connector's manifest, the JSON that `describe.manifest` returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// As in `connector:` of connectors.yaml, e.g. `kuaishou`.
    pub name: String,
    /// Its own version, semver.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// JSON Schema of the channel's `settings`.
    pub settings_schema: Value,
    /// Secrets it can use.
    #[serde(default)]
    pub secrets: Vec<SecretSpec>,
    /// Groups of secrets by name; of each group a channel must have at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<Vec<String>>,
    /// Origins it wants to reach, `https://host[:port]`. An origin that a setting names is `{settings.base_url}`.
    #[serde(default)]
    pub network: Vec<String>,
    /// Streams that `poll.poll` reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub polls: Vec<PollSpec>,
    /// Kinds of thing that `poll.fetch` can ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetches: Vec<FetchSpec>,
    /// Kinds of command that `command.run` knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandSpec>,
    /// What it wants to read files; absent where it reads none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FileSpec>,
    /// Whether its deliveries hold personal data in clear, so that raw bytes are kept sealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal: bool,
}

/// What a connector of files wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSpec {
    /// The setting that names a YAML file, whose content the connector gets in its place: `mapping`. Its schema is the one of
    /// that member in `settings_schema`.
    pub document: String,
}

/// A stream of a platform that is read by pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PollSpec {
    /// `orders`, `refunds`, `messages` …
    pub name: String,
    /// Seconds from one start to the next where the operator says nothing.
    pub every_s: u32,
    /// One sentence for the operator.
    pub description: String,
}

/// A kind of thing that can be asked for by its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchSpec {
    /// `payment`, `refund`, `order`, `aftersale`. A payment's key is `[sub_merchant_no?, order_no]`, a refund's
    /// `[sub_merchant_no?, order_no, refund_no]`, an order's `[order_no]`, an after-sale's `[aftersale_no]`.
    pub kind: String,
    /// Seconds to wait before each further time while the platform has no final word; the last one repeats.
    pub schedule_s: Vec<u32>,
    /// Seconds after which it is no longer asked for.
    pub give_up_s: u32,
}

/// A kind of command. Every one is safe to repeat with the same key, or is not declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandSpec {
    /// `refund.create`, `payment.close` …
    pub kind: String,
    /// JSON Schema of its payload.
    pub payload_schema: Value,
    /// What to fetch to learn what became of it: a kind of `fetches`.
    pub settled_by: String,
}

/// One secret that a connector can use by its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSpec {
    /// As in `secrets:` of connectors.yaml.
    pub name: String,
    /// What it is, which fixes its algorithm and what may be done with it.
    pub kind: KeyKind,
    /// Whether a channel must have it.
    #[serde(default)]
    pub required: bool,
    /// Whether a channel with certain settings must have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_when: Option<SettingIs>,
    /// One sentence for the operator: what it is and where to get it.
    pub description: String,
}

/// A condition on a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingIs {
    /// Name of a text setting.
    pub setting: String,
    /// The condition holds where the setting is this text.
    pub is: String,
}

/// Kinds of key. A kind allows its own verbs and nothing else; no kind can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// RSA public key, PEM or bare base64 of SPKI: `verify` RSASSA-PKCS1-v1_5 with SHA-256.
    RsaPublicKey,
    /// PEM bundle of X.509 certificates with RSA keys: `verify` as above, `id` is the serial in upper-case hex.
    X509Certificates,
    /// RSA private key, PKCS#8 or PKCS#1, PEM or bare base64: `sign` RSASSA-PKCS1-v1_5 with SHA-256.
    RsaPrivateKey,
    /// 32 bytes of text: `decrypt` AES-256-GCM.
    #[serde(rename = "aes_256_gcm")]
    Aes256Gcm,
    /// Any text: `mac` HMAC-SHA-256.
    HmacSha256,
    /// Any text that both sides know: `mac_with` by the platform's own digest (`md5_wrapped` = MD5 of secret, data and
    /// secret; `hmac_md5`; `hmac_sha256`), and from 32 bytes up `decrypt` AES-128-CBC with PKCS#7, key = bytes 0 to 15,
    /// initial vector = bytes 16 to 31.
    SharedSecret,
    /// Any text that a request carries (an access token): it can be put into requests to granted origins and into what a
    /// `mac_with` covers, and do nothing else.
    Token,
}

impl KeyKind {
    /// The verb it allows, for messages.
    pub fn verb(self) -> &'static str {
        match self {
            KeyKind::RsaPublicKey | KeyKind::X509Certificates => "verify",
            KeyKind::RsaPrivateKey => "sign",
            KeyKind::Aes256Gcm => "decrypt",
            KeyKind::HmacSha256 => "mac",
            KeyKind::SharedSecret => "mac_with",
            KeyKind::Token => "attach",
        }
    }
}

impl SecretSpec {
    /// Whether a channel with these settings must have it.
    pub fn is_required(&self, settings: &Value) -> bool {
        let holds = |when: &SettingIs| settings.get(&when.setting).and_then(Value::as_str) == Some(&when.is);
        self.required || self.required_when.as_ref().is_some_and(holds)
    }
}

impl Manifest {
    /// `name@version`, as deliveries and lists show which connector it was.
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}
