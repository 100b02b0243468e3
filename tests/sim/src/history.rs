//! What happens in one history: a row of steps that its seed decides.
//!
//! Steps come in scenes: trouble of platforms is followed by a question that meets it, a consumer's mood by events that it is
//! posted. What would do nothing in a world, as nobody is there to be asked, is thrown again. Each step throws with dice of its
//! own, so that a history with some of its steps taken out is still the same history.

use crate::{
    disk::{Failure, Fault},
    hook::{MOODS, Mood},
};
use qudao_sim::dice::Dice;
use std::fmt;

/// Steps of a history.
const STEPS: (u32, u32) = (16, 40);

/// How the name of the database's file ends.
const DATABASE: &str = "qudao.sqlite";
/// Faults that the gateway survives.
const FAILURES: [Failure; 4] = [Failure::Full, Failure::Write, Failure::Short, Failure::Flush];
/// Operations of the disk until a stop hits a start, or right behind it: a start writes the log once more and flushes it.
const START: u32 = 3;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Notices arrive, so many at once at most.
    Notices(u32),
    /// Buyers and sellers do something, so many times.
    Life(u32),
    /// A chain of stores closes so many days, and its ERP's files are handed in.
    Evening(u32),
    /// A platform answers badly from now on, so many times.
    Trouble(u32),
    /// The gateway asks whatever is due.
    Ask,
    /// Time passes.
    Wait(i64),
    /// The gateway's clock is wrong by so many seconds from now on.
    Skew(i64),
    /// The disk fails.
    Disk(Fault),
    /// The machine will stop after so many operations of the disk, with or without the loss of power.
    Stop {
        /// Operations until then.
        after: u64,
        /// End of the name of the only file whose operations count; all where absent.
        file: Option<&'static str>,
        /// Whether what was not flushed is lost.
        power: bool,
        /// What strikes the start after it.
        again: Option<Again>,
    },
    /// The machine stops while the gateway waits for a platform.
    StopAsking {
        /// Calls until then.
        calls: u32,
        /// Whether what was not flushed is lost.
        power: bool,
    },
    /// The gateway ends and starts again.
    Restart,
    /// The consumer of the webhook changes its mood.
    Hook(Mood),
    /// The webhook is posted to.
    Post,
    /// The reader of the feed reads so much; it may die before it has written it down.
    Read {
        /// Events at most.
        limit: u32,
        /// Whether it dies.
        dies: bool,
    },
}

/// A fault that is there when a machine starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// What it does.
    pub fault: Fault,
    /// Whether what was not flushed is lost if the machine stops once more.
    pub power: bool,
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each of the five is there or not")]
pub(crate) struct Cast {
    /// A marketplace is asked for orders.
    pub(crate) market: bool,
    /// A till is asked for payments and refunds.
    pub(crate) till: bool,
    /// WeChat Pay tells of payments.
    pub(crate) wechat: bool,
    /// Alipay does.
    pub(crate) alipay: bool,
    /// A chain of stores hands in files of its ERP.
    pub(crate) chain: bool,
}

impl Cast {
    /// At least one who tells; a market costs most.
    pub(crate) fn thrown(dice: &mut Dice) -> Cast {
        let (market, till, notices) = (dice.below(2) == 0, dice.below(3) == 0, dice.below(3));
        Cast { market, till, wechat: notices != 1, alipay: notices != 0, chain: dice.below(3) == 0 }
    }

    fn is_asked(self) -> bool {
        self.market || self.till
    }
}

