//! Ids that are derived, not minted: the same facts give the same id on every machine and after every replay.
//!
//! An id is a prefix and 26 characters of base32 (RFC 4648, lower case) of SHA-256 over its parts, each ended by 0x1F.
//! A part therefore must not contain 0x1F; [`derive()`] escapes it as 0x1B 0x1F, so that no two part lists collide.

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

const SEPARATOR: u8 = 0x1F;
const ESCAPE: u8 = 0x1B;
/// Characters of base32 behind the prefix: 130 bits.
pub const LENGTH: usize = 26;

/// Derives an id from its parts.
///
/// ```
/// let id = qudao_model::id::derive("pay_", &["wechat-main", "payment", "1636183876", "SO1"]);
/// assert_eq!(id.len(), 4 + 26);
/// assert_eq!(id, qudao_model::id::derive("pay_", &["wechat-main", "payment", "1636183876", "SO1"]));
/// ```
pub fn derive<S: AsRef<str>>(prefix: &str, parts: &[S]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let mut rest = part.as_ref().as_bytes();
        while let Some(at) = rest.iter().position(|byte| *byte == SEPARATOR || *byte == ESCAPE) {
            let (before, from) = rest.split_at(at);
            hash.update(before);
            hash.update([ESCAPE]);
            let (special, after) = from.split_at(1);
            hash.update(special);
            rest = after;
        }
        hash.update(rest);
        hash.update([SEPARATOR]);
    }
    let mut id = String::with_capacity(prefix.len() + LENGTH);
    id.push_str(prefix);
    id.extend(base32().encode(&hash.finalize()).chars().take(LENGTH));
    id
}

/// SHA-256 as lower-case hex, for content hashes and digests.
pub fn sha256_hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Lower-case base32 without padding: the letters of ids.
pub fn base32() -> &'static Encoding {
    static BASE32: OnceLock<Encoding> = OnceLock::new();
    BASE32.get_or_init(|| {
        let mut spec = Specification::new();
        spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
        spec.encoding().unwrap_or(data_encoding::BASE32_NOPAD)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_stable() {
        insta::assert_snapshot!(derive("pay_", &["wechat-main", "payment", "1636183876", "SO1"]), @"pay_vzwsj6lyvkcyj7gxd5mwszbibc");
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let ids = [
            derive("x_", &["a", "b"]),
            derive("x_", &["ab"]),
            derive("x_", &["a\u{1f}b"]),
            derive("x_", &["a\u{1b}", "b"]),
            derive("x_", &["a", "b", ""]),
        ];
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids.iter().skip(at + 1).any(|other| other == id), "{id}");
        }
    }
}
