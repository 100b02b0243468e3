//! Keys that are used and never read.
//!
//! [`Key::parse`] turns a secret as an operator has it (PEM file, bare base64, 32 bytes of text) into a key of one
//! [`KeyKind`]; the kind fixes the algorithm and what the key allows. Parsing is done once, so that a use
//! costs only the cryptography. No function returns key material but [`fill`], which puts tokens into what the gateway
//! itself sends or digests; `Debug` prints the kind alone, and neither error repeats any part of a secret. Memory that
//! keeps one is zeroised: buffers here, key objects by AWS-LC itself.
//!
//! Surprising: a bundle of certificates is asked by serial number; asked without one, any of its keys may be right.
//! Chains and validity dates are not checked: which certificate to trust is the operator's decision.

mod armour;
mod certificates;
mod error;
mod shared;
mod token;

pub use certificates::Certificate;
pub use error::{ParseError, UseError};
pub use token::{fill, has_marker};

use aws_lc_rs::{
    aead::{self, LessSafeKey, UnboundKey},
    hmac,
    rand::SystemRandom,
    rsa,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256},
};
use certificates::Certificates;
use qudao_model::manifest::KeyKind;
use shared::SharedSecret;
use std::fmt;
use token::Token;

/// Bytes of an AES-256 key; the platform hands it out as that many ASCII characters.
const AES_KEY_BYTES: usize = 32;

/// One key, or one bundle of certificates.
///
/// ```
/// use qudao_keys::Key;
/// use qudao_model::manifest::KeyKind;
/// let key = Key::parse(KeyKind::HmacSha256, b"a text known to both").unwrap();
/// assert_eq!(key.mac(b"data").unwrap().len(), 32);
/// assert_eq!(key.sign(b"data").unwrap_err().code, "wrong_use");
/// assert_eq!(format!("{key:?}"), "Key(HmacSha256)");
/// ```
pub struct Key {
    kind: KeyKind,
    material: Material,
}

enum Material {
    Public(ParsedPublicKey),
    Bundle(Certificates),
    Private(rsa::KeyPair),
    Aes(LessSafeKey),
    Hmac(Box<hmac::Key>),
    Shared(SharedSecret),
    Token(Token),
}

impl Key {
    /// Reads a secret of the given kind. PEM may stand among other text; bare base64 may be wrapped.
    pub fn parse(kind: KeyKind, secret: &[u8]) -> Result<Key, ParseError> {
        let material = match kind {
            KeyKind::RsaPublicKey => Material::Public(public(secret)?),
            KeyKind::X509Certificates => Material::Bundle(Certificates::parse(secret)?),
            KeyKind::RsaPrivateKey => Material::Private(private(secret)?),
            KeyKind::Aes256Gcm => Material::Aes(aes(secret)?),
            KeyKind::HmacSha256 if secret.is_empty() => return Err(ParseError::Empty),
            KeyKind::HmacSha256 => Material::Hmac(Box::new(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            KeyKind::SharedSecret => Material::Shared(SharedSecret::parse(secret)?),
            KeyKind::Token => Material::Token(Token::parse(secret)?),
        };
        Ok(Key { kind, material })
    }

    /// What it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Serial numbers in a bundle, upper-case hex in pairs of digits, in the order of the file; empty for a single key.
    pub fn ids(&self) -> Vec<String> {
        self.bundle().map(Certificates::ids).unwrap_or_default()
    }

    /// The certificates of a bundle, in the order of the file, also those whose key cannot verify; empty for a single key.
    pub fn certificates(&self) -> Vec<Certificate> {
        self.bundle().map(|bundle| bundle.listed().to_vec()).unwrap_or_default()
    }

    /// Whether `signature` (raw bytes) is right for `data`: RSASSA-PKCS1-v1_5 with SHA-256.
    ///
    /// `id` picks one certificate of a bundle. A single public key has no ids, so any `id` is `unknown_id` there.
    pub fn verify(&self, id: Option<&str>, data: &[u8], signature: &[u8]) -> Result<bool, UseError> {
        match (&self.material, id) {
            (Material::Public(key), None) => Ok(key.verify_sig(data, signature).is_ok()),
            (Material::Public(_), Some(_)) => Err(UseError::unknown_id()),
            (Material::Bundle(bundle), id) => bundle.verify(id, data, signature),
            (
                Material::Private(_)
                | Material::Aes(_)
                | Material::Hmac(_)
                | Material::Shared(_)
                | Material::Token(_),
                _,
            ) => Err(UseError::wrong_use(self.kind, "verify")),
        }
    }

    /// Signs `data`: RSASSA-PKCS1-v1_5 with SHA-256, as long as the modulus.
    pub fn sign(&self, data: &[u8]) -> Result<Vec<u8>, UseError> {
        let Material::Private(pair) = &self.material else {
            return Err(UseError::wrong_use(self.kind, "sign"));
        };
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), data, &mut signature)
            .map_err(|_| UseError::bad_input("the data could not be signed"))?;
        Ok(signature)
    }

