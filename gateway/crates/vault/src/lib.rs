//! Personal data under seal.
//!
//! Every subject (an order) has a data key of its own; the gateway keeps it only wrapped under the [`Vault`]'s master key.
//! Erasing the wrapped key makes what was sealed under it unreadable everywhere at once, backups included, while masks
//! stay. The vault holds no state and stores nothing: wrapped keys and sealed text are the storage's business, who may
//! open them is the API's.
//!
//! Surprising: the same text under the same key gives the same bytes, because a replay must give what the first time
//! gave. The nonce is therefore made from key and text (HMAC-SHA-256 under a key derived for that purpose). What an
//! onlooker learns is that two seals of one subject hold the same text, and nothing more; a nonce never serves two texts.

mod cipher;
mod error;
mod master;

pub use error::Error;

use cipher::Cipher;
use data_encoding::BASE64;
use qudao_model::Receiver;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of every key here.
const KEY_BYTES: usize = 32;
/// Keeps a wrapped key and other things under the master key apart.
const KEY_AAD: &[u8] = b"qudao subject key";
const BODY_AAD: &[u8] = b"qudao raw body";
/// The tag of a seal.
const FINGERPRINT_BYTES: usize = 16;

/// Seals and opens under one master key.
///
/// ```
/// use qudao_model::Receiver;
/// use qudao_vault::Vault;
/// let vault = Vault::new(Vault::generate()?.as_bytes())?;
/// let key = vault.new_subject_key();
/// let receiver = Receiver { name: Some("韩测评".into()), ..Receiver::default() };
/// let stored = vault.seal_receiver(&key, "ord_1", &receiver)?;
/// assert_eq!(stored.name.as_deref(), Some("韩**"));
/// assert_eq!(vault.open_receiver(&key, "ord_1", &stored.sealed.unwrap())?, receiver);
/// # Ok::<(), qudao_vault::Error>(())
/// ```
pub struct Vault {
    keys: Cipher,
    bodies: Cipher,
}

impl Vault {
    /// Takes the master key as an operator has it: 32 raw bytes, 64 hex digits, or base64 of 32 bytes. Space around
    /// text is ignored.
    ///
    /// # Errors
    /// [`Error::Master`] where it is neither.
    pub fn new(master: &[u8]) -> Result<Vault, Error> {
        let master = master::parse(master)?;
        Ok(Vault { keys: Cipher::new(&master, KEY_AAD)?, bodies: Cipher::new(&master, BODY_AAD)? })
    }

    /// A new master key as text, 64 hex digits.
    ///
    /// # Errors
    /// [`Error::Random`] where the system gives no random bytes.
    pub fn generate() -> Result<Zeroizing<String>, Error> {
        Ok(Zeroizing::new(data_encoding::HEXLOWER.encode(&*random()?)))
    }

    /// A new data key, wrapped under the master key. It is random, so it has to be stored before anything is sealed
    /// under it. Empty where the system gives no random bytes: then nothing can be sealed under it.
    pub fn new_subject_key(&self) -> Vec<u8> {
        random().map(|key| self.keys.seal(KEY_AAD, &*key)).unwrap_or_default()
    }

    /// What may be stored of a receiver: the mask, and the whole of it sealed under the subject's key.
    ///
    /// `subject` is the id of the order; what is sealed for one order does not open as another's.
    ///
    /// # Errors
    /// [`Error::SubjectKey`] where the wrapped key is not one of this master key.
    pub fn seal_receiver(
        &self,
        wrapped: &[u8],
        subject: &str,
        receiver: &Receiver,
    ) -> Result<Receiver, Error> {
        let cipher = self.unwrap(wrapped)?;
        let open = Receiver { sealed: None, ..receiver.clone() };
        let plain = Zeroizing::new(serde_json::to_vec(&open).map_err(Error::Write)?);
        let sealed = BASE64.encode(&cipher.seal(subject.as_bytes(), &plain));
        Ok(Receiver { sealed: Some(sealed), ..receiver.masked() })
    }

    /// The receiver in clear, from the `sealed` of an observation.
    ///
    /// # Errors
    /// [`Error::SubjectKey`] where the wrapped key is not one of this master key; [`Error::Sealed`] where the text was
    /// changed, or sealed under another key or for another subject.
    pub fn open_receiver(&self, wrapped: &[u8], subject: &str, sealed: &str) -> Result<Receiver, Error> {
        let cipher = self.unwrap(wrapped)?;
        let sealed = BASE64.decode(sealed.as_bytes()).map_err(|_| Error::Sealed)?;
        let plain = cipher.open(subject.as_bytes(), &sealed).ok_or(Error::Sealed)?;
        serde_json::from_slice(&plain).map_err(Error::Read)
    }

    /// Seals bytes under the master key itself: raw bodies, which are kept for a time and not forgotten one by one.
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        self.bodies.seal(BODY_AAD, plain)
    }

    /// Opens what [`Vault::seal`] gave; nothing where it was changed or sealed under another master key.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.bodies.open(BODY_AAD, sealed).map(|plain| plain.to_vec())
    }

    /// Tells one master key from another and nothing about either, 32 hex digits. Whoever keeps it beside the data notices
    /// another key before anything is sealed under it.
    pub fn fingerprint(&self) -> String {
        let sealed = self.keys.seal(b"qudao fingerprint", b"");
        data_encoding::HEXLOWER
            .encode(sealed.get(sealed.len().saturating_sub(FINGERPRINT_BYTES)..).unwrap_or(&sealed))
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Cipher, Error> {
        let key = self.keys.open(KEY_AAD, wrapped).ok_or(Error::SubjectKey)?;
        let key: Zeroizing<[u8; KEY_BYTES]> =
            Zeroizing::new(key.as_slice().try_into().map_err(|_| Error::SubjectKey)?);
        Cipher::new(&key, b"qudao receiver")
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

fn random() -> Result<Zeroizing<[u8; KEY_BYTES]>, Error> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    aws_lc_rs::rand::fill(&mut *bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}
