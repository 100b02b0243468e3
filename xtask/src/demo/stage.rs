//! A running gateway with a short past, for commands that want one with something in it: the sample's channels, notices of two
//! platforms, orders of two shops, an evening of the stores' ERP that waits for a person, and a command.

use super::erp::Erp;
use super::folder::{Folder, Ports};
use super::gateway::{Gateway, log_end};
use super::platforms::{PARTS, Simulator, Story};
use super::servers::Server;
use super::{Programs, open};
use crate::{process, screen};
use anyhow::{Result, bail};
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Orders that each shop has had.
const PAST: u32 = 4;
/// What the payment platforms tell.
const STORY: Story = Story { seed: 5, orders: 12, per_second: 40 };
/// How long the gateway may take to learn all of it.
const LEARNED_MAX: Duration = Duration::from_mins(1);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(100);
/// Lists that must not be empty before anybody asks.
const LISTS: [&str; 8] = [
    "/v1/payments",
    "/v1/refunds",
    "/v1/orders",
    "/v1/slips",
    "/v1/quarantine",
    "/v1/imports?state=held",
    "/v1/deliveries?verdict=rejected",
    "/v1/commands",
];

/// The gateway and those it asks; all end with it.
pub(crate) struct Stage {
    gateway: Gateway,
    folder: Folder,
    _servers: Vec<Server>,
}

impl Stage {
    /// Builds what is needed, starts it in `target/<name>` and waits until the past is known; `None` when a person asked
    /// to stop meanwhile.
    pub(crate) fn open(name: &str) -> Result<Option<Stage>> {
        let programs = Programs::build()?;
        screen::step("starting a gateway with a short past");
        let servers = open(&programs, STORY.seed, PAST)?;
        let folder = Folder::make(name, Ports { hooks: 0, admin: 0 }, &servers)?;
        let Some(gateway) = Gateway::start(&programs.gateway, &folder)? else { return Ok(None) };
        let start = |part| Simulator::start(&programs.simulator, &gateway.hooks, part, &STORY);
        let simulators = PARTS.iter().map(start).collect::<Result<Vec<Simulator>>>()?;
        let mut erp = Erp::new(&programs.simulator, &folder, STORY.seed);
        erp.advance(&gateway)?;
        for mut simulator in simulators {
            while simulator.busy()? && !process::stopping() {
                process::pause(LOOK);
            }
        }
        let command = json!({"channel": "wechat-main", "kind": "payment.close", "idempotency_key": "stage-1",
            "payload": {"order_no": "STAGE0001"}});
        gateway.http.post("/v1/commands", &command)?;
        let stage = Stage { gateway, folder, _servers: servers };
        let until = Instant::now() + LEARNED_MAX;
        while !stage.is_set()? {
            if process::stopping() {
                return Ok(None);
            }
            if Instant::now() > until {
                bail!("the gateway does not learn its past; its log ends with\n{}", log_end(&stage.folder));
            }
            process::pause(LOOK);
        }
        Ok(Some(stage))
    }

    fn is_set(&self) -> Result<bool> {
        for list in LISTS {
            let page = self.gateway.http.get(list)?;
            if page.get("items").and_then(serde_json::Value::as_array).is_none_or(Vec::is_empty) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the private listener is, without a slash at its end.
    pub(crate) fn admin(&self) -> &str {
        &self.gateway.http.base
    }

    /// The file with its token.
    pub(crate) fn token(&self) -> PathBuf {
        self.folder.data().join("admin-token")
    }

    /// Stops the gateway, which must end well, and gives the lines of its log that tell of a bug.
    pub(crate) fn close(mut self) -> Result<Vec<String>> {
        if !self.gateway.alive()? {
            bail!("the gateway has ended by itself; its log ends with\n{}", log_end(&self.folder));
        }
        self.gateway.stop()?;
        let log = fs::read_to_string(self.folder.log())?;
        let told = |line: &&str| line.contains("\"level\":\"ERROR\"") || line.contains("panicked");
        Ok(log.lines().filter(told).map(str::to_owned).collect())
    }
}
