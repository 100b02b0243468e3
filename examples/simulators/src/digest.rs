//! The digests that marketplaces sign with, in upper-case hexadecimal as they all write it.

use data_encoding::HEXUPPER;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

/// MD5 over secret, text and secret again.
pub(crate) fn md5_wrapped(secret: &str, text: &[u8]) -> String {
    let mut md5 = Md5::new();
    md5.update(secret.as_bytes());
    md5.update(text);
    md5.update(secret.as_bytes());
    HEXUPPER.encode(&md5.finalize())
}

/// HMAC-MD5.
pub(crate) fn hmac_md5(secret: &str, text: &[u8]) -> String {
    // An HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(text);
    HEXUPPER.encode(&mac.finalize().into_bytes())
}

/// HMAC-SHA256.
pub(crate) fn hmac_sha256(secret: &str, text: &[u8]) -> String {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
    HEXUPPER.encode(sign(&Key::new(HMAC_SHA256, secret.as_bytes()), text).as_ref())
}

/// Names and values in name order, joined without anything between them; `sign` stays out.
pub(crate) fn joined<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut sorted: Vec<(&str, &str)> = parameters.filter(|(name, _)| *name != "sign").collect();
    sorted.sort_unstable();
    sorted.into_iter().flat_map(|(name, value)| [name, value]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 and RFC 4231, second cases.
    #[test]
    fn known_digests() {
        let text = b"what do ya want for nothing?";
        assert_eq!(hmac_md5("Jefe", text), "750C783E6AB0B503EAA86E310A5DB738");
        assert_eq!(
            hmac_sha256("Jefe", text),
            "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843"
        );
        assert_eq!(md5_wrapped("", b"abc"), "900150983CD24FB0D6963F7D28E17F72");
    }

    #[test]
    fn names_are_in_plain_order() {
        let parameters =
            [("foo", "1"), ("bar", "2"), ("foo_bar", "3"), ("foobar", "4"), ("sign", "X"), ("360buy", "5")];
        assert_eq!(joined(parameters.into_iter()), "360buy5bar2foo1foo_bar3foobar4");
    }
}
