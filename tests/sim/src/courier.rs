//! A platform that tells of payments: it sends each notice until it is acknowledged, over a network that loses, doubles,
//! swaps and damages.

use crate::seen::Seen;
use qudao_model::{Answer, Request};
use qudao_sim::{
    Platform,
    dice::Dice,
    story::{Delivery, Plan, Scenario, Twist, tell},
    truth::Truth,
};
use std::collections::{BTreeMap, BTreeSet};

/// One channel's notices.
pub(crate) struct Courier {
    pub(crate) channel: &'static str,
    platform: Box<dyn Platform>,
    letters: Vec<Letter>,
    /// By the platform's id of the notice.
    told: BTreeMap<String, Told>,
    /// What the network did.
    pub(crate) seen: Seen,
}

/// One delivery of the story.
struct Letter {
    delivery: Delivery,
    acknowledged: bool,
}

/// What went over the network of one notice.
#[derive(Default)]
pub(crate) struct Told {
    /// Bodies as they were sent.
    pub(crate) bodies: BTreeSet<Vec<u8>>,
    /// Whether any was acknowledged.
    pub(crate) acknowledged: bool,
}

/// A request under way.
pub(crate) struct Sent {
    letter: usize,
    pub(crate) request: Request,
    fate: Fate,
}

/// What the network does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    /// It arrives, and the answer does not.
    AnswerLost,
    /// A bit of it is turned over.
    Damaged,
}

impl Courier {
    pub(crate) fn new(
        channel: &'static str,
        platform: Box<dyn Platform>,
        (seed, now): (u64, i64),
    ) -> Courier {
        let mut dice = Dice::new(seed);
        let orders = u32::try_from(dice.between(2, 9)).unwrap_or(2);
        let scenario = match dice.below(6) {
            0 => Scenario::Refunds,
            1 => Scenario::Retries,
            2 => Scenario::Hostile,
            _ => Scenario::Mixed,
        };
        let story = tell(&*platform, &Plan { seed: dice.throw(), orders, scenario, start: now });
        let letter = |delivery| Letter { delivery, acknowledged: false };
        let letters = story.into_iter().map(letter).collect();
        Courier { channel, platform, letters, told: BTreeMap::new(), seen: Seen::default() }
    }

    /// Whether every honest notice was acknowledged.
    pub(crate) fn is_done(&self) -> bool {
        self.letters.iter().all(|letter| letter.acknowledged || letter.delivery.twist != Twist::Honest)
    }

    /// Throws which `count` requests go out, as the network carries them.
    pub(crate) fn throw(&mut self, count: usize, now: i64, dice: &mut Dice) -> Vec<Sent> {
        let mut open: Vec<usize> =
            (0..self.letters.len()).filter(|at| !self.letters[*at].acknowledged).collect();
        if open.len() > 1 && dice.below(3) == 0 {
            dice.shuffle(&mut open);
            self.seen.add("notices", "swapped");
        }
        let mut sent = Vec::new();
        for at in open.into_iter().take(count) {
            // One that was acknowledged long ago comes again.
            let at = if dice.below(8) == 0 { dice.below(self.len()) as usize } else { at };
            let fate = match dice.below(10) {
                0 => {
                    self.seen.add("notices", "lost");
                    continue;
                }
                1 => Fate::AnswerLost,
                2 => Fate::Damaged,
                _ => Fate::Arrives,
            };
            let copies = if dice.below(6) == 0 { 2 } else { 1 };
            if copies > 1 {
                self.seen.add("notices", "doubled");
            }
            for _ in 0..copies {
                sent.push(self.send(at, (now, fate), dice));
            }
        }
        sent
    }

    /// All that are left, over a network that works.
    pub(crate) fn rest(&mut self, now: i64, dice: &mut Dice) -> Vec<Sent> {
        let open: Vec<usize> = (0..self.letters.len()).filter(|at| !self.letters[*at].acknowledged).collect();
        open.into_iter().map(|at| self.send(at, (now, Fate::Arrives), dice)).collect()
    }

    fn send(&mut self, letter: usize, (now, fate): (i64, Fate), dice: &mut Dice) -> Sent {
        let sent =
            self.platform.request(&self.letters[letter].delivery, now).expect("a notice can be signed");
        let headers = sent.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
        let path = format!("/hooks/{}", self.channel);
        let headers = headers.collect();
        let mut request = Request { method: "POST".to_owned(), path, query: None, headers, body: sent.body };
        if fate == Fate::Damaged {
            let at = dice.below(u32::try_from(request.body.len()).unwrap_or(u32::MAX)) as usize;
            request.body[at] ^= 1 << dice.below(8);
            self.seen.add("notices", "damaged");
        }
        if self.letters[letter].acknowledged {
            self.seen.add("notices", "sent again though acknowledged");
        }
        let notice = self.letters[letter].delivery.notice.id.clone();
        self.told.entry(notice).or_default().bodies.insert(request.body.clone());
        Sent { letter, request, fate }
    }

    /// What became of a request that the gateway answered.
    pub(crate) fn answered(&mut self, sent: &Sent, answer: &Answer) {
        let letter = &mut self.letters[sent.letter];
        if !self.platform.acknowledges(answer.status, &answer.body) {
            return;
        }
        let delivery = &letter.delivery;
        assert!(
            delivery.twist == Twist::Honest,
            "a {} notice of {} was acknowledged",
            delivery.kind(),
            delivery.notice.order.order_no
        );
        if sent.fate == Fate::AnswerLost {
            self.seen.add("notices", "acknowledged, the answer lost");
        } else {
            letter.acknowledged = true;
        }
        self.told.entry(delivery.notice.id.clone()).or_default().acknowledged = true;
    }

    /// What must be known now that all were acknowledged.
    pub(crate) fn truth(&self) -> Truth {
        Truth::of(&*self.platform, self.letters.iter().map(|letter| (&letter.delivery, letter.acknowledged)))
    }

    /// What was told, by notice.
    pub(crate) fn told(&self) -> &BTreeMap<String, Told> {
        &self.told
    }

    fn len(&self) -> u32 {
        u32::try_from(self.letters.len()).unwrap_or(u32::MAX)
    }
}
