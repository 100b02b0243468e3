//! What the gateway is told to ask and to do: the schedule, expected payments, commands.

use crate::{Error, Gateway, NewCommandRequest, Tasks, commands, intake::FETCH_TASK, schedule::later};
use qudao_model::Timestamp;
use qudao_storage::{Ask, CommandRow};
use std::sync::Arc;
use tracing::warn;

/// What [`Gateway::expect_payment`] has fetched.
const PAYMENT: &str = "payment";

impl Gateway {
    /// Asks platforms from now on, until `tasks` stop: streams by their interval, tasks when they are due.
    pub fn run_schedule(self: &Arc<Self>, tasks: &Tasks) {
        let (gateway, schedule, own) = (Arc::clone(self), self.schedule().clone(), tasks.clone());
        tasks.spawn("schedule", async move {
            // What was listed while the gateway was down.
            gateway.repair_listings().await;
            schedule.keep(own).await;
        });
    }

    /// Runs everything that is due at `now`, and what becomes due by it, until nothing is. Tests drive the schedule by this
    /// alone; a running gateway uses [`Gateway::run_schedule`].
    pub async fn ask_due(&self, now: Timestamp) -> Result<(), Error> {
        self.schedule().run_due(now).await
    }

    /// When something is to be asked next, if that is known.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, Error> {
        self.schedule().next_due(self.now()).await
    }

    /// Lets a channel ask again that was paused because of an error a person had to mend.
    pub async fn resume(&self, channel: &str) -> Result<(), Error> {
        if !self.loaded().has(channel) {
            return Err(Error::UnknownChannel { channel: channel.to_owned() });
        }
        self.schedule().resume(channel).await
    }

    /// "This payment should exist": its amount is kept, and its platform is asked after a while unless it tells by itself.
    pub async fn expect_payment(&self, channel: &str, order_no: &str, amount_fen: i64) -> Result<(), Error> {
        let connector = self.loaded().taking(channel)?;
        let now = self.now();
        self.schedule().saw(now);
        let can_ask = connector.manifest().fetches.iter().any(|fetch| fetch.kind == PAYMENT);
        let due_at = later(now, self.rules().pending_after);
        let ask = can_ask.then(|| Ask {
            kind: format!("{FETCH_TASK}{PAYMENT}"),
            key: vec![order_no.to_owned()],
            due_at,
            forward: false,
        });
        Ok(self.storage().expect_payment(channel, order_no, amount_fen, ask, now).await?)
    }

    /// Keeps a command of a live channel, to be run at once. The same key with the same content gives the command of before, and false.
    pub async fn command(&self, request: NewCommandRequest) -> Result<(CommandRow, bool), Error> {
        if self.draining() {
            return Err(Error::Draining);
        }
        let connector = self.loaded().acting(&request.channel)?;
        let now = self.now();
        self.schedule().saw(now);
        commands::accept(self.storage(), &connector, request, now).await
    }

    /// Repairs the orders of all channels with what is listed now.
    pub(crate) async fn repair_listings(&self) {
        for view in self.channels() {
            if let Err(error) = crate::listings::repair(&self.schedule().intake, &view.name, self.now()).await
            {
                let text = qudao_model::fault::chain(&error);
                warn!(
                    channel.name = view.name,
                    "orders of `{}` could not be repaired with the listings: {text}", view.name
                );
            }
        }
    }
}
