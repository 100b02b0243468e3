//! Commands: what somebody wants a platform to do, once.
//!
//! A command is named by its channel and idempotency key. It is stored together with the task that runs it, so neither is
//! ever there without the other, and it moves with the deliveries that tell what became of it ([`crate::CommandMove`]).

use crate::{Error, LIMIT_DEFAULT, Page, Storage, writer::Job};
use qudao_model::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Kind of the task that runs a command; its key is the command's id.
pub const COMMAND_TASK: &str = "command";

/// How a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// Kept, not begun.
    Queued,
    /// On its way; how it ended is not known yet.
    Sent,
    /// The platform took it and will do it.
    Accepted,
    /// Done.
    Succeeded,
    /// Refused; nothing was done.
    Failed,
    /// It was sent and no answer came: only asking the platform can tell.
    Unknown,
    /// Its time was over before it was sent.
    Expired,
}

/// A command on its way to the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    /// `cmd_…`
    pub id: String,
    /// Name of the channel.
    pub channel: String,
    /// As the manifest names it.
    pub kind: String,
    /// The caller's; the same key with the same content is the same command.
    pub idempotency_key: String,
    /// Fits the manifest's schema.
    pub payload: Value,
    /// When it is no longer wanted.
    pub not_after: Option<Timestamp>,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// What came of [`Storage::put_command`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutCommand {
    /// It is kept, and its task, too.
    New(CommandRow),
    /// It was there already, and stands like this.
    Same(CommandRow),
    /// The key was used for this other one; nothing was kept.
    KeyReused(CommandRow),
}

/// A command and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandRow {
    /// `cmd_…`
    pub id: String,
    /// Name of the channel.
    pub channel: String,
    /// As the manifest names it.
    pub kind: String,
    /// The caller's.
    pub idempotency_key: String,
    /// As it was given.
    pub payload: Value,
    /// How it stands.
    pub state: CommandState,
    /// The platform's word, or ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it moved last.
    pub updated_at: Timestamp,
    /// When it is no longer wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// Deliveries that tell what became of it, in order.
    pub deliveries: Vec<String>,
}

/// Which commands; what is absent does not filter. `limit` is clamped to 1..=[`crate::LIMIT_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandFilter {
    /// Name of the channel.
    pub channel: Option<String>,
    /// As the manifest names it.
    pub kind: Option<String>,
    /// How it stands.
    pub state: Option<CommandState>,
    /// Rows.
    pub limit: u32,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

impl CommandState {
    /// All of them.
    pub const ALL: [CommandState; 7] = [
        CommandState::Queued,
        CommandState::Sent,
        CommandState::Accepted,
        CommandState::Succeeded,
        CommandState::Failed,
        CommandState::Unknown,
        CommandState::Expired,
    ];

    /// The word of JSON, SQL and the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            CommandState::Queued => "queued",
            CommandState::Sent => "sent",
            CommandState::Accepted => "accepted",
            CommandState::Succeeded => "succeeded",
            CommandState::Failed => "failed",
            CommandState::Unknown => "unknown",
            CommandState::Expired => "expired",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<CommandState> {
        CommandState::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing will change it any more.
    pub fn is_settled(self) -> bool {
        matches!(self, CommandState::Succeeded | CommandState::Failed | CommandState::Expired)
    }
}

impl std::fmt::Display for CommandState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Default for CommandFilter {
    fn default() -> CommandFilter {
        CommandFilter { channel: None, kind: None, state: None, limit: LIMIT_DEFAULT, cursor: None }
    }
}

impl NewCommand {
    /// As it stands when it is new.
    pub(crate) fn into_row(self) -> CommandRow {
        let NewCommand { id, channel, kind, idempotency_key, payload, not_after, created_at } = self;
        CommandRow {
            id,
            channel,
            kind,
            idempotency_key,
            payload,
            state: CommandState::Queued,
            code: None,
            message: None,
            attempts: 0,
            created_at,
            updated_at: created_at,
            not_after,
            deliveries: Vec::new(),
        }
    }
}

impl CommandRow {
    /// Whether it asks for the same. Until when it is wanted does not count: a caller may reckon that from now.
    pub(crate) fn is_same(&self, new: &NewCommand) -> bool {
        self.kind == new.kind && self.payload == new.payload
    }
}

impl Storage {
    /// Keeps a command and adds the task that runs it, due at once. A key that is there already keeps nothing.
    pub async fn put_command(&self, new: NewCommand) -> Result<PutCommand, Error> {
        let new = Box::new(new);
        self.ask(|done| Job::Command { new, done }).await
    }

    /// One command.
    pub async fn command(&self, id: &str) -> Result<Option<CommandRow>, Error> {
        self.inner.reader.command(id).await
    }

    /// Commands, latest first.
    pub async fn commands(&self, filter: &CommandFilter) -> Result<Page<CommandRow>, Error> {
        self.inner.reader.commands(filter).await
    }
}
