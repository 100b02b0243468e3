//! Bundles of X.509 certificates, each found by its serial number.
//!
//! Certificates with keys that are not RSA verify nothing, yet they are listed: Alipay's root file mixes RSA with EC and
//! SM2, and its serial number is computed over what the file holds.

use crate::{ParseError, UseError, armour};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use data_encoding::{HEXLOWER, HEXUPPER};
use x509_parser::{
    certificate::X509Certificate,
    prelude::FromDer,
    x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name},
};

/// Attribute types that RFC 4514 gives a short name; all others are written as dotted numbers.
const SHORT_NAMES: [(&str, &str); 9] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
];

/// What anybody may know of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Issuer as RFC 4514 writes it, the most special part first: `CN=…,OU=…,O=…,C=…`.
    pub issuer: String,
    /// Serial number, decimal.
    pub serial: String,
    /// Object identifier of the signature algorithm, dotted: `1.2.840.113549.1.1.11` is SHA-256 with RSA.
    pub signature_algorithm: String,
}

pub(crate) struct Certificates {
    /// Those that can verify, by serial number in hex.
    keys: Vec<(String, ParsedPublicKey)>,
    /// All, in the order of the file.
    listed: Vec<Certificate>,
}

impl Certificates {
    pub(crate) fn parse(secret: &[u8]) -> Result<Certificates, ParseError> {
        if secret.iter().all(u8::is_ascii_whitespace) {
            return Err(ParseError::Empty);
        }
        let (mut keys, mut listed) = (Vec::new(), Vec::new());
        for (index, der) in armour::blocks(secret, &["CERTIFICATE"])?.enumerate() {
            let unreadable = ParseError::Certificate { at: index + 1 };
            let (rest, certificate) = X509Certificate::from_der(&der).map_err(|_| unreadable.clone())?;
            if !rest.is_empty() {
                return Err(unreadable);
            }
            let spki = certificate.public_key().raw;
            if let Ok(key) = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki) {
                keys.push((serial(&certificate), key));
            }
            listed.push(told(&certificate));
        }
        if keys.is_empty() {
            return Err(ParseError::NoRsaCertificate);
        }
        Ok(Certificates { keys, listed })
    }

    pub(crate) fn listed(&self) -> &[Certificate] {
        &self.listed
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.keys.iter().map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn verify(&self, id: Option<&str>, data: &[u8], signature: &[u8]) -> Result<bool, UseError> {
        let mut known = false;
        for (serial, key) in &self.keys {
            if id.is_none_or(|id| id == serial) {
                known = true;
                if key.verify_sig(data, signature).is_ok() {
                    return Ok(true);
                }
            }
        }
        if known { Ok(false) } else { Err(UseError::unknown_id()) }
    }
}

/// As platforms print it: the bytes of the number in upper-case hex, leading zeros of a byte kept, without the zero
/// byte that DER puts before a number whose highest bit is set.
fn serial(certificate: &X509Certificate<'_>) -> String {
    match certificate.raw_serial() {
        [0, number @ ..] if !number.is_empty() => HEXUPPER.encode(number),
        number => HEXUPPER.encode(number),
    }
}

fn told(certificate: &X509Certificate<'_>) -> Certificate {
    Certificate {
        issuer: distinguished_name(certificate.issuer()),
        serial: certificate.tbs_certificate.serial.to_string(),
        signature_algorithm: certificate.signature_algorithm.algorithm.to_id_string(),
    }
}

/// RFC 4514: the parts in reverse order.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut parts: Vec<String> = name.iter_rdn().map(relative_name).collect();
    parts.reverse();
    parts.join(",")
}

fn relative_name(part: &RelativeDistinguishedName<'_>) -> String {
    part.iter().map(attribute).collect::<Vec<_>>().join("+")
}

fn attribute(attribute: &AttributeTypeAndValue<'_>) -> String {
    let oid = attribute.attr_type().to_id_string();
    let short = SHORT_NAMES.iter().find(|(known, _)| *known == oid).map(|(_, short)| *short);
    match (short, attribute.as_str()) {
        (Some(short), Ok(value)) => format!("{short}={}", escaped(value)),
        (None, Ok(value)) => format!("{oid}={}", escaped(value)),
        // Another kind of text: its bytes, as the RFC has it.
        (short, Err(_)) => format!("{}=#{}", short.unwrap_or(&oid), HEXLOWER.encode(attribute.as_slice())),
    }
}

fn escaped(value: &str) -> String {
    let last = value.chars().count().saturating_sub(1);
    let mut text = String::with_capacity(value.len());
    for (at, char) in value.chars().enumerate() {
        let outer = (at == 0 && matches!(char, ' ' | '#')) || (at == last && char == ' ');
        if outer || matches!(char, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            text.push('\\');
        }
        if char == '\0' { text.push_str("\\00") } else { text.push(char) }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn values_are_escaped_as_rfc_4514_has_it() {
        let check = |value: &str, expect: &str| assert_eq!(escaped(value), expect);
        check("Ant Financial", "Ant Financial");
        check("Sue, Grabbit + Runn", "Sue\\, Grabbit \\+ Runn");
        check(" #x ", "\\ #x\\ ");
        check("#1 \"a\\b\"", "\\#1 \\\"a\\\\b\\\"");
        check("a\0b", "a\\00b");
        check(" ", "\\ ");
        check("", "");
    }
}
