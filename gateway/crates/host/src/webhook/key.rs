//! The key of a webhook, as Standard Webhooks writes it.

use data_encoding::BASE64;
use qudao_keys::{Key, UseError};
use qudao_model::manifest::KeyKind;
use zeroize::Zeroizing;

const PREFIX: &[u8] = b"whsec_";

/// Signs webhooks. It prints nothing of itself.
#[derive(Debug)]
pub struct WebhookKey(Key);

/// Why a secret is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook's secret must be `whsec_` and base64 of 24 to 64 bytes")]
pub struct WebhookKeyError;

impl WebhookKey {
    /// Reads `whsec_…`, white space around it aside.
    pub fn parse(secret: &[u8]) -> Result<WebhookKey, WebhookKeyError> {
        let encoded = secret.trim_ascii().strip_prefix(PREFIX).ok_or(WebhookKeyError)?;
        let bytes = Zeroizing::new(BASE64.decode(encoded).map_err(|_| WebhookKeyError)?);
        if !(24..=64).contains(&bytes.len()) {
            return Err(WebhookKeyError);
        }
        Key::parse(KeyKind::HmacSha256, &bytes).map(WebhookKey).map_err(|_| WebhookKeyError)
    }

    /// `v1,` and the base64 of the HMAC-SHA-256.
    pub(super) fn sign(&self, signed: &[u8]) -> Result<String, UseError> {
        Ok(format!("v1,{}", BASE64.encode(&self.0.mac(signed)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the specification's libraries test with.
    #[test]
    fn signs_as_the_published_example() {
        let key = WebhookKey::parse(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let signed = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        assert_eq!(key.sign(signed).unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(!format!("{key:?}").contains("MfKQ"));
    }

    #[test]
    fn other_shapes_are_no_keys() {
        let secret = |bytes: usize| format!("whsec_{}", BASE64.encode(&vec![7; bytes]));
        for good in [secret(24), secret(64)] {
            assert!(WebhookKey::parse(good.as_bytes()).is_ok());
        }
        for bad in
            [secret(23), secret(65), secret(32).replace("whsec_", ""), "whsec_???".to_owned(), String::new()]
        {
            assert_eq!(WebhookKey::parse(bad.as_bytes()).unwrap_err(), WebhookKeyError, "{bad}");
        }
    }
}
