//! Where a kill is aimed, the blow, and whether it struck there.

use crate::aim::{self, Phase};
use crate::gateway;
use crate::log::Log;
use crate::world::World;
use anyhow::{Context, Result};
use qudao_sim::dice::Dice;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// What the gateway is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Kill {
    /// Notices, whatever else there is. Struck: a request was under way, or one had been acknowledged that moment.
    #[default]
    Load,
    /// The copy of the log back into the database. Struck: by the log's index some pages were still to be copied.
    Copy,
    /// Pages of a shop. Struck: the cursor is inside a window.
    Poll,
    /// Files of an ERP. Struck: a file neither counts nor waits for a person.
    Import,
    /// A new configuration. Struck: it was asked for and not yet in force.
    Reload,
    /// Its own start. Struck: it was not ready.
    Start,
}

/// One in so many evenings comes by way of the watched folder.
const DROPPED: u32 = 3;
/// Orders that come at once: more than a page.
const ORDERS: (u32, u32) = (52, 75);
/// Longest wait for the shop's pages; it is asked every second.
const WINDOW_MAX: Duration = Duration::from_secs(4);
/// Longest wait for a file to be under way; in a watched folder it lies for a second first.
const IMPORT_MAX: Duration = Duration::from_secs(6);
/// Longest wait for the files before to count.
const CLEAR_MAX: Duration = Duration::from_secs(15);
const CLEAR_LOOK: Duration = Duration::from_millis(20);
/// Longest waits for a request and for a copy, and from one look to the next: both take milliseconds.
const REQUEST_MAX: Duration = Duration::from_secs(1);
const COPY_MAX: Duration = Duration::from_secs(4);
const AIM: Duration = Duration::from_micros(50);
/// What the gateway says once a new configuration is in force.
const RELOADED: &str = "configuration reloaded";

impl Kill {
    pub(crate) const ALL: [Kill; 6] =
        [Kill::Load, Kill::Copy, Kill::Poll, Kill::Import, Kill::Reload, Kill::Start];

    /// One for a gateway that copies its log back again and again, or for one that does not.
    pub(crate) fn thrown(dice: &mut Dice, copies: bool) -> Kill {
        use Kill::{Copy, Import, Load, Poll, Reload, Start};
        let copy = if copies { Copy } else { Load };
        dice.pick(&[Load, Load, copy, copy, Poll, Poll, Import, Import, Import, Reload, Reload, Start])
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Kill::Load => "load",
            Kill::Copy => "copy",
            Kill::Poll => "poll",
            Kill::Import => "import",
            Kill::Reload => "reload",
            Kill::Start => "start",
        }
    }
}

