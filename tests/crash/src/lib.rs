//! A gateway is killed under load, started again on the same folder, and looked into. Again and again.
//!
//! Two payment platforms send signed notices at a fixed rate and send again what was not acknowledged; a shop is polled, files of
//! an ERP come in, a consumer is told by webhook, the configuration is reloaded. `kill -9` strikes at an instant that a seed
//! decides, aimed at each of these in turn and at the copy of the log back into the database; whether it struck there is read
//! from what is left, and a run of some length goes on until each was struck. Before each restart, and after it beside the
//! running gateway, the database is read, and only then is the load let in again: what was acknowledged is there once with its
//! bytes and all that follows from it; what was not is there whole or not at all; the feed has no gap; cursors are not ahead
//! of what is kept; figures of a store are those of one file. At rest events say once, and last, what entities came to.
//! Leaves to the fault simulation what a kill does not do: the system keeps what a process wrote, so lost or torn writes of a
//! power cut do not happen here. Surprising: a seed repeats what is sent and where a kill is aimed, not what the machine does
//! in that millisecond.

mod aim;
mod chain;
mod check;
mod consumer;
mod fill;
mod folder;
mod gateway;
mod http;
mod ledger;
mod load;
mod log;
mod old;
mod report;
mod round;
mod shop;
mod world;

pub use ledger::Counts;
pub use report::{Copies, Kept, Report, Restarts};

use anyhow::Result;
use std::path::PathBuf;
use std::time::Duration;

/// One run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program.
    pub gateway: PathBuf,
    /// The checkout: test keys, mappings, `target/plugins`.
    pub root: PathBuf,
    /// What is made; what was there is cleared.
    pub folder: PathBuf,
    /// Compiled components from one run to the next.
    pub cache: Option<PathBuf>,
    /// Kills.
    pub cycles: u32,
    /// Decides everything that is thrown.
    pub seed: u64,
    /// Notices due in a second.
    pub rate: u32,
    /// Events in the database before the first start.
    pub events: u32,
    /// Databases of older versions whose first start is killed.
    pub migrations: u32,
    /// Of 100 restarts 95 must answer a hook within this time, or it counts as something missing.
    pub answer_within: Option<Duration>,
}

/// How far a run is.
#[derive(Debug, Clone)]
pub enum Watch {
    /// Something begins.
    Step(String),
    /// A kill was survived.
    Cycle {
        /// Which.
        cycle: u32,
        /// What it was aimed at.
        kill: &'static str,
        /// Notices acknowledged so far.
        acknowledged: u64,
    },
}

/// Runs it. An error means that it could not go on; what is missing stands in the report, and ends the run.
pub fn run(options: &Options, watch: &mut dyn FnMut(Watch)) -> Result<Report> {
    world::World::open(options, watch)?.run(watch)
}
