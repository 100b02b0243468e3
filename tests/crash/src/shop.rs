//! A marketplace that the gateway asks: orders that come and change, and what must be known of them.

use anyhow::Result;
use qudao_sim::clock::Clock;
use qudao_sim::dice::Dice;
use qudao_sim::jd::{Options, Shop as Jd};
use qudao_sim::market::{Basket, Edit, Order};
use std::thread;
use std::time::{Duration, Instant};

/// The channel that asks.
pub(crate) const CHANNEL: &str = "jd-main";
/// The call that reads orders.
const SEARCH: &str = "jingdong.pop.order.search";
/// Longest wait for the gateway to ask; its interval is a second.
const ASKED_MAX: Duration = Duration::from_secs(4);

/// The shop.
pub(crate) struct Shop {
    jd: Jd,
    open: Vec<String>,
    dice: Dice,
}

impl Shop {
    pub(crate) fn open(seed: u64) -> Result<Shop> {
        let jd = Jd::start(Options { seed, ..Options::with(Clock::ticking()) })?;
        Ok(Shop { jd, open: Vec::new(), dice: Dice::new(seed) })
    }

    pub(crate) fn url(&self) -> String {
        self.jd.url()
    }

    /// So many orders are placed and paid, and some of those before go on.
    pub(crate) fn trade(&mut self, orders: u32) -> Result<()> {
        for _ in 0..orders {
            let order_no = self.jd.place(Basket::thrown(&mut self.dice))?;
            self.jd.edit(&order_no, &Edit::Pay)?;
            self.open.push(order_no);
        }
        for _ in 0..orders.div_ceil(4) {
            let open = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
            let at = self.dice.below(open) as usize;
            let Some(order_no) = self.open.get(at).cloned() else { continue };
            let ship = Edit::Ship { lines: Vec::new(), carrier: String::new(), waybill: String::new() };
            if self.jd.edit(&order_no, &ship).is_err() {
                // It has left already.
                self.jd.edit(&order_no, &Edit::Finish)?;
                self.open.swap_remove(at);
            }
        }
        Ok(())
    }

    /// Waits until the gateway asks for orders once more; it may be busy with something else.
    pub(crate) fn asked(&self) {
        let (before, begun) = (self.jd.calls().count(SEARCH), Instant::now());
        while self.jd.calls().count(SEARCH) == before && begun.elapsed() < ASKED_MAX {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Every order that the shop's calls show.
    pub(crate) fn orders(&self) -> Vec<Order> {
        self.jd.truth().orders().iter().filter(|order| order.visible).cloned().collect()
    }
}
