//! How the log is copied back into the database, as far as a disk sees it.
//!
//! With a log, SQLite writes the database only when it copies the log back, and flushes it when it has copied. The log is
//! started over where its header is written once more.

use super::File;
use crate::seen::Seen;

/// Where the copying of one life stands.
#[derive(Debug, Default)]
pub(super) struct Copying {
    /// The log was written since the last copy began.
    logged: bool,
    /// The log has a header.
    begun: bool,
    /// The database is written and not flushed yet.
    under_way: bool,
}

impl Copying {
    pub(super) fn wrote(&mut self, (file, at): (File, usize), seen: &mut Seen) {
        match file {
            File::Log => {
                if at == 0 {
                    if self.begun {
                        seen.add("log", "started over");
                    }
                    self.begun = true;
                }
                self.logged = true;
            }
            // The first pages of all are written without a log.
            File::Database if self.logged && !self.under_way => {
                (self.under_way, self.logged) = (true, false);
                seen.add("log", "copy begun");
            }
            File::Database | File::Other => {}
        }
    }

    pub(super) fn flushed(&mut self, file: File, seen: &mut Seen) {
        if file == File::Database && std::mem::take(&mut self.under_way) {
            seen.add("log", "copy finished");
        }
    }

    pub(super) fn deleted(&mut self, file: File) {
        if file == File::Log {
            *self = Copying::default();
        }
    }
}
