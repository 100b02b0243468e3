//! Acknowledged, durable, verified notices per second, and how long an answer takes at half of that.
//!
//! Gateway and reference take turns round by round, each with an empty database on the same disk and the same notices.

use crate::args::Measure;
use crate::figures::Figures;
use crate::load::{Load, Measured, Pace};
use crate::notices;
use crate::server::Server;
use anyhow::{Result, bail};
use std::fs;
use std::path::Path;

/// One side's figures over all rounds.
#[derive(Default)]
pub(crate) struct Side {
    pub(crate) per_second: Figures,
    /// Nanoseconds, at half the gateway's rate of the same round.
    pub(crate) p50: Figures,
    pub(crate) p99: Figures,
}

/// Both sides.
pub(crate) struct Throughput {
    pub(crate) gateway: Side,
    pub(crate) reference: Side,
    /// Gateway's rate in per mille of the reference's, round by round.
    pub(crate) share: Figures,
    /// Rates of the open loop.
    pub(crate) half: Figures,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Gateway,
    Reference,
}

#[derive(Default)]
struct Rounds {
    per_second: Vec<u64>,
    p50: Vec<u64>,
    p99: Vec<u64>,
}

/// Measures both sides.
pub(crate) fn measure(measure: &Measure) -> Result<Throughput> {
    let (mut gateway, mut reference) = (Rounds::default(), Rounds::default());
    let (mut share, mut halves) = (Vec::new(), Vec::new());
    for round in 0..measure.rounds {
        let wire = signed(measure, round)?;
        // Who goes first changes, so that neither always finds the warmer machine.
        let order = if round % 2 == 0 {
            [Which::Reference, Which::Gateway]
        } else {
            [Which::Gateway, Which::Reference]
        };
        for which in order {
            let measured = run(measure, which, &wire, Pace::Closed)?;
            rounds(which, &mut gateway, &mut reference).per_second.push(measured.per_second());
        }
        let (most, natively) = (last(&gateway.per_second), last(&reference.per_second));
        share.push(most * 1000 / natively.max(1));
        let half = most / 2;
        halves.push(half);
        let wire = signed(measure, round + measure.rounds)?;
        for which in order {
            let measured = run(measure, which, &wire, Pace::Open(half))?;
            let side = rounds(which, &mut gateway, &mut reference);
            side.p50.push(measured.latencies.median());
            side.p99.push(measured.latencies.quantile(990));
        }
        eprintln!("    round {}: gateway {most}/s, reference {natively}/s, then {half}/s", round + 1);
    }
    Ok(Throughput {
        gateway: gateway.into(),
        reference: reference.into(),
        share: Figures::of(share),
        half: Figures::of(halves),
    })
}

fn signed(measure: &Measure, seed: usize) -> Result<Vec<Vec<u8>>> {
    let seed = u64::try_from(seed).unwrap_or_default() + 100;
    Ok(notices::make(measure.notices, seed)?.iter().map(notices::wire).collect())
}

fn rounds<'a>(which: Which, gateway: &'a mut Rounds, reference: &'a mut Rounds) -> &'a mut Rounds {
    match which {
        Which::Gateway => gateway,
        Which::Reference => reference,
    }
}

fn last(figures: &[u64]) -> u64 {
    figures.last().copied().unwrap_or_default()
}

fn run(measure: &Measure, which: Which, wire: &[Vec<u8>], pace: Pace) -> Result<Measured> {
    let folder = measure.folder.join("load");
    empty(&folder)?;
    let server = match which {
        Which::Gateway => Server::gateway(measure, &folder)?.0,
        Which::Reference => Server::reference(measure, &folder)?,
    };
    let load = Load {
        address: server.address,
        requests: wire,
        connections: measure.connections,
        pace,
        warm_up: Measure::WARM_UP,
        length: measure.length(),
    };
    let measured = load.run()?;
    if measured.refused > 0 || measured.acknowledged == 0 {
        bail!("{} notices were refused, {} acknowledged", measured.refused, measured.acknowledged);
    }
    Ok(measured)
}

/// An empty folder that keeps only the compiled connectors.
fn empty(folder: &Path) -> Result<()> {
    let cache = folder.join("data/cache");
    let aside = folder.with_extension("cache");
    if cache.exists() {
        fs::rename(&cache, &aside)?;
    }
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder.join("data"))?;
    if aside.exists() {
        fs::rename(&aside, &cache)?;
    }
    Ok(())
}

impl From<Rounds> for Side {
    fn from(rounds: Rounds) -> Side {
        Side {
            per_second: Figures::of(rounds.per_second),
            p50: Figures::of(rounds.p50),
            p99: Figures::of(rounds.p99),
        }
    }
}
