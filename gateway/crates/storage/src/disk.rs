//! How SQLite reaches the disk. A gateway takes what the system has; the fault simulation puts a failing disk in between.

/// How SQLite reaches the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Name of a VFS that the process has registered; the system's where absent.
    pub vfs: Option<String>,
    /// Bytes of log from which it is copied back into the database.
    pub log_bytes: usize,
}

impl Default for Disk {
    fn default() -> Disk {
        Disk { vfs: None, log_bytes: LOG_BYTES }
    }
}

/// Log that starts a copy: large enough that a page that changes often is copied once for many changes.
pub const LOG_BYTES: usize = 64 * 1024 * 1024;
