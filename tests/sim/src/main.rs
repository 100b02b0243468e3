//! `qudao-simulation`: plays histories by the hundred, or one, and shortens what failed. `cargo xtask sim` builds and runs it.

use anstream::println;
use clap::Parser;
use qudao_simulation::{Failure, Seen, history, play, run, shorten};
use std::{
    io::Write as _,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// What to play.
#[derive(Debug, Parser)]
#[command(
    name = "qudao-simulation",
    about = "Plays histories of a gateway among failing platforms, on a failing disk"
)]
struct Cli {
    /// How many histories
    #[arg(long, value_name = "N", default_value_t = 200)]
    seeds: u64,
    /// First seed
    #[arg(long, value_name = "S", default_value_t = 1)]
    from: u64,
    /// Only this history, told step by step
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Only these steps of it
    #[arg(long, value_name = "N,N", value_delimiter = ',', requires = "seed")]
    steps: Option<Vec<usize>>,
    /// Histories at a time
    #[arg(long, value_name = "N", default_value_t = 2)]
    jobs: usize,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let failed = match cli.seed {
        Some(seed) => one(seed, cli.steps.as_deref()),
        None => many(&cli),
    };
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One history, with its steps.
fn one(seed: u64, steps: Option<&[usize]>) -> Vec<Failure> {
    let all = history::steps(seed);
    let places = steps.map_or_else(|| (0..all.len()).collect::<Vec<_>>(), <[usize]>::to_vec);
    tell_steps(seed, &places);
    let played = play(seed, &places, false);
    match &played {
        Err(failure) => println!("\nFAILED: {}", failure.text),
        Ok(happened) => println!("\nnothing is wrong with it; what happened:\n\n{happened}"),
    }
    played.err().into_iter().collect()
}

/// Many histories.
fn many(cli: &Cli) -> Vec<Failure> {
    // What failed is told at the end, short.
    std::panic::set_hook(Box::new(|_| {}));
    let (begun, next) = (Instant::now(), AtomicU64::new(0));
    let failed: Mutex<Vec<Failure>> = Mutex::default();
    let seen: Mutex<Seen> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..cli.jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= cli.seeds {
                        return;
                    }
                    match run(cli.from + at) {
                        Err(failure) => {
                            println!("seed {} failed: {}", failure.seed, first_line(&failure.text));
                            failed.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
                        }
                        Ok(one) => seen.lock().unwrap_or_else(PoisonError::into_inner).merge(&one),
                    }
                    if at % 100 == 99 {
                        println!("{} of {} histories, {} s", at + 1, cli.seeds, begun.elapsed().as_secs());
                    }
                    drop(std::io::stdout().flush());
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    let seconds = begun.elapsed().as_secs();
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("\nwhat happened in those that went well:\n\n{seen}");
    println!("{} histories in {seconds} s, {} failed", cli.seeds, failed.len());
    if let Some(first) = failed.first() {
        tell(&shorten(first));
    }
    failed
}

fn tell(failure: &Failure) {
    let Failure { seed, steps, text } = failure;
    println!("\nthe shortest that fails of seed {seed}:");
    tell_steps(*seed, steps);
    let places: Vec<String> = steps.iter().map(usize::to_string).collect();
    println!("{text}\n\nplay it again: cargo xtask sim --seed {seed}");
    println!("and this much: cargo xtask sim --seed {seed} --steps {}", places.join(","));
}

fn tell_steps(seed: u64, places: &[usize]) {
    let steps = history::steps(seed);
    for (place, step) in places.iter().filter_map(|place| Some((place, steps.get(*place)?))) {
        println!("{place:>4}  {step}");
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