/// The steps of a seed. Every history has trouble, where somebody is asked, a webhook's consumer in a bad mood, while there is
/// something to be told, and faults that strike the log and its copying. Their kinds go round with the seeds, so that none waits
/// for luck.
pub fn steps(seed: u64) -> Vec<Step> {
    let cast = Cast::thrown(&mut Dice::new(seed));
    let mut dice = Dice::new(seed ^ 0x5EED_0F57_E125);
    let count = dice.between(STEPS.0, STEPS.1);
    let mut place = || dice.below(4);
    let (trouble_at, mood_at, copy_at, log_at) = (place(), place(), place(), place());
    let mut moods = MOODS[1..].iter().copied().cycle().skip((seed % 6) as usize);
    let mut steps = Vec::new();
    for at in 0.. {
        if i64::try_from(steps.len()).is_ok_and(|so_far| so_far >= count) {
            break;
        }
        if at == trouble_at && cast.is_asked() {
            trouble(&mut dice, &mut steps);
        }
        if at == mood_at {
            mood(moods.next(), &mut dice, &mut steps);
        }
        if at == copy_at {
            copy(FAILURES.get((seed % 5) as usize), &mut dice, &mut steps);
        }
        if at == log_at {
            let fault = fault((FAILURES[(seed / 5 % 4) as usize], 3), &mut dice);
            steps.extend([Step::Disk(fault), Step::Notices(4)]);
        }
        if cast.chain && dice.below(5) == 0 {
            evening(&mut dice, &mut steps);
        }
        match dice.below(100) {
            0..5 => mood(moods.next().filter(|_| dice.below(4) > 0), &mut dice, &mut steps),
            5..20 if cast.is_asked() => trouble(&mut dice, &mut steps),
            20..37 if cast.is_asked() => asked(&mut dice, &mut steps),
            37.. => steps.push(one(&mut dice)),
            _ => {}
        }
    }
    steps
}

/// The dice of a step.
pub(crate) fn dice_of(seed: u64, place: usize) -> Dice {
    Dice::new(seed.wrapping_mul(0x9E37_79B9).wrapping_add(place as u64 + 1))
}

/// Calls of platforms go wrong, and there are calls.
fn trouble(dice: &mut Dice, steps: &mut Vec<Step>) {
    let trouble = Step::Trouble(1 + dice.below(3));
    steps.extend([life(dice), trouble, soon(dice), Step::Ask]);
    if dice.below(2) == 0 {
        steps.extend([soon(dice), Step::Ask]);
    }
}

/// Stores close; the disk is in the way, or the machine stops in the middle of it, or all is well.
fn evening(dice: &mut Dice, steps: &mut Vec<Step>) {
    match dice.below(5) {
        0 => steps.push(Step::Disk(disk(dice))),
        1..4 => steps.push(stop((40, None), dice)),
        _ => {}
    }
    steps.push(Step::Evening(1 + dice.below(2)));
    if dice.below(2) == 0 {
        steps.extend([Step::Wait(dice.between(1, 400)), Step::Evening(0)]);
    }
}

/// The log cannot be copied into the database, or the machine stops meanwhile: while the gateway runs, or when it ends.
fn copy(failure: Option<&Failure>, dice: &mut Dice, steps: &mut Vec<Step>) {
    steps.push(match failure {
        Some(failure) => Step::Disk(database(*failure, dice)),
        None => stop((12, Some(DATABASE)), dice),
    });
    steps.push(Step::Notices(4 + dice.below(6)));
    if dice.below(2) == 0 {
        steps.push(Step::Restart);
    }
}

/// The consumer of the webhook is in this mood, or in a good one, and there is something that it is told.
fn mood(mood: Option<Mood>, dice: &mut Dice, steps: &mut Vec<Step>) {
    let mood = mood.unwrap_or(Mood::Fine);
    steps.extend([Step::Hook(mood), Step::Notices(4 + dice.below(6)), Step::Post]);
    if dice.below(2) == 0 {
        steps.extend([soon(dice), Step::Post]);
    }
}

/// Something for worlds with somebody who is asked.
fn asked(dice: &mut Dice, steps: &mut Vec<Step>) {
    match dice.below(22) {
        0..8 => steps.push(life(dice)),
        8..15 => steps.push(Step::Ask),
        _ => {
            let (calls, power) = (dice.below(5), dice.below(2) == 0);
            steps.extend([life(dice), soon(dice), Step::StopAsking { calls, power }]);
        }
    }
}

/// Something for all worlds.
fn one(dice: &mut Dice) -> Step {
    match dice.below(63) {
        0..30 => Step::Notices(1 + dice.below(8)),
        30..34 => Step::Wait(dice.between(1, 3_000)),
        34..38 => Step::Skew(skew(dice)),
        38..47 => Step::Disk(disk(dice)),
        47..56 => stop((60, None), dice),
        56..58 => Step::Restart,
        58..60 => Step::Post,
        _ => Step::Read { limit: 1 + dice.below(20), dies: dice.below(3) == 0 },
    }
}

