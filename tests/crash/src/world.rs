//! Everything of one run: platforms, load, the gateway of the moment, what was looked at, and the order of it all.

use crate::chain::Chain;
use crate::check::{Check, Depth, Known};
use crate::consumer::Consumer;
use crate::folder::{Around, Folder, SPARE};
use crate::gateway::{self, Gateway};
use crate::http::{self, Line};
use crate::ledger::{self, Ledger};
use crate::load::{Address, Load};
use crate::log::Log;
use crate::report::{Report, Restarts};
use crate::round::Kill;
use crate::shop::Shop;
use crate::{Options, Watch, fill, old};
use anyhow::{Context, Result};
use qudao_sim::dice::Dice;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// From one look at everything to the next, with all platforms at rest.
const SETTLE_EVERY: u32 = 25;
/// Until the platforms are at rest, and what they told is in.
const SETTLE_MAX: Duration = Duration::from_mins(2);
const SETTLE_SAYS: Duration = Duration::from_secs(10);
const SETTLE_LOOK: Duration = Duration::from_millis(300);
/// A run of so many kills goes on until each kind struck what it was aimed at, for so many more at most.
const AIMED_FROM: u32 = 20;
const AIMED_MAX: u32 = 40;

/// One run.
pub(crate) struct World<'o> {
    pub(crate) options: &'o Options,
    pub(crate) folder: Folder,
    pub(crate) dice: Dice,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) address: Arc<Address>,
    pub(crate) shop: Shop,
    pub(crate) chain: Chain,
    /// Whether the configuration in force has the spare channel.
    pub(crate) spare: bool,
    /// Whether the gateway copies its log back again and again; every second one does.
    pub(crate) copies: bool,
    pub(crate) gateway: Option<Gateway>,
    consumer: Consumer,
    check: Check,
    filled: u64,
    restarts: Vec<Duration>,
}

