//! What the simulated payment platforms know: every notice, how often it was sent, with which bytes, and whether it was
//! acknowledged. What is on this list as acknowledged must be in the gateway for ever.

use anyhow::{Result, bail};
use qudao_sim::alipay::{Alipay, Mode};
use qudao_sim::dice::Dice;
use qudao_sim::story::{Delivery, Happening, Plan, Scenario, Twist, tell};
use qudao_sim::truth::Truth;
use qudao_sim::wechat_pay::{Signing, WechatPay};
use qudao_sim::{Keys, Platform};
use sha2::{Digest as _, Sha256};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The channels of the two platforms.
pub(crate) const CHANNELS: [&str; 2] = ["wechat-main", "alipay-main"];
/// Orders of one story.
const ORDERS: u32 = 30;
/// One in so many requests repeats a notice that was acknowledged long ago.
const REPEAT: u32 = 10;
/// A platform's pauses, much shorter than the real ones.
const PATIENCE: Duration = Duration::from_millis(150);
const PATIENCE_MAX: Duration = Duration::from_secs(2);

/// Digest of a body.
pub(crate) type Sha = [u8; 32];

/// All of it; shared by the threads that send and the one that looks.
pub(crate) struct Ledger {
    platforms: [Box<dyn Platform>; 2],
    books: Mutex<Books>,
}

struct Books {
    dice: Dice,
    stories: [VecDeque<Delivery>; 2],
    told: Vec<Told>,
    by_notice: HashMap<(usize, String), usize>,
    by_bytes: HashMap<Sha, usize>,
    retries: BinaryHeap<Reverse<(Instant, usize)>>,
    /// In the order in which they were acknowledged.
    acknowledged: Vec<usize>,
    wrong: Vec<String>,
    counts: Counts,
}

/// A notice, or a delivery that was forged.
#[derive(Clone)]
pub(crate) struct Told {
    pub(crate) platform: usize,
    pub(crate) delivery: Delivery,
    attempts: u32,
    pub(crate) acknowledged: bool,
}

/// How requests ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Requests.
    pub sent: u64,
    /// Different notices that were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged once more.
    pub repeated: u64,
    /// Forged ones that were refused.
    pub refused: u64,
    /// Answered otherwise, to be sent again.
    pub turned_away: u64,
    /// Requests without an answer, to be sent again.
    pub unanswered: u64,
}