    /// Opens what the platform sealed, as the kind has it. AES-256-GCM: 12 bytes of nonce, `ciphertext` ending with the 16
    /// bytes of tag. Shared secret: AES-128-CBC, where nonce and associated data are empty.
    pub fn decrypt(&self, nonce: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, UseError> {
        match &self.material {
            Material::Aes(key) => open_gcm(key, nonce, aad, ciphertext),
            Material::Shared(secret) if nonce.is_empty() && aad.is_empty() => secret.decrypt(ciphertext),
            Material::Shared(_) => {
                Err(UseError::bad_input("a shared secret decrypts without nonce and associated data"))
            }
            Material::Public(_)
            | Material::Bundle(_)
            | Material::Private(_)
            | Material::Hmac(_)
            | Material::Token(_) => Err(UseError::wrong_use(self.kind, "decrypt")),
        }
    }

    /// HMAC-SHA-256 of `data`, 32 bytes.
    pub fn mac(&self, data: &[u8]) -> Result<Vec<u8>, UseError> {
        let Material::Hmac(key) = &self.material else {
            return Err(UseError::wrong_use(self.kind, "mac"));
        };
        Ok(shared::hmac_sha256(key, data))
    }

    /// Digest of `data` with a shared secret: `md5_wrapped` (MD5 of secret, data and secret; 16 bytes), `hmac_md5` (16) or
    /// `hmac_sha256` (32), which a key of kind [`KeyKind::HmacSha256`] makes too.
    ///
    /// ```
    /// use qudao_keys::Key;
    /// use qudao_model::manifest::KeyKind;
    /// let key = Key::parse(KeyKind::SharedSecret, b"64bb53fbe56279527314d695e0715f13").unwrap();
    /// let digest = key.mac_with("md5_wrapped", b"app_key35877530group_namedefaulttimestamp1772517920000").unwrap();
    /// assert_eq!(data_encoding::HEXUPPER.encode(&digest), "FFEED0DB45FEB6EFDC930A99B71736A9");
    /// ```
    pub fn mac_with(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, UseError> {
        match &self.material {
            Material::Shared(secret) => secret.mac(algorithm, data),
            Material::Hmac(key) if algorithm == "hmac_sha256" => Ok(shared::hmac_sha256(key, data)),
            Material::Hmac(_) => Err(UseError::bad_input("a key of this kind makes hmac_sha256 only")),
            Material::Public(_)
            | Material::Bundle(_)
            | Material::Private(_)
            | Material::Aes(_)
            | Material::Token(_) => Err(UseError::wrong_use(self.kind, "mac_with")),
        }
    }

    fn bundle(&self) -> Option<&Certificates> {
        if let Material::Bundle(bundle) = &self.material { Some(bundle) } else { None }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.kind).finish()
    }
}

fn public(secret: &[u8]) -> Result<ParsedPublicKey, ParseError> {
    let der = armour::single(secret, &["PUBLIC KEY", "RSA PUBLIC KEY"])?;
    ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &*der).map_err(|_| ParseError::PublicKey)
}

fn private(secret: &[u8]) -> Result<rsa::KeyPair, ParseError> {
    let der = armour::single(secret, &["PRIVATE KEY", "RSA PRIVATE KEY"])?;
    rsa::KeyPair::from_pkcs8(&der)
        .or_else(|_| rsa::KeyPair::from_der(&der))
        .map_err(|_| ParseError::PrivateKey)
}

fn open_gcm(key: &LessSafeKey, nonce: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Vec<u8>, UseError> {
    let nonce = aead::Nonce::try_assume_unique_for_key(nonce)
        .map_err(|_| UseError::bad_input("a nonce of AES-GCM has 12 bytes"))?;
    let mut buffer = ciphertext.to_vec();
    let plain = key
        .open_in_place(nonce, aead::Aad::from(aad), &mut buffer)
        .map_err(|_| UseError::decrypt_failed())?
        .len();
    buffer.truncate(plain);
    Ok(buffer)
}

fn aes(secret: &[u8]) -> Result<LessSafeKey, ParseError> {
    if secret.len() != AES_KEY_BYTES {
        return Err(ParseError::AesLength { found: secret.len() });
    }
    let key = UnboundKey::new(&aead::AES_256_GCM, secret)
        .map_err(|_| ParseError::AesLength { found: secret.len() })?;
    Ok(LessSafeKey::new(key))
}

/// Bytes from the system's generator, through AWS-LC.
pub fn random_bytes(count: usize) -> Result<Vec<u8>, UseError> {
    let mut bytes = vec![0; count];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| UseError::bad_input("the system gives no random bytes"))?;
    Ok(bytes)
}
