//! Files as they came, beside the database: each is kept once under its SHA-256, in a folder `files`.
//!
//! Guarantees: a file is whole on the disk under its name before anybody is told the name; the same bytes again are the
//! same file. What was not finished is gone: at once when the writer is dropped, else at the next start.
//! Leaves to `imports` what is done with them. Nothing here ever deletes a finished file.

use crate::{Cause, Error, Storage};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::io::AsyncWriteExt as _;

/// What unfinished files begin with.
const UNFINISHED: &str = "unfinished-";

/// Tells unfinished files of one process apart.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A file that is coming in.
#[derive(Debug)]
pub struct FileWriter {
    folder: PathBuf,
    unfinished: Unfinished,
    file: tokio::fs::File,
    hash: Sha256,
    size: u64,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Lower-case hex.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// Removes the file when it goes out of use before it was given its name.
#[derive(Debug)]
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a good end it is not there any more.
        drop(std::fs::remove_file(&self.0));
    }
}

impl FileWriter {
    /// Adds bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.hash.update(bytes);
        self.size = self.size.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
        self.file.write_all(bytes).await.map_err(|error| failed(&self.unfinished.0, error))
    }

    /// Makes it durable under its hash. The same bytes again are fine.
    pub async fn finish(mut self) -> Result<Stored, Error> {
        let unfinished = self.unfinished.0.clone();
        let at = |error| failed(&unfinished, error);
        self.file.flush().await.map_err(at)?;
        self.file.sync_all().await.map_err(at)?;
        let sha256 = HEXLOWER.encode(&self.hash.finalize());
        let path = path_of(&self.folder, &sha256);
        let folder = path.parent().unwrap_or(&self.folder).to_owned();
        crate::sqlite::make_folder(&folder).map_err(|error| failed(&folder, error))?;
        tokio::fs::rename(&unfinished, &path).await.map_err(at)?;
        // The outermost may have been made for the first file of all.
        let beside = self.folder.parent().map(Path::to_owned);
        for folder in [&folder, &self.folder].into_iter().chain(&beside) {
            let synced = sync_folder(folder).await;
            synced.map_err(|error| failed(folder, error))?;
        }
        Ok(Stored { sha256, size: self.size })
    }
}

/// A new name is durable only once its folder is.
async fn sync_folder(folder: &Path) -> std::io::Result<()> {
    tokio::fs::File::open(folder).await?.sync_all().await
}

/// Where a file of this hash lies.
fn path_of(folder: &Path, sha256: &str) -> PathBuf {
    let first: String = sha256.chars().take(2).collect();
    folder.join(first).join(sha256)
}

/// Removes what an earlier process did not finish.
pub(crate) fn tidy(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // What cannot be removed now is tried again at the next start.
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    let (path, full) = (path.to_owned(), error.kind() == std::io::ErrorKind::StorageFull);
    let source = Cause::new(error);
    if full { Error::DiskFull { source } } else { Error::File { path, source } }
}

impl Storage {
    /// Begins a file.
    pub async fn new_file(&self) -> Result<FileWriter, Error> {
        if self.inner.read_only {
            return Err(Error::ReadOnly { source: Cause::text("it was opened for questions only") });
        }
        let folder = self.inner.files.clone();
        crate::sqlite::make_folder(&folder).map_err(|error| failed(&folder, error))?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
        let file = tokio::fs::File::options().write(true).create(true).truncate(true).open(&path).await;
        let file = file.map_err(|error| failed(&path, error))?;
        Ok(FileWriter { folder, unfinished: Unfinished(path), file, hash: Sha256::new(), size: 0 })
    }

    /// Opens a kept file for reading.
    pub fn open_file(&self, sha256: &str) -> Result<std::fs::File, Error> {
        let unknown = || Error::UnknownFile { sha256: sha256.to_owned() };
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(unknown());
        }
        let path = path_of(&self.inner.files, sha256);
        std::fs::File::open(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound { unknown() } else { failed(&path, error) }
        })
    }
}
