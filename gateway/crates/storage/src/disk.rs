//! How SQLite reaches the disk. A gateway takes what the system has; the fault simulation puts a failing disk in between.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

/// How SQLite reaches the disk.
#[derive(Debug, Clone)]
pub struct Disk {
    /// Name of a VFS that the process has registered; the system's where absent.
    pub vfs: Option<String>,
    /// Bytes of log from which it is copied back into the database.
    pub log_bytes: usize,
    /// Writes the log of the life before once more and flushes it; see [`renew`].
    pub renew: Renew,
}

/// Gives the length of the log.
pub type Renew = fn(log: &Path) -> io::Result<u64>;

impl Default for Disk {
    fn default() -> Disk {
        Disk { vfs: None, log_bytes: LOG_BYTES, renew }
    }
}

/// Log that starts a copy: large enough that a page that changes often is copied once for many changes.
pub const LOG_BYTES: usize = 64 * 1024 * 1024;

/// Bytes that [`renew`] takes at a time.
pub const CHUNK_BYTES: usize = 1024 * 1024;

/// Writes a file once more as it is, and flushes it.
///
/// A flush of the life before may have failed. The system then takes for written what is not on the disk, later flushes say
/// nothing about these bytes, and whatever were logged behind them would be lost with them. Written once more they are flushed
/// once more, and then it is known that the whole log is there. A file that is not there has nothing to lose.
///
/// Power may fail meanwhile: the bytes are the same, and nothing else is touched.
pub fn renew(log: &Path) -> io::Result<u64> {
    let file = match File::options().read(true).write(true).open(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        opened => opened?,
    };
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut at = 0;
    loop {
        let read = file.read_at(&mut chunk, at)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        file.write_all_at(bytes, at)?;
        at += u64::try_from(read).unwrap_or_default();
    }
    file.sync_all()?;
    Ok(at)
}
