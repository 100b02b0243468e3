//! Files as they came, beside the database: each is kept once under its SHA-256, in a folder `files`.
//!
//! Guarantees: a file is whole on the disk under its name before anybody is told the name; the same bytes again are the
//! same file. What was not finished is gone: at once when the writer is dropped, else at the next start.
//! Leaves to `imports` what is done with them. Nothing here ever deletes a finished file.

use crate::{
    Cause, Error, Storage,
    folder::{make_folder, sync_name},
};
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
        let beside = self.unfinished.0.clone();
        let at = |error| failed(&beside, error);
        self.file.flush().await.map_err(at)?;
        self.file.sync_all().await.map_err(at)?;
        let sha256 = HEXLOWER.encode(&self.hash.finalize());
        let stored = Stored { sha256, size: self.size };
        let path = path_of(&self.folder, &stored.sha256);
        // With all that it needs: a caller that goes away meanwhile does not take the file from under it.
        let named = move || named(&self.unfinished.0, &path, &self.folder, sync_name);
        let named = tokio::task::spawn_blocking(named);
        named.await.map_err(|ended| at(std::io::Error::other(ended)))??;
        Ok(stored)
    }
}

/// Gives a whole file its name, durably. The folders may have been made by a life that ended before their names were flushed.
fn named(
    unfinished: &Path,
    path: &Path,
    files: &Path,
    mut sync: impl FnMut(&Path) -> std::io::Result<()>,
) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(files);
    make_folder(folder).map_err(|error| failed(folder, error))?;
    std::fs::rename(unfinished, path).map_err(|error| failed(unfinished, error))?;
    [path, folder, files].into_iter().try_for_each(|name| sync(name).map_err(|error| failed(name, error)))
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
        make_folder(&folder).map_err(|error| failed(&folder, error))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn unfinished(folder: &Path) -> PathBuf {
        let path = folder.join("unfinished-1-1");
        std::fs::write(&path, "abc").unwrap();
        path
    }

    /// A pipe takes bytes and cannot be flushed to a disk.
    #[tokio::test]
    #[cfg(unix)]
    async fn a_file_whose_bytes_cannot_be_flushed_gets_no_name() {
        let home = tempfile::tempdir().unwrap();
        let (_reader, writer) = std::io::pipe().unwrap();
        let file = std::fs::File::from(std::os::fd::OwnedFd::from(writer));
        let (folder, hash) = (home.path().to_owned(), Sha256::new());
        let path = unfinished(&folder);
        let mut coming = FileWriter {
            folder: folder.clone(),
            unfinished: Unfinished(path.clone()),
            file: file.into(),
            hash,
            size: 0,
        };
        coming.write(b"abc").await.unwrap();
        let error = coming.finish().await.unwrap_err();
        assert!(matches!(&error, Error::File { path: at, .. } if *at == path), "{error}");
        assert_eq!(
            std::fs::read_dir(&folder).unwrap().count(),
            0,
            "neither a name nor what was not finished"
        );
    }

    /// Without these flushes a loss of power takes the name and leaves the import that was told of it.
    #[test]
    fn a_name_is_flushed_with_all_folders_that_it_lies_in_once_it_is_there() {
        let home = tempfile::tempdir().unwrap();
        let (files, path) = (home.path(), home.path().join("ba/ba78"));
        let mut flushed = Vec::new();
        let sync = |name: &Path| {
            assert!(path.exists(), "{} is flushed too early", name.display());
            flushed.push(name.to_owned());
            Ok(())
        };
        named(&unfinished(files), &path, files, sync).unwrap();
        assert_eq!(flushed, [&path, &files.join("ba"), files]);
    }
}
