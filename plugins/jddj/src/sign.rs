//! The signature of calls and callbacks alike: upper-case MD5 over secret, names and raw values in order of names, secret.

use data_encoding::HEXUPPER;
use qudao_sdk::{Host, KeyError, MacAlgorithm};
use std::collections::BTreeMap;

/// Tokens that a call carries.
pub(crate) const TOKENS: [&str; 1] = ["token"];

/// Signs all of `parameters`; `sign` must not be one of them. The marker of a token stands for it.
pub(crate) fn sign(
    parameters: &BTreeMap<&str, &str>,
    tokens: &[&str],
    host: &dyn Host,
) -> Result<String, KeyError> {
    let text: String = parameters.iter().flat_map(|(name, value)| [*name, *value]).collect();
    digest(&text, tokens, host)
}

/// Keyed digest of a text.
pub(crate) fn digest(text: &str, tokens: &[&str], host: &dyn Host) -> Result<String, KeyError> {
    let digest = host.key("app_secret")?.mac_with(MacAlgorithm::Md5Wrapped, text.as_bytes(), tokens)?;
    Ok(HEXUPPER.encode(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use qudao_sdk::{KeyKind, fixtures::NativeHost};
    use serde_json::Value;

    #[test]
    fn signatures() {
        let vectors: Vec<Value> = serde_json::from_str(include_str!("../fixtures/signing.json")).unwrap();
        assert_eq!(vectors.len(), 8);
        for vector in vectors {
            let secret = vector["app_secret"].as_str().unwrap().as_bytes();
            let key = qudao_keys::Key::parse(KeyKind::SharedSecret, secret).unwrap();
            let host = NativeHost::at("2026-03-11T00:00:00Z".parse().unwrap()).with_key("app_secret", key);
            let parameters = vector["params"].as_object().unwrap();
            let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
            assert_eq!(
                sign(&parameters.collect(), &TOKENS, &host).unwrap(),
                vector["sign"],
                "{}",
                vector["id"]
            );
        }
    }
}