fn life(dice: &mut Dice) -> Step {
    Step::Life(1 + dice.below(6))
}

/// Until something is due.
fn soon(dice: &mut Dice) -> Step {
    Step::Wait(dice.between(300, 1_200))
}

fn up_to(dice: &mut Dice, most: u32) -> u64 {
    u64::from(dice.below(most))
}

/// A fault of the disk, sometimes of the database's file alone.
fn disk(dice: &mut Dice) -> Fault {
    let failure = FAILURES[dice.below(4) as usize];
    if dice.below(6) == 0 {
        return database(failure, dice);
    }
    fault((failure, if failure == Failure::Flush { 6 } else { 25 }), dice)
}

/// A fault of any file.
fn fault((failure, most): (Failure, u32), dice: &mut Dice) -> Fault {
    Fault { failure, file: None, after: up_to(dice, most), times: 1 + up_to(dice, 5) }
}

/// A fault of the database's file, which is written only while the log is copied, and flushed when it is.
fn database(failure: Failure, dice: &mut Dice) -> Fault {
    let after = up_to(dice, if failure == Failure::Flush { 1 } else { 6 });
    Fault { failure, file: Some(DATABASE), after, times: 1 + up_to(dice, 5) }
}

/// A stop; two starts in three are struck after it.
fn stop((most, file): (u32, Option<&'static str>), dice: &mut Dice) -> Step {
    let (after, power) = (up_to(dice, most), dice.below(2) == 0);
    let again = (dice.below(3) > 0).then(|| {
        let failure = match dice.below(5) {
            0 => Failure::Full,
            1 => Failure::Flush,
            _ => Failure::Stop,
        };
        let after = if failure == Failure::Stop { up_to(dice, START) } else { 0 };
        let fault = Fault { failure, file: None, after, times: 1 };
        Again { fault, power: dice.below(2) == 0 }
    });
    Step::Stop { after, file, power, again }
}

/// Not near an hour: a notice signed an hour ago would be fresh to a clock that is an hour behind. And not some minutes ahead: a
/// marketplace takes calls of such a clock, and the connector holds a second to be over that is not over yet.
fn skew(dice: &mut Dice) -> i64 {
    match dice.below(5) {
        0 => 0,
        1 => dice.between(1, 45),
        2 => -dice.between(1, 240),
        3 => dice.between(7_200, 200_000),
        _ => -dice.between(7_200, 200_000),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = |power: bool| if power { "power is lost" } else { "the process is killed" };
        match self {
            Step::Notices(count) => write!(out, "up to {count} notices arrive"),
            Step::Life(count) => write!(out, "{count} things happen to orders"),
            Step::Evening(0) => write!(out, "files of the ERP that were not taken are handed in again"),
            Step::Evening(days) => write!(out, "the stores close {days} days and hand in their files"),
            Step::Trouble(count) => write!(out, "{count} calls of platforms will go wrong"),
            Step::Ask => write!(out, "the gateway asks"),
            Step::Wait(seconds) => write!(out, "{seconds} s pass"),
            Step::Skew(seconds) => write!(out, "the gateway's clock is wrong by {seconds} s"),
            Step::Disk(fault) => write!(out, "disk: {fault}"),
            Step::Stop { after, file, power: lost, again } => {
                let file = file.map(|file| format!(" of {file}")).unwrap_or_default();
                write!(out, "after {after} operations{file} {}", power(*lost))?;
                let Some(Again { fault, power: lost }) = again else { return Ok(()) };
                write!(out, "; at the start {fault}")?;
                if fault.failure == Failure::Stop { write!(out, ", {}", power(*lost)) } else { Ok(()) }
            }
            Step::StopAsking { calls, power: lost } => {
                write!(out, "asking; after {calls} calls {}", power(*lost))
            }
            Step::Restart => write!(out, "restart"),
            Step::Hook(mood) => write!(out, "the webhook's consumer is {mood:?}"),
            Step::Post => write!(out, "the webhook is posted to"),
            Step::Read { limit, dies: false } => write!(out, "the reader reads {limit}"),
            Step::Read { limit, dies: true } => write!(out, "the reader reads {limit} and dies"),
        }
    }
}
