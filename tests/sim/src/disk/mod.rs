//! A disk that fails on command, below SQLite.
//!
//! A [`Disk`] stands for one folder. It counts what SQLite does to the files in it, makes the n-th write or flush fail, and
//! knows at any moment what would be left if the power went: what was flushed, and of the rest any part. Readers are not
//! lied to: a read gives what was written, as the system's cache does. `vfs` is the only place that speaks to SQLite. What
//! fails, and how often SQLite copies its log back, is counted in a [`Seen`].

mod copying;
mod media;
mod renew;
mod vfs;

pub use renew::renew;
pub use vfs::NAME;

use crate::seen::Seen;
use copying::Copying;
use media::Media;
use qudao_sim::dice::Dice;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing is written: no space.
    Full,
    /// Nothing is written: the device says no.
    Write,
    /// Half of it is written, then there is no space.
    Short,
    /// A flush fails, and the system forgets that it did: a later flush says nothing about these bytes.
    Flush,
    /// The machine stops here; power too, if so wanted by whoever starts it again.
    Stop,
}

/// A fault that is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// What it does.
    pub failure: Failure,
    /// End of the name of the only file that it strikes; all files where absent.
    pub file: Option<&'static str>,
    /// So many operations that it could strike go well first.
    pub after: u64,
    /// Strikes so many times.
    pub times: u64,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { failure, file, after, times } = self;
        let file = file.map(|file| format!(" of {file}")).unwrap_or_default();
        write!(out, "{} after {after} operations{file}, {times} times", failure.word())
    }
}

/// What SQLite asks of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Write,
    Flush,
    /// Cutting or deleting a file.
    Change,
}

/// One failing disk. Cheap to clone; all clones are one disk.
#[derive(Clone)]
pub struct Disk(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    state: Mutex<State>,
    stopped: watch::Sender<bool>,
}

struct State {
    files: BTreeMap<PathBuf, Media>,
    open: usize,
    faults: Vec<Fault>,
    struck: u64,
    copying: Copying,
    seen: Seen,
    operations: u64,
    stopped: bool,
    lies: bool,
    dice: Dice,
}

impl Disk {
    /// The disk under `folder`, until the last clone is dropped.
    pub fn at(folder: &Path, seed: u64) -> Disk {
        let state = State {
            files: BTreeMap::new(),
            open: 0,
            faults: Vec::new(),
            struck: 0,
            copying: Copying::default(),
            seen: Seen::default(),
            operations: 0,
            stopped: false,
            lies: false,
            dice: Dice::new(seed),
        };
        let inner =
            Inner { folder: folder.to_owned(), state: Mutex::new(state), stopped: watch::Sender::new(false) };
        let disk = Disk(Arc::new(inner));
        vfs::attach(&disk);
        disk
    }

    /// Asks for a fault.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Nothing fails from now on; gives how many operations failed so far. A machine that stopped stays stopped.
    pub fn heal(&self) -> u64 {
        let mut state = self.state();
        state.faults.clear();
        state.struck
    }

    /// How many operations failed so far.
    pub fn struck(&self) -> u64 {
        self.state().struck
    }

    /// What failed, in which file, and what became of the log.
    pub fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// From now on flushes say that they are done and do nothing.
    pub fn lie(&self) {
        self.state().lies = true;
    }

    /// The machine stops now: nothing reaches the disk any more.
    pub fn stop(&self) {
        self.state().stopped = true;
        self.0.stopped.send_replace(true);
    }

    /// Comes back once the machine has stopped.
    pub async fn stopped(&self) {
        let mut stopped = self.0.stopped.subscribe();
        // The sender lives in `self`.
        let _is: Result<_, _> = stopped.wait_for(|stopped| *stopped).await;
    }

    /// Whether it has stopped.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// The machine starts again. Where power was lost, what was not flushed is there in part. Every file has to be closed.
    pub fn start_again(&self, power_lost: bool) {
        let mut state = self.state();
        assert_eq!(state.open, 0, "files are open while the machine is down");
        state.faults.clear();
        state.copying = Copying::default();
        if power_lost {
            state.lose_power();
        }
        state.stopped = false;
        drop(state);
        self.0.stopped.send_replace(false);
    }

    /// Files that are open.
    pub fn open_files(&self) -> usize {
        self.state().open
    }

