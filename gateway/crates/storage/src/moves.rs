//! What moves along with a delivery, in its transaction: the cursor of its stream, the task it answers, the command it is
//! about, and what is to be asked next.
//!
//! A cursor moves by compare-and-set, so two polls of one stream cannot both win. Moves of a duplicate count as well: the
//! page was read, whether or not it said anything new.

use crate::CommandState;
use qudao_model::{Timestamp, id};

/// Moves of one commit; by default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    /// Of the stream that was read.
    pub cursor: Option<CursorMove>,
    /// Of the task that was run.
    pub task: Option<TaskMove>,
    /// Tasks to add, or to bring forward.
    pub asks: Vec<Ask>,
    /// Of the command that was run or asked about.
    pub command: Option<CommandMove>,
}

/// A cursor on its way. Where `from` is not what is stored, nothing of the commit happens: [`crate::Error::CursorMoved`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorMove {
    /// As the manifest names it.
    pub stream: String,
    /// Where the page began; absent at the first.
    pub from: Option<String>,
    /// Where it ended.
    pub to: String,
}

/// What becomes of a task that was run. One that is no longer there stays away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskMove {
    /// It is taken off the list.
    Done {
        /// Which.
        id: String,
    },
    /// It is tried again; its attempts grow by one.
    Again {
        /// Which.
        id: String,
        /// Not before.
        due_at: Timestamp,
        /// Why, for the operator.
        note: Option<String>,
    },
}

/// Something to be done once, not before `due_at`. Asked for twice it stays as it was first asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Word: `fetch.payment`, `command` …
    pub kind: String,
    /// What it is about.
    pub key: Vec<String>,
    /// Not before.
    pub due_at: Timestamp,
    /// Brings a task that is there already forward to `due_at`, with its attempts counted anew.
    pub forward: bool,
}

/// How a command stands from now on. Of a command that is not there it moves nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandMove {
    /// Which.
    pub id: String,
    /// Its attempts grow by one when this is [`CommandState::Sent`].
    pub state: CommandState,
    /// The platform's word, or ours.
    pub code: Option<String>,
    /// For people.
    pub message: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Moves {
    /// Whether nothing moves.
    pub fn is_empty(&self) -> bool {
        self.cursor.is_none() && self.task.is_none() && self.asks.is_empty() && self.command.is_none()
    }
}

impl Ask {
    /// Id of its task.
    pub fn id(&self, channel: &str) -> String {
        task_id(channel, &self.kind, &self.key)
    }
}

/// Id of the task of this kind and key: there is never more than one.
///
/// ```
/// let id = qudao_storage::task_id("shop", "fetch.order", &["2891140940603664".to_owned()]);
/// assert!(id.starts_with("tsk_"));
/// ```
pub fn task_id(channel: &str, kind: &str, key: &[String]) -> String {
    let mut parts = vec![channel, kind];
    parts.extend(key.iter().map(String::as_str));
    id::derive("tsk_", &parts)
}
