//! Signed payment notices, as the platform would send them, laid out as whole HTTP requests before any clock starts.

use anyhow::{Context, Result};
use qudao_model::{Request, Timestamp};
use qudao_sim::story::{Delivery, Plan, Scenario, tell};
use qudao_sim::wechat_pay::{Signing, WechatPay};
use qudao_sim::{Keys, Platform};
use std::thread;
use std::time::{Duration, Instant};

/// Where the sample's first channel takes them.
pub(crate) const PATH: &str = "/hooks/wechat-main";

/// Threads that sign; nothing is measured meanwhile.
const SIGNERS: usize = 2;
/// A signature counts for five minutes; a load that begins now ends long before.
const YOUNG: Duration = Duration::from_secs(200);

/// One notice.
pub(crate) struct Notice {
    /// Merchant's number of what it tells.
    pub(crate) order_no: String,
    pub(crate) request: Request,
}

/// Notices that are signed when they are needed, and used until the signatures are too old.
#[derive(Default)]
pub(crate) struct Supply {
    seed: u64,
    lot: Option<(Instant, Lot)>,
}

/// Many different notices.
#[derive(Default)]
pub(crate) struct Lot {
    /// Merchant's numbers.
    pub(crate) orders: Vec<String>,
    /// As they are sent.
    pub(crate) wires: Vec<Vec<u8>>,
}

impl Supply {
    /// At least so many notices for an empty database: the same as the last time, where they are young enough.
    pub(crate) fn young(&mut self, count: u32) -> Result<&Lot> {
        let enough = |lot: &Lot| u32::try_from(lot.wires.len()).is_ok_and(|have| have >= count);
        match &self.lot {
            Some((signed, lot)) if signed.elapsed() < YOUNG && enough(lot) => {}
            _ => return self.fresh(count),
        }
        let (_, lot) = self.lot.as_ref().context("no notices")?;
        Ok(lot)
    }

    /// So many notices that were never sent.
    pub(crate) fn fresh(&mut self, count: u32) -> Result<&Lot> {
        self.seed += 1;
        // Hundreds of megabytes: the old ones go first.
        self.lot = None;
        let signed = Instant::now();
        let made = make(count, self.seed)?;
        let wires = made.iter().map(|notice| wire(&notice.request)).collect();
        let orders = made.into_iter().map(|notice| notice.order_no).collect();
        let (_, lot) = self.lot.insert((signed, Lot { orders, wires }));
        Ok(lot)
    }
}

/// `count` different notices, signed now.
pub(crate) fn make(count: u32, seed: u64) -> Result<Vec<Notice>> {
    let platform = WechatPay::new(&Keys::BuiltIn, Signing::PublicKey)?;
    let now = Timestamp::now().as_second();
    let plan = Plan { seed, orders: count, scenario: Scenario::Payments, start: now };
    let deliveries = tell(&platform, &plan);
    let part = deliveries.len().div_ceil(SIGNERS).max(1);
    thread::scope(|threads| {
        let platform = &platform;
        let signing: Vec<_> =
            deliveries.chunks(part).map(|part| threads.spawn(move || sign(platform, part, now))).collect();
        let mut notices = Vec::with_capacity(deliveries.len());
        for signed in signing {
            notices.extend(signed.join().ok().context("a signing thread")??);
        }
        Ok(notices)
    })
}

fn sign(platform: &WechatPay, deliveries: &[Delivery], now: i64) -> Result<Vec<Notice>> {
    let notice = |delivery: &Delivery| {
        let signed = platform.request(delivery, now)?;
        let request = Request {
            method: "POST".into(),
            path: PATH.into(),
            query: None,
            headers: signed.headers,
            body: signed.body,
        };
        Ok(Notice { order_no: delivery.notice.order.order_no.clone(), request })
    };
    deliveries.iter().map(notice).collect()
}

/// The bytes on the wire.
pub(crate) fn wire(request: &Request) -> Vec<u8> {
    let Request { method, path, headers, body, .. } = request;
    let fields: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let fields = fields.concat();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: bench\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn notices_differ_and_are_as_long_as_real_ones() {
        let notices = make(50, 1).unwrap();
        let bodies: BTreeSet<&[u8]> = notices.iter().map(|notice| &notice.request.body[..]).collect();
        let orders: BTreeSet<&str> = notices.iter().map(|notice| &notice.order_no[..]).collect();
        assert_eq!((bodies.len(), orders.len()), (50, 50));
        assert!(bodies.iter().all(|body| (900..3000).contains(&body.len())));
    }

    #[test]
    fn a_request_on_the_wire_ends_with_its_body() {
        let request = Request {
            method: "POST".into(),
            path: "/a".into(),
            query: None,
            headers: vec![("X".into(), "1".into())],
            body: b"hi".to_vec(),
        };
        let text = String::from_utf8(wire(&request)).unwrap();
        assert_eq!(text, "POST /a HTTP/1.1\r\nHost: bench\r\nContent-Length: 2\r\nX: 1\r\n\r\nhi");
    }

    #[test]
    fn a_supply_repeats_nothing_that_was_sent() {
        let mut supply = Supply::default();
        let first = supply.fresh(5).unwrap().orders.clone();
        assert_eq!(supply.young(4).unwrap().orders, first);
        assert!(supply.fresh(5).unwrap().orders.iter().all(|order| !first.contains(order)));
    }
}
