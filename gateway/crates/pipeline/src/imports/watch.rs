//! Watched folders: a file that appears there is handed in as if by a request, once it is complete.
//!
//! Complete is what has not changed for as long as the channel says, or what its marker file names. Files stay where they
//! are; that one was taken is known by its content, so that a file that is overwritten, even with the old time, is noticed,
//! and one that is copied there a second time is not. What surprises: after a start every file is hashed once.

use super::{
    Imports, Reader,
    settings::{Watch, fits},
};
use crate::{Error, schedule::since};
use qudao_model::{Timestamp, fault::chain};
use qudao_storage::{ImportFilter, LIMIT_MAX};
use sha2::{Digest as _, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// A file whose times say that it is as it was is read once in so long all the same: some shares do not say the truth.
const READ_EVERY: Duration = Duration::from_hours(1);
/// Read at once.
const PIECE: usize = 256 * 1024;
/// Endings of files that are being written.
const UNFINISHED: [&str; 6] = [".tmp", ".part", ".partial", ".filepart", ".crdownload", ".!qb"];

/// Looks into folders.
pub(crate) struct Watcher {
    imports: Imports,
    /// By channel and path: two channels may look into one folder.
    seen: BTreeMap<(String, PathBuf), Seen>,
    /// Contents that were imported before, by channel.
    taken: BTreeMap<String, BTreeSet<String>>,
    /// Folders that cannot be read, each told once.
    missing: BTreeSet<PathBuf>,
}

/// A file as it was seen last.
struct Seen {
    stamp: Stamp,
    /// Since when it looks like this.
    since: Timestamp,
    /// When its content was read last, if it was taken.
    read_at: Option<Timestamp>,
}

/// What changes when somebody writes to a file. The time of change cannot be set from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

impl Imports {
    /// Looks into the folders of live channels until the gateway stops.
    pub(crate) async fn keep_watch(self, stopping: CancellationToken) {
        let mut watcher = Watcher::new(self);
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = watcher.look() => {}
            }
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}

impl Watcher {
    pub(crate) fn new(imports: Imports) -> Watcher {
        Watcher { imports, seen: BTreeMap::new(), taken: BTreeMap::new(), missing: BTreeSet::new() }
    }

    /// Looks once into every folder. What cannot be taken now is tried again at the next look.
    pub(crate) async fn look(&mut self) {
        let readers = self.imports.0.readers.load_full();
        let mut there = BTreeSet::new();
        for reader in readers.values().filter(|reader| reader.reads()) {
            let Some(watch) = &reader.watch else { continue };
            if self.imports.stopped() {
                return;
            }
            let files = self.list(watch).await;
            for (path, stamp) in files {
                there.insert((reader.name.clone(), path.clone()));
                if let Err(error) = self.file((reader, watch), &path, stamp).await {
                    let channel = &reader.name;
                    warn!(
                        channel.name = channel,
                        "{} cannot be taken now: {}",
                        path.display(),
                        chain(&error)
                    );
                }
            }
        }
        self.seen.retain(|place, _| there.contains(place));
    }

    /// Files that could be complete, with the marker where one is wanted.
    async fn list(&mut self, watch: &Watch) -> Vec<(PathBuf, Stamp)> {
        let mut files = BTreeMap::new();
        let mut markers = BTreeSet::new();
        let mut entries = match tokio::fs::read_dir(&watch.folder).await {
            Ok(entries) => entries,
            Err(error) => {
                if self.missing.insert(watch.folder.clone()) {
                    warn!("the folder {} cannot be read: {error}", watch.folder.display());
                }
                return Vec::new();
            }
        };
        if self.missing.remove(&watch.folder) {
            info!("the folder {} can be read again", watch.folder.display());
        }
        while let Ok(Some(entry)) = entries.next_entry().await {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(of) = watch.marker.as_deref().and_then(|marker| name.strip_suffix(marker)) {
                markers.insert(of.to_owned());
                continue;
            }
            if watch.names.as_deref().is_some_and(|names| !fits(names, &name)) {
                continue;
            }
            // Of a link this is the link's own: what it points to is not in the folder.
            let Ok(metadata) = entry.metadata().await else { continue };
            if metadata.is_file() && !is_unfinished(&name) {
                files.insert(name, (entry.path(), Stamp::of(&metadata)));
            }
        }
        let wanted = |name: &String| watch.marker.is_none() || markers.contains(name);
        files.into_iter().filter(|(name, _)| wanted(name)).map(|(_, file)| file).collect()
    }

    async fn file(
        &mut self,
        (reader, watch): (&Arc<Reader>, &Watch),
        path: &Path,
        stamp: Stamp,
    ) -> Result<(), Error> {
        let now = self.imports.now();
        let new = || Seen { stamp, since: now, read_at: None };
        let place = (reader.name.clone(), path.to_owned());
        let seen = self.seen.entry(place.clone()).or_insert_with(new);
        if seen.stamp != stamp {
            *seen = new();
        }
        let rested = watch.marker.is_some() || since(seen.since, now) >= watch.settle;
        let again = match seen.read_at {
            None => true,
            Some(read_at) => since(read_at, now) >= READ_EVERY,
        };
        if !rested || !again {
            return Ok(());
        }
        if stamp.size > reader.bytes_max {
            return Err(Error::FileTooLarge { limit: reader.bytes_max });
        }
        let Some(sha256) = content(path, stamp).await? else {
            // Somebody writes to it: from the beginning.
            *seen = Seen { since: now, ..new() };
            return Ok(());
        };
        seen.read_at = Some(now);
        if self.known(&reader.name).await?.contains(&sha256) {
            return Ok(());
        }
        if self.take(reader, path, stamp).await? {
            self.known(&reader.name).await?.insert(sha256);
        } else if let Some(seen) = self.seen.get_mut(&place) {
            *seen = Seen { since: now, ..new() };
        }
        Ok(())
    }

    /// Stores a copy and puts it on the list; false where it changed meanwhile.
    async fn take(&self, reader: &Reader, path: &Path, stamp: Stamp) -> Result<bool, Error> {
        let mut from = Pieces::of(path).await?;
        let mut to = self.imports.storage().new_file().await?;
        while let Some(piece) = from.next().await? {
            to.write(piece).await?;
        }
        let stored = to.finish().await?;
        if !from.was(stamp).await? {
            return Ok(false);
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.imports.put(reader, &name, stored).await?;
        Ok(true)
    }

    /// What was imported on a channel before, under whatever mapping: a new mapping must not bring back last year's files.
    async fn known(&mut self, channel: &str) -> Result<&mut BTreeSet<String>, Error> {
        if !self.taken.contains_key(channel) {
            let mut all = BTreeSet::new();
            let mut filter = ImportFilter {
                channel: Some(channel.to_owned()),
                limit: LIMIT_MAX,
                ..ImportFilter::default()
            };
            loop {
                let page = self.imports.storage().imports(&filter).await?;
                all.extend(page.items.into_iter().map(|row| row.sha256));
                filter.cursor = page.next;
                if filter.cursor.is_none() {
                    break;
                }
            }
            self.taken.insert(channel.to_owned(), all);
        }
        Ok(self.taken.entry(channel.to_owned()).or_default())
    }
}

/// SHA-256 of a file; nothing where it changes while it is read.
async fn content(path: &Path, stamp: Stamp) -> Result<Option<String>, Error> {
    let mut from = Pieces::of(path).await?;
    let mut hash = Sha256::new();
    while let Some(piece) = from.next().await? {
        hash.update(piece);
    }
    let same = from.was(stamp).await?;
    Ok(same.then(|| data_encoding::HEXLOWER.encode(&hash.finalize())))
}

/// A file that somebody may be writing to, read piece by piece.
struct Pieces<'a> {
    path: &'a Path,
    file: tokio::fs::File,
    piece: Vec<u8>,
    size: u64,
}

impl Pieces<'_> {
    async fn of(path: &Path) -> Result<Pieces<'_>, Error> {
        let file = tokio::fs::File::open(path).await.map_err(|error| broken(path, error))?;
        Ok(Pieces { path, file, piece: vec![0; PIECE], size: 0 })
    }

    async fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        let read = self.file.read(&mut self.piece).await.map_err(|error| broken(self.path, error))?;
        self.size += read as u64;
        Ok(self.piece.get(..read).filter(|piece| !piece.is_empty()))
    }

    /// Whether what was read is the whole file as it was seen before, and as it is now.
    async fn was(&self, stamp: Stamp) -> Result<bool, Error> {
        Ok(self.size == stamp.size && still(self.path).await? == stamp)
    }
}

async fn still(path: &Path) -> Result<Stamp, Error> {
    let metadata = tokio::fs::symlink_metadata(path).await.map_err(|error| broken(path, error))?;
    Ok(Stamp::of(&metadata))
}

fn broken(path: &Path, source: std::io::Error) -> Error {
    Error::FileUnreadable { path: path.to_owned(), source }
}

/// Files of editors, of copies that are under way, and hidden ones.
fn is_unfinished(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.starts_with('.') || name.starts_with("~$") || UNFINISHED.iter().any(|ending| lower.ends_with(ending))
}
