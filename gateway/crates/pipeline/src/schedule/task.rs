//! Tasks: who does which kind, and what becomes of one that fails for itself.

use super::{Askable, Schedule, back_off, later};
use crate::{Error, commands, intake::FETCH_TASK, links};
use metrics::counter;
use qudao_model::{
    Timestamp,
    fault::{Class, chain},
};
use qudao_storage::{COMMAND_TASK, Moves, Task, TaskMove};
use tracing::warn;

impl Schedule {
    pub(super) async fn task(&self, channel: &Askable, task: &Task, now: Timestamp) -> Result<(), Error> {
        let done = match task.kind.as_str() {
            links::LINK => links::link(&self.intake, channel, task, now).await,
            COMMAND_TASK => commands::run(self, channel, task, now).await,
            kind => match kind.strip_prefix(FETCH_TASK) {
                Some(kind) => self.fetch(channel, task, kind, now).await,
                None => self.drop_task(channel, task, now, "nobody knows how to do it").await,
            },
        };
        match done {
            // It fails for itself: those behind it must not wait for it.
            Err(error) if error.class() == Class::Defect => {
                warn!(
                    channel.name = channel.name,
                    task.id = task.id,
                    "task {} `{}` of `{}` failed: {}",
                    task.kind,
                    task.key.join(" "),
                    channel.name,
                    chain(&error)
                );
                let due_at = later(self.ended(now), back_off(task.attempts.saturating_add(1), &task.id));
                let moves = again(task, due_at, error.to_string());
                Ok(self.intake.storage.advance(&channel.name, now, moves).await?)
            }
            done => done,
        }
    }

    /// Takes a task off the list that will never be done.
    pub(super) async fn drop_task(
        &self,
        channel: &Askable,
        task: &Task,
        now: Timestamp,
        why: &str,
    ) -> Result<(), Error> {
        let (name, key) = (&channel.name, task.key.join(" "));
        warn!(
            channel.name = name,
            task.id = task.id,
            "task {} `{key}` of `{name}` is given up: {why}",
            task.kind
        );
        counter!("qudao_tasks_given_up_total", "channel" => name.clone(), "kind" => task.kind.clone())
            .increment(1);
        Ok(self.intake.storage.advance(name, now, done(task)).await?)
    }
}

/// The task is done.
pub(crate) fn done(task: &Task) -> Moves {
    Moves { task: Some(TaskMove::Done { id: task.id.clone() }), ..Moves::default() }
}

/// The task is tried again.
pub(crate) fn again(task: &Task, due_at: Timestamp, note: impl Into<String>) -> Moves {
    let again = TaskMove::Again { id: task.id.clone(), due_at, note: Some(note.into()) };
    Moves { task: Some(again), ..Moves::default() }
}
