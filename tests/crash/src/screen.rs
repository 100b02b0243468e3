//! What a person sees: how far it is, and the result.

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};
use qudao_crash::{Options, Report, Restarts, Watch};
use std::time::Duration;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const STEP: Style = AnsiColor::Cyan.on_default().bold();

/// Kills from one line to the next, where no bar can be drawn.
const TOLD_EVERY: u32 = 100;

/// How far it is: a bar on a terminal, a line now and then elsewhere.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(options: &Options) -> Bar {
        let bar = ProgressBar::new(u64::from(options.cycles));
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} kills  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar(bar)
    }

    pub(crate) fn show(&mut self, watched: Watch) {
        match watched {
            Watch::Step(text) => {
                self.0.suspend(|| anstream::eprintln!("{STEP}==>{STEP:#} {text}"));
                self.0.set_message(text);
            }
            Watch::Cycle { cycle, kill, acknowledged } => {
                if self.0.is_hidden() && cycle % TOLD_EVERY == 0 {
                    anstream::eprintln!("{cycle} kills, {acknowledged} notices acknowledged");
                }
                self.0.set_position(u64::from(cycle));
                self.0.set_message(format!("{kill}, {acknowledged} notices acknowledged"));
            }
        }
    }

    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}

/// The result as a text.
pub(crate) fn report(report: &Report, options: &Options) {
    let counts = &report.counts;
    let hit = |what: &str| report.hit.get(what).copied().unwrap_or_default();
    let aimed = report.kills.iter().filter(|(what, _)| **what != "migration");
    let kills = aimed.map(|(what, count)| format!("{count} {what}, {} in it", hit(what)));
    anstream::println!("kills      {} ({})", report.cycles, kills.collect::<Vec<_>>().join("; "));
    anstream::println!(
        "copies     the log started over {} times in the {} lives that copy it back",
        report.copies.started_over,
        report.copies.lives
    );
    anstream::println!(
        "sent       {} requests at {}/s: {} notices acknowledged, {} repeats acknowledged, {} forged refused, {} turned away, {} unanswered",
        counts.sent,
        options.rate,
        counts.acknowledged,
        counts.repeated,
        counts.refused,
        counts.turned_away,
        counts.unanswered
    );
    let kept = &report.kept;
    anstream::println!(
        "kept       {} deliveries, {} observations, {} entities, {} events, {} imports, {} orders and {} after-sales of the shop",
        kept.deliveries,
        kept.observations,
        kept.entities,
        kept.events,
        kept.imports,
        kept.orders,
        kept.aftersales
    );
    restarts("restart", &report.restarts);
    if report.migrations.count > 0 {
        let kills = report.kills.get("migration").copied().unwrap_or_default();
        anstream::println!("migrations {kills} starts killed, {} in the middle of one", hit("migration"));
        restarts("migration", &report.migrations);
    }
    if report.missing.is_empty() {
        anstream::println!("{GOOD}nothing is missing, nothing is there twice{GOOD:#} (seed {})", report.seed);
        return;
    }
    anstream::println!(
        "{BAD}{} things are wrong{BAD:#} after cycle {}:",
        report.missing.len(),
        report.cycles
    );
    for missing in &report.missing {
        anstream::println!("  {missing}");
    }
    anstream::println!("folder     {}", options.folder.display());
    anstream::println!(
        "again      cargo xtask crash --cycles {} --seed {} --rate {} --events {}",
        report.cycles.min(options.cycles),
        report.seed,
        options.rate,
        options.events
    );
}

fn restarts(what: &str, restarts: &Restarts) {
    anstream::println!(
        "{what:<10} {} ms to the first answer at the median, {} ms for 95 of 100, {} ms at most, {} starts",
        restarts.median_ms,
        restarts.p95_ms,
        restarts.max_ms,
        restarts.count
    );
}

/// The program ends badly.
pub(crate) fn failure(text: &str) {
    anstream::eprintln!("{BAD}error{BAD:#}: {text}");
}
