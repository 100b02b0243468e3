//! The terms of an import: the settings by which its file is read and its figures count. They are kept as a file under their
//! SHA-256 before anything is read, so that a run that was cut off, a decision that comes later and a replay read it as it
//! was read at first, whatever the mapping and the store directory say by then.
//!
//! Each part says in its delivery by which terms it was read and what it came to. Leaves to `decide` when new terms begin.

use super::{Reader, settings};
use crate::{Error, FileSettings};
use qudao_model::{Timestamp, id};
use qudao_storage::{StockPart, Storage, StoreSnapshot};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::{io::Read as _, sync::Arc};

/// Settings that say where files come from: they change nothing of what is read.
const OF_FOLDERS: [&str; 3] = ["watch", "settle", "marker"];
/// What separates the words of a row in a digest.
const BETWEEN: [u8; 1] = [0x1F];

/// What the delivery of a part says of it, as its body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Noted {
    /// SHA-256 of the settings.
    pub(crate) settings: String,
    /// Its stores.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) stores: Vec<NotedStore>,
    /// Digest of the figures and movements. Of slips there is none: the delivery has them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content: Option<String>,
}

/// A store of a part, and what is not in the file but was decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotedStore {
    pub(crate) code: String,
    /// Of its figures; above zero where a person confirmed them.
    #[serde(default)]
    pub(crate) revision: i64,
    /// Whether SKUs that it does not list have no pieces.
    #[serde(default)]
    pub(crate) absent_zero: bool,
}

impl Noted {
    /// What is to be noted of stock.
    pub(crate) fn stock(terms: &str, part: &StockPart) -> Noted {
        let store = |store: &StoreSnapshot| NotedStore {
            code: store.store_code.clone(),
            revision: store.revision,
            absent_zero: store.absent_zero,
        };
        let stores = part.stores.iter().map(store).collect();
        Noted { settings: terms.to_owned(), stores, content: Some(content(part)) }
    }

    /// What is to be noted of slips.
    pub(crate) fn slips(terms: &str) -> Noted {
        Noted { settings: terms.to_owned(), ..Noted::default() }
    }

    /// As a body.
    pub(crate) fn body(&self) -> Vec<u8> {
        // Serialising plain structs with text keys cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a body.
    pub(crate) fn of(body: &[u8]) -> Option<Noted> {
        serde_json::from_slice(body).ok()
    }
}

/// Digest of all that a part says.
pub(crate) fn content(part: &StockPart) -> String {
    let mut hash = Sha256::new();
    for store in &part.stores {
        add_store(&mut hash, store);
    }
    for movement in &part.movements {
        for text in [&movement.key.doc_no, &movement.key.line] {
            hash.update(text);
            hash.update(BETWEEN);
        }
        hash.update(movement.sku.as_bytes());
        hash.update(movement.digest());
    }
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

fn add_store(hash: &mut Sha256, store: &StoreSnapshot) {
    let micros = |at: Timestamp| at.as_microsecond().to_string();
    let seq = store.seq.map(|seq| seq.to_string()).unwrap_or_default();
    let head = [store.store_code.clone(), micros(store.as_of), format!("{:?}", store.precision), seq];
    for text in head.iter().map(String::as_str).chain([if store.absent_zero { "zero" } else { "" }]) {
        hash.update(text);
        hash.update(BETWEEN);
    }
    for (sku, bucket, qty) in &store.rows {
        hash.update(sku);
        hash.update(BETWEEN);
        hash.update(bucket.as_str());
        hash.update(qty.to_be_bytes());
    }
    hash.update(BETWEEN);
}

impl Reader {
    /// The terms in force.
    pub(crate) fn terms_in_force(&self) -> Value {
        let mut terms = (*self.files.settings).clone();
        if let Some(members) = terms.as_object_mut() {
            members.retain(|name, _| !OF_FOLDERS.contains(&name.as_str()));
        }
        terms
    }

    /// The same channel, reading by other terms: those of SHA-256 `name` and of the mapping with this digest.
    pub(crate) fn under(&self, (name, terms): (String, Value), mapping: &str) -> Reader {
        let mut settings = terms;
        if let (Some(members), Some(now)) = (settings.as_object_mut(), self.files.settings.as_object()) {
            let kept = now.iter().filter(|(name, _)| OF_FOLDERS.contains(&name.as_str()));
            members.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
        }
        let policy = settings::policy(&settings, &self.document);
        Reader {
            name: self.name.clone(),
            connector: Arc::clone(&self.connector),
            status: self.status,
            bytes_max: self.bytes_max,
            document: self.document.clone(),
            files: FileSettings { settings: Arc::new(settings), digest: mapping.to_owned() },
            watch: self.watch.clone(),
            policy,
            terms: name,
        }
    }
}

/// Keeps terms, and says under which name.
pub(crate) async fn keep(storage: &Storage, terms: &Value) -> Result<String, Error> {
    let text = terms.to_string();
    let name = id::sha256_hex(text.as_bytes());
    if storage.open_file(&name).is_err() {
        let mut file = storage.new_file().await?;
        file.write(text.as_bytes()).await?;
        file.finish().await?;
    }
    Ok(name)
}

/// Loads terms.
pub(crate) fn load(storage: &Storage, name: &str) -> Result<Value, Error> {
    let mut text = String::new();
    storage.open_file(name)?.read_to_string(&mut text).map_err(|source| Error::Spool { source })?;
    let damaged = |source: std::io::Error| Error::Spool { source };
    if id::sha256_hex(text.as_bytes()) != name {
        return Err(damaged(std::io::Error::other("the kept settings are not those that were written")));
    }
    serde_json::from_str(&text).map_err(|error| damaged(error.into()))
}
