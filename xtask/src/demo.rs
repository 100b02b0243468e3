//! `cargo xtask demo`: the main job on real input. A gateway on embedded SQLite with the sample configuration, connectors
//! as components, and simulators that sign like the platforms: payments, refunds in and out of order, retries of one
//! notice, forged, stale and probing ones. The feed grows as a table; at the end what it says is compared with what the
//! platforms know, and any difference makes the exit code 1.
//!
//! Runs in `target/demo`, made new each time. Every child is stopped by id, also on Ctrl-C.

mod feed;
mod folder;
mod gateway;
mod platforms;
mod summary;
mod verify;

use crate::{plugins, process, screen, workspace};
use anyhow::{Result, bail};
use feed::Feed;
use folder::{Folder, Ports};
use gateway::Gateway;
use platforms::{PARTS, Report, Simulator, Story};
use std::path::PathBuf;
use verify::Said;

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
    /// Orders that each platform plays; each makes one to three notices
    #[arg(long, value_name = "N", default_value_t = 26)]
    orders: u32,
    /// Notices per second and platform
    #[arg(long, value_name = "N", default_value_t = 10)]
    rate: u32,
    /// Decides the story; without it each run tells another one
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Seconds that a long-poll may wait: short, so that Ctrl-C is heard soon.
const WAIT_S: u32 = 1;

/// Runs the demo.
pub(crate) fn run(args: &Args) -> Result<()> {
    process::catch_stop()?;
    let programs = Programs::build()?;
    let ports = Ports { hooks: args.port, admin: args.admin_port }.free();
    let folder = Folder::make(ports)?;
    screen::step("starting the gateway");
    let Some(mut gateway) = Gateway::start(&programs.gateway, &folder)? else { return Ok(()) };
    screen::step(&format!("hooks on {}, feed and inbox on {}", gateway.hooks, gateway.admin));

    let mut feed = Feed::default();
    let Some(reports) = play(args, &programs, &gateway, &mut feed)? else {
        screen::step("stopped");
        return gateway.stop();
    };
    let said = Said {
        events: feed.events.clone(),
        payments: gateway.list("/v1/payments")?,
        refunds: gateway.list("/v1/refunds")?,
        deliveries: gateway.list("/v1/deliveries")?,
    };
    summary::show(&reports, &said);
    let differences = verify::differences(&reports, &said);
    for difference in &differences {
        screen::failure(difference);
    }
    if differences.is_empty() {
        screen::step("the feed says what the platforms know");
    }
    if !args.once {
        summary::next_steps(&gateway, &folder, &programs.gateway);
        watch(&mut gateway, &mut feed)?;
    }
    gateway.stop()?;
    match differences.len() {
        0 => Ok(()),
        count => bail!(
            "{count} differences from what the platforms know ({}); log: {}",
            seeds(&reports),
            folder.log().display()
        ),
    }
}

/// The programs of the demo, built in the development profile.
struct Programs {
    gateway: PathBuf,
    simulator: PathBuf,
}

impl Programs {
    fn build() -> Result<Programs> {
        screen::step("building the gateway and the simulators");
        let packages = ["build", "--locked", "--package", "qudao", "--package", "qudao-sim"];
        process::run(&mut workspace::cargo(&packages))?;
        screen::step("building the connectors");
        plugins::run()?;
        let built = workspace::target()?.join("debug");
        let program = |name: &str| built.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        Ok(Programs { gateway: program("qudao"), simulator: program("qudao-sim") })
    }
}

/// Lets the platforms tell their stories while the feed grows; `None` when a person asked to stop.
fn play(args: &Args, programs: &Programs, gateway: &Gateway, feed: &mut Feed) -> Result<Option<Vec<Report>>> {
    let story = Story { seed: args.seed, orders: args.orders, per_second: args.rate };
    screen::step("the platforms begin\n");
    let start = |part| Simulator::start(&programs.simulator, &gateway.hooks, part, &story);
    let mut simulators = PARTS.iter().map(start).collect::<Result<Vec<Simulator>>>()?;
    loop {
        // Asked before the feed is read: what was acknowledged before is then in what is read.
        let busy = simulators.iter_mut().map(Simulator::busy).collect::<Result<Vec<bool>>>()?;
        let grown = feed.grow(gateway, if busy.contains(&true) { WAIT_S } else { 0 })?;
        if process::stopping() {
            return Ok(None);
        }
        if grown == 0 && !busy.contains(&true) {
            break;
        }
    }
    simulators.into_iter().map(Simulator::report).collect::<Result<Vec<Report>>>().map(Some)
}

/// Keeps showing the feed until a person asks to stop.
fn watch(gateway: &mut Gateway, feed: &mut Feed) -> Result<()> {
    screen::step("the gateway keeps running and the feed is shown as it grows; Ctrl-C ends it\n");
    while !process::stopping() {
        if !gateway.alive()? {
            bail!("the gateway has ended by itself");
        }
        feed.grow(gateway, WAIT_S)?;
    }
    screen::step("stopping");
    Ok(())
}

/// What makes the same stories again.
fn seeds(reports: &[Report]) -> String {
    let seeds = reports.iter().map(|report| format!("{}: --seed {}", report.channel, report.seed));
    seeds.collect::<Vec<String>>().join(", ")
}
