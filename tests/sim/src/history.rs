//! What happens in one history: a row of steps that its seed decides.
//!
//! Each step throws with dice of its own, so that a history with some of its steps taken out is still the same history.

use crate::{
    disk::{Failure, Fault},
    hook::{MOODS, Mood},
};
use qudao_sim::dice::Dice;
use std::fmt;

/// Steps of a history.
const STEPS: (u32, u32) = (12, 36);

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Notices arrive, so many at once at most.
    Notices(u32),
    /// Buyers and sellers do something, so many times.
    Life(u32),
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
        /// Whether what was not flushed is lost.
        power: bool,
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

/// The steps of a seed.
pub fn steps(seed: u64) -> Vec<Step> {
    let mut dice = Dice::new(seed ^ 0x5EED_0F57_E125);
    let count = dice.between(STEPS.0, STEPS.1);
    (0..count).map(|_| step(&mut dice)).collect()
}

/// The dice of a step.
pub(crate) fn dice_of(seed: u64, place: usize) -> Dice {
    Dice::new(seed.wrapping_mul(0x9E37_79B9).wrapping_add(place as u64 + 1))
}

fn step(dice: &mut Dice) -> Step {
    let up_to = |dice: &mut Dice, most: u32| u64::from(dice.below(most));
    match dice.below(100) {
        0..30 => Step::Notices(1 + dice.below(8)),
        30..42 => Step::Life(1 + dice.below(6)),
        42..48 => Step::Trouble(1 + dice.below(3)),
        48..62 => Step::Ask,
        62..67 => Step::Wait(dice.between(1, 3_000)),
        67..71 => Step::Skew(skew(dice)),
        71..80 => {
            let failure =
                [Failure::Full, Failure::Write, Failure::Short, Failure::Flush][dice.below(4) as usize];
            let after = up_to(dice, if failure == Failure::Flush { 6 } else { 40 });
            Step::Disk(Fault { failure, after, times: 1 + up_to(dice, 5) })
        }
        80..87 => Step::Stop { after: up_to(dice, 60), power: dice.below(2) == 0 },
        87..90 => Step::StopAsking { calls: dice.below(12), power: dice.below(2) == 0 },
        90..92 => Step::Restart,
        92..94 => Step::Hook(MOODS[dice.below(7) as usize]),
        94..97 => Step::Post,
        _ => Step::Read { limit: 1 + dice.below(20), dies: dice.below(3) == 0 },
    }
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
            Step::Trouble(count) => write!(out, "{count} calls of platforms will go wrong"),
            Step::Ask => write!(out, "the gateway asks"),
            Step::Wait(seconds) => write!(out, "{seconds} s pass"),
            Step::Skew(seconds) => write!(out, "the gateway's clock is wrong by {seconds} s"),
            Step::Disk(Fault { failure, after, times }) => {
                write!(out, "disk: {failure:?} after {after} operations, {times} times")
            }
            Step::Stop { after, power: lost } => write!(out, "after {after} operations {}", power(*lost)),
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
