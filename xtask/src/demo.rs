//! `cargo xtask demo`: the main job on real input. A gateway on embedded SQLite with the sample configuration, connectors
//! as components, simulators of four platforms, and the old ERP of a store chain. Two of them post signed notices: payments, refunds in and out of order,
//! retries of one notice, forged, stale and probing ones. Two shops are asked: orders with a past, and orders that are
//! placed, paid, held, shipped and refunded meanwhile. The ERP writes files. The feed grows as a table, and goes to a program of HQ as signed webhooks; at the end what it says is compared with
//! what the platforms know, and any difference makes the exit code 1.
//!
//! Runs in `target/demo`, made new each time. Every child is stopped by id, also on Ctrl-C.

mod consumer;
mod erp;
mod feed;
mod folder;
mod gateway;
mod http;
mod platforms;
mod servers;
mod stage;
mod summary;
mod tales;
mod verify;

use crate::{plugins, process, screen, workspace};
use anyhow::{Result, bail};
pub(crate) use stage::Stage;

use consumer::Consumer;
use erp::{Erp, Stores};
use feed::Feed;
use folder::{Folder, Ports};
use gateway::Gateway;
use platforms::{PARTS, Report, Simulator, Story};
use serde_json::json;
use servers::{Ledger, ROLES, Server};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tales::Tales;
use verify::{Known, Said};

/// How to run it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// End after the summary instead of keeping the gateway running
    #[arg(long)]
    once: bool,
    /// Port of the public listener; another free one is taken when it is not free
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    port: u16,
    /// Port of the private listener; another free one is taken when it is not free
    #[arg(long, value_name = "PORT", default_value_t = 8081)]
    admin_port: u16,
    /// Orders that each payment platform plays; each makes one to three notices
    #[arg(long, value_name = "N", default_value_t = 26)]
    orders: u32,
    /// Orders that each shop has had before the gateway starts
    #[arg(long, value_name = "N", default_value_t = 8)]
    past: u32,
    /// Notices per second and platform
    #[arg(long, value_name = "N", default_value_t = 10)]
    rate: u32,
    /// Decides the story; without it each run tells another one
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Seconds that a long-poll may wait: short, so that Ctrl-C is heard soon.
const WAIT_S: u32 = 1;
/// How long the gateway may take to learn the last of what happened.
const QUIET_MAX: Duration = Duration::from_mins(1);
/// The past of a shop: within so many seconds.
const PAST_S: u32 = 3 * 3600;

/// Runs the demo.
pub(crate) fn run(args: &Args) -> Result<()> {
    process::catch_stop()?;
    let programs = Programs::build()?;
    screen::step("opening the shops");
    let seed = args.seed.unwrap_or_else(|| std::process::id().into());
    let mut servers = open(&programs, seed, args.past)?;
    let ports = Ports { hooks: args.port, admin: args.admin_port }.free();
    let folder = Folder::make("demo", ports, &servers)?;
    let mut hq = Consumer::start(&programs.consumer, &folder)?;
    screen::step("starting the gateway");
    let Some(mut gateway) = Gateway::start(&programs.gateway, &folder)? else { return Ok(()) };
    screen::step(&format!("hooks on {}, feed and inbox on {}", gateway.hooks, gateway.http.base));

    let mut demo =
        Demo { folder: &folder, servers: &servers, gateway: &gateway, consumer: &hq, feed: Feed::default() };
    let story = Story { seed, orders: args.orders, per_second: args.rate };
    let mut erp = Erp::new(&programs.simulator, &folder, seed);
    let Some(known) = demo.play(&story, &programs, &mut erp)? else { return stopped(gateway) };
    let known = Known { reports: known, ledgers: Vec::new(), erp: erp.truth };
    let Some((known, said, differences)) = demo.settle(known)? else { return stopped(gateway) };
    let mut feed = demo.feed;
    summary::show(&known, &said);
    for difference in &differences {
        screen::failure(difference);
    }
    if differences.is_empty() {
        screen::step("the feed says what the platforms know, to the fen");
        screen::step("HQ's consumer has every event once, verified, in order");
    }
    if !args.once {
        summary::next_steps(&gateway, &servers, &folder, &programs.gateway);
        watch(&mut gateway, &mut servers, &mut hq, &mut feed)?;
    }
    gateway.stop()?;
    match differences.len() {
        0 => Ok(()),
        count => bail!(
            "{count} differences from what the platforms know (--seed {seed}); log: {}",
            folder.log().display()
        ),
    }
}

fn stopped(gateway: Gateway) -> Result<()> {
    screen::step("stopped");
    gateway.stop()
}

/// Starts those that are asked; the shops have had some orders already.
fn open(programs: &Programs, seed: u64, past: u32) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for role in ROLES {
        let server = Server::start(&programs.simulator, role, seed)?;
        if role.sells {
            server.drive("stock", &json!({"count": past, "within_s": PAST_S}))?;
        }
        servers.push(server);
    }
    Ok(servers)
}

