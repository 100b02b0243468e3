//! What a connector may use. This is the whole of it.

use crate::{Failure, Fen, Timestamp};
use qudao_model::Header;
use serde::de::DeserializeOwned;
use std::fmt;

/// The gateway, as one channel's connector sees it.
///
/// In a component it is the gateway itself; in tests it is [`crate::fixtures::NativeHost`].
///
/// ```
/// use qudao_sdk::{Host, Level, Refused, Timestamp, fixtures::NativeHost};
///
/// fn check_fresh(signed_at: Timestamp, host: &dyn Host) -> Result<(), Refused> {
///     let seconds = host.now().as_second().abs_diff(signed_at.as_second());
///     if seconds > 240 {
///         host.log(Level::Warn, "the clocks drift apart", &[("seconds", &seconds.to_string())]);
///     }
///     match seconds {
///         0..=300 => Ok(()),
///         _ => Err(Refused::because("timestamp_out_of_window", format!("{seconds} s from our clock"))),
///     }
/// }
///
/// let host = NativeHost::at("2026-01-01T00:05:00Z".parse().unwrap());
/// assert!(check_fresh("2026-01-01T00:00:00Z".parse().unwrap(), &host).is_ok());
/// assert!(check_fresh("2025-12-31T23:59:59Z".parse().unwrap(), &host).is_err());
/// assert_eq!(host.logged().len(), 2);
/// ```
pub trait Host {
    /// The receiver's clock. Replay and fixtures set it, so never look at another.
    fn now(&self) -> Timestamp;

    /// A line for the operator. Counted and cut by the gateway; never put a secret or a person's data in one.
    fn log(&self, level: Level, text: &str, fields: &[(&str, &str)]);

    /// Random bytes, at most 4096 a call; seeded in fixtures and replay.
    fn random(&self, count: u32) -> Vec<u8>;

    /// The channel's settings, one JSON object that fits the manifest's schema. Read it with `host.settings()`.
    fn settings_json(&self) -> String;

    /// Opens a secret for use, by the name that the manifest gives it.
    fn key(&self, name: &str) -> Result<Box<dyn Key + '_>, KeyError>;

    /// Calls out, to an origin that the manifest wants and the operator grants. Redirects are not followed.
    fn send(&self, request: &Outgoing) -> Result<Incoming, HttpError>;

    /// The same, with tokens: each `~secret.NAME~` in the query, the headers' values and the body becomes the value of a token
    /// that `tokens` names and the channel has, escaped in a query and in a form body. See [`token`].
    fn send_with(&self, request: &Outgoing, tokens: &[&str]) -> Result<Incoming, HttpError> {
        let _ = request;
        let message = format!("this host has none of the tokens {}", tokens.join(", "));
        Err(HttpError { code: "key_not_granted".to_owned(), message, sent: false })
    }

    /// The amount that the payment of this order should have, if somebody said so.
    fn expected_payment(&self, order_no: &str) -> Option<Fen>;
}

impl dyn Host + '_ {
    /// The channel's settings as a type of the connector's own.
    ///
    /// ```
    /// # use qudao_sdk::{Host, fixtures::NativeHost};
    /// #[derive(serde::Deserialize)]
    /// struct Settings {
    ///     shop: String,
    /// }
    /// let native = NativeHost::at("2026-01-01T00:00:00Z".parse().unwrap())
    ///     .with_settings(serde_json::json!({"shop": "s1"}));
    /// let host: &dyn Host = &native;
    /// let settings: Settings = host.settings().unwrap();
    /// assert_eq!(settings.shop, "s1");
    /// ```
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.settings_json())
            .map_err(|error| Failure::operator("bad_settings", format!("the channel's settings: {error}")))
    }
}

/// A secret, usable as its kind allows and never readable. What it cannot do is [`KeyProblem::WrongUse`].
///
/// ```
/// use qudao_sdk::{Host, KeyError, KeyKind, KeyProblem, base64, fixtures::NativeHost};
///
/// fn signature(parameters: &str, host: &dyn Host) -> Result<String, KeyError> {
///     Ok(base64::encode(&host.key("app_secret")?.mac(parameters.as_bytes())?))
/// }
///
/// let secret = qudao_keys::Key::parse(KeyKind::HmacSha256, b"a text known to both").unwrap();
/// let host = NativeHost::at("2026-01-01T00:00:00Z".parse().unwrap()).with_key("app_secret", secret);
/// assert_eq!(signature("a=1&b=2", &host).unwrap().len(), 44);
/// let key = Host::key(&host, "app_secret").unwrap();
/// assert_eq!(key.sign(b"data").unwrap_err().problem, KeyProblem::WrongUse);
/// ```
pub trait Key {
    /// Ids in a bundle: serial numbers of certificates in upper-case hex. Empty for a single key.
    fn ids(&self) -> Vec<String>;

    /// Whether `signature` (raw bytes, not base64) is right for `data`. `id` picks one key of a bundle.
    fn verify(&self, id: Option<&str>, data: &[u8], signature: &[u8]) -> Result<bool, KeyError>;

