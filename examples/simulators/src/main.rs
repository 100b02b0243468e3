//! `qudao-sim`: the platform simulators as a program. See `qudao-sim --help`.

mod args;
mod post;
mod serve;
mod show;

use anyhow::Context;
use args::{CommandLine, Story, What};
use clap::Parser;
use clap::error::ErrorKind;
use qudao_sim::alipay::Alipay;
use qudao_sim::erp::Erp;
use qudao_sim::story::{Plan, tell};
use qudao_sim::truth::Truth;
use qudao_sim::wechat_pay::WechatPay;
use qudao_sim::{Keys, Platform};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const WRONG_ANSWERS: u8 = 1;
const USAGE: u8 = 64;
const INTERNAL: u8 = 70;

fn main() -> ExitCode {
    let command = match CommandLine::try_parse() {
        Ok(command) => command,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nowhere left to report a broken pipe to.
            drop(error.print());
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    let doing = match open(command.what) {
        Ok(opened) => opened,
        Err(error) => return failure(&error.into(), USAGE),
    };
    let done = match doing {
        Doing::Tell(platform, story) => run(&*platform, &story),
        Doing::Serve(open) => serve::serve(&open).map(|()| true),
        Doing::Write { mut erp, folder, days } => write(&mut erp, &folder, days).map(|()| true),
    };
    match done {
        Ok(right) if right => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(WRONG_ANSWERS),
        Err(error) => failure(&error, INTERNAL),
    }
}

/// What a command line comes to.
enum Doing {
    Tell(Box<dyn Platform>, Story),
    Serve(serve::Open),
    Write { erp: Box<Erp>, folder: PathBuf, days: u32 },
}

fn failure(error: &anyhow::Error, code: u8) -> ExitCode {
    anstream::eprintln!("error: {error:#}");
    ExitCode::from(code)
}

fn open(what: What) -> Result<Doing, qudao_sim::Error> {
    let platform = match what {
        What::Platform(platform) => platform,
        What::Erp { folder, days, seed, at } => {
            return Ok(Doing::Write { erp: Box::new(Erp::open(seed, at)), folder, days });
        }
    };
    let keys = |story: &Story| story.from.clone().map_or(Keys::BuiltIn, Keys::Folder);
    Ok(match platform {
        args::Platform::WechatPay { mode, listen: args::Listen { listen: None }, story } => {
            Doing::Tell(Box::new(WechatPay::new(&keys(&story), mode.into())?), story)
        }
        args::Platform::Alipay { mode, listen: args::Listen { listen: None }, story } => {
            Doing::Tell(Box::new(Alipay::new(&keys(&story), mode.into())?), story)
        }
        serving @ (args::Platform::WechatPay { .. }
        | args::Platform::Alipay { .. }
        | args::Platform::Tmall { .. }
        | args::Platform::Jd { .. }
        | args::Platform::Jddj { .. }
        | args::Platform::Qimen { .. }) => Doing::Serve(serve::open(serving)?),
    })
}

/// Writes the files; says which, and the truth, as one JSON line.
fn write(erp: &mut Erp, folder: &Path, days: u32) -> anyhow::Result<()> {
    let written = erp.write(folder, days).with_context(|| format!("writing into {}", folder.display()))?;
    anstream::println!("{}", serde_json::json!({"written": written, "truth": erp.truth()}));
    Ok(())
}

/// Tells the story; whether every answer was right.
fn run(platform: &dyn Platform, story: &Story) -> anyhow::Result<bool> {
    let start = story.at.unwrap_or_else(now);
    let seed = story.seed.unwrap_or_else(|| u64::try_from(now()).unwrap_or_default());
    let plan = Plan { seed, orders: story.count, scenario: story.scenario.into(), start };
    let deliveries = tell(platform, &plan);
    let Some(url) = &story.to else {
        let path = format!("/hooks/{}", platform.word());
        for (delivery, second) in deliveries.iter().zip(0..) {
            let now = start + second;
            show::request_line(&path, delivery, &platform.request(delivery, now)?, now);
        }
        return Ok(true);
    };
    if !story.json {
        anstream::println!("{} → {url}, {} notices, seed {seed}\n", platform.word(), deliveries.len());
    }
    let progress =
        if story.json { show::progress(deliveries.len()) } else { indicatif::ProgressBar::hidden() };
    let receiver = post::Receiver::new(platform, url.clone(), story.retry)?;
    let mut counts = show::Counts::default();
    let posted = receiver.post(&deliveries, story.rate, |delivery, outcome| {
        counts.add(delivery, outcome);
        if story.json {
            show::json_line(platform.word(), delivery, outcome);
        } else {
            show::line(delivery, outcome);
        }
        progress.inc(1);
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcomes = runtime.block_on(posted)?;
    progress.finish_and_clear();
    let known = deliveries.iter().zip(outcomes.iter().map(|outcome| outcome.acknowledged));
    let truth = Truth::of(platform, known);
    if story.json {
        show::json_truth(seed, counts, &truth);
    } else {
        show::summary(counts, &truth);
    }
    Ok(counts.wrong == 0)
}

/// Unix seconds; the one place that looks at a clock.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
