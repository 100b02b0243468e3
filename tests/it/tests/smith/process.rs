//! What this process holds. Outside of Linux nothing is known of it, and nothing is asserted.

use std::fs;

/// Memory may move by so much: freed pages come back late, and the compiler keeps some.
const GROWTH_KIB_MAX: u64 = 256 << 10;
/// The runtime starts and ends threads for files and names as it likes.
const THREADS_MORE_MAX: u64 = 16;
/// A connection of the database that is opened when it is needed.
const FILES_MORE_MAX: u64 = 16;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Process {
    resident_kib: u64,
    threads: u64,
    files: u64,
}

impl Process {
    pub(crate) fn now() -> Process {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim_matches(|letter: char| !letter.is_ascii_digit()).parse().unwrap_or_default()
        };
        let files = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
        Process { resident_kib: of("VmRSS:"), threads: of("Threads:"), files: files as u64 }
    }

    pub(crate) fn is_no_worse_than(&self, before: &Process, when: &str) {
        let told = format!("{when}: {self:?}, before {before:?}");
        assert!(self.resident_kib <= before.resident_kib + GROWTH_KIB_MAX, "memory {told}");
        assert!(self.threads <= before.threads + THREADS_MORE_MAX, "threads {told}");
        assert!(self.files <= before.files + FILES_MORE_MAX, "files {told}");
    }
}