    /// Signs; the signature is raw bytes.
    fn sign(&self, data: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Authenticated decryption; `ciphertext` ends with the tag, `aad` may be empty.
    fn decrypt(&self, nonce: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Keyed hash of `data`.
    fn mac(&self, data: &[u8]) -> Result<Vec<u8>, KeyError>;

    /// Digest of `data` with a secret that both sides know, by the platform's own rule. Tokens are put in before, as in
    /// [`Host::send_with`], unescaped.
    fn mac_with(&self, algorithm: MacAlgorithm, data: &[u8], tokens: &[&str]) -> Result<Vec<u8>, KeyError> {
        let (_, _) = (data, tokens);
        let message = format!("this key makes no {}", algorithm.as_str());
        Err(KeyError { problem: KeyProblem::WrongUse, message })
    }

    /// What anybody may know of the certificates of a bundle, in its order.
    fn certificates(&self) -> Vec<Certificate> {
        Vec::new()
    }
}

/// Digests that platforms make with a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacAlgorithm {
    /// MD5 over secret, data and secret.
    Md5Wrapped,
    /// HMAC with MD5.
    HmacMd5,
    /// HMAC with SHA-256.
    HmacSha256,
}

/// What anybody may know of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Issuer, RFC 4514 (`CN=…,OU=…,O=…,C=…`).
    pub issuer: String,
    /// Serial number, decimal.
    pub serial: String,
    /// Object identifier of the signature algorithm, dotted.
    pub signature_algorithm: String,
}

/// The marker that stands for a token in a request and in what is signed. It holds only characters that no encoding
/// changes.
///
/// ```
/// assert_eq!(qudao_sdk::token("session"), "~secret.session~");
/// ```
pub fn token(name: &str) -> String {
    format!("~secret.{name}~")
}

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the author.
    Debug,
    /// For the curious operator.
    Info,
    /// Odd, and dealt with.
    Warn,
    /// Somebody has to look.
    Error,
}

/// Why a key did not do what was asked. With `?` it becomes a [`Failure`]: a key that the channel lacks is the operator's to
/// mend. What a sender can cause (an unknown serial, a changed ciphertext) a connector turns into a refusal first.
///
/// ```
/// use qudao_sdk::{KeyError, KeyProblem, Refused, Stop};
///
/// fn refuse(error: KeyError) -> Stop {
///     if error.problem == KeyProblem::DecryptFailed {
///         return Refused::because("decrypt_failed", "the ciphertext was changed").into();
///     }
///     error.into()
/// }
///
/// let changed = KeyError { problem: KeyProblem::DecryptFailed, message: "the tag is wrong".into() };
/// assert!(matches!(refuse(changed), Stop::Refused(_)));
/// let missing = KeyError { problem: KeyProblem::NotConfigured, message: "no api_v3_key".into() };
/// assert!(matches!(refuse(missing), Stop::Failed(_)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyError {
    /// What kind of problem.
    pub problem: KeyProblem,
    /// One sentence; never any part of a key.
    pub message: String,
}

/// Kinds of problem with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProblem {
    /// The manifest has no secret of this name.
    NotGranted,
    /// The manifest has it and the channel does not: an optional secret that was left out.
    NotConfigured,
    /// The bundle has no key of this id.
    UnknownId,
    /// Its kind does not allow this.
    WrongUse,
    /// A nonce of the wrong length and the like.
    BadInput,
    /// The tag does not fit: another key, or changed bytes.
    DecryptFailed,
    /// A word that this version of the SDK does not know.
    Other,
}

/// A request to the platform, for [`Host::send`].
///
/// ```
/// use qudao_sdk::{Host, Outgoing, fixtures::NativeHost};
/// let host = NativeHost::at("2026-01-01T00:00:00Z".parse().unwrap());
/// let query = Outgoing {
///     method: "GET".into(),
///     url: "https://api.example.com/orders/SO1".into(),
///     headers: vec![("accept".into(), "application/json".into())],
///     body: Vec::new(),
/// };
/// let error = host.send(&query).unwrap_err(); // nothing can be reached from a test
/// assert_eq!((error.code.as_str(), error.sent), ("network_not_granted", false));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Upper case.
    pub method: String,
    /// Whole URL.
    pub url: String,
    /// In order.
    pub headers: Vec<Header>,
    /// Exact bytes.
    pub body: Vec<u8>,
}

/// The platform's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// HTTP status.
    pub status: u16,
    /// In order.
    pub headers: Vec<Header>,
    /// Exact bytes.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpError {
    /// Stable word, e.g. `network_not_granted`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// Whether bytes may have reached the platform: if so the outcome is unknown, not failed.
    pub sent: bool,
}

impl MacAlgorithm {
    /// The word that crosses to the host.
    pub fn as_str(self) -> &'static str {
        match self {
            MacAlgorithm::Md5Wrapped => "md5_wrapped",
            MacAlgorithm::HmacMd5 => "hmac_md5",
            MacAlgorithm::HmacSha256 => "hmac_sha256",
        }
    }
}

impl Level {
    /// The word that crosses to the host.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

impl KeyProblem {
    const ALL: [KeyProblem; 6] = [
        KeyProblem::NotGranted,
        KeyProblem::NotConfigured,
        KeyProblem::UnknownId,
        KeyProblem::WrongUse,
        KeyProblem::BadInput,
        KeyProblem::DecryptFailed,
    ];

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyProblem::NotGranted => "not_granted",
            KeyProblem::NotConfigured => "not_configured",
            KeyProblem::UnknownId => "unknown_id",
            KeyProblem::WrongUse => "wrong_use",
            KeyProblem::BadInput => "bad_input",
            KeyProblem::DecryptFailed => "decrypt_failed",
            KeyProblem::Other => "other",
        }
    }

    /// Reads the word; a new one is [`KeyProblem::Other`].
    pub fn parse(word: &str) -> KeyProblem {
        KeyProblem::ALL.into_iter().find(|problem| problem.as_str() == word).unwrap_or(KeyProblem::Other)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.problem.as_str(), self.message)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for KeyError {}
impl std::error::Error for HttpError {}
