//! Commands: what a platform is asked to do, once.
//!
//! That a command is `sent` is durable before the first byte leaves. A call whose answer is lost, or a process that ended in
//! between, leaves it `unknown`; then the platform is asked what became of it, and its word counts. Only where it knows
//! nothing of it is the same command sent again, with the same payload, which names the same key: a connector declares no
//! command that is not safe to repeat so.

mod code;
mod outcome;
mod settle;

use crate::{
    Error,
    ask::{Asks, Decision, left},
    intake::FETCH_TASK,
    schedule::{Askable, Schedule, again, done, fetch_wait, later},
};
use code::Code;
use metrics::counter;
use outcome::{Outcome, of_answer};
use qudao_model::{Asked, Timestamp, id, manifest::CommandSpec};
use qudao_storage::{
    Ask, CommandMove, CommandRow, CommandState, Moves, NewCommand, PutCommand, Storage, Task,
};
use serde_json::Value;
use std::time::Duration;
use tracing::{info, warn};

/// A command to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommandRequest {
    /// Name of the channel.
    pub channel: String,
    /// As the connector's manifest names it.
    pub kind: String,
    /// The caller's: the same key with the same content is the same command.
    pub idempotency_key: String,
    /// Fits the manifest's schema.
    pub payload: Value,
    /// When it is no longer wanted.
    pub not_after: Option<Timestamp>,
}

/// How often a command is tried at most that is wanted for ever: half a day of the longest back-off.
const ATTEMPTS_MAX: u32 = 50;

/// Keeps a command with the task that runs it, once the connector finds nothing wrong with it. The same key with the same
/// content gives the command of before, and false.
pub(crate) async fn accept(
    storage: &Storage,
    connector: &dyn Asks,
    request: NewCommandRequest,
    now: Timestamp,
) -> Result<(CommandRow, bool), Error> {
    let NewCommandRequest { channel, kind, idempotency_key, payload, not_after } = request;
    match connector.payload_problems(&kind, &payload) {
        None => return Err(Error::UnsupportedCommand { channel, kind }),
        Some(problems) if !problems.is_empty() => {
            return Err(Error::BadPayload { text: problems.join("; ") });
        }
        Some(_) => {}
    }
    let id = id::derive("cmd_", &[channel.as_str(), idempotency_key.as_str()]);
    let new = NewCommand { id, channel, kind, idempotency_key, payload, not_after, created_at: now };
    match storage.put_command(new).await? {
        PutCommand::New(row) => Ok((row, true)),
        PutCommand::Same(row) => Ok((row, false)),
        PutCommand::KeyReused(row) => Err(Error::KeyReused { id: row.id }),
    }
}

/// Runs the task of a command: sends it, or finds out what became of it.
pub(crate) async fn run(
    schedule: &Schedule,
    channel: &Askable,
    task: &Task,
    now: Timestamp,
) -> Result<(), Error> {
    let storage = &schedule.intake.storage;
    let Some(row) = storage.command(task.key.first().map(String::as_str).unwrap_or_default()).await? else {
        return Ok(storage.advance(&channel.name, now, done(task)).await?);
    };
    let running = Running { schedule, channel, task, row: &row, now };
    match row.state {
        CommandState::Succeeded | CommandState::Failed | CommandState::Expired => {
            Ok(storage.advance(&channel.name, now, done(task)).await?)
        }
        CommandState::Queued => running.send().await,
        // Nobody is sending it now, so whoever did was cut off.
        CommandState::Sent => {
            let lost = "the gateway was cut off while it was sent";
            running.moves(CommandState::Unknown, Some(Code::Unknown), lost, None).await?;
            running.settle().await
        }
        CommandState::Accepted | CommandState::Unknown => running.settle().await,
    }
}

/// A command under way.
struct Running<'a> {
    schedule: &'a Schedule,
    channel: &'a Askable,
    task: &'a Task,
    row: &'a CommandRow,
    now: Timestamp,
}

