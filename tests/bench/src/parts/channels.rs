//! Ten thousand channels: what each costs at start, in memory, and whether the others slow a notice of one.

use super::sides::load;
use crate::args::{Measure, Part};
use crate::figures::{Figures, Unit, grouped, nanos};
use crate::load::Pace;
use crate::notices::Supply;
use crate::section::Section;
use crate::server::{self, Server};
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const CHANNELS: u64 = 10_000;
/// Of the sample's first channel.
const KEYS: [&str; 2] = ["test_api_v3_key.txt", "test_platform_public_key.pem"];
/// Until what a start leaves to do is done.
const REST: Duration = Duration::from_secs(2);
/// How long idle processor time is watched.
const IDLE: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Rounds {
    start: Vec<u64>,
    resident: Vec<u64>,
    per_second: Vec<u64>,
    p99: Vec<u64>,
    idle: Vec<u64>,
}

pub(crate) fn measure(measure: &Measure, section: &mut Section) -> Result<()> {
    section.method(format!(
        "{} channels of WeChat Pay with secrets of their own, and notices to one of them. The reference is the same gateway with that \
         channel alone. {} rounds on an empty database; components compiled before.",
        grouped(CHANNELS),
        measure.few()
    ));
    let mut supply = Supply::default();
    let (mut many, mut alone) = (Rounds::default(), Rounds::default());
    for _ in 0..measure.few() {
        for (count, rounds) in [(1, &mut alone), (CHANNELS, &mut many)] {
            let folder = measure.part_folder(Part::Channels).join(count.to_string());
            one_round(measure, &folder, (count, &supply.young(measure.notices)?.wires), rounds)?;
            eprintln!("    {} channels", grouped(count));
        }
    }
    let mut row = |what: &str, unit: Unit, of: fn(&Rounds) -> &Vec<u64>| {
        let show = |rounds: &Rounds| Figures::of(of(rounds).clone()).show(unit);
        section.row(what, show(&many), show(&alone));
    };
    row("start, until `/readyz` says yes", Unit::Millis, |rounds| &rounds.start);
    row("memory at rest", Unit::Mib, |rounds| &rounds.resident);
    row("one processor's time while nothing happens", Unit::PerCent, |rounds| &rounds.idle);
    row("notices acknowledged", Unit::PerSecond, |rounds| &rounds.per_second);
    row("answer at 500/s, p99", Unit::Millis, |rounds| &rounds.p99);
    Ok(())
}

fn one_round(
    measure: &Measure,
    folder: &Path,
    (count, wires): (u64, &[Vec<u8>]),
    rounds: &mut Rounds,
) -> Result<()> {
    let config = folder.join("connectors.yaml");
    if !config.exists() {
        server::empty(folder)?;
        server::write_config(measure, folder, &yaml(measure, folder, count)?)?;
        // Compiles.
        drop(Server::with_config(measure, folder, &config)?);
    }
    forget(folder)?;
    let (server, took) = Server::with_config(measure, folder, &config)?;
    rounds.start.push(nanos(took));
    thread::sleep(REST);
    rounds.resident.push(server.cost()?.resident_kib);
    let (begun, before) = (Instant::now(), server.processor()?);
    thread::sleep(IDLE);
    let used = server.processor()?.saturating_sub(before);
    rounds.idle.push(nanos(used).saturating_mul(1_000) / nanos(begun.elapsed()).max(1));
    rounds.per_second.push(load(measure, &server, wires, Pace::Closed)?.per_second());
    drop(server);
    forget(folder)?;
    let (server, _) = Server::with_config(measure, folder, &config)?;
    rounds.p99.push(load(measure, &server, wires, Pace::Open(500))?.latencies.quantile(990));
    Ok(())
}

/// Removes the database.
fn forget(folder: &Path) -> Result<()> {
    for end in ["", "-wal", "-shm"] {
        let path = folder.join(format!("data/qudao.sqlite{end}"));
        if path.exists() {
            fs::remove_file(path).context("removing a database")?;
        }
    }
    Ok(())
}

/// A configuration with the first channel of the sample, and others like it.
pub(super) fn yaml(measure: &Measure, folder: &Path, count: u64) -> Result<String> {
    for file in KEYS {
        let copy = folder.join(file);
        fs::copy(measure.key(file), &copy).with_context(|| format!("copying {file}"))?;
        // As `qudao check` wants them, which warns of each otherwise.
        fs::set_permissions(&copy, Permissions::from_mode(0o600))?;
    }
    let mut text =
        "version: 1\ngateway: {hooks: \"127.0.0.1:0\", admin: \"127.0.0.1:0\", data: data}\nchannels:\n"
            .to_owned();
    for at in 0..count {
        let name = if at == 0 { "wechat-main".to_owned() } else { format!("wechat-{at:05}") };
        write!(
            text,
            "  {name}:\n    connector: wechat-pay\n    settings: {{mchid: \"1699004182\", appid: wx5b1e7d92c04af836, verify: public_key, \
             public_key_id: PUB_KEY_ID_0116990041822026010500211827001264}}\n    secrets:\n      \
             api_v3_key: {{file: {key}}}\n      platform_public_key: {{file: {public}}}\n",
            key = KEYS[0],
            public = KEYS[1],
        )?;
    }
    Ok(text)
}