    /// Writes, flushes, cuts and deletions so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self, path: &Path) {
        let mut state = self.state();
        state.open += 1;
        state.know(path);
    }

    fn closed(&self) {
        self.state().open -= 1;
    }

    /// Whether an operation goes well, and how it fails otherwise.
    fn strike(&self, operation: Operation, path: &Path) -> Result<(), Failure> {
        let mut state = self.state();
        state.operations += 1;
        let failure = state.strike(operation, path);
        if failure == Some(Failure::Stop) {
            drop(state);
            self.0.stopped.send_replace(true);
        }
        failure.map_or(Ok(()), Err)
    }

    fn wrote(&self, path: &Path, at: usize, bytes: &[u8]) {
        self.state().media(path).write(at, bytes);
    }

    /// SQLite, and nobody else, has written.
    fn sqlite_wrote(&self, path: &Path, at: usize) {
        let State { copying, seen, .. } = &mut *self.state();
        copying.wrote((File::of(path), at), seen);
    }

    fn cut(&self, path: &Path, size: usize) {
        self.state().media(path).cut(size);
    }

    fn flushed(&self, path: &Path) {
        let mut state = self.state();
        if !state.lies {
            state.media(path).flush();
        }
        let State { copying, seen, .. } = &mut *state;
        copying.flushed(File::of(path), seen);
    }

    fn flush_failed(&self, path: &Path) {
        let mut state = self.state();
        let mut media = state.files.remove(path).unwrap_or_default();
        media.flush_in_part(&mut state.dice);
        state.files.insert(path.to_owned(), media);
    }

    /// What was deleted in the folder of this file stays so.
    fn folder_flushed(&self, path: &Path) {
        let mut state = self.state();
        if state.lies {
            return;
        }
        state.files.retain(|other, media| {
            if other.parent() != path.parent() {
                return true;
            }
            let is_deleted = media.is_deleted();
            media.forget_before();
            !is_deleted
        });
    }

    /// For good where the folder was flushed, too.
    fn deleted(&self, path: &Path, flushed: bool) {
        let mut state = self.state();
        if flushed {
            state.files.remove(path);
        } else {
            state.media(path).delete();
        }
        state.copying.deleted(File::of(path));
    }
}

/// Which file of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    Database,
    Log,
    Other,
}

impl File {
    fn of(path: &Path) -> File {
        let name = path.as_os_str().as_encoded_bytes();
        match () {
            () if name.ends_with(b"-wal") => File::Log,
            () if name.ends_with(b".sqlite") => File::Database,
            () => File::Other,
        }
    }

    fn word(self) -> &'static str {
        match self {
            File::Database => "database",
            File::Log => "log",
            File::Other => "another file",
        }
    }
}

impl State {
    /// A file may have been there before.
    fn know(&mut self, path: &Path) {
        let found = || std::fs::read(path).ok().filter(|bytes| !bytes.is_empty());
        self.files
            .entry(path.to_owned())
            .or_insert_with(|| found().map_or_else(Media::default, Media::found));
    }

    fn strike(&mut self, operation: Operation, path: &Path) -> Option<Failure> {
        if self.stopped {
            return Some(Failure::Stop);
        }
        let mut failure = None;
        for fault in &mut self.faults {
            let elsewhere =
                fault.file.is_some_and(|end| !path.as_os_str().as_encoded_bytes().ends_with(end.as_bytes()));
            if elsewhere || !fault.failure.strikes(operation) {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times > 0 && failure.is_none() {
                fault.times -= 1;
                failure = Some(fault.failure);
            }
        }
        self.faults.retain(|fault| fault.times > 0);
        if let Some(failure) = failure {
            self.struck += 1;
            self.seen.add("disk", format!("{}, {}", failure.word(), File::of(path).word()));
        }
        self.stopped = failure == Some(Failure::Stop);
        failure
    }

    /// What was not flushed is there in part.
    fn lose_power(&mut self) {
        for (path, media) in std::mem::take(&mut self.files) {
            let was_deleted = media.is_deleted();
            match media.lose_power(&mut self.dice) {
                Some(bytes) => {
                    if was_deleted {
                        self.seen.add("disk", format!("a {} comes back", File::of(&path).word()));
                    }
                    std::fs::write(&path, &bytes).expect("the real disk takes it");
                    self.files.insert(path, Media::found(bytes));
                }
                None => drop(std::fs::remove_file(&path)),
            }
        }
    }

    fn media(&mut self, path: &Path) -> &mut Media {
        self.files.entry(path.to_owned()).or_default()
    }
}

impl Failure {
    fn word(self) -> &'static str {
        match self {
            Failure::Full => "no space",
            Failure::Write => "write fails",
            Failure::Short => "half a write",
            Failure::Flush => "flush fails",
            Failure::Stop => "stop",
        }
    }

    fn strikes(self, operation: Operation) -> bool {
        match self {
            Failure::Full | Failure::Write | Failure::Short => operation == Operation::Write,
            Failure::Flush => operation == Operation::Flush,
            Failure::Stop => true,
        }
    }
}
