//! Keys of subjects: what personal data of one order is sealed under, itself sealed by the caller.
//!
//! Storage sees no key in clear. A subject has one key, whoever asks first; forgetting it makes everything that was sealed
//! under it unreadable, in every backup that has no older copy of the key.

use crate::{Error, Storage, writer::Edit};
use std::collections::BTreeMap;

impl Storage {
    /// The wrapped keys of all `subjects`: those that are there, and new ones by `make` for the others, durable before
    /// this answers. Two callers at once get the same key.
    pub async fn subject_keys(
        &self,
        subjects: &[String],
        make: &(dyn Fn() -> Vec<u8> + Sync),
    ) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        loop {
            let keys = self.inner.reader.subject_keys(subjects).await?;
            let missing = subjects.iter().filter(|subject| !keys.contains_key(*subject));
            let new: BTreeMap<String, Vec<u8>> = missing.map(|subject| (subject.clone(), make())).collect();
            if new.is_empty() {
                return Ok(keys);
            }
            // Somebody else may be faster: what is stored counts, not what was made.
            self.put_subject_keys(new).await?;
        }
    }

    /// The wrapped key of one subject, while there is one.
    pub async fn subject_key(&self, subject: &str) -> Result<Option<Vec<u8>>, Error> {
        let mut keys = self.inner.reader.subject_keys(&[subject.to_owned()]).await?;
        Ok(keys.remove(subject))
    }

    /// All wrapped keys, by subject.
    pub async fn all_subject_keys(&self) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        self.inner.reader.all_subject_keys().await
    }

    /// Stores wrapped keys, such as those of another database. A subject that has one keeps it.
    pub async fn put_subject_keys(&self, keys: BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        self.edit(Edit::SubjectKeys(keys)).await.map(drop)
    }

    /// Puts `mark` in the place of a subject's key, in one step: what was sealed under it can never be opened again, and
    /// nobody who asks meanwhile gets a new key.
    pub async fn mark_subject(&self, subject: &str, mark: &[u8]) -> Result<(), Error> {
        let edit = Edit::Mark { subject: subject.to_owned(), mark: mark.to_owned() };
        self.edit(edit).await.map(drop)
    }

    /// Forgets a key, and with it all that was sealed under it. Says whether there was one.
    pub async fn forget_subject(&self, subject: &str) -> Result<bool, Error> {
        self.edit(Edit::Forget(subject.to_owned())).await.map(|rows| rows > 0)
    }
}
