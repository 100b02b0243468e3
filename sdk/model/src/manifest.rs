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
}

impl KeyKind {
    /// The verb it allows, for messages.
    pub fn verb(self) -> &'static str {
        match self {
            KeyKind::RsaPublicKey | KeyKind::X509Certificates => "verify",
            KeyKind::RsaPrivateKey => "sign",
            KeyKind::Aes256Gcm => "decrypt",
            KeyKind::HmacSha256 => "mac",
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
