//! What the gateway is in the middle of, by its own database: for aiming a kill while it runs, and for saying what the kill
//! struck before it is started again.

use crate::check::Database;
use crate::shop::CHANNEL;
use anyhow::Result;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// From one look to the next: a commit takes about a millisecond.
const LOOK: Duration = Duration::from_micros(100);

/// Something that shows in the database while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A window of the shop's orders of which some pages are read.
    Window,
    /// A file that neither counts nor waits for a person.
    Import,
    /// Not all migrations are in.
    Migration {
        /// Version of the last one.
        latest: i64,
    },
}

impl Phase {
    fn question(self) -> String {
        match self {
            Phase::Window => format!(
                "SELECT count(*) FROM cursors WHERE channel = '{CHANNEL}' AND stream = 'orders' AND cursor ->> 'page' IS NOT NULL"
            ),
            Phase::Import => {
                "SELECT count(*) FROM imports WHERE state IN ('received', 'reading', 'applying')".to_owned()
            }
            Phase::Migration { latest } => {
                format!("SELECT coalesce(max(version), 0) < {latest} FROM _sqlx_migrations WHERE success")
            }
        }
    }
}

/// Whether it is under way now, or was when the gateway was killed.
pub(crate) fn is(file: &Path, phase: Phase) -> Result<bool> {
    Ok(Database::live(file)?.number(&phase.question())? > 0)
}

/// Waits until it is under way, at most so long.
pub(crate) fn awaits(file: &Path, phase: Phase, longest: Duration) -> Result<()> {
    let (question, begun) = (phase.question(), Instant::now());
    let mut database = Database::live(file)?;
    while database.number(&question)? == 0 && begun.elapsed() < longest {
        thread::sleep(LOOK);
    }
    Ok(())
}
