//! Raw bytes of deliveries that hold personal data: sealed before they are stored, opened when they are read.
//!
//! Query, headers and body are sealed together; digest and size stay those of the plain body, and method and path stay
//! readable. How things are sealed is the [`Vault`]'s; what cannot be opened is an error, never garbage.

use crate::Error;
use qudao_model::{Request, delivery::Header};
use serde::{Deserialize, Serialize};

/// Seals and opens with a key of its own. What it seals it must be able to tell from what another key sealed.
pub trait Vault: Send + Sync + 'static {
    /// Seals.
    fn seal(&self, plain: &[u8]) -> Vec<u8>;
    /// Opens; nothing where it was sealed by another key, or changed.
    fn open(&self, sealed: &[u8]) -> Option<Vec<u8>>;
}

/// What stands before the body inside the seal.
#[derive(Serialize, Deserialize)]
struct Head {
    query: Option<String>,
    headers: Vec<Header>,
}

/// Takes query, headers and body of a request and gives them sealed.
pub(crate) fn seal(vault: Option<&dyn Vault>, request: &mut Request) -> Result<Vec<u8>, Error> {
    let vault = vault.ok_or(Error::VaultMissing)?;
    let head = Head { query: request.query.take(), headers: std::mem::take(&mut request.headers) };
    // Serialising lists of texts cannot fail.
    let mut plain = serde_json::to_vec(&head).unwrap_or_default();
    // JSON has no line break of its own.
    plain.push(b'\n');
    plain.append(&mut request.body);
    Ok(vault.seal(&plain))
}

/// Puts back what [`seal`] took.
pub(crate) fn open(vault: Option<&dyn Vault>, mut sealed: Request, id: &str) -> Result<Request, Error> {
    let vault = vault.ok_or(Error::VaultMissing)?;
    let foreign = || Error::VaultWrong { id: id.to_owned() };
    let plain = vault.open(&sealed.body).ok_or_else(foreign)?;
    let end = plain.iter().position(|byte| *byte == b'\n').ok_or_else(foreign)?;
    let (head, body) = plain.split_at(end);
    let head: Head = serde_json::from_slice(head).map_err(|_| foreign())?;
    sealed.query = head.query;
    sealed.headers = head.headers;
    sealed.body = body.get(1..).unwrap_or_default().to_vec();
    Ok(sealed)
}
