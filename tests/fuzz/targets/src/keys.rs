//! Secrets as an operator may have saved them, and ciphertexts as a stranger may send them.
//!
//! The head names the kind; part `secret` is the key, part `data` is what it is used on.

use crate::Reached;
use crate::parts::Parts;
use qudao_keys::Key;
use qudao_model::manifest::KeyKind;

/// The kinds, by their word in a manifest.
pub const KINDS: [KeyKind; 7] = [
    KeyKind::RsaPublicKey,
    KeyKind::X509Certificates,
    KeyKind::RsaPrivateKey,
    KeyKind::Aes256Gcm,
    KeyKind::HmacSha256,
    KeyKind::SharedSecret,
    KeyKind::Token,
];

/// Parses a key and uses it for everything that there is.
pub fn run(data: &[u8]) -> Reached {
    let parts = Parts::of(data);
    let word = String::from_utf8_lossy(parts.head).trim().to_owned();
    let kind = serde_json::from_value::<KeyKind>(word.into());
    let (Ok(kind), Some(secret)) = (kind, parts.get("secret")) else { return Reached::Nothing };
    let Ok(key) = Key::parse(kind, secret) else { return Reached::Refused };
    let data = parts.get("data").unwrap_or_default();
    let (nonce, rest) = data.split_at(data.len().min(12));
    assert_eq!(format!("{key:?}"), format!("Key({kind:?})"), "nothing of a key is shown");
    let ids = key.ids();
    for id in ids.iter().map(Some).chain([None]) {
        // Nobody can guess a signature.
        assert!(!key.verify(id.map(String::as_str), data, rest).unwrap_or(false));
    }
    assert!(!key.decrypt(nonce, b"", rest).is_ok_and(|_| kind == KeyKind::Aes256Gcm));
    for algorithm in ["md5_wrapped", "hmac_md5", "hmac_sha256", "other"] {
        let digest = key.mac_with(algorithm, data);
        assert_eq!(digest.ok(), key.mac_with(algorithm, data).ok());
    }
    let _mac = key.mac(data);
    // Signing with a private key costs a millisecond, and there is nothing to parse in it.
    let filled = qudao_keys::fill(data, &[("token", &key)], true);
    assert!(kind == KeyKind::Token || filled.is_err() || filled.is_ok_and(|filled| filled == data));
    Reached::Understood
}
