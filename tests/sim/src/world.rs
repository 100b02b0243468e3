//! The world of one history: a gateway on a failing disk, its platforms, and what happens between them.

use crate::{
    chain::Chain,
    channels,
    courier::{Courier, Sent},
    disk::{Disk, Failure, Fault},
    history::{Again, Cast, Step, dice_of},
    hook::{Hook, Mood},
    life::{Life, closed},
    oracle,
    reader::Reader,
    seen::Seen,
    till::Till,
    trouble,
};
use futures_util::future::join_all;
use qudao_feed::webhooks::WebhookState;
use qudao_kit::{
    TestClock, TestGateway,
    market::{Market, NOON, at},
};
use qudao_model::{Answer, Timestamp};
use qudao_pipeline::Delivery;
use qudao_sim::{
    Keys, alipay,
    dice::Dice,
    jd,
    market::{Basket, Edit, Stock},
    tmall, wechat_pay,
};
use serde_json::json;
use std::{cell::RefCell, future::Future, time::Duration};
use tempfile::TempDir;
use tokio::time::timeout;

/// Longest that it takes to ask for all that is due: a whole history takes a second or two.
const ASKING: Duration = Duration::from_mins(1);

/// Everything there is.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) couriers: Vec<Courier>,
    pub(crate) market: Option<Market>,
    pub(crate) till: Option<Till>,
    pub(crate) chain: Option<Chain>,
    pub(crate) hook: Hook,
    pub(crate) reader: Reader,
    pub(crate) disk: Disk,
    clock: TestClock,
    /// Unix seconds, as all but the gateway have them.
    now: i64,
    skew: i64,
    /// Whether the gateway's clock ever was wrong.
    was_skewed: bool,
    /// Whether power is lost when the machine stops.
    power: bool,
    /// What strikes the next start after a stop.
    again: Option<Again>,
    life: Option<Life>,
    seen: Seen,
}

impl World {
    /// A world of `seed` before anything happened.
    pub(crate) async fn new(seed: u64) -> World {
        let mut dice = Dice::new(seed);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let start: Timestamp = at(NOON);
        let now = start.as_second();
        let cast = Cast::thrown(&mut dice);
        let market = cast.market.then(|| open_market(&mut dice, now));
        let till = cast.till.then(|| Till::open(&mut dice, now));
        let mut builder = TestGateway::builder();
        let mut couriers = Vec::new();
        if cast.wechat {
            let platform =
                wechat_pay::WechatPay::new(&Keys::BuiltIn, wechat_pay::Signing::Both).expect("its keys");
            couriers.push(Courier::new("wx", Box::new(platform), (dice.throw(), now)));
            builder = builder.shop(channels::wechat("wx"));
        }
        if cast.alipay {
            let platform = alipay::Alipay::new(&Keys::BuiltIn, alipay::Mode::PublicKey).expect("its keys");
            couriers.push(Courier::new("ali", Box::new(platform), (dice.throw(), now)));
            builder = builder.shop(channels::alipay("ali"));
        }
        if let Some(market) = &market {
            builder = builder.shop(market.channel(&json!({})));
        }
        if let Some(till) = &till {
            builder = builder.shop(till.channel());
        }
        let chain = cast.chain.then(|| Chain::open(&mut dice, now));
        if chain.is_some() {
            builder = qudao_kit::erp::channels(builder, "");
        }
        let connectors = builder.write(folder.path());
        if cast.market || cast.till {
            channels::impatient(&connectors);
        }
        let disk = Disk::at(folder.path(), dice.throw());
        let clock = TestClock::at(start);
        let hook = Hook::new(dice.throw());
        let life =
            Life::start(folder.path(), &clock, &hook).await.expect("a gateway starts on a disk that works");
        World {
            folder,
            couriers,
            market,
            till,
            chain,
            hook,
            reader: Reader::default(),
            disk,
            clock,
            now,
            skew: 0,
            was_skewed: false,
            power: false,
            again: None,
            life: Some(life),
            seen: Seen::default(),
        }
    }