impl<'o> World<'o> {
    pub(crate) fn open(options: &'o Options, watch: &mut dyn FnMut(Watch)) -> Result<World<'o>> {
        let mut dice = Dice::new(options.seed);
        let shop = Shop::open(dice.throw())?;
        let consumer = Consumer::listen()?;
        let around = Around { shop: Some(shop.url()), consumer: Some(consumer.address) };
        let folder = Folder::make(options, "gateway", around)?;
        let mut filled = 0;
        if options.events > 0 {
            watch(Watch::Step(format!("filling the database with {} events", options.events)));
            filled = fill::fill(&folder, options.events)?;
        }
        Ok(World {
            options,
            folder,
            ledger: Arc::new(Ledger::new(dice.throw())?),
            address: Arc::default(),
            consumer,
            shop,
            chain: Chain::open(dice.throw(), ledger::now()),
            spare: false,
            copies: false,
            gateway: None,
            check: Check::default(),
            filled,
            restarts: Vec::new(),
            dice,
        })
    }

    pub(crate) fn run(mut self, watch: &mut dyn FnMut(Watch)) -> Result<Report> {
        let mut report = Report { seed: self.options.seed, ..Report::default() };
        if self.options.cycles > 0 {
            self.kills(&mut report, watch)?;
        }
        if report.missing.is_empty() {
            self.folder.clear()?;
        }
        if report.missing.is_empty() && self.options.migrations > 0 {
            watch(Watch::Step(format!("{} databases of older versions", self.options.migrations)));
            let took = old::migrate(self.options, &mut self.dice, &mut report)?;
            report.migrations = Restarts::of(took);
        }
        Ok(report)
    }

    fn kills(&mut self, report: &mut Report, watch: &mut dyn FnMut(Watch)) -> Result<()> {
        watch(Watch::Step("the first start, which compiles what is not in the cache".to_owned()));
        self.start("first start")?;
        self.let_in();
        self.folder.keep_cache()?;
        self.restarts.clear();
        let Options { cycles, rate, .. } = self.options;
        watch(Watch::Step(format!("{cycles} kills at {rate} notices a second")));
        let load = Load::start(Arc::clone(&self.ledger), Arc::clone(&self.address), *rate)?;
        while let Some(kill) = self.next_kill(report).filter(|_| report.missing.is_empty()) {
            report.cycles += 1;
            report.missing = self.cycle(kill, report)?;
            if report.missing.is_empty() && report.cycles.is_multiple_of(SETTLE_EVERY) {
                report.missing = self.settle(&load, watch)?;
            }
            let acknowledged = self.ledger.counts().acknowledged;
            watch(Watch::Cycle { cycle: report.cycles, kill: kill.word(), acknowledged });
        }
        if report.missing.is_empty() {
            report.missing = self.settle(&load, watch)?;
        }
        load.stop()?;
        report.counts = self.ledger.counts();
        report.kept = self.check.kept;
        report.restarts = Restarts::of(std::mem::take(&mut self.restarts));
        report.missing.extend(self.too_slow(&report.restarts));
        report.missing.extend(self.not_struck(report));
        self.address.set(None);
        self.gateway.take().context("a gateway to stop")?.stop()
    }

    /// What the next kill is aimed at: by the dice, then at what was not struck yet.
    fn next_kill(&mut self, report: &Report) -> Option<Kill> {
        let Options { cycles, .. } = *self.options;
        if report.cycles < cycles {
            return Some(Kill::thrown(&mut self.dice, self.copies));
        }
        if cycles < AIMED_FROM || report.cycles >= cycles + AIMED_MAX {
            return None;
        }
        let left = |kill: &Kill| !report.is_hit(kill.word());
        let now = Kill::ALL.into_iter().filter(left).find(|kill| *kill != Kill::Copy || self.copies);
        // Only every second gateway can be struck in a copy.
        now.or_else(|| left(&Kill::Copy).then_some(Kill::Load))
    }

    /// Why the run did not do what it is for.
    fn not_struck(&self, report: &Report) -> Vec<String> {
        if self.options.cycles < AIMED_FROM || !report.missing.is_empty() {
            return Vec::new();
        }
        let words = Kill::ALL.into_iter().map(Kill::word).filter(|word| !report.is_hit(word));
        let said = |word| {
            let aimed = report.kills.get(word).copied().unwrap_or_default();
            format!("no kill struck the gateway in the middle of its {word}, {aimed} were aimed at it")
        };
        let copied = (report.copies.started_over == 0).then(|| {
            format!("the log never started over in {} lives that copy it back", report.copies.lives)
        });
        words.map(said).chain(copied).collect()
    }

    fn too_slow(&self, restarts: &Restarts) -> Option<String> {
        let within = self.options.answer_within?;
        let Restarts { count, p95_ms, max_ms, .. } = restarts;
        (Duration::from_millis(*p95_ms) > within).then(|| {
            format!("95 of 100 restarts must answer within {within:?}: it took them up to {p95_ms} ms, {max_ms} ms at most, {count} starts")
        })
    }

    /// One kill, one look at what it left, one restart, one more look; only then are the platforms let in again, who could
    /// complete what is half there.
    fn cycle(&mut self, kill: Kill, report: &mut Report) -> Result<Vec<String>> {
        let (cycle, cut, log) = (report.cycles, self.address.cut(), Log::of(&self.folder.database()));
        let begun = log.begun();
        let mut hit = self.strike(cycle, kill)?;
        if self.copies {
            report.copies.lives += 1;
            report.copies.started_over +=
                begun.zip(log.begun()).map_or(0, |(before, after)| after.wrapping_sub(before));
        }
        let mut missing = self.look(Depth::Quick)?;
        self.shop.next_life();
        self.start(&format!("cycle {cycle}, after a kill aimed at the {}", kill.word()))?;
        missing.extend(self.look(Depth::Quick)?);
        missing.extend(self.in_force()?);
        hit |= kill == Kill::Load && self.address.cut() > cut;
        report.killed(kill.word(), hit);
        self.let_in();
        Ok(missing)
    }

    /// Starts the gateway and measures how long it takes until a hook is answered. The platforms do not know of it yet.
    fn start(&mut self, why: &str) -> Result<()> {
        self.copies = !self.copies;
        self.folder.configure(self.spare, self.copies)?;
        let gateway = gateway::start(&self.options.gateway, &self.folder, why)?.ready()?;
        self.restarts.push(gateway.answers()?);
        self.gateway = Some(gateway);
        Ok(())
    }

    fn let_in(&self) {
        self.address.set(self.gateway.as_ref().map(|gateway| gateway.hooks));
    }

    fn look(&mut self, depth: Depth) -> Result<Vec<String>> {
        let World { ledger, chain, shop, consumer, filled, .. } = self;
        let known = Known { ledger, chain, shop, consumer, filled: *filled };
        let mut missing = self.check.look(&self.folder.database(), &known, depth)?;
        if let Some(gateway) = &mut self.gateway {
            missing.extend(gateway.ended()?);
        }
        Ok(missing)
    }

    /// Whether the configuration that was last written is in force.
    fn in_force(&self) -> Result<Option<String>> {
        let Some(gateway) = &self.gateway else { return Ok(None) };
        let empty = http::request("POST", &format!("/hooks/{SPARE}"), &[], b"");
        let (status, _) = Line::default().exchange(gateway.hooks, &empty).context("asking for a channel")?;
        let known = status != 404;
        Ok((known != self.spare).then(|| {
            format!("the channel {SPARE} is answered with {status}, which is not what the file says")
        }))
    }

    /// Everybody comes to rest; then everything must be the truth.
    fn settle(&mut self, load: &Load, watch: &mut dyn FnMut(Watch)) -> Result<Vec<String>> {
        load.quiet(true);
        let missing = self.come_to_rest(watch);
        load.quiet(false);
        missing
    }

    fn come_to_rest(&mut self, watch: &mut dyn FnMut(Watch)) -> Result<Vec<String>> {
        let (begun, mut said) = (Instant::now(), Instant::now());
        self.shop.asked()?;
        self.shop.asked()?;
        loop {
            let missing = self.at_rest()?;
            if missing.is_empty() || begun.elapsed() > SETTLE_MAX {
                return Ok(missing);
            }
            if said.elapsed() > SETTLE_SAYS {
                said = Instant::now();
                watch(Watch::Step(format!("not at rest yet: {}", missing.join("; "))));
            }
            thread::sleep(SETTLE_LOOK);
        }
    }

    /// What is still to come, or else what is not the truth.
    fn at_rest(&mut self) -> Result<Vec<String>> {
        let gateway = self.gateway.as_mut().context("a gateway to look into")?;
        if let Some(end) = gateway.ended()? {
            anyhow::bail!(end);
        }
        let api = gateway.api.clone();
        self.chain.hand_in(&api)?;
        if !self.chain.clear(&api)? {
            return Ok(vec!["a file does not count yet".to_owned()]);
        }
        match self.ledger.waiting() {
            0 => self.look(Depth::Settled),
            waiting => Ok(vec![format!("{waiting} notices are not acknowledged yet")]),
        }
    }
}
