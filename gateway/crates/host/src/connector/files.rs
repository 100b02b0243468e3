//! Files: what a channel's connector reads, looks at and checks.
//!
//! A breaker of their own hears of defects only, so that a file that a connector cannot bear shuts out neither notices nor
//! polls. Looking and checking are for a person who waits for the answer; no breaker stops them or hears of them.

use super::{Channel, Connector};
use crate::{
    AskFailure, BreakerState, Call, Reason, Stats,
    files::{self, FileCall, FileRead, Handed, Put, Ran, Wanted, told_of},
    outcome::{self, Stopped},
};
use qudao_model::{
    Timestamp,
    fault::{Class, Retry},
    file::{SettingProblem, SniffAsked, Sniffed},
};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc::Sender;

impl Connector {
    /// Whether it reads files.
    pub fn reads_files(&self) -> bool {
        self.0.component.files.is_some() && self.manifest().files.is_some()
    }

    /// Reads a file to its end. Lines go to `out` in the order in which they were put; while it is full the connector waits.
    /// They count only if there is an outcome. Dropping the receiver ends the call as `abandoned`, dropping the future ends
    /// it at once. One file of a channel at a time is the caller's business.
    ///
    /// Memory, fuel and time are [`crate::Limits`]', in proportion to the size of the file. While the breaker is open nothing
    /// is read: `breaker_open`, to be tried again when it says.
    ///
    /// The breaker's clock is the call's. Where that is not the present moment: [`Connector::read_file_at`].
    pub async fn read_file(&self, file: FileCall, out: Sender<Put>) -> FileRead {
        let now = file.call.now;
        self.read_file_at(now, file, out).await
    }

    /// The same at the moment `now`, whatever time the guest is told: a file that is read again is told the time at which it
    /// came, and the breaker has to close all the same.
    pub async fn read_file_at(&self, now: Timestamp, file: FileCall, out: Sender<Put>) -> FileRead {
        let channel = &self.0;
        let (told, ran) = match channel.files_breaker.enter(now) {
            Err(state) => {
                let failure = shut_out(state, now);
                (Err(failure), Ran::stopped(Stopped::new(Reason::BreakerOpen, "")))
            }
            Ok(pass) => {
                let handed = (Handed::new(file.clone(), Some(out)), file.call);
                let ran = channel.run_file(handed, Wanted::Read).await;
                let (told, ran) = ran.read(told_of::outcome);
                pass.leave(ran.counts, now);
                (told, ran)
            }
        };
        let code = told.as_ref().err().map_or("", |failure| channel.label(&failure.code));
        let verdict = told.as_ref().map_or("", |outcome| outcome.verdict.as_str());
        let took = Duration::from_micros(ran.stats.micros);
        outcome::count_file(&channel.granted.channel, [verdict, code], ran.lines.rows, took);
        FileRead { told, stats: ran.stats }
    }

    /// Looks at a file and proposes how to read it. Nothing may be put out.
    pub async fn sniff_file(
        &self,
        file: FileCall,
        asked: &SniffAsked,
    ) -> (Result<Sniffed, AskFailure>, Stats) {
        let (call, asked) = (file.call, told_of::asked(asked));
        let ran = self.0.run_file((Handed::new(file, None), call), Wanted::Sniff(&asked)).await;
        let (told, ran) = ran.read(told_of::sniffed);
        (told, ran.stats)
    }

    /// What is wrong with settings beyond their schema, by which the caller has checked them.
    pub async fn check_settings(
        &self,
        settings: &Value,
        call: Call,
    ) -> Result<Vec<SettingProblem>, AskFailure> {
        let ran = self.0.run_file((Handed::settings(settings), call), Wanted::Check).await;
        ran.read(told_of::problems).0
    }

    /// The breaker of files now.
    pub fn files_breaker(&self) -> BreakerState {
        self.0.files_breaker.state()
    }
}

impl Channel {
    async fn run_file(&self, handed: (Handed, Call), wanted: Wanted<'_>) -> Ran {
        files::run(&self.component, &self.granted, handed, wanted).await
    }
}

/// The breaker is open: nothing was read.
fn shut_out(state: BreakerState, now: Timestamp) -> AskFailure {
    let stopped = Stopped::new(Reason::BreakerOpen, "too many files failed; none is read for now");
    AskFailure { class: Class::Defect, retry: Retry::After(state.wait(now)), ..stopped.into() }
}
