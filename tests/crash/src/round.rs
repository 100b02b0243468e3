//! Where a kill is aimed, and the blow.

use crate::gateway;
use crate::world::World;
use anyhow::{Context, Result};
use qudao_sim::dice::Dice;
use std::thread;
use std::time::Duration;

/// What the gateway is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kill {
    /// Notices, whatever else there is.
    #[default]
    Load,
    /// Pages of a shop.
    Poll,
    /// Files of an ERP.
    Import,
    /// A new configuration.
    Reload,
    /// Its own start.
    Start,
}

/// One in so many evenings comes by way of the watched folder.
const DROPPED: u32 = 3;
/// Orders that come at once: more than a page.
const ORDERS: (u32, u32) = (52, 75);

impl Kill {
    pub(crate) fn thrown(dice: &mut Dice) -> Kill {
        use Kill::{Import, Load, Poll, Reload, Start};
        dice.pick(&[Load, Load, Load, Load, Poll, Poll, Import, Import, Import, Reload, Reload, Start])
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Kill::Load => "load",
            Kill::Poll => "poll",
            Kill::Import => "import",
            Kill::Reload => "reload",
            Kill::Start => "start",
        }
    }
}

impl World<'_> {
    /// Kills the gateway at an instant that the dice decide, in the middle of what `kill` says.
    pub(crate) fn strike(&mut self, cycle: u32, kill: Kill) -> Result<()> {
        match kill {
            Kill::Load => {
                self.shop.trade(3)?;
                self.pause(10, 600);
            }
            Kill::Poll => {
                let orders = self.dice.between(ORDERS.0, ORDERS.1);
                self.shop.trade(u32::try_from(orders)?)?;
                self.shop.asked();
                self.pause(0, 80);
            }
            Kill::Import => return self.strike_import(),
            Kill::Reload => {
                self.spare = !self.spare;
                self.folder.configure(self.spare)?;
                self.pause(10, 200);
                self.gateway.as_ref().context("a gateway to reload")?.hang_up()?;
                self.pause(0, 60);
            }
            Kill::Start => return self.strike_start(cycle),
        }
        self.kill()
    }

    fn strike_import(&mut self) -> Result<()> {
        let api = self.gateway.as_ref().context("a gateway to hand files to")?.api.clone();
        if self.chain.clear(&api)? {
            let dropped = self.dice.below(DROPPED) == 0;
            self.chain.close_day(&self.folder, dropped)?;
        }
        let pause = self.dice.between(0, 500);
        let gateway = self.gateway.take().context("a gateway to kill")?;
        thread::scope(|threads| {
            let chain = &mut self.chain;
            // What is not answered is handed in or confirmed again another time.
            threads.spawn(move || drop(chain.hand_in(&api).and_then(|()| chain.clear(&api))));
            thread::sleep(Duration::from_millis(pause.unsigned_abs()));
            self.address.set(None);
            gateway.kill()
        })
    }

    /// Also a start is killed, once or twice.
    fn strike_start(&mut self, cycle: u32) -> Result<()> {
        self.pause(10, 200);
        self.kill()?;
        for time in 0..=self.dice.below(2) {
            let why = format!("cycle {cycle}, a start that is killed ({time})");
            let starting = gateway::start(&self.options.gateway, &self.folder, &why)?;
            let wait = Duration::from_millis(self.dice.between(0, 200).unsigned_abs());
            // One that is ready before is killed all the same.
            drop(starting.ready_within(wait)?);
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<()> {
        let gateway = self.gateway.take().context("a gateway to kill")?;
        // The load goes on and finds nobody.
        gateway.kill()?;
        self.address.set(None);
        Ok(())
    }

    fn pause(&mut self, from_ms: u32, to_ms: u32) {
        thread::sleep(Duration::from_millis(self.dice.between(from_ms, to_ms).unsigned_abs()));
    }
}
