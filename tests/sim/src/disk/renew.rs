//! What a start does to the log before SQLite does anything: past SQLite, so that the disk has to hear of it here.

use super::{Disk, Failure, Operation, vfs};
use std::{fs, io, path::Path};

/// As [`qudao_storage::renew`] does it, on the failing disk that the log is on.
pub fn renew(log: &Path) -> io::Result<u64> {
    let Some(disk) = vfs::disk_of(log) else { return qudao_storage::renew(log) };
    let bytes = match fs::read(log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        read => read?,
    };
    disk.know(log);
    for (at, chunk) in bytes.chunks(qudao_storage::CHUNK_BYTES).enumerate() {
        let at = at * qudao_storage::CHUNK_BYTES;
        match disk.strike(Operation::Write, log) {
            Ok(()) => disk.wrote(log, at, chunk),
            Err(failure) => {
                if failure == Failure::Short {
                    disk.wrote(log, at, &chunk[..chunk.len() / 2]);
                }
                return Err(io::Error::other("the disk fails to write"));
            }
        }
    }
    match disk.strike(Operation::Flush, log) {
        Ok(()) => {
            disk.flushed(log);
            Ok(bytes.len() as u64)
        }
        Err(failure) => {
            if failure != Failure::Stop {
                disk.flush_failed(log);
            }
            Err(io::Error::other("the disk fails to flush"))
        }
    }
}

impl Disk {
    fn know(&self, path: &Path) {
        self.state().know(path);
    }
}
