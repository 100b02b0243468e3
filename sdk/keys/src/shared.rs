//! A secret that both sides know, used the way a platform prescribes: some of them digest with MD5, which AWS-LC leaves out.

use crate::{ParseError, UseError};
use aws_lc_rs::{
    cipher::{AES_128, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    hmac as aws,
    iv::FixedLength,
};
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// Names of the digests, for messages.
const ALGORITHMS: &str = "md5_wrapped, hmac_md5 and hmac_sha256";

/// Bytes of an AES-128 key, and of its initial vector.
const AES_BYTES: usize = 16;

pub(crate) struct SharedSecret(Zeroizing<Vec<u8>>);

impl SharedSecret {
    pub(crate) fn parse(secret: &[u8]) -> Result<SharedSecret, ParseError> {
        if secret.is_empty() {
            return Err(ParseError::Empty);
        }
        Ok(SharedSecret(Zeroizing::new(secret.to_vec())))
    }

    pub(crate) fn mac(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, UseError> {
        let secret = self.0.as_slice();
        match algorithm {
            "md5_wrapped" => {
                let digest = Md5::new().chain_update(secret).chain_update(data).chain_update(secret);
                Ok(digest.finalize().to_vec())
            }
            "hmac_md5" => {
                let mac = Hmac::<Md5>::new_from_slice(secret)
                    .map_err(|_| UseError::bad_input("the secret has a length that HMAC cannot use"))?;
                Ok(mac.chain_update(data).finalize().into_bytes().to_vec())
            }
            "hmac_sha256" => Ok(hmac_sha256(&aws::Key::new(aws::HMAC_SHA256, secret), data)),
            other => Err(unknown(other)),
        }
    }

    /// AES-128-CBC with PKCS#7; the secret's first 16 bytes are the key, the next 16 the initial vector.
    pub(crate) fn decrypt(&self, ciphertext: &[u8]) -> Result<Vec<u8>, UseError> {
        let (key, rest) = self.0.split_at_checked(AES_BYTES).ok_or_else(too_short)?;
        let iv: &[u8; AES_BYTES] = rest.first_chunk().ok_or_else(too_short)?;
        let open = || {
            let key = UnboundCipherKey::new(&AES_128, key).ok()?;
            let mut buffer = ciphertext.to_vec();
            let iv = DecryptionContext::Iv128(FixedLength::from(iv));
            let plain = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?.decrypt(&mut buffer, iv).ok()?.len();
            buffer.truncate(plain);
            Some(buffer)
        };
        open().ok_or_else(UseError::decrypt_failed)
    }
}

pub(crate) fn hmac_sha256(key: &aws::Key, data: &[u8]) -> Vec<u8> {
    aws::sign(key, data).as_ref().to_vec()
}

pub(crate) fn unknown(algorithm: &str) -> UseError {
    let algorithm: String = algorithm.chars().filter(|char| !char.is_control()).take(32).collect();
    UseError::bad_input(&format!("no digest is called {algorithm:?}; there are {ALGORITHMS}"))
}

fn too_short() -> UseError {
    UseError::bad_input("a shared secret decrypts only from 32 bytes up")
}