    /// The gateway that runs.
    pub(crate) fn life(&self) -> &Life {
        self.life.as_ref().expect("a gateway runs between two steps")
    }

    /// Lets one step happen.
    pub(crate) async fn step(&mut self, seed: u64, place: usize, step: Step) {
        let mut dice = dice_of(seed, place);
        match step {
            Step::Notices(count) => self.notices(count as usize, &mut dice).await,
            Step::Life(count) => self.live(count, &mut dice).await,
            Step::Evening(days) => self.evening(days).await,
            Step::Trouble(count) => self.trouble((seed, place), count, &mut dice),
            Step::Ask => self.ask().await,
            Step::Wait(seconds) => self.wait(seconds),
            Step::Skew(seconds) => {
                if seconds != self.skew {
                    self.seen.add("clock", if seconds < self.skew { "jumps back" } else { "jumps ahead" });
                }
                self.set_skew(seconds);
            }
            Step::Disk(fault) => self.disk.fault(fault),
            Step::Stop { after, file, power, again } => {
                (self.power, self.again) = (power, again);
                self.disk.fault(Fault { failure: Failure::Stop, file, after, times: 1 });
            }
            Step::StopAsking { calls, power } => self.stop_asking(calls, power).await,
            Step::Hook(mood) => self.hook.set(mood),
            Step::Post => self.post_or_enable().await,
            Step::Restart => self.restart().await,
            Step::Read { limit, dies } => {
                let feed = self.life().gateway.feed().clone();
                self.reader.read(&feed, (limit, dies)).await;
            }
        }
        self.revive().await;
    }

    /// The machine starts again if it has stopped, and stops again at that start where this was wanted. What was acknowledged
    /// is looked for at once: a platform that sends it again would hide that it was lost.
    pub(crate) async fn revive(&mut self) {
        while self.disk.is_stopped() {
            if let Some(life) = self.life.take() {
                life.end(&self.disk).await;
            }
            self.seen.add("stops", if self.power { "power lost" } else { "killed" });
            self.disk.start_again(self.power);
            if let Some(Again { fault, power }) = self.again.take() {
                self.power = power;
                self.disk.fault(fault);
            }
            self.start().await;
            if !self.disk.is_stopped() {
                oracle::inbox(self).await;
                oracle::files(self).await;
            }
        }
    }

    /// Nothing fails any more and all clocks are right.
    pub(crate) async fn heal(&mut self) {
        self.disk.heal();
        self.revive().await;
        if let Some(market) = &self.market {
            market.faults().clear();
        }
        if let Some(till) = &mut self.till {
            till.faults().clear();
            till.end_all();
        }
        self.hook.set(Mood::Fine);
        self.set_skew(0);
        self.resume().await;
    }

    /// A platform that answers a wrong clock as if the keys were wrong has the channel paused; an operator who mends the clock
    /// resumes it.
    async fn resume(&self) {
        let gateway = &self.life().gateway;
        for channel in gateway.channels().into_iter().filter(|_| self.was_skewed) {
            if channel.paused.is_some_and(|paused| paused.explain.contains("clock")) {
                gateway.resume(&channel.name).await.expect("a disk that works takes it");
            }
        }
    }

    /// The gateway ends and starts again.
    pub(crate) async fn restart(&mut self) {
        if let Some(life) = self.life.take() {
            life.end(&self.disk).await;
        }
        if !self.disk.is_stopped() {
            self.start().await;
        }
    }

    async fn start(&mut self) {
        let struck = self.disk.struck();
        match Life::start(self.folder.path(), &self.clock, &self.hook).await {
            Ok(life) => self.life = Some(life),
            Err(_) if self.disk.is_stopped() => closed(&self.disk).await,
            Err(why) => {
                // A fault that struck this start is in the way; without one there is no excuse.
                let is_struck = self.disk.struck() > struck;
                assert!(is_struck, "a gateway does not start although the disk works: {why}");
                self.seen.add("starts", "failed");
                self.disk.heal();
                closed(&self.disk).await;
                let life = Life::start(self.folder.path(), &self.clock, &self.hook).await;
                self.life =
                    Some(life.unwrap_or_else(|why| panic!("a gateway does not start any more: {why}")));
            }
        }
        if self.disk.is_stopped() {
            self.seen.add("starts", "stopped");
        }
    }

