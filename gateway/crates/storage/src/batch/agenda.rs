//! Tasks as a batch leaves them: those that are stored, with what the batch adds, moves and takes off laid over them.

use crate::{Ask, FollowUp, Task, TaskMove, task_id};
use qudao_model::Timestamp;
use std::collections::{BTreeMap, HashMap};

/// Decides what becomes of tasks; a later change of a batch sees what an earlier one did.
pub(crate) struct Agenda<'a> {
    stored: &'a HashMap<String, Task>,
    /// By id; nothing where the task is taken off.
    pub(crate) changed: BTreeMap<String, Option<Task>>,
    /// Whether one was added or brought forward.
    pub(crate) asked: bool,
}

impl<'a> Agenda<'a> {
    pub(crate) fn new(stored: &'a HashMap<String, Task>) -> Agenda<'a> {
        Agenda { stored, changed: BTreeMap::new(), asked: false }
    }

    fn get(&self, id: &str) -> Option<&Task> {
        match self.changed.get(id) {
            Some(changed) => changed.as_ref(),
            None => self.stored.get(id),
        }
    }

    /// Adds a task; one that is there stays, or is brought forward.
    pub(crate) fn ask(&mut self, channel: &str, now: Timestamp, ask: Ask) {
        let id = ask.id(channel);
        let task = match self.get(&id) {
            Some(_) if !ask.forward => return,
            Some(task) => Task { due_at: task.due_at.min(ask.due_at), attempts: 0, ..task.clone() },
            None => Task {
                id: id.clone(),
                channel: channel.to_owned(),
                kind: ask.kind,
                key: ask.key,
                due_at: ask.due_at,
                attempts: 0,
                created_at: now,
                note: None,
            },
        };
        self.asked = true;
        self.changed.insert(id, Some(task));
    }

    /// What the fold asks for.
    pub(crate) fn follow(&mut self, channel: &str, received_at: Timestamp, follow_up: FollowUp) {
        match follow_up {
            FollowUp::Ask { kind, key, after } => {
                let due_at = received_at.checked_add(after).unwrap_or(Timestamp::MAX);
                self.ask(channel, received_at, Ask { kind, key, due_at, forward: false });
            }
            FollowUp::Done { kind, key } => self.take_off(task_id(channel, &kind, &key)),
        }
    }

    /// What became of a task that was run.
    pub(crate) fn move_on(&mut self, task: &TaskMove) {
        match task {
            TaskMove::Done { id } => self.take_off(id.clone()),
            TaskMove::Again { id, due_at, note } => {
                let Some(task) = self.get(id).cloned() else { return };
                let attempts = task.attempts.saturating_add(1);
                let again = Task { due_at: *due_at, attempts, note: note.clone(), ..task };
                self.changed.insert(id.clone(), Some(again));
            }
        }
    }

    fn take_off(&mut self, id: String) {
        if self.get(&id).is_some() {
            self.changed.insert(id, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_is_not_there_is_taken_off_without_a_trace() {
        let stored = HashMap::new();
        let mut agenda = Agenda::new(&stored);
        let follow_up = || FollowUp::Done { kind: "fetch.payment".to_owned(), key: vec!["SO1".to_owned()] };
        agenda.follow("till", Timestamp::UNIX_EPOCH, follow_up());
        let id = task_id("till", "fetch.payment", &["SO1".to_owned()]);
        let again = TaskMove::Again { id, due_at: Timestamp::UNIX_EPOCH, note: None };
        agenda.move_on(&again);
        assert!(agenda.changed.is_empty() && !agenda.asked, "a paid payment costs no statement");
    }

    #[test]
    fn what_is_due_after_the_end_of_time_is_due_at_its_end() {
        let stored = HashMap::new();
        let mut agenda = Agenda::new(&stored);
        let ask = FollowUp::Ask { kind: "link".to_owned(), key: Vec::new(), after: Duration::MAX };
        agenda.follow("till", Timestamp::UNIX_EPOCH, ask);
        let due: Vec<_> = agenda.changed.values().flatten().map(|task| task.due_at).collect();
        assert_eq!(due, [Timestamp::MAX]);
    }
}
