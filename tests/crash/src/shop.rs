//! A marketplace that the gateway asks: orders and after-sales that come and change, and what must be known of them.

use anyhow::{Result, ensure};
use qudao_sim::clock::Clock;
use qudao_sim::dice::Dice;
use qudao_sim::fault::{Fault, Kind};
use qudao_sim::jd::{Options, Shop as Jd};
use qudao_sim::market::{AfterSale, Basket, Edit, Order};
use std::thread;
use std::time::{Duration, Instant};

/// The channel that asks.
pub(crate) const CHANNEL: &str = "jd-main";
/// The call that reads orders.
const SEARCH: &str = "jingdong.pop.order.search";
/// Longest wait for the gateway to ask; its interval is a second, and after failures it waits for longer.
const ASKED_MAX: Duration = Duration::from_secs(30);
/// How long the shop hesitates with an answer, and with how many: those of one window and of the poll before.
const HESITATES_MS: u64 = 40;
const HESITATES: u32 = 4;
/// Of so many orders that wait for their goods, one buyer wants the money back.
const REGRETS: u32 = 3;

/// The shop.
pub(crate) struct Shop {
    jd: Jd,
    open: Vec<Open>,
    dice: Dice,
    /// Calls before the gateway's present life.
    before: usize,
    /// Whether a gateway asked on from an answer, which it does only once that is kept.
    passed: bool,
}

/// An order that has not ended.
struct Open {
    order_no: String,
    /// Its after-sale, while that has not ended.
    refund_no: Option<String>,
}

impl Shop {
    pub(crate) fn open(seed: u64) -> Result<Shop> {
        let jd = Jd::start(Options { seed, ..Options::with(Clock::ticking()) })?;
        Ok(Shop { jd, open: Vec::new(), dice: Dice::new(seed), before: 0, passed: false })
    }

    pub(crate) fn url(&self) -> String {
        self.jd.url()
    }

    /// So many orders are placed and paid, and some of those before go on.
    pub(crate) fn trade(&mut self, orders: u32) -> Result<()> {
        for _ in 0..orders {
            let order_no = self.jd.place(Basket::thrown(&mut self.dice))?;
            self.jd.edit(&order_no, &Edit::Pay)?;
            self.open.push(Open { order_no, refund_no: None });
        }
        for _ in 0..orders.div_ceil(4) {
            // Each takes one away at most, and more were just placed.
            let open = u32::try_from(self.open.len()).unwrap_or(u32::MAX);
            let order = self.open.swap_remove(self.dice.below(open) as usize);
            let order = self.goes_on(order)?;
            self.open.extend(order);
        }
        Ok(())
    }

    /// The next step of an order; none if it was the last.
    fn goes_on(&mut self, order: Open) -> Result<Option<Open>> {
        let Open { order_no, refund_no } = order;
        if let Some(refund_no) = refund_no {
            return self.decides(order_no, refund_no);
        }
        if self.dice.below(REGRETS) == 0
            // Else it has left already.
            && let Ok(asked) = self.jd.edit(&order_no, &Edit::refund(0))
        {
            return Ok(Some(Open { order_no, refund_no: asked.refund_no }));
        }
        if self.jd.edit(&order_no, &Edit::ship()).is_ok() {
            return Ok(Some(Open { order_no, refund_no: None }));
        }
        self.jd.edit(&order_no, &Edit::Finish)?;
        Ok(None)
    }

    /// The next step of an after-sale. An order whose money went back has ended.
    fn decides(&mut self, order_no: String, refund_no: String) -> Result<Option<Open>> {
        let edit = match self.dice.below(4) {
            0 => Edit::Agree { refund_no: refund_no.clone() },
            1 => Edit::Refuse { refund_no: refund_no.clone() },
            2 => Edit::Withdraw { refund_no: refund_no.clone() },
            _ => Edit::Settle { refund_no: refund_no.clone() },
        };
        self.jd.edit(&order_no, &edit)?;
        Ok(match edit {
            Edit::Settle { .. } => None,
            Edit::Agree { .. } => Some(Open { order_no, refund_no: Some(refund_no) }),
            _ => Some(Open { order_no, refund_no: None }),
        })
    }

    /// The next answers come late, so that a kill can strike between two pages.
    pub(crate) fn hesitate(&self) {
        self.jd.fault(Fault::new(Kind::Delay { millis: HESITATES_MS }).on(SEARCH).times(HESITATES));
    }

    /// Waits until the gateway asks for orders once more.
    pub(crate) fn asked(&self) -> Result<()> {
        let (before, begun) = (self.jd.calls().count(SEARCH), Instant::now());
        while self.jd.calls().count(SEARCH) == before {
            ensure!(begun.elapsed() < ASKED_MAX, "the shop was not asked for orders within {ASKED_MAX:?}");
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// A gateway was killed, and another one starts.
    pub(crate) fn next_life(&mut self) {
        self.passed = self.passed();
        self.before = self.jd.calls().count(SEARCH);
    }

    /// Whether the gateway must have a cursor by now.
    pub(crate) fn passed(&self) -> bool {
        self.passed || self.jd.calls().count(SEARCH) > self.before + 1
    }

    /// Every order that the shop's calls show.
    pub(crate) fn orders(&self) -> Vec<Order> {
        self.jd.truth().orders().iter().filter(|order| order.visible).cloned().collect()
    }

    /// Every after-sale.
    pub(crate) fn aftersales(&self) -> Vec<AfterSale> {
        self.jd.truth().aftersales().to_vec()
    }
}
