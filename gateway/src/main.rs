//! `qudao`: the gateway and everything that an operator or a connector's author types.
//!
//! This crate is command line and wiring. What a command does lives in the crates below; here it is parsed, put
//! together and shown. [`cli`] has one file a command, [`app`] puts a running gateway together, [`output`] is the
//! only place that writes to the terminal, [`error`] decides the exit code.

mod admin;
mod app;
mod cli;
mod error;
mod logs;
mod master;
mod metrics;
mod output;
mod ready;
mod signals;
mod store;
mod token;

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// What one thread makes and another lets go of is most of what is allocated here: a delivery is made by the thread that reads
/// it, decided by the writer, stored by the database's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let mut printer = output::Printer::for_process();
    match cli::run(std::env::args_os(), &mut printer) {
        Ok(exit) => exit.into(),
        Err(error) => printer.failure(&error).into(),
    }
}