/// The programs of the demo, built in the development profile.
struct Programs {
    gateway: PathBuf,
    simulator: PathBuf,
    consumer: PathBuf,
}

impl Programs {
    fn build() -> Result<Programs> {
        screen::step("building the gateway, the simulators and the consumer");
        let packages = ["qudao", "qudao-sim", "feed-consumer"].iter().flat_map(|name| ["--package", name]);
        let arguments: Vec<&str> = ["build", "--locked"].into_iter().chain(packages).collect();
        process::run(&mut workspace::cargo(&arguments))?;
        screen::step("building the connectors");
        plugins::run()?;
        let program = |name: &str| workspace::built("debug", name);
        let (gateway, simulator) = (program("qudao")?, program("qudao-sim")?);
        Ok(Programs { gateway, simulator, consumer: program("feed-consumer")? })
    }
}

/// A demo that runs.
struct Demo<'a> {
    folder: &'a Folder,
    servers: &'a [Server],
    gateway: &'a Gateway,
    consumer: &'a Consumer,
    feed: Feed,
}

impl Demo<'_> {
    /// Lets the platforms tell their stories while the feed grows; `None` when a person asked to stop.
    fn play(&mut self, story: &Story, programs: &Programs, erp: &mut Erp) -> Result<Option<Vec<Report>>> {
        screen::step("the platforms begin\n");
        let start = |part| Simulator::start(&programs.simulator, &self.gateway.hooks, part, story);
        let mut simulators = PARTS.iter().map(start).collect::<Result<Vec<Simulator>>>()?;
        let mut tales = Tales::of_the_sample();
        loop {
            let told = tales.advance(self.servers, self.gateway, &self.feed.events)?;
            let closed = erp.advance(self.gateway)?;
            // Asked before the feed is read: what was acknowledged before is then in what is read.
            let busy = simulators.iter_mut().map(Simulator::busy).collect::<Result<Vec<bool>>>()?;
            let busy = !told || !closed || busy.contains(&true);
            let grown = self.feed.grow(self.gateway, if busy { WAIT_S } else { 0 })?;
            if process::stopping() {
                return Ok(None);
            }
            if grown == 0 && !busy {
                break;
            }
        }
        simulators.into_iter().map(Simulator::report).collect::<Result<Vec<Report>>>().map(Some)
    }

    /// Waits, for a while, until the gateway has learned all; what both sides say then, and every difference that is left.
    fn settle(&mut self, mut known: Known) -> Result<Option<(Known, Said, Vec<String>)>> {
        let until = Instant::now() + QUIET_MAX;
        loop {
            known.ledgers = self.servers.iter().map(Server::ledger).collect::<Result<Vec<Ledger>>>()?;
            let said = self.said()?;
            let mut differences = verify::differences(&known, &said);
            differences.extend(consumer::differences(&said.kept, &said.events));
            if differences.is_empty() || Instant::now() > until {
                return Ok(Some((known, said, differences)));
            }
            if process::stopping() {
                return Ok(None);
            }
            self.feed.grow(self.gateway, WAIT_S)?;
        }
    }

    fn said(&mut self) -> Result<Said> {
        let said = Said {
            payments: self.gateway.list("/v1/payments")?,
            refunds: self.gateway.list("/v1/refunds")?,
            orders: self.gateway.list("/v1/orders")?,
            aftersales: self.gateway.list("/v1/aftersales")?,
            deliveries: self.gateway.list("/v1/deliveries")?,
            stores: Stores::read(self.gateway)?,
            listings: self.folder.listings()?,
            events: Vec::new(),
            kept: Vec::new(),
        };
        // Read last: what the entities say is then in the feed.
        while self.feed.grow(self.gateway, 0)? > 0 {}
        Ok(Said { events: self.feed.events.clone(), kept: self.consumer.kept()?, ..said })
    }
}

/// Keeps showing the feed until a person asks to stop.
fn watch(
    gateway: &mut Gateway,
    servers: &mut [Server],
    consumer: &mut Consumer,
    feed: &mut Feed,
) -> Result<()> {
    screen::step("the gateway keeps running and the feed is shown as it grows; Ctrl-C ends it\n");
    while !process::stopping() {
        if !gateway.alive()? {
            bail!("the gateway has ended by itself");
        }
        for server in servers.iter_mut() {
            if !server.alive()? {
                bail!("the {} simulator has ended by itself", server.role.platform);
            }
        }
        if !consumer.alive()? {
            bail!("HQ's consumer has ended by itself");
        }
        feed.grow(gateway, WAIT_S)?;
    }
    screen::step("stopping");
    Ok(())
}
