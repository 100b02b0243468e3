//! What can be wrong with a secret, and with a use of a key. No text holds any part of a secret.

use qudao_model::manifest::KeyKind;

/// Why a secret is no key of its kind; the text says what it must look like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// Neither PEM nor base64.
    #[error("is neither PEM (-----BEGIN …) nor base64 of DER")]
    Encoding,
    /// PEM of something else.
    #[error("is PEM of another thing: expected {expected}, found {found}")]
    Label {
        /// Labels that would do.
        expected: String,
        /// The first label found.
        found: String,
    },
    /// A private key behind a passphrase.
    #[error("is encrypted with a passphrase: decrypt it first, for example with `openssl pkey`")]
    Encrypted,
    /// More than one PEM block where one is asked for.
    #[error("holds {found} keys, expected one")]
    Several {
        /// How many.
        found: usize,
    },
    /// DER, but no such RSA key.
    #[error("is no RSA public key of 2048 to 8192 bits (PEM, or base64 of SubjectPublicKeyInfo)")]
    PublicKey,
    /// DER, but no such RSA key.
    #[error("is no RSA private key of 2048 to 8192 bits (PKCS#8 or PKCS#1, PEM or base64)")]
    PrivateKey,
    /// PEM of a certificate that cannot be read.
    #[error("certificate {at} of the bundle cannot be read as X.509")]
    Certificate {
        /// Counted from 1.
        at: usize,
    },
    /// Certificates, and none has an RSA key that can be used.
    #[error("holds no certificate with an RSA key of 2048 to 8192 bits")]
    NoRsaCertificate,
    /// A key of another length.
    #[error("has {found} bytes, expected exactly 32 (the key itself as text, neither hex nor base64)")]
    AesLength {
        /// Bytes found.
        found: usize,
    },
    /// A token with something that no request can carry.
    #[error("has spaces, line ends or characters other than visible ASCII, which no token has")]
    Token,
}

/// Why a key could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct UseError {
    /// `unknown_id`, `wrong_use`, `bad_input` or `decrypt_failed`.
    pub code: &'static str,
    /// For the operator; holds nothing of key or data.
    pub message: String,
}

impl UseError {
    pub(crate) fn unknown_id() -> UseError {
        UseError { code: "unknown_id", message: "no key of that id in the bundle".into() }
    }

    pub(crate) fn wrong_use(kind: KeyKind, verb: &str) -> UseError {
        let message = format!("a key of kind {kind:?} can {}, not {verb}", kind.verb());
        UseError { code: "wrong_use", message }
    }

    pub(crate) fn bad_input(message: &str) -> UseError {
        UseError { code: "bad_input", message: message.into() }
    }

    pub(crate) fn decrypt_failed() -> UseError {
        UseError {
            code: "decrypt_failed",
            message: "key, nonce, associated data, tag or padding do not agree".into(),
        }
    }
}
