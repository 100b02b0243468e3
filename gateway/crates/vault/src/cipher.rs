//! AES-256-GCM whose nonce is made from key and text.
//!
//! Sealed bytes are nonce (12), ciphertext, tag (16). Two keys are derived from the one given, one for the cipher and one
//! for nonces, so that neither use tells anything about the other; a purpose keeps uses of one key apart.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use zeroize::Zeroizing;

use crate::{Error, KEY_BYTES};

/// One key, ready to use.
pub(crate) struct Cipher {
    key: LessSafeKey,
    nonces: hmac::Key,
}

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_BYTES], purpose: &[u8]) -> Result<Cipher, Error> {
        let root = hmac::Key::new(hmac::HMAC_SHA256, key);
        let cipher = derive(&root, b"cipher", purpose);
        let nonces = derive(&root, b"nonce", purpose);
        let key = UnboundKey::new(&AES_256_GCM, &cipher).map_err(|_| Error::Cipher)?;
        Ok(Cipher { key: LessSafeKey::new(key), nonces: hmac::Key::new(hmac::HMAC_SHA256, &nonces) })
    }

    /// Equal text and `aad` give equal bytes. Empty for a text beyond 64 GiB, which the cipher cannot take.
    pub(crate) fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        self.nonce(aad, plain).as_ref().iter().zip(&mut nonce).for_each(|(from, to)| *to = *from);
        // The buffer is encrypted in place; with room for the tag it is never moved while it holds the text.
        let mut buffer = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        buffer.extend_from_slice(plain);
        let sealed = self.key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut buffer,
        );
        sealed.map(|()| [&nonce, buffer.as_slice()].concat()).unwrap_or_default()
    }

    /// Nothing where it was changed, or sealed under another key or for another `aad`.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.key.open_in_place(nonce, Aad::from(aad), &mut buffer).ok()?.len();
        buffer.truncate(plain);
        Some(buffer)
    }

    /// The same text for another `aad` gets another nonce: lengths in front keep the two apart.
    fn nonce(&self, aad: &[u8], plain: &[u8]) -> hmac::Tag {
        let mut mac = hmac::Context::with_key(&self.nonces);
        mac.update(&(aad.len() as u64).to_be_bytes());
        mac.update(aad);
        mac.update(plain);
        mac.sign()
    }
}

fn derive(root: &hmac::Key, half: &[u8], purpose: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut mac = hmac::Context::with_key(root);
    mac.update(half);
    mac.update(b"\0");
    mac.update(purpose);
    Zeroizing::new(mac.sign().as_ref().to_vec())
}