impl Running<'_> {
    async fn send(&self) -> Result<(), Error> {
        let (channel, row) = (self.channel, self.row);
        let Some(spec) = self.spec() else {
            return self
                .end(CommandState::Failed, Code::Unsupported, "the connector does not know it any more")
                .await;
        };
        if !channel.acts() {
            return self
                .end(CommandState::Failed, Code::Shadow, "the channel is a shadow: it reads and never acts")
                .await;
        }
        if self.is_over() {
            return self
                .end(CommandState::Expired, Code::Expired, "it was no longer wanted when its turn came")
                .await;
        }
        // Durable before anything leaves: after a crash we know that it may have left.
        self.moves(CommandState::Sent, None, "on its way", None).await?;
        let asked = Asked::Command { kind: row.kind.clone(), payload: row.payload.clone() };
        let intake = &self.schedule.intake;
        let outcome = intake
            .ask(channel.asking(self.now), asked, |answered| {
                let outcome = of_answer(answered, left(&answered.transcript));
                let key = format!("COMMAND:{}", row.id);
                Decision { moves: self.after(spec, &outcome), keep: true, key, result: outcome }
            })
            .await?;
        self.tell(outcome.state, outcome.message.as_deref().unwrap_or_default());
        Ok(())
    }

    /// What moves with the answer to a command.
    fn after(&self, spec: &CommandSpec, outcome: &Outcome) -> Moves {
        let ended = self.schedule.ended(self.now);
        let due_at = later(
            ended,
            outcome.wait(self.row.attempts, &self.row.id).unwrap_or_else(|| self.first_look(spec)),
        );
        let settled = outcome.state.is_settled();
        let note = outcome.message.clone().unwrap_or_default();
        let task = if settled { done(self.task) } else { again(self.task, due_at, note) };
        let (code, message) = (outcome.code.as_deref(), outcome.message.as_deref());
        let asks = self.look_why(spec, outcome).into_iter().collect();
        Moves { command: Some(self.command(outcome.state, code, message)), asks, ..task }
    }

    /// What is behind a platform's no is asked for: a payment that cannot be closed may have been paid.
    fn look_why(&self, spec: &CommandSpec, outcome: &Outcome) -> Option<Ask> {
        let refused = outcome.state == CommandState::Failed && outcome.failure.is_none();
        if !refused || spec.kind != "payment.close" {
            return None;
        }
        let fetches = &self.channel.connector.manifest().fetches;
        fetches.iter().find(|fetch| fetch.kind == spec.settled_by)?;
        let key = settle::key(&spec.settled_by, &self.row.payload)?;
        let kind = format!("{FETCH_TASK}{}", spec.settled_by);
        Some(Ask { kind, key, due_at: self.schedule.ended(self.now), forward: true })
    }

    /// How long a platform is given before it is asked what became of it.
    fn first_look(&self, spec: &CommandSpec) -> Duration {
        let fetches = &self.channel.connector.manifest().fetches;
        let fetch = fetches.iter().find(|fetch| fetch.kind == spec.settled_by);
        fetch.map_or(Duration::from_mins(1), |fetch| fetch_wait(fetch, 0))
    }

    /// Whether it may not go out any more.
    fn is_over(&self) -> bool {
        let row = self.row;
        row.not_after.map_or(row.attempts >= ATTEMPTS_MAX, |end| end < self.now)
    }

    fn spec(&self) -> Option<&CommandSpec> {
        self.channel.connector.manifest().commands.iter().find(|command| command.kind == self.row.kind)
    }

    fn command(&self, state: CommandState, code: Option<&str>, message: Option<&str>) -> CommandMove {
        let (id, at) = (self.row.id.clone(), self.schedule.ended(self.now));
        CommandMove { id, state, code: code.map(str::to_owned), message: message.map(str::to_owned), at }
    }

    /// Moves the command; its task too, where one is given a moment.
    async fn moves(
        &self,
        state: CommandState,
        code: Option<Code>,
        message: &str,
        due_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let task = due_at.map(|due_at| again(self.task, due_at, message)).unwrap_or_default();
        let moves =
            Moves { command: Some(self.command(state, code.map(Code::as_str), Some(message))), ..task };
        Ok(self.schedule.intake.storage.advance(&self.channel.name, self.now, moves).await?)
    }

    /// Nothing will change it any more.
    async fn end(&self, state: CommandState, code: Code, message: &str) -> Result<(), Error> {
        let moves = Moves {
            command: Some(self.command(state, Some(code.as_str()), Some(message))),
            ..done(self.task)
        };
        self.schedule.intake.storage.advance(&self.channel.name, self.now, moves).await?;
        self.tell(state, message);
        Ok(())
    }

    fn tell(&self, state: CommandState, message: &str) {
        let (name, CommandRow { id, kind, .. }) = (&self.channel.name, self.row);
        let labels =
            [("channel", name.clone()), ("kind", kind.clone()), ("state", state.as_str().to_owned())];
        counter!("qudao_commands_total", &labels).increment(1);
        match state {
            CommandState::Failed | CommandState::Unknown | CommandState::Expired => {
                warn!(
                    channel.name = name,
                    command.id = id,
                    "command {kind} `{id}` on `{name}` is {state}: {message}"
                );
            }
            CommandState::Queued | CommandState::Sent | CommandState::Accepted | CommandState::Succeeded => {
                info!(channel.name = name, command.id = id, "command {kind} `{id}` on `{name}` is {state}");
            }
        }
    }
}
