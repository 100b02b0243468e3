//! Everything of one run: platforms, load, the gateway of the moment, what was looked at, and the order of it all.

use crate::chain::Chain;
use crate::check::{Check, Depth, Known};
use crate::consumer::Consumer;
use crate::folder::{Around, Folder, SPARE};
use crate::gateway::{self, Gateway};
use crate::http::{self, Line};
use crate::ledger::{self, Ledger};
use crate::load::{self, Address, Load};
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
/// A restarted gateway answers by then or never.
const ANSWER_MAX: Duration = Duration::from_secs(30);

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
            let (took, missing) = old::migrate(self.options, &mut self.dice)?;
            report.migrations = Restarts::of(took);
            report.missing = missing;
        }
        Ok(report)
    }

    fn kills(&mut self, report: &mut Report, watch: &mut dyn FnMut(Watch)) -> Result<()> {
        watch(Watch::Step("the first start, which compiles what is not in the cache".to_owned()));
        self.start("first start")?;
        self.folder.keep_cache()?;
        self.restarts.clear();
        watch(Watch::Step(format!(
            "{} kills at {} notices a second",
            self.options.cycles, self.options.rate
        )));
        let load = Load::start(Arc::clone(&self.ledger), Arc::clone(&self.address), self.options.rate)?;
        for cycle in 1..=self.options.cycles {
            let kill = Kill::thrown(&mut self.dice);
            *report.kills.entry(kill.word()).or_default() += 1;
            report.cycles = cycle;
            report.missing = self.cycle((cycle, kill), &load, watch)?;
            if !report.missing.is_empty() {
                break;
            }
            let acknowledged = self.ledger.counts().acknowledged;
            watch(Watch::Cycle { cycle, kill: kill.word(), acknowledged });
        }
        load.stop()?;
        report.counts = self.ledger.counts();
        report.kept = self.check.kept;
        report.restarts = Restarts::of(std::mem::take(&mut self.restarts));
        let median = Duration::from_millis(report.restarts.median_ms);
        if self.options.answer_within.is_some_and(|within| median > within) {
            report.missing.push(format!("half of all restarts took {median:?} or more to answer"));
        }
        self.address.set(None);
        self.gateway.take().context("a gateway to stop")?.stop()
    }

    /// One kill, one restart, one look; now and then at everything.
    fn cycle(
        &mut self,
        (cycle, kill): (u32, Kill),
        load: &Load,
        watch: &mut dyn FnMut(Watch),
    ) -> Result<Vec<String>> {
        self.strike(cycle, kill)?;
        self.start(&format!("cycle {cycle}, after a kill aimed at the {}", kill.word()))?;
        let mut missing = self.look(Depth::Quick)?;
        missing.extend(self.in_force()?);
        if missing.is_empty() && (cycle == self.options.cycles || cycle.is_multiple_of(SETTLE_EVERY)) {
            load.quiet(true);
            missing = self.settle(watch)?;
            load.quiet(false);
        }
        Ok(missing)
    }

    /// Starts the gateway and measures how long it takes until a hook is answered.
    pub(crate) fn start(&mut self, why: &str) -> Result<()> {
        let gateway = gateway::start(&self.options.gateway, &self.folder, why)?.ready()?;
        let mut line = Line::default();
        let job = self.ledger.next(true)?.context("nothing to send")?;
        loop {
            if let Ok((status, body)) = load::exchange(&mut line, gateway.hooks, &job) {
                self.restarts.push(gateway.begun().elapsed());
                self.ledger.ended(&job, Some((status, &body)))?;
                break;
            }
            anyhow::ensure!(gateway.begun().elapsed() < ANSWER_MAX, "no hook is answered after a restart");
        }
        self.address.set(Some(gateway.hooks));
        self.gateway = Some(gateway);
        Ok(())
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
    fn settle(&mut self, watch: &mut dyn FnMut(Watch)) -> Result<Vec<String>> {
        let (begun, mut said) = (Instant::now(), Instant::now());
        self.shop.asked();
        self.shop.asked();
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