/// A request that is to be sent now.
pub(crate) struct Job {
    at: usize,
    pub(crate) channel: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Ledger {
    pub(crate) fn new(seed: u64) -> Result<Ledger> {
        let wechat = WechatPay::new(&Keys::BuiltIn, Signing::Both)?;
        let alipay = Alipay::new(&Keys::BuiltIn, Mode::PublicKey)?;
        let books = Books {
            dice: Dice::new(seed),
            stories: Default::default(),
            told: Vec::new(),
            by_notice: HashMap::new(),
            by_bytes: HashMap::new(),
            retries: BinaryHeap::new(),
            acknowledged: Vec::new(),
            wrong: Vec::new(),
            counts: Counts::default(),
        };
        Ok(Ledger { platforms: [Box::new(wechat), Box::new(alipay)], books: Mutex::new(books) })
    }

    /// What is sent next: a retry that is due, now and then an old notice once more, else something new. Without `fresh`
    /// only retries.
    pub(crate) fn next(&self, fresh: bool) -> Result<Option<Job>> {
        let (at, told) = {
            let mut books = self.books();
            let due = books.retries.peek().is_some_and(|Reverse((due, _))| *due <= Instant::now());
            let at = if due {
                books.retries.pop().map(|Reverse((_, at))| at)
            } else if fresh {
                Some(self.choose(&mut books))
            } else {
                None
            };
            let Some((at, told)) = at.and_then(|at| Some((at, books.told.get_mut(at)?))) else {
                return Ok(None);
            };
            told.attempts += 1;
            (at, told.clone())
        };
        let attempt = told.delivery.attempt + told.attempts - 1;
        let delivery = Delivery { attempt, ..told.delivery };
        let signed = self.platform(told.platform)?.request(&delivery, now())?;
        let sha = Sha256::digest(&signed.body).into();
        let mut books = self.books();
        // A forged copy may have the bytes of the notice itself.
        if delivery.twist == Twist::Honest {
            books.by_bytes.insert(sha, at);
        } else {
            books.by_bytes.entry(sha).or_insert(at);
        }
        books.counts.sent += 1;
        let channel = CHANNELS.get(told.platform).copied().unwrap_or_default();
        Ok(Some(Job { at, channel, headers: signed.headers, body: signed.body }))
    }

    fn choose(&self, books: &mut Books) -> usize {
        let known = u32::try_from(books.acknowledged.len()).unwrap_or(u32::MAX);
        if known > 0 && books.dice.below(REPEAT) == 0 {
            let at = books.dice.below(known) as usize;
            if let Some(at) = books.acknowledged.get(at) {
                return *at;
            }
        }
        let platform = books.dice.below(2) as usize;
        let delivery = self.tell(books, platform);
        let honest = delivery.twist == Twist::Honest;
        let key = (platform, delivery.notice.id.clone());
        if let (true, Some(at)) = (honest, books.by_notice.get(&key)) {
            return *at;
        }
        let at = books.told.len();
        if honest {
            books.by_notice.insert(key, at);
        }
        books.told.push(Told { platform, delivery, attempts: 0, acknowledged: false });
        at
    }

    fn tell(&self, books: &mut Books, at: usize) -> Delivery {
        loop {
            if let Some(delivery) = books.stories.get_mut(at).and_then(VecDeque::pop_front) {
                return delivery;
            }
            let seed = books.dice.throw();
            let plan = Plan { seed, orders: ORDERS, scenario: Scenario::Mixed, start: now() };
            if let (Some(platform), Some(story)) = (self.platforms.get(at), books.stories.get_mut(at)) {
                story.extend(tell(&**platform, &plan));
            }
        }
    }

    /// Writes down how a request ended; nothing where no answer came.
    pub(crate) fn ended(&self, job: &Job, answer: Option<(u16, &[u8])>) -> Result<()> {
        let mut books = self.books();
        let books = &mut *books;
        let Some(told) = books.told.get_mut(job.at) else { bail!("a request that nobody sent") };
        let platform = self.platform(told.platform)?;
        let taken = answer.is_some_and(|(status, body)| platform.acknowledges(status, body));
        if told.delivery.twist != Twist::Honest {
            match (taken, answer) {
                (true, _) => {
                    books
                        .wrong
                        .push(format!("a forged delivery ({}) was acknowledged", told.delivery.kind()));
                }
                (false, Some(_)) => books.counts.refused += 1,
                (false, None) => books.counts.unanswered += 1,
            }
            return Ok(());
        }
        match (taken, told.acknowledged) {
            (true, true) => books.counts.repeated += 1,
            (true, false) => {
                told.acknowledged = true;
                books.acknowledged.push(job.at);
                books.counts.acknowledged += 1;
            }
            (false, acknowledged) => {
                match answer {
                    Some(_) => books.counts.turned_away += 1,
                    None => books.counts.unanswered += 1,
                }
                if !acknowledged {
                    let pause = (PATIENCE * told.attempts.min(100)).min(PATIENCE_MAX);
                    books.retries.push(Reverse((Instant::now() + pause, job.at)));
                }
            }
        }
        Ok(())
    }

    /// Notices that are to be sent again.
    pub(crate) fn waiting(&self) -> usize {
        self.books().told.iter().filter(|told| !told.acknowledged && told.is_honest()).count()
    }

    /// How many were acknowledged until now.
    pub(crate) fn acknowledged(&self) -> usize {
        self.books().acknowledged.len()
    }

    /// Those that were acknowledged, from the one at place `from` to the one before `to`.
    pub(crate) fn between(&self, from: usize, to: usize) -> Vec<(usize, Told)> {
        let books = self.books();
        let some = books.acknowledged.get(from..to).unwrap_or_default();
        some.iter().filter_map(|at| Some((*at, books.told.get(*at)?.clone()))).collect()
    }

    /// Which notice these bytes are of.
    pub(crate) fn by_bytes(&self, sha: &Sha) -> Option<(usize, Told)> {
        let books = self.books();
        let at = *books.by_bytes.get(sha)?;
        Some((at, books.told.get(at)?.clone()))
    }

    /// What a gateway must know about each channel.
    pub(crate) fn truth(&self) -> Vec<(&'static str, Truth)> {
        let books = self.books();
        let of = |(at, channel): (usize, &'static str)| {
            let mine = books.told.iter().filter(|told| told.platform == at);
            let platform = self.platforms.get(at)?;
            let told = mine.map(|told| (&told.delivery, told.acknowledged));
            Some((channel, Truth::of(&**platform, told)))
        };
        CHANNELS.into_iter().enumerate().filter_map(of).collect()
    }

    /// What should not have been answered as it was, since the last time.
    pub(crate) fn wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.books().wrong)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.books().counts
    }

    fn platform(&self, at: usize) -> Result<&dyn Platform> {
        match self.platforms.get(at) {
            Some(platform) => Ok(&**platform),
            None => bail!("there is no platform {at}"),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    pub(crate) fn is_honest(&self) -> bool {
        self.delivery.twist == Twist::Honest
    }

    /// Number of the order where the notice says that money came.
    pub(crate) fn paid(&self) -> Option<(&str, i64)> {
        let notice = &self.delivery.notice;
        (notice.happening == Happening::Paid)
            .then_some((notice.order.order_no.as_str(), notice.order.total_fen))
    }

    /// For a person.
    pub(crate) fn shown(&self) -> String {
        let Delivery { notice, .. } = &self.delivery;
        let channel = CHANNELS.get(self.platform).copied().unwrap_or_default();
        format!(
            "the {} of order {} ({channel}, notice {})",
            self.delivery.kind(),
            notice.order.order_no,
            notice.id
        )
    }
}

/// Unix seconds: platforms sign with the time of day, and the gateway compares it with its own.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
