//! A disk that fails on command, below SQLite.
//!
//! A [`Disk`] stands for one folder. It counts what SQLite does to the files in it, makes the n-th write or flush fail, and
//! knows at any moment what would be left if the power went: what was flushed, and of the rest any part. Readers are not
//! lied to: a read gives what was written, as the system's cache does. `vfs` is the only place that speaks to SQLite.

mod media;
mod vfs;

pub use vfs::NAME;

use media::Media;
use qudao_sim::dice::Dice;
use std::{
    collections::BTreeMap,
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
    /// So many operations that it could strike go well first.
    pub after: u64,
    /// Strikes so many times.
    pub times: u64,
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
        if power_lost {
            let State { files, dice, .. } = &mut *state;
            files.retain(|path, media| {
                let left = media.lose_power(dice);
                if let Some(bytes) = &left {
                    std::fs::write(path, bytes).expect("the real disk takes it");
                } else {
                    drop(std::fs::remove_file(path));
                }
                left.is_some()
            });
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
        let found = || std::fs::read(path).ok().filter(|bytes| !bytes.is_empty());
        state
            .files
            .entry(path.to_owned())
            .or_insert_with(|| found().map_or_else(Media::default, Media::found));
    }

    fn closed(&self) {
        self.state().open -= 1;
    }

    /// Whether an operation goes well, and how it fails otherwise.
    fn strike(&self, operation: Operation) -> Result<(), Failure> {
        let mut state = self.state();
        state.operations += 1;
        let failure = state.strike(operation);
        if failure == Some(Failure::Stop) {
            drop(state);
            self.0.stopped.send_replace(true);
        }
        failure.map_or(Ok(()), Err)
    }

    fn wrote(&self, path: &Path, at: usize, bytes: &[u8]) {
        self.state().media(path).write(at, bytes);
    }

    fn cut(&self, path: &Path, size: usize) {
        self.state().media(path).cut(size);
    }

    fn flushed(&self, path: &Path) {
        let mut state = self.state();
        if !state.lies {
            state.media(path).flush();
        }
    }

    fn flush_failed(&self, path: &Path) {
        let mut state = self.state();
        let mut media = state.files.remove(path).unwrap_or_default();
        media.flush_in_part(&mut state.dice);
        state.files.insert(path.to_owned(), media);
    }

    fn deleted(&self, path: &Path) {
        self.state().files.remove(path);
    }
}

impl State {
    fn strike(&mut self, operation: Operation) -> Option<Failure> {
        if self.stopped {
            return Some(Failure::Stop);
        }
        let mut failure = None;
        for fault in &mut self.faults {
            if !fault.failure.strikes(operation) {
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
        self.struck += u64::from(failure.is_some());
        self.stopped = failure == Some(Failure::Stop);
        failure
    }

    fn media(&mut self, path: &Path) -> &mut Media {
        self.files.entry(path.to_owned()).or_default()
    }
}

impl Failure {
    fn strikes(self, operation: Operation) -> bool {
        match self {
            Failure::Full | Failure::Write | Failure::Short => operation == Operation::Write,
            Failure::Flush => operation == Operation::Flush,
            Failure::Stop => true,
        }
    }
}
