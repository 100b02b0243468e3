//! What goes wrong between the gateway and a platform that it asks. Each platform has only trouble that does something to it:
//! a payment is one thing that cannot be swapped, and marketplaces do not sign.

use crate::{seen::Seen, till::Till};
use qudao_kit::market::Market;
use qudao_sim::{
    calls::Calls,
    dice::Dice,
    fault::{Fault, Kind},
};

/// An answer that comes so late comes when nobody waits any more.
const TOO_LATE: u64 = 700;

/// Methods that list orders.
const LISTS: [&str; 2] = ["taobao.trades.sold.increment.get", "jingdong.pop.order.search"];

/// A till's next calls go wrong, in the `nth` way of all that there are.
pub(crate) fn at_till(till: &Till, nth: u64, dice: &mut Dice) {
    let kind = match nth % 9 {
        0 | 8 => Kind::WrongSignature,
        1 if till.is_wechat() => error(["SYSTEM_ERROR", "FREQUENCY_LIMITED"][dice.below(2) as usize]),
        1 => error(["20000/isp.unknow-error", "40004/ACQ.SYSTEM_ERROR"][dice.below(2) as usize]),
        nth => network(nth),
    };
    till.faults().add(Fault::new(kind).after(dice.below(2)).times(1 + dice.below(2)));
}

/// The same for a marketplace.
pub(crate) fn at_market(market: &Market, nth: u64, dice: &mut Dice) {
    // Those of lists twice: not every call is of a list.
    let (kind, lists) = match nth % 13 {
        0 | 10 => (Kind::Duplicate, true),
        1 | 11 => (Kind::Reorder, true),
        8 | 12 => (Kind::HalfPage, true),
        9 => (refusal(market, dice), false),
        nth => (network(nth), false),
    };
    let list = LISTS[usize::from(matches!(market, Market::Jd(_)))];
    // A page that is short for ever is left, with a note: what is missing of it is lost.
    let times = if kind == Kind::HalfPage { 1 } else { 1 + dice.below(2) };
    let fault = Fault::new(kind).times(times);
    market.fault(if lists { fault.on(list) } else { fault.after(dice.below(3)) });
}

/// What can befall any call: 2 to 7.
fn network(nth: u64) -> Kind {
    match nth {
        2 => Kind::Delay { millis: TOO_LATE },
        3 => Kind::DropBefore,
        4 => Kind::DropAfterApply,
        5 => Kind::HalfBody,
        6 => Kind::Status { status: 503, retry_after: None },
        _ => Kind::Status { status: 429, retry_after: None },
    }
}

/// Errors in the platform's own words that are over soon.
fn refusal(market: &Market, dice: &mut Dice) -> Kind {
    match (market, dice.below(2)) {
        (Market::Tmall(_), 0) => error("7/accesscontrol.limited-by-api-access-count"),
        (Market::Tmall(_), _) => error("15/isp.remote-service-error"),
        (Market::Jd(_), 0) => error("2"),
        (Market::Jd(_), _) => {
            Kind::PlatformError { code: "65".to_owned(), text: Some("System busy".to_owned()) }
        }
    }
}

fn error(code: &str) -> Kind {
    Kind::PlatformError { code: code.to_owned(), text: None }
}

/// The calls of a marketplace.
pub(crate) fn calls(market: &Market) -> &Calls {
    match market {
        Market::Tmall(shop) => shop.calls(),
        Market::Jd(shop) => shop.calls(),
    }
}

/// What the calls of a platform met.
pub(crate) fn met(calls: &Calls, seen: &mut Seen) {
    for call in calls.all() {
        for fault in call.faults {
            seen.add("calls", fault.replace('_', " "));
        }
    }
}
