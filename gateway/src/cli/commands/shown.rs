//! One command as a person reads it.

use crate::{
    error::Error,
    output::{
        Printer, people,
        style::{self, DIM},
    },
};
use qudao_storage::{CommandRow, CommandState};

pub(super) fn show(row: &CommandRow, printer: &mut Printer) -> Result<(), Error> {
    let mut member = |name: &str, text: &str| {
        let text = people::text(text).replace('\n', &format!("\n{:14}", ""));
        if text.is_empty() { Ok(()) } else { printer.line(format_args!("{DIM}{name:13}{DIM:#} {text}")) }
    };
    member("id", &row.id)?;
    member("channel", &row.channel)?;
    member("kind", &row.kind)?;
    member("key", &row.idempotency_key)?;
    member("asked for", &people::time(row.created_at))?;
    member("not after", &row.not_after.map(people::time).unwrap_or_default())?;
    member("code", row.code.as_deref().unwrap_or_default())?;
    member("message", row.message.as_deref().unwrap_or_default())?;
    member("sent", &people::count(usize::try_from(row.attempts).unwrap_or(usize::MAX), "time"))?;
    member("deliveries", &row.deliveries.join("\n"))?;
    member("payload", &serde_json::to_string_pretty(&row.payload).unwrap_or_default())?;
    let since = people::time(row.updated_at);
    let meaning = meaning(row.state);
    let word = style::word(row.state.as_str());
    printer.line(format_args!("{DIM}{:13}{DIM:#} {word} since {since}: {meaning}", "state"))
}

/// What a state means to somebody who waits.
fn meaning(state: CommandState) -> &'static str {
    match state {
        CommandState::Queued => "kept, not sent yet",
        CommandState::Sent => "on its way",
        CommandState::Accepted => "the platform took it and is not done with it",
        CommandState::Succeeded => "the platform did it",
        CommandState::Failed => "the platform refused it, nothing was done",
        CommandState::Unknown => "it was sent and no answer came; the platform is asked what became of it",
        CommandState::Expired => "its time was over before it could be sent, nothing was done",
    }
}