impl World<'_> {
    /// Kills the gateway at an instant that the dice decide, in the middle of what `kill` says; whether it was. Which
    /// requests were cut off shows a moment later.
    pub(crate) fn strike(&mut self, cycle: u32, kill: Kill) -> Result<bool> {
        match kill {
            Kill::Load => self.strike_load(),
            Kill::Copy => self.strike_copy(),
            Kill::Poll => self.strike_poll(),
            Kill::Import => self.strike_import(),
            Kill::Reload => self.strike_reload(),
            Kill::Start => self.strike_start(cycle),
        }
    }

    fn strike_load(&mut self) -> Result<bool> {
        self.shop.trade(3)?;
        self.pause(10, 600);
        let begun = Instant::now();
        while self.address.under_way() == 0 && begun.elapsed() < REQUEST_MAX {
            thread::sleep(AIM);
        }
        let before = self.ledger.acknowledged();
        let at_an_answer = self.dice.below(2) == 0;
        if at_an_answer {
            // Whatever is durable only later is lost now.
            while self.ledger.acknowledged() == before && begun.elapsed() < REQUEST_MAX {
                thread::sleep(AIM);
            }
        } else {
            thread::sleep(Duration::from_micros(self.dice.between(0, 4_000).unsigned_abs()));
        }
        let answered = self.ledger.acknowledged() > before;
        self.kill()?;
        Ok(at_an_answer && answered)
    }

    fn strike_copy(&mut self) -> Result<bool> {
        self.pause(10, 200);
        let (log, begun) = (Log::of(&self.folder.database()), Instant::now());
        while !log.copying() && begun.elapsed() < COPY_MAX {
            thread::sleep(AIM);
        }
        self.kill()?;
        Ok(log.copying())
    }

    fn strike_poll(&mut self) -> Result<bool> {
        let orders = self.dice.between(ORDERS.0, ORDERS.1);
        self.shop.trade(u32::try_from(orders)?)?;
        self.shop.hesitate();
        aim::awaits(&self.folder.database(), Phase::Window, WINDOW_MAX)?;
        // Half of them the moment the cursor is there: what is not there with it is lost now.
        if self.dice.below(2) == 0 {
            self.pause(0, 80);
        }
        self.kill()?;
        aim::is(&self.folder.database(), Phase::Window)
    }

    fn strike_import(&mut self) -> Result<bool> {
        let api = self.gateway.as_ref().context("a gateway to hand files to")?.api.clone();
        let begun = Instant::now();
        let mut clear = self.chain.clear(&api)?;
        while !clear && begun.elapsed() < CLEAR_MAX {
            thread::sleep(CLEAR_LOOK);
            self.chain.hand_in(&api)?;
            clear = self.chain.clear(&api)?;
        }
        // Else the files before are still under way, and they are struck.
        if clear {
            let dropped = self.dice.below(DROPPED) == 0;
            self.chain.close_day(&self.folder, dropped)?;
        }
        let pause = Duration::from_millis(self.dice.between(0, 200).unsigned_abs());
        let gateway = self.gateway.take().context("a gateway to kill")?;
        let database = self.folder.database();
        thread::scope(|threads| {
            let chain = &mut self.chain;
            // What is not answered is handed in or confirmed again another time.
            threads.spawn(move || drop(chain.hand_in(&api).and_then(|()| chain.clear(&api))));
            aim::awaits(&database, Phase::Import, IMPORT_MAX)?;
            thread::sleep(pause);
            self.address.strike();
            gateway.kill()?;
            self.address.set(None);
            anyhow::Ok(())
        })?;
        aim::is(&database, Phase::Import)
    }

    fn strike_reload(&mut self) -> Result<bool> {
        self.spare = !self.spare;
        self.folder.configure(self.spare, self.copies)?;
        self.pause(10, 200);
        let said = fs::metadata(self.folder.log()).context("looking at the gateway's log")?.len();
        self.gateway.as_ref().context("a gateway to reload")?.hang_up()?;
        self.pause(0, 60);
        self.kill()?;
        let log = fs::read(self.folder.log()).context("reading the gateway's log")?;
        let since = log.get(usize::try_from(said)?..).unwrap_or_default();
        Ok(!String::from_utf8_lossy(since).contains(RELOADED))
    }

    /// Also a start is killed, once or twice.
    fn strike_start(&mut self, cycle: u32) -> Result<bool> {
        self.pause(10, 200);
        self.kill()?;
        let mut hit = false;
        for time in 0..=self.dice.below(2) {
            let why = format!("cycle {cycle}, a start that is killed ({time})");
            let starting = gateway::start(&self.options.gateway, &self.folder, &why)?;
            let wait = Duration::from_millis(self.dice.between(0, 200).unsigned_abs());
            // One that is ready before is killed all the same.
            hit |= starting.ready_within(wait)?.is_none();
        }
        Ok(hit)
    }

    fn kill(&mut self) -> Result<()> {
        let gateway = self.gateway.take().context("a gateway to kill")?;
        // The load goes on and finds nobody.
        self.address.strike();
        gateway.kill()?;
        self.address.set(None);
        Ok(())
    }

    fn pause(&mut self, from_ms: u32, to_ms: u32) {
        thread::sleep(Duration::from_millis(self.dice.between(from_ms, to_ms).unsigned_abs()));
    }
}
