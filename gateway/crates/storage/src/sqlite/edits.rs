//! Changes of single tables that nothing else hangs on.

use super::{audit, cursors, imports, script::Script, subject_keys, webhooks};
use crate::{Error, writer::Edit};

/// One edit; what takes two statements is a transaction.
pub(super) fn script(edit: &Edit) -> Result<Script, Error> {
    let mut script = Script::default();
    let to = &mut script;
    match edit {
        Edit::Pause { channel, paused: Some(paused) } => {
            to.statement(cursors::PAUSE);
            to.bind(channel.as_str())?;
            to.bind(paused.reason.as_str())?;
            to.bind(paused.explain.as_str())?;
            to.bind(paused.at.as_microsecond())?;
        }
        Edit::Pause { channel, paused: None } => {
            to.statement(cursors::GO_ON);
            to.bind(channel.as_str())?;
        }
        Edit::SubjectKeys(keys) => {
            to.statement(subject_keys::INSERT);
            to.bind(subject_keys::pairs(keys))?;
        }
        Edit::Mark { subject, mark } => {
            to.statement(subject_keys::MARK);
            to.bind(subject.as_str())?;
            to.bind(mark.as_slice())?;
        }
        Edit::Forget(subject) => {
            to.statement(subject_keys::FORGET);
            to.bind(subject.as_str())?;
        }
        Edit::Audit(entry) => {
            to.statement(audit::INSERT);
            to.bind(entry.at.as_microsecond())?;
            for text in [&entry.actor, &entry.action, &entry.subject, &entry.purpose] {
                to.bind(text.as_str())?;
            }
        }
        Edit::PutImport(new) => imports::put(to, new)?,
        Edit::MoveImport(step) => imports::move_on(to, step)?,
        Edit::Rejects { import, first, rejects } => {
            to.statement("BEGIN IMMEDIATE");
            imports::rejects::put(to, import, *first, rejects)?;
            to.statement("COMMIT");
        }
        Edit::MarkRejects { import, state } => imports::rejects::mark(to, import, *state)?,
        Edit::Stores { import, stores, at } => imports::stores(to, import, stores, *at)?,
        Edit::Webhook(step) => webhooks::write(to, step)?,
    }
    Ok(script)
}