    /// All that happened so far.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = self.seen.clone();
        seen.merge(&self.disk.seen());
        seen.merge(&self.hook.seen());
        if let Some(chain) = &self.chain {
            seen.merge(&chain.seen);
        }
        for courier in &self.couriers {
            seen.merge(&courier.seen);
        }
        if let Some(market) = &self.market {
            trouble::met(trouble::calls(market), &mut seen);
        }
        if let Some(till) = &self.till {
            trouble::met(till.calls(), &mut seen);
        }
        seen
    }

    pub(crate) fn wait(&mut self, seconds: i64) {
        self.now += seconds;
        if let Some(market) = &self.market {
            market.advance_alone(seconds);
        }
        if let Some(till) = &self.till {
            till.clock().advance(seconds);
        }
        self.set_skew(self.skew);
    }

    fn set_skew(&mut self, seconds: i64) {
        self.skew = seconds;
        self.was_skewed |= seconds != 0;
        self.clock.set(Timestamp::from_second(self.now + seconds).expect("a time of this century"));
    }

    async fn notices(&mut self, count: usize, dice: &mut Dice) {
        let mut sent = Vec::new();
        for (at, courier) in self.couriers.iter_mut().enumerate() {
            sent.extend(courier.throw(count, self.now, dice).into_iter().map(|sent| (at, sent)));
        }
        self.send(sent).await;
    }

    /// Sends all that is left.
    pub(crate) async fn send_rest(&mut self, dice: &mut Dice) {
        for at in 0..self.couriers.len() {
            let rest = self.couriers[at].rest(self.now, dice);
            self.send(rest.into_iter().map(|sent| (at, sent)).collect()).await;
        }
    }

    async fn send(&mut self, sent: Vec<(usize, Sent)>) {
        let gateway = self.life().gateway.clone();
        // Whatever was answered when the machine stops was answered.
        let answers: RefCell<Vec<(usize, Answer)>> = RefCell::default();
        let all = join_all(sent.iter().enumerate().map(|(place, (at, sent))| {
            let channel = self.couriers[*at].channel.to_owned();
            let delivery = Delivery { channel, request: sent.request.clone() };
            let (gateway, answers) = (&gateway, &answers);
            async move {
                if let Ok(answer) = gateway.receive(delivery).await {
                    answers.borrow_mut().push((place, answer));
                }
            }
        }));
        self.unless_stopped(all).await;
        for (place, answer) in answers.into_inner() {
            let (at, sent) = &sent[place];
            self.couriers[*at].answered(sent, &answer);
        }
    }

    /// Asks whatever is due.
    pub(crate) async fn ask(&mut self) {
        let gateway = self.life().gateway.clone();
        let asked = self.unless_stopped(timeout(ASKING, gateway.ask_due(gateway.now()))).await;
        // A disk that fails may make this fail, too; then it is asked again.
        assert!(!matches!(asked, Some(Err(_))), "there is no end of asking: what was asked for stays due");
    }

    /// Posts whatever is due to the webhook's consumer.
    pub(crate) async fn post(&mut self) {
        let courier = self.life().courier.clone();
        self.unless_stopped(async { drop(courier.settle().await) }).await;
    }

    /// The same; where the consumer had enough, an operator first has it tried again.
    async fn post_or_enable(&mut self) {
        let courier = self.life().courier.clone();
        if courier.view().state == WebhookState::Disabled {
            // A disk that fails may be in the way.
            self.unless_stopped(async { drop(courier.enable().await) }).await;
        }
        self.post().await;
    }

    /// An operator enables the webhook again where its consumer had enough.
    pub(crate) async fn enable(&mut self) {
        let courier = self.life().courier.clone();
        if courier.view().state == WebhookState::Disabled {
            courier.enable().await.expect("a disk that works takes it");
        }
    }

    /// The till tells the gateway what it wants.
    pub(crate) async fn tell(&mut self) {
        let gateway = self.life().gateway.clone();
        if let Some(mut till) = self.till.take() {
            self.unless_stopped(till.tell(&gateway)).await;
            self.till = Some(till);
        }
    }

    async fn evening(&mut self, days: u32) {
        if let Some(chain) = &mut self.chain {
            (0..days).for_each(|_| chain.close_day());
        }
        self.hand_in().await;
    }

    /// Files of the ERP are handed in and imported.
    pub(crate) async fn hand_in(&mut self) {
        let gateway = self.life().gateway.clone();
        if let Some(mut chain) = self.chain.take() {
            self.unless_stopped(chain.hand_in(&gateway)).await;
            self.chain = Some(chain);
        }
    }

    async fn stop_asking(&mut self, calls: u32, power: bool) {
        self.power = power;
        let gateway = self.life().gateway.clone();
        let asked = || {
            let market = self.market.as_ref().map_or(0, Market::calls);
            market + self.till.as_ref().map_or(0, |till| till.calls().all().len())
        };
        let until = asked() + calls as usize;
        let asking = async { drop(gateway.ask_due(gateway.now()).await) };
        let stop = async {
            while asked() < until {
                tokio::task::yield_now().await;
            }
        };
        let ended = tokio::select! { biased; () = asking => true, () = stop => false };
        self.seen.add("stops", if ended { "behind all calls" } else { "between calls" });
        self.disk.stop();
    }

    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.disk.stopped() => None,
        }
    }

    async fn live(&mut self, count: u32, dice: &mut Dice) {
        if let Some(till) = &mut self.till {
            (0..count).for_each(|_| till.live(dice));
        }
        self.tell().await;
        let Some(market) = &self.market else { return };
        for _ in 0..count {
            let orders = market.truth().orders().to_vec();
            if orders.is_empty() || dice.below(5) == 0 {
                market.place(Basket::thrown(dice));
                continue;
            }
            let order_no =
                orders[dice.below(u32::try_from(orders.len()).unwrap_or(1)) as usize].order_no.clone();
            let edit = edit(dice);
            if dice.below(4) == 0 {
                market.edit_after_page(1 + dice.below(2), vec![(order_no, edit)]);
            } else {
                // What the platform does not allow does not happen.
                drop(market.edit(&order_no, &edit));
            }
        }
    }

    fn trouble(&self, (seed, place): (u64, usize), count: u32, dice: &mut Dice) {
        // Kinds go round, so that none waits for luck.
        for nth in (0..u64::from(count)).map(|at| seed + place as u64 + at) {
            match (&self.till, &self.market) {
                (Some(till), None) => trouble::at_till(till, nth, dice),
                (Some(till), Some(_)) if dice.below(2) == 0 => trouble::at_till(till, nth, dice),
                (_, Some(market)) => trouble::at_market(market, nth, dice),
                (None, None) => {}
            }
        }
    }
}

fn edit(dice: &mut Dice) -> Edit {
    match dice.below(7) {
        0 | 1 => Edit::Pay,
        2 => Edit::ship(),
        3 => Edit::Finish,
        4 => Edit::refund(0),
        5 => Edit::Cancel,
        _ => Edit::memo(&dice.digits(4)),
    }
}

fn open_market(dice: &mut Dice, now: i64) -> Market {
    let seed = dice.throw();
    let market = if dice.below(2) == 0 {
        Market::Tmall(tmall::Shop::start(tmall::Options { seed, ..tmall::Options::at(now) }).expect("a shop"))
    } else {
        Market::Jd(jd::Shop::start(jd::Options { seed, ..jd::Options::at(now) }).expect("a shop"))
    };
    let stock = Stock::of(1 + dice.below(15)).count;
    market.stock(stock);
    market
}
