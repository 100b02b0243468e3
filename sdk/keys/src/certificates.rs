//! Bundles of X.509 certificates, each found by its serial number.
//!
//! Certificates with keys that are not RSA are passed over: Alipay's root file mixes RSA with EC and SM2.

use crate::{ParseError, UseError, armour};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use data_encoding::HEXUPPER;
use x509_parser::{certificate::X509Certificate, prelude::FromDer};

pub(crate) struct Certificates(Vec<(String, ParsedPublicKey)>);

impl Certificates {
    pub(crate) fn parse(secret: &[u8]) -> Result<Certificates, ParseError> {
        if secret.iter().all(u8::is_ascii_whitespace) {
            return Err(ParseError::Empty);
        }
        let mut found = Vec::new();
        for (index, der) in armour::blocks(secret, &["CERTIFICATE"])?.enumerate() {
            let unreadable = ParseError::Certificate { at: index + 1 };
            let (rest, certificate) = X509Certificate::from_der(&der).map_err(|_| unreadable.clone())?;
            if !rest.is_empty() {
                return Err(unreadable);
            }
            let spki = certificate.public_key().raw;
            if let Ok(key) = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, spki) {
                found.push((serial(&certificate), key));
            }
        }
        if found.is_empty() {
            return Err(ParseError::NoRsaCertificate);
        }
        Ok(Certificates(found))
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.0.iter().map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn verify(&self, id: Option<&str>, data: &[u8], signature: &[u8]) -> Result<bool, UseError> {
        let mut known = false;
        for (serial, key) in &self.0 {
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
